# SPDX-License-Identifier: Apache-2.0
"""Consumer groups of kafka-python and confluent-kafka: members that come and go,
offsets that stay.

usage: groups.py HOST:PORT before|after RUN

"before" is run first, then the daemon is started anew, then "after" is run
with the same RUN.
"""
import sys
import threading
import time
import types

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka.admin import AdminClient
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

import tap

SERVER, PHASE, RUN = sys.argv[1:4]
PARTITIONS = 4
RECORDS = 100
TOPIC = f"groups-{RUN}"
PYTHON, CONFLUENT, STATIC = f"python-{RUN}", f"confluent-{RUN}", f"static-{RUN}"


def wait_for(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"no {what} after {seconds} s")
        time.sleep(0.1)


class Member(threading.Thread):
    """A member of a group that polls until it is told to end."""

    def __init__(self):
        super().__init__(daemon=True)
        self.owned, self.records = set(), []
        self.ended = threading.Event()
        self.start()

    def end(self):
        self.ended.set()
        self.join(60)
        assert not self.is_alive(), "a member does not end"


class PythonMember(Member):
    def run(self):
        consumer = KafkaConsumer(TOPIC, bootstrap_servers=SERVER, group_id=PYTHON,
                                 auto_offset_reset="earliest", enable_auto_commit=False,
                                 session_timeout_ms=10000, heartbeat_interval_ms=500)
        while not self.ended.is_set():
            for batch in consumer.poll(timeout_ms=200).values():
                self.records += [(r.partition, r.offset) for r in batch]
                try:
                    consumer.commit()
                except KafkaError:
                    pass  # a rebalance came first: what follows is committed later
            self.owned = {p.partition for p in consumer.assignment()}
        self.owned = set()
        consumer.close()


class ConfluentMember(Member):
    def __init__(self, strategy, group=CONFLUENT, instance=None):
        self.settings = {"bootstrap.servers": SERVER, "group.id": group,
                         "auto.offset.reset": "earliest", "enable.auto.commit": False,
                         "session.timeout.ms": 10000, "heartbeat.interval.ms": 500,
                         "partition.assignment.strategy": strategy}
        if instance:
            self.settings["group.instance.id"] = instance
        super().__init__()

    def run(self):
        consumer = Consumer(self.settings)
        consumer.subscribe([TOPIC])
        while not self.ended.is_set():
            message = consumer.poll(0.2)
            if message is not None and not message.error():
                self.records.append((message.partition(), message.offset()))
                try:
                    consumer.commit(asynchronous=False)
                except KafkaException:
                    pass  # a rebalance came first: what follows is committed later
            self.owned = {p.partition for p in consumer.assignment()}
        self.owned = set()
        consumer.close()


def shared(*members):
    """Whether each partition has one owner, and each member one partition or more."""
    owned = [p for m in members for p in m.owned]
    return sorted(owned) == list(range(PARTITIONS)) and all(m.owned for m in members)


def come_and_go(open_member):
    """All records once over members that come and go."""
    first = open_member()
    wait_for("assignment", lambda: shared(first))
    second = open_member()
    wait_for("share for the second", lambda: shared(first, second))
    third = open_member()
    wait_for("share for the third", lambda: shared(first, second, third))
    first.end()
    wait_for("share without the first", lambda: shared(second, third))
    members = [first, second, third]
    wait_for("records", lambda: len({r for m in members for r in m.records}) ==
             PARTITIONS * RECORDS)
    second.end()
    third.end()


def committed(group):
    """What a group has committed, by confluent-kafka's admin client."""
    admin = AdminClient({"bootstrap.servers": SERVER})
    future = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group]
    return {p.partition: p.offset for p in future.result(30).topic_partitions}


def test_kafka_python_members_come_and_go():
    come_and_go(PythonMember)
    assert committed(PYTHON) == {p: RECORDS for p in range(PARTITIONS)}, committed(PYTHON)


def test_confluent_members_come_and_go():
    come_and_go(lambda: ConfluentMember("range"))
    assert committed(CONFLUENT) == {p: RECORDS for p in range(PARTITIONS)}


def test_cooperative_members_come_and_go():
    group = f"cooperative-{RUN}"
    come_and_go(lambda: ConfluentMember("cooperative-sticky", group))


def test_static_member_comes_back_without_a_rebalance():
    one = ConfluentMember("range", STATIC, "one")
    two = ConfluentMember("range", STATIC, "two")
    wait_for("assignment", lambda: shared(one, two))
    owned = set(two.owned)
    two.end()
    assert shared(one) is False and one.owned.isdisjoint(owned)
    two = ConfluentMember("range", STATIC, "two")
    wait_for("assignment of the one that came back", lambda: two.owned == owned)
    one.end()
    two.end()


def test_admin_sees_and_deletes_groups():
    admin = AdminClient({"bootstrap.servers": SERVER})
    simple = f"simple-{RUN}"
    consumer = KafkaConsumer(bootstrap_servers=SERVER, group_id=simple, enable_auto_commit=False)
    consumer.assign([TopicPartition(TOPIC, 0)])
    consumer.commit({TopicPartition(TOPIC, 0): OffsetAndMetadata(7, "seven", -1)})
    assert consumer.committed(TopicPartition(TOPIC, 0)) == 7
    consumer.close()
    names = {g.group_id for g in admin.list_consumer_groups().result(30).valid}
    assert {simple, PYTHON, CONFLUENT} <= names, names
    about = admin.describe_consumer_groups([CONFLUENT])[CONFLUENT].result(30)
    assert about.state.name == "EMPTY" and not about.members, about
    admin.delete_consumer_groups([simple])[simple].result(30)
    names = {g.group_id for g in admin.list_consumer_groups().result(30).valid}
    assert simple not in names
    assert committed(simple) == {}


def test_offsets_are_there_after_the_restart():
    for group in PYTHON, CONFLUENT, f"cooperative-{RUN}":
        assert committed(group) == {p: RECORDS for p in range(PARTITIONS)}, group


def test_group_goes_on_after_the_restart():
    produce(1)
    member = PythonMember()
    wait_for("new records", lambda: len(member.records) >= PARTITIONS)
    member.end()
    assert sorted(member.records) == [(p, RECORDS) for p in range(PARTITIONS)], member.records


def produce(count):
    producer = KafkaProducer(bootstrap_servers=SERVER)
    for n in range(count):
        for partition in range(PARTITIONS):
            producer.send(TOPIC, b"%d" % n, partition=partition)
    producer.close()


def run(cases):
    tap.run(types.SimpleNamespace(**{case.__name__: case for case in cases}))


if PHASE == "before":
    admin = KafkaAdminClient(bootstrap_servers=SERVER)
    admin.create_topics({TOPIC: {"num_partitions": PARTITIONS, "replication_factor": 1,
                                 "configs": {}}}, wait_for_metadata=True)
    admin.close()
    produce(RECORDS)
    run([test_kafka_python_members_come_and_go, test_confluent_members_come_and_go,
         test_cooperative_members_come_and_go,
         test_static_member_comes_back_without_a_rebalance, test_admin_sees_and_deletes_groups])
else:
    run([test_offsets_are_there_after_the_restart, test_group_goes_on_after_the_restart])
