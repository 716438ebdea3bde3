# SPDX-License-Identifier: Apache-2.0
"""confluent-kafka (librdkafka) against sluice, without consumer groups (groups.py).

usage: confluent.py HOST:PORT
"""
import sys
import time
import uuid

from confluent_kafka import (OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException,
                             Producer, TopicPartition)
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource,
                                   NewTopic, ResourceType)

import tap

SERVER = sys.argv[1]
RUN = uuid.uuid4().hex[:8]
ADMIN = AdminClient({"bootstrap.servers": SERVER})


def create(case, partitions=1, config=None):
    name = f"ck-{case}-{RUN}"
    for future in ADMIN.create_topics([NewTopic(name, partitions, 1, config=config or {})]).values():
        future.result(30)
    return name


def open_consumer(name, offset=OFFSET_BEGINNING, partitions=(0,), **settings):
    # librdkafka wants a group's name even where none is used.
    consumer = Consumer({"bootstrap.servers": SERVER, "group.id": "unused",
                         "enable.auto.commit": False, "enable.partition.eof": False, **settings})
    consumer.assign([TopicPartition(name, partition, offset) for partition in partitions])
    return consumer


def read(consumer, count, seconds=60):
    records = []
    end = time.monotonic() + seconds
    while len(records) < count:
        if time.monotonic() > end:
            raise AssertionError(f"{len(records)} of {count} records after {seconds} s")
        record = consumer.poll(0.5)
        if record is None:
            continue
        if record.error():
            raise KafkaException(record.error())
        records.append(record)
    return records


def produce(name, values, **settings):
    """Returns the reports of all deliveries: (error, offset)."""
    reports = []
    producer = Producer({"bootstrap.servers": SERVER, **settings})
    for key, value in values:
        producer.produce(name, value=value, key=key, partition=0,
                         on_delivery=lambda error, record: reports.append((error, record.offset())))
        producer.poll(0)
    tap.equal(producer.flush(60), 0, "not delivered")
    return reports


def round_trip(case, **settings):
    name = create(case)
    values = [(b"k%d" % i, b"v%d" % i) for i in range(1000)]
    reports = produce(name, values, **settings)
    tap.equal([error for error, _ in reports if error], [], "errors")
    consumer = open_consumer(name)
    records = read(consumer, 1000)
    consumer.close()
    tap.equal([(r.key(), r.value()) for r in records], values, "records")
    tap.equal([r.offset() for r in records], list(range(1000)), "offsets")


def test_topic_create_list_delete():
    name = create("admin", 4)
    tap.equal(len(ADMIN.list_topics(timeout=30).topics[name].partitions), 4, "partitions")
    for future in ADMIN.delete_topics([name]).values():
        future.result(30)
    end = time.monotonic() + 10
    while name in ADMIN.list_topics(timeout=30).topics:
        assert time.monotonic() < end, "the topic is still listed"
        time.sleep(0.1)


def test_topic_create_refused():
    name = create("twice")
    try:
        ADMIN.create_topics([NewTopic(name, 1, 1)])[name].result(30)
        raise AssertionError("the same topic again was not refused")
    except KafkaException as error:
        tap.equal(error.args[0].code(), KafkaError.TOPIC_ALREADY_EXISTS, "error")
    wrong = f"ck-config-{RUN}"
    try:
        ADMIN.create_topics([NewTopic(wrong, 1, 1, config={"no.such.setting": "1"})])[wrong].result(30)
        raise AssertionError("an unknown setting was not refused")
    except KafkaException as error:
        tap.equal(error.args[0].code(), KafkaError.INVALID_CONFIG, "error")


def test_describe_configs():
    name = create("configs", 1, {"max.message.bytes": "2000"})
    resource = ConfigResource(ResourceType.TOPIC, name)
    entries = ADMIN.describe_configs([resource])[resource].result(30)
    tap.equal(entries["max.message.bytes"].value, "2000", "value")
    tap.equal(entries["max.message.bytes"].is_default, False, "is_default")
    tap.equal(entries["cleanup.policy"].value, "delete", "default")


def described(resource, key):
    return ADMIN.describe_configs([resource])[resource].result(30)[key].value


