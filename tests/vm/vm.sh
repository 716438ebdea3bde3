#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Boot a kernel in QEMU over a copy-on-write view of this machine's root, load
# sluice, run one command and leave with its exit status.
#
# usage: vm.sh [options] -- COMMAND
#   -k KERNEL	6.1 (default), 6.12 or debug
#   -m MiB	memory
#   -f FS	file system of /data: ext4 (default) or xfs
#   -d IMAGE	disk to use and keep for /data (default: a fresh one)
#   -s MiB	size of a fresh disk
#   -w FILE	log all that is written to the disk (dm-log-writes); FILE.before
#		has, as a sparse tar, the disk as it was (disk.before)
#   -o DIR	what the command writes into $OUT comes here
#   -p PORT	also reach the broker from this host on 127.0.0.1:PORT
#   -c FILE	configuration of the broker
#   -S DIR	state of the machine: kernel.log, sluiced.log, sockets
#   -t SECONDS	time limit; a machine that does not end in time tells what hung
#   -i		count instructions: one CPU, time is instructions executed
#   -n		do not start sluiced
#   -N		do not even load the module
#   -q		do not wait for the command to end: return when the machine is ready
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
kernel=6.1 memory= fs=ext4 disk= disk_mib=2048 out= port= conf= state= limit=900
writes= icount= nodaemon= noload= detach=

die() { echo "vm: $*" >&2; exit 125; }

usage() { sed -n 's/^# \{0,1\}//;3,24p' "$0" >&2; exit 2; }

while getopts k:m:f:d:s:w:o:p:c:S:t:inNq option; do
	case $option in
	k) kernel=$OPTARG ;;
	m) memory=$OPTARG ;;
	f) fs=$OPTARG ;;
	d) disk=$(realpath -m "$OPTARG") ;;
	s) disk_mib=$OPTARG ;;
	w) writes=$(realpath -m "$OPTARG") ;;
	o) out=$(realpath -m "$OPTARG") ;;
	p) port=$OPTARG ;;
	c) conf=$(realpath -e "$OPTARG" 2> /dev/null) || die "no such file: $OPTARG" ;;
	S) state=$(realpath -m "$OPTARG") ;;
	t) limit=$OPTARG ;;
	i) icount=1 ;;
	n) nodaemon=1 ;;
	N) noload=1 ;;
	q) detach=1 ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage
case $fs in ext4|xfs) ;; *) die "no such file system: '$fs' (ext4 or xfs)" ;; esac
command -v qemu-system-x86_64 > /dev/null || die "QEMU is missing: make deps installs it"

kdir=$("$here/kernel.sh" "$kernel")
initrd=$("$here/initrd.sh" "$kdir")
busybox=$("$here/kernel.sh" busybox)/bin/busybox
vmlinuz=$(echo "$kdir"/boot/vmlinuz-*)
read -r accel tsc_khz <<< "$("$here/accel.sh" "$vmlinuz")"
module=$project/build/kmod-$kernel/sluice.ko
[ -n "$noload" ] || [ -e "$module" ] || die "$module is missing: make module KERNEL=$kernel"

if [ -z "$state" ]; then
	state=$(mktemp -d)
	[ -n "$detach" ] || trap 'rm -rf "$state"' EXIT
