#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the codec of the Kafka protocol from daemon/kafka/schema.

usage: gen_messages.py DIR      writes message.h, message.c, message_table.h,
                                message_table.c and fuzz.dict into DIR
       gen_messages.py --doc    prints the table of supported APIs
"""

import pathlib
import sys

sys.dont_write_bytecode = True

import gen_aux  # noqa: E402
import gen_c  # noqa: E402
import gen_schema  # noqa: E402

HERE = pathlib.Path(__file__).parent


def load():
    """All schemas: the headers first, then the APIs by key."""
    apis = [gen_schema.parse(p) for p in sorted((HERE / "schema").glob("*.schema"))]
    keys = [a.key for a in apis if a.key is not None]
    if len(keys) != len(set(keys)):
        raise gen_schema.SchemaError("two schemas have the same API key")
    return sorted(apis, key=lambda a: (a.key is not None, a.key or 0, a.name))


def generate(out):
    apis = load()
    codes = [gen_c.MessageCode(a, m) for a in apis for m in a.messages]
    files = {
        "message.h": gen_c.header(apis, codes),
        "message.c": gen_c.source(apis, codes),
        "message_table.h": gen_aux.table_header(codes),
        "message_table.c": gen_aux.table_source(codes),
        "fuzz.dict": gen_aux.dictionary(apis),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (out / name).write_text(text, encoding="utf-8")


def main(argv):
    try:
        if argv[1:] == ["--doc"]:
            print(gen_aux.support_table(load(), HERE.parent.parent), end="")
        elif len(argv) == 2 and not argv[1].startswith("-"):
            generate(pathlib.Path(argv[1]))
        else:
            print(__doc__, file=sys.stderr)
            return 2
    except gen_schema.SchemaError as e:
        print(e, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
