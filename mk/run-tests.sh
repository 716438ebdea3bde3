#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run test programs one after the other and sum up.
#
# usage: run-tests.sh SECONDS PROGRAM...	each with this time limit
#	 run-tests.sh --fuzz SECONDS FUZZER...	each for this long
#
# With RESULTS set, counts are added to that file and the sum is left to its
# owner.
set -uo pipefail

cd "$(dirname "$0")/.." || exit
# shellcheck source=mk/tap.sh
. mk/tap.sh
fuzz=
if [ "${1:-}" = --fuzz ]; then
	fuzz=1
	shift
fi
seconds=$1
shift
own=
if [ -z "${RESULTS:-}" ]; then
	own=1
	RESULTS=$(mktemp)
	trap 'rm -f "$RESULTS"' EXIT
fi
LOGS=build/logs
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
failed=0

# fuzz_one FUZZER - a while of new inputs, from build/corpus (its seeds, and what
# earlier runs found), with the dictionary that lies beside it.
fuzz_one() {
	local name corpus args=()

	name=$(basename "$1")
	corpus=build/corpus/$name
	mkdir -p "$corpus" "$LOGS"
	[ ! -e "$1.dict" ] || args+=("-dict=$1.dict")
	[ ! -e "$1.dict" ] || args+=("-dict=$1.dict")
	run_test "fuzz/$name" "$((seconds + 60))" "$1" -max_total_time="$seconds" -timeout=10 \
		-rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$LOGS/$name-" \
		"${args[@]}" "$corpus"
}

for program in "$@"; do
	if [ -n "$fuzz" ]; then
		fuzz_one "$program" || failed=1
	else
		run_test "${program#build/}" "$seconds" "$program" || failed=1
	fi
done
if [ -n "$own" ]; then
	print_summary
else
	exit "$failed"
fi
