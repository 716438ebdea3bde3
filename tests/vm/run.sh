#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run sluice in a machine until it is stopped, with its data kept.
#
# usage: run.sh KERNEL PORT DATA CONF DETACH
#
# KERNEL is 6.1, 6.12 or debug; empty DATA, CONF and DETACH mean none. Without
# DETACH it stays in the foreground, and Ctrl-C stops the machine. FS in the
# environment (ext4 or xfs) is what a new disk is formatted with.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
kernel=$1 port=$2 data=$3 conf=$4 detach=$5
state=$("$here/state-dir.sh" "$port")
begin=$SECONDS

die() { echo "run: $*" >&2; exit 1; }

[[ $port =~ ^[0-9]+$ ]] && ((port > 0 && port < 65536)) || die "PORT=$port is not a port number"
mkdir -p "$state" || die "cannot keep the machine's state in $state"
exec 9> "$state/lock"
flock -n 9 || die "a machine is starting on port $port"
if "$here/running.sh" "$state"; then
	die "sluice runs on port $port already; \`make stop PORT=$port\` stops it"
fi
if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
	die "port $port is taken; choose another: make run PORT=…"
fi
data=$(realpath -m "${data:-$state/data}")
mkdir -p "$data" || die "cannot keep data in $data"
# Two machines on one disk would ruin it.
exec 8> "$data/lock"
flock -n 8 || die "$data is in use by another machine"

echo "run: booting Linux $kernel; data in $data"
rm -f "$state/progress"
show_progress() {
	local line shown=0 lines

	while sleep 0.3; do
		[ -e "$state/progress" ] || continue
		mapfile -t lines < "$state/progress"
		for line in "${lines[@]:shown}"; do
			echo "run: $line"
		done
		shown=${#lines[@]}
	done
}
show_progress &
progress=$!
trap 'kill "$progress" 2> /dev/null || true' EXIT
# QEMU keeps descriptor 8, and with it the lock, for as long as it runs.
"$here/vm.sh" -q -k "$kernel" -f "${FS:-ext4}" -d "$data/disk" -s 16384 -p "$port" -S "$state" -t 300 \
	${conf:+-c "$conf"} -- 'read -r < /run/stop' 9>&- || die "the machine did not come up"
sleep 0.4
kill "$progress"

[ "$port" = 9092 ] && suffix= || suffix=" PORT=$port"
cat <<EOT
run: ready after $((SECONDS - begin)) s
Kafka listens on 127.0.0.1:$port; a shell inside: \`make shell$suffix\`; stop: $(
	[ -n "$detach" ] || echo 'Ctrl-C or ')\`make stop$suffix\`
EOT
[ -z "$detach" ] || exit 0
exec 9>&-
trap 'trap "" INT; "$here/stop.sh" "$port"; exit' INT TERM
while "$here/running.sh" "$state"; do
	sleep 1 &
	wait $! || true
done
