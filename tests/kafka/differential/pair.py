# SPDX-License-Identifier: Apache-2.0
"""Two brokers that are asked the same, and their answers beside each other."""
import contextlib
import socket
import struct
import time

import compare
import intended
import schema

SIDES = (0, 1)  # Apache Kafka, sluice
KAFKA, SLUICE = SIDES
WAIT_SECONDS = 15
ANSWER_SECONDS = 5
CLOSED, SILENT = "the connection is closed", "no answer"
# What changes nothing may be asked again, until what an earlier request changed
# is known to all of a broker.
READERS = ("Metadata", "ListOffsets", "OffsetFetch", "OffsetForLeaderEpoch", "FindCoordinator")
READERS_BEGIN = ("Describe", "List")
SETTLE_SECONDS = 3


class Given:
    """A value that each broker chose itself: what it is for one and the other."""

    def __init__(self, kafka, sluice):
        self.sides = (kafka, sluice)


def resolve(values, side):
    if isinstance(values, Given):
        return values.sides[side]
    if isinstance(values, dict):
        return {key: resolve(value, side) for key, value in values.items()}
    if isinstance(values, list):
        return [resolve(value, side) for value in values]
    return values


class Answer:
    """What both said: dicts, or CLOSED, SILENT or bytes that cannot be read."""

    def __init__(self, sides):
        self.sides = sides

    def pick(self, path, default=0):
        """path(answer) for each; the default where the answer does not have it."""
        def one(answer):
            try:
                return path(answer)
            except (KeyError, IndexError, TypeError):
                return default
        return Given(*(one(answer) for answer in self.sides))


