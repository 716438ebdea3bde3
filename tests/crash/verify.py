#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""After power cuts: is there what was acknowledged, once, in order?

usage: verify.py [--part] DIR

DIR has what was written while the machine lived (acks.*, changes.*, counts.*)
and records, read after it was started again. Prints each break and what was
proved; fails if there is any break, or, but with --part, if too little happened to
prove anything. With --part there may be one topic alone.

The files' lines:
  ack TOPIC PRODUCER FIRST COUNT PARTITION OFFSET SENT SEEN
      so many records of a producer are durable, the first at this offset
  delete PARTITION OFFSET       (crash-retain) DeleteRecords is about to be asked for
  cut BEGUN BOUND TARGET        (crash-cut) truncation to TARGET is about to be asked
      for; it takes nothing below BOUND
  done BEGUN ENDED              it was answered
  txn NUMBER FIRST COUNT commit|abort   (crash-txn) it was answered so
  group OFFSET                  what the group of the transactions has in the end
  counts ROLLS COMPACTIONS RETENTIONS DELETIONS TRUNCATIONS     so far in this round
  record TOPIC PARTITION OFFSET PRODUCER SEQUENCE KEY
  end TOPIC PARTITION START END
SEEN, BEGUN and ENDED are tickets: of two things in one round that with the lower
one was first. SENT is the newest that was given out when it was sent.
"""
import collections
import glob
import sys

import values

SHOWN = 20
KEPT = 262144 // 2      # of retention.bytes, where records but no batches are counted
CONTINUING = range(1000, 3000)  # producers that go on after a power cut
FIELDS = {"ack": 9, "delete": 3, "cut": 4, "done": 3, "counts": 6, "record": 7, "end": 5,
          "txn": 5, "group": 2}
COUNTED = ("rolls", "compactions", "retentions", "deletions", "truncations")

TXN_PRODUCER = 3000
Txn = collections.namedtuple("Txn", "number first count end")
Ack = collections.namedtuple("Ack", "topic producer first count partition offset sent seen round")
Cut = collections.namedtuple("Cut", "round begun bound target ended")


def whole_lines(path):
    """Of the last write before the cut only a part may have come out."""
    with open(path, encoding="ascii") as file:
        text = file.read()
    for line in text[:text.rfind("\n") + 1].splitlines():
        fields = [int(field) if field.isdecimal() else field for field in line.split()]
        if fields and len(fields) == FIELDS.get(fields[0]):
            yield fields


def round_files(folder, name):
    """(round, line) of each line; in the order of the rounds."""
    for path in sorted(glob.glob(f"{folder}/{name}.*"), key=lambda p: int(p.rsplit(".", 1)[1])):
        for line in whole_lines(path):
            yield int(path.rsplit(".", 1)[1]), line


class Log:
    """What one partition has."""

    def __init__(self, start, end):
        self.start, self.end = start, end
        self.at = {}                            # offset: (producer, sequence)
        self.places = collections.defaultdict(list)     # (producer, sequence): [offset]


class Disk:
    """All that is known of one disk."""

    def __init__(self, folder):
        self.logs, self.acks, self.cuts, self.deletes = {}, [], [], []
        self.counts, self.newest, self.txns, self.group = {}, {}, [], None
        self.read_records(f"{folder}/records")
        for number, line in round_files(folder, "acks"):
            # Those that go on do so in more rounds than one: no tickets.
            self.acks.append(Ack(*line[1:], number // 20))
        for number, line in round_files(folder, "changes"):
            self.read_change(number, line)
        for number, line in round_files(folder, "counts"):
            self.counts[number] = line[1:]
        for _, line in round_files(folder, "transactions"):
            if line[0] == "txn":
                self.txns.append(Txn(*line[1:]))
            else:
                self.group = line[1]
        self.find_tombstones()

    def read_records(self, path):
        records = list(whole_lines(path))
        for kind, topic, partition, *fields in records:
            if kind == "end":
                self.logs[topic, partition] = Log(*fields)
        for kind, topic, partition, offset, *fields in records:
            if kind == "record":
                log = self.logs[topic, partition]
                producer, sequence, key = fields
                log.at[offset] = producer, sequence
                log.places[producer, sequence].append(offset)
                # Of the compacted topic; others have no keys.
                self.newest[key] = max(self.newest.get(key, -1), sequence)

    def find_tombstones(self):
        """The last of each key that its producer is known to have got past: what was lost
        behind it, if it was, took it along only with all that followed."""
        passed = collections.defaultdict(int)
        there = self.logs.get(("crash-compact", 0), Log(0, 0)).at.values()
        sent = [(ack.producer, ack.first) for ack in self.acks if ack.topic == "crash-compact"]
        for producer, sequence in [*there, *sent]:
            passed[producer] = max(passed[producer], sequence)
        self.tombstones = {}
        for producer, last in passed.items():
            for sequence in range(last + 1):
                if values.is_tombstone(producer, sequence):
                    self.tombstones[values.make_key(producer, sequence)] = sequence

    def read_change(self, number, line):
        kind, *fields = line
        if kind == "delete":
            self.deletes.append(fields[1])
        elif kind == "cut":
            self.cuts.append(Cut(number, *fields, None))
        elif kind == "done" and self.cuts and self.cuts[-1].begun == fields[0]:
            self.cuts[-1] = self.cuts[-1]._replace(ended=fields[1])


def check_order(name, log):
    """Nothing outside of the log's bounds or twice, each producer's records in order."""
    if any(not log.start <= offset < log.end for offset in log.at):
        yield f"{name}: records outside of {log.start} to {log.end}"
    if name[0] not in ("crash-compact", "crash-txn") and len(log.at) != log.end - log.start:
        yield f"{name}: {len(log.at)} records from {log.start} to {log.end}"
    last = {}
    for offset in sorted(log.at):
        producer, sequence = log.at[offset]
        if sequence <= last.get(producer, -1):
            yield (f"{name}, offset {offset}: record {sequence} of producer {producer} "
                   f"comes behind {last[producer]}")
        last[producer] = sequence
    for (producer, sequence), where in log.places.items():
        if len(where) > 1:
            yield f"{name}: record {sequence} of producer {producer} is there at {where}"


def check_run(ack, log, low):
    """The records of one batch, as far as they are not below this offset."""
    for i in range(ack.count):
        offset = ack.offset + i
        if offset >= low and log.at.get(offset) != (ack.producer, ack.first + i):
            yield (f"{ack}: there is {log.at.get(offset)} at {offset}, "
                   f"in a log from {log.start} to {log.end}")
            return


def check_kept(_, ack, log):
    """It may be of several batches, and those of others lie between them."""
    if log.at.get(ack.offset) != (ack.producer, ack.first):
        yield (f"{ack}: there is {log.at.get(ack.offset)} at its offset, "
               f"in a log from {log.start} to {log.end}")
    for sequence in range(ack.first, ack.first + ack.count):
        if not log.places.get((ack.producer, sequence)):
            yield f"{ack}: record {sequence} is not there"


def check_retained(_, ack, log):
    """What is left is what follows the log's start."""
    yield from check_run(ack, log, log.start)


