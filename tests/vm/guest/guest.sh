#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Process 1 of the machine once the host's root is there: brings up network,
# disk, module and daemon, runs the command, takes all of it down again and
# switches the machine off. /vm is shared with vm.sh on the host: env and cmd
# come from there, booted, progress, ready, dmesg and rc go back.
set -u
: > /vm/booted
set -a
# shellcheck source=/dev/null
. /vm/env
set +a
cd "$PROJECT" || exit 1
export OUT=/out HOME=/root LANG=C.UTF-8 TERM=dumb SLUICE_DATA_DIR=/data
export PATH=$PROJECT/build/bin:$PROJECT/tests/vm/guest:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { echo "$*" >> /vm/progress; }

mark() { echo "sluice-vm: $*" > /dev/kmsg; }

# finish STATUS - take everything down and switch off.
finish() {
	local rc=$1

	take_down || { [ "$rc" != 0 ] || rc=1; }
	mark end
	dmesg > /vm/dmesg
	cd /
	umount /data 2> /dev/null || echo "vm: /data is still busy"
	sync
	echo "$rc" > /vm/rc
	# Output on its way through the pipe gets out before the power goes.
	exec >&- 2>&-
	wait "$output"
	echo o > /proc/sysrq-trigger
	while :; do sleep 1; done
}

die() {
	echo "vm: $*"
	finish 125
}

mount_all() {
	mkdir -p /dev/pts /dev/shm
	mount -t devpts devpts /dev/pts
	mount -t tmpfs tmpfs /dev/shm
	mount -t tmpfs tmpfs /tmp
	mount -t tmpfs tmpfs /run
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t tracefs tracefs /sys/kernel/tracing
	ln -s /proc/self/fd /dev/fd
	ln -s /proc/self/fd/0 /dev/stdin
	ln -s /proc/self/fd/1 /dev/stdout
	ln -s /proc/self/fd/2 /dev/stderr
	hostname sluice
	# Somebody must read the serial port, or SysRq over it goes nowhere.
	exec 9< /dev/ttyS0
}

open_output() {
	local name port=

	for name in /sys/class/virtio-ports/*/name; do
		[ "$(cat "$name")" != sluice.out ] || port=/dev/$(basename "$(dirname "$name")")
	done
	# A pipe, because programs reopen /dev/stdout and the port opens only once.
	exec > >(exec cat > "$port") 2>&1
	output=$!
}

load_drivers() {
	local release module

	release=$(uname -r)
	[ -d "$KERNEL_DIR/lib/modules/$release" ] || return 0
	mkdir -p "/lib/modules/$release"
	mount --bind "$KERNEL_DIR/lib/modules/$release" "/lib/modules/$release"
	for module in virtio_net virtio_blk virtio_rng tls; do
		modprobe "$module" || die "the driver $module does not load"
	done
}

bring_up_network() {
	"$BUSYBOX" ip link set lo up
	"$BUSYBOX" ip link set eth0 up
	"$BUSYBOX" ip addr add 10.0.2.15/24 dev eth0
	"$BUSYBOX" ip route add default via 10.0.2.2
}

load_module() {
	local depends module

	depends=$(modinfo -F depends "$MODULE")
	for module in ${depends//,/ }; do
		modprobe "$module" || return 1
	done
	insmod "$MODULE"
}

bring_up_sluice() {
	say "loading the module"
	load_module || die "sluice.ko does not load; the kernel's last words: $(dmesg | tail -n 5)"
	say "attaching /data"
	sluicectl up /data || die "sluicectl up failed"
	[ -z "$NODAEMON" ] || return 0
	say "starting sluiced"
	daemon.sh start || die "the daemon does not start"
}

# What still holds the module, when it should be free.
print_holders() {
	local fd

	grep '^sluice ' /proc/modules
	[ ! -e /proc/net/sluice ] || cat /proc/net/sluice
	for fd in /proc/[0-9]*/fd/*; do
		case $(readlink "$fd") in
		socket:*|/data/*) echo "$fd $(tr '\0' ' ' < "${fd%/fd/*}/cmdline")" ;;
		esac
	done | grep -v '^/proc/1/' | head -n 20
}

unload() {
	[ ! -d /sys/module/sluice ] || rmmod sluice && return 0
	echo "vm: the module cannot be unloaded:"
	print_holders
	return 1
}

# What kmemleak finds it reports only when it is some seconds old, and a pointer
# on its way between two places may hide it from one scan.
scan_leaks() {
	local leaks=/sys/kernel/debug/kmemleak

	[ -e "$leaks" ] || return 0
	sleep 6
	echo scan > "$leaks"
	sleep 1
	echo scan > "$leaks"
	cat "$leaks" > /vm/kmemleak
}

take_down() {
	local rc=0

	if [ -d /sys/module/sluice ]; then
		daemon.sh stop || rc=1
		if [ -z "$NOLOAD" ]; then
			say "detaching /data"
			sluicectl down /data || rc=1
		fi
		unload || rc=1
	fi
	[ "$rc" != 0 ] || scan_leaks
	return "$rc"
}

mount_all
open_output
load_drivers
bring_up_network
mount /dev/vda /data || die "the disk cannot be mounted"
/usr/bin/python3 tests/vm/shell.py --serve < /dev/null > /vm/shell.log 2>&1 &
if [ -e /sys/kernel/debug/kmemleak ]; then
	# Scanned once in the end; by itself it takes half of a slow machine.
	echo scan=off > /sys/kernel/debug/kmemleak
	echo clear > /sys/kernel/debug/kmemleak
fi
mark begin
[ -n "$NOLOAD" ] || bring_up_sluice
mkfifo /run/stop
touch /vm/ready
bash /vm/cmd < /dev/null
finish $?
