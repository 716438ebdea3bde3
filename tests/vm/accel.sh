#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Say whether KVM works here: prints kvm or tcg.
#
# usage: accel.sh VMLINUZ
#
# A /dev/kvm that opens may still be unable to boot a kernel (nested or
# restricted hosts), so it is tried: the kernel is booted without a root and
# must get as far as missing it. The answer holds until the next boot.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
answer=$cache/accel-$(cut -c1-8 /proc/sys/kernel/random/boot_id)

probe() {
	timeout 20 qemu-system-x86_64 -machine q35 -accel kvm -cpu host -m 512 -nographic -no-reboot \
		-kernel "$1" -append "console=ttyS0 quiet panic=-1" < /dev/null 2>&1
}

if [ ! -e "$answer" ]; then
	mkdir -p "$cache"
	rm -f "$cache"/accel-*
	if [ -w /dev/kvm ] && (probe "$1" | grep -aq "Unable to mount root fs") 2> /dev/null; then
		echo kvm > "$answer.$$"
	else
		echo tcg > "$answer.$$"
	fi
	mv "$answer.$$" "$answer"
fi
cat "$answer"
