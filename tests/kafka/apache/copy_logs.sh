#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copy partition directories out of the machine, for dump.sh.
#
# usage: copy_logs.sh COUNT		(inside the machine; to $OUT/logs)
#
# The COUNT largest of those below 8 MiB. What still grows while it is copied
# would be torn, so nobody may produce meanwhile.
set -euo pipefail

rm -rf "$OUT/logs"
mkdir -p "$OUT/logs"
# Not head, which ends before sort has written all: that is a broken pipe.
du -sk /data/*-[0-9]* | awk '$1 < 8192' | sort -rn |
	awk -v count="${1:?COUNT}" 'NR <= count { print $2 }' |
	xargs -I{} cp -r {} "$OUT/logs/"
