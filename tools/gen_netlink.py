#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the C and the documentation of the control interface from its spec.

    gen_netlink.py SPEC --uapi|--names|--kernel|--doc OUT

--uapi     commands, attributes and enums, as ynl would name them
--names    their names as text, for the userspace client and its messages
--kernel   policies and the table of operations of the module
--doc      Documentation/netlink.md

The spec is a subset of the kernel's genetlink YAML; a key this program does
not know is an error, so that nothing in the spec is without effect.
"""

import argparse
import os
import sys
import textwrap

import yaml

WIDTH = 100
UAPI_LICENSE = "(GPL-2.0 WITH Linux-syscall-note) OR MIT"

SPEC_KEYS = {"name", "protocol", "doc", "version", "definitions", "attribute-sets", "operations",
             "mcast-groups"}
ENUM_KEYS = {"type", "name", "doc", "entries"}
CONST_KEYS = {"type", "name", "doc", "value"}
SET_KEYS = {"name", "doc", "attributes"}
ATTR_KEYS = {"name", "type", "doc", "checks", "enum", "nested-attributes"}
OP_KEYS = {"name", "doc", "attribute-set", "flags", "do", "dump", "event", "mcgrp"}
CALL_KEYS = {"request", "reply", "pre", "post"}
TYPES = {"u32": "NLA_U32", "u64": "NLA_U64", "s64": "NLA_S64", "string": "NLA_NUL_STRING", "binary": "NLA_BINARY",
         "nest": "NLA_NESTED", "pad": None}


class SpecError(Exception):
    pass


def check_keys(what, node, known):
    extra = set(node) - known
    if extra:
        raise SpecError(f"{what}: unknown key {sorted(extra)[0]!r}")


def ident(name):
    return name.replace("-", "_")


def upper(name):
    return ident(name).upper()


class Spec:
    """The spec, checked, with lookups by name."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            doc = yaml.safe_load(f)
        check_keys(path, doc, SPEC_KEYS)
        self.name = doc["name"]
        self.doc = doc["doc"]
        self.version = doc["version"]
        self.prefix = upper(self.name)
        self.consts = [d for d in doc["definitions"] if d["type"] == "const"]
        self.enums = {d["name"]: d for d in doc["definitions"] if d["type"] == "enum"}
        if len(self.consts) + len(self.enums) != len(doc["definitions"]):
            raise SpecError("definitions: only const and enum are known")
        for d in self.consts:
            check_keys(f"const {d['name']}", d, CONST_KEYS)
        for d in self.enums.values():
            check_keys(f"enum {d['name']}", d, ENUM_KEYS)
        self.const_values = {d["name"]: d["value"] for d in self.consts}
        self.sets = {s["name"]: s for s in doc["attribute-sets"]}
        self.ops = doc["operations"]["list"]
        self.groups = [g["name"] for g in doc["mcast-groups"]["list"]]
        for s in self.sets.values():
            self.check_set(s)
        for op in self.ops:
            self.check_op(op)

    def check_set(self, s):
        check_keys(f"set {s['name']}", s, SET_KEYS)
        for a in s["attributes"]:
            what = f"attribute {s['name']}.{a['name']}"
            check_keys(what, a, ATTR_KEYS)
            if a["type"] not in TYPES:
                raise SpecError(f"{what}: unknown type {a['type']!r}")
            if "enum" in a and a["enum"] not in self.enums:
                raise SpecError(f"{what}: unknown enum {a['enum']!r}")
            if a["type"] == "nest" and a.get("nested-attributes") not in self.sets:
                raise SpecError(f"{what}: unknown nested set")
            check_keys(f"{what}: checks", a.get("checks", {}), {"max-len", "exact-len"})
            for value in a.get("checks", {}).values():
                if not isinstance(value, int) and value not in self.const_values:
                    raise SpecError(f"{what}: unknown constant {value!r}")
        names = [a["name"] for a in s["attributes"]]
        if len(set(names)) != len(names):
            raise SpecError(f"set {s['name']}: an attribute is there twice")

    def check_op(self, op):
        what = f"operation {op['name']}"
        check_keys(what, op, OP_KEYS)
        if op["attribute-set"] not in self.sets:
            raise SpecError(f"{what}: unknown set {op['attribute-set']!r}")
        if set(op.get("flags", [])) - {"uns-admin-perm"}:
            raise SpecError(f"{what}: unknown flag")
        known = {a["name"] for a in self.sets[op["attribute-set"]]["attributes"]}
        for kind in ("do", "dump"):
            call = op.get(kind, {})
            check_keys(f"{what}.{kind}", call, CALL_KEYS)
            for side in ("request", "reply"):
                missing = set(call.get(side, {}).get("attributes", [])) - known
                if missing:
                    raise SpecError(f"{what}: unknown attribute {sorted(missing)[0]!r}")
        if "event" in op and op.get("mcgrp") not in self.groups:
            raise SpecError(f"{what}: unknown group")

    def const_ref(self, value):
        return str(value) if isinstance(value, int) else f"{self.prefix}_{upper(value)}"

    def requested(self, op):
        """Attributes a request may have, over do and dump, in the set's order."""
        wanted = set()
        for kind in ("do", "dump"):
            wanted |= set(op.get(kind, {}).get("request", {}).get("attributes", []))
        return [a for a in self.sets[op["attribute-set"]]["attributes"] if a["name"] in wanted]


