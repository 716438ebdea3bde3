# SPDX-License-Identifier: Apache-2.0
"""Produce, Fetch, ListOffsets, OffsetForLeaderEpoch, DeleteRecords."""
import batch as b

LATEST_VALUE = 1 << 62


def produced(topic, records, partition=0, topic_id=None, acks=1, transactional_id=None, more=()):
    """A Produce request for one partition, with the topic's name or its id as the version has."""
    one = {"Index": partition, "Records": records}
    named = {"Name": topic, "PartitionData": [one, *more]}
    if topic_id is not None:
        named["TopicId"] = topic_id
    return {"TransactionalId": transactional_id, "Acks": acks, "TimeoutMs": 5000,
            "TopicData": [named]}


def produce_good(p):
    topic_id = p.topic("produced")
    for records in (b.batch(), b.batch(5), b.batch(3, compress=b.gzipped, attributes=1),
                    b.batch(epoch=7), b.batch(base=100), b.batch(2, max_time=b.TIME + 9),
                    b.batch(records=b.record(0, None, None, headers=((b"h", None),)))):
        p.each("Produce", produced("produced", records, topic_id=topic_id))
    for acks in (-1, 2, -2):
        p.each("Produce", produced("produced", b.batch(), topic_id=topic_id, acks=acks))
    fetch_all(p, "produced", topic_id)


def produce_bad(p):
    good = b.batch()
    rest = b.record(0)
    bad = {
            "nothing": b"", "short": good[:30], "cut": good[:-1],
            "two batches": good + good, "half a second": good + good[:20],
            "a byte more": good + b"x", "crc": b.batch(crc=1), "magic 3": b.batch(magic=3),
            "magic 1": b.batch(magic=1), "magic 0": b.batch(magic=0),
            "magic -1": b.batch(magic=-1), "message v0": b.old_message(0),
            "message v1": b.old_message(1), "length 0": b.batch(length=0),
            "length -1": b.batch(length=-1), "length below the header": b.batch(length=40),
            "length too large": b.batch(length=2000), "codec 5": b.batch(attributes=5),
            "codec 7": b.batch(attributes=7), "control": b.batch(attributes=b.CONTROL),
            "transactional": b.batch(attributes=b.TRANSACTIONAL),
            "count 0": b.batch(count=0), "count -1": b.batch(count=-1),
            "count 2 of 1": b.batch(count=2), "count 1 of 2": b.batch(2, count=1),
            "last offset 5 of 1": b.batch(last=5), "last offset -1": b.batch(last=-1),
            "last offset 0 of 2": b.batch(2, last=0),
            "no records": b.batch(records=b"", count=0, last=0),
            "no records, last -1": b.batch(records=b"", count=0, last=-1),
            "empty of five": b.batch(records=b"", count=0, last=4),
            "base -1": b.batch(base=-1), "large": b.batch(records=b.record(0, None, b"x" * 3000)),
            "garbage": b.batch(records=b"\xff" * 30), "deltas 0 0": b.batch(2, records=rest + rest),
            "delta 1 first": b.batch(records=b.record(0, delta=1)),
            "delta -1": b.batch(records=b.record(0, delta=-1)),
            "bytes behind the record": b.batch(records=rest + b"xx"),
            "record too long": b.batch(records=b"\x7f" + rest[1:]),
            "record length negative": b.batch(records=b"\x01" + rest[1:]),
            "null key length -2": b.batch(records=rest[:4] + b"\x03" + rest[5:]),
            "attributes of the record": b.batch(records=rest[:1] + b"\x55" + rest[2:]),
            "headers -1": b.batch(records=rest[:-1] + b"\x01"),
            "null header key": b.batch(records=b.record(0, headers=((None, b"x"),))),
            "gzip of nothing": b.batch(records=b"", attributes=1),
            "gzip of garbage": b.batch(records=b"garbage" * 5, attributes=1),
            "gzip cut": b.batch(compress=lambda x: b.gzipped(x)[:-9], attributes=1),
            "snappy of garbage": b.batch(records=b"\xff" * 20, attributes=2),
            "lz4 of garbage": b.batch(records=b"garbage" * 5, attributes=3),
            "zstd of garbage": b.batch(records=b"garbage" * 5, attributes=4),
            "gzip, count 2 of 1": b.batch(compress=b.gzipped, attributes=1, count=2, last=1),
            "gzip, deltas 0 0": b.batch(2, records=rest + rest, compress=b.gzipped, attributes=1),
            "no timestamp": b.batch(first_time=-1), "timestamp -2": b.batch(first_time=-2),
            "max below first": b.batch(max_time=b.TIME - 5), "epoch -2": b.batch(epoch=-2),
            "base of the record's time": b.batch(records=b.record(0, time=-5)),
            "far future": b.batch(first_time=b.TIME * 4), "attributes 0x80": b.batch(attributes=128),
            "attributes -1": b.batch(attributes=-1),
            "append time": b.batch(2, attributes=1 << 3), "horizon": b.batch(2, attributes=1 << 6),
            "zero offset delta gap": b.batch(2, records=rest + b.record(3), last=3)}
    topic_id = p.topic("bad", len(bad), max_message_bytes="2000")
    for partition, (name, records) in enumerate(bad.items()):
        with p.part(name):
            p.each("Produce", produced("bad", records, partition, topic_id))
            p.newest("Fetch", fetched("bad", topic_id, 0, partition))
    with p.part("null"):
        p.newest("Produce", produced("bad", None, 0, topic_id), seconds=1)


