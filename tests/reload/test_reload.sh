#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The module is removed and loaded again, data directories are attached and
# detached, while producers and consumers run: TAP. What they use is refused to
# go; what they no longer use goes, whether its directories were detached or not;
# and all that was acknowledged is there in the end.
#
# usage: test_reload.sh		(inside the machine; ROUNDS=N, 2; 1 with the debug kernel)
#
# The daemon is stopped for it, and started again.
set -u
export LC_ALL=C

rounds=${ROUNDS:-$([ "$KERNEL" = debug ] && echo 1 || echo 2)}
seconds=1 # of load in each round
base=$(mktemp -d "${SLUICE_TEST_DIR:-/data}/reload.XXXXXX") || exit 1
chmod 755 "$base"
scratch=$(mktemp -d)
# Two directories are in use all the time, one comes and goes meanwhile.
dirs=("$base/a" "$base/b")
visitor=$base/c
topics=("reload-a-$$" "reload-b-$$")
producers=() consumers=() storm=
count=0 failed=0 daemon=

# it NAME COMMAND... - one test: passes if the command does.
it() {
	local name=$1

	shift
	count=$((count + 1))
	if "$@" > "$scratch/out" 2>&1; then
		echo "ok $count $name"
	else
		failed=1
		echo "not ok $count $name"
		sed 's/^/# /' "$scratch/out"
	fi
}

bail_out() { echo "Bail out! $*"; exit 1; }
loaded() { [ -d /sys/module/sluice ]; }

clean_up() {
	kill "${producers[@]}" "${consumers[@]}" $storm 2> /dev/null
	wait
	loaded || insmod "$MODULE"
	for dir in "${dirs[@]}" "$visitor"; do
		sluicectl down "$dir" > /dev/null 2>&1
	done
	rm -rf "$base" "$scratch"
	sluicectl up /data > /dev/null
	[ -z "$daemon" ] || daemon.sh start
}

# numbers NAME - lines without end, with pauses in which others run
numbers() {
	local i=0

	while echo "$1.$i"; do
		i=$((i + 1))
		((i % 50)) || sleep 0.02
	done 2> /dev/null
}

# produce NAME TOPIC PARTITION OPTION... - each line a record; where the n-th of
# them went is the n-th line of the file of acknowledgements.
produce() {
	local name=$1 topic=$2 partition=$3

	sluicectl -j produce "${@:4}" -p "$partition" "$topic" \
		< <(numbers "$name") > "$scratch/acks.$name" 2> "$scratch/error.$name" &
	producers+=($!)
}
consume() {
	sluicectl consume --from-beginning -p "$2" -f '%o\n' "$1" \
		> "$scratch/seen.$1.$2.$round" 2> "$scratch/error.consumer" &
	consumers+=($!)
}

begin_load() {
	producers=() consumers=()
	produce "p0-$round" "${topics[0]}" 0
	produce "p1-$round" "${topics[0]}" 1 -d
	produce "p2-$round" "${topics[1]}" 0
	consume "${topics[0]}" 0
	consume "${topics[1]}" 0
	for name in "p0-$round" "p1-$round" "p2-$round"; do
		for ((i = 0; i < 300; i++)); do
			[ ! -s "$scratch/acks.$name" ] || break
			sleep 0.1
		done
	done
}
# All of them are still there, and are told to end.
end_load() {
	local pid status=0

	for pid in "${producers[@]}" "${consumers[@]}"; do
		kill -TERM "$pid" || status=1
		wait "$pid"
	done
	producers=() consumers=()
	[ "$status" = 0 ] || cat "$scratch"/error.*
	return "$status"
}

refused() {
	! rmmod sluice 2> "$scratch/error" || { echo "the module went"; return 1; }
	grep -q 'in use' "$scratch/error" || { cat "$scratch/error"; return 1; }
	for dir in "${dirs[@]}"; do
		! sluicectl down "$dir" 2> "$scratch/error" || { echo "$dir went"; return 1; }
		grep -q 'in use' "$scratch/error" || { cat "$scratch/error"; return 1; }
	done
}

# A directory that comes, is written to, read, and goes.
visits() {
	local end=$((SECONDS + seconds)) n=0 topic=visitor-$$

	while ((SECONDS < end || n < 2)); do
		sluicectl up "$visitor" > /dev/null || return 1
		[ -e "$visitor/$topic-0" ] ||
			sluicectl --data-dir "$visitor" topic create "$topic" > /dev/null || return 1
		echo "visit $n" | sluicectl produce "$topic" || return 1
		n=$((n + 1))
		[ "$(sluicectl consume -e --from-beginning "$topic" | tail -n 1)" = "visit $((n - 1))" ] ||
			{ echo "visit $n is not read"; return 1; }
		refused || return 1
		sluicectl down "$visitor" > /dev/null || return 1
	done
	sluicectl up "$visitor" > /dev/null
	[ "$(sluicectl consume -e --from-beginning "$topic" | wc -l)" = "$n" ] ||
		{ echo "not $n visits"; return 1; }
	sluicectl down "$visitor" > /dev/null
	rm -rf "$visitor"
}