def head(license_id, spec_name):
    return [f"/* SPDX-License-Identifier: {license_id} */",
            f"/* Generated by tools/gen_netlink.py from {spec_name}. */"]


def block_comment(text, lines):
    wrapped = textwrap.wrap(" ".join(text.split()), WIDTH - 4)
    if len(wrapped) == 1:
        lines.append(f"/* {wrapped[0]} */")
    else:
        lines.append("/*")
        lines.extend(f" * {line}" for line in wrapped)
        lines.append(" */")


def enum_block(lines, tag, prefix, names, first, last_prefix=None):
    lines.append(f"enum {tag} {{" if tag else "enum {")
    for i, name in enumerate(names):
        start = f" = {first}" if i == 0 and first else ""
        lines.append(f"\t{prefix}_{upper(name)}{start},")
    last = last_prefix or prefix
    lines.append("")
    lines.append(f"\t__{last}_MAX,")
    lines.append(f"\t{last}_MAX = (__{last}_MAX - 1)")
    lines.append("};")
    lines.append("")


def gen_uapi(spec, spec_name):
    p = spec.prefix
    guard = f"_UAPI_LINUX_{p}_NETLINK_H"
    lines = head(UAPI_LICENSE, spec_name)
    lines += [f"#ifndef {guard}", f"#define {guard}", "",
              f'#define {p}_FAMILY_NAME "{spec.name}"',
              f"#define {p}_FAMILY_VERSION {spec.version}"]
    lines += [f'#define {p}_MCGRP_{upper(g)} "{g}"' for g in spec.groups]
    lines.append("")
    for d in spec.consts:
        if "doc" in d:
            block_comment(d["doc"], lines)
        lines.append(f"#define {p}_{upper(d['name'])} {d['value']}")
    lines.append("")
    for d in spec.enums.values():
        if "doc" in d:
            block_comment(d["doc"], lines)
        enum_block(lines, f"{ident(spec.name)}_{ident(d['name'])}", f"{p}_{upper(d['name'])}",
                   d["entries"], 0)
    for s in spec.sets.values():
        if "doc" in s:
            block_comment(s["doc"], lines)
        enum_block(lines, None, f"{p}_A_{upper(s['name'])}", [a["name"] for a in s["attributes"]], 1)
    enum_block(lines, None, f"{p}_CMD", [op["name"] for op in spec.ops], 1)
    lines.append(f"#endif /* {guard} */")
    return lines


def name_table(lines, name, size, entries):
    lines.append(f"__attribute__((unused)) static const char *const {name}[{size}] = {{")
    lines += [f'\t[{key}] = "{text}",' for key, text in entries]
    lines += ["};", ""]