def produce_to_nothing(p):
    topic_id = p.topic("there", 2)
    good = b.batch()
    for name, request in {
            "topic": produced("not-there", good, topic_id=b"\1" * 16),
            "invalid name": produced("a/b", good, topic_id=bytes(16)),
            "no name": produced("", good, topic_id=bytes(16)),
            "partition": produced("there", good, 2, topic_id),
            "partition -1": produced("there", good, -1, topic_id),
            "both": produced("there", good, 0, topic_id, more=[{"Index": 1, "Records": good},
                                                                {"Index": 9, "Records": good}]),
            "twice": produced("there", good, 0, topic_id, more=[{"Index": 0, "Records": good}]),
            "internal": produced("__consumer_offsets", good, 0, bytes(16)),
            "no topics": {"Acks": -1, "TimeoutMs": 1000, "TopicData": []},
            "no partitions": {"Acks": -1, "TimeoutMs": 1000, "TopicData": [
                {"Name": "there", "TopicId": topic_id, "PartitionData": []}]}}.items():
        with p.part(name):
            p.each("Produce", request)
    with p.part("transactional id alone"):
        p.each("Produce", produced("there", good, 0, topic_id, transactional_id="nobody"))


def produce_compacted(p):
    topic_id = p.topic("compacted", cleanup_policy="compact")
    for name, records in {"no key": b.batch(records=b.record(0)), "key": b.batch(),
                          "key of nothing": b.batch(records=b.record(0, b"")),
                          "second without": b.batch(2, records=b.record(0, b"k") + b.record(1)),
                          "gzip, no key": b.batch(records=b.record(0), compress=b.gzipped,
                                                  attributes=1)}.items():
        with p.part(name):
            p.each("Produce", produced("compacted", records, topic_id=topic_id))


def produce_times(p):
    for name, configs in {
            "append-time": {"message_timestamp_type": "LogAppendTime"},
            "bounded": {"message_timestamp_before_max_ms": "1000",
                        "message_timestamp_after_max_ms": "1000"},
            "zstd-topic": {"compression_type": "producer"}}.items():
        topic_id = p.topic(name, **configs)
        with p.part(name):
            p.each("Produce", produced(name, b.batch(2), topic_id=topic_id))
            p.each("Produce", produced(name, b.batch(first_time=b.TIME * 2), topic_id=topic_id),
                   low=3)


def produce_recompressed(p):
    """Batches of topics that have a compression of their own; what was made of them, except
    for the compressed bytes, whose length is each library's affair."""
    rest = b.record(0)
    for kind in ("uncompressed", "gzip", "snappy", "lz4", "zstd"):
        topic_id = p.topic(f"stored-{kind}", compression_type=kind)
        for name, records in {
                "plain": b.batch(3), "gzip": b.batch(3, compress=b.gzipped, attributes=1),
                "gzip, deltas 0 0": b.batch(2, records=rest + rest, compress=b.gzipped,
                                            attributes=1),
                "times from -5 on": b.batch(2, records=b.record(0, time=-5) +
                                            b.record(1, time=7)),
                "gzip cut": b.batch(compress=lambda x: b.gzipped(x)[:-9], attributes=1),
                "lz4 of garbage": b.batch(records=b"garbage" * 5, attributes=3)}.items():
            with p.part(f"{kind}: {name}"):
                p.newest("Produce", produced(f"stored-{kind}", records, topic_id=topic_id))
        with p.part(kind):
            p.newest("Fetch", fetched(f"stored-{kind}", topic_id))


