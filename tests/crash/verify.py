#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""After a power cut: is every acknowledged record there, once, at its offset?

usage: verify.py [--part] DIR

DIR has acks.* (written while the machine lived) and records (read after it was
started again). Prints each break; fails if there is any, or, but with --part,
if there was nothing to lose.
"""
import collections
import glob
import sys

SHOWN = 20


def whole_lines(path):
    """Of the last write before the cut only a part may have come out."""
    with open(path, encoding="ascii") as file:
        text = file.read()
    return [line.split() for line in text[:text.rfind("\n") + 1].splitlines()]


def read_records(path):
    at, places, ends = {}, collections.defaultdict(list), {}
    for kind, *fields in whole_lines(path):
        numbers = list(map(int, fields))
        if kind == "record":
            partition, offset, producer, sequence = numbers
            at[partition, offset] = producer, sequence
            places[producer, sequence].append((partition, offset))
        elif kind == "end":
            ends[numbers[0]] = numbers[1], numbers[2]
    return at, places, ends


def check_order(at, places, ends):
    """Offsets without gaps, nothing twice, each producer's records in order."""
    for partition, (start, end) in ends.items():
        there = sorted(offset for p, offset in at if p == partition)
        if there != list(range(start, end)):
            yield f"partition {partition}: {len(there)} records from {start} to {end}"
        last = {}
        for offset in there:
            producer, sequence = at[partition, offset]
            if sequence <= last.get(producer, -1):
                yield (f"partition {partition}, offset {offset}: record {sequence} of producer "
                       f"{producer} comes behind {last[producer]}")
            last[producer] = sequence
    for (producer, sequence), where in places.items():
        if len(where) > 1:
            yield f"record {sequence} of producer {producer} is there {len(where)} times: {where}"


def check_ack(producer, sequence, partition, offset, at, ends):
    """The receipt of a send: it tells the offset of its first record."""
    name = f"record {sequence} of producer {producer}"
    if offset >= ends[partition][1]:
        yield (f"{name} was acknowledged at offset {offset} of partition {partition}, which "
               f"ends at {ends[partition][1]}")
    elif at.get((partition, offset)) != (producer, sequence):
        yield (f"{name} was acknowledged at offset {offset} of partition {partition}, where "
               f"there is {at.get((partition, offset))}")


def check_acks(acks, at, places, ends):
    for kind, *fields in acks:
        producer, first, count, *place = map(int, fields)
        if kind == "ack":
            yield from check_ack(producer, first, *place, at, ends)
        # Other producers' batches may lie between those of one send.
        for sequence in range(first, first + count):
            where = places.get((producer, sequence), [])
            if not where or kind == "ack" and where[0][0] != place[0]:
                yield (f"record {sequence} of producer {producer} was acknowledged ({kind}), "
                       f"and is not there")


def main():
    folder = sys.argv[-1]
    at, places, ends = read_records(f"{folder}/records")
    acks = [line for path in sorted(glob.glob(f"{folder}/acks.*")) for line in whole_lines(path)]
    breaks = [*check_order(at, places, ends), *check_acks(acks, at, places, ends)]
    for line in breaks[:SHOWN]:
        print(line)
    by_kind = collections.Counter()
    for kind, _, _, count, *_ in acks:
        by_kind[kind] += int(count)
    print(f"# {by_kind['ack']} records acknowledged to sockets, {by_kind['kafka']} to Kafka's "
          f"client; {len(at)} are there; {len(breaks)} breaks")
    # A cut before there was anything to lose proves nothing.
    if "--part" not in sys.argv and not (by_kind["ack"] and by_kind["kafka"]):
        sys.exit("nothing was acknowledged")
    sys.exit(1 if breaks else 0)


main()
