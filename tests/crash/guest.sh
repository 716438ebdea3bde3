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
kafka_records=30

# Small segments, so that the cut falls into rolls, too.
create_topic() {
	sluicectl topic create --if-not-exists -p 3 -c segment.bytes=262144 -c segment.index.bytes=4096 $topic
}

# Kafka's client, idempotent, so that what it sends again is there once. It says
# by its exit status that all it was given was acknowledged.
load_kafka() {
	local producer=$1 first=0

	while :; do
		$load lines "$producer" $first $kafka_records |
			kcat -P -b 127.0.0.1:9092 -t $topic -p 1 -X acks=all -X enable.idempotence=true \
				-X batch.num.messages=7
		$load note "$OUT" $disk_acks "$producer" "kafka $producer $first $kafka_records"
		first=$((first + kafka_records))
	done
}

# Batches are read from the files, too: nothing that is broken may be in them.
check_files() {
	sluicectl log dump /data/$topic-* > "$OUT/files" || {
		tail -n 5 "$OUT/files"
		echo "sluicectl log dump finds broken batches"
		return 1
	}
	sluicectl log check --online /data
	sluicectl partition list $topic
}

case $1 in
load)
	mkdir -p $disk_acks
	create_topic
	load_kafka $(($2 * 10 + 9)) &
	$load load "$OUT" $disk_acks "$2" ${3:+"$3"} &
	# Whichever ends has failed.
	wait -n
	echo "a producer failed"
	exit 1 ;;
verify)
	check_files
	$load dump "$OUT/records" ;;
replay)
	# Topics are those of a network namespace: here there is none yet.
	exec unshare -n tests/crash/replay.sh "${@:2}" ;;
*) sed -n 's/^# \{0,1\}//;4,8p' "$0" >&2; exit 2 ;;
esac