fi
mkdir -p "$state" "${out:=$state/out}"
cd "$state"
rm -f env cmd rc booted ready progress dmesg kmemleak kernel.log* sluiced.log ./*.sock out.fifo

make_disk() {
	local part=$1.part

	mkdir -p "$(dirname "$1")"
	rm -f "$part"
	truncate -s "${disk_mib}M" "$part"
	if [ "$fs" = ext4 ]; then
		mkfs.ext4 -qF "$part"
	else
		mkfs.xfs -qf "$part"
	fi
	mv "$part" "$1"
}

if [ -z "$disk" ]; then
	disk=$state/disk
	rm -f "$disk"
fi
[ -e "$disk" ] || make_disk "$disk"

{
	printf 'PROJECT=%q\nKERNEL=%q\nKERNEL_DIR=%q\nBUSYBOX=%q\n' "$project" "$kernel" "$kdir" "$busybox"
	printf 'MODULE=%q\nPORT=%q\nBROKER_CONF=%q\n' "$module" "${port:-9092}" "$conf"
	printf 'NODAEMON=%q\nNOLOAD=%q\n' "$nodaemon" "$noload"
} > ./env
printf '%s\n' "$*" > cmd

# An emulated CPU that waits for a busy host is not a locked-up one.
append="console=ttyS0 loglevel=5 panic=-1 sysrq_always_enabled"
append+=" watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120"
[ "$kernel" != debug ] || append+=" panic_on_warn=1"
args=(-machine q35 -m "${memory:-$([ "$kernel" = debug ] && echo 3072 || echo 2048)}")
if [ -n "$icount" ]; then
	args+=(-accel "tcg,thread=single" -icount "shift=0,sleep=off" -smp 1)
	append+=" idle=poll"
	accel=tcg
elif [ "$accel" = kvm ]; then
	args+=(-accel kvm -cpu host -smp 2)
else
	args+=(-accel "tcg,thread=multi" -smp 2)
	# no_timer_check: on a busy host the tick may come too late for the check.
	append+=" tsc_early_khz=$tsc_khz no_timer_check"
fi
if [ "$accel" = tcg ]; then
	# A CPU with the instructions that matter here, without those that TCG
	# is slow at (rep movsb).
	args+=(-cpu "Nehalem,+aes,+pclmulqdq,+rdrand")
	append+=" mitigations=off"
fi
args+=(-kernel "$vmlinuz" -initrd "$initrd" -append "$append" -no-reboot
	-display none -monitor none -nodefaults
	-chardev "socket,id=serial,path=serial.sock,server=on,wait=off,logfile=kernel.log"
	-serial chardev:serial -mon chardev=monitor
	-chardev "socket,id=monitor,path=monitor.sock,server=on,wait=off"
	-virtfs "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap"
	-virtfs "local,path=$state,mount_tag=vm,security_model=none"
	-virtfs "local,path=$out,mount_tag=out,security_model=none"
	-netdev "user,id=net0${port:+,hostfwd=tcp:127.0.0.1:$port-:$port}"
	-device virtio-net-pci,netdev=net0,romfile= -device virtio-rng-pci
	-device virtio-serial-pci,max_ports=8
	-chardev file,id=out,path=out.fifo -device virtserialport,chardev=out,name=sluice.out)
if [ -n "$writes" ]; then
	tar -C "$(dirname "$disk")" -cSf "$writes.before" \
		--transform "s|^.*|disk.before|" "$(basename "$disk")"
	: > "$writes"
	args+=(-blockdev "driver=file,node-name=disk,filename=$disk"
		-blockdev "driver=file,node-name=writes,filename=$writes"
		-blockdev "driver=blklogwrites,node-name=logged,file=disk,log=writes"
		-device "virtio-blk-pci,drive=logged,write-cache=on")
else
	args+=(-drive "file=$disk,if=virtio,format=raw,cache=writeback")
fi
for n in 0 1 2 3; do
	args+=(-chardev "socket,id=shell$n,path=shell.$n.sock,server=on,wait=off"
		-device "virtserialport,chardev=shell$n,name=sluice.shell.$n")
done

# start_qemu - found as $qemu, and as $reader who passes its output on.
start_qemu() {
	# The fifo keeps the command's output apart from the kernel's.
	rm -f out.fifo
	mkfifo out.fifo
	if [ -n "$detach" ]; then
		# Nothing that stays may hold the caller's output open.
		cat < out.fifo > output.log 2>&1 &
	else
		cat < out.fifo &
	fi
	reader=$!
	setsid qemu-system-x86_64 "${args[@]}" < /dev/null > qemu.log 2>&1 &
	qemu=$!
	echo "$qemu" > qemu.pid
}

stop_qemu() { kill -KILL "$qemu" 2> /dev/null || true; }

# The machine ended without a status: say what it said last.
report_death() {
	echo "vm: $1" >&2
	[ ! -s qemu.log ] || tail -n 5 qemu.log >&2
	[ ! -s kernel.log ] || { echo "--- end of the kernel's log ---"; tail -n "${2:-40}" kernel.log; } >&2
	[ ! -s sluiced.log ] || { echo "--- end of sluiced's log ---"; tail -n 10 sluiced.log; } >&2
}

# Emulated, a kernel sometimes dies in its first second, in code it patches while it
# runs. Nothing of this project has run by then: it is booted again.
boot_again() {
	local boots_max=3

	[ ! -e booted ] && ((boots < boots_max)) && grep -q 'Kernel panic' kernel.log || return 1
	mv kernel.log "kernel.log.$boots"
	echo "vm: the kernel died while it booted (see $state/kernel.log.$boots)" >&2
	boots=$((boots + 1))
	kill "$reader" 2> /dev/null || true
	start_qemu
}

# wait_for FILE - until it is there, the machine ends, or time is up.
wait_for() {
	while [ ! -e "$1" ]; do
		kill -0 "$qemu" 2> /dev/null || boot_again || return 1
		((SECONDS < limit)) || return 2
		sleep 0.2
	done
}

hung() {
	echo "vm: no end after $limit s; what the machine does now:" >&2
	timeout 30 /usr/bin/python3 "$here/sysrq.py" "$state" >&2 || true
	stop_qemu
	report_death "stopped" 250
	exit 124
}

boots=1
start_qemu
if [ -n "$detach" ]; then
	wait_for ready && exit 0 || status=$?
	[ "$status" = 1 ] || hung
	cat output.log >&2
	[ -e rc ] || report_death "the machine ended before it was ready"
	exit 1
fi
trap 'stop_qemu; exit 130' INT TERM
status=0
wait_for rc || status=$?
[ "$status" != 2 ] || hung
for ((i = 0; i < 100; i++)); do
	kill -0 "$qemu" 2> /dev/null || break
	sleep 0.1
done
stop_qemu
wait "$reader"
[ -e rc ] || { report_death "the machine ended before the command did"; exit 125; }
rc=$(cat rc)
"$here/scan-kernel-log.sh" . || { [ "$rc" != 0 ] || rc=1; }
exit "$rc"
