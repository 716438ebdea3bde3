#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# All that is measured on one machine; rows of JSON go to $OUT/rows.
set -euo pipefail

here=$(dirname "$0")
{ build/tests/bench/bench_log; build/tests/bench/bench_memory; "$here/bench_open.sh"; } |
	tee /dev/stderr | grep "^{" > "$OUT/rows"
