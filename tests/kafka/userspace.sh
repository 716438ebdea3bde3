# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests that need no machine: the daemon over the engine in userspace (after: make
# build/tests/sluiced-userspace). Sourced; makes $work, $port and $daemon, and ends
# all of it with the script.

work=$(mktemp -d)
port=$((20000 + RANDOM % 10000))
daemon=
trap '[ -z "$daemon" ] || kill -9 "$daemon"; rm -rf "$work"' EXIT

cat > "$work/server.properties" <<- END
	log.dirs=$work/data
	listeners=PLAINTEXT://127.0.0.1:$port
	group.initial.rebalance.delay.ms=500
END

# start_daemon - and wait until it is ready.
start_daemon() {
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

# kill_daemon - without a word to it
kill_daemon() {
	kill -9 "$daemon"
	wait "$daemon" 2> /dev/null || true
	daemon=
}

# stop_daemon - it has to end cleanly
stop_daemon() {
	kill "$daemon"
	wait "$daemon" || { echo "the daemon did not end cleanly"; cat "$work/log"; exit 1; }
	daemon=
}
