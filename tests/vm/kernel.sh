#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Fetch what a machine is made of into the cache, once.
#
# usage: kernel.sh 6.1|6.12	stock Debian kernel with its headers
#        kernel.sh debug	the debug kernel (debug-kernel.sh)
#        kernel.sh busybox	the shell of the initramfs
#
# Prints the folder. A kernel's has boot/vmlinuz-*, lib/modules/ (stock only)
# and build, the tree that modules are compiled against.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
apt=()

die() { echo "kernel: $*" >&2; exit 1; }

# Debian's own archive, for machines whose apt has other kernels (Ubuntu,
# other Debian releases). Lists and sources live in the cache; the machine's
# apt is left as it is.
use_debian_archive() {
	local root=$cache/apt keys=/usr/share/keyrings/debian-archive-keyring.gpg

	[ -r "$keys" ] || die "this machine's apt has no such kernel, and Debian's archive needs" \
		"the package debian-archive-keyring"
	mkdir -p "$root/lists/partial" "$root/archives/partial"
	: > "$root/status"
	cat > "$root/sources.list" <<-LIST
	deb [signed-by=$keys] http://deb.debian.org/debian bookworm main
	deb [signed-by=$keys] http://deb.debian.org/debian-security bookworm-security main
	LIST
	apt=(-o "Dir::Etc::SourceList=$root/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$root/lists" -o "Dir::State::Status=$root/status"
		-o "Dir::Cache=$root" -o APT::Architecture=amd64)
	apt-get "${apt[@]}" -qq update >&2
}

refresh_lists() {
	if [ ${#apt[@]} -gt 0 ]; then
		apt-get "${apt[@]}" -qq update >&2
	elif [ "$(id -u)" = 0 ]; then
		apt-get -qq update >&2
	else
		sudo -n apt-get -qq update >&2
	fi
}

# newest_image SERIES - name of the newest plain amd64 image apt knows.
newest_image() {
	apt-cache "${apt[@]}" pkgnames "linux-image-$1." |
		grep -E "^linux-image-[0-9][0-9.+a-z-]*[0-9]-amd64$" | sort -V | tail -n 1
}

version_of() {
	apt-cache "${apt[@]}" show --no-all-versions "$1" | sed -n 's/^Version: //p' | head -n 1
}

# download DIR PACKAGE... - unpack packages into DIR, with one retry on fresh lists.
download() {
	local dir=$1 deb
	shift
	mkdir -p "$dir"
	cd "$dir"
	apt-get "${apt[@]}" -qq download "$@" 2> apt.log || {
		{ refresh_lists && apt-get "${apt[@]}" -qq download "$@"; } 2>> apt.log ||
			{ tail -n 3 apt.log >&2; die "could not download $*"; }
	}
	for deb in *.deb; do
		dpkg-deb -x "$deb" .
		rm "$deb"
	done
	rm -f apt.log
	cd - > /dev/null
}

# Everything is unpacked beside its place and renamed into it, so that a folder
# that is there is complete.
stage() {
	rm -rf "$cache/$1".part-*
	echo "$cache/$1.part-$$"
}

fetch_kernel() {
	local series=$1 image release name part headers

	image=$(newest_image "$series")
	[ -n "$image" ] || { refresh_lists || true; image=$(newest_image "$series"); }
	[ -n "$image" ] || { use_debian_archive; image=$(newest_image "$series"); }
	[ -n "$image" ] || die "no Debian $series kernel to be had through apt"
	release=${image#linux-image-}
	name=linux-$release-$(version_of "$image")
	if [ ! -d "$cache/$name" ]; then
		echo "kernel: downloading $image" >&2
		part=$(stage "$name")
		mapfile -t headers < <(apt-cache "${apt[@]}" depends --important "linux-headers-$release" |
			sed -n 's/.*Depends: \(linux-\(headers\|kbuild\)-.*\)/\1/p')
		download "$part" "$image" "linux-headers-$release" "${headers[@]}"
		# The packages point at where apt would have put them.
		sed -i "s|/usr/src|$cache/$name/usr/src|" "$part/usr/src/linux-headers-$release/Makefile"
		ln -s "usr/src/linux-headers-$release" "$part/build"
		depmod -b "$part" "$release"
		mv "$part" "$cache/$name"
	fi
	echo "$cache/$name"
}

fetch_busybox() {
	local part

	if [ ! -d "$cache/busybox" ]; then
		part=$(stage busybox)
		download "$part" busybox-static
		mv "$part" "$cache/busybox"
	fi
	echo "$cache/busybox"
}

# Without apt's word (no lists, no network) what was fetched before still serves.
newest_cached() {
	find "$cache" -maxdepth 1 -name "linux-$1.*-amd64-*" -not -name '*.part-*' 2> /dev/null |
		sort -V | tail -n 1
}

[ $# = 1 ] || { sed -n 's/^# \{0,1\}//;4,9p' "$0" >&2; exit 2; }
mkdir -p "$cache"
exec 8> "$cache/fetch.lock"
case $1 in
debug)
	exec 8>&-
	exec "$here/debug-kernel.sh" ;;
busybox)
	flock 8
	fetch_busybox ;;
6.1|6.12)
	flock 8
	# Asking apt takes a second; the answer holds until its lists change.
	answer=$cache/linux-$1.newest
	if [ "$answer" -nt /var/lib/apt/lists ] && [ -d "$(cat "$answer")" ]; then
		cat "$answer"
		exit
	fi
	if ! dir=$(fetch_kernel "$1"); then
		dir=$(newest_cached "$1")
		[ -n "$dir" ] || exit 1
		echo "kernel: using $dir from the cache" >&2
	fi
	echo "$dir" | tee "$answer" ;;
*)	die "unknown kernel '$1': 6.1, 6.12 or debug" ;;
esac
