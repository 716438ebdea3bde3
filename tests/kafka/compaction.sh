#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Compaction of a log that is written to and read meanwhile: a Kafka consumer
# gets the last record of each key, and all of what is not compacted yet. The
# daemon is killed in the middle of it and started again, three times.
#
# usage: compaction.sh		(inside the machine)
set -euo pipefail

work=$(mktemp -d)
topic=compact-$RANDOM
dir=/data/$topic-0
keys=500 count=0 interrupted=
configured=${BROKER_CONF:-}

fail() { echo "not ok 1 - $*"; exit 1; }

# restart KEY=VALUE... - the daemon with these settings too.
restart() {
	daemon.sh stop
	start "$@"
}
start() {
	if [ -n "$configured" ]; then cat "$configured"; fi > "$work/conf"
	printf '%s\n' "$@" >> "$work/conf"
	BROKER_CONF=$work/conf daemon.sh start
}
finish() {
	jobs -p | xargs -r kill 2> /dev/null
	daemon.sh stop
	BROKER_CONF=$configured daemon.sh start
	rm -rf "$work"
}
trap finish EXIT

# produce COUNT - so many records more, with the keys one after the other.
produce() {
	seq -f '%.0f' $((count + 1)) $((count + $1)) |
		awk -v keys=$keys '{ print "k" $1 % keys ":" $1 }' |
		kcat -b "127.0.0.1:$PORT" -P -t "$topic" -K: -X enable.idempotence=true \
			-X batch.num.messages=200 -q
	count=$((count + $1))
}

checkpoint() { awk -v topic="$topic" '$1 == topic { print $3 }' /data/cleaner-offset-checkpoint; }
active_base() {
	local base
	base=$(find "$dir" -name '*.log' -printf '%f\n' | sort | tail -n 1)
	echo $((10#${base%.log}))
}
wait_compacted() {
	local i

	for ((i = 0; i < 600; i++)); do
		[ "$(checkpoint 2> /dev/null)" != "$(active_base)" ] || return 0
		sleep 0.1
	done
	fail "after a minute offset $(active_base) is reached up to '$(checkpoint)' ($1)"
}
wait_cleaning() {
	local i

	for ((i = 0; i < 3000; i++)); do
		compgen -G "$dir/*.log.cleaned" > /dev/null && return
		sleep 0.01
	done
	fail "nobody began to compact ($1)"
}

left_over() { find "$dir" -name '*.cleaned' -o -name '*.swap'; }

# Record i was given offset i - 1.
expected() {
	seq -f '%.0f' 1 "$count" | awk -v keys=$keys -v clean="$(checkpoint)" '
		{ key = "k" $1 % keys; lines[NR] = $1 - 1 " " key " " $1 }
		$1 - 1 < clean { last[key] = NR }
		END {
			for (i = 1; i <= NR; i++) {
				split(lines[i], field, " ")
				if (field[1] >= clean || last[field[2]] == i)
					print lines[i]
			}
		}'
}
consume() {
	timeout 60 kcat -b "127.0.0.1:$PORT" -C -t "$topic" -o beginning -e -q -f '%o %k %s\n'
}
check() {
	wait_compacted "$1"
	consume > "$work/got"
	expected | cmp - "$work/got" || fail "the records are not those that should be left ($1)"
	[ "$(wc -l < "$work/got")" -lt "$count" ] || fail "nothing was compacted ($1)"
}

fast=log.cleaner.backoff.ms=50
restart $fast
sluicectl topic create "$topic" -p 1 -c cleanup.policy=compact -c segment.bytes=16384 \
	-c min.cleanable.dirty.ratio=0.01
# Somebody reads all the time, and gets each key's records in their order.
(while :; do
	sleep 0.5
	consume > "$work/reader" || continue # the daemon is dead
	awk '$1 <= last || seen[$2] >= $3 + 0 { exit 1 } { last = $1; seen[$2] = $3 + 0 }
		BEGIN { last = -1 }' "$work/reader" || { cp "$work/reader" "$work/wrong"; break; }
done) 2> /dev/null &
for _ in 1 2 3; do produce 5000; done
check "while it was written to"

for round in 1 2 3; do
	restart $fast log.cleaner.io.max.bytes.per.second=50000
	produce 8000
	wait_cleaning "kill $round"
	sleep 0.$((RANDOM % 5))
	daemon.sh kill
	left=$(left_over)
	interrupted+=${left:+x}
	start $fast
	check "kill $round"
	left=$(left_over)
	[ -z "$left" ] || fail "$left is left over (kill $round)"
done
[ -n "$interrupted" ] || fail "no kill came while a log was compacted"
sluicectl partition describe "$topic" 0 | grep -qx "compacted below *$(checkpoint)" ||
	fail "sluicectl does not tell up to where it is compacted"
[ ! -e "$work/wrong" ] || fail "a reader saw records in the wrong order"
sluicectl topic delete "$topic"
echo "1..1"
echo "ok 1 - $count records compacted to $(wc -l < "$work/got") over ${#interrupted} kills"
