#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Get Apache Kafka (pom.xml) from Maven Central into the cache, and print the
# directory with its jars.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice
libs=$cache/apache-kafka-$(sha256sum "$here/pom.xml" | cut -c1-16)

mkdir -p "$cache"
exec 9> "$cache/apache-kafka.lock"
flock 9
if [ ! -e "$libs/done" ]; then
	for try in 1 2 3; do
		rm -rf "$libs"
		if timeout 600 mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies \
			-DoutputDirectory="$libs" >&2; then
			break
		fi
		[ "$try" != 3 ] || { echo "libs: Maven cannot fetch Apache Kafka" >&2; exit 1; }
		sleep $((try * 5))
	done
	touch "$libs/done"
fi
echo "$libs"