def gen_names(spec, spec_name):
    p, low = spec.prefix, ident(spec.name)
    guard = f"{p}_NETLINK_NAMES_H"
    lines = head("Apache-2.0", spec_name)
    lines += [f"#ifndef {guard}", f"#define {guard}", "",
              f"#include <linux/{low}_netlink.h>", "",
              "/* Indexed by the value; NULL where there is none. Names are the spec's. */", ""]
    name_table(lines, f"{low}_cmd_names", f"__{p}_CMD_MAX",
               [(f"{p}_CMD_{upper(op['name'])}", op["name"]) for op in spec.ops])
    for s in spec.sets.values():
        prefix = f"{p}_A_{upper(s['name'])}"
        name_table(lines, f"{low}_a_{ident(s['name'])}_names", f"__{prefix}_MAX",
                   [(f"{prefix}_{upper(a['name'])}", a["name"]) for a in s["attributes"]])
    for d in spec.enums.values():
        prefix = f"{p}_{upper(d['name'])}"
        name_table(lines, f"{low}_{ident(d['name'])}_names", f"__{prefix}_MAX",
                   [(f"{prefix}_{upper(e)}", e) for e in d["entries"]])
    lines.append(f"#endif /* {guard} */")
    return lines


def policy_entry(spec, attr):
    kind, checks = attr["type"], attr.get("checks", {})
    if kind == "nest":
        return f"NLA_POLICY_NESTED({ident(spec.name)}_nl_{ident(attr['nested-attributes'])}_policy)"
    if "exact-len" in checks:
        return f"NLA_POLICY_EXACT_LEN({spec.const_ref(checks['exact-len'])})"
    if "enum" in attr:
        return f"NLA_POLICY_MAX({TYPES[kind]}, {spec.prefix}_{upper(attr['enum'])}_MAX)"
    if "max-len" in checks:
        return f"{{ .type = {TYPES[kind]}, .len = {spec.const_ref(checks['max-len'])} }}"
    return f"{{ .type = {TYPES[kind]} }}"


def policy_table(spec, lines, name, set_name, attrs):
    prefix = f"{spec.prefix}_A_{upper(set_name)}"
    last = f"{prefix}_{upper(attrs[-1]['name'])}"
    lines.append(f"static const struct nla_policy {name}[{last} + 1] = {{")
    for a in attrs:
        lines.append(f"\t[{prefix}_{upper(a['name'])}] = {policy_entry(spec, a)},")
    lines += ["};", ""]
    return last


def gen_kernel(spec, spec_name):
    low = ident(spec.name)
    lines = head("GPL-2.0", spec_name)
    nested = {a["nested-attributes"] for op in spec.ops for a in spec.requested(op)
              if a["type"] == "nest"}
    for name in sorted(nested):
        attrs = [a for a in spec.sets[name]["attributes"] if a["type"] != "pad"]
        policy_table(spec, lines, f"{low}_nl_{ident(name)}_policy", name, attrs)
    ops = []
    for op in spec.ops:
        if "do" not in op and "dump" not in op:
            continue
        base = f"{low}_nl_{ident(op['name'])}"
        ops += ["\t{", f"\t\t.cmd = {spec.prefix}_CMD_{upper(op['name'])},"]
        attrs = spec.requested(op)
        if attrs:
            last = policy_table(spec, lines, f"{base}_policy", op["attribute-set"], attrs)
            ops += [f"\t\t.policy = {base}_policy,", f"\t\t.maxattr = {last},"]
        else:
            ops += [f"\t\t.policy = {low}_nl_nothing_policy,", "\t\t.maxattr = 1,"]
        if "do" in op:
            ops.append(f"\t\t.doit = {base}_doit,")
        if "dump" in op:
            for hook, member in (("pre", "start"), ("post", "done")):
                if hook in op["dump"]:
                    ops.append(f"\t\t.{member} = {ident(op['dump'][hook])},")
            ops.append(f"\t\t.dumpit = {base}_dumpit,")
        if "uns-admin-perm" in op.get("flags", []):
            ops.append("\t\t.flags = GENL_UNS_ADMIN_PERM,")
        ops.append("\t},")
    lines += ["/* No attribute is taken: a request that has one is refused. */",
              f"static const struct nla_policy {low}_nl_nothing_policy[2] = {{",
              "\t[1] = { .type = NLA_REJECT },", "};", "",
              f"static const struct genl_ops {low}_nl_ops[] = {{", *ops, "};", "", "enum {"]
    lines += [f"\t{spec.prefix}_NL_GROUP_{upper(g)}," for g in spec.groups]
    lines += ["};", "",
              f"static const struct genl_multicast_group {low}_nl_groups[] = {{"]
    lines += [f'\t[{spec.prefix}_NL_GROUP_{upper(g)}] = {{ .name = {spec.prefix}_MCGRP_{upper(g)} }},'
              for g in spec.groups]
    lines += ["};"]
    return lines


