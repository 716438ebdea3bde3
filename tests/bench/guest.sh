#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All that is measured on one machine; rows of JSON go to $OUT/rows.
#
# usage: guest.sh instructions|wall [PART...]
#
# A part that fails, or does not end in time, costs its own rows alone.
set -uo pipefail

here=$(dirname "$0")
limit=600
[ "$1" != wall ] || limit=1200
if [ "$1" = instructions ]; then
	build/tests/bench/bench_idle &
	export BENCH_IDLE=$!
	trap 'kill "$BENCH_IDLE"' EXIT
fi
shift
parts=("$@")
[ $# -gt 0 ] || parts=(append record read rolls filter partitions segments open recovery
	pair oneway throughput fanout crowd)

run_part() {
	case $1 in
	append|record|read|rolls) timeout "$limit" build/tests/bench/bench_log "$1" ;;
	filter) timeout "$limit" build/tests/bench/bench_filter ;;
	partitions|segments) timeout "$limit" build/tests/bench/bench_memory "$1" ;;
	pair|oneway|throughput|fanout|crowd) timeout "$limit" build/tests/bench/bench_local "$1" ;;
	open|recovery) timeout "$limit" "$here/bench_open.sh" "$1" ;;
	*) echo "no such part: $1" >&2; return 2 ;;
	esac
}

failed=0
for part in "${parts[@]}"; do
	echo "# $part" >&2
	run_part "$part" | tee /dev/stderr | { grep "^{" || true; } >> "$OUT/rows"
	status=${PIPESTATUS[0]}
	[ "$status" = 0 ] || { echo "# $part: status $status" >&2; failed=1; }
done
exit "$failed"