def test_alter_configs():
    name = create("alter", 1, {"max.message.bytes": "2000"})
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[
        ConfigEntry("retention.ms", "86400000", incremental_operation=AlterConfigOpType.SET),
        ConfigEntry("max.message.bytes", None, incremental_operation=AlterConfigOpType.DELETE),
        ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND)])
    ADMIN.incremental_alter_configs([resource])[resource].result(30)
    tap.equal(described(resource, "retention.ms"), "86400000", "set")
    tap.equal(described(resource, "max.message.bytes"), "1048588", "taken back")
    tap.equal(described(resource, "cleanup.policy"), "delete,compact", "appended")
    resource = ConfigResource(ResourceType.TOPIC, name, {"retention.ms": "7"})
    ADMIN.alter_configs([resource])[resource].result(30)
    tap.equal(described(resource, "retention.ms"), "7", "replaced")
    tap.equal(described(resource, "cleanup.policy"), "delete", "replaced by nothing")
    resource = ConfigResource(ResourceType.TOPIC, name, {"retention.ms": "soon"})
    try:
        ADMIN.alter_configs([resource])[resource].result(30)
        raise AssertionError("a bad value was not refused")
    except KafkaException as error:
        tap.equal(error.args[0].code(), KafkaError.INVALID_CONFIG, "error")


def test_round_trip_acks_all():
    round_trip("acks-all", acks="all")


def test_round_trip_acks_one():
    round_trip("acks-one", acks="1")


def test_round_trip_idempotent():
    round_trip("idempotent", **{"enable.idempotence": True})


def test_round_trip_lz4():
    round_trip("lz4", **{"compression.type": "lz4"})


def test_round_trip_zstd():
    round_trip("zstd", **{"compression.type": "zstd"})


def test_partitions_by_key():
    name = create("keys", 3)
    producer = Producer({"bootstrap.servers": SERVER, "partitioner": "murmur2_random"})
    for i in range(300):
        producer.produce(name, key=b"k%d" % (i % 30), value=b"%d" % i)
    tap.equal(producer.flush(60), 0, "not delivered")
    consumer = open_consumer(name, partitions=(0, 1, 2))
    homes = {}
    for record in read(consumer, 300):
        tap.equal(homes.setdefault(record.key(), record.partition()), record.partition(), "partition")
    consumer.close()
    tap.equal(sorted(set(homes.values())), [0, 1, 2], "partitions in use")


def test_offsets():
    name = create("offsets")
    produce(name, [(None, b"%d" % i) for i in range(20)])
    consumer = open_consumer(name, OFFSET_END)
    tap.equal(consumer.get_watermark_offsets(TopicPartition(name, 0), timeout=30), (0, 20), "watermarks")
    consumer.assign([TopicPartition(name, 0, 15)])
    tap.equal([r.value() for r in read(consumer, 5)], [b"%d" % i for i in range(15, 20)], "tail")
    consumer.close()


def test_delete_records():
    name = create("deleted")
    produce(name, [(None, b"%d" % i) for i in range(20)])
    where = TopicPartition(name, 0, 15)
    for future in ADMIN.delete_records([where]).values():
        tap.equal(future.result(30).low_watermark, 15, "low watermark")
    consumer = open_consumer(name)
    tap.equal(consumer.get_watermark_offsets(where, timeout=30), (15, 20), "offsets")
    tap.equal([r.value() for r in read(consumer, 5)], [b"%d" % i for i in range(15, 20)], "rest")
    consumer.close()


def test_large_records():
    name = create("large")
    values = [(None, bytes([i]) * 900000) for i in range(8)]
    produce(name, values)
    consumer = open_consumer(name, **{"max.partition.fetch.bytes": 1000000})
    tap.equal([r.value() for r in read(consumer, 8)], [value for _, value in values], "records")
    consumer.close()


def open_producer(case, **settings):
    producer = Producer({"bootstrap.servers": SERVER, "transactional.id": f"ck-{case}-{RUN}", **settings})
    producer.init_transactions(60)
    return producer


def read_all(name, isolation, count):
    """The values that a consumer sees, which sees nothing more then."""
    consumer = open_consumer(name, **{"isolation.level": isolation})
    values = [record.value() for record in read(consumer, count)]
    extra = consumer.poll(1)
    assert extra is None or extra.error(), f"more than {count} records: {extra.value()}"
    consumer.close()
    return values


