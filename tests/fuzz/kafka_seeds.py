#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Turns tests/unit/kafka_golden.def into seeds for fuzz_kafka_request.

usage: kafka_seeds.py DIR    (from the root of the tree)
"""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, "daemon/kafka")

import gen_messages  # noqa: E402


def main(out):
    names = [f"{a.name}{m.kind.capitalize()}"
             for a in gen_messages.load() if a.key is not None for m in a.messages]
    text = pathlib.Path("tests/unit/kafka_golden.def").read_text(encoding="utf-8")
    out.mkdir(parents=True, exist_ok=True)
    for name, version, mode, data in re.findall(r'X\((\w+), (\d+), (\w+), "(\w*)"\)', text):
        # What the fuzzer chooses by: never 0, and the message's index modulo their number.
        choice = len(names) + names.index(name)
        seed = bytes([choice, int(version)]) + bytes.fromhex(data)
        (out / f"{name}-{version}-{mode.lower()}").write_bytes(seed)


main(pathlib.Path(sys.argv[1]))
