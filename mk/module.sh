#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Build sluice.ko for one kernel, outside the source tree; a warning fails.
#
# usage: module.sh 6.1|6.12|debug|native [KBUILD_VARIABLE=VALUE...]
#
# The sources are linked into build/kmod-<kernel>/, so that builds for several
# kernels live side by side.
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
kernel=$1
shift
if [ "$kernel" = native ]; then
	kbuild=/lib/modules/$(uname -r)/build
	[ -e "$kbuild" ] || { echo "module: no headers of the running kernel in $kbuild" >&2; exit 1; }
else
	kbuild=$("$project/tests/vm/kernel.sh" "$kernel")/build
fi

tree=$project/build/kmod-$kernel
mkdir -p "$tree"
exec 9> "$tree/.lock"
flock 9
# Objects of another kernel are of no use.
if [ "$kbuild" != "$(cat "$tree/.kbuild" 2> /dev/null)" ]; then
	find "$tree" \( -name '*.o' -o -name '*.ko' -o -name '.*.cmd' \) -delete
	echo "$kbuild" > "$tree/.kbuild"
fi
cd "$project"
find Kbuild kmod uapi tests/kunit -name '*.[chS]' -o -name 'Kbuild*' | while read -r file; do
	[ -e "$tree/$file" ] || { mkdir -p "$tree/$(dirname "$file")"; ln -s "$project/$file" "$tree/$file"; }
done
find "$tree" -xtype l -delete
mkdir -p "$tree/build"
ln -sfn "$project/build/gen" "$tree/build/gen"

log=$tree/build.log
make -C "$kbuild" M="$tree" W=1 "$@" modules > "$log" 2>&1 || {
	grep -E 'error|Error|warning' "$log" >&2 || tail -n 20 "$log" >&2
	echo "module: the build for $kernel failed, see $log" >&2
	exit 1
}
# Kernel headers are not ours to mend; messages name our files by tree or by link.
if grep -E "(warning|error):" "$log" | grep -E "^($tree|$project|kmod|tests|uapi)" > "$tree/warnings"; then
	cat "$tree/warnings" >&2
	echo "module: warnings in the build for $kernel" >&2
	# What compiled with a warning must not pass for built next time.
	find "$tree" \( -name '*.o' -o -name '*.ko' \) -delete
	exit 1
fi
