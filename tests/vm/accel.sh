#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Say how machines are run here: prints "kvm", or "tcg" and the rate in kHz of
# the time stamp counter that they will see (tsc_khz.c).
#
# usage: accel.sh VMLINUZ
#
# A /dev/kvm that opens may still be unable to boot a kernel (nested or
# restricted hosts), so it is tried: the kernel is booted without a root and
# must get as far as missing it. The answer holds until the next boot.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
key=$({ cat /proc/sys/kernel/random/boot_id; cat "$0" "$here/tsc_khz.c"; } | sha256sum | cut -c1-16)
answer=$cache/accel-$key

boots_by_kvm() {
	timeout 20 qemu-system-x86_64 -machine q35 -accel kvm -cpu host -m 512 -nographic -no-reboot \
		-kernel "$1" -append "console=ttyS0 quiet panic=-1" < /dev/null 2>&1 |
		grep -aq 'Unable to mount root fs'
}

tsc_khz() {
	local program

	program=$(mktemp)
	gcc -O2 -o "$program" "$here/tsc_khz.c"
	"$program"
	rm -f "$program"
}

if [ ! -e "$answer" ]; then
	mkdir -p "$cache"
	rm -f "$cache"/accel-*
	if [ -w /dev/kvm ] && (boots_by_kvm "$1") 2> /dev/null; then
		echo kvm > "$answer.$$"
	else
		echo "tcg $(tsc_khz)" > "$answer.$$"
	fi
	mv "$answer.$$" "$answer"
fi
cat "$answer"
