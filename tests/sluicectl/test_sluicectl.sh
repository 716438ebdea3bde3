#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sluicectl against a loaded module: TAP. Works in a data directory of its own
# on the file system of ${SLUICE_TEST_DIR:-/data}.
set -u
export LC_ALL=C.UTF-8
base=$(mktemp -d "${SLUICE_TEST_DIR:-/data}/sluicectl.XXXXXX") || exit 1
chmod 755 "$base"
dir=$base/data
export SLUICE_DATA_DIR=$dir
scratch=$(mktemp -d)
topic=ctl$$
count=0
failed=0

clean_up() {
	sluicectl down "$dir" > /dev/null 2>&1
	rm -rf "$base" "$scratch"
}
trap clean_up EXIT

# it NAME COMMAND... - one test: passes if the command does.
it() {
	local name=$1 out
	shift
	count=$((count + 1))
	if out=$("$@" 2>&1); then
		echo "ok $count $name"
	else
		failed=$((failed + 1))
		echo "not ok $count $name"
		sed 's/^/# /' <<< "$out"
	fi
}

# fails STATUS WORDS COMMAND... - it must fail so, with that in its message. What
# can be done without another program is: they are slow in an emulated machine.
fails() {
	local status=$1 words=$2 rc said
	shift 2
	"$@" > "$scratch/out" 2> "$scratch/err"
	rc=$?
	mapfile -t said < "$scratch/err"
	printf '%s\n' "${said[@]}"
	[ "$rc" = "$status" ] || { echo "status $rc, not $status"; return 1; }
	[[ ${said[*]} = *"$words"* ]] || { echo "does not say '$words'"; return 1; }
	[ "${#said[@]}" -le 2 ] || { echo "more than a sentence"; return 1; }
}

# prints TEXT COMMAND... - it must succeed and print exactly that.
prints() {
	local expected=$1 out
	shift
	out=$("$@") || return 1
	[ "$out" = "$expected" ] || { printf 'printed: %s\nnot:     %s\n' "$out" "$expected"; return 1; }
}

# json PYTHON-EXPRESSION COMMAND... - true of the object d that it prints.
json() {
	local expression=$1
	shift
	"$@" > "$scratch/json" || return 1
	python3 -c "import json; d = [json.loads(l) for l in open('$scratch/json')]
d = d[0] if len(d) == 1 else d
assert ($expression), d"
}

nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
elsewhere() { unshare -n "$@"; }
consume() { sluicectl consume -e --from-beginning "$@"; }

up_and_again() {
	sluicectl up "$dir" && sluicectl up "$dir" &&
		json "any(x['path'] == '$dir' for x in d['data_dirs'])" sluicectl -j status
}

lines_of_keys() {
	printf 'a=1\nb=2\nplain\n=empty key\nnull=\n' |
		sluicectl produce -p 0 -k = -H from=test -Z "$topic" &&
		prints $'0:a=1 [from=test]\n1:b=2 [from=test]\n2:=plain [from=test]\n3:=empty key [from=test]\n4:null= [from=test]' \
			consume -p 0 -f '%o:%k=%v [%h]\n' "$topic"
}

record_json() {
	json "[r['key'] for r in d] == ['a', 'b', None, '', 'null'] and d[4]['value'] is None
and d[0]['headers'] == [['from', 'test']] and d[0]['partition'] == 0 and d[1]['offset'] == 1
and d[0]['timestamp'] > 1700000000000" consume -j -p 0 "$topic"
}

receipt_json() {
	json "d == {'topic': '$topic', 'partition': 1, 'offset': 0}" \
		sluicectl -j produce -d -p 1 "$topic" - <<< durable &&
		json "d['recovery_point'] == 1 == d['log_end_offset']" \
			sluicectl -j partition describe "$topic" 1
}

filtered() {
	prints $'0\n1' consume -p 0 -f '%o\n' --filter 'key == "a" or value == "2"' "$topic" &&
		prints $'2\n3\n4' consume -p 0 -f '%o\n' --filter "key ^= 'n' or not key ^= 'a' and offset > 1" \
			"$topic" &&
		prints 3 consume -p 0 -n 1 -f '%o\n' --filter 'header("from") == "test" and offset >= 3' "$topic"
}

