# SPDX-License-Identifier: Apache-2.0
"""Reads the schema files of the Kafka messages (schema/*.schema).

A file describes one API: a head of "name value" lines, then one or more
messages, each a tree of fields drawn with tabs. README.md beside the files
explains the notation.
"""

import re
from dataclasses import dataclass, field as dc_field

INT_TYPES = {"int8": 1, "int16": 2, "int32": 4, "int64": 8}
# Fewest bytes on the wire: in old versions, in flexible versions.
MIN_SIZE = {
    "bool": (1, 1), "int8": (1, 1), "int16": (2, 2), "int32": (4, 4), "int64": (8, 8),
    "float64": (8, 8), "uuid": (16, 16), "string": (2, 1), "bytes": (4, 1), "records": (4, 1),
}
ARRAY_MIN = (4, 1)
NULLABLE = {"string", "bytes", "records"}
ARRAY_OF = {"int8", "int32", "int64", "string"}


class SchemaError(Exception):
    """Says what is wrong, with file and line."""


@dataclass(frozen=True)
class Versions:
    """A closed range of versions; high None means no end."""
    low: int
    high: int | None

    @classmethod
    def parse(cls, text):
        m = re.fullmatch(r"(\d+)(\+|-(\d+))?", text)
        if not m:
            raise ValueError(f"'{text}' is not a range of versions")
        low = int(m[1])
        high = low if not m[2] else None if m[2] == "+" else int(m[3])
        if high is not None and high < low:
            raise ValueError(f"'{text}' ends before it begins")
        return cls(low, high)

    def clip(self, other):
        """What both have; other must have an end. None if nothing."""
        low = max(self.low, other.low)
        high = other.high if self.high is None else min(self.high, other.high)
        return Versions(low, high) if low <= high else None

    def __contains__(self, version):
        return self.low <= version and (self.high is None or version <= self.high)


@dataclass
class Field:
    name: str
    type: str               # primitive, or name of a structure
    is_array: bool
    versions: Versions      # within those of the API
    nullable: Versions | None
    tag: int | None
    default: str | None     # as written
    inflexible: bool
    about: str
    line: int
    struct: "Struct | None" = None


@dataclass
class Struct:
    name: str
    fields: list = dc_field(default_factory=list)
    about: str = ""

    def plain(self):
        return [f for f in self.fields if f.tag is None]

    def tagged(self):
        return sorted((f for f in self.fields if f.tag is not None), key=lambda f: f.tag)


@dataclass
class Message:
    kind: str               # request, response, or message in a header
    root: Struct
    line: int


@dataclass
class Api:
    path: str
    name: str
    key: int | None         # None: a header
    versions: Versions
    served: Versions | None
    advertise_min: int | None
    flexible: int | None    # first flexible version
    about: str
    messages: list


def min_size(struct, api, version):
    """Fewest bytes that a structure takes on the wire in a version."""
    flexible = int(api.flexible is not None and version >= api.flexible)
    size = flexible  # the count of tagged fields
    for f in struct.plain():
        if version not in f.versions:
            continue
        if f.is_array:
            size += ARRAY_MIN[flexible]
        elif f.struct:
            size += 1 if f.nullable else min_size(f.struct, api, version)
        else:
            size += MIN_SIZE[f.type][flexible and not f.inflexible]
    return size


