#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Very many partitions on one node: created, listed, appended to, read, taken down,
# up again without a step of recovery, listed and read again: TAP. Says what each
# step took by the clock, and the memory they need.
#
# usage: test_scale.sh [PARTITIONS]	(inside a machine; 300; 50 with the debug kernel)
#
# In a data directory of its own on the file system of ${SLUICE_TEST_DIR:-/data}.
set -uo pipefail
export LC_ALL=C

n=${1:-$([ "${KERNEL:-}" = debug ] && echo 50 || echo 300)}
base=$(mktemp -d "${SLUICE_TEST_DIR:-/data}/scale.XXXXXX") || exit 1
chmod 755 "$base"
scratch=$(mktemp -d)
export SLUICE_DATA_DIR=$base/data
topic=scale$$
count=0 failed=0

clean_up() {
	sluicectl down "$SLUICE_DATA_DIR" > /dev/null 2>&1
	rm -rf "$base" "$scratch"
}
trap clean_up EXIT

now_ms() { date +%s%3N; }

# step NAME COMMAND... - one test: passes if the command does.
step() {
	local name=$1 begin result=ok

	shift
	count=$((count + 1))
	begin=$(now_ms)
	"$@" > "$scratch/out" 2>&1 || result='not ok'
	echo "$result $count - $name: $(($(now_ms) - begin)) ms"
	[ "$result" = ok ] && return
	failed=1
	sed 's/^/# /' "$scratch/out"
}

# Of the kernel, when what it can give back was taken.
slab_kib() {
	echo 3 > /proc/sys/vm/drop_caches
	awk '/^SUnreclaim/ { print $2 }' /proc/meminfo
}

# list OFFSET - each partition is online, and its log ends there.
list() {
	sluicectl --json partition list "$topic" > "$scratch/list" || return 1
	/usr/bin/python3 - "$scratch/list" "$n" "$1" <<-'END'
		import json, sys
		partitions = json.load(open(sys.argv[1]))["partitions"]
		want = int(sys.argv[3])
		assert len(partitions) == int(sys.argv[2]), len(partitions)
		for p in partitions:
		    assert p["state"] == "online" and p["log_end_offset"] == want, p
	END
}

each() { build/tests/scale/each "$topic" "$n" "$1"; }

# Recovery would say how far it is.
reopen() { sluicectl up 2>&1 | tee /dev/stderr | { ! grep recovering; }; }

sluicectl up > /dev/null || exit 1
before=$(slab_kib)
step "$n partitions are created" sluicectl topic create -p "$n" "$topic"
created=$(slab_kib)
step "they are listed" list 0
step "a record is appended to each" each send
step "the records are received" each receive
step "they are listed with them" list 1
step "they are taken down" sluicectl down "$SLUICE_DATA_DIR"
step "they are up again, without recovery" reopen
reopened=$(slab_kib)
step "they are listed as before" list 1
step "the records are received as before" each receive
step "they are taken down idle" sluicectl down "$SLUICE_DATA_DIR"
echo "1..$count"
echo "# unreclaimable slab, bytes a partition: $(((created - before) * 1024 / n)) created," \
	"$(((reopened - before) * 1024 / n)) reopened"
exit "$failed"
