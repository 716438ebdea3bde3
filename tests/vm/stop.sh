#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Stop the machine of `make run` cleanly: daemon, data directory, module, power.
#
# usage: stop.sh PORT
#
# Fails if something did not go down cleanly or the kernel reported an error.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
port=$1
state=$("$here/state-dir.sh" "$port")

die() { echo "stop: $*" >&2; exit 1; }

"$here/running.sh" "$state" || die "sluice does not run on port $port"
pid=$(cat "$state/qemu.pid")
timeout 20 /usr/bin/python3 "$here/shell.py" "$state" 'echo > /run/stop' < /dev/null ||
	echo "stop: the machine does not listen" >&2
for ((i = 0; i < 600; i++)); do
	"$here/running.sh" "$state" || break
	sleep 0.1
done
if "$here/running.sh" "$state"; then
	timeout 30 /usr/bin/python3 "$here/sysrq.py" "$state" || true
	kill -KILL "$pid"
	tail -n 250 "$state/kernel.log"
	die "the machine hung on its way down and was switched off"
fi
cat "$state/output.log"
[ -e "$state/rc" ] || { tail -n 40 "$state/kernel.log"; die "the machine had ended by itself"; }
"$here/scan-kernel-log.sh" "$state" || die "the kernel reported errors"
[ "$(cat "$state/rc")" = 0 ] || die "it did not go down cleanly"
echo "stop: stopped; the data is kept"