# Requests while the module comes and goes: each is answered, or there is nobody.
begin_storm() {
	while :; do
		sluicectl status > "$scratch/storm" 2>&1
		case $? in
		0|6) ;;
		*) cat "$scratch/storm" >> "$scratch/storm.wrong" ;;
		esac
	done &
	storm=$!
}
end_storm() {
	kill "$storm"
	wait "$storm" 2> /dev/null
	storm=
	[ ! -e "$scratch/storm.wrong" ] || { cat "$scratch/storm.wrong"; return 1; }
}

# A request that is being answered holds it for a moment.
unload() {
	local i

	for ((i = 0; i < 300; i++)); do
		! rmmod sluice 2> "$scratch/error" || return 0
		sleep 0.1
	done
	cat "$scratch/error" /proc/net/sluice
	return 1
}

detach() {
	for dir in "${dirs[@]}"; do
		sluicectl down "$dir" || return 1
	done
}

bring_up() {
	loaded || insmod "$MODULE" || return 1
	for dir in "${dirs[@]}"; do
		sluicectl up "$dir" || return 1
	done
}

create_topics() {
	local small=(-c segment.bytes=65536)

	sluicectl --data-dir "${dirs[0]}" topic create -p 2 "${small[@]}" "${topics[0]}" &&
		sluicectl --data-dir "${dirs[1]}" topic create -p 1 "${small[@]}" "${topics[1]}"
}

# acknowledged NAME - its records, as 'offset value'
acknowledged() {
	sed -n 's/.*"offset": *\([0-9]*\).*}$/\1/p' "$scratch/acks.$1" |
		awk -v name="$1" '{ print $1, name "." NR - 1 }'
}

# all_there NAME TOPIC PARTITION - in each round's file
all_there() {
	local round number

	sluicectl consume -e --from-beginning -p "$3" -f '%o %v\n' "$2" > "$scratch/there"
	awk '$1 != NR - 1 { print "offset " NR - 1 " is not there"; exit 1 }' "$scratch/there" ||
		return 1
	sort "$scratch/there" > "$scratch/sorted"
	for ((round = 1; round <= rounds; round++)); do
		acknowledged "$1-$round" | sort > "$scratch/acked"
		number=$(wc -l < "$scratch/acked")
		((number > 0)) || { echo "nothing was acknowledged in round $round"; return 1; }
		total=$((total + number))
		comm -23 "$scratch/acked" "$scratch/sorted" > "$scratch/lost"
		[ ! -s "$scratch/lost" ] ||
			{ echo "lost in round $round:"; head -n 5 "$scratch/lost"; return 1; }
	done
}

# A consumer saw all from the first on, each once.
seen_in_order() {
	local file

	for file in "$scratch"/seen.*; do
		[ -s "$file" ] || { echo "$file is empty"; return 1; }
		# The last line may be cut short.
		head -n -1 "$file" |
			awk '$1 != NR - 1 { print FILENAME ": " $1 " in line " NR; exit 1 }' || return 1
	done
}

trap clean_up EXIT
if [ -e /run/sluiced.pid ]; then
	daemon=1
	daemon.sh stop || bail_out "the daemon does not stop"
fi
sluicectl down > /dev/null || bail_out "/data stays attached"
bring_up > /dev/null || bail_out "no module, or no directories"
create_topics > /dev/null || bail_out "no topics"
for ((round = 1; round <= rounds; round++)); do
	begin_load
	it "round $round: in use it stays, a directory that is not comes and goes" visits
	it "round $round: nobody noticed" end_load
	begin_storm
	# Every other time the logs are still open, and the module closes them.
	((round % 2)) || it "round $round: the directories go" detach
	it "round $round: the module goes" unload
	it "round $round: it comes back with its directories" bring_up
	it "round $round: requests were answered meanwhile" end_storm
done
total=0
it "all is there that was acknowledged to producers of single records" all_there p0 "${topics[0]}" 0
it "all is there that was acknowledged as durable" all_there p1 "${topics[0]}" 1
it "all is there of the other directory" all_there p2 "${topics[1]}" 0
it "consumers saw all of it in order" seen_in_order
echo "# $total records were acknowledged in $rounds rounds"
echo "1..$count"
exit $failed
