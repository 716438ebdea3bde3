# SPDX-License-Identifier: Apache-2.0
"""aiokafka against sluice: codecs, times, groups, transactions.

usage: aiokafka_client.py HOST:PORT
"""
import asyncio
import sys
import time
import types
import uuid

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

import tap

SERVER = sys.argv[1]
RUN = uuid.uuid4().hex[:8]
LIMIT = 60
START = int(time.time()) * 1000 - 3600000   # old ones would be deleted


async def create(case, partitions=1, config=None):
    topic = f"aio-{case}-{RUN}"
    admin = AIOKafkaAdminClient(bootstrap_servers=SERVER)
    await admin.start()
    await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=config or {})])
    await admin.close()
    return topic


async def produce(topic, values, **settings):
    async with AIOKafkaProducer(bootstrap_servers=SERVER, **settings) as producer:
        sent = [await producer.send(topic, value=value, key=b"k%d" % i, partition=0,
                                    timestamp_ms=START + i * 1000,
                                    headers=[("number", b"%d" % i), ("null", None)])
                for i, value in enumerate(values)]
        return [(await one).offset for one in sent]


async def read(topics, count, **settings):
    settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, **settings}
    async with AIOKafkaConsumer(*topics, bootstrap_servers=SERVER, **settings) as consumer:
        return [await consumer.getone() for _ in range(count)]


async def round_trip(codec):
    topic = await create(f"codec-{codec}")
    values = [b"value %d " % i * 20 for i in range(300)]
    tap.equal(await produce(topic, values, compression_type=codec, acks="all"),
              list(range(300)), "offsets")
    records = await read([topic], 300)
    tap.equal([r.value for r in records], values, "values")
    tap.equal([r.key for r in records], [b"k%d" % i for i in range(300)], "keys")
    tap.equal([r.timestamp for r in records], [START + i * 1000 for i in range(300)], "times")
    tap.equal(records[7].headers, (("number", b"7"), ("null", None)), "headers")


async def idempotent():
    topic = await create("idempotent")
    values = [b"%d" % i for i in range(100)]
    await produce(topic, values, enable_idempotence=True)
    tap.equal([r.value for r in await read([topic], 100)], values, "values")


async def tombstones():
    topic = await create("null")
    async with AIOKafkaProducer(bootstrap_servers=SERVER) as producer:
        await producer.send_and_wait(topic, value=None, key=b"k")
        await producer.send_and_wait(topic, value=b"", key=None)
    first, second = await read([topic], 2)
    tap.equal((first.key, first.value, second.key, second.value), (b"k", None, None, b""), "records")


async def offsets_by_time_and_seek():
    topic = await create("seek")
    await produce(topic, [b"%d" % i for i in range(10)])
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=SERVER) as consumer:
        consumer.assign([partition])
        found = await consumer.offsets_for_times({partition: START + 4500})
        tap.equal((found[partition].offset, found[partition].timestamp), (5, START + 5000), "by time")
        tap.equal(await consumer.beginning_offsets([partition]), {partition: 0}, "begin")
        tap.equal(await consumer.end_offsets([partition]), {partition: 10}, "end")
        consumer.seek(partition, 8)
        tap.equal((await consumer.getone()).offset, 8, "seek")


async def records_are_deleted():
    topic = await create("delete")
    await produce(topic, [b"%d" % i for i in range(10)])
    admin = AIOKafkaAdminClient(bootstrap_servers=SERVER)
    await admin.start()
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=4)})
    await admin.close()
    tap.equal((await read([topic], 1))[0].offset, 4, "the first that is left")


async def until(what):
    while not what():
        await asyncio.sleep(0.1)


async def group():
    topic = await create("group", 4)
    settings = {"bootstrap_servers": SERVER, "group_id": f"aio-group-{RUN}",
                "auto_offset_reset": "earliest", "enable_auto_commit": False,
                "session_timeout_ms": 10000, "heartbeat_interval_ms": 500}
    first, second = AIOKafkaConsumer(topic, **settings), AIOKafkaConsumer(topic, **settings)
    await first.start()
    await until(lambda: len(first.assignment()) == 4)
    starting = asyncio.ensure_future(second.start())
    # The generation comes to its end as members poll.
    while len(first.assignment()) != 2 or not starting.done() or len(second.assignment()) != 2:
        await first.getmany(timeout_ms=100)
    tap.equal(first.assignment() & second.assignment(), set(), "both have it")
    async with AIOKafkaProducer(bootstrap_servers=SERVER) as producer:
        for partition in range(4):
            await producer.send_and_wait(topic, b"%d" % partition, partition=partition)
    got = [await member.getone() for member in (first, first, second, second)]
    tap.equal(sorted(r.value for r in got), [b"0", b"1", b"2", b"3"], "records")
    await first.commit()
    await second.stop()
    while len(first.assignment()) != 4:
        await first.getmany(timeout_ms=100)
    committed = [await first.committed(TopicPartition(topic, p)) for p in range(4)]
    tap.equal(sorted(committed, key=str), [1, 1, None, None], "committed")
    await first.stop()


async def transactions():
    topic, group_id = await create("txn"), f"aio-txn-{RUN}"
    partition = TopicPartition(topic, 0)
    producer = AIOKafkaProducer(bootstrap_servers=SERVER, transactional_id=f"aio-{RUN}")
    async with producer:
        for value, commit in ((b"first", True), (b"second", False), (b"third", True)):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, value, partition=0)
            await producer.send_offsets_to_transaction({partition: 1 if commit else 77}, group_id)
            await (producer.commit_transaction() if commit else producer.abort_transaction())
    committed = await read([topic], 2, isolation_level="read_committed")
    tap.equal([r.value for r in committed], [b"first", b"third"], "committed")
    tap.equal(len(await read([topic], 3, isolation_level="read_uncommitted")), 3, "all of them")
    async with AIOKafkaConsumer(bootstrap_servers=SERVER, group_id=group_id,
                                enable_auto_commit=False) as consumer:
        consumer.assign([partition])
        tap.equal(await consumer.committed(partition), 1, "offset of the group")


def case(function, *arguments):
    return lambda: asyncio.run(asyncio.wait_for(function(*arguments), LIMIT))


CASES = types.SimpleNamespace(
    **{f"test_round_trip_{codec}": case(round_trip, codec)
       for codec in (None, "gzip", "snappy", "lz4", "zstd")},
    test_idempotent=case(idempotent), test_tombstones=case(tombstones),
    test_offsets_by_time_and_seek=case(offsets_by_time_and_seek),
    test_records_are_deleted=case(records_are_deleted), test_group=case(group),
    test_transactions=case(transactions))

tap.run(CASES)
