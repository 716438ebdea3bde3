#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Make a disk what a power cut may have left of it, at flush after flush of a
# log of its writes, and see that nothing which was acknowledged is lost.
#
# usage: replay.sh LOG FS FLUSHES|all SEED	(inside the machine, in a network
#						namespace of its own)
#
# LOG.before has the disk as it was in the beginning. FLUSHES are spread evenly; at each the disk has
# all that came before, and some of what came between it and the next.
set -euo pipefail

log=$1 fs=$2 flushes=$3 seed=$4
load=build/tests/crash/load
replay=build/tests/crash/replay
work=/dev/shm/replay
mount=$work/mounted
acks=0
options=loop
# The machine's own disk is mounted, too, and has the same name.
[ "$fs" != xfs ] || options+=,nouuid

mount_image() { mount -o "$options" $work/image $mount; }

# Its superblock may be torn as well, within a block that a disk would write whole. That
# is for the file system's own check, which a machine runs before it mounts.
mend_image() {
	local status=0

	[ "$fs" = ext4 ] || return 1
	echo "# the file system is checked"
	e2fsck -fy $work/image > $work/fsck 2>&1 || status=$?
	((status < 4)) || { cat $work/fsck; return 1; }
}

# As the machine itself does it after a power cut.
start_disk() {
	cp $work/disk.before $work/image &&
		$replay tear "$log" $work/image "$1" $((seed + $1)) &&
		{ mount_image 2> /dev/null || { mend_image && mount_image; }; } || return 1
	sluicectl up $mount > $work/up 2>&1 || { cat $work/up; return 1; }
}

stop_disk() {
	sluicectl down $mount && umount $mount
}

read_acks() {
	local file

	rm -f $work/acks.*
	for file in $mount/acks/acks.*; do
		[ ! -e "$file" ] || $load acks "$file" > "$work/${file##*/}"
	done
	# None yet: the disk is of before the first.
	acks=$({ cat $work/acks.* 2> /dev/null || true; } | wc -l)
}

# A disk of before the topic has nothing to lose, or has lost it.
check_disk() {
	if [ "$acks" = 0 ] && ! sluicectl topic describe crash > /dev/null 2>&1; then
		echo "# no topic yet"
		return 0
	fi
	sluicectl log dump $mount/crash-* > $work/dump || { tail -n 5 $work/dump; return 1; }
	sluicectl log check --online $mount > $work/check || { tail -n 5 $work/check; return 1; }
	CRASH_TOPIC=crash $load dump $work/records && /usr/bin/python3 tests/crash/verify.py --part $work
}

one_flush() {
	echo "# flush $1"
	start_disk "$1" && read_acks && check_disk && stop_disk
}

modprobe loop 2> /dev/null || true
mkdir -p $mount
tar -C $work -xf "$log.before"
count=$($replay flushes "$log")
[ "$flushes" != all ] || flushes=$count
((flushes < count)) || flushes=$count
echo "# $flushes of $count flushes on $fs, torn by seed $seed"
at=0
for ((i = 1; i <= flushes; i++)); do
	next=$((count * i / flushes))
	$replay apply "$log" $work/disk.before $at $next
	at=$next
	one_flush $at || { echo "the disk at flush $at (tear $((seed + at))) is not as it should be"; exit 1; }
done
# What was never acknowledged proves nothing.
((acks > 0)) || { echo "nothing was acknowledged"; exit 1; }
