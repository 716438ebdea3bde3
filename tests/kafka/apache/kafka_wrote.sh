#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Have a real Apache Kafka broker write a data directory, for adopted.sh.
#
# usage: kafka_wrote.sh DIR
#
# DIR/data is the directory as the stopped broker left it, DIR/expected what
# its own consumers were given. Takes about a minute.
set -euo pipefail

dir=$(realpath -m "${1:?DIR}")
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../venv.sh")
# Two that are free now, and below those that are given out by themselves.
port=$((20000 + RANDOM % 10000))

rm -rf "$dir"
mkdir -p "$dir"
trap '"$here/broker.sh" stop "$dir" > /dev/null 2>&1 || true' EXIT
"$here/broker.sh" start "$dir" "$port"
"$python" "$here/logs.py" write "127.0.0.1:$port" "$dir/expected"
"$here/broker.sh" stop "$dir"
trap - EXIT
[ -e "$dir/data/.kafka_cleanshutdown" ]
