# SPDX-License-Identifier: Apache-2.0
"""A transactional producer of Kafka's that outlives the machine's power cuts.

usage: transactions.py PORT DIR

Each transaction has records in both partitions and moves the group's offset to its
number. Writes to DIR/transactions.3000 how it was answered. Once DIR/end is there it
leaves one open, as a producer that is killed would, and a new one of the same id has to
get it out of the way. Makes DIR/ended.transactions. Fails if any was not answered.
"""
import pathlib
import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

import values

PRODUCER = 3000
TOPIC, PARTITIONS, GROUP = "crash-txn", 2, "crash-group"
RECORDS = 9     # of a transaction at most
WAIT = 60       # seconds for one call, which is then made again


def insist(call, *arguments):
    """Until it is answered, with whatever comes between: an error is one to tell of
    only if the transaction cannot go on."""
    while True:
        try:
            return call(*arguments, WAIT)
        except KafkaException as error:
            if not error.args[0].retriable() and error.args[0].code() != KafkaError._TIMED_OUT:
                raise
        time.sleep(0.1)


class Client:
    def __init__(self, port, out):
        self.out, self.sequence, self.number = out, 0, 0
        # One that bootstraps anew goes on to ask the group's coordinator that it knew
        # before, and waits for it for ever (librdkafka 2.16).
        self.servers = {"bootstrap.servers": f"127.0.0.1:{port}", "socket.timeout.ms": 20000,
                        "metadata.recovery.strategy": "none",
                        "reconnect.backoff.max.ms": 500, "log_level": 2}
        self.consumer = Consumer({**self.servers, "group.id": GROUP})
        self.start()

    def start(self):
        """As one that begins: transactions that are open are aborted."""
        self.producer = Producer({**self.servers, "transactional.id": "crash", "linger.ms": 1,
                                  "transaction.timeout.ms": 900000,
                                  "message.timeout.ms": 890000, "batch.num.messages": 4})
        insist(self.producer.init_transactions)

    def send(self):
        """The records and the offset of the next transaction; how many."""
        count = 1 + values.mix(PRODUCER, self.number) % RECORDS
        self.producer.begin_transaction()
        for sequence in range(self.sequence, self.sequence + count):
            self.producer.produce(TOPIC, values.make_value(PRODUCER, sequence),
                                  partition=sequence % PARTITIONS)
        insist(self.producer.send_offsets_to_transaction,
               [TopicPartition(TOPIC, 0, self.number)], self.consumer.consumer_group_metadata())
        return count

    def answered(self, count, end):
        self.out.write(f"txn {self.number} {self.sequence} {count} {end}\n")
        self.sequence += count
        self.number += 1

    def transaction(self, end):
        count = self.send()
        if end == "commit":
            insist(self.producer.commit_transaction)
        else:
            # Not the client alone drops them: the log has them, and their abort.
            self.producer.flush(WAIT)
            insist(self.producer.abort_transaction)
        self.answered(count, end)

    def leave_one_open(self):
        count = self.send()
        if self.producer.flush(WAIT):
            sys.exit("transactions: records of the one that is left open are not delivered")
        self.start()
        self.answered(count, "abort")

    def group_offset(self):
        return insist(self.consumer.committed, [TopicPartition(TOPIC, 0)])[0].offset


def main():
    port, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    with open(folder / f"transactions.{PRODUCER}", "a", encoding="ascii", buffering=1) as out:
        client = Client(port, out)
        while not (folder / "end").exists():
            mixed = values.mix(PRODUCER + 1, client.number)
            client.transaction("abort" if mixed % 4 == 0 else "commit")
        client.leave_one_open()
        client.transaction("commit")
        # Offsets are there once the markers are: what comes next waits for those.
        client.transaction("abort")
        out.write(f"group {client.group_offset()}\n")
    (folder / "ended.transactions").touch()


main()
