#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Make the Python environment with the Kafka clients under test, in the cache,
# and print the path of its python.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
key=$({ /usr/bin/python3 -V; cat "$here/requirements.txt"; } | sha256sum | cut -c1-16)
venv=$cache/clients-$key

mkdir -p "$cache"
exec 9> "$cache/clients.lock"
flock 9
if [ ! -e "$venv/done" ]; then
	rm -rf "$venv"
	/usr/bin/python3 -m venv "$venv"
	for try in 1 2 3; do
		if timeout 300 "$venv/bin/pip" install -q --disable-pip-version-check \
			-r "$here/requirements.txt" >&2; then
			break
		fi
		[ "$try" != 3 ] || { echo "venv: pip cannot install the clients" >&2; exit 1; }
		sleep $((try * 5))
	done
	touch "$venv/done"
fi
echo "$venv/bin/python"
