#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run the README's tour exactly as printed: the `sh` blocks of its section
# "Tour", in order, in one shell that stops at the first failure.
#
# usage: tour.sh		(KERNEL and FS in the environment choose the machine)
set -euo pipefail

cd "$(dirname "$0")/../.."
tour=$(awk '/^## / { on = $0 == "## Tour" } on && /^```/ { code = $0 == "```sh"; next } on && code' README.md)
[ -n "$tour" ] || { echo "tour: no commands in README.md" >&2; exit 1; }

# What the reader of the README does not see: stop on failures, show commands.
bash -euo pipefail -x -c "$tour" || {
	status=$?
	echo "tour: a command failed ($status)" >&2
	timeout 120 make stop || true
	exit "$status"
}
