#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Mechanical rules of the tree; prints each break of one, fails if there is any.

What is checked is what git has and what it would take (no ignored files).
"""
import filecmp
import os
import re
import subprocess
import sys

FILE_LINES = 900
FUNCTION_LINES = 70
# Read by programs or licences: no comment to put an SPDX line in.
NO_SPDX = re.compile(r"^LICENSES/|^\.(gitignore|clang-format|editorconfig)$|\.(json|md|dict)$|/go\.sum$"
                     r"|/seeds/|/corpus/")
SPDX_WITHIN = 3
GENERATED = re.compile(r"Written by \S+; do not edit")
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + r")\b")

breaks = []


def report(path, line, what):
    breaks.append(f"{path}:{line}: {what}")


def tracked():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"],
                         check=True, capture_output=True).stdout
    return sorted(name.decode() for name in out.split(b"\0") if name)


def check_text(path, lines):
    for number, line in enumerate(lines, 1):
        if line != line.rstrip() and not path.endswith(".md"):
            report(path, number, "white space at the end of the line")
        if UNFINISHED.search(line):
            report(path, number, "unfinished: do it or file an issue")


def check_spdx(path, lines):
    if not NO_SPDX.search(path) and lines and \
            not any("SPDX-License-Identifier:" in line for line in lines[:SPDX_WITHIN]):
        report(path, 1, "no SPDX line")


def check_functions(path, lines):
    """A function's body stands between a { and a } in the first column."""
    begin = 0
    for number, line in enumerate(lines, 1):
        if line == "{":
            begin = number
        elif line == "}" and begin:
            if number - begin - 1 > FUNCTION_LINES:
                report(path, begin, f"function of {number - begin - 1} lines"
                                    f" (at most {FUNCTION_LINES})")
            begin = 0


def check_readme(paths):
    if "README.md" not in paths:
        report("README.md", 1, "missing")


def check_generated():
    """Documentation that is committed, though made from the netlink spec."""
    spec = "Documentation/netlink/specs/sluice.yaml"
    made = "build/netlink.md"
    subprocess.run([sys.executable, "tools/gen_netlink.py", spec, "--doc", made], check=True)
    committed = "Documentation/netlink.md"
    if not os.path.exists(committed) or not filecmp.cmp(made, committed, shallow=False):
        report(committed, 1, f"not what the spec makes: make -B {committed}")


def main():
    paths = tracked()
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (UnicodeDecodeError, FileNotFoundError):
            continue  # binary seeds; files deleted but not committed yet
        lines = text.splitlines()
        if path.startswith("LICENSES/"):
            continue
        if len(lines) > FILE_LINES and not any(map(GENERATED.search, lines[:10])):
            report(path, len(lines), f"file of {len(lines)} lines (at most {FILE_LINES})")
        if text and not text.endswith("\n"):
            report(path, len(lines), "no newline at the end of the file")
        check_text(path, lines)
        check_spdx(path, lines)
        if path.endswith((".c", ".h")):
            check_functions(path, lines)
    check_readme(paths)
    check_generated()
    for line in breaks:
        print(line)
    sys.exit(f"tidy: {len(breaks)} to mend" if breaks else 0)


main()