def test_transactions_commit_and_abort():
    name = create("txn")
    producer = open_producer("txn")
    for number in range(6):
        producer.begin_transaction()
        for i in range(10):
            producer.produce(name, value=b"%d-%d" % (number, i), partition=0)
        if number % 2:
            tap.equal(producer.flush(60), 0, "not delivered")
            producer.abort_transaction(60)
        else:
            producer.commit_transaction(60)
    committed = [b"%d-%d" % (number, i) for number in (0, 2, 4) for i in range(10)]
    tap.equal(read_all(name, "read_committed", 30), committed, "committed")
    tap.equal(len(read_all(name, "read_uncommitted", 60)), 60, "all")


def test_transaction_is_seen_when_it_is_committed():
    name = create("open")
    producer = open_producer("open")
    producer.begin_transaction()
    producer.produce(name, value=b"open", partition=0)
    tap.equal(producer.flush(60), 0, "not delivered")
    consumer = open_consumer(name, **{"isolation.level": "read_committed"})
    tap.equal(consumer.poll(2), None, "record of an open transaction")
    end = consumer.get_watermark_offsets(TopicPartition(name, 0), timeout=30)
    tap.equal(end, (0, 0), "last stable offset")
    producer.commit_transaction(60)
    tap.equal([record.value() for record in read(consumer, 1)], [b"open"], "committed")
    consumer.close()


def test_transactional_producer_is_fenced():
    name = create("fenced")
    old = open_producer("fenced")
    old.begin_transaction()
    old.produce(name, value=b"old", partition=0)
    tap.equal(old.flush(60), 0, "not delivered")
    new = open_producer("fenced")
    new.begin_transaction()
    new.produce(name, value=b"new", partition=0)
    new.commit_transaction(60)
    try:
        old.commit_transaction(60)
        raise AssertionError("a producer that another one has replaced could commit")
    except KafkaException as error:
        assert error.args[0].code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED,
                                        KafkaError.INVALID_PRODUCER_EPOCH), error
    tap.equal(read_all(name, "read_committed", 1), [b"new"], "committed")


def test_transaction_times_out():
    name = create("timeout")
    producer = open_producer("timeout", **{"transaction.timeout.ms": 1000})
    producer.begin_transaction()
    producer.produce(name, value=b"late", partition=0)
    tap.equal(producer.flush(60), 0, "not delivered")
    produce(name, [(None, b"plain")])
    # The broker looks every ten seconds.
    tap.equal(read_all(name, "read_committed", 1), [b"plain"], "committed")


def committed_offset(group, name):
    consumer = Consumer({"bootstrap.servers": SERVER, "group.id": group})
    offset = consumer.committed([TopicPartition(name, 0)], timeout=60)[0].offset
    consumer.close()
    return offset


def test_consume_transform_produce():
    source, target = create("source"), create("target")
    group = f"ck-transform-{RUN}"
    produce(source, [(None, b"%d" % i) for i in range(40)])
    consumer = Consumer({"bootstrap.servers": SERVER, "group.id": group, "enable.auto.commit": False,
                         "auto.offset.reset": "earliest", "isolation.level": "read_committed"})
    consumer.subscribe([source])
    producer = open_producer("transform")
    for number in range(4):
        records = read(consumer, 10)
        producer.begin_transaction()
        for record in records:
            producer.produce(target, value=b"x" + record.value(), partition=0)
        position = [TopicPartition(source, 0, records[-1].offset() + 1)]
        producer.send_offsets_to_transaction(position, consumer.consumer_group_metadata(), 60)
        if number == 1:
            producer.abort_transaction(60)
            consumer.seek(TopicPartition(source, 0, records[0].offset()))
        else:
            producer.commit_transaction(60)
    consumer.close()
    tap.equal(committed_offset(group, source), 30, "offset")
    tap.equal(read_all(target, "read_committed", 30), [b"x%d" % i for i in range(30)], "transformed")


def test_unknown_topic_is_not_created_for_consumers():
    missing = f"ck-missing-{RUN}"
    consumer = open_consumer(missing)
    for _ in range(2):
        error = consumer.list_topics(missing, timeout=30).topics[missing].error
        tap.equal(error.code(), KafkaError.UNKNOWN_TOPIC_OR_PART, "error")
    consumer.close()


def test_unknown_topic_is_created_for_producers():
    name = f"ck-auto-{RUN}"
    reports = produce(name, [(None, b"first")])
    tap.equal(reports, [(None, 0)], "report")


tap.run(sys.modules[__name__])