filtered_bpf() {
	sluicectl topic create "$topic.bpf" && seq 0 29 | sluicectl produce "$topic.bpf" &&
		prints $'0\n10\n20' consume --filter-bpf build/examples/filter.bpf.o "$topic.bpf"
}

from_time() {
	local now

	sluicectl topic create "$topic.time" -p 2 && seq 0 3 | sluicectl produce -p 1 "$topic.time" &&
		now=$(date +%s) &&
		prints $'0\n1\n2\n3' sluicectl consume -e --from-time 1h "$topic.time" &&
		prints $'0\n1\n2\n3' sluicectl consume -e --from-time 2020-01-01 "$topic.time" &&
		prints $'0\n1\n2\n3' sluicectl consume -e --from-time 0 "$topic.time" &&
		prints '' sluicectl consume -e --from-time $((now + 3600))000 "$topic.time" &&
		prints '' sluicectl consume -e --from-time \
			"$(date -u -d @$((now + 3600)) +%Y-%m-%dT%H:%M:%SZ)" "$topic.time" &&
		! sluicectl consume -e --from-time yesterday "$topic.time" 2> "$scratch/err" &&
		grep -q "2026-11-23T20:00:00Z" "$scratch/err"
}

# A batch with each record, and one with all.
batching() {
	local part=$topic.batching

	sluicectl topic create "$part" && seq 3 | sluicectl produce --linger 0 "$part" &&
		json "d['append_batches'] == 3" sluicectl -j partition describe "$part" 0 &&
		seq 100 | sluicectl produce --linger 60000 --batch-bytes 1000000 "$part" &&
		json "d['append_batches'] == 4" sluicectl -j partition describe "$part" 0 &&
		fails 2 "60000" sluicectl produce --linger 60001 "$part" < /dev/null &&
		fails 2 "512" sluicectl produce --batch-bytes 511 "$part" < /dev/null &&
		fails 2 "milliseconds" sluicectl produce --linger soon "$part" < /dev/null
}

binary_json() {
	printf '\377\376\n' | sluicectl produce -p 2 "$topic" &&
		json "d['value'] == {'base64': '//4='}" sluicectl -j consume -e -p 2 -o 0 "$topic"
}

long_line() {
	head -c 500000 /dev/zero | tr '\0' x > "$scratch/long"
	sluicectl produce -p 2 "$topic" "$scratch/long" || return 1
	sluicectl consume -p 2 -o 1 -n 1 -f '%v' "$topic" | cmp - "$scratch/long"
}

closed_pipe() {
	seq -f '%.0f a line that helps to fill the pipe, which holds no more than 64 KiB' 2000 |
		sluicectl produce -p 2 "$topic" || return 1
	sluicectl consume -p 2 -o 2 "$topic" | head -n 1 > "$scratch/out"
	[ "${PIPESTATUS[*]}" = "0 0" ] && [[ $(< "$scratch/out") = "1 a line"* ]]
}

interrupted() {
	local pid

	sluicectl consume "$topic" > "$scratch/out" &
	pid=$!
	sleep 1
	kill -INT "$pid"
	wait "$pid"
}

follows() {
	timeout 60 sluicectl consume -n 1 "$topic" > "$scratch/out" &
	sleep 1
	echo later | sluicectl produce "$topic"
	wait $! && [ "$(< "$scratch/out")" = later ]
}

monitored() {
	timeout 60 sluicectl -j monitor -n 2 > "$scratch/json" &
	sleep 1
	sluicectl topic create "$topic.watched" && sluicectl topic delete "$topic.watched" || return 1
	wait $! || return 1
	mv "$scratch/json" "$scratch/events"
	json "[e['event'] for e in d] == ['topic-created', 'topic-deleted']
and d[0]['topic'] == '$topic.watched'" cat "$scratch/events"
}

longest_name() {
	local name

	name=$(head -c 249 /dev/zero | tr '\0' n)
	sluicectl topic create "$name" && echo x | sluicectl produce "$name" &&
		prints x consume "$name" && sluicectl down "$dir" && sluicectl up "$dir" &&
		prints x consume "$name" && sluicectl topic delete "$name"
}

