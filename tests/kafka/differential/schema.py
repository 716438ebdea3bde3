# SPDX-License-Identifier: Apache-2.0
"""Kafka's messages as its own schemas describe them: the JSON files in the jar
of its client library, so that nothing of sluice's own codec is trusted here.

A message is a dict from field names to values. What a request does not name has
the default of the schema; what its version does not have is left out.
"""
import json
import re
import struct
import zipfile

INTS = {"int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I",
        "int64": ">q", "float64": ">d"}
ZERO_UUID = bytes(16)


class Malformed(Exception):
    """The bytes are not what the schema says."""


class Range:
    """Versions as the schemas write them: none, 3, 3-5, 3+."""

    def __init__(self, text):
        m = re.fullmatch(r"(\d+)(?:(\+)|-(\d+))?", text or "none")
        self.low = int(m[1]) if m else 1
        self.high = 0 if not m else 1 << 15 if m[2] else int(m[3] or m[1])

    def __contains__(self, version):
        return self.low <= version <= self.high


class Field:
    def __init__(self, spec, structs):
        self.name = spec["name"]
        self.array = spec["type"].startswith("[]")
        self.type = spec["type"].removeprefix("[]")
        self.versions = Range(spec["versions"])
        self.nullable = Range(spec.get("nullableVersions"))
        self.tagged = Range(spec.get("taggedVersions"))
        self.tag = spec.get("tag")
        self.entity = spec.get("entityType", "")
        self.key = spec.get("mapKey", False)
        if "fields" in spec:
            structs[self.type] = [Field(f, structs) for f in spec["fields"]]
        self.structs = structs
        self.default = self.parse_default(spec.get("default"))

    def parse_default(self, text):
        if text == "null":
            return None
        if self.array:
            return []
        if self.type == "bool":
            return text in ("true", True)
        if self.type == "float64":
            return float(text or 0)
        if self.type in INTS:
            return int(str(text or "0"), 0)
        if self.type in ("bytes", "records"):
            return b""
        return {"string": text or "", "uuid": ZERO_UUID}.get(self.type, {})

    def absent(self, version):
        """What it is taken for where it is not sent."""
        if self.fields is None or self.array or self.default is None:
            return self.default
        return {f.name: f.absent(version) for f in self.fields if version in f.versions}

    @property
    def fields(self):
        """Those of a structure; None of anything else."""
        return self.structs.get(self.type)


class Message:
    def __init__(self, spec):
        structs = {}
        for common in spec.get("commonStructs", []):
            structs[common["name"]] = []
        for common in spec.get("commonStructs", []):
            structs[common["name"]] += [Field(f, structs) for f in common["fields"]]
        self.name = spec["name"]
        self.flexible = Range(spec.get("flexibleVersions"))
        self.versions = Range(spec["validVersions"])
        self.fields = [Field(f, structs) for f in spec["fields"]]

    def encode(self, version, values):
        out = bytearray()
        Encoder(out, version, version in self.flexible).structure(self.fields, values)
        return bytes(out)

    def decode(self, version, data):
        decoder = Decoder(data, version, version in self.flexible)
        values = decoder.structure(self.fields)
        if decoder.data:
            values["(behind the message)"] = bytes(decoder.data)
        return values


def read_messages(jar):
    """{API key: (API name, request, response)} of Kafka's client jar."""
    found = {}
    with zipfile.ZipFile(jar) as z:
        for name in z.namelist():
            if not re.fullmatch(r"common/message/\w+(Request|Response)\.json", name):
                continue
            lines = z.read(name).decode().splitlines()
            spec = json.loads("\n".join(x for x in lines if not x.lstrip().startswith("//")))
            if spec.get("validVersions", "none") != "none":
                found.setdefault(spec["apiKey"], {})[spec["type"]] = Message(spec)
    return {key: (m["request"].name.removesuffix("Request"), m["request"], m["response"])
            for key, m in found.items()}


