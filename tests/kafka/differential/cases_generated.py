# SPDX-License-Identifier: Apache-2.0
"""Requests made from the schemas with values at the edges, and bytes that are no
request: the same in every run."""
import random
import struct

import batch as b

SEED = 43
EACH_VERSION = 2
WORDS = ("", "generated", "no-such-thing", "a/b", "x" * 300, "\u00fc", "1")
NUMBERS = (-2, -1, 0, 1, 2, 5, 1000)
EDGES = {"int8": 127, "int16": 32767, "int32": 2147483647, "int64": (1 << 63) - 1,
         "uint16": 65535, "uint32": 4294967295}
# Fields that would only make the test wait, or change what everything after it sees.
CALM = {"MaxWaitMs": (0, 1), "MinBytes": (0, 1), "TimeoutMs": (2000,), "timeoutMs": (2000,),
        "ValidateOnly": (True,), "validateOnly": (True,), "Acks": (-1, 1, 2, -7),
        "DurationFilter": (-1, 1 << 60), "MaxBytes": (0, 1, 1 << 20), "PartitionMaxBytes": (0, 1, 1 << 20),
        "IsolationLevel": (0, 1), "SessionId": (0, 5), "SessionEpoch": (-1,), "StateFilters": ([],),
        "TransactionalIdPattern": (None,), "AllowAutoTopicCreation": (False,),
        "NumPartitions": (-2, -1, 0, 1, 3), "Count": (-1, 0, 1, 3), "ResourceName": ("", "generated", "a/b", "no-such-thing"),
        "ResourceType": (2, 0, 3, 99)}
# Members that are taken wait for others; ids that are given out go on.
NOT = ("ApiVersions", "JoinGroup", "InitProducerId", "GetTelemetrySubscriptions", "PushTelemetry")


class Maker:
    def __init__(self, source, topic_id):
        self.source, self.topic_id = source, topic_id

    def structure(self, fields, version):
        return {f.name: self.field(f, version) for f in fields if version in f.versions}

    def field(self, f, version):
        if f.name in CALM:
            return self.source.choice(CALM[f.name])
        if version in f.nullable and self.source.random() < 0.2:
            return None
        if f.array:
            made = [self.one(f, version) for _ in range(self.source.choice((0, 1, 1, 1, 2)))]
            return made if len({str(first(x)) for x in made}) == len(made) else made[:1]
        return self.one(f, version)

    def one(self, f, version):
        choose = self.source.choice
        if f.fields is not None:
            return self.structure(f.fields, version)
        if f.type == "bool":
            return choose((True, False))
        if f.type == "float64":
            return choose((0.0, -1.0, 1.5, 1e9))
        if f.type == "uuid":
            return choose((self.topic_id, self.topic_id, bytes(16), b"\x11" * 16))
        if f.type == "string":
            return choose(("generated", *WORDS)) if f.entity == "topicName" else choose(WORDS)
        if f.type == "bytes":
            return choose((b"", b"bytes", bytes(100)))
        if f.type == "records":
            return choose((b.batch(), b.batch(2), b.batch(crc=5), b""))
        return choose((*NUMBERS, EDGES[f.type])) if f.type != "int8" else choose((-1, 0, 1, 2, 127))


def first(element):
    """What names an element of an array: no two are given the same."""
    if not isinstance(element, dict):
        return element
    return [v for v in element.values() if not isinstance(v, (list, dict))][:1]


def generated(p):
    topic_id = p.topic("generated", 2)
    for api in sorted(p.common):
        if api in NOT:
            continue
        with p.part(api):
            for version in p.common[api]:
                maker = Maker(random.Random(f"{SEED} {api} {version}"), topic_id)
                for _ in range(EACH_VERSION):
                    body = maker.structure(p.apis[api][1].fields, version)
                    p.ask(api, version, body, seconds=2)


def framed(data):
    return struct.pack(">i", len(data)) + data


def no_frames(p):
    """What is not even the beginning of a request."""
    hello = p.bytes_of("ApiVersions", 0, {})
    for name, data in {
            "nothing": b"", "half a length": b"\0\0", "length 0": framed(b""), "length -1": b"\xff" * 4,
            "length -5 and more": struct.pack(">i", -5) + b"x" * 50,
            "huge length": b"\x7f\xff\xff\xff" + b"x" * 50, "http": b"GET / HTTP/1.1\r\n\r\n",
            "tls": bytes.fromhex("16030100c8010000c40303") + bytes(189),
            "half a request": framed(hello)[:-5], "header only": framed(hello[:4]),
            "2 bytes": framed(hello[:2]), "no correlation id": framed(hello[:6]),
            "client id past the end": framed(struct.pack(">hhih", 18, 0, 1, 500) + b"x"),
            "client id -2": framed(struct.pack(">hhih", 18, 0, 1, -2))}.items():
        with p.part(name):
            p.raw(data, half_close=True)
    for name, data in {
            "unknown API": framed(struct.pack(">hhih", 999, 0, 1, -1)),
            "API -1": framed(struct.pack(">hhih", -1, 0, 1, -1)),
            "API of controllers": framed(struct.pack(">hhih", 52, 0, 1, -1) + bytes(30)),
            "API that is gone": framed(struct.pack(">hhih", 4, 0, 1, -1) + bytes(30)),
            "Metadata v99": framed(struct.pack(">hhih", 3, 99, 1, -1) + bytes(30)),
            "Metadata v-1": framed(struct.pack(">hhih", 3, -1, 1, -1) + bytes(30)),
            "Produce v2": framed(struct.pack(">hhih", 0, 2, 1, -1) + bytes(30)),
            "Fetch v3": framed(struct.pack(">hhih", 1, 3, 1, -1) + bytes(30))}.items():
        with p.part(name):
            p.raw(data, half_close=False)
    for version in (-1, 5, 99, 32767):
        with p.part(f"ApiVersions v{version}"):
            p.correlation = 1
            p.raw(framed(struct.pack(">hhih", 18, version, 1, -1) + bytes(9)), half_close=False,
                  api="ApiVersions")


def damaged(p):
    """Requests that were whole once: cut, longer, or with other bytes in them."""
    for api in sorted(set(p.common) - set(NOT) - {"Produce"}):
        for version in sorted({p.common[api][0], p.common[api][-1]}):
            maker = Maker(random.Random(f"{SEED} {api} {version}"), b"\x11" * 16)
            body = maker.structure(p.apis[api][1].fields, version)
            p.correlation += 1
            whole = p.bytes_of(api, version, body)
            head = len(p.bytes_of(api, version, b""))
            with p.part(api):
                for name, data in {
                        "cut by one": whole[:-1], "cut in half": whole[:head + (len(whole) - head) // 2],
                        "no body": whole[:head], "one byte more": whole + b"\0",
                        "much more": whole + b"more" * 9,
                        "endless": whole[:head] + b"\xff" * 40,
                        "counts": whole[:head] + b"\x7f" * 40, "zeros": whole[:head] + bytes(60)}.items():
                    with p.part(name):
                        p.raw(framed(data), half_close=False, api=api, version=version, seconds=2)


CASES = (generated, no_frames, damaged)
