#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What Apache Kafka wrote, read from Apache Kafka and from sluice.

usage: logs.py write HOST:PORT EXPECTED	fill a broker's topics, and note in the file
					EXPECTED what its own consumers are given
       logs.py check HOST:PORT EXPECTED	read the topics again and compare
"""
import base64
import json
import sys
import time

from confluent_kafka import (OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer,
                             TopicPartition)
from confluent_kafka.admin import AdminClient, NewTopic

SERVER, EXPECTED = sys.argv[2], sys.argv[3]
ISOLATION = ("read_uncommitted", "read_committed")
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
SMALL_SEGMENTS = {"segment.bytes": "1048576"}


def create(admin, name, partitions=1, **config):
    config = {key.replace("_", "."): value for key, value in config.items()}
    topic = NewTopic(name, partitions, 1, config=config)
    for future in admin.create_topics([topic]).values():
        future.result(60)


def producer(**settings):
    settings = {key.replace("_", "."): value for key, value in settings.items()}
    return Producer({"bootstrap.servers": SERVER, "linger.ms": 20, **settings})


def flush(p):
    if p.flush(120):
        raise AssertionError("not everything was delivered")


def write_codecs(admin):
    create(admin, "codecs", 3, retention_ms="-1", **SMALL_SEGMENTS)
    for codec in CODECS:
        p = producer(compression_type=codec)
        for i in range(1500):
            p.produce("codecs", partition=i % 3, key=f"key-{i}" if i % 5 else None,
                      value=f"{codec} {i} ".encode() * (1 + i % 90) if i % 7 else None,
                      headers=[("codec", codec.encode()), ("none", None)] if i % 3 else None,
                      timestamp=1700000000000 + i)
            p.poll(0)
        flush(p)


def write_append_time(admin):
    create(admin, "append-time", message_timestamp_type="LogAppendTime")
    p = producer(enable_idempotence=True)
    for i in range(300):
        p.produce("append-time", value=f"value {i}")
    flush(p)


def write_transactions(admin):
    """Two producers in turns; every third transaction is aborted, one stays open a while."""
    create(admin, "transactions", 2, **SMALL_SEGMENTS)
    producers = [producer(transactional_id=f"tx-{n}") for n in range(2)]
    for p in producers:
        p.init_transactions(60)
    for turn in range(12):
        for n, p in enumerate(producers):
            p.begin_transaction()
            for i in range(40):
                p.produce("transactions", partition=i % 2, value=b"%d %d %d " % (n, turn, i) * 400)
            flush(p)
        for n, p in enumerate(producers):
            if (turn + n) % 3:
                p.commit_transaction(60)
            else:
                p.abort_transaction(60)


def write_compacted(admin):
    create(admin, "compacted", cleanup_policy="compact", segment_ms="1000",
           min_cleanable_dirty_ratio="0.01", delete_retention_ms="100", **SMALL_SEGMENTS)
    p = producer(compression_type="lz4")
    for turn in range(4):
        for i in range(400):
            value = None if turn == 3 and i % 10 == 0 else f"{turn} {i} ".encode() * 20
            key = f"key-{i % 50}" if i % 19 else f"only-{turn}-{i}"
            p.produce("compacted", key=key, value=value)
        flush(p)
        time.sleep(1.1)


def write_deleted(admin):
    create(admin, "deleted", **SMALL_SEGMENTS)
    p = producer()
    for i in range(4000):
        p.produce("deleted", value=b"%d " % i * 120)
        p.poll(0)
    flush(p)
    for future in admin.delete_records([TopicPartition("deleted", 0, 2345)]).values():
        future.result(60)


TOPICS = {"codecs": 3, "append-time": 1, "transactions": 2, "compacted": 1, "deleted": 1}


def as_text(data):
    return None if data is None else base64.b64encode(data).decode()


def describe(record):
    kind, when = record.timestamp()
    return [record.offset(), kind, when, as_text(record.key()), as_text(record.value()),
            [[name, as_text(value)] for name, value in record.headers() or []]]


def read_partition(name, partition, isolation):
    consumer = Consumer({"bootstrap.servers": SERVER, "group.id": "unused", "check.crcs": True,
                         "enable.auto.commit": False, "enable.partition.eof": True,
                         "isolation.level": isolation})
    where = TopicPartition(name, partition, OFFSET_BEGINNING)
    consumer.assign([where])
    records = []
    end = time.monotonic() + 120
    while time.monotonic() < end:
        record = consumer.poll(1)
        if record is None:
            continue
        if record.error() and record.error().code() == KafkaError._PARTITION_EOF:
            # It may also speak of the end that the consumer knew before it had asked.
            if record.offset() < consumer.get_watermark_offsets(where, timeout=30)[1]:
                continue
            consumer.close()
            return records
        if record.error():
            raise KafkaException(record.error())
        records.append(describe(record))
    raise AssertionError(f"{name}-{partition}: no end after 120 s, {len(records)} records")


def read_all():
    return {f"{name}-{partition} {isolation}": read_partition(name, partition, isolation)
            for name, partitions in TOPICS.items() for partition in range(partitions)
            for isolation in ISOLATION}


def wait_compacted():
    """Until the cleaner has been there: until offsets are missing."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        records = read_partition("compacted", 0, "read_uncommitted")
        if records[-1][0] - records[0][0] + 1 > len(records):
            return
        time.sleep(1)
    raise AssertionError("Kafka did not compact the topic within 60 s")


def write():
    admin = AdminClient({"bootstrap.servers": SERVER})
    write_compacted(admin)
    for fill in (write_codecs, write_append_time, write_transactions, write_deleted):
        fill(admin)
    wait_compacted()
    with open(EXPECTED, "w", encoding="utf-8") as out:
        json.dump(read_all(), out)


def first_difference(want, got):
    for i, (a, b) in enumerate(zip(want, got)):
        if a != b:
            return f"record {i}: {str(b)[:200]} instead of {str(a)[:200]}"
    return f"{len(got)} records instead of {len(want)}"


def check():
    with open(EXPECTED, encoding="utf-8") as file:
        expected = json.load(file)
    failed = 0
    print(f"1..{len(expected)}")
    for number, (what, want) in enumerate(expected.items(), 1):
        where, isolation = what.split()
        name, partition = where.rsplit("-", 1)
        got = read_partition(name, int(partition), isolation)
        if got == want:
            print(f"ok {number} - {what}: {len(got)} records as Kafka gave them")
        else:
            print(f"# {first_difference(want, got)}\nnot ok {number} - {what}")
            failed = 1
    return failed


sys.exit(check() if sys.argv[1] == "check" else write())
