#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Run sluice in this machine's own kernel, from the build tree.
#
# usage: native.sh check PORT		can it be done here?
#        native.sh up PORT DATA CONF	DATA is /var/lib/sluice unless given
#        native.sh down
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
module=$project/build/kmod-native/sluice.ko
run=/run/sluice
PATH=$project/build/bin:$PATH

die() { echo "run: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || exec sudo "$0" "$@"

# Does this process have CAP_SYS_MODULE (capability 16)?
may_load_modules() {
	local caps

	caps=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
	(((16#$caps >> 16) & 1))
}

# Before anything is built or loaded.
check() {
	local why=

	if [ ! -e /proc/modules ]; then
		why="this kernel ($(uname -r)) has no loadable modules"
	elif [ "$(cat /proc/sys/kernel/modules_disabled 2> /dev/null)" = 1 ]; then
		why="loading modules is switched off (kernel.modules_disabled)"
	elif ! may_load_modules; then
		why="this container may not load modules (CAP_SYS_MODULE)"
	elif grep -qE '\[(integrity|confidentiality)\]' /sys/kernel/security/lockdown 2> /dev/null; then
		why="the kernel is locked down (Secure Boot) and takes signed modules only"
	elif [ ! -e "/lib/modules/$(uname -r)/build" ]; then
		why="the headers of the running kernel are missing (package linux-headers-$(uname -r))"
	fi
	[ -z "$why" ] || die "$why; without NATIVE=1 sluice runs in a machine of its own"
	if (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; then
		die "port $1 is taken; choose another: make run NATIVE=1 PORT=…"
	fi
}

up() {
	local port=$1 data=${2:-/var/lib/sluice} conf=$3 depends name args=()

	mkdir -p "$run" "$data"
	if [ ! -d /sys/module/sluice ]; then
		depends=$(modinfo -F depends "$module")
		for name in ${depends//,/ }; do
			modprobe "$name"
		done
		insmod "$module"
	fi
	sluicectl up "$data"
	echo "$data" > "$run/data"
	[ -z "$conf" ] || args+=(--config "$conf")
	args+=(--override "log.dirs=$data" --override "listeners=PLAINTEXT://127.0.0.1:$port")
	setsid sluiced "${args[@]}" >> "$run/sluiced.log" 2>&1 < /dev/null &
	echo $! > "$run/sluiced.pid"
	for ((i = 0; i < 300; i++)); do
		kill -0 $! 2> /dev/null || break
		if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
			echo "Kafka listens on 127.0.0.1:$port; data in $data; stop: \`make stop NATIVE=1\`"
			return
		fi
		sleep 0.1
	done
	tail -n 10 "$run/sluiced.log" >&2
	die "sluiced did not start"
}

down() {
	local pid

	[ -d /sys/module/sluice ] || die "sluice does not run here"
	if pid=$(cat "$run/sluiced.pid" 2> /dev/null) && kill -TERM "$pid" 2> /dev/null; then
		while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
	fi
	rm -f "$run/sluiced.pid"
	sluicectl down "$(cat "$run/data")"
	rmmod sluice
	echo "stop: stopped; the data is kept"
}

command=$1
shift
case $command in
check) check "$@" ;;
up) up "$@" ;;
down) down ;;
*) die "check, up or down" ;;
esac
