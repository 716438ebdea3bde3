#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Measure, in machines that count instructions, and print the table.
#
# usage: bench.sh [--wall] KERNEL... -- FS...
#
# Under instruction counting the figures are exact and independent of the host.
# With --wall the same is measured by the clock, on two CPUs, for what it is worth
# in an emulated machine. Rows go to build/bench/<kernel>-<fs>.json.
set -euo pipefail

cd "$(dirname "$0")/.."
count=-i how=instructions
if [ "${1:-}" = --wall ]; then
	count='' how=wall
	shift
fi
kernels=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	kernels+=("$1")
	shift
done
if [ $# -lt 2 ] || [ ${#kernels[@]} = 0 ]; then
	sed -n 's/^# \{0,1\}//;3,9p' "$0" >&2
	exit 2
fi
shift

failed=0
for kernel in "${kernels[@]}"; do
	for fs; do
		out=$PWD/build/bench/$kernel-$fs-$how
		rm -rf "$out"
		mkdir -p "$out"
		echo "bench: Linux $kernel on $fs, $how ..."
		# shellcheck disable=SC2086
		tests/vm/vm.sh -k "$kernel" -f "$fs" $count -n -m 4096 -s 8192 -o "$out" -t 3000 -- \
			tests/bench/guest.sh "$how" > "$out/log" 2>&1 || { tail -n 20 "$out/log"; failed=1; }
		tests/bench/table.py "$kernel" "$fs" "$how" "$out/rows" "build/bench/$kernel-$fs-$how.json" || failed=1
	done
done
exit "$failed"
