#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The reader of daemon/kafka/schema: what it refuses, and where it says the fault is.

Run from the root of the tree; reports by TAP.
"""

import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, "daemon/kafka")

import gen_schema  # noqa: E402

HEAD = "api Test 1\nversions 0-5\nflexible 3+\n\nrequest\n"

# name, file, line of the fault, part of the text
REFUSED = [
    ("a version range that ends before it begins", HEAD + "\tA int32 4-2\n", 6, "ends before"),
    ("a version range that is none", HEAD + "\tA int32 x\n", 6, "not a range"),
    ("a field in no version of the API", HEAD + "\tA int32 6+\n", 6, "in no version"),
    ("a field without versions", HEAD + "\tA int32\n", 6, "NAME TYPE VERSIONS"),
    ("an unknown option", HEAD + "\tA int32 0+ optional\n", 6, "'optional'"),
    ("the same field twice", HEAD + "\tA int32 0+\n\tA int32 0+\n", 7, "twice"),
    ("the same tag twice", HEAD + "\tA int32 3+ tag 0\n\tB int32 3+ tag 0\n", 5, "tag"),
    ("a tag before the flexible versions", HEAD + "\tA int32 2+ tag 0\n", 6, "flexible"),
    ("tagged records", HEAD + "\tA records 3+ tag 0\n", 6, "records"),
    ("a null integer", HEAD + "\tA int32 0+ null 0+\n", 6, "cannot be null"),
    ("null as default where it is not allowed", HEAD + "\tA string 0+ = null\n", 6, "null"),
    ("a default that does not fit", HEAD + "\tA int8 0+ = 128\n", 6, "does not fit"),
    ("a structure without fields", HEAD + "\tA []Thing 0+\n", 6, "no fields"),
    ("a structure of the name of another", HEAD + "\tA []T 0+\n\t\tX int8 0+\n\tB []T 0+\n"
     "\t\tX int8 0+\n", 8, "twice"),
    ("a field too deep", HEAD + "\tA int32 0+\n\t\t\tB int32 0+\n", 7, "belong"),
    ("a message that is neither request nor response", HEAD.replace("request", "answer")
     + "\tA int32 0+\n", 5, "'answer'"),
    ("served versions that are not there", HEAD.replace("flexible", "served 0-6\nflexible"), 6,
     "served"),
    ("versions without end", HEAD.replace("0-5", "0+"), 5, "end"),
    ("an unknown word in the head", "license Apache-2.0\n" + HEAD, 6, "license"),
    ("an API without a key", HEAD.replace("api Test 1", "api Test"), 5, "api NAME KEY"),
    ("no message", "api Test 1\nversions 0-5\n", 2, "no message"),
]


def parse(text):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "Test.schema"
        path.write_text(text, encoding="utf-8")
        return gen_schema.parse(path)


def refused(text, line, part):
    try:
        parse(text)
    except gen_schema.SchemaError as e:
        wanted = f"Test.schema:{line}: "
        return wanted in str(e) and part in str(e), str(e)
    return False, "not refused"


def reads_a_message():
    api = parse(HEAD + "\tA []Thing 1+ null 2-3\t-- why\n\t\tB int32 0+ = -1\n\tC string 3+ tag 7\n")
    a, c = api.messages[0].root.fields
    return (a.is_array and a.struct.name == "Thing" and a.about == "why"
            and (a.versions.low, a.versions.high) == (1, 5)
            and (a.nullable.low, a.nullable.high) == (2, 3)
            and a.struct.fields[0].default == "-1" and c.tag == 7
            and [gen_schema.min_size(a.struct, api, v) for v in (1, 3)] == [4, 5]), ""


def documentation_is_up_to_date():
    out = subprocess.run([sys.executable, "daemon/kafka/gen_messages.py", "--doc"], check=True,
                         capture_output=True, text=True).stdout
    same = out == pathlib.Path("Documentation/kafka-support.md").read_text(encoding="utf-8")
    return same, "run: make -B Documentation/kafka-support.md"


def main():
    tests = [(f"parse__refuses {name}", refused(text, line, part))
             for name, text, line, part in REFUSED]
    tests.append(("parse__reads a message", reads_a_message()))
    tests.append(("doc__is up to date", documentation_is_up_to_date()))
    print(f"1..{len(tests)}")
    for number, (name, (good, why)) in enumerate(tests, 1):
        print(f"{'ok' if good else 'not ok'} {number} - {name}" + ("" if good else f" # {why}"))
    return 0 if all(good for _, (good, _) in tests) else 1


sys.exit(main())
