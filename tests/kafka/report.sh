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
	# What cannot be given back: slabs, percpu, vmalloc, page tables, stacks.
	awk '/^(SUnreclaim|Percpu|VmallocUsed|KernelStack|PageTables):/ { sum += $2 } END { print sum }' \
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

echo "speed and memory (Linux $(uname -r), $(stat -f -c %T /data), emulated CPUs):"
row "sluiced ready after its start" "$(cat /run/sluiced.ready_ms) ms" "1000 ms"
row "sluiced resident, idle" \
	"$(awk '/^VmRSS/ { printf "%.1f MiB", $2 / 1024 }' "/proc/$daemon/status")" "16 MiB"

before=$(kernel_memory)
sluicectl topic create "$topic" -p "$partitions"
after=$(kernel_memory)
row "kernel memory of an idle partition, mean of $partitions" \
	"$(awk "BEGIN { printf \"%.1f KiB\", ($after - $before) / $partitions }")" "64 KiB"

for kind in produce fetch; do
	none=$(count_syscalls "$work/$kind.0" speak "$kind" 1)
	some=$(count_syscalls "$work/$kind.n" speak "$kind" $((requests + 1)))
	row "syscalls of a $kind request, with its recv and send" \
		"$(awk "BEGIN { printf \"%.1f\", ($some - $none) / $requests }")" \
		"$([ $kind = produce ] && echo 2 || echo 3) a partition"
	[ -z "${OUT:-}" ] || cp "$work/$kind.n" "$OUT/strace-$kind" 2> /dev/null || true
done
sluicectl topic delete "$topic"
