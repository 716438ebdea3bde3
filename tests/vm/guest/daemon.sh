#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The daemon inside the machine.
#
# usage: daemon.sh start|stop|kill
#
# start returns when Kafka answers; its log is /vm/sluiced.log. kill is
# SIGKILL, for the tests of what happens then.
set -euo pipefail

pidfile=/run/sluiced.pid
log=/vm/sluiced.log

die() { echo "daemon: $*" >&2; exit 1; }

running() { [ -e "$pidfile" ] && kill -0 "$(cat "$pidfile")" 2> /dev/null; }

# wait_gone TENTHS
wait_gone() {
	local i

	for ((i = 0; i < $1; i++)); do
		running || { rm -f "$pidfile"; return 0; }
		sleep 0.1
	done
	return 1
}

start() {
	local begin args=()

	running && die "it runs already"
	[ -z "${BROKER_CONF:-}" ] || args+=(--config "$BROKER_CONF")
	args+=(--override log.dirs=/data
		--override "listeners=PLAINTEXT://0.0.0.0:$PORT"
		--override "advertised.listeners=PLAINTEXT://127.0.0.1:$PORT")
	: > "$log"
	begin=${EPOCHREALTIME/./}
	setsid sluiced "${args[@]}" >> "$log" 2>&1 < /dev/null &
	echo $! > "$pidfile"
	while ! grep -q 'ready, Kafka on' "$log"; do
		running || { rm -f "$pidfile"; tail -n 20 "$log" >&2; die "sluiced did not start"; }
		((${EPOCHREALTIME/./} - begin < 60000000)) || die "sluiced is not ready after 60 s"
		sleep 0.02
	done
	echo $(((${EPOCHREALTIME/./} - begin) / 1000)) > /run/sluiced.ready_ms
}

stop() {
	running || return 0
	kill -TERM "$(cat "$pidfile")"
	wait_gone 300 || { kill -KILL "$(cat "$pidfile")"; die "sluiced did not stop within 30 s"; }
}

case ${1:-} in
start) start ;;
stop) stop ;;
kill)
	kill -KILL "$(cat "$pidfile")"
	wait_gone 100 || die "sluiced survived SIGKILL for 10 s" ;;
*) sed -n 's/^# \{0,1\}//;3,8p' "$0" >&2; exit 2 ;;
esac
