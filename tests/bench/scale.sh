#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Very many partitions on one node: created, listed, appended to, read, taken down
# and up again. Says what each step took by the clock, and the memory afterwards.
#
# usage: scale.sh [PARTITIONS]		inside a machine, with the daemon running
set -euo pipefail

n=${1:-100000}
topic=scale

# step NAME COMMAND...
step() {
	local name=$1 begin

	shift
	begin=$(date +%s%N)
	"$@"
	printf '# %-28s %7d ms\n' "$name" $((($(date +%s%N) - begin) / 1000000))
}

list() { [ "$(sluicectl partition list $topic | wc -l)" -gt "$n" ]; }

memory() {
	echo 3 > /proc/sys/vm/drop_caches
	echo 3 > /proc/sys/vm/drop_caches
	awk '/^(Slab|SUnreclaim|VmallocUsed|Percpu|MemFree)/ { printf "# %-28s %7d MiB\n", $1, $2 / 1024 }' /proc/meminfo
	awk '/^VmRSS/ { printf "# %-28s %7d MiB\n", "resident in sluiced", $2 / 1024 }' \
		"/proc/$(pidof sluiced)/status"
}

memory
step "create" sluicectl topic create -p "$n" $topic
memory
step "list" list
step "append a record to each" build/tests/bench/bench_each $topic "$n" send
step "receive them" build/tests/bench/bench_each $topic "$n" receive
step "down" sluicectl down
step "up" sluicectl up
step "receive them" build/tests/bench/bench_each $topic "$n" receive
memory
echo "ok: $n partitions"
