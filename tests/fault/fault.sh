#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fault injection inside the debug machine: TAP.
#
# usage: fault-ext4.sh|fault-xfs.sh [OPERATION]
#
# The file system is a fresh one in a file, so that one that an injected fault
# has hurt is used for nothing else. Faults are injected into the thread that
# calls: not into workers, and so not into a sync or the creation of a segment.
set -euo pipefail

fs=$(basename "$0" .sh)
fs=${fs#fault-}
mount=/mnt/fault
image=/data/fault.image
debugfs=/sys/kernel/debug

# Let fail-nth reach every kind of allocation.
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

trap clean_up EXIT
allow_injection
truncate -s 512M $image
mkdir -p $mount
case $fs in
ext4) mkfs.ext4 -qF $image ;;
xfs) mkfs.xfs -qf $image ;;
esac
mount -o loop $image $mount
SLUICE_TEST_DIR=$mount/sluice build/tests/fault/fault "$@"
