#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The checker of the power-cut test finds what it is there to find: TAP.

A disk as it should be is written down, then broken in one way after the other.
"""
import pathlib
import subprocess
import sys
import tempfile

import values

HERE = pathlib.Path(__file__).parent

def good_disk():
    """Lines by file. Of crash-compact all but the newest of each key is gone."""
    records, ends, acks = [], [], {}

    def add(topic, partition, producer, count, start=0, kept=lambda sequence: True):
        base = len([1 for r in records if r[:2] == (topic, partition)])
        for sequence in range(count):
            offset = base + sequence
            acks.setdefault(producer, []).append(
                ["ack", topic, producer, sequence, 1, partition, offset, 10, 20])
            if offset >= start and kept(sequence):
                key = values.make_key(producer, sequence) if topic == "crash-compact" else "-"
                records.append((topic, partition, offset, producer, sequence, key))
        ends.append((topic, partition, start, base + count))

    newest = {values.make_key(24, sequence): sequence for sequence in range(100)}
    add("crash", 0, 1000, 10)
    add("crash", 1, 2000, 10)
    add("crash", 2, 1001, 10)
    add("crash-compact", 0, 24, 100, kept=lambda s: s == newest[values.make_key(24, s)])
    add("crash-retain", 0, 26, 900, start=100)
    add("crash-retain", 1, 28, 50, start=20)
    add("crash-cut", 0, 29, 40)
    # Producer 30 wrote behind them before offsets from 40 on were cut.
    acks[30] = [["ack", "crash-cut", 30, 0, 5, 0, 40, 10, 20]]
    # Markers lie between the records of transactions.
    for sequence in (0, 1, 2, 3, 6, 7):
        records.append(("crash-txn", sequence % 2, sequence, 3000, sequence, "-"))
    ends += [("crash-txn", 0, 0, 10), ("crash-txn", 1, 0, 10)]
    files = {f"acks.{producer}": lines for producer, lines in acks.items()}
    files["changes.1"] = [["delete", 1, 20], ["cut", 30, 40, 45 - 5], ["done", 30, 31]]
    files["transactions.3000"] = [["txn", 0, 0, 4, "commit"], ["txn", 1, 4, 2, "abort"],
                                  ["txn", 2, 6, 2, "commit"], ["group", 2]]
    files["counts.1"] = [["counts", 0, 0, 0, 0, 0], ["counts", 9, 8, 7, 6, 5]]
    files["records"] = [["record", *r] for r in records] + [["end", *e] for e in ends]
    return files


def breaks(files):
    """The checker's exit status and what it says."""
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in files.items():
            text = "".join(" ".join(map(str, line)) + "\n" for line in lines)
            pathlib.Path(folder, name).write_text(text, encoding="ascii")
        done = subprocess.run([sys.executable, HERE / "verify.py", folder], capture_output=True,
                              encoding="utf-8", check=False)
        return done.returncode, done.stdout + done.stderr


def find(files, name, *begin):
    """The only line that begins so."""
    found = [i for i, line in enumerate(files[name]) if line[:len(begin)] == list(begin)]
    assert len(found) == 1, (name, begin, found)
    return found[0]


def drop(*begin):
    return lambda files: files["records"].pop(find(files, "records", "record", *begin))


def last_lost(files):
    """The log ends one record earlier."""
    drop("crash", 0, 9)(files)
    files["records"][find(files, "records", "end", "crash", 0)][4] = 9


def doubled(files):
    """The last record once more, behind itself."""
    line = list(files["records"][find(files, "records", "record", "crash", 0, 9)])
    line[3] = 10
    files["records"].append(line)
    files["records"][find(files, "records", "end", "crash", 0)][4] = 11


def swapped(files):
    first = files["records"][find(files, "records", "record", "crash", 0, 3)]
    second = files["records"][find(files, "records", "record", "crash", 0, 4)]
    first[5], second[5] = second[5], first[5]


def gap(files):
    """Of a producer that goes on; it is not known to have been acknowledged."""
    drop("crash", 0, 9)(files)
    files["records"].append(["record", "crash", 0, 9, 1000, 10, "-"])
    files["acks.1000"].pop()


