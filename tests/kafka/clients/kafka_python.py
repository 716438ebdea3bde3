# SPDX-License-Identifier: Apache-2.0
"""kafka-python against sluice: what its users do, without consumer groups (groups.py).

usage: kafka_python.py HOST:PORT
"""
import sys
import time
import uuid

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import (InvalidPartitionsError, MessageSizeTooLargeError, TopicAlreadyExistsError,
                          InvalidTopicError, UnknownTopicOrPartitionError)

import tap

SERVER = sys.argv[1]
RUN = uuid.uuid4().hex[:8]


def topic_name(case):
    return f"kp-{case}-{RUN}"


def create(admin, name, partitions=1, configs=None):
    admin.create_topics({name: {"num_partitions": partitions, "replication_factor": 1,
                                "configs": configs or {}}}, wait_for_metadata=True)
    return name


def open_admin():
    return KafkaAdminClient(bootstrap_servers=SERVER)


def open_producer(**settings):
    return KafkaProducer(bootstrap_servers=SERVER, **settings)


def open_consumer(topic, partitions=(0,), **settings):
    consumer = KafkaConsumer(bootstrap_servers=SERVER, group_id=None, enable_auto_commit=False,
                             auto_offset_reset="earliest", **settings)
    consumer.assign([TopicPartition(topic, partition) for partition in partitions])
    return consumer


def read(consumer, count, seconds=60):
    """The next `count` records, in the order the consumer gives them."""
    records = []
    end = time.monotonic() + seconds
    while len(records) < count:
        if time.monotonic() > end:
            raise AssertionError(f"{len(records)} of {count} records after {seconds} s")
        for batch in consumer.poll(timeout_ms=500).values():
            records += batch
    return records


def test_topic_create_list_delete():
    admin = open_admin()
    name = create(admin, topic_name("admin"), 3)
    assert name in admin.list_topics()
    found = [topic for topic in admin.describe_topics([name])]
    tap.equal(len(found[0]["partitions"]), 3, "partitions")
    admin.delete_topics([name])
    end = time.monotonic() + 10
    while name in admin.list_topics():
        assert time.monotonic() < end, "the topic is still listed"
        time.sleep(0.1)
    admin.close()


def test_topic_create_refused():
    admin = open_admin()
    name = create(admin, topic_name("twice"))
    for wrong, error in ((name, TopicAlreadyExistsError), ("no/slash", InvalidTopicError)):
        try:
            admin.create_topics({wrong: {"num_partitions": 1, "replication_factor": 1}})
        except error:
            continue
        raise AssertionError(f"creating {wrong} was not refused with {error.__name__}")
    try:
        admin.create_topics({topic_name("none"): {"num_partitions": 0, "replication_factor": 1}})
        raise AssertionError("a topic without partitions was not refused")
    except InvalidPartitionsError:
        pass
    try:
        admin.delete_topics([topic_name("missing")])
        raise AssertionError("deleting a missing topic was not refused")
    except UnknownTopicOrPartitionError:
        pass
    admin.close()


def produce_and_read_back(case, **settings):
    admin = open_admin()
    name = create(admin, topic_name(case))
    admin.close()
    producer = open_producer(**settings)
    sent = [(b"key-%d" % i if i % 3 else None, b"value-%d" % i) for i in range(500)]
    futures = [producer.send(name, key=key, value=value, partition=0,
                             headers=[("n", str(i).encode())], timestamp_ms=1000 + i)
               for i, (key, value) in enumerate(sent)]
    producer.flush(timeout=60)
    if settings.get("acks") != 0:
        tap.equal([future.get(10).offset for future in futures], list(range(500)), "offsets")
    producer.close()
    consumer = open_consumer(name)
    records = read(consumer, 500)
    consumer.close()
    tap.equal([(r.key, r.value) for r in records], sent, "records")
    tap.equal([r.offset for r in records], list(range(500)), "offsets read")
    tap.equal([r.timestamp for r in records], [1000 + i for i in range(500)], "timestamps")
    tap.equal([r.headers for r in records], [[("n", b"%d" % i)] for i in range(500)], "headers")


def test_produce_acks_all():
    produce_and_read_back("acks-all", acks="all", enable_idempotence=False)


def test_produce_acks_one():
    produce_and_read_back("acks-one", acks=1, enable_idempotence=False)


def test_produce_acks_none():
    produce_and_read_back("acks-none", acks=0, enable_idempotence=False)


def test_produce_idempotent():
    produce_and_read_back("idempotent", acks="all", enable_idempotence=True)


def test_produce_gzip():
    produce_and_read_back("gzip", acks="all", compression_type="gzip")


def test_produce_too_large():
    admin = open_admin()
    name = create(admin, topic_name("large"), 1, {"max.message.bytes": "1000"})
    admin.close()
    producer = open_producer(enable_idempotence=False)
    try:
        producer.send(name, value=bytes(5000), partition=0).get(30)
        raise AssertionError("a record over max.message.bytes was not refused")
    except MessageSizeTooLargeError:
        pass
    tap.equal(producer.send(name, value=b"small", partition=0).get(30).offset, 0, "offset after")
    producer.close()


def test_list_offsets():
    admin = open_admin()
    name = create(admin, topic_name("offsets"))
    producer = open_producer(linger_ms=0)
    for i in range(10):
        producer.send(name, value=b"x", partition=0, timestamp_ms=5000 + 10 * i).get(30)
    producer.close()
    consumer = open_consumer(name)
    partition = TopicPartition(name, 0)
    tap.equal(consumer.beginning_offsets([partition])[partition], 0, "beginning")
    tap.equal(consumer.end_offsets([partition])[partition], 10, "end")
    found = consumer.offsets_for_times({partition: 5041})[partition]
    tap.equal((found.offset, found.timestamp), (5, 5050), "offset for a time")
    tap.equal(consumer.offsets_for_times({partition: 9999})[partition], None, "after the end")
    consumer.seek(partition, 7)
    tap.equal(read(consumer, 3)[0].offset, 7, "after seek")
    consumer.close()
    admin.close()


def test_consumer_waits_for_record():
    admin = open_admin()
    name = create(admin, topic_name("wait"))
    admin.close()
    consumer = open_consumer(name, fetch_max_wait_ms=10000)
    tap.equal(consumer.poll(timeout_ms=200), {}, "an empty topic")
    producer = open_producer(linger_ms=0)
    producer.send(name, value=b"late", partition=0).get(30)
    sent = time.monotonic()
    tap.equal([r.value for r in read(consumer, 1)], [b"late"], "record")
    # The waiting fetch is answered by the record, not by its own time-out.
    assert time.monotonic() - sent < 5, "the long poll slept through the record"
    producer.close()
    consumer.close()


tap.run(sys.modules[__name__])
