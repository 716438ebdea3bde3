#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Print the folder of the machine that `make run PORT=…` started or will start.
#
# usage: state-dir.sh PORT
echo "${XDG_STATE_HOME:-$HOME/.local/state}/sluice/$1"
