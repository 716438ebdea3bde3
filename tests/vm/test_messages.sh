#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the machine's commands say when something is in their way, and what the
# reader of kernel logs takes for a report. No machine is booted. TAP.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
listener=
trap '[ -z "$listener" ] || kill "$listener"; rm -rf "$work"' EXIT
export XDG_STATE_HOME=$work/state
n=0 failed=0

result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$work/out"
		failed=1
	fi
}

# refuses NAME PATTERN COMMAND... - fails, in one line that matches.
refuses() {
	local name=$1 pattern=$2

	shift 2
	if timeout 30 "$@" > "$work/out" 2>&1 < /dev/null; then
		result 1 "$name (it did not fail)"
	else
		[ "$(wc -l < "$work/out")" = 1 ] && grep -qE "$pattern" "$work/out"
		result $? "$name"
	fi
}

# A PATH that has what the scripts start with, but no QEMU.
mkdir "$work/bin"
for program in bash cat dirname grep readlink realpath sed; do
	ln -s "$(command -v $program)" "$work/bin/"
done
refuses "vm: QEMU missing" "QEMU is missing.*make deps" \
	env PATH="$work/bin" "$here/vm.sh" -N -- true
refuses "vm: unknown kernel" "unknown kernel '5.10': 6.1, 6.12 or debug" "$here/vm.sh" -k 5.10 -N -- true
refuses "vm: unknown file system" "no such file system: 'btrfs'" "$here/vm.sh" -f btrfs -N -- true
refuses "vm: no such configuration" "no such file: $work/none" "$here/vm.sh" -c "$work/none" -N -- true
refuses "run: no port number" "PORT=http is not a port number" "$here/run.sh" 6.1 http "" "" 1

/usr/bin/python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
time.sleep(60)' > "$work/port" &
listener=$!
until [ -s "$work/port" ]; do sleep 0.1; done
refuses "run: port taken" "port $(cat "$work/port") is taken" "$here/run.sh" 6.1 "$(cat "$work/port")" "" "" 1
refuses "stop: nothing runs" "does not run on port 9999" "$here/stop.sh" 9999
refuses "shell: nothing runs" "no machine is running" "$here/shell.py" "$work/none" true

# reports NAME LINE - the reader of kernel logs finds it.
reports() {
	printf '[    1.0] before\n%s\n[    1.2] after\n' "$2" > "$work/klog"
	! "$here/scan-kernel-log.sh" "$work/klog" > "$work/out" && grep -qF "$2" "$work/out"
	result $? "scan: $1"
}

reports KASAN '[    1.1] BUG: KASAN: use-after-free in f+0x1/0x2 [sluice]'
reports WARN '[    1.1] WARNING: CPU: 0 PID: 1 at kmod/log.c:1 f+0x1/0x2 [sluice]'
reports lockdep '[    1.1] WARNING: possible circular locking dependency detected'
reports atomic '[    1.1] BUG: sleeping function called from invalid context at mm/slab.h:1'
reports RCU '[    1.1] WARNING: suspicious RCU usage'
reports "hung task" '[    1.1] INFO: task sluiced:99 blocked for more than 120 seconds.'
reports stall '[    1.1] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:'
reports UBSAN '[    1.1] UBSAN: shift-out-of-bounds in kmod/x.c:1:1'
reports oops '[    1.1] Oops: 0000 [#1] PREEMPT SMP'
reports refcount '[    1.1] refcount_t: underflow; use-after-free.'
reports list '[    1.1] list_del corruption. prev->next should be 0'
reports leak '[    1.1] kmemleak: 3 new suspected memory leaks'

printf '%s\n' '[ 1.0] sluice: loading out-of-tree module taints kernel.' \
	'[ 1.1] sluice: module verification failed: signature and/or required key missing' \
	'[ 1.2] overlayfs: failed to get metacopy (-5)' > "$work/klog"
"$here/scan-kernel-log.sh" "$work/klog" > "$work/out"
result $? "scan: what every stock kernel says of a foreign module is no report"

mkdir "$work/machine"
printf 'BUG: of the boot\nsluice-vm: begin\nfine\n' > "$work/machine/dmesg"
"$here/scan-kernel-log.sh" "$work/machine" > "$work/out"
result $? "scan: only what follows the module is read"
echo "unreferenced object 0xffff888003a1b000 (size 64):" > "$work/machine/kmemleak"
! "$here/scan-kernel-log.sh" "$work/machine" > "$work/out"
result $? "scan: kmemleak"
echo "1..$n"
exit "$failed"