def doc_type(spec, a):
    if a["type"] == "nest":
        return f"nest of `{a['nested-attributes']}`"
    if "enum" in a:
        return f"{a['type']}, `{a['enum']}`"
    for key, text in (("max-len", "at most {}"), ("exact-len", "{} bytes")):
        if key in a.get("checks", {}):
            value = a["checks"][key]
            return f"{a['type']}, " + text.format(spec.const_values.get(value, value))
    return a["type"]


def doc_text(node):
    return " ".join(node.get("doc", "").split())


def gen_doc(spec, spec_name):
    lines = [f"# The generic netlink family `{spec.name}`", "",
             f"Generated by `tools/gen_netlink.py` from `{spec_name}`.", "", doc_text({"doc": spec.doc}),
             "", f"Family version {spec.version}; multicast groups: "
             + ", ".join(f"`{g}`" for g in spec.groups) + ".", "", "## Operations", ""]
    for op in spec.ops:
        lines += [f"### {op['name']}", ""]
        if doc_text(op):
            lines += [doc_text(op), ""]
        if "uns-admin-perm" in op.get("flags", []):
            lines += ["Needs CAP_NET_ADMIN in the user namespace that owns the network namespace.", ""]
        lines.append(f"Attributes are of the set `{op['attribute-set']}`.")
        for kind in ("do", "dump"):
            for side in ("request", "reply"):
                names = op.get(kind, {}).get(side, {}).get("attributes")
                if names:
                    lines.append(f"- {kind} {side}: " + ", ".join(f"`{n}`" for n in names))
        if "event" in op:
            lines.append(f"- sent to `{op['mcgrp']}`: "
                         + ", ".join(f"`{n}`" for n in op["event"]["attributes"]))
        lines.append("")
    lines += ["## Attribute sets", ""]
    for s in spec.sets.values():
        lines += [f"### {s['name']}", ""]
        if doc_text(s):
            lines += [doc_text(s), ""]
        lines += ["| number | name | type | |", "|---|---|---|---|"]
        for number, a in enumerate(s["attributes"], 1):
            lines.append(f"| {number} | `{a['name']}` | {doc_type(spec, a)} | {doc_text(a)} |")
        lines.append("")
    lines += ["## Values", ""]
    for d in spec.enums.values():
        values = ", ".join(f"{i} `{e}`" for i, e in enumerate(d["entries"]))
        lines.append(f"- `{d['name']}`: {values}. {doc_text(d)}".rstrip())
    lines += [f"- `{d['name']}` is {d['value']}. {doc_text(d)}".rstrip() for d in spec.consts]
    return lines


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("spec")
    for kind in ("uapi", "names", "kernel", "doc"):
        ap.add_argument(f"--{kind}", metavar="OUT")
    args = ap.parse_args()
    try:
        spec = Spec(args.spec)
    except (SpecError, KeyError, yaml.YAMLError) as e:
        sys.exit(f"gen_netlink.py: {args.spec}: {e}")
    for kind, gen in (("uapi", gen_uapi), ("names", gen_names), ("kernel", gen_kernel),
                      ("doc", gen_doc)):
        out = getattr(args, kind)
        if out:
            os.makedirs(os.path.dirname(out) or ".", exist_ok=True)
            with open(out, "w", encoding="utf-8") as f:
                f.write("\n".join(gen(spec, args.spec)).rstrip("\n") + "\n")


if __name__ == "__main__":
    main()
