#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything CI runs, from an empty machine to the closing line.
#
# usage: test.sh		(by `make test`, which hands over the lists)
#
# UNIT_TESTS, FUZZERS, GUEST_TESTS, DEBUG_TESTS name programs; JOBS and FUZZ_SECONDS numbers.
# A failing part does not stop the others, but a failing build does.
set -uo pipefail

cd "$(dirname "$0")/.." || exit
# shellcheck source=mk/tap.sh
. mk/tap.sh
export RESULTS=$PWD/build/test/results LOGS=$PWD/build/test/logs
rm -rf "$LOGS"
mkdir -p "$LOGS"
: > "$RESULTS"

phase() { printf '\n=== %s (%d:%02d)\n' "$*" $((SECONDS / 60)) $((SECONDS % 60)); }

# What the debug kernel takes, it takes beside the rest: its build where it is
# not cached, and its machine, which is 20 times slower than a stock one. Its
# output is printed in the end.
debug_machine=
run_debug_machine() {
	nice -n 5 tests/vm/kernel.sh debug > "$LOGS/debug-kernel.log" 2>&1 ||
		{ tail -n 20 "$LOGS/debug-kernel.log"; return 1; }
	make -s module KERNEL=debug || return 1
	# shellcheck disable=SC2086
	tests/vm/test-machine.sh debug ext4 $GUEST_TESTS $DEBUG_TESTS || : # counted there
}
start_debug_machine() {
	(run_debug_machine || echo "0 1 0 debug-machine" >> "$RESULTS") \
		> "$LOGS/debug-machine.log" 2>&1 &
	debug_machine=$!
}
# The machine itself hears of nothing while its script waits for it.
stop_debug_machine() {
	[ -n "$debug_machine" ] || return 0
	# shellcheck disable=SC2046
	kill "$debug_machine" $(pgrep -P "$debug_machine") \
		$(cat build/test/debug/machine/qemu.pid 2> /dev/null) 2> /dev/null
}
trap stop_debug_machine EXIT

build() {
	phase "build: $1"
	shift
	"$@" || { echo "test: the build failed"; print_summary; exit 1; }
}

test_machine() {
	phase "machine: Linux $1 on $2"
	# shellcheck disable=SC2086
	tests/vm/test-machine.sh "$1" "$2" $GUEST_TESTS
}

build "daemon, tools, tests" make -s -j"$JOBS" user-all
start_debug_machine
phase "form and static checks"
for check in check-format check-tidy check-shell; do
	run_test $check 200 make -s $check
done
phase "unit tests"
# shellcheck disable=SC2086
mk/run-tests.sh 60 $UNIT_TESTS
phase "fuzzers"
# shellcheck disable=SC2086
mk/run-tests.sh --fuzz "$FUZZ_SECONDS" $FUZZERS
phase "clients without a machine"
run_test groups 500 tests/kafka/groups.sh
run_test clients 900 tests/kafka/clients.sh
for kernel in 6.1 6.12; do
	build "module for $kernel" make -s module KERNEL=$kernel
	run_test "sparse-$kernel" 300 make -s sparse-$kernel
done
run_test checkpatch 300 make -s checkpatch
test_machine 6.1 ext4
test_machine 6.12 xfs
phase "power cuts"
run_test power-cut 700 tests/crash/crash.sh 2
phase "machine: the debug kernel"
wait "$debug_machine"
debug_machine=
cat "$LOGS/debug-machine.log"
phase "report"
cat build/test/6.1/report build/test/6.12/report 2> /dev/null
phase "done"
print_summary
