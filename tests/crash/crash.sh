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
machine= clients=
python=$(tests/kafka/venv.sh)
# Seconds for one machine; many flushes take their time.
limit=580
[ "$flushes" != all ] || limit=7200

# A file system and kernels for each disk; the second kernel reads what the
# first one left.
combinations=("ext4 6.1 6.12" "xfs 6.12 6.1" "ext4 6.12 6.1" "xfs 6.1 6.12")

stop() { [ -z "$machine$clients" ] || kill $machine $clients 2> /dev/null || true; }
trap stop EXIT

free_port() {
	/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start DIR KERNEL FS COMMAND [OPTION...] - in the background
start() {
	timeout $((limit + 20)) tests/vm/vm.sh -k "$2" -f "$3" -d "$1/disk" -s 512 -S "$1/machine" \
		-o "$1/out" -t $limit -p "$port" -c tests/crash/sluiced.properties "${@:5}" -- "$4" \
		>> "$1/log" 2>&1 &
	machine=$!
}

# Kafka's clients live as long as the disk: they do not know of power cuts.
start_clients() {
	local name

	for name in client transactions; do
		"$python" tests/crash/$name.py "$port" "$1/out" >> "$1/clients.log" 2>&1 &
		clients+=" $!"
	done
}

# end_clients - each says how it ended
end_clients() {
	local pid

	for pid in $clients; do
		wait "$pid" || { echo "# a client of Kafka's failed"; return 1; }
	done
	clients=
}

# wait_for FILE - until the machine has made it
wait_for() {
	local i

	for ((i = 0; i < 4500; i++)); do
		kill -0 $machine 2> /dev/null || return 1
		[ ! -e "$1" ] || return 0
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
	tests/vm/scan-kernel-log.sh "$1/machine/kernel.log"
}

# load_and_cut DIR NUMBER ROUND FS KERNEL
load_and_cut() {
	local dir=$1 delay

	start "$dir" "$5" "$4" "tests/crash/guest.sh load $3 $acks" -w "$dir/writes"
	wait_for "$dir/out/created" || { echo "# no topics on $5"; return 1; }
	[ -n "$clients" ] || start_clients "$dir"
	wait_for "$dir/out/ready.$3" || { echo "# on $5 not all happened that should: $(tail -n 1 "$dir/out/counts.$3")"; return 1; }
	delay=$((RANDOM % 5000))
	cut_power "$dir" $delay || { echo "# the machine ended by itself, or its kernel complained"; return 1; }
	echo "# disk $2, cut $3: $4, $5, after $delay ms of all of it: $(tail -n 1 "$dir/out/counts.$3")"
}

# one_disk DIR NUMBER - load, cut, and again, then look
one_disk() {
	local dir=$1 fs first second kernel i

	read -r fs first second <<< "${combinations[$2 % 4]}"
	kernel=$first
	port=$(free_port)
	for ((i = 1; i <= cuts; i++)); do
		load_and_cut "$dir" "$2" $i "$fs" "$kernel" || return 1
		kernel=$([ "$kernel" = "$first" ] && echo "$second" || echo "$first")
	done
	start "$dir" "$kernel" "$fs" "tests/crash/guest.sh verify &&
		tests/crash/guest.sh replay $dir/writes $fs $flushes $seed"
	wait $machine || { echo "# it does not go on as it should on $kernel"; return 1; }
	machine=
	end_clients || return 1
	sed -n 's/^# \(.* flushes on .*\)/# disk '"$2"': \1/p' "$dir/log"
	/usr/bin/python3 tests/crash/verify.py "$dir/out"
}

rm -rf "$base"
RANDOM=$seed
echo "# repeat with SEED=$seed"
failed=0
for ((n = 0; n < count; n++)); do
	dir=$base/$n
	mkdir -p "$dir/out"
	if one_disk "$dir" "$n"; then
		echo "ok $((n + 1)) - power cut of disk $n"
		rm -rf "$dir"
	else
		tail -n 40 "$dir/log" "$dir/clients.log" | sed 's/^/# /'
		echo "not ok $((n + 1)) - power cut of disk $n ($dir)"
		failed=1
	fi
	stop
	machine= clients=
done
echo "1..$count"
exit $failed
