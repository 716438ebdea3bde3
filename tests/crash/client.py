# SPDX-License-Identifier: Apache-2.0
"""An idempotent producer of Kafka's that outlives the machine's power cuts.

usage: client.py PORT DIR

Writes each acknowledgement to DIR/acks.2000. Once DIR/end is there it sends a
few records more, waits until all it ever sent is acknowledged and makes
DIR/ended. Fails if anything was not delivered.
"""
import pathlib
import sys
import time

from confluent_kafka import Producer

import values

PRODUCER = 2000
TOPIC, PARTITION = "crash", 1
AHEAD = 100     # records that may wait for their acknowledgement
MORE = 50       # records sent after the end was asked for


def main():
    port, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    acks = open(folder / f"acks.{PRODUCER}", "a", encoding="ascii", buffering=1)
    failures, delivered = [], 0
    producer = Producer({"bootstrap.servers": f"127.0.0.1:{port}", "enable.idempotence": True,
                         "message.timeout.ms": 1800000, "batch.num.messages": 7,
                         "linger.ms": 5, "reconnect.backoff.max.ms": 500,
                         "socket.timeout.ms": 20000,
                         # A broker that is away is nothing to tell of.
                         "log_level": 2})

    def report(error, record):
        nonlocal delivered
        delivered += 1
        if error:
            failures.append(error)
            return
        sequence = int(record.value().split()[2])
        acks.write(f"ack {TOPIC} {PRODUCER} {sequence} 1 {record.partition()} "
                   f"{record.offset()} 0 0\n")

    sequence, last = 0, None
    while not failures and sequence != last:
        if last is None and (folder / "end").exists():
            last = sequence + MORE
        if sequence - delivered < AHEAD:
            producer.produce(TOPIC, values.make_value(PRODUCER, sequence), partition=PARTITION, on_delivery=report)
            sequence += 1
            producer.poll(0)
        else:
            producer.poll(0.1)
        time.sleep(0.002)
    left = producer.flush(500)
    if failures or left:
        sys.exit(f"client: {left} records are left, {failures[:3]}")
    acks.close()
    (folder / "ended").touch()


main()
