#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The machine's side of the power-cut test; $OUT is outside of the machine.
#
# usage: guest.sh load ROUND [appended]		until the power is cut
#        guest.sh verify			what is there after that
#        guest.sh replay LOG FS FLUSHES SEED	what is there at flushes of a log of writes
set -euo pipefail

load=build/tests/crash/load
topic=crash
disk_acks=/data/acks
# A directory that no daemon looks after: what is done to its logs, and to its
# checkpoints, is up to the load.
other=/data/other

# Small segments, so that the logs roll all the time. No space that is not
# written yet, so that retention by size finds something soon.
small=(-c segment.index.bytes=4096 -c file.delete.delay.ms=500)
create_topics() {
	local create=(topic create --if-not-exists)

	# Not as much comes as in the others.
	sluicectl "${create[@]}" -p 2 "${small[@]}" -c segment.bytes=8192 $topic-txn
	small+=(-c segment.bytes=32768)
	sluicectl "${create[@]}" -p 3 "${small[@]}" $topic
	sluicectl "${create[@]}" -p 1 "${small[@]}" -c cleanup.policy=compact \
		-c min.cleanable.dirty.ratio=0.01 -c delete.retention.ms=500 $topic-compact
	sluicectl --data-dir $other "${create[@]}" -p 2 "${small[@]}" \
		-c retention.bytes=262144 $topic-retain
	sluicectl --data-dir $other "${create[@]}" -p 1 "${small[@]}" $topic-cut
}

# Kafka's clients are outside, and were there before the power cut: they are told
# to come to an end, once all that they sent is acknowledged.
end_clients() {
	local i

	touch "$OUT/end"
	for ((i = 0; i < 4500; i++)); do
		[ ! -e "$OUT/ended" ] || [ ! -e "$OUT/ended.transactions" ] || return 0
		sleep 0.1
	done
	echo "Kafka's clients did not get all of their records acknowledged"
	return 1
}

# Batches are read from the files, too: nothing that is broken may be in them.
check_files() {
	sluicectl log dump /data/$topic-* $other/$topic-* > "$OUT/files" || {
		tail -n 5 "$OUT/files"
		echo "sluicectl log dump finds broken batches"
		return 1
	}
	sluicectl log check --online /data
	sluicectl log check --online $other
	sluicectl partition list $topic
}

case $1 in
load)
	sluicectl up $other
	create_topics
	touch "$OUT/created"
	mkdir -p $disk_acks
	exec $load load "$OUT" $disk_acks "$2" ${3:+"$3"} ;;
verify)
	sluicectl up $other
	$load continue "$OUT" $disk_acks
	end_clients
	# Nothing is compacted any more while the files are read.
	daemon.sh stop
	check_files
	$load dump "$OUT/records"
	sluicectl down $other ;;
replay)
	# Topics are those of a network namespace: here there is none yet.
	exec unshare -n tests/crash/replay.sh "${@:2}" ;;
*) sed -n 's/^# \{0,1\}//;4,8p' "$0" >&2; exit 2 ;;
esac
