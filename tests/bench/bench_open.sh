#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What opening costs: 1,000 partitions of 1 GiB after a clean stop, and the
# recovery of a 1 GiB tail after an unclean one. Prints rows of JSON.
#
# usage: bench_open.sh open|recovery	(inside the machine, without a daemon)
#
# Where BENCH_IDLE runs (bench_idle.c) waiting for the disk is not counted, for
# the disk is the host's, and a wait counts no work.
set -euo pipefail

dir=/data/bench-open
export SLUICE_DATA_DIR=$dir
partitions=${BENCH_PARTITIONS:-1000} batches=8 mib=1024

row() { printf '{"what": "%s", "unit": "%s", "ours": %d, "reference": %d, "goal": %s}\n' "$@"; }

# Nanoseconds in which somebody had something to do.
busy() {
	local now idle=0

	now=$(date +%s%N)
	[ -z "${BENCH_IDLE:-}" ] || read -r idle _ < "/proc/$BENCH_IDLE/schedstat"
	echo $((now - idle))
}

# measure COMMAND... - what it takes, on stdout; what it says, on stderr.
measure() {
	local begin

	begin=$(busy)
	"$@" >&2
	echo $(($(busy) - begin))
}

# As Kafka would leave 1 GiB: one segment, with entries in its indexes. The batches
# are large and their records a hole, so that this takes neither disk nor time, and
# nothing looks at them.
make_large_logs() {
	/usr/bin/python3 - "$dir" "$partitions" "$batches" <<-'END'
		import os, struct, sys
		directory, partitions, batches = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
		size, time = (1 << 30) // batches, 1700000000000
		index = b"".join(struct.pack(">ii", i, i * size) for i in range(1, batches))
		times = b"".join(struct.pack(">qi", time + i, i) for i in range(1, batches))
		for partition in range(partitions):
		    path = f"{directory}/large-{partition}/{0:020}"
		    with open(path + ".log", "wb") as log:
		        for i in range(batches):
		            log.seek(i * size)
		            log.write(struct.pack(">qiibIhiqqqhii", i, size - 12, 0, 2, 0, 0, 0,
		                                  time + i, time + i, -1, -1, -1, 1))
		        log.truncate(1 << 30)
		    for suffix, entries in (".index", index), (".timeindex", times):
		        with open(path + suffix, "wb") as file:
		            file.write(entries)
	END
}

measure_open() {
	local cost read

	sluicectl up >&2
	sluicectl topic create large -p "$partitions" >&2
	sluicectl down >&2
	make_large_logs
	# The first time the producers' state is gathered, and kept at the next stop.
	sluicectl up >&2
	sluicectl down >&2
	sync
	echo 3 > /proc/sys/vm/drop_caches
	cost=$(measure sluicectl up)
	read=$(fincore -b -n -o RES "$dir"/large-*/*.log | awk '{ sum += $1 } END { print sum }')
	row "reopen a partition of 1 GiB, cleanly closed" ns $((cost / partitions)) 0 200000
	# The header of the last batch is looked at; a page is the least that can be read.
	row "of its log read meanwhile" bytes $((read / partitions)) 0 4096
	# As when the daemon is started again, but not the machine.
	sluicectl down >&2
	cost=$(measure sluicectl up)
	row "reopen it once more, with inodes and files in memory" ns $((cost / partitions)) 0 200000
	sluicectl down >&2
	rm -rf "$dir"
}

measure_recovery() {
	local cost reference

	sluicectl up >&2
	sluicectl topic create tail -p 1 >&2
	build/tests/bench/bench_fill tail "$mib"
	sluicectl down >&2
	rm "$dir/.kafka_cleanshutdown" "$dir"/recovery-point-offset-checkpoint
	# From the disk: recovery believes nothing that is only in the page cache.
	sync
	echo 3 > /proc/sys/vm/drop_caches
	reference=$(build/tests/bench/bench_crc "$dir"/tail-0/*.log)
	# As after a power cut.
	echo 3 > /proc/sys/vm/drop_caches
	cost=$(measure sluicectl up)
	row "recovery of a 1 GiB unflushed tail" ns "$cost" "$reference" 1.2
	sluicectl down >&2
	rm -rf "$dir"
}

"measure_$1"