settings_kept() {
	sluicectl topic create -p 2 -c segment.bytes=100000 -c cleanup.policy=compact,delete \
		"$topic.set" && sluicectl down "$dir" && sluicectl up "$dir" &&
		json "d['settings'] == {'segment.bytes': '100000', 'cleanup.policy': 'compact,delete'}
and d['partitions'] == 2 and len(d['partition_list']) == 2" \
			sluicectl -j topic describe "$topic.set"
}

settings_changed() {
	sluicectl topic config -c retention.ms=5000 -d cleanup.policy "$topic.set" &&
		json "d['settings'] == {'segment.bytes': '100000', 'retention.ms': '5000'}" \
			sluicectl -j topic describe "$topic.set" &&
		json "d['settings']['retention.ms'] == {'value': '5000', 'default': False} and
d['settings']['cleanup.policy'] == {'value': 'delete', 'default': True}" \
			sluicectl -j topic config "$topic.set" &&
		sluicectl topic config -d retention.ms "$topic.set" &&
		fails 2 "whole number" sluicectl topic config -c retention.ms=x "$topic.set" &&
		fails 3 "" sluicectl topic config -c retention.ms=1 nix
}

rolls() {
	# As many batches as records, or all of them fit one segment.
	sluicectl topic config -c batch.linger.ms=0 "$topic.set" &&
		seq 1500 | sluicectl produce -p 0 "$topic.set" &&
		json "d['segments'] > 1 and d['rolls'] == d['segments'] - 1" \
			sluicectl -j partition describe "$topic.set" 0 &&
		[ "$(consume -p 0 "$topic.set" | md5sum)" = "$(seq 1500 | md5sum)" ]
}

records_deleted() {
	prints "partition $topic.set-0 begins at 1000" \
		sluicectl partition delete-records "$topic.set" 0 1000 &&
		json "d['log_start_offset'] == 1000" sluicectl -j partition describe "$topic.set" 0 &&
		[ "$(consume -p 0 "$topic.set" | md5sum)" = "$(seq 1001 1500 | md5sum)" ] &&
		grep -qx "$topic.set 0 1000" "$dir/log-start-offset-checkpoint" &&
		fails 1 "not between" sluicectl partition delete-records "$topic.set" 0 1501 &&
		fails 2 "neither" sluicectl partition delete-records "$topic.set" 0 some
}

truncated() {
	prints "partition $topic.set-0 ends at 1200" \
		sluicectl partition truncate "$topic.set" 0 1200 &&
		json "d['log_end_offset'] == 1200" sluicectl -j partition describe "$topic.set" 0 &&
		[ "$(consume -p 0 "$topic.set" | md5sum)" = "$(seq 1001 1200 | md5sum)" ] &&
		grep -qx "$topic.set 0 1200" "$dir/replication-offset-checkpoint" &&
		fails 2 "not an offset" sluicectl partition truncate "$topic.set" 0 all
}

busy() {
	local pid rc

	sluicectl consume "$topic" > /dev/null &
	pid=$!
	sleep 1
	fails 1 "in use" sluicectl down "$dir"
	rc=$?
	kill "$pid"
	wait "$pid"
	return "$rc"
}

clean_stop() {
	sluicectl down "$dir" && [ -e "$dir/.kafka_cleanshutdown" ] && sluicectl up "$dir" &&
		[ ! -e "$dir/.kafka_cleanshutdown" ]
}

# The files as a power cut leaves them, in a directory of their own.
crash_is_recovered() {
	local copy=$base/crashed rc

	consume -p 0 "$topic.set" > "$scratch/before"
	sluicectl down "$dir" && cp -a "$dir" "$copy" && sluicectl up "$dir" || return 1
	rm "$copy/.kafka_cleanshutdown"
	printf 'torn batch' >> "$(find "$copy/$topic.set-0" -name '*.log' | sort | tail -n 1)"
	rm "$copy/$topic.set-0/00000000000000000000.index"
	# The same names are open from the other directory: another namespace has none.
	elsewhere bash -c "sluicectl up '$copy' && sluicectl consume -e --from-beginning -p 0 \
		'$topic.set' > '$scratch/after'; rc=\$?; sluicectl down '$copy'; exit \$rc"
	rc=$?
	rm -rf "$copy"
	[ "$rc" = 0 ] && cmp "$scratch/before" "$scratch/after"
}

