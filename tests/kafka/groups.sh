#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Consumer groups of real clients, and a kill of the daemon between: offsets
# stay. Needs no machine: the daemon is the one over the engine in userspace.
#
# usage: groups.sh		(after: make build/tests/sluiced-userspace)
set -euo pipefail

cd "$(dirname "$0")/../.."
python=$(tests/kafka/venv.sh)
work=$(mktemp -d)
port=$((20000 + RANDOM % 10000))
daemon=
trap '[ -z "$daemon" ] || kill -9 "$daemon"; rm -rf "$work"' EXIT

# start - and wait until it is ready.
start() {
	build/tests/sluiced-userspace --config "$work/server.properties" > "$work/log" 2>&1 &
	daemon=$!
	for _ in $(seq 300); do
		! grep -q "ready, Kafka" "$work/log" || return 0
		kill -0 "$daemon" || break
		sleep 0.1
	done
	cat "$work/log"
	exit 1
}

cat > "$work/server.properties" <<- END
	log.dirs=$work/data
	listeners=PLAINTEXT://127.0.0.1:$port
	group.initial.rebalance.delay.ms=500
END
start
timeout 300 "$python" tests/kafka/clients/groups.py "127.0.0.1:$port" before "$$"
kill -9 "$daemon"
wait "$daemon" 2> /dev/null || true
start
timeout 120 "$python" tests/kafka/clients/groups.py "127.0.0.1:$port" after "$$"

# Kafka's own tool.
libs=$(tests/kafka/apache/libs.sh)
described=$(timeout 120 java -cp "$libs/*" org.apache.kafka.tools.consumer.group.ConsumerGroupCommand \
	--bootstrap-server "127.0.0.1:$port" --describe --group "python-$$" 2> "$work/java")
[ "$(awk -v topic="groups-$$" '$2 == topic && $4 == 101 && $6 == 0' <<< "$described" | wc -l)" = 4 ] || {
	echo "groups: kafka-consumer-groups says:"
	echo "$described"
	exit 1
}
kill "$daemon"
wait "$daemon" || { echo "groups: the daemon did not end cleanly"; cat "$work/log"; exit 1; }
daemon=
echo "groups: all clients pass"
