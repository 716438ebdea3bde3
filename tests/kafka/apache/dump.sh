#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Let Apache Kafka's own kafka-dump-log read and verify partition directories.
#
# usage: dump.sh DIRECTORY...		topic-0 topic-1 ...
#
# One line of TAP for each directory. The directories must not change
# meanwhile: copy those of a running log first.
set -euo pipefail

[ $# -gt 0 ] || { sed -n 's/^# \{0,1\}//;4,7p' "$0" >&2; exit 2; }
libs=$("$(dirname "$0")/libs.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# kafka_dump_log OUTPUT OPTION... - over the files named on stdin.
kafka_dump_log() {
	local output=$1 files

	shift
	files=$(sort | paste -sd,)
	[ -n "$files" ] || { : > "$output"; return; }
	timeout 300 java -Xmx512m -XX:+UseSerialGC -cp "$libs/*" \
		org.apache.kafka.tools.DumpLogSegments "$@" --files "$files" > "$output" 2>&1 ||
		{ tail -n 5 "$output" | sed 's/^/# /'; echo "Bail out! kafka-dump-log failed"; exit 1; }
}

find_files() { find "${directories[@]}" -maxdepth 1 -type f \( "$@" \); }

# findings: DIRECTORY<tab>what is wrong. Each batch has to be valid and to
# begin behind the one before it.
batch_findings() {
	awk '/^Dumping / {
		dir = $2
		sub("/[^/]*$", "", dir)
		if (dir != last) next_offset = 0
		last = dir
	}
	/^baseOffset:/ {
		for (i = 1; i < NF; i++) field[$i] = $(i + 1)
		if (field["isvalid:"] != "true") print dir "\tinvalid: " $0
		if (field["baseOffset:"] + 0 < next_offset) print dir "\torder: " $0
		next_offset = field["lastOffset:"] + 1
		batches[dir]++
	}
	END { for (dir in batches) print batches[dir] > (dir ".batches") }' "$work/log"
}

# What is not said of an index that is as it should be.
index_findings() {
	awk '/^Dumping / { dir = $2; sub("/[^/]*$", "", dir) }
	/passed sanity check| is empty/ { next }
	/mismatch|out of order|[Ee]xception|[Cc]orrupt|no match|[Ff]ail/ { print dir "\t" $0 }' "$@"
}

# Copies, because the counts of batches are left beside them.
directories=()
for dir; do
	cp -r "$dir" "$work/$(basename "$dir")"
	directories+=("$work/$(basename "$dir")")
done
find_files -name '*.log' | kafka_dump_log "$work/log" --deep-iteration --skip-record-metadata
find_files -name '*.index' -o -name '*.timeindex' |
	kafka_dump_log "$work/sanity" --index-sanity-check
find_files -name '*.index' -o -name '*.timeindex' -o -name '*.txnindex' -o -name '*.snapshot' |
	kafka_dump_log "$work/index"
{ batch_findings; index_findings "$work/sanity" "$work/index"; } > "$work/findings"

echo "1..$#"
number=0
failed=0
for dir in "${directories[@]}"; do
	number=$((number + 1))
	batches=$(cat "$dir.batches" 2> /dev/null || echo 0)
	if grep -F "$dir	" "$work/findings" | head -n 3 | cut -f 2 | sed 's/^/# /' | grep .; then
		printf 'not '
		failed=1
	fi
	echo "ok $number - kafka-dump-log accepts $(basename "$dir"): $batches batches"
done
exit "$failed"