def produce_idempotent(p):
    topic_id = p.topic("idempotent")
    owner = p.newest("InitProducerId", {"TransactionalId": None, "TransactionTimeoutMs": 60000})
    pid = owner.pick(lambda a: a["ProducerId"])

    def send(name, n=1, **fields):
        made = p.for_each(lambda side: b.batch(
            n, producer=(pid.sides[side], fields.get("epoch", 0)),
            sequence=fields.get("sequence", 0), attributes=fields.get("attributes", 0)))
        with p.part(name):
            p.newest("Produce", produced("idempotent", made, topic_id=topic_id))

    send("starts at 5", sequence=5)
    send("again at 5", sequence=5)
    send("at 6", sequence=6, n=3)
    send("duplicate of 6", sequence=6, n=3)
    send("gap", sequence=10)
    send("overlap", sequence=8, n=3)
    send("shorter duplicate", sequence=6, n=2)
    for sequence in range(9, 15):
        send("on", sequence=sequence)
    send("too old a duplicate", sequence=5)
    send("no sequence", sequence=-1)
    send("sequence below", sequence=-2)
    send("new epoch in the middle", sequence=3, epoch=1)
    send("new epoch", sequence=0, epoch=1)
    send("old epoch", sequence=15, epoch=0)
    send("epoch -1", sequence=0, epoch=-1)
    send("wraps", sequence=2147483647, n=2, epoch=2)
    send("transactional", sequence=1, epoch=1, attributes=b.TRANSACTIONAL)
    with p.part("two batches"):
        made = p.for_each(lambda side: b.batch(producer=(pid.sides[side], 3), sequence=0) +
                          b.batch(producer=(pid.sides[side], 3), sequence=1))
        p.newest("Produce", produced("idempotent", made, topic_id=topic_id))
    with p.part("unknown id"):
        p.newest("Produce", produced("idempotent", b.batch(producer=(987654, 0), sequence=7),
                                     topic_id=topic_id))
    with p.part("id -2"):
        p.newest("Produce", produced("idempotent", b.batch(producer=(-2, 0), sequence=0),
                                     topic_id=topic_id))
    fetch_all(p, "idempotent", topic_id)


def fetched(topic, topic_id, offset=0, partition=0, **more):
    """A Fetch request for one partition. what begins with a capital letter goes
    into the request, what is in `of` into the partition."""
    of = more.pop("of", {})
    return {"MaxWaitMs": 0, "MinBytes": 0, "Topics": [{"Topic": topic, "TopicId": topic_id, "Partitions": [
        {"Partition": partition, "FetchOffset": offset, "PartitionMaxBytes": 1 << 20, **of}]}],
            **more}


def fetch_all(p, topic, topic_id):
    p.each("Fetch", fetched(topic, topic_id))


