# SPDX-License-Identifier: Apache-2.0
"""Writes the structures, decoders and encoders of the Kafka messages in C."""

import re
from dataclasses import dataclass

from gen_schema import min_size

C_TYPE = {
    "bool": "bool", "int8": "int8_t", "int16": "int16_t", "int32": "int32_t",
    "int64": "int64_t", "float64": "double", "uuid": "struct kafka_uuid", "string": "struct kafka_str",
    "bytes": "struct kafka_bytes", "records": "struct kafka_bytes",
}
ARRAY_TYPE = {"int8": "int8_array", "int32": "int32_array", "int64": "int64_array",
              "string": "str_array"}
INT_MIN = {"int32": "INT32_MIN", "int64": "INT64_MIN"}


def snake(name):
    """ThrottleTimeMs -> throttle_time_ms"""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


@dataclass
class Part:
    """One structure of one message: what the C functions are made from."""
    api: object
    struct: object
    c_name: str         # kafka_fetch_request_topic
    is_root: bool
    is_tagged: bool     # the type of a tagged field that is not an array
    array: str | None   # the field it is an element of

    @property
    def type(self):
        return f"struct {self.c_name}"


def message_name(api, message):
    return f"kafka_{snake(api.name)}" + ("" if api.key is None else f"_{message.kind}")


def parts_of(api, message):
    """All structures of a message, inner ones first."""
    name = message_name(api, message)
    out = []

    def walk(struct, c_name, owner):
        for f in struct.fields:
            if f.struct:
                walk(f.struct, f"{name}_{snake(f.struct.name)}", f)
        is_tagged = owner is not None and owner.tag is not None and not owner.is_array
        array = owner.name if owner and owner.is_array else None
        out.append(Part(api, struct, c_name, owner is None, is_tagged, array))

    walk(message.root, name, None)
    return out


def struct_name(part_or_message_name, f):
    return f"{part_or_message_name}_{snake(f.struct.name)}"


def condition(versions, api):
    """The C condition for a range of versions; None if it always holds."""
    tests = []
    if versions.low > api.versions.low:
        tests.append(f"version >= {versions.low}")
    if versions.high is not None and versions.high < api.versions.high:
        tests.append(f"version <= {versions.high}")
    if versions.low == versions.high and len(tests) == 2:
        return f"version == {versions.low}"
    return " && ".join(tests) or None


def flag(versions, api):
    """The same as a value."""
    if versions is None:
        return "false"
    return condition(versions, api) or "true"


def default_value(f):
    """The initializer for a field whose default is not all zero; None otherwise."""
    if f.default in (None, "false", "0"):
        return None
    if f.default == "null":
        return "{NULL, -1}"
    if f.type == "bool":
        return f.default
    value = int(f.default)
    bits = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}[f.type]
    if value == -(1 << (bits - 1)) and f.type in INT_MIN:
        return INT_MIN[f.type]
    return f"INT64_C({value})" if f.type == "int64" else str(value)


def wrap(text, indent, width=100):
    """Comment text as lines " * ..."."""
    lines, line = [], ""
    for word in text.split():
        if line and len(indent) + 3 + len(line) + 1 + len(word) > width - 8:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [f"{indent} * {x}".rstrip() for x in lines + [line]]


class Writer:
    """Lines of C with an indentation."""

    def __init__(self):
        self.lines = []
        self.depth = 0

    def __call__(self, line=""):
        self.lines.append("\t" * self.depth + line if line else "")

    def block(self, line, cond=True):
        """with w.block("if (x)"): ... ; without a condition no block at all"""
        return Block(self, line if cond else None)

    def text(self):
        return "\n".join(self.lines) + "\n"


class Block:
    def __init__(self, w, line):
        self.w, self.line = w, line

    def __enter__(self):
        if self.line:
            self.w(f"{self.line} {{")
            self.w.depth += 1

    def __exit__(self, *exc):
        if self.line:
            self.w.depth -= 1
            self.w("}")


def if_versions(w, versions, api):
    cond = condition(versions, api)
    return w.block(f"if ({cond})", cond is not None)


