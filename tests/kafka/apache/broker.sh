#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A real Apache Kafka broker on this host, for comparison.
#
# usage: broker.sh start DIR PORT
#        broker.sh stop DIR
#
# DIR/data becomes its data directory. It listens on 127.0.0.1:PORT and, for
# its controller, on PORT + 1. start returns when it answers.
set -euo pipefail

die() { echo "broker: $*" >&2; exit 1; }

[ $# -ge 2 ] || { sed -n 's/^# \{0,1\}//;3,9p' "$0" >&2; exit 2; }
dir=$2
here=$(cd "$(dirname "$0")" && pwd)

write_config() {
	cat > "$dir/server.properties" <<-END
		process.roles=broker,controller
		node.id=1
		controller.quorum.bootstrap.servers=127.0.0.1:$(($1 + 1))
		listeners=PLAINTEXT://127.0.0.1:$1,CONTROLLER://127.0.0.1:$(($1 + 1))
		advertised.listeners=PLAINTEXT://127.0.0.1:$1,CONTROLLER://127.0.0.1:$(($1 + 1))
		inter.broker.listener.name=PLAINTEXT
		controller.listener.names=CONTROLLER
		listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
		log.dirs=$dir/data
		offsets.topic.replication.factor=1
		offsets.topic.num.partitions=1
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		transaction.state.log.num.partitions=1
		share.coordinator.state.topic.replication.factor=1
		share.coordinator.state.topic.min.isr=1
		group.initial.rebalance.delay.ms=0
		log.cleaner.backoff.ms=200
		log.retention.check.interval.ms=1000
	END
}

# In a shell of its own, which becomes the JVM.
java_kafka() { exec java -Xmx512m -XX:+UseSerialGC -cp "$libs/*" "$@"; }

start() {
	local i

	libs=$("$here/libs.sh")
	mkdir -p "$dir/data"
	write_config "$1"
	(java_kafka kafka.tools.StorageTool format --standalone -t sluice-test-0000000000 \
		-c "$dir/server.properties") > "$dir/format.log" 2>&1 ||
		{ cat "$dir/format.log" >&2; die "the data directory cannot be formatted"; }
	java_kafka kafka.Kafka "$dir/server.properties" > "$dir/log" 2>&1 < /dev/null &
	echo $! > "$dir/pid"
	for ((i = 0; i < 600; i++)); do
		! (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null || return 0
		kill -0 "$(cat "$dir/pid")" 2> /dev/null || { tail -n 20 "$dir/log" >&2; die "it did not start"; }
		sleep 0.2
	done
	die "it does not answer after 120 s"
}

stop() {
	local i pid

	pid=$(cat "$dir/pid")
	kill -TERM "$pid"
	for ((i = 0; i < 600; i++)); do
		kill -0 "$pid" 2> /dev/null || return 0
		sleep 0.1
	done
	kill -KILL "$pid"
	die "it did not stop within 60 s"
}

case $1 in
start) start "${3:?PORT}" ;;
stop) stop ;;
*) die "unknown command $1" ;;
esac
