#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# First program of the machine, in the initramfs: loads what it takes to see
# the host's root, lays a writable layer over it and goes on in there with
# guest.sh.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev

while read -r module; do
	insmod "/modules/$module"
done < /modules/order

set -e
share=version=9p2000.L,trans=virtio,msize=524288
mount -t 9p -o "$share,ro,cache=loose" root /lower
mount -t tmpfs -o size=75% tmpfs /upper
mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /new
mkdir -p /new/vm /new/out /new/data /new/tmp
mount -t 9p -o "$share" vm /new/vm
mount -t 9p -o "$share" out /new/out
for d in proc sys dev; do
	mount --move /$d /new/$d
done
exec switch_root /new /bin/bash "$(sed -n 's/^PROJECT=//p' /new/vm/env)/tests/vm/guest/guest.sh"
