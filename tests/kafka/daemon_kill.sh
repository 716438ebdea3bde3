#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Kill the daemon under load and start it again, three times: local producers
# and consumers do not notice, Kafka's lose nothing that was acknowledged.
#
# usage: daemon_kill.sh		(inside the machine)
set -euo pipefail

work=$(mktemp -d)
trap 'jobs -p | xargs -r kill 2> /dev/null; rm -rf "$work"' EXIT
local_count=3000 kafka_count=3000
topic=kill-$RANDOM

fail() { echo "not ok 1 - $*"; exit 1; }

# paced COUNT PREFIX - numbered lines over about half a minute.
paced() {
	local i

	for ((i = 1; i <= $1; i++)); do
		echo "$2-$i"
		((i % 100)) || sleep 1
	done
}

sluicectl topic create "$topic" -p 1
sluicectl topic create "$topic-local" -p 1
timeout 120 sluicectl consume "$topic-local" --from-beginning -n "$local_count" > "$work/local" &
consumer=$!
paced "$local_count" local | sluicectl produce "$topic-local" &
producer=$!
# An idempotent producer: what it sends again after a kill must not be there
# twice. -E: a broker that is away for a while is no reason to give up.
paced "$kafka_count" kafka | kcat -b "127.0.0.1:$PORT" -P -t "$topic" -X acks=all \
	-X enable.idempotence=true -X message.timeout.ms=60000 -E -q 2> "$work/kcat.log" &
kafka_producer=$!

for round in 1 2 3; do
	sleep 4
	daemon.sh kill
	kill -0 "$producer" || fail "the local producer ended with the daemon (kill $round)"
	before=$(wc -l < "$work/local")
	sleep 2
	[ "$(wc -l < "$work/local")" -gt "$before" ] ||
		fail "the local consumer stood still while the daemon was dead (kill $round)"
	daemon.sh start
done
wait "$producer" || fail "the local producer failed"
wait "$consumer" || fail "the local consumer failed or missed records"
wait "$kafka_producer" || fail "kcat could not deliver everything: $(tail -n 3 "$work/kcat.log")"
paced() { seq -f "$2-%g" "$1"; }
cmp <(paced "$local_count" local) "$work/local" || fail "local records are not the ones that were sent"
timeout 60 kcat -b "127.0.0.1:$PORT" -C -t "$topic" -o beginning -e -q > "$work/kafka"
cmp <(paced "$kafka_count" kafka) "$work/kafka" || fail "Kafka records are not the ones that were sent"
sluicectl topic delete "$topic"
sluicectl topic delete "$topic-local"
echo "1..1"
echo "ok 1 - nothing is lost or doubled over three kills"