def fetch_places(p):
    topic_id = p.topic("fetched", 2)
    for i in range(4):
        p.newest("Produce", produced("fetched", b.batch(3, first_time=b.TIME + 10 * i),
                                     topic_id=topic_id))
    for offset in (0, 1, 4, 11, 12, 13, -1, -2, LATEST_VALUE):
        with p.part(f"offset {offset}"):
            p.each("Fetch", fetched("fetched", topic_id, offset))
    for name, request in {
            "empty": fetched("fetched", topic_id, 0, 1),
            "partition 2": fetched("fetched", topic_id, 0, 2),
            "partition -1": fetched("fetched", topic_id, 0, -1),
            "unknown topic": fetched("nobody", b"\7" * 16), "no topic": fetched("", bytes(16)),
            "small": fetched("fetched", topic_id, of={"PartitionMaxBytes": 10}),
            "no bytes": fetched("fetched", topic_id, of={"PartitionMaxBytes": 0}),
            "negative bytes": fetched("fetched", topic_id, of={"PartitionMaxBytes": -1}),
            "two batches": fetched("fetched", topic_id, of={"PartitionMaxBytes": 230}),
            "small in all": fetched("fetched", topic_id, MaxBytes=10),
            "nothing in all": fetched("fetched", topic_id, MaxBytes=0),
            "negative in all": fetched("fetched", topic_id, MaxBytes=-1),
            "committed": fetched("fetched", topic_id, IsolationLevel=1),
            "isolation 2": fetched("fetched", topic_id, IsolationLevel=2),
            "isolation -1": fetched("fetched", topic_id, IsolationLevel=-1),
            "leader epoch 0": fetched("fetched", topic_id, of={"CurrentLeaderEpoch": 0}),
            "leader epoch 1": fetched("fetched", topic_id, of={"CurrentLeaderEpoch": 1}),
            "leader epoch -2": fetched("fetched", topic_id, of={"CurrentLeaderEpoch": -2}),
            "fetched epoch 0": fetched("fetched", topic_id, of={"LastFetchedEpoch": 0}),
            "fetched epoch 5": fetched("fetched", topic_id, of={"LastFetchedEpoch": 5}),
            "rack": fetched("fetched", topic_id, RackId="r"),
            "cluster": fetched("fetched", topic_id, ClusterId="another"),
            "no topics": {"MaxWaitMs": 0, "MinBytes": 0, "Topics": []},
            "no partitions": {"MaxWaitMs": 0, "MinBytes": 0, "Topics": [
                {"Topic": "fetched", "TopicId": topic_id, "Partitions": []}]},
            "negative wait": fetched("fetched", topic_id, 12, MaxWaitMs=-5, MinBytes=1),
            "waits": fetched("fetched", topic_id, 12, MaxWaitMs=60, MinBytes=1),
            "waits for many": fetched("fetched", topic_id, 0, MaxWaitMs=60, MinBytes=1 << 30),
            "negative least": fetched("fetched", topic_id, 12, MaxWaitMs=60, MinBytes=-1)}.items():
        with p.part(name):
            p.each("Fetch", request)


def fetch_twice(p):
    """The same partition twice in a request, and a topic twice."""
    topic_id = p.topic("twice")
    p.newest("Produce", produced("twice", b.batch(), topic_id=topic_id))
    request = fetched("twice", topic_id)
    request["Topics"][0]["Partitions"] *= 2
    p.each("Fetch", request)
    request = fetched("twice", topic_id)
    request["Topics"] *= 2
    p.each("Fetch", request)


def fetch_sessions(p):
    topic_id = p.topic("session", 3)
    for version in p.versions("Fetch", 7):
        def ask(name, session, epoch, topics=None, forgotten=(), partition=0, offset=0):
            request = fetched("session", topic_id, offset, partition)
            if topics is not None:
                request["Topics"] = topics
            request.update(SessionId=session, SessionEpoch=epoch, ForgottenTopicsData=[
                {"Topic": "session", "TopicId": topic_id, "Partitions": [x]} for x in forgotten])
            with p.part(name):
                return p.ask("Fetch", version, request)

        session = ask("full", 0, 0).pick(lambda a: a["SessionId"])
        ask("nothing new", session, 1, [])
        ask("one more partition", session, 2, partition=1)
        p.newest("Produce", produced("session", b.batch(), topic_id=topic_id, partition=1))
        ask("new data", session, 3, [])
        ask("new offset", session, 4, partition=1, offset=1)
        ask("again", session, 5, [])
        ask("forget", session, 6, [], forgotten=(1,))
        ask("forget what it has not", session, 7, [], forgotten=(2, 9))
        ask("unknown partition", session, 8, partition=7)
        ask("unknown partition still", session, 9, [])
        ask("wrong epoch", session, 3, [])
        ask("negative epoch", session, -7, [])
        ask("unknown session", 12345, 1, [])
        ask("unknown session, full", 12345, 0)
        ask("close", session, -1, [])
        ask("closed", session, 11, [])
        ask("epoch without a session", 0, 5)
        ask("close nothing", 0, -1)


def listed(topic, timestamp, partition=0, replica=-1, isolation=0, epoch=-1):
    return {"ReplicaId": replica, "IsolationLevel": isolation, "Topics": [
        {"Name": topic, "Partitions": [{"PartitionIndex": partition, "Timestamp": timestamp,
                                        "CurrentLeaderEpoch": epoch}]}]}


