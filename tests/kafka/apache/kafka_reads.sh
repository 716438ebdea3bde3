#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Apache Kafka's own tool reads and verifies what the running machine's logs hold.
#
# usage: kafka_reads.sh OUT		(on the host; OUT is the machine's share)
set -euo pipefail

cd "$(dirname "$0")/../../.."
timeout 120 make -s shell CMD='tests/kafka/apache/copy_logs.sh 20' < /dev/null
exec tests/kafka/apache/dump.sh "${1:?OUT}"/logs/*