class MessageCode:
    """The code of one message."""

    def __init__(self, api, message):
        self.api, self.message = api, message
        self.name = message_name(api, message)
        self.parts = parts_of(api, message)

    # Header

    def declare(self, w):
        for part in self.parts:
            self.declare_struct(w, part)
            self.declare_init(w, part)

    def declare_struct(self, w, part):
        if part.is_root:
            what = "header" if self.api.key is None else self.message.kind
            about = f"{self.api.name} {what}, versions {self.api.versions.low} to " \
                    f"{self.api.versions.high}" if self.api.key is not None else self.api.about
        else:
            about = part.struct.about or f"element of @{snake(part.array)}"
        w("/**")
        for line in wrap(f"{part.type} - {about.rstrip('.')}", ""):
            w(line)
        for f in part.struct.fields:
            notes = [f.about] if f.about and not (f.struct and not f.is_array) else []
            if f.versions != self.api.versions:
                high = f.versions.high
                notes.append(f"versions {f.versions.low}" + (
                    "" if high == f.versions.low else
                    "+" if high == self.api.versions.high else f"-{high}"))
            if f.nullable:
                low = f.nullable.low
                notes.append("may be null" if low <= f.versions.low else f"may be null from {low}")
            for line in wrap(f"@{snake(f.name)}: " + "; ".join(notes), ""):
                w(line)
        w(" */")
        with_semicolon = Block(w, f"{part.type}")
        with with_semicolon:
            for f in part.struct.fields:
                w(f"{self.member(f)};")
            if not part.struct.fields:
                w("char no_fields;")
        w.lines[-1] += ";"
        w()

    def member(self, f):
        name = snake(f.name)
        if f.struct and f.is_array:
            return f"struct {{\n\t\tstruct {struct_name(self.name, f)} *v;\n" \
                   f"\t\tint32_t n;\n\t}} {name}"
        if f.struct and f.nullable:
            return f"bool has_{name};\n\tstruct {struct_name(self.name, f)} {name}"
        if f.struct:
            return f"struct {struct_name(self.name, f)} {name}"
        if f.is_array:
            return f"struct kafka_{ARRAY_TYPE[f.type]} {name}"
        return f"{C_TYPE[f.type]} {name}"

    def declare_init(self, w, part):
        w(f"static inline void {part.c_name}_init({part.type} *m)")
        w("{")
        w.depth += 1
        w(f"*m = ({part.type}){{0}};")
        for f in part.struct.fields:
            name = snake(f.name)
            if f.struct and not f.is_array:
                w(f"{struct_name(self.name, f)}_init(&m->{name});")
                continue
            value = default_value(f)
            if value == "{NULL, -1}":
                w(f"m->{name}.{'n' if f.is_array else 'len'} = -1;")
            elif value is not None:
                w(f"m->{name} = {value};")
        w.depth -= 1
        w("}")
        w()

    # Decoder

    def flexible(self, f=None):
        if self.api.flexible is None or (f is not None and f.inflexible):
            return "false"
        return "true" if self.api.flexible <= self.api.versions.low else "flexible"

    def function(self, w, head, body):
        """A function whose body comes from body(w)."""
        inner = Writer()
        inner.depth = 1
        body(inner)
        text = "\n".join(inner.lines)
        has_flexible = self.flexible() == "flexible" and re.search(r"\bflexible\b", text)
        w(head)
        w("{")
        if has_flexible:
            w(f"\tconst bool flexible = version >= {self.api.flexible};")
            w()
        for name in ("a", "version"):
            used = re.search(rf"\b{name}\b", text) or (name == "version" and has_flexible)
            if not used and re.search(rf"[ *]{name},", head):
                w(f"\t(void){name};")
        w.lines += inner.lines
        w("}")
        w()

    def decoder(self, w, part):
        def body(w):
            w(f"{part.c_name}_init(m);")
            for f in part.struct.plain():
                with if_versions(w, f.versions, self.api):
                    self.read_field(w, f)
            self.read_tags(w, part)

        self.function(
            w, f"static void {part.c_name}_read(\n\tstruct wire_reader *r, struct arena *a, "
            f"int16_t version,\n\t{part.type} *m)", body)

    def read_field(self, w, f):
        m = f"m->{snake(f.name)}"
        flexible, nullable = self.flexible(f), flag(f.nullable, self.api)
        if f.struct and f.is_array:
            inner = struct_name(self.name, f)
            smallest = min(min_size(f.struct, self.api, v)
                           for v in range(f.versions.low, f.versions.high + 1))
            w(f"{m}.v = wire_read_array(r, a, {flexible}, {nullable}, {smallest},")
            w(f"\tsizeof(*{m}.v), &{m}.n);")
            w(f"for (int32_t i = 0; i < {m}.n && !r->err; i++)")
            w(f"\t{inner}_read(r, a, version, &{m}.v[i]);")
        elif f.struct and f.nullable:
            has = f"m->has_{snake(f.name)}"
            w(f"{has} = wire_read_int8(r) >= 0;")
            w(f"if ({has})")
            w(f"\t{struct_name(self.name, f)}_read(r, a, version, &{m});")
        elif f.struct:
            w(f"{struct_name(self.name, f)}_read(r, a, version, &{m});")
        elif f.is_array:
            w(f"{m} = wire_read_{ARRAY_TYPE[f.type]}(r, a, {flexible}, {nullable});")
        elif f.type in ("string", "bytes", "records"):
            kind = "string" if f.type == "string" else "bytes"
            w(f"{m} = wire_read_{kind}(r, {flexible}, {nullable});")
        else:
            w(f"{m} = wire_read_{f.type}(r);")

    def read_tags(self, w, part):
        flexible = self.flexible()
        if flexible == "false":
            return
        tagged = part.struct.tagged()
        with w.block("if (flexible)", flexible != "true"):
            if not tagged:
                w("wire_skip_tags(r);")
                return
            w("struct wire_tags t;")
            w()
            w("wire_tags_begin(r, &t);")
            with w.block("while (wire_tags_next(r, &t))"):
                self.read_tag_cases(w, tagged)

    def read_tag_cases(self, w, tagged):
        for i, f in enumerate(tagged):
            tests = [f"t.tag == {f.tag}"]
            cond = condition(f.versions, self.api)
            if cond and f.versions.low > self.api.flexible:
                tests.append(cond)
            w(f"{'} else if' if i else 'if'} ({' && '.join(tests)}) {{")
            w.depth += 1
            self.read_field(w, f)
            w.depth -= 1
        w("} else {")
        w("\twire_tags_skip(r);")
        w("}")

    # Encoder

    def encoder(self, w, part):
        def body(w):
            for f in part.struct.plain():
                with if_versions(w, f.versions, self.api):
                    self.write_field(w, f)
            self.write_tags(w, part)
            if not w.lines:
                w("(void)w;")
                w("(void)m;")

        if part.is_tagged:
            self.is_default(w, part)
        self.function(
            w, f"static void {part.c_name}_write(struct wire_writer *w, int16_t version,\n"
            f"\tconst {part.type} *m)", body)

    def write_field(self, w, f):
        m = f"m->{snake(f.name)}"
        flexible, nullable = self.flexible(f), flag(f.nullable, self.api)
        if f.struct and f.is_array:
            inner = struct_name(self.name, f)
            w(f"wire_write_count(w, {flexible}, {nullable}, {m}.n);")
            w(f"for (int32_t i = 0; i < {m}.n && !w->err; i++)")
            w(f"\t{inner}_write(w, version, &{m}.v[i]);")
        elif f.struct and f.nullable:
            w(f"wire_write_int8(w, m->has_{snake(f.name)} ? 1 : -1);")
            w(f"if (m->has_{snake(f.name)})")
            w(f"\t{struct_name(self.name, f)}_write(w, version, &{m});")
        elif f.struct:
            w(f"{struct_name(self.name, f)}_write(w, version, &{m});")
        elif f.is_array:
            w(f"wire_write_{ARRAY_TYPE[f.type]}(w, {flexible}, {nullable}, {m});")
        elif f.type in ("string", "bytes", "records"):
            w(f"wire_write_{f.type}(w, {flexible}, {nullable}, {m});")
        elif f.name == "ThrottleTimeMs":
            w(f"wire_write_int32(w, {m} ? {m} : w->throttle_time_ms);")
        else:
            w(f"wire_write_{f.type}(w, {m});")

    def differs(self, f):
        """The C condition for a field not to have its default."""
        m = f"m->{snake(f.name)}"
        if f.struct and not f.is_array:
            return f"!{struct_name(self.name, f)}_is_default(&{m})"
        if f.default == "null":
            return f"{m}.{'n' if f.is_array else 'len'} >= 0"
        if f.is_array:
            return f"{m}.n != 0"
        if f.type in ("string", "bytes"):
            return f"{m}.len != 0"
        if f.type == "uuid":
            return f"!kafka_uuid_is_zero(&{m})"
        if f.type == "bool":
            return m if f.default != "true" else f"!{m}"
        return f"{m} != {default_value(f) or 0}"

    def is_default(self, w, part):
        w(f"static bool {part.c_name}_is_default(\n\tconst {part.type} *m)")
        w("{")
        w("\treturn !(" + " ||\n\t\t ".join(self.differs(f) for f in part.struct.fields) + ");")
        w("}")
        w()

    def write_tags(self, w, part):
        flexible = self.flexible()
        if flexible == "false":
            return
        tagged = part.struct.tagged()
        with w.block("if (flexible)", flexible != "true"):
            if not tagged:
                w("wire_write_uvarint(w, 0);")
                return
            for f in tagged:
                tests = [self.differs(f)]
                cond = condition(f.versions, self.api)
                if cond and f.versions.low > self.api.flexible:
                    tests.insert(0, cond)
                w(f"const bool has_{f.tag} = {' && '.join(tests)};")
            w()
            w(f"wire_write_uvarint(w, {' + '.join(f'has_{f.tag}' for f in tagged)});")
            for f in tagged:
                with w.block(f"if (has_{f.tag})"):
                    w(f"size_t position = wire_tag_begin(w, {f.tag});")
                    w()
                    self.write_field(w, f)
                    w("wire_tag_end(w, position);")

    # Entry points

    def prototypes(self):
        n, t = self.name, f"struct {self.name}"
        if self.api.key is None:
            return [f"void {n}_read_version(struct wire_reader *r, int16_t header_version,\n"
                    f"\t{t} *ret)",
                    f"void {n}_write_version(struct wire_writer *w, int16_t header_version,\n"
                    f"\tconst {t} *m)"]
        return [f"int {n}_decode(struct wire_reader *r, struct arena *a, int16_t version,\n"
                f"\t{t} *ret)",
                f"void {n}_encode(struct wire_writer *w, int16_t version,\n\tconst {t} *m)"]

    def entry_points(self, w):
        decode, encode = self.prototypes()
        n, v = self.name, self.api.versions
        # A range that starts at 0 still has to refuse negative versions.
        outside = f"version < {v.low} || version > {v.high}"
        if self.api.key is None:
            w(f"{decode}\n{{\n\t{n}_read(r, NULL, header_version, ret);\n}}\n")
            w(f"{encode}\n{{\n\t{n}_write(w, header_version, m);\n}}\n")
            return
        # Bytes behind a request are let be, as Kafka does: librdkafka 2.16 leaves
        # three there when it asks for all topics in Metadata v13.
        result = "r->err" if n.endswith("_request") else "wire_reader_finish(r)"
        w(f"{decode}\n{{\n\tif ({outside})\n\t\treturn -EOPNOTSUPP;\n"
          f"\t{n}_read(r, a, version, ret);\n\treturn {result};\n}}\n")
        w(f"{encode}\n{{\n\tif ({outside})\n\t\twire_writer_fail(w, -EOPNOTSUPP);\n"
          f"\telse\n\t\t{n}_write(w, version, m);\n}}\n")

    def define(self, w):
        for part in self.parts:
            self.decoder(w, part)
            self.encoder(w, part)
        self.entry_points(w)


