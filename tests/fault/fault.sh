#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fault injection inside the debug machine, on both file systems: TAP.
#
# usage: fault.sh [OPERATION]
#
# Each file system is a fresh one in a file, so that one that an injected fault
# has hurt is not used for anything else.
set -euo pipefail

mount=/mnt/fault
image=/data/fault.image
debugfs=/sys/kernel/debug

# Let fail-nth reach every allocation but the page cache's own way out.
allow_injection() {
	local kind

	for kind in failslab fail_page_alloc; do
		echo 0 > $debugfs/$kind/ignore-gfp-wait
		echo 0 > $debugfs/$kind/verbose
		echo 0 > $debugfs/$kind/probability
	done
	echo 0 > $debugfs/failslab/cache-filter
	echo 0 > $debugfs/fail_page_alloc/ignore-gfp-highmem
	echo 0 > $debugfs/fail_page_alloc/min-order
	# Scanned once in the end; by itself it takes half of a slow machine.
	echo scan=off > $debugfs/kmemleak
}

clean_up() {
	umount $mount 2> /dev/null || true
	rm -f $image
}

run_on() {
	local fs=$1 rc=0
	shift
	truncate -s 512M $image
	mkdir -p $mount
	case $fs in
	ext4) mkfs.ext4 -qF $image ;;
	xfs) mkfs.xfs -qf $image ;;
	esac
	mount -o loop $image $mount
	echo "# on $fs"
	SLUICE_TEST_DIR=$mount/sluice build/tests/fault/fault "$@" | sed -u "s/^\(not \)\?ok [0-9]* - /&$fs-/" || rc=1
	clean_up
	return $rc
}

trap clean_up EXIT
allow_injection
rc=0
for fs in xfs ext4; do
	run_on "$fs" "$@" || rc=1
done
exit $rc