class Channel:
    """A connection to one broker; opened again when it was closed."""

    def __init__(self, address):
        self.address, self.socket = address, None

    def send(self, data):
        if self.socket is None:
            self.socket = socket.create_connection(self.address, timeout=WAIT_SECONDS)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def half_close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def take(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                raise ConnectionResetError
            data += more
        return data

    def receive(self, seconds=ANSWER_SECONDS):
        """One answer without its length, or CLOSED, or SILENT."""
        try:
            self.socket.settimeout(seconds)
            return self.take(struct.unpack(">i", self.take(4))[0])
        except (TimeoutError, socket.timeout):
            self.close()
            return SILENT
        except (ConnectionResetError, BrokenPipeError):
            self.close()
            return CLOSED


class Pair:
    def __init__(self, addresses, messages, rows):
        self.addresses, self.rows = addresses, rows
        self.apis = {name: (key, request, response)
                     for key, (name, request, response) in messages.items()}
        self.names = {key: name for name, (key, _, _) in self.apis.items()}
        self.channels = {}
        self.common = {}  # API name: versions that both advertise
        self.requests = 0
        self.correlation = 0
        self.case = ""
        self.differences = compare.Differences()
        self.known = compare.Known()

    @contextlib.contextmanager
    def part(self, name):
        """What is asked within is reported under this name."""
        before, self.case = self.case, f"{self.case}: {name}"
        try:
            yield
        finally:
            self.case = before

    @staticmethod
    def for_each(make):
        return Given(*(make(side) for side in SIDES))

    def channel(self, side, on):
        if (side, on) not in self.channels:
            self.channels[side, on] = Channel(self.addresses[side])
        return self.channels[side, on]

    def bytes_of(self, api, version, body, client="differential"):
        """The whole request but its length. body: values, or bytes as they are."""
        key, request, _ = self.apis[api]
        head = struct.pack(">hhih", key, version, self.correlation, len(client)) + client.encode()
        if version in request.flexible:
            head += b"\0"
        return head + (body if isinstance(body, bytes) else request.encode(version, body))

    def read(self, api, version, data, any_id=False):
        if not isinstance(data, bytes):
            return data
        response = self.apis[api][2]
        flexible = version in response.flexible and api != "ApiVersions"
        try:
            answer = response.decode(version, data[5 if flexible else 4:])
            correlation, = struct.unpack(">i", data[:4])
            if correlation == self.correlation or any_id:
                return answer
            return f"correlation id {correlation}"
        except (schema.Malformed, struct.error, UnicodeDecodeError) as e:
            return f"not readable: {e}"

    def exchange(self, api, version, body, on, seconds=ANSWER_SECONDS, client="differential"):
        """Ask both; neither waits for the other."""
        self.correlation += 1
        data = [self.bytes_of(api, version, resolve(body, side), client) for side in SIDES]
        for side in SIDES:
            self.channel(side, on).send(struct.pack(">i", len(data[side])) + data[side])
        self.requests += 1
        return [self.read(api, version, self.channel(side, on).receive(seconds)) for side in SIDES]

    def ask(self, api, version, body, on="main", **options):
        """Ask both, compare and note how they differ."""
        reader = api in READERS or api.startswith(READERS_BEGIN)
        until = time.monotonic() + SETTLE_SECONDS
        while True:
            sides = self.exchange(api, version, body, on, **options)
            found = compare.compare(self.known, api, version, self.apis[api][2], sides)
            news = compare.Differences()
            news.add(self.case, api, version, found)
            if not reader or time.monotonic() > until or \
                    self.differences.has(self.case, api, found) or \
                    not intended.unlisted(self.rows, news.found):
                break
            time.sleep(0.05)
        self.differences.add(self.case, api, version, found)
        return Answer(sides)

    def send(self, api, version, body, on):
        """Send without waiting for the answers; receive() takes them."""
        self.correlation += 1
        for side in SIDES:
            data = self.bytes_of(api, version, resolve(body, side))
            self.channel(side, on).send(struct.pack(">i", len(data)) + data)
        self.requests += 1

    def receive(self, api, version, on):
        sides = [self.read(api, version, self.channel(side, on).receive(), any_id=True)
                 for side in SIDES]
        found = compare.compare(self.known, api, version, self.apis[api][2], sides)
        self.differences.add(self.case, api, version, found)
        return Answer(sides)

    def each(self, api, body, low=0, **options):
        """Ask in every version that both advertise; the last answer. body may be made
        for each version by a function."""
        answer = None
        for version in self.versions(api, low):
            values = body(version) if callable(body) else body
            answer = self.ask(api, version, values, **options)
        return answer

    def versions(self, api, low=0):
        return [v for v in self.common.get(api, ()) if v >= low]

    def newest(self, api, body, **options):
        return self.ask(api, self.versions(api)[-1], body, **options)

    def prepare(self, api, version, body, done, on="main"):
        """Ask each until done(answer): what comes before a test and is none."""
        until = time.monotonic() + WAIT_SECONDS
        while True:
            sides = self.exchange(api, version, body, on)
            if all(isinstance(answer, dict) and done(answer) for answer in sides):
                return Answer(sides)
            if time.monotonic() > until:
                raise AssertionError(f"{api} v{version} is not prepared: {sides}")
            time.sleep(0.05)

    def topic(self, name, partitions=1, **configs):
        """A topic that both have and serve; its id."""
        configs = {"retention.ms": "-1", **configs}
        self.newest("CreateTopics", {"timeoutMs": 10000, "Topics": [{
            "Name": name, "NumPartitions": partitions, "ReplicationFactor": 1,
            "Configs": [{"Name": key.replace("_", "."), "Value": value}
                        for key, value in configs.items()]}]})
        return self.await_topic(name, partitions)

    def await_topic(self, name, partitions=1):
        metadata = self.prepare(
            "Metadata", 12, {"Topics": [{"Name": name}]},
            lambda a: len(a["Topics"][0]["Partitions"]) == partitions and
            not any(p["ErrorCode"] for p in a["Topics"][0]["Partitions"]))
        self.prepare("ListOffsets", 5, {"ReplicaId": -1, "Topics": [{"Name": name, "Partitions": [
            {"PartitionIndex": i, "Timestamp": -1} for i in range(partitions)]}]},
                     lambda a: not any(p["ErrorCode"] for p in a["Topics"][0]["Partitions"]))
        return metadata.pick(lambda a: a["Topics"][0]["TopicId"])

    def raw(self, data, on="raw", half_close=True, api=None, version=0, seconds=ANSWER_SECONDS):
        """Send bytes as they are, a length before them included, and nothing more."""
        sides = []
        for side in SIDES:
            self.channel(side, on).close()
            self.channel(side, on).send(data)
            if half_close:
                self.channel(side, on).half_close()
        self.requests += 1
        for side in SIDES:
            got = self.channel(side, on).receive(seconds)
            self.channel(side, on).close()
            sides.append(self.read(api, version, got) if api else got)
        found = compare.compare(self.known, api, version, self.apis[api][2] if api else None, sides)
        self.differences.add(self.case, api or "-", version, found)