def check_compacted(disk, ack, log):
    """It is there, or a newer one of its key is, or was one without a value."""
    key = values.make_key(ack.producer, ack.first)
    if log.at.get(ack.offset) == (ack.producer, ack.first):
        return
    if ack.offset in log.at or log.places.get((ack.producer, ack.first)):
        yield f"{ack}: it is elsewhere, or another one is in its place"
    elif (disk.newest.get(key, -1) <= ack.first and disk.tombstones.get(key, -1) < ack.first):
        yield f"{ack}: it is not there, and no newer one of its key"


def check_tombstones(disk):
    """What one of them deletes goes before it does."""
    log = disk.logs.get(("crash-compact", 0), Log(0, 0))
    for offset, (producer, sequence) in log.at.items():
        deleted = disk.tombstones.get(values.make_key(producer, sequence), -1)
        if sequence < deleted and not log.places.get((producer, deleted)) and \
                disk.newest[values.make_key(producer, sequence)] < deleted:
            yield (f"crash-compact, offset {offset}: record {sequence} of producer {producer} "
                   f"was deleted by {deleted}, which is not there any more")


def check_cut(disk, ack, log):
    """It is there, unless a truncation might have taken it; and not if one did."""
    later = [cut for cut in disk.cuts if cut.round > ack.round or
             cut.round == ack.round and not (cut.ended and cut.ended <= ack.sent)]
    bound = min((cut.bound for cut in later), default=log.end + ack.count)
    if ack.offset + ack.count <= bound:
        yield from check_run(ack, log, 0)
    if log.at.get(ack.offset) == (ack.producer, ack.first) and any(
            cut.ended and ack.offset >= cut.target and
            (cut.round > ack.round or cut.begun > ack.seen) for cut in later):
        yield f"{ack}: it was truncated, and is there"


