#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A full disk: producing fails with a clear error, reading goes on, and with
# room again producing works, on sockets and over Kafka.
#
# usage: disk_full.sh		(inside the machine)
set -euo pipefail

topic=full-$RANDOM
work=$(mktemp -d)
trap 'rm -rf "$work" /data/.filler' EXIT
number=0

# check WHAT COMMAND... - one line of TAP.
check() {
	local what=$1

	number=$((number + 1))
	shift
	if "$@"; then
		echo "ok $number - $what"
	else
		echo "not ok $number - $what"
		failed=1
	fi
}

consume() { timeout 60 sluicectl consume "$topic" --from-beginning -n "$1"; }
kafka_consume() { timeout 60 kcat -b "127.0.0.1:$PORT" -C -t "$topic" -o beginning -c "$1" -e -q; }
fails_saying() { ! "${@:2}" > "$work/out" 2>&1 && grep -qi "$1" "$work/out" || { cat "$work/out"; false; }; }
big_line() { head -c 60000 /dev/zero | tr '\0' x; echo; }
produce_much() { for ((i = 0; i < 200; i++)); do big_line; done | timeout 60 sluicectl produce "$topic"; }
kafka_produce_much() {
	for ((i = 0; i < 200; i++)); do big_line; done |
		timeout 60 kcat -b "127.0.0.1:$PORT" -P -t "$topic" -X message.timeout.ms=8000
}
# More than a segment's preallocation could hide.
fill_disk() {
	fallocate -l "$(df --output=avail -B1 /data | tail -n 1)" /data/.filler 2> /dev/null ||
		dd if=/dev/zero of=/data/.filler bs=1M status=none 2> /dev/null || true
	dd if=/dev/zero of=/data/.filler bs=4k oflag=append conv=notrunc status=none 2> /dev/null || true
	sync
}

failed=0
echo "1..8"
sluicectl topic create "$topic" -p 1
printf 'one\ntwo\n' | sluicectl produce "$topic"
fill_disk
check "producing on a socket says that the disk is full" fails_saying 'space' produce_much
check "producing over Kafka fails" fails_saying 'fail\|error\|storage' kafka_produce_much
check "a socket reads on" cmp <(printf 'one\ntwo\n') <(consume 2)
check "Kafka reads on" cmp <(printf 'one\ntwo\n') <(kafka_consume 2)
rm /data/.filler
sync
check "producing on a socket works again" sh -c "echo three | sluicectl produce $topic"
check "producing over Kafka works again" sh -c \
	"echo four | timeout 60 kcat -b 127.0.0.1:$PORT -P -t $topic -X message.timeout.ms=30000"
check "the new records are read on a socket" \
	sh -c "timeout 60 sluicectl consume $topic --from-beginning --exit | tail -n 2 | tr '\n' ' ' | grep -qx 'three four '"
check "the topic can be deleted" sluicectl topic delete "$topic"
exit "$failed"
