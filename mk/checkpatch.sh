#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Check the style of kmod/ with the kernel's own checkpatch.pl.
#
# usage: checkpatch.sh [FILE...]
#
# The engine's userspace host (kmod/log/port_user*) is not kernel code.
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
source=/usr/src/linux-source-6.1.tar.xz

die() { echo "checkpatch: $*" >&2; exit 1; }

[ -r "$source" ] || die "$source is missing: make deps installs linux-source-6.1"
dir=$cache/checkpatch-$(dpkg-query -W -f '${Version}' linux-source-6.1)
if [ ! -d "$dir" ]; then
	echo "checkpatch: unpacking it from $source" >&2
	part=$dir.part-$$
	mkdir -p "$part"
	tar -C "$part" --strip-components=2 -xf "$source" linux-source-6.1/scripts/checkpatch.pl \
		linux-source-6.1/scripts/spelling.txt linux-source-6.1/scripts/const_structs.checkpatch
	mv "$part" "$dir"
fi

# Why each rule does not hold here:
ignore=(
	FILE_PATH_CHANGES	# asks for the kernel's MAINTAINERS
	LINUX_VERSION_CODE	# out of tree: built for several kernels
	SPDX_LICENSE_TAG	# the engine is under one of two licences
	CONSTANT_COMPARISON	# takes the macro KERNEL_VERSION() for a constant
	BIT_MACRO		# what userspace includes too has no BIT()
	UNCOMMENTED_DEFINITION	# locks are described in their struct's kernel-doc
)
cd "$project"
trap 'rm -f .checkpatch-camelcase.*' EXIT
files=("$@")
[ ${#files[@]} -gt 0 ] || mapfile -t files < <(find kmod tests/kunit -name '*.[ch]' -not -name 'port_user*' | sort)
perl "$dir/checkpatch.pl" --no-tree --no-summary --terse --strict --max-line-length=100 --file \
	--ignore "$(IFS=,; echo "${ignore[*]}")" "${files[@]}"