HEADER_TOP = """\
/* Generated by daemon/kafka/gen_messages.py from daemon/kafka/schema; do not edit. */
/*
 * Messages of the Kafka protocol.
 *
 * kafka_<api>_<request|response>_decode() reads one message. A response must
 * end where the reader ends; behind a request there may be more. Strings, bytes and records point into what was read, arrays
 * lie in the arena. Fields that the version does not have get their defaults.
 * Returns 0, -EBADMSG (malformed), -ENOMEM (or the arena's limit), or
 * -EOPNOTSUPP (a version that the schema does not have); the result is good for
 * nothing after an error.
 *
 * kafka_<api>_<request|response>_encode() appends a message. It only reads what
 * it is given; fields that the version does not have are left out. Errors stay
 * in the writer. Records with a length but no bytes are left out (wire.h).
 *
 * ..._init() sets the defaults: start every structure to be encoded with it.
 */
#ifndef SLUICE_GEN_KAFKA_MESSAGE_H
#define SLUICE_GEN_KAFKA_MESSAGE_H

#include "daemon/core/wire.h"

"""

API_STRUCT = """\
/**
 * struct kafka_api - one API
 * @key: its number
 * @min: lowest version that is served
 * @max: highest version that is served
 * @advertise_min: lowest version that ApiVersions offers, for clients that
 *	judge a broker by it; a request below @min is still refused
 * @codec_min: lowest version that can be decoded and encoded
 * @codec_max: the highest
 * @flexible_from: first version with compact types, tagged fields and the
 *	headers that go with them; INT16_MAX if there is none
 * @name: its name
 */
struct kafka_api {
	int16_t key;
	int16_t min;
	int16_t max;
	int16_t advertise_min;
	int16_t codec_min;
	int16_t codec_max;
	int16_t flexible_from;
	const char *name;
};

/** kafka_apis - all APIs, by rising key */
extern const struct kafka_api kafka_apis[KAFKA_API_COUNT];

/** kafka_api_find - the API with a key, or NULL */
const struct kafka_api *kafka_api_find(int16_t key);
"""


