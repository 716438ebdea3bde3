#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ask Apache Kafka and sluice the same, and tell where the answers differ.

usage: differential.py JAR KAFKA_PORT SLUICE_PORT INTENDED [CASE...]

JAR is Kafka's client library, whose schemas the requests are made from;
INTENDED the Markdown file with the differences that are meant. With CASEs only
these functions of cases_*.py are run, and rows that do not occur are no matter.
Reports in TAP; fails on a difference that is not listed, and on a listed one
that does not occur any more.
"""
import sys
import time
import traceback

import cases_admin
import cases_generated
import cases_groups
import cases_log
import cases_txn
import intended
import schema
from pair import KAFKA, SIDES, SLUICE, Pair

CASES = (*cases_log.CASES, *cases_admin.CASES, *cases_groups.CASES, *cases_txn.CASES,
         *cases_generated.CASES)


def versions_text(versions):
    low, high = min(versions), max(versions)
    whole = set(versions) == set(range(low, high + 1))
    return f"v{low}" if low == high else f"v{low}-{high}" if whole \
        else "v" + ",".join(map(str, sorted(versions)))


def api_versions(p):
    """What both offer, which is what is asked from here on."""
    p.case = "api_versions"
    for version in range(5):
        answer = p.ask("ApiVersions", version, {"ClientSoftwareName": "d", "ClientSoftwareVersion": "1"})
    offered = [{a["ApiKey"]: (a["MinVersion"], a["MaxVersion"]) for a in side["ApiKeys"]}
               for side in answer.sides]
    for key in sorted(set(offered[KAFKA]) & set(offered[SLUICE])):
        low = max(offered[side][key][0] for side in SIDES)
        high = min(offered[side][key][1] for side in SIDES)
        p.common[p.names[key]] = range(low, high + 1)
    # Offered for the sake of old clients, served by neither.
    p.common["Produce"] = range(3, p.common["Produce"].stop)


def prepare(p):
    """Both have their internal topics."""
    for kind in (0, 1):
        p.prepare("FindCoordinator", 3, {"Key": "prepare", "KeyType": kind},
                  lambda a: not a["ErrorCode"])
    p.prepare("InitProducerId", 4, {"TransactionalId": None, "TransactionTimeoutMs": 60000},
              lambda a: not a["ErrorCode"])
    for topic in ("__consumer_offsets", "__transaction_state"):
        p.await_topic(topic)


def tell(differences):
    """One line for each field, with the values that it had first."""
    fields = {}
    for where, api, versions, field, *values in differences:
        fields.setdefault((where, api, field), []).append((versions, values))
    for (where, api, field), found in fields.items():
        versions = sorted({v for some, _ in found for v in some})
        kafka, sluice = found[0][1]
        more = f" and {len(found) - 1} pairs more" if len(found) > 1 else ""
        print(f"# {where}: {api} {versions_text(versions)} {field}: "
              f"kafka={kafka} sluice={sluice}{more}", flush=True)


def run(p, cases, rows):
    failed = told = 0
    for number, case in enumerate(cases, 1):
        p.case = case.__name__
        begin = time.monotonic()
        trouble = None
        try:
            case(p)
        except Exception:  # pylint: disable=broad-except
            trouble = traceback.format_exc()
        left = intended.unlisted(rows, p.differences.found)
        bad = trouble or len(left) > told
        failed += bool(bad)
        print(f"{'not ok' if bad else 'ok'} {number} - {case.__name__}", flush=True)
        print(f"# {p.requests} requests, {time.monotonic() - begin:.1f} s", flush=True)
        for line in (trouble or "").splitlines():
            print("# " + line)
        tell(left[told:])
        told = len(left)
    return failed


def main(argv):
    jar, kafka_port, sluice_port, intended_file, *only = argv[1:]
    rows = intended.read(intended_file)
    p = Pair([("127.0.0.1", int(kafka_port)), ("127.0.0.1", int(sluice_port))],
             schema.read_messages(jar), rows)
    cases = [case for case in CASES if not only or case.__name__ in only]
    if not only:
        cases = [api_versions, *cases]
    else:
        api_versions(p)
    prepare(p)
    print(f"1..{len(cases) + 1}")
    failed = run(p, cases, rows)
    stale = [] if only else [row for row in rows if not row.used]
    print(f"{'not ok' if stale else 'ok'} {len(cases) + 1} - listed_differences_occur")
    for row in stale:
        print(f"# {intended_file}:{row.line} does not occur any more: {row.text}")
    print(f"# {p.requests} requests to each broker, {len(p.differences.found)} differences,"
          f" {len(intended.unlisted(rows, p.differences.found))} of them not listed")
    return 1 if failed or stale else 0


if __name__ == "__main__":
    if len(sys.argv) < 5:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv))
