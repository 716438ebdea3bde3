#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# After a stop and a start of the machine, the tour's records are still there.
set -euo pipefail

timeout 60 kcat -b 127.0.0.1:9092 -C -t dpkg -o beginning -e -q | sort | cmp - <(sort /var/log/dpkg.log)
