#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The examples of libsluice do what their first lines say: TAP. In a data directory
# of its own on the file system of ${SLUICE_TEST_DIR:-/data}.
set -u
export LC_ALL=C.UTF-8
base=$(mktemp -d "${SLUICE_TEST_DIR:-/data}/examples.XXXXXX") || exit 1
export SLUICE_DATA_DIR=$base/data
scratch=$(mktemp -d)
examples=$PWD/build/examples
topic=example$$
count=0
failed=0
running=

clean_up() {
	# shellcheck disable=SC2086
	[ -z "$running" ] || kill $running 2> /dev/null
	sluicectl down "$SLUICE_DATA_DIR" > /dev/null 2>&1
	rm -rf "$base" "$scratch"
}
trap clean_up EXIT

# it NAME COMMAND... - one test: passes if the command does.
it() {
	local name=$1
	shift
	count=$((count + 1))
	if "$@" > "$scratch/said" 2>&1; then
		echo "ok $count $name"
	else
		failed=$((failed + 1))
		echo "not ok $count $name"
		sed 's/^/# /' "$scratch/said"
	fi
}

# wait_for COMMAND... - until it succeeds; five minutes at most, for slow machines.
wait_for() {
	local i

	for ((i = 0; i < 3000; i++)); do
		"$@" && return
		sleep 0.1
	done
	echo "in vain: $*"
	return 1
}

example() { timeout 300 "$examples/$1" "${@:2}"; }
lines() { [ "$(wc -l < "$1")" = "$2" ]; }
is() { [ "$1" = "$2" ] || { printf 'got:  %s\nwant: %s\n' "$1" "$2"; return 1; }; }
create() { sluicectl topic create "$@" > /dev/null; }

# start FILE EXAMPLE ARG... - in the background, what it prints into the file.
start() {
	local out=$1
	shift
	timeout 300 "$examples/$1" "${@:2}" > "$out" 2> "$out.err" &
	running="$running $!"
}

usage() {
	local name

	for name in produce tail fanout request_reply pipeline log_shipper; do
		if example $name > "$scratch/out" 2> "$scratch/err" < /dev/null; then
			echo "$name without arguments succeeds"
			return 1
		fi
		grep -q "TOPIC\|RAW\|REQUESTS" "$scratch/err" || { echo "$name does not say how"; return 1; }
	done
}

missing_topic() {
	! example tail "$topic.missing" 2> "$scratch/err" && grep -q "$topic.missing" "$scratch/err"
}

produce_and_tail() {
	create "$topic.tail" && example produce "$topic.tail" one "two words" &&
		is "$(example tail "$topic.tail")" $'0:0 one\n0:1 two words'
}

tail_follows() {
	start "$scratch/followed" tail -f "$topic.tail"
	local pid=$!

	wait_for lines "$scratch/followed" 2 && example produce "$topic.tail" three &&
		wait_for lines "$scratch/followed" 3 && kill "$pid" &&
		is "$(tail -n 1 "$scratch/followed")" "0:2 three"
}

fanout() {
	local pid i

	create -p 3 "$topic.fan" || return 1
	start "$scratch/fan" fanout "$topic.fan" 100 10
	pid=$!
	wait_for grep -qx ready "$scratch/fan" || return 1
	for i in 0 1 2; do
		seq 3 | sluicectl produce -p $i "$topic.fan" || return 1
	done
	echo last | sluicectl produce "$topic.fan" && wait "$pid" &&
		is "$(tail -n 1 "$scratch/fan")" "100 consumers got 10 records each"
}

request_reply() {
	local pid

	create "$topic.requests" && create "$topic.replies" || return 1
	start "$scratch/server" request_reply serve "$topic.requests" "$topic.replies" 4
	pid=$!
	wait_for grep -qx ready "$scratch/server" || return 1
	# One that nobody can be told the answer of is passed over.
	echo "no id" | sluicectl produce "$topic.requests" || return 1
	example request_reply ask "$topic.requests" "$topic.replies" "first" > "$scratch/a" &
	local asker=$!
	is "$(example request_reply ask "$topic.requests" "$topic.replies" "second")" SECOND &&
		wait "$asker" && is "$(< "$scratch/a")" FIRST &&
		is "$(example request_reply ask "$topic.requests" "$topic.replies" "third one")" \
			"THIRD ONE" && wait "$pid"
}

pipeline() {
	local load_pid transform_pid

	create "$topic.raw" && create "$topic.clean" || return 1
	# Started before there is anything, from the end to the beginning.
	start "$scratch/sums" pipeline load "$topic.clean"
	load_pid=$!
	start "$scratch/transformed" pipeline transform "$topic.raw" "$topic.clean"
	transform_pid=$!
	printf '%s\n' "apples 3" "nonsense" "pears 4" "apples 39" "pears 1 2" "" "plums -1" |
		example pipeline collect "$topic.raw" && wait "$transform_pid" && wait "$load_pid" &&
		is "$(< "$scratch/sums")" $'apples 42\npears 4' &&
		is "$(example pipeline load "$topic.clean")" $'apples 42\npears 4'
}

log_shipper() {
	local large=$scratch/large

	create -c max.message.bytes=10000 "$topic.log" || return 1
	is "$(printf 'one\n\nthree' | example log_shipper "$topic.log")" \
		"3 lines shipped, 0 too large" &&
		is "$(sluicectl consume -e --from-beginning -f '%k %v\n' "$topic.log")" \
			"$(hostname) one"$'\n'"$(hostname) "$'\n'"$(hostname) three" || return 1
	head -c 20000 /dev/zero | tr '\0' x > "$large"
	echo >> "$large"
	echo behind >> "$large"
	! example log_shipper "$topic.log" < "$large" > "$scratch/out" &&
		is "$(< "$scratch/out")" "1 lines shipped, 1 too large" &&
		is "$(sluicectl consume -e -o 3 -p 0 "$topic.log")" behind
}

# A line is read while the next one does not come yet.
log_shipper_at_once() {
	local pid

	mkfifo "$scratch/journal" && create "$topic.live" || return 1
	start "$scratch/live" tail -f "$topic.live"
	timeout 300 "$examples/log_shipper" "$topic.live" < "$scratch/journal" > "$scratch/out" &
	pid=$!
	exec 9> "$scratch/journal"
	echo "first" >&9 && wait_for grep -q first "$scratch/live" &&
		echo "second" >&9 && wait_for grep -q second "$scratch/live"
	local status=$?
	exec 9>&-
	wait "$pid" && is "$(< "$scratch/out")" "2 lines shipped, 0 too large" && return $status
}

echo "TAP version 13"
sluicectl up "$SLUICE_DATA_DIR" > /dev/null || { echo "Bail out! no data directory"; exit 1; }
it "usage" usage
it "a topic that is missing" missing_topic
it "produce, tail" produce_and_tail
it "tail -f" tail_follows
it "fanout" fanout
it "request_reply" request_reply
it "pipeline" pipeline
it "log_shipper" log_shipper
it "log_shipper: at once" log_shipper_at_once
echo "1..$count"
exit $((failed > 0))
