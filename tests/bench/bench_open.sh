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
partitions=1000 segments=8 mib=1024

row() { printf '{"what": "%s", "unit": "ns", "ours": %d, "reference": %d, "goal": %s}\n' "$@"; }

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

# A log of large batches, whose records are a hole: nothing looks at them.
make_large_logs() {
	/usr/bin/python3 - "$dir" "$partitions" "$segments" <<-'END'
		import os, struct, sys
		directory, partitions, segments = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
		size = (1 << 30) // segments
		for partition in range(partitions):
		    for base in range(segments):
		        path = f"{directory}/large-{partition}/{base:020}"
		        with open(path + ".log", "wb") as log:
		            log.write(struct.pack(">qiibIhiqqqhii", base, size - 12, 0, 2, 0, 0, 0,
		                                  1700000000000, 1700000000000, -1, -1, -1, 1))
		            log.truncate(size)
		        for suffix in (".index", ".timeindex"):
		            open(path + suffix, "wb").close()
	END
}

measure_open() {
	local cost

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
	fincore -b -n -o RES "$dir"/large-*/*.log |
		awk '{ sum += $1 } END { printf "# %d bytes of log files were read\n", sum }' >&2
	row "reopen a partition of 1 GiB, cleanly closed" $((cost / partitions)) 0 200000
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
	# Twice: both then find the file in the page cache.
	build/tests/bench/bench_crc "$dir"/tail-0/*.log >&2
	reference=$(build/tests/bench/bench_crc "$dir"/tail-0/*.log)
	cost=$(measure sluicectl up)
	row "recovery of a 1 GiB unflushed tail" "$cost" "$reference" 1.2
	sluicectl down >&2
	rm -rf "$dir"
}

"measure_$1"
