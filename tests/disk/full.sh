#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A disk with room for so many blocks, or files, and no more: whatever of the
# log's files it is that finds none, who asks is told, nothing is lost that was
# acknowledged, and with room again work goes on: TAP.
#
# usage: full.sh [BLOCKS [INODES]]	(inside the machine)
#
# Room for each number of blocks below BLOCKS (or none, and two), then on ext4,
# which has a fixed number of them, of inodes below INODES (1). In a network
# namespace of its own, on a small file system in memory, of the kind of /data.
set -euo pipefail

[ -n "${DISK_FULL:-}" ] || DISK_FULL=1 exec unshare -n "$0" "$@"

blocks="0 2"
[ -z "${1:-}" ] || blocks=$(seq 0 $(($1 - 1)))
inodes=$(seq 0 $((${2:-1} - 1)))
fs=$(awk '$2 == "/data" { print $3 }' /proc/mounts)
load=build/tests/crash/load
fill=build/tests/disk/fill
work=/dev/shm/disk-full
mount=$work/mounted
seconds=60
round=0
number=0
failed=0
export CRASH_TOPIC=full

clean_up() {
	sluicectl down $mount > /dev/null 2>&1 || true
	umount $mount 2> /dev/null || true
	rm -rf $work
}

fail() { echo "# $*"; return 1; }

make_fs() {
	truncate -s 320M $work/image
	# Blocks that are kept for root would hide that there are none.
	case $fs in
	ext4) mkfs.ext4 -qF -m 0 -N 1024 $work/image ;;
	xfs) mkfs.xfs -qf $work/image ;;
	esac
	mount -o loop $work/image $mount
}

make_room() {
	rm -rf $mount/ballast
	sync -f $mount
}

# Producers go on until each was told of an error.
produce_all() {
	mkdir -p $work/acks
	timeout $seconds $load load $work/acks - $round > $work/load 2>&1 || [ $? = 1 ] ||
		{ cat $work/load; fail "producing does not end"; } || return 1
	# The others, which it leaves, end by themselves.
	for ((i = 0; i < seconds * 5; i++)); do
		pgrep -f "$load load $work" > /dev/null || break
		sleep 0.2
	done
	! pgrep -f "$load load $work" || fail "a producer hangs" || return 1
	cat $work/load
	! grep -vi 'space\|only the first batches' $work/load | grep . ||
		fail "a producer is told something else" || return 1
	! sluicectl partition list full | grep offline || fail "a partition is offline"
}

# tells COMMAND... - it does what it is to do, or says what is missing.
tells() {
	timeout $seconds "$@" > $work/told 2>&1 && return 0
	[ $? -lt 124 ] || fail "hangs: $*" || return 1
	grep -qi 'space\|not all is durable' $work/told ||
		{ cat $work/told; fail "does not say why: $*"; }
}

# What administration writes, while there is no room.
administer() {
	tells sluicectl topic config -c retention.ms=86400000 full &&
		tells sluicectl --data-dir $mount topic create -p 2 other &&
		tells sluicectl topic delete --if-exists other
}

# As a crash may leave it: what is not in the logs themselves has to be made anew.
spoil() {
	rm -f $mount/.kafka_cleanshutdown $mount/recovery-point-offset-checkpoint \
		$mount/full-*/*.index $mount/full-*/*.timeindex $mount/full-*/*.snapshot
}

is_up() { sluicectl status | grep -q "$mount"; }

# Down and up, with and without room; then nothing is missing.
restart() {
	tells sluicectl down $mount && tells sluicectl up $mount || return 1
	! is_up || tells sluicectl down $mount || return 1
	spoil
	$fill $mount/ballast "$1" "$2"
	tells sluicectl up $mount || return 1
	! is_up || tells sluicectl down $mount || return 1
	make_room
	sluicectl up $mount && sluicectl down $mount && sluicectl up $mount
}

verify() {
	sluicectl log check --online $mount > $work/check || { tail -n 5 $work/check; return 1; }
	$load dump $work/acks/records && /usr/bin/python3 tests/crash/verify.py --part $work/acks
}

# one_round blocks|inodes LEFT
one_round() {
	local said=$work/said

	number=$((number + 1))
	round=$((round + 1))
	$fill $mount/ballast "$1" "$2"
	if produce_all > $said 2>&1 && administer >> $said 2>&1 && restart "$1" "$2" >> $said 2>&1 &&
		verify >> $said 2>&1; then
		echo "ok $number - $fs: $2 $1 left"
	else
		sed 's/^/# /' $said
		echo "not ok $number - $fs: $2 $1 left"
		failed=1
	fi
	make_room
	# The next round is not about what became of this one.
	sluicectl up $mount > /dev/null 2>&1 || true
}

trap clean_up EXIT
modprobe loop 2> /dev/null || true
mkdir -p $mount
make_fs
sluicectl up $mount > /dev/null
sluicectl --data-dir $mount topic create -p 3 -c segment.bytes=65536 -c segment.index.bytes=4096 \
	-c file.delete.delay.ms=0 full > /dev/null
for count in $blocks; do
	one_round blocks "$count"
done
if [ "$fs" = ext4 ]; then
	for count in $inodes; do
		one_round inodes "$count"
	done
fi
echo "1..$number"
exit "$failed"
