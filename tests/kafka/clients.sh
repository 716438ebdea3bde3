#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Clients of other languages, from their registries: kafkajs, sarama, segmentio's
# kafka-go, aiokafka: TAP of each. Needs no machine: the daemon is the one over the
# engine in userspace; or it is given.
#
# usage: clients.sh [HOST:PORT]		(after: make build/tests/sluiced-userspace)
set -euo pipefail

cd "$(dirname "$0")/../.."
clients=tests/kafka/clients
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
failed=0

# One try is not enough where a network is between.
retry() {
	local try

	for try in 1 2 3; do
		! timeout 300 "$@" >&2 || return 0
		sleep $((try * 5))
	done
	return 1
}

# In the cache, by what is asked for: kafkajs.
node_modules() {
	local dir

	dir=$cache/node-$(sha256sum < $clients/package.json | cut -c1-16)
	if [ ! -e "$dir/done" ]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		cp $clients/package.json "$dir"
		retry npm install --prefix "$dir" --no-audit --no-fund --loglevel=error || return 1
		touch "$dir/done"
	fi
	echo "$dir/node_modules"
}

run() {
	echo "# $1"
	timeout 280 "${@:2}" || { echo "clients: $1 fails"; failed=1; }
}

python=$(tests/kafka/venv.sh)
server=${1:-}
if [ -z "$server" ]; then
	# shellcheck source=tests/kafka/userspace.sh
	. tests/kafka/userspace.sh
	start_daemon
	server=127.0.0.1:$port
fi

run aiokafka "$python" $clients/aiokafka_client.py "$server"
if command -v node > /dev/null && command -v npm > /dev/null; then
	modules=$(node_modules)
	NODE_PATH=$modules run kafkajs node $clients/kafkajs.js "$server"
else
	echo "# SKIP kafkajs: there is no node and npm here"
fi
if command -v go > /dev/null; then
	mkdir -p build/test
	retry go build -C $clients/go -o "$PWD/build/test/clients" .
	run sarama build/test/clients sarama "$server"
	run kafka-go build/test/clients kafka-go "$server"
else
	echo "# SKIP sarama, kafka-go: there is no go here"
fi
[ -z "${daemon:-}" ] || stop_daemon
exit $failed
