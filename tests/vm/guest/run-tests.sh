#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run test programs inside the machine; the kernel's log is read after each, so
# that a report is blamed on the test that caused it.
#
# usage: run-tests.sh SECONDS PROGRAM...
#
# Counts go to $OUT/results, what the programs print to $OUT/logs. A name that
# ends in .ko is a module of KUnit suites, which run as it is loaded.
set -uo pipefail

cd "$PROJECT" || exit
# shellcheck source=mk/tap.sh
. mk/tap.sh
RESULTS=$OUT/results
LOGS=$OUT/logs
seconds=$1
shift
: > "$RESULTS"

# kernel_log_since MARK - what the kernel said after that line.
kernel_log_since() {
	dmesg | awk -v mark="$1" 'index($0, mark) { seen = 1; next } seen'
}

# check_kernel_log NAME MARK
check_kernel_log() {
	kernel_log_since "$2" > "$LOGS/kernel"
	tests/vm/scan-kernel-log.sh "$LOGS/kernel" || {
		echo "FAILED $1: the kernel reports the above"
		echo "0 1 0 $1(kernel-log)" >> "$RESULTS"
		return 1
	}
}

# KUnit answers in the kernel's log: cases are indented by four.
run_kunit() {
	insmod "$1" || return 1
	kernel_log_since "$2" | sed -E 's/^\[[^]]*\] //; /^ok |^not ok /d; s/^    (ok|not ok) /\1 /'
	rmmod "$(basename "$1" .ko)"
}

failed=0
for program in "$@"; do
	name=$KERNEL/${program#build/}
	mark="sluice-test: $name"
	echo "$mark" > /dev/kmsg
	case $program in
	*.ko)
		export -f run_kunit kernel_log_since
		run_test "$name" "$seconds" bash -c 'run_kunit "$@"' kunit "$program" "$mark" ;;
	*)
		run_test "$name" "$seconds" "$program" ;;
	esac || failed=1
	check_kernel_log "$name" "$mark" || failed=1
done
exit "$failed"