def header(apis, codes):
    w = Writer()
    w.lines.append(HEADER_TOP.rstrip("\n"))
    w()
    with_key = [a for a in apis if a.key is not None]
    w("/* API keys */")
    for a in with_key:
        w(f"#define KAFKA_API_{snake(a.name).upper()} {a.key}")
    w()
    w(f"#define KAFKA_API_COUNT {len(with_key)}")
    w()
    w.lines.append(API_STRUCT.rstrip("\n"))
    w()
    for c in codes:
        c.declare(w)
        for p in c.prototypes():
            w(p + ";")
        w()
    w("#endif")
    return w.text()


def source(apis, codes):
    w = Writer()
    w("/* Generated by daemon/kafka/gen_messages.py from daemon/kafka/schema; do not edit. */")
    w('#include "kafka/message.h"')
    w()
    api_table(w, [a for a in apis if a.key is not None])
    for c in codes:
        c.define(w)
    return w.text()


def api_table(w, apis):
    w("const struct kafka_api kafka_apis[KAFKA_API_COUNT] = {")
    for a in apis:
        flexible = "INT16_MAX" if a.flexible is None else a.flexible
        w(f"\t{{{a.key}, {a.served.low}, {a.served.high}, {a.advertise_min}, {a.versions.low}, "
          f"{a.versions.high}, {flexible}, \"{a.name}\"}},")
    w("};")
    w()
    w("const struct kafka_api *kafka_api_find(int16_t key)")
    w("{")
    w("\tswitch (key) {")
    for i, a in enumerate(apis):
        w(f"\tcase {a.key}: return &kafka_apis[{i}];")
    w("\t}")
    w("\treturn NULL;")
    w("}")
    w()
