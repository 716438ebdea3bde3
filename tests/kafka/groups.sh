#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Consumer groups of real clients, and a kill of the daemon between: offsets
# stay. Needs no machine: the daemon is the one over the engine in userspace.
#
# usage: groups.sh		(after: make build/tests/sluiced-userspace)
set -euo pipefail

cd "$(dirname "$0")/../.."
python=$(tests/kafka/venv.sh)
# shellcheck source=tests/kafka/userspace.sh
. tests/kafka/userspace.sh

start_daemon
timeout 300 "$python" tests/kafka/clients/groups.py "127.0.0.1:$port" before "$$"
kill_daemon
start_daemon
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
stop_daemon
echo "groups: all clients pass"
