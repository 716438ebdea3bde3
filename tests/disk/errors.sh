#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A disk that fails under load: its partitions go offline and say so, those of
# another disk go on, and when it is well again nothing is lost that was
# acknowledged: TAP.
#
# usage: errors.sh [write|flush|all|shutdown|read...]	(inside the machine)
#
# A disk is a file, behind a device whose reads, writes and flushes can each be
# sent to another one that fails everything; or the file system gives itself up, as
# it does when its own journal cannot be written. DISK_ROUNDS (1) times each kind, in a
# network namespace of its own, on file systems in memory, of the kind of /data.
set -euo pipefail

[ -n "${DISK_ERRORS:-}" ] || DISK_ERRORS=1 exec unshare -n "$0" "$@"

# Failing flushes are for asking by name: the device mapper drops the error of one
# that comes with data, as that of a journal's commit does, so that an fsync may
# succeed that has not stored anything (dm_io_complete() of Linux 6.1).
kinds=("$@")
[ $# -gt 0 ] || kinds=(write all shutdown read)
fs=$(awk '$2 == "/data" { print $3 }' /proc/mounts)
load=build/tests/crash/load
work=/dev/shm/disk-errors
sectors=$((320 * 2048))
seconds=60
export DM_DISABLE_UDEV=1
pids=()
number=0
failed=0

clean_up() {
	kill -- "${pids[@]}" 2> /dev/null || true
	sluicectl down $work/bad/mounted > /dev/null 2>&1 || true
	sluicectl down $work/good/mounted > /dev/null 2>&1 || true
	umount $work/bad/mounted $work/good/mounted 2> /dev/null || true
	dmsetup remove --retry bad 2> /dev/null || true
	dmsetup remove --retry broken 2> /dev/null || true
	losetup -D
	rm -rf $work
}

# it WHAT COMMAND... - one line of TAP.
it() {
	local what=$1

	number=$((number + 1))
	shift
	if "$@" > $work/said 2>&1; then
		echo "ok $number - $what"
	else
		sed 's/^/# /' $work/said
		echo "not ok $number - $what"
		failed=1
	fi
}

# within COMMAND... - it comes true in time.
within() {
	local end=$((SECONDS + seconds))

	until "$@"; do
		((SECONDS < end)) || { echo "not within $seconds s: $*"; return 1; }
		sleep 0.2
	done
}

# send READS WRITES FLUSHES - to which device the disk sends them.
send() {
	printf '0 %d delay %s 0 0 %s 0 0 %s 0 0\n' $sectors "$1" "$2" "$3"
}

# switch KIND - none, read, write, flush or all of what the disk is told fails; or
# the file system is shut down, which ends with the next mount.
switch() {
	local r=$loop w=$loop f=$loop bad=/dev/mapper/broken

	case $1 in
	shutdown) xfs_io -x -c shutdown $work/bad/mounted; return ;;
	read) r=$bad ;;
	write) w=$bad ;;
	flush) f=$bad ;;
	all) r=$bad w=$bad f=$bad ;;
	esac
	dmsetup suspend --noflush --nolockfs bad
	send $r $w $f | dmsetup load bad
	dmsetup resume bad
}

make_fs() {
	case $fs in
	ext4) mkfs.ext4 -qF "$1" ;;
	xfs) mkfs.xfs -qf "$1" ;;
	esac
}

# make_disk NAME - a file, found as $loop.
make_disk() {
	mkdir -p "$work/$1/mounted"
	truncate -s $((sectors * 512)) "$work/$1/image"
	make_fs "$work/$1/image"
	loop=$(losetup -f --show "$work/$1/image")
}

# start_load ROUND - producers that wait for storage.
start_load() {
	mkdir -p $work/bad/acks
	setsid env CRASH_TOPIC=bad $load load $work/bad/acks - "$1" > $work/bad/load.log 2>&1 &
	producers=$!
	pids+=("-$producers")
	within has_acks "$1"
}

has_acks() { [ -s "$work/bad/acks/acks.$(($1 * 20))" ] && [ -s "$work/bad/acks/acks.$(($1 * 20 + 1))" ]; }

# On the disk that stays well: one durable record after the other, at leisure.
use_other() {
	local i=0

	while sluicectl produce -d -p $((i % 3)) good <<< $i > $work/good/said 2>&1; do
		echo $i >> $work/good/acks
		i=$((i + 1))
		sleep 0.1
	done
}

more_acks() { (($(wc -l < $work/good/acks) > $1)); }

# All that was acknowledged is there, once, in order.
verify() {
	CRASH_TOPIC=bad $load dump $work/bad/acks/records &&
		/usr/bin/python3 tests/crash/verify.py --part $work/bad/acks
}

