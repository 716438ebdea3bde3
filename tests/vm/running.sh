#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Does the machine with this state folder run? Answers by the exit status.
#
# usage: running.sh STATE_DIR
pid=$(cat "$1/qemu.pid" 2> /dev/null) || exit 1
# The number may be another process's by now.
[[ $(cat "/proc/$pid/comm" 2> /dev/null) = qemu-system* ]] &&
	[ "$(readlink "/proc/$pid/cwd")" -ef "$1" ]
