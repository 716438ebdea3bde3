#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Everything that is tested on one kernel.
#
# usage: test-machine.sh 6.1|6.12|debug FS PROGRAM...
#
# A stock kernel is started twice, as a person would: for the README's tour, and
# again on the same data for the programs, the Kafka clients and what goes
# wrong. The debug kernel, 20 times slower, runs the programs alone.
# RESULTS and LOGS are mk/tap.sh's; without them the sum is printed here.
set -uo pipefail
trap 'exit 130' INT TERM

cd "$(dirname "$0")/../.." || exit
# shellcheck source=mk/tap.sh
. mk/tap.sh
export KERNEL=$1 FS=$2
shift 2
own=
if [ -z "${RESULTS:-}" ]; then
	own=1
	export RESULTS=$PWD/build/test/results-$KERNEL LOGS=$PWD/build/test/logs
	mkdir -p "$LOGS"
	: > "$RESULTS"
fi
out=$PWD/build/test/$KERNEL
rm -rf "$out"
mkdir -p "$out"
failed=0

# merge_guest_results DIR - counts of what ran inside.
merge_guest_results() {
	[ -s "$1/results" ] || { echo "0 1 0 $KERNEL/guest-tests" >> "$RESULTS"; return 1; }
	cat "$1/results" >> "$RESULTS"
}

test_debug() {
	timeout -k 10 3000 tests/vm/vm.sh -k debug -f "$FS" -o "$out" -S "$out/machine" -t 2900 -- \
		run-tests.sh 900 build/kmod-debug/sluice_kunit.ko "$@" || failed=1
	merge_guest_results "$out" || { failed=1; return; }
	# What no test failed for: a report of the kernel, a leak, a machine that hung.
	[ "$failed" = 0 ] || awk '$2 { bad = 1 } END { exit !bad }' "$out/results" ||
		echo "0 1 0 $KERNEL/machine" >> "$RESULTS"
}

# A command inside the machine.
inside=(make -s shell)

test_stock() {
	local python server=127.0.0.1:9092
	export XDG_STATE_HOME=$out/state

	# A test that is stopped must not leave a machine behind.
	trap 'timeout 100 make -s stop > /dev/null 2>&1 || true' EXIT
	run_test "$KERNEL/tour" 600 tests/kafka/tour.sh || failed=1
	run_test "$KERNEL/run" 180 make run DETACH=1 || { failed=1; return; }
	run_test "$KERNEL/data-survives" 120 tests/kafka/data_survives.sh || failed=1
	timeout -k 10 1200 "${inside[@]}" CMD="run-tests.sh 300 $*" < /dev/null || failed=1
	merge_guest_results "$out/state/sluice/9092/out" || failed=1
	if python=$(tests/kafka/venv.sh); then
		run_test "$KERNEL/kafka-python" 300 "$python" tests/kafka/clients/kafka_python.py $server || failed=1
		run_test "$KERNEL/confluent-kafka" 300 "$python" tests/kafka/clients/confluent.py $server || failed=1
	else
		echo "0 1 0 $KERNEL/clients" >> "$RESULTS"
	fi
	run_test "$KERNEL/kafka-reads" 300 tests/kafka/apache/kafka_reads.sh "$out/state/sluice/9092/out" || failed=1
	if [ -e build/test/apache/expected ] ||
		run_test apache-kafka 400 tests/kafka/apache/kafka_wrote.sh build/test/apache; then
		run_test "$KERNEL/adopted" 300 "${inside[@]}" \
			CMD="tests/kafka/apache/adopted.sh build/test/apache" || failed=1
	else
		failed=1
	fi
	run_test "$KERNEL/bad-input" 300 tests/kafka/bad_input.py $server || failed=1
	run_test "$KERNEL/daemon-kill" 300 "${inside[@]}" CMD=tests/kafka/daemon_kill.sh || failed=1
	run_test "$KERNEL/compaction" 300 "${inside[@]}" CMD=tests/kafka/compaction.sh || failed=1
	run_test "$KERNEL/disk-full" 300 "${inside[@]}" CMD=tests/kafka/disk_full.sh || failed=1
	run_test "$KERNEL/disk-errors" 600 "${inside[@]}" \
		CMD="DISK_ROUNDS=${DISK_ROUNDS:-1} tests/disk/errors.sh" || failed=1
	run_test "$KERNEL/disk-no-room" 300 "${inside[@]}" CMD=tests/disk/full.sh || failed=1
	timeout 300 "${inside[@]}" CMD=tests/kafka/report.sh < /dev/null > "$out/report" ||
		 echo "test: the report of $KERNEL is incomplete"
	run_test "$KERNEL/stop" 120 make stop || failed=1
	trap - EXIT
}

if [ "$KERNEL" = debug ]; then
	test_debug "$@"
else
	test_stock "$@"
fi
if [ -n "$own" ]; then
	[ "$KERNEL" = debug ] || cat "$out/report"
	print_summary
else
	exit "$failed"
fi