# The last one may have been killed before it could tell.
verify_other() {
	timeout $seconds sluicectl consume good --from-beginning -e | sort -n > $work/good/all
	head -n "$(wc -l < $work/good/acks)" $work/good/all | cmp - $work/good/acks &&
		[ "$(sort -u $work/good/all | wc -l)" = "$(wc -l < $work/good/all)" ]
}

offline() { [ "$(sluicectl partition list bad | grep -c offline)" = 3 ]; }

reasons_are_told() {
	sluicectl status | tee $work/status
	[ "$(grep -c 'bad-[0-2].*\(failed\|not be taken back\)' $work/status)" = 3 ]
}

kernel_says() {
	dmesg | awk -v mark="$mark" 'index($0, mark) { seen = 1; next } seen' > $work/dmesg
	[ "$(grep -c 'sluice: bad-[0-2]: offline: ' $work/dmesg)" = 3 ]
}

events_came() { [ "$(grep -c 'partition-offline bad-[0-2]: ' $work/events)" = 3 ]; }

others_go_on() {
	local before

	before=$(wc -l < $work/good/acks)
	within more_acks "$before"
}

# Each ends with the first receipt that has an error.
producers_ended() { ! kill -0 -- -$producers 2> /dev/null; }

producers_are_told() {
	within producers_ended
	cat $work/bad/load.log
	[ "$(grep -c 'receipt with error\|offline\|failed earlier\|could not be ' $work/bad/load.log)" = 4 ]
}

# A partition that nobody used meanwhile learns of it now.
sends_are_refused() {
	local i status

	for i in 0 1 2; do
		status=0
		timeout $seconds sluicectl produce -d -p $i bad <<< x || status=$?
		((status > 0 && status < 124)) || { echo "partition $i: status $status"; return 1; }
	done
}

# Down and off, while the disk still fails.
take_down() {
	# Its sync cannot succeed, but it must come to an end.
	timeout $seconds sluicectl down $work/bad/mounted || [ $? -lt 124 ] || return 1
	! sluicectl status | grep -q $work/bad/mounted
}

heal() {
	switch none
	timeout $seconds umount $work/bad/mounted
	mount /dev/mapper/bad $work/bad/mounted
	sluicectl up $work/bad/mounted
}

start_watching() {
	mark="disk-errors: $1 $RANDOM"
	echo "$mark" > /dev/kmsg
	sluicectl monitor > $work/events 2>&1 &
	monitor=$!
	pids+=("$monitor")
}

# one_failure KIND ROUND - under load.
one_failure() {
	start_watching "$1"
	start_load "$2"
	sleep "0.$((RANDOM % 900 + 100))"
	switch "$1"
	it "$1: the producers are told" producers_are_told
	it "$1: the other disk goes on" others_go_on
	it "$1: sending is refused" sends_are_refused
	it "$1: the partitions are offline" offline
	it "$1: netlink has the reasons" reasons_are_told
	it "$1: so has the kernel's log" kernel_says
	it "$1: events were sent" within events_came
	it "$1: the disk is taken down" take_down
	kill $monitor
	it "$1: well again, it comes up" heal
	it "$1: nothing is lost" verify
}

consume() {
	timeout $seconds sluicectl consume bad --from-beginning -e -f '%p %o\n' > $work/consumed
}

consume_fails() { ! consume || return 1; }

consumes_all() { consume && cmp <(sort $work/consumed) <(sort $work/all); }

forget_pages() { sync -f $work/bad/mounted; echo 3 > /proc/sys/vm/drop_caches; }

# Nobody appends: what fails is what a reader finds not in memory.
failing_reads() {
	consume
	cp $work/consumed $work/all
	forget_pages
	switch read
	it "read: a reader is told" consume_fails
	it "read: the other disk goes on" others_go_on
	switch none
	it "read: well again, all is read" consumes_all
	it "read: nothing is lost" verify
}

trap clean_up EXIT
mkdir -p $work
modprobe -a loop dm-mod dm-delay dm-flakey
make_disk good
mount "$loop" $work/good/mounted
make_disk bad
# Not the target "error", which is never sent a flush.
dmsetup create broken --table "0 $sectors flakey $loop 0 0 1"
send "$loop" "$loop" "$loop" | dmsetup create bad
mount /dev/mapper/bad $work/bad/mounted
for name in good bad; do
	sluicectl up $work/$name/mounted > /dev/null
	sluicectl --data-dir $work/$name/mounted topic create -p 3 -c segment.bytes=262144 \
		-c segment.index.bytes=4096 $name > /dev/null
done
use_other &
other=$!
pids+=("$other")
within test -s $work/good/acks
load_number=0
for ((round = 0; round < ${DISK_ROUNDS:-1}; round++)); do
	for kind in "${kinds[@]}"; do
		load_number=$((load_number + 1))
		case $kind in
		read) failing_reads ;;
		*) one_failure "$kind" $load_number ;;
		esac
	done
done
it "the other disk never failed" kill $other
it "nothing of the other disk is lost" verify_other
echo "1..$number"
exit "$failed"