def list_offsets(p):
    topic_id = p.topic("listed", 2)
    for i in (0, 5, 3):
        p.newest("Produce", produced("listed", b.batch(3, first_time=b.TIME + 10 * i,
                                                       records=b"".join(
                                                           b.record(k, b"k", time=k) for k in range(3)),
                                                       max_time=b.TIME + 10 * i + 2),
                                     topic_id=topic_id))
    for timestamp in (-1, -2, -3, -4, -5, -6, -7, -100, 0, 1, b.TIME - 1, b.TIME, b.TIME + 1,
                      b.TIME + 2, b.TIME + 3, b.TIME + 31, b.TIME + 51, b.TIME + 53, b.TIME * 3):
        with p.part(f"time {timestamp}"):
            p.each("ListOffsets", listed("listed", timestamp))
        with p.part(f"time {timestamp} of an empty one"):
            p.each("ListOffsets", listed("listed", timestamp, 1))
    for name, request in {
            "unknown topic": listed("nobody", -1), "no name": listed("", -1),
            "bad name": listed("a/b", -1),
            "partition 2": listed("listed", -1, 2), "partition -1": listed("listed", -1, -1),
            "replica 0": listed("listed", -1, replica=0), "replica -2": listed("listed", -1, replica=-2),
            "replica -3": listed("listed", -1, replica=-3),
            "committed": listed("listed", -1, isolation=1), "isolation 9": listed("listed", -1, isolation=9),
            "epoch 0": listed("listed", -1, epoch=0), "epoch 3": listed("listed", -1, epoch=3),
            "epoch -2": listed("listed", -1, epoch=-2),
            "nothing": {"ReplicaId": -1, "Topics": []}}.items():
        with p.part(name):
            p.each("ListOffsets", request)
    with p.part("twice"):
        request = listed("listed", -1)
        request["Topics"][0]["Partitions"] *= 2
        p.each("ListOffsets", request)


def epochs(p):
    topic_id = p.topic("epochs")
    def asked(topic, epoch, partition=0, current=-1, replica=-1):
        return {"ReplicaId": replica, "Topics": [{"Topic": topic, "Partitions": [
            {"Partition": partition, "CurrentLeaderEpoch": current, "LeaderEpoch": epoch}]}]}
    with p.part("empty"):
        p.each("OffsetForLeaderEpoch", asked("epochs", 0))
    p.newest("Produce", produced("epochs", b.batch(3), topic_id=topic_id))
    for name, request in {
            "0": asked("epochs", 0), "-1": asked("epochs", -1), "1": asked("epochs", 1),
            "-2": asked("epochs", -2),
            "current 0": asked("epochs", 0, current=0), "current 4": asked("epochs", 0, current=4),
            "replica 1": asked("epochs", 0, replica=1), "debugging": asked("epochs", 0, replica=-2),
            "partition 1": asked("epochs", 0, 1), "unknown": asked("nobody", 0),
            "bad name": asked("a/b", 0), "no topics": {"ReplicaId": -1, "Topics": []}}.items():
        with p.part(name):
            p.each("OffsetForLeaderEpoch", request)


def delete_records(p):
    topic_id = p.topic("deleted-records", 2)
    p.newest("Produce", produced("deleted-records", b.batch(10), topic_id=topic_id))
    def deleted(topic, offset, partition=0):
        return {"TimeoutMs": 5000, "Topics": [{"Name": topic, "Partitions": [
            {"PartitionIndex": partition, "Offset": offset}]}]}
    for name, request in {
            "3": deleted("deleted-records", 3), "3 again": deleted("deleted-records", 3),
            "1": deleted("deleted-records", 1), "-2": deleted("deleted-records", -2),
            "11": deleted("deleted-records", 11), "-1": deleted("deleted-records", -1),
            "0 of nothing": deleted("deleted-records", 0, 1),
            "partition 2": deleted("deleted-records", 0, 2), "unknown": deleted("nobody", 0),
            "bad name": deleted("a/b", 0), "no name": deleted("", 0),
            "internal": deleted("__consumer_offsets", 0),
            "compacted": deleted("compacted", 0),
            "no topics": {"TimeoutMs": 1000, "Topics": []}}.items():
        with p.part(name):
            p.each("DeleteRecords", request)
            p.newest("ListOffsets", listed("deleted-records", -2))
            p.newest("Fetch", fetched("deleted-records", topic_id))


CASES = (produce_good, produce_bad, produce_to_nothing, produce_compacted, produce_times, produce_recompressed,
         produce_idempotent, fetch_places, fetch_twice, fetch_sessions, list_offsets, epochs,
         delete_records)


