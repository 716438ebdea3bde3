#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Figures for the test report: printed, never asserted, for a timer in an
# emulated machine proves nothing.
#
# usage: report.sh		(inside the machine)
set -euo pipefail

partitions=200 requests=50
topic=report-$RANDOM
daemon=$(cat /run/sluiced.pid)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

row() { printf '  %-52s %14s   (aim: %s)\n' "$@"; }

kernel_memory() {
	sync
	echo 3 > /proc/sys/vm/drop_caches
	sleep 1
	# What is left in the slabs now is held, inodes of open files among it.
	awk '/^(Slab|Percpu|VmallocUsed|KernelStack|PageTables):/ { sum += $2 } END { print sum }' \
		/proc/meminfo
}

# count_syscalls FILE COMMAND... - those of the daemon while the command runs.
count_syscalls() {
	local file=$1 tracer
	shift

	strace -f -p "$daemon" -e trace='!epoll_wait,epoll_pwait,futex' -o "$file" 2> "$work/strace.log" &
	tracer=$!
	until grep -q attached "$work/strace.log"; do sleep 0.1; done
	"$@" > /dev/null
	sleep 0.5
	kill "$tracer"
	wait "$tracer" 2> /dev/null || true
	grep -c '(' "$file"
}

# Requests one by one, on a connection that is there, one partition each.
speak() { /usr/bin/python3 tests/kafka/requests.py "127.0.0.1:$PORT" "$topic" "$@"; }

echo "speed and memory (Linux $(uname -r), $(findmnt -no FSTYPE /data), emulated CPUs):"
row "sluiced ready after its start" "$(cat /run/sluiced.ready_ms) ms" "1000 ms"
row "sluiced resident, idle" \
	"$(awk '/^VmRSS/ { printf "%.1f MiB", $2 / 1024 }' "/proc/$daemon/status")" "16 MiB"

before=$(kernel_memory)
sluicectl topic create "$topic" -p "$partitions" > /dev/null
after=$(kernel_memory)
row "kernel memory of an idle partition, mean of $partitions" \
	"$(awk "BEGIN { printf \"%.1f KiB\", ($after - $before) / $partitions }")" "64 KiB"

# What each partition more costs: the difference between requests with one and
# with eleven, so that connection, receive and send are not counted.
for kind in produce fetch; do
	speak "$kind" 11 1 > /dev/null
	one=$(count_syscalls "$work/$kind.1" speak "$kind" 1 $requests)
	many=$(count_syscalls "$work/$kind.11" speak "$kind" 11 $requests)
	row "syscalls of a $kind request for each partition" \
		"$(awk "BEGIN { printf \"%.1f\", ($many - $one) / $requests / 10 }")" \
		"$([ $kind = produce ] && echo 2 || echo 3)"
	row "... and with one partition, its receive and send included" \
		"$(awk "BEGIN { printf \"%.1f\", $one / $requests }")" "-"
done
sluicectl topic delete "$topic" > /dev/null