attached_elsewhere() {
	local before records

	before=$(md5sum "$dir/$topic-0/00000000000000000000.log")
	records=$(consume -p 0 "$topic")
	fails 1 "attached" elsewhere sluicectl up "$dir" &&
		[ "$(md5sum "$dir/$topic-0/00000000000000000000.log")" = "$before" ] &&
		prints "$records" consume -p 0 "$topic"
}

# The daemon serves /data, not the directory of this test.
kafka() { sluicectl -b 127.0.0.1:9092 "$@"; }

kafka_topics() {
	prints "created topic $topic.kafka" kafka topic create -p 2 -c retention.ms=5 "$topic.kafka" &&
		json "'$topic.kafka' in [t['topic'] for t in d['topics']]" kafka -j topic list &&
		kafka topic list -q | grep -qx "$topic.kafka" &&
		json "d['settings'] == {'retention.ms': '5'} and d['partitions'] == 2
and [p['leader'] for p in d['partition_list']] == [1, 1] and len(d['id']) == 22" \
			kafka -j topic describe "$topic.kafka" &&
		kafka topic describe "$topic.kafka" | grep -q 'retention.ms=5' &&
		fails 4 "TOPIC_ALREADY_EXISTS" kafka topic create "$topic.kafka" &&
		kafka topic create --if-not-exists "$topic.kafka" &&
		json "d['settings'] == {'retention.ms': '5'}" sluicectl -j topic describe "$topic.kafka" &&
		prints "deleted topic $topic.kafka" kafka topic delete "$topic.kafka" &&
		fails 3 "UNKNOWN_TOPIC" kafka topic delete "$topic.kafka" &&
		kafka topic delete --if-exists "$topic.kafka" &&
		fails 3 "UNKNOWN_TOPIC" kafka topic describe "$topic.kafka" &&
		fails 1 "retention.ms" kafka topic create -c retention.ms=x "$topic.kafka"
}

