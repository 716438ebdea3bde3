#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sluiced serves a data directory that Apache Kafka wrote, record for record.
#
# usage: adopted.sh DIR		(inside the machine; DIR is of kafka_wrote.sh)
#
# It runs beside the machine's own daemon, in a network namespace of its own.
set -euo pipefail

dir=$(realpath "${1:?DIR}")
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${ADOPTED_NETNS:-}" ]; then
	ADOPTED_NETNS=1 exec unshare -n "$0" "$dir"
fi

data=/data/adopted-$$
log=$(mktemp)
python=$("$here/../venv.sh")

die() { tail -n 20 "$log" | sed 's/^/# /'; echo "Bail out! $*"; exit 1; }

clean_up() {
	[ -z "${pid:-}" ] || kill -TERM "$pid" 2> /dev/null || true
	wait
	sluicectl down "$data" > /dev/null 2>&1 || true
	rm -rf "$data" "$log"
}
trap clean_up EXIT

ip link set lo up
cp -a "$dir/data" "$data"
sluiced --override "log.dirs=$data" --override listeners=PLAINTEXT://127.0.0.1:9092 \
	--override advertised.listeners=PLAINTEXT://127.0.0.1:9092 > "$log" 2>&1 < /dev/null &
pid=$!
for ((i = 0; i < 300; i++)); do
	! grep -q 'ready, Kafka on' "$log" || break
	kill -0 "$pid" 2> /dev/null || die "sluiced did not start"
	sleep 0.1
done
timeout 240 "$python" "$here/logs.py" check 127.0.0.1:9092 "$dir/expected" || { tail -n 20 "$log" | sed 's/^/# /'; exit 1; }