def key_lost(files):
    """The newest record of a key."""
    newest = max(line[5] for line in files["records"] if line[:2] == ["record", "crash-compact"])
    files["records"] = [line for line in files["records"]
                        if line[:2] != ["record", "crash-compact"] or line[5] != newest]


def key_moved(files):
    line = next(l for l in files["records"] if l[:2] == ["record", "crash-compact"])
    line[3] -= 1


def newest_tombstone(files):
    """The line of one that is the newest of its key."""
    return next(i for i, line in enumerate(files["records"])
                if line[:2] == ["record", "crash-compact"] and values.is_tombstone(*line[4:6]))


def deleted_came_back(files):
    """The tombstone is gone before what it deletes is."""
    line = files["records"].pop(newest_tombstone(files))
    older = next(s for s in range(line[5]) if values.make_key(24, s) == line[6])
    files["records"].append(["record", "crash-compact", 0, older, 24, older, line[6]])


def transaction_lost(files):
    drop("crash-txn", 1, 3)(files)


def aborted_is_there(files):
    files["records"].append(["record", "crash-txn", 0, 4, 3000, 4, "-"])


def group_went_back(files):
    files["transactions.3000"][-1][1] = 0


def group_is_ahead(files):
    """As if the offset of an aborted transaction counted."""
    files["transactions.3000"][-2][-1] = "abort"
    for sequence in (6, 7):
        drop("crash-txn", sequence % 2, sequence)(files)


def nothing_aborted(files):
    del files["transactions.3000"][1]


def hole(files):
    drop("crash-retain", 0, 500)(files)


def too_much_removed(files):
    files["records"] = [line for line in files["records"]
                        if line[:3] != ["record", "crash-retain", 0] or line[3] >= 850]
    files["records"][find(files, "records", "end", "crash-retain", 0)][3] = 850


def more_deleted_than_asked(files):
    drop("crash-retain", 1, 20)(files)
    files["records"][find(files, "records", "end", "crash-retain", 1)][3] = 21


def below_the_cut(files):
    """A truncation took one that was not to go."""
    drop("crash-cut", 0, 39)(files)
    files["records"][find(files, "records", "end", "crash-cut", 0)][4] = 39


def cut_came_back(files):
    for i in range(5):
        files["records"].append(["record", "crash-cut", 0, 40 + i, 30, i, "-"])
    files["records"][find(files, "records", "end", "crash-cut", 0)][4] = 45


def sent_after_the_cut(files):
    """Then the truncation is no excuse."""
    files["acks.30"][0][7:] = [31, 40]


def other_round(files):
    """Nor is one of an earlier round."""
    files["changes.0"] = files.pop("changes.1")


def nothing_compacted(files):
    files["counts.1"][-1][2] = 0


def no_client(files):
    del files["acks.2000"]


BREAKS = (last_lost, doubled, swapped, gap, key_lost, key_moved, hole, too_much_removed,
          more_deleted_than_asked, below_the_cut, cut_came_back, sent_after_the_cut, other_round,
          nothing_compacted, no_client, deleted_came_back, transaction_lost, aborted_is_there,
          group_went_back, group_is_ahead, nothing_aborted)


def interrupted(files):
    """The cut came while it was truncated: what it was to take may be there."""
    files["changes.1"].pop()
    cut_came_back(files)


def tombstone_gone(files):
    """It deleted all there was, and has had its time."""
    files["records"].pop(newest_tombstone(files))


def torn_line(files):
    files["acks.30"].append(["ack", "crash", 30])


def main():
    cases = [(case, True) for case in (lambda files: None, interrupted, torn_line,
                                          tombstone_gone)]
    cases += [(case, False) for case in BREAKS]
    print(f"1..{len(cases)}")
    failed = False
    for number, (case, right) in enumerate(cases, 1):
        files = good_disk()
        case(files)
        status, text = breaks(files)
        passed = (status == 0) == right and "Traceback" not in text
        failed |= not passed
        if not passed:
            print("".join(f"# {line}\n" for line in text.splitlines()), end="")
        name = "as it should be" if case.__name__ == "<lambda>" else case.__name__
        print(f"{'' if passed else 'not '}ok {number} - verify: {name}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
