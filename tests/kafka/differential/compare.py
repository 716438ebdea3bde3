# SPDX-License-Identifier: Apache-2.0
"""How two answers differ, field by field, but for what each broker chooses for
itself: ids, addresses, the time of day."""
import time

import batch

# Fields that name the same thing by other values, by what they name. The first
# time two values meet they are taken for the same; from then on they must meet.
NAMES = {
    "TopicId": "topic", "ProducerId": "producer", "MemberId": "member", "Leader": "member",
    "SessionId": "session", "ClusterId": "cluster", "Port": "port", "LogDir": "log dir",
    "ClientInstanceId": "client", "IncarnationId": "incarnation", "SubscriptionId": "client",
}
NOTHING = (0, -1, "", None, bytes(16))
# What says which element of an array it is; their order has no meaning.
KEYS = ("ApiKey", "NodeId", "BrokerId", "ErrorCode", "ResourceType", "ResourceName", "Name",
        "TopicName", "Topic", "TopicId", "PartitionIndex", "Partition", "Index", "PartitionId", "GroupId",
        "TransactionalId", "Key", "EntityType", "EntityName", "Host", "ProducerId", "MemberId", "LogDir", "Feature")
LABELLED = ("ApiKeys", "Configs", "SupportedFeatures", "FinalizedFeatures")
SIZES = ("TotalBytes", "UsableBytes")
TEXTS = ("BatchIndexErrorMessage", "ErrorMessage", "ErrorString")
NOW_MS = 600 * 1000


class Known:
    """Which of sluice's values stands for which of Kafka's."""

    def __init__(self):
        self.kafka = {}   # (what, sluice's): Kafka's
        self.sluice = {}  # (what, Kafka's): sluice's

    def translate(self, what, value):
        return self.kafka.get((what, value), value)

    def same(self, what, kafka, sluice):
        nothing = NOTHING if what != "producer" else (-1,)
        if kafka in nothing or sluice in nothing:
            return kafka == sluice
        if (what, sluice) not in self.kafka and (what, kafka) not in self.sluice:
            self.kafka[what, sluice] = kafka
            self.sluice[what, kafka] = sluice
        return self.kafka.get((what, sluice)) == kafka


class Differences:
    """All that were found: {(case, API, field, Kafka's, sluice's): versions}"""

    def __init__(self):
        self.found = {}

    def add(self, case, api, version, differences):
        for field, kafka, sluice in differences:
            versions = self.found.setdefault((case, api, field, kafka, sluice), [])
            if version not in versions:
                versions.append(version)

    def has(self, case, api, differences):
        """Whether none is new."""
        return all((case, api, *difference) in self.found for difference in differences)


def compare(known, api, version, message, sides):
    """[(field, Kafka's value, sluice's value)]"""
    if not all(isinstance(answer, dict) for answer in sides):
        if sides[0] == sides[1]:
            return []
        return [("(answer)", *(tell(x) if not isinstance(x, dict) else "answered" + errors(x)
                               for x in sides))]
    walk = Walk(known, version)
    walk.structure(message.fields, "", *sides)
    return list(dict.fromkeys(walk.found))


def errors(answer):
    """The error codes in it, to tell what kind of answer it is."""
    found = set()

    def look(value):
        if isinstance(value, dict):
            if value.get("ErrorCode"):
                found.add(value["ErrorCode"])
            value = list(value.values())
        for item in value if isinstance(value, list) else ():
            look(item)
    look(answer)
    return "".join(f", error {code}" for code in sorted(found))


def tell(value):
    if isinstance(value, bytes):
        return f"{len(value)} bytes {value[:24].hex()}"
    text = repr(value) if isinstance(value, str) and not value.startswith(("the ", "no ")) \
        else str(value)
    return text if len(text) <= 70 else text[:67] + "..."


