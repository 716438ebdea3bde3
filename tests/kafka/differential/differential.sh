#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ask Apache Kafka and sluice the same, and compare the answers with what
# Documentation/kafka-differences.md says. Needs no machine: the daemon is the
# one over the engine in userspace.
#
# usage: differential.sh [CASE...]	(after: make build/tests/sluiced-userspace)
set -euo pipefail

cd "$(dirname "$0")/../../.."
work=$(mktemp -d)
port=$((30000 + RANDOM % 2000 * 4))
daemon=
finish() {
	[ -z "$daemon" ] || kill -9 "$daemon" 2> /dev/null || :
	[ ! -e "$work/kafka/pid" ] || kill -9 "$(cat "$work/kafka/pid")" 2> /dev/null || :
	rm -rf "$work"
}
trap finish EXIT

mkdir "$work/kafka"
tests/kafka/apache/broker.sh start "$work/kafka" $port
libs=$(tests/kafka/apache/libs.sh)
here=PLAINTEXT://127.0.0.1:$((port + 2))
build/tests/sluiced-userspace --config "$work/kafka/server.properties" \
	--override log.dirs="$work/sluice" --override listeners="$here" \
	--override advertised.listeners="$here" > "$work/log" 2>&1 < /dev/null &
daemon=$!
for _ in $(seq 300); do
	! grep -q "ready, Kafka" "$work/log" || break
	kill -0 "$daemon" || break
	sleep 0.1
done
grep -q "ready, Kafka" "$work/log" || { cat "$work/log"; exit 1; }
ret=0
timeout 400 python3 tests/kafka/differential/differential.py "$libs"/kafka-clients-*.jar \
	$port $((port + 2)) Documentation/kafka-differences.md "$@" || ret=$?
kill "$daemon" || { echo "differential: the daemon ended"; tail -n 50 "$work/log"; ret=1; }
wait "$daemon" || { echo "differential: the daemon did not end cleanly"; tail -n 50 "$work/log"; ret=1; }
daemon=
exit $ret
