#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Cut the power of a machine under load, start it again on the same disk and see
# that nothing which was acknowledged as durable is lost: TAP.
#
# usage: crash.sh [N]		N disks (2), each with CUTS power cuts (1)
#
# Then, in the same machine, the disk is made what it was at FLUSHES (6, or all)
# of the flushes before the last cut, and looked at again and again.
#
# SEED repeats the moments of an earlier run (as far as machines repeat); ACKS=
# appended takes receipts for what they are not, and must fail. Everything of a
# failed disk stays in build/test/crash.
set -euo pipefail

cd "$(dirname "$0")/../.."
count=${1:-2}
cuts=${CUTS:-1}
flushes=${FLUSHES:-6}
seed=${SEED:-$RANDOM}
acks=${ACKS:-}
base=$PWD/build/test/crash
machine=
# Seconds for one machine; many flushes take their time.
limit=280
[ "$flushes" != all ] || limit=7200

# A file system and kernels for each disk; the second kernel reads what the
# first one left.
combinations=("ext4 6.1 6.12" "xfs 6.12 6.1" "ext4 6.12 6.1" "xfs 6.1 6.12")

stop_machine() { [ -z "$machine" ] || kill "$machine" 2> /dev/null || true; }
trap stop_machine EXIT

# start DIR KERNEL FS COMMAND [OPTION...] - in the background
start() {
	timeout $((limit + 20)) tests/vm/vm.sh -k "$2" -f "$3" -d "$1/disk" -s 512 -S "$1/machine" \
		-o "$1/out" -t $limit "${@:5}" -- "$4" >> "$1/log" 2>&1 &
	machine=$!
}

# wait_for_load DIR ROUND - until sockets and Kafka's client have acknowledgements
wait_for_load() {
	local i

	for ((i = 0; i < 1200; i++)); do
		kill -0 $machine 2> /dev/null || return 1
		[ ! -s "$1/out/acks.${2}9" ] || [ ! -s "$1/out/acks.${2}0" ] || return 0
		sleep 0.1
	done
	return 1
}

# cut_power DIR MILLISECONDS - off, without a word to the machine
cut_power() {
	sleep "$(printf '%d.%03d' $(($2 / 1000)) $(($2 % 1000)))"
	kill -0 $machine 2> /dev/null || return 1
	kill -KILL "$(cat "$1/machine/qemu.pid")"
	wait $machine || true
	machine=
}

# one_disk DIR NUMBER - load, cut, and again, then look
one_disk() {
	local dir=$1 fs first second kernel i delay

	read -r fs first second <<< "${combinations[$2 % 4]}"
	kernel=$first
	for ((i = 1; i <= cuts; i++)); do
		start "$dir" "$kernel" "$fs" "tests/crash/guest.sh load $i $acks" -w "$dir/writes"
		wait_for_load "$dir" $i || { echo "# no load on $kernel"; return 1; }
		delay=$((RANDOM % 5000))
		echo "# disk $2: $fs, $kernel: power cut after $delay ms of load"
		cut_power "$dir" $delay || { echo "# the machine ended by itself"; return 1; }
		kernel=$([ "$kernel" = "$first" ] && echo "$second" || echo "$first")
	done
	start "$dir" "$kernel" "$fs" "tests/crash/guest.sh verify &&
		tests/crash/guest.sh replay $dir/writes $fs $flushes $seed"
	wait $machine || { echo "# the machine does not come up again on $kernel"; return 1; }
	machine=
	sed -n 's/^# \(.* flushes on .*\)/# disk '"$2"': \1/p' "$dir/log"
	/usr/bin/python3 tests/crash/verify.py "$dir/out"
}

rm -rf "$base"
RANDOM=$seed
echo "# repeat with SEED=$seed"
failed=0
for ((n = 0; n < count; n++)); do
	dir=$base/$n
	mkdir -p "$dir"
	if one_disk "$dir" "$n"; then
		echo "ok $((n + 1)) - power cut of disk $n"
		rm -rf "$dir"
	else
		tail -n 40 "$dir/log" | sed 's/^/# /'
		echo "not ok $((n + 1)) - power cut of disk $n ($dir)"
		failed=1
	fi
	stop_machine
done
echo "1..$count"
exit $failed