class Walk:
    def __init__(self, known, version):
        self.known, self.version = known, version
        self.found = []

    def note(self, path, kafka, sluice):
        self.found.append((path, tell(kafka), tell(sluice)))

    def structure(self, fields, path, kafka, sluice):
        for f in fields:
            if self.version in f.versions:
                self.field(f, f"{path}.{f.name}" if path else f.name, kafka[f.name],
                           sluice[f.name])
        for name in sorted((set(kafka) | set(sluice)) - {f.name for f in fields}):
            if kafka.get(name) != sluice.get(name):
                self.note(f"{path}.{name}", kafka.get(name), sluice.get(name))

    def field(self, f, path, kafka, sluice):
        if kafka is None or sluice is None:
            if kafka is not sluice:
                self.note(path, *("not null" if x is not None else None for x in (kafka, sluice)))
        elif f.array and f.fields is not None:
            self.array(f, path, kafka, sluice)
        elif f.array:
            self.values(f, path, kafka, sluice)
        elif f.fields is not None:
            self.structure(f.fields, path, kafka, sluice)
        elif f.type == "records":
            self.records(path, kafka, sluice)
        else:
            self.value(f, path, kafka, sluice)

    def values(self, f, path, kafka, sluice):
        what = NAMES.get(f.name)
        if what:
            sluice = [self.known.translate(what, x) for x in sluice]
        if sorted(kafka) != sorted(sluice):
            self.note(path, sorted(kafka), sorted(sluice))

    def value(self, f, path, kafka, sluice):
        what = NAMES.get(f.name)
        if f.name in SIZES:
            if (kafka < 0) != (sluice < 0):
                self.note(path, kafka, sluice)
        elif f.name in TEXTS:
            if kafka != sluice:
                self.note(f"{path} (text)", kafka, sluice)
        elif what and self.known.same(what, kafka, sluice):
            pass
        elif kafka != sluice and not self.now(f, kafka, sluice):
            self.note(path, kafka, sluice)

    @staticmethod
    def now(f, *values):
        """Whether it is the time of day in both."""
        return f.type == "int64" and "Time" in f.name and \
            all(abs(x - time.time() * 1000) < NOW_MS for x in values)

    def key(self, element, translate):
        """What an array is sorted by."""
        found = []
        for name in KEYS:
            value = element.get(name)
            if name in element and not isinstance(value, (list, dict)):
                if translate and name in NAMES:
                    value = self.known.translate(NAMES[name], value)
                found.append((name, repr(value)) if name != "ErrorCode" else (name, ""))
        return found

    def array(self, f, path, kafka, sluice):
        kafka = sorted(kafka, key=lambda e: self.key(e, False))
        sluice = sorted(sluice, key=lambda e: self.key(e, True))
        keyed = all(any(n == k for k in KEYS for n in e) for e in kafka + sluice)
        if keyed and len(kafka) != len(sluice):
            self.unpaired(f, path, kafka, sluice)
        elif len(kafka) != len(sluice):
            self.note(f"{path} (count)", len(kafka), len(sluice))
        else:
            for pair in zip(kafka, sluice):
                self.structure(f.fields, self.label(f, path, pair[0]), *pair)

    @staticmethod
    def label(f, path, element):
        """The path with which element it is, where that says more than how many."""
        name = next((str(element[k]) for k in KEYS if k in element), "")
        return f"{path}[{name}]" if f.name in LABELLED else path

    def unpaired(self, f, path, kafka, sluice):
        """Arrays of other lengths: tell which elements only one has, compare the others."""
        kafka = {str(self.key(e, False)): e for e in kafka}
        sluice = {str(self.key(e, True)): e for e in sluice}
        for key in sorted(set(kafka) | set(sluice)):
            if key in kafka and key in sluice:
                self.structure(f.fields, self.label(f, path, kafka[key]), kafka[key], sluice[key])
            else:
                values = (next((str(e[k]) for k in KEYS if k in e and k != "ErrorCode" and
                                not isinstance(e[k], bytes)), "there")
                          if e else "not there" for e in (kafka.get(key), sluice.get(key)))
                self.found.append((f"{path} (element)", *values))

    def records(self, path, kafka, sluice):
        kafka, sluice = batch.describe(kafka), batch.describe(sluice)
        if len(kafka) != len(sluice):
            self.note(f"{path} (batches)", len(kafka), len(sluice))
        for one, other in zip(kafka, sluice):
            for name in sorted(set(one) | set(other)):
                a, b = one.get(name), other.get(name)
                if a != b and not (name == "ProducerId" and self.known.same("producer", a, b)):
                    self.note(f"{path}.{name}", a, b)
