#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# See that the packages of some sets (mk/packages) are installed.
#
# usage: deps.sh [--check] SET...
#
# Names what is missing and installs it on Debian and Ubuntu, as root or through
# sudo. With --check, and anywhere else, it says what to install and stops.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
check=
if [ "${1:-}" = --check ]; then
	check=1
	shift
fi
[ $# -gt 0 ] || { echo "usage: deps.sh [--check] SET..." >&2; exit 2; }

wanted=()
for set in "$@"; do
	mapfile -t -O "${#wanted[@]}" wanted < <(awk -v set="$set" '$1 == set { print $2 }' "$here/packages")
done

if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
	[ ! -e "$here/../build/deps-by-hand" ] || exit 0
	echo "deps: packages are installed only on Debian and Ubuntu. By their names there, these are needed:"
	printf '  %s\n' "${wanted[@]}" | sort -u
	echo "deps: when they are there, say so with: touch build/deps-by-hand"
	exit 1
fi

missing=()
for package in $(printf '%s\n' "${wanted[@]}" | sort -u); do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)" = installed ] ||
		missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "deps: missing: ${missing[*]}"
if [ -n "$check" ]; then
	echo "deps: \`make deps\` installs them"
	exit 1
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
	command -v sudo > /dev/null || { echo "deps: install them as root, or install sudo"; exit 1; }
	as_root=(sudo)
fi
echo "deps: installing them"
# Old package lists name files that the archive no longer has. A third party's
# archive that does not answer is no reason to stop.
"${as_root[@]}" apt-get -q update || true
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
	--no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" < /dev/null || {
	echo "deps: apt-get could not install them"
	exit 1
}
