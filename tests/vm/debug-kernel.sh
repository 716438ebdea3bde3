#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Build the debug kernel once and keep it in the cache.
#
# usage: debug-kernel.sh [--print-dir]
#
# Prints the folder that holds boot/vmlinuz-*, and build/ (a tree modules can
# be compiled against). The folder's name carries a hash of everything it is
# made from, so a changed option or a new source package makes a new kernel.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
source=/usr/src/linux-source-6.1.tar.xz

die() { echo "debug-kernel: $*" >&2; exit 1; }

[ -r "$source" ] || die "$source is missing: install linux-source-6.1"
# Hash the recipe without its comments: rewording one must not cost 20 minutes.
key=$({ dpkg-query -W -f '${Version}\n' linux-source-6.1; gcc -dumpfullversion
	grep -v '^#' "$here/debug.config"; } | sha256sum | cut -c1-16)
dir=$cache/debug-6.1-$key
if [ "${1:-}" = --print-dir ]; then echo "$dir"; exit 0; fi

mkdir -p "$cache"
exec 9> "$dir.lock"
flock 9
if [ -e "$dir/done" ]; then echo "$dir"; exit 0; fi

echo "debug-kernel: building in $dir (about 20 minutes on two cores)" >&2
rm -rf "$dir"
mkdir -p "$dir/boot" "$dir/build"
tar -C "$dir/build" --strip-components=1 -xf "$source"
cd "$dir/build"
log=$dir/build.log
{
	make -s allnoconfig
	scripts/kconfig/merge_config.sh -m -O . .config "$here/debug.config"
	make -s olddefconfig
} > "$log" 2>&1 || { tail -n 20 "$log" >&2; die "configuring failed, see $log"; }

# An option that a dependency dropped would silently weaken every test.
missing=$(grep -E '^CONFIG' "$here/debug.config" | while read -r line; do
	grep -qxF "$line" .config || echo "$line"; done)
[ -z "$missing" ] || die "options that did not survive: $missing"

make -s -j"$(nproc)" bzImage modules >> "$log" 2>&1 || { tail -n 20 "$log" >&2; die "see $log"; }
release=$(make -s kernelrelease)
cp arch/x86/boot/bzImage "$dir/boot/vmlinuz-$release"
# Modules need headers, scripts and Module.symvers, not the objects.
find . -name '*.o' -not -path './scripts/*' -not -path './tools/*' -delete
touch "$dir/done"
echo "$dir"