CHECKS = {"crash": check_kept, "crash-retain": check_retained,
          "crash-compact": check_compacted, "crash-cut": check_cut}


def check_starts(disk):
    """Nobody removed more than was asked for."""
    for (topic, partition), log in disk.logs.items():
        name = f"{topic}-{partition}"
        if topic != "crash-retain":
            if log.start:
                yield f"{name} begins at {log.start}"
            continue
        kept = sum(values.length(*record) for record in log.at.values())
        asked = max(disk.deletes, default=0) if partition == 1 else 0
        if log.start > asked and kept < KEPT:
            yield (f"{name} begins at {log.start} with {kept} bytes of values; deletion was "
                   f"asked for up to {asked}")


def check_continuing(disk):
    """Producers that went on: without a gap. check_order() finds what is there twice."""
    sequences = collections.defaultdict(set)
    for log in disk.logs.values():
        for producer, sequence in log.places:
            if producer in CONTINUING:
                sequences[producer].add(sequence)
    for producer, there in sequences.items():
        missing = set(range(max(there) + 1)) - there
        if missing:
            yield f"producer {producer} has a gap: {len(missing)} records from {min(missing)} on"


def check_transactions(disk):
    """All of those that were committed and nothing of others, in the right partition."""
    expected = {(TXN_PRODUCER, sequence) for txn in disk.txns if txn.end == "commit"
                for sequence in range(txn.first, txn.first + txn.count)}
    logs = [log for (topic, _), log in disk.logs.items() if topic == "crash-txn"]
    there = {record for log in logs for record in log.places}
    if expected - there:
        yield f"of committed transactions {sorted(expected - there)[:SHOWN]} are not there"
    if there - expected:
        yield f"of aborted transactions {sorted(there - expected)[:SHOWN]} are there"
    committed = max((txn.number for txn in disk.txns if txn.end == "commit"), default=None)
    if logs and disk.group != committed:
        yield (f"the group of the transactions has {disk.group}, "
               f"and the last that was committed is {committed}")


def check(disk):
    for name, log in disk.logs.items():
        yield from check_order(name, log)
    for ack in disk.acks:
        yield from CHECKS.get(ack.topic, check_kept)(disk, ack, disk.logs[ack.topic, ack.partition])
    yield from check_starts(disk)
    yield from check_continuing(disk)
    yield from check_tombstones(disk)
    yield from check_transactions(disk)


def too_little(disk):
    """What did not happen, so that nothing was proved about it."""
    topics = {ack.topic for ack in disk.acks}
    yield from (f"nothing was acknowledged in {topic}" for topic in CHECKS.keys() - topics)
    producers = {ack.producer for ack in disk.acks}
    yield from (f"nothing was acknowledged to producer {producer}"
                for producer in (1000, 1001, 2000) if producer not in producers)
    yield from (f"no transaction ended with {end}"
                for end in ("commit", "abort") if all(txn.end != end for txn in disk.txns))
    if not disk.counts:
        yield "nothing was counted"
    for number, counts in disk.counts.items():
        yield from (f"no {name} in round {number}"
                    for name, count in zip(COUNTED, counts) if not count)


def main():
    disk = Disk(sys.argv[-1])
    breaks = [*check(disk)]
    if "--part" not in sys.argv:
        breaks += too_little(disk)
    for line in breaks[:SHOWN]:
        print(f"# {line}")
    happened = ", ".join(f"{sum(column)} {name}"
                         for name, column in zip(COUNTED, zip(*disk.counts.values())))
    records = collections.Counter()
    for ack in disk.acks:
        records[ack.topic] += ack.count
    print(f"# acknowledged: {sum(records.values())} records "
          f"({', '.join(f'{topic} {n}' for topic, n in sorted(records.items()))}); "
          f"{len(disk.txns)} transactions; meanwhile {happened or 'nothing else'}; "
          f"{sum(len(log.at) for log in disk.logs.values())} records are there; "
          f"{len(breaks)} breaks")
    sys.exit(1 if breaks else 0)


main()