class Encoder:
    def __init__(self, out, version, flexible):
        self.out, self.version, self.flexible = out, version, flexible

    def varint(self, n):
        while n > 0x7f:
            self.out.append(n & 0x7f | 0x80)
            n >>= 7
        self.out.append(n)

    def length(self, n, size):
        """A length before strings, bytes and arrays; -1 is null."""
        if self.flexible:
            self.varint(n + 1)
        else:
            self.out += struct.pack({2: ">h", 4: ">i"}[size], n)

    def structure(self, fields, values):
        unknown = set(values) - {f.name for f in fields}
        if unknown:
            raise KeyError(f"no such field: {', '.join(sorted(unknown))}")
        tagged = []
        for f in fields:
            if self.version not in f.versions:
                continue
            value = values.get(f.name, f.default)
            if self.version not in f.tagged:
                self.field(f, value)
            elif value != f.default:
                tagged.append((f, value))
        if self.flexible:
            self.varint(len(tagged))
            for f, value in sorted(tagged, key=lambda pair: pair[0].tag):
                body = bytearray()
                Encoder(body, self.version, True).field(f, value)
                self.varint(f.tag)
                self.varint(len(body))
                self.out += body

    def field(self, f, value):
        if not f.array:
            self.one(f, value)
        elif value is None:
            self.length(-1, 4)
        else:
            self.length(len(value), 4)
            for item in value:
                self.one(f, item, in_array=True)

    def one(self, f, value, in_array=False):
        if f.fields is not None:
            if self.version in f.nullable and not in_array:
                self.out.append(0xff if value is None else 1)
            if value is not None:
                self.structure(f.fields, value)
        elif f.type in INTS:
            self.out += struct.pack(INTS[f.type], value)
        elif f.type == "bool":
            self.out.append(int(value))
        elif f.type == "uuid":
            self.out += value
        else:
            if isinstance(value, str):
                value = value.encode()
            self.length(-1 if value is None else len(value), 2 if f.type == "string" else 4)
            self.out += value or b""


class Decoder:
    def __init__(self, data, version, flexible):
        self.data, self.version, self.flexible = memoryview(data), version, flexible

    def take(self, n):
        if n < 0 or n > len(self.data):
            raise Malformed(f"{n} bytes wanted, {len(self.data)} are there")
        taken, self.data = self.data[:n], self.data[n:]
        return bytes(taken)

    def varint(self):
        n = shift = 0
        while True:
            byte = self.take(1)[0]
            n |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return n
            if shift > 28:
                raise Malformed("a varint does not end")

    def length(self, size):
        if self.flexible:
            return self.varint() - 1
        return struct.unpack({2: ">h", 4: ">i"}[size], self.take(size))[0]

    def structure(self, fields):
        values = {}
        for f in fields:
            if self.version in f.versions:
                values[f.name] = f.absent(self.version) if self.version in f.tagged \
                    else self.field(f)
        for _ in range(self.varint() if self.flexible else 0):
            tag = self.varint()
            body = self.take(self.varint())
            f = next((f for f in fields if f.tag == tag and self.version in f.tagged), None)
            if not f:
                values[f"(tag {tag})"] = body
                continue
            inner = Decoder(body, self.version, True)
            values[f.name] = inner.field(f)
            if inner.data:
                raise Malformed(f"{f.name} is shorter than its tag says")
        return values

    def field(self, f):
        if not f.array:
            return self.one(f)
        n = self.length(4)
        return None if n < 0 else [self.one(f, in_array=True) for _ in range(n)]

    def one(self, f, in_array=False):
        if f.fields is not None:
            if self.version in f.nullable and not in_array and self.take(1) == b"\xff":
                return None
            return self.structure(f.fields)
        if f.type in INTS:
            return struct.unpack(INTS[f.type], self.take(struct.calcsize(INTS[f.type])))[0]
        if f.type == "bool":
            return self.take(1) != b"\0"
        if f.type == "uuid":
            return self.take(16)
        n = self.length(2 if f.type == "string" else 4)
        data = None if n < 0 else self.take(n)
        return data.decode() if f.type == "string" and data is not None else data
