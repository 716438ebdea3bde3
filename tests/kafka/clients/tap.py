# SPDX-License-Identifier: Apache-2.0
"""Run the functions test_* of a module one after the other and report in TAP."""
import sys
import traceback


def run(module):
    cases = [(name[5:], value) for name, value in vars(module).items()
             if name.startswith("test_") and callable(value)]
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for number, (name, case) in enumerate(cases, 1):
        try:
            case()
            print(f"ok {number} - {name}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print("# " + line, flush=True)
    sys.exit(1 if failed else 0)


def equal(got, expected, what=""):
    """An assert that tells both sides."""
    if got != expected:
        raise AssertionError(f"{what}: got {got!r}, expected {expected!r}")