completes() {
	bash --norc -c "
	source '$PWD/tools/sluicectl/completion.bash'
	complete_line() {
		COMP_WORDS=(\"\$@\"); COMP_CWORD=\$((\$# - 1)); COMPREPLY=(); _sluicectl
		echo \"\${COMPREPLY[*]}\"
	}
	[ \"\$(complete_line sluicectl topic cr)\" = create ] &&
	[ \"\$(complete_line sluicectl consume $topic.s)\" = $topic.set ] &&
	[ \"\$(complete_line sluicectl topic create --if)\" = --if-not-exists ]"
}

it "up twice" up_and_again
it "create" prints "created topic $topic with 3 partitions" sluicectl topic create -p 3 "$topic"
it "create: exists already" fails 4 "exists already" sluicectl topic create "$topic"
it "create: exists already, and may" sluicectl topic create --if-not-exists "$topic"
it "create: bad name" fails 2 "letters" sluicectl topic create "a b"
it "create: bad count" fails 2 "number of partitions" sluicectl topic create -p 0 x
it "create: too many partitions" fails 2 "100000" sluicectl topic create -p 100001 x
it "create: unknown setting" fails 2 "no such setting" sluicectl topic create -c nope=1 x
it "create: bad value" fails 2 "whole number" sluicectl topic create -c segment.bytes=x x
it "create: not root" fails 5 "" nobody sluicectl topic create x
it "create: directory not attached" fails 3 "sluicectl up" sluicectl --data-dir "$base/none" \
	topic create x
it "list" json "'$topic' in [t['topic'] for t in d['topics']]" sluicectl -j topic list
it "list quietly" bash -c "sluicectl topic list -q | grep -qx $topic"
it "describe: unknown" fails 3 "no topic" sluicectl topic describe nope
it "delete: unknown" fails 3 "no topic" sluicectl topic delete nope
it "delete: unknown, and may" sluicectl topic delete --if-exists nope
it "partition: unknown topic" fails 3 "nope" sluicectl partition describe nope 0
it "partition: unknown index" fails 3 "" sluicectl partition describe "$topic" 3
it "produce: unknown topic" fails 3 "nope" sluicectl produce nope
it "consume: unknown topic" fails 3 "nope" sluicectl consume nope
it "consume: bad offset" fails 2 "offset" sluicectl consume -o x "$topic"
it "consume: bad format" fails 2 "after %" sluicectl consume -f %x "$topic"
it "consume: offset of many partitions" fails 2 "partition" sluicectl consume -o 5 "$topic"
it "keys, headers, nulls" lines_of_keys
it "records as JSON" record_json
it "a filter" filtered
it "a filter in BPF" filtered_bpf
it "from a time" from_time
it "batching" batching
it "a filter with a mistake" fails 2 "at character 8" sluicectl consume --filter 'key == x' "$topic"
it "a filter that is no object file" fails 2 "nope.o" sluicectl consume --filter-bpf nope.o "$topic"
it "a durable receipt" receipt_json
it "bytes that are not UTF-8" binary_json
it "a long line" long_line
it "nobody may read" bash -c "[ \"\$(setpriv --reuid=65534 --regid=65534 --clear-groups \
	sluicectl consume -p 1 -o 0 -e $topic)\" = durable ]"
it "nobody may not write" fails 5 "" nobody sluicectl produce "$topic" /dev/null
it "end of a pipe" closed_pipe
it "an interrupt" interrupted
it "a record that comes later" follows
it "time is up" timeout 30 sluicectl consume -t 1 "$topic"
it "monitor" monitored
it "the longest name" longest_name
it "settings are kept" settings_kept
it "settings are changed" settings_changed
it "segments roll" rolls
it "records are deleted" records_deleted
it "a log is truncated" truncated
it "down: in use" busy
it "down and up" clean_stop
it "up: attached in another namespace" attached_elsewhere
it "up: not root" fails 5 "" nobody sluicectl up "$base/nobody"
it "up: file system" fails 1 "tmpfs" sluicectl up "$scratch/data"
it "up after a crash" crash_is_recovered
it "another namespace sees nothing" json "d['data_dirs'] == [] and d['topics'] == 0" \
	elsewhere sluicectl -j status
it "completion" completes
it "no broker" fails 6 "no Kafka broker" sluicectl -b 127.0.0.1:1 topic list
it "no address" fails 2 "HOST:PORT" sluicectl -b : topic list
if (exec 3<> /dev/tcp/127.0.0.1/9092) 2> /dev/null; then
	it "topics by a broker" kafka_topics
else
	count=$((count + 1))
	echo "ok $count topics by a broker # skip no daemon runs here"
fi
it "delete" prints "deleted topic $topic" sluicectl topic delete "$topic"
it "delete: its files are gone" bash -c "! ls -d '$dir/$topic'-* 2> /dev/null"
it "usage" fails 2 "usage: sluicectl topic create" sluicectl topic create
it "an unknown command" fails 2 "no command" sluicectl nonsense
# shows_socket - who reads, where, and how far behind; and who is not asked for.
shows_socket() {
	local name=$topic.socket pid rc=0 seen
	sluicectl topic create -p 2 "$name" || return
	printf '%s\n' a b c | sluicectl produce -p 1 "$name" || return
	sluicectl consume -p 1 -o 1 -t 100 "$name" > /dev/null &
	pid=$!
	seen="any(s['topic'] == '$name' and s['partition'] == 1 and s['position'] == 3 and
		s['lag'] == 0 and s['peer'] is None and s['type'] == 'seqpacket' and
		[(o['pid'], o['command']) for o in s['owners']] == [($pid, 'sluicectl')]
		for s in d['sockets'])"
	for _ in {1..200}; do
		json "${seen//$'\n'/ }" sluicectl -j socket list "$name" > "$scratch/said" 2>&1 && break
		sleep .1
	done
	json "${seen//$'\n'/ }" sluicectl -j socket list || rc=1
	json "not d['sockets']" sluicectl -j socket list "$topic.nobody" || rc=1
	[[ $(sluicectl socket list "$name") = *" $pid "*sluicectl*"$name-1"* ]] || rc=1
	kill "$pid"
	wait "$pid"
	return $rc
}
it "socket list" shows_socket

it "an unknown option" fails 2 "option" sluicectl status --nonsense
echo "1..$count"
exit "$((failed > 0))"
