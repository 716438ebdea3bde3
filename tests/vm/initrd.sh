#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Make the initramfs of a kernel folder (kernel.sh) and print its path.
#
# usage: initrd.sh KERNEL_DIR
#
# It holds busybox, guest/init.sh and the modules that stand between a stock
# kernel and the host's root; the rest comes from there by modprobe.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
kdir=$1
busybox=$("$here/kernel.sh" busybox)/bin/busybox
vmlinuz=$(echo "$kdir"/boot/vmlinuz-*)
release=${vmlinuz##*/vmlinuz-}
key=$(cat "$here/initrd.sh" "$here/guest/init.sh" "$busybox" | sha256sum | cut -c1-16)
initrd=$kdir/initrd-$key

if [ ! -e "$initrd" ]; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$work"/{bin,proc,sys,dev,lower,upper,new,modules}
	cp "$busybox" "$work/bin/busybox"
	ln -s busybox "$work/bin/sh"
	cp "$here/guest/init.sh" "$work/init"
	chmod +x "$work/init"
	: > "$work/modules/order"
	if [ -d "$kdir/lib/modules/$release" ]; then
		for module in virtio_pci virtio_console 9pnet_virtio 9p overlay; do
			modprobe -d "$kdir" -S "$release" --show-depends "$module"
		done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r path; do
			name=$(basename "$path")
			case $name in
			*.xz) name=${name%.xz}; xz -dc "$path" > "$work/modules/$name" ;;
			*) cp "$path" "$work/modules/$name" ;;
			esac
			echo "$name" >> "$work/modules/order"
		done
	fi
	(cd "$work" && find . | "$busybox" cpio -o -H newc 2> "$work.log" | gzip -1) > "$initrd.$$" ||
		{ cat "$work.log" >&2; exit 1; }
	rm -f "$work.log"
	mv "$initrd.$$" "$initrd"
fi
echo "$initrd"
