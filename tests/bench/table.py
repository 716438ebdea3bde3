#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print the rows of one machine as a table, and keep them as JSON.

usage: table.py KERNEL FS HOW ROWS JSON
"""
import json
import sys

UNITS = {"instructions": {"ns": "instructions"}, "wall": {}}


def number(value):
    return f"{value:,.0f}" if value else "-"


def print_histogram(line):
    print(f"\n{line['histogram']}; {line['unit']}, how many took at most")
    most = max(count for _, count in line["bars"])
    for bar, count in line["bars"]:
        print(f"{number(bar):>13} {count:>7} {'#' * max(1, round(50 * count / most))}")


def main():
    kernel, filesystem, how, rows_path, json_path = sys.argv[1:]
    with open(rows_path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    rows = [line for line in lines if "what" in line]
    histograms = [line for line in lines if "histogram" in line]
    print(f"\nLinux {kernel}, {filesystem}; {how}, page cache only unless said")
    print(f"{'':59} {'sluice':>13} {'reference':>13} {'ratio':>7} {'goal':>7}")
    for row in rows:
        row["unit"] = UNITS[how].get(row["unit"], row["unit"])
        row["ratio"] = row["ours"] / row["reference"] if row["reference"] else None
        # Without a goal it is beside the others to be seen.
        row["met"] = not row["goal"] or (row["ratio"] or row["ours"]) <= row["goal"]
        ratio = f"{row['ratio']:.2f}" if row["ratio"] else "-"
        goal = f"{row['goal']:.3g}" if row["goal"] and row["reference"] else number(row["goal"])
        print(f"{row['what']:59} {number(row['ours']):>13} {number(row['reference']):>13} "
              f"{ratio:>7} {goal:>7} {'' if row['met'] else '  missed'}")
    for line in histograms:
        line["unit"] = UNITS[how].get(line["unit"], line["unit"])
        print_histogram(line)
    with open(json_path, "w", encoding="utf-8") as file:
        json.dump({"kernel": kernel, "filesystem": filesystem, "how": how, "rows": rows,
                   "histograms": histograms}, file, indent=1)


main()