class Parser:
    def __init__(self, path):
        self.path = path
        self.number = 0

    def fail(self, text, line=None):
        raise SchemaError(f"{self.path}:{line or self.number}: {text}")

    def versions(self, text):
        try:
            return Versions.parse(text)
        except ValueError as e:
            self.fail(str(e))

    def parse(self):
        head, comment, messages = {}, [], []
        stack = []  # one Struct per depth
        with open(self.path, encoding="utf-8") as f:
            lines = f.read().splitlines()
        for self.number, line in enumerate(lines, 1):
            if line.startswith("#"):
                if not line.startswith("# SPDX"):
                    comment.append(line[1:].strip())
            elif not line.strip():
                continue
            elif not line.startswith("\t"):
                words = line.split()
                if len(words) == 1:
                    if not self.head_done(head, messages):
                        self.api = self.make_api(head, " ".join(comment))
                    messages.append(Message(words[0], Struct(""), self.number))
                    stack = [messages[-1].root]
                elif messages:
                    self.fail("the head ends where the first message begins")
                else:
                    head[words[0]] = words[1:]
            else:
                self.parse_field(line, stack)
        if not messages:
            self.fail("no message")
        self.api.messages = messages
        self.check_messages()
        return self.api

    @staticmethod
    def head_done(head, messages):
        return bool(messages) or not head

    def make_api(self, head, about):
        unknown = set(head) - {"api", "header", "versions", "served", "advertise-min", "flexible"}
        if unknown:
            self.fail(f"unknown: {', '.join(sorted(unknown))}")
        if ("api" in head) == ("header" in head) or "versions" not in head:
            self.fail("the head needs 'api' or 'header', and 'versions'")
        name = head.get("api", head.get("header"))
        key = None
        if "api" in head:
            if len(name) != 2 or not name[1].isdigit():
                self.fail("write: api NAME KEY")
            key = int(name[1])
        versions = self.versions(head["versions"][0])
        served = self.versions(head.get("served", head["versions"])[0])
        if versions.high is None or served.high is None or served.clip(versions) != served:
            self.fail("the served versions must be among the versions, and both must end")
        flexible = self.versions(head["flexible"][0]) if "flexible" in head else None
        advertise = int(head.get("advertise-min", [served.low])[0])
        return Api(self.path, name[0], key, versions, served, advertise,
                   flexible.low if flexible else None, about, [])

    def parse_field(self, line, stack):
        text, _, about = line.partition(" -- ") if " -- " in line else line.partition("\t-- ")
        depth = len(text) - len(text.lstrip("\t"))
        if not stack or depth > len(stack):
            self.fail("a field this deep has nothing to belong to")
        del stack[depth:]
        f = self.make_field(text.split(), about.strip())
        parent = stack[-1]
        if any(other.name == f.name for other in parent.fields):
            self.fail(f"{f.name} is there twice")
        parent.fields.append(f)
        if f.struct:
            stack.append(f.struct)

    def make_field(self, words, about):
        if len(words) < 3:
            self.fail("write: NAME TYPE VERSIONS")
        name, type_name, rest = words[0], words[1], words[3:]
        is_array = type_name.startswith("[]")
        type_name = type_name[2:] if is_array else type_name
        versions = self.versions(words[2]).clip(self.api.versions)
        if not versions:
            self.fail(f"{name} is in no version of the API")
        f = Field(name, type_name, is_array, versions, None, None, None, False, about,
                  self.number)
        while rest:
            word = rest.pop(0)
            if word == "inflexible":
                f.inflexible = True
            elif word in ("null", "tag", "=") and rest:
                self.set_option(f, word, rest.pop(0))
            else:
                self.fail(f"'{word}' is not understood")
        if type_name not in MIN_SIZE:
            f.struct = Struct(type_name, about=about)
        self.check_field(f)
        return f

    def set_option(self, f, word, value):
        if word == "null":
            f.nullable = self.versions(value).clip(self.api.versions)
        elif word == "tag":
            f.tag = int(value)
        else:
            f.default = value

    def check_field(self, f):
        if f.is_array and not f.struct and f.type not in ARRAY_OF:
            self.fail(f"arrays of {f.type} are not made yet")
        if f.nullable and not f.is_array and not f.struct and f.type not in NULLABLE:
            self.fail(f"{f.type} cannot be null")
        if f.default == "null" and not f.nullable:
            self.fail("null is the default, but not allowed")
        if f.struct and not f.is_array and f.nullable and (
                f.nullable != f.versions or f.default != "null" or f.tag is not None):
            self.fail(f"{f.type} must be nullable in all its versions and null by default")
        if f.default not in (None, "null"):
            if f.is_array or f.type not in list(INT_TYPES) + ["bool"]:
                self.fail(f"{f.type} cannot have a default of its own")
            if f.type == "bool" and f.default not in ("true", "false"):
                self.fail("the default of a bool is true or false")
            if f.type in INT_TYPES:
                bits = 8 * INT_TYPES[f.type] - 1
                if not -(1 << bits) <= int(f.default) < 1 << bits:
                    self.fail(f"{f.default} does not fit {f.type}")
        if f.tag is not None:
            flexible = self.api.flexible
            if flexible is None or f.versions.low < flexible:
                self.fail("tagged fields exist in flexible versions only")
            if f.type == "records":
                self.fail("records cannot be tagged: a gap has no place there")

    def check_messages(self):
        for m in self.api.messages:
            self.number = m.line
            if m.kind not in (("request", "response") if self.api.key is not None
                              else ("message",)):
                self.fail(f"'{m.kind}' is not a message of this file")
            self.check_struct(m.root, {})

    def check_struct(self, struct, seen):
        if not struct.fields and struct.name:
            self.fail(f"{struct.name} has no fields")
        tags = [f.tag for f in struct.tagged()]
        if tags != sorted(set(tags)):
            self.fail("a tag is there twice")
        for f in struct.fields:
            self.number = f.line
            if not f.struct:
                continue
            if f.struct.name in seen:
                self.fail(f"{f.struct.name} is there twice")
            seen[f.struct.name] = f.struct
            self.check_struct(f.struct, seen)


def parse(path):
    """The Api in a file; raises SchemaError."""
    return Parser(path).parse()
