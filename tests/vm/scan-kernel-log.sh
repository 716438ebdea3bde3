#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Look for reports in the log of a machine's kernel: prints each with its
# surroundings and fails if there is any.
#
# usage: scan-kernel-log.sh STATE_DIR | scan-kernel-log.sh FILE
#
# Of a STATE_DIR (vm.sh) dmesg, from where the module is loaded, and kmemleak
# are read; of a FILE all of it.
set -euo pipefail

reports='BUG:|WARNING:|KASAN|UBSAN|KFENCE|Oops|general protection fault|Kernel panic'
reports+='|possible (circular|recursive) locking|suspicious RCU usage|DEBUG_LOCKS_WARN'
reports+='|INFO: (task .* blocked|rcu|lockdep|trying to register)|detected stall|soft lockup'
reports+='|refcount_t:|ODEBUG|list_(add|del) corruption|sleeping function|scheduling while atomic'
reports+='|kmemleak: [0-9]+ new|unregister_netdevice: waiting|BUG kmalloc|Objects remaining'

# One word that a stock kernel says of any module built outside it.
harmless='module verification failed|loading out-of-tree module'

scan() {
	local hits

	hits=$(grep -nE "$reports" | grep -vE "$harmless" | cut -d: -f1)
	echo "$hits"
}

rc=0
if [ -d "$1" ]; then
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	sed -n '/sluice-vm: begin/,$p' "$1/dmesg" > "$log"
	if [ -s "$1/kmemleak" ]; then
		echo "--- kmemleak ---"
		head -n 100 "$1/kmemleak"
		rc=1
	fi
else
	log=$1
fi
first=$(scan < "$log" | head -n 1)
if [ -n "$first" ]; then
	echo "--- the kernel reports ---"
	sed -n "$((first > 5 ? first - 5 : 1)),$((first + 80))p" "$log"
	rc=1
fi
exit "$rc"
