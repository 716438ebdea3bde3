/* SPDX-License-Identifier: Apache-2.0 */
/* The control batch that ends a transaction in a partition (EndTransactionMarker of Kafka). */
#ifndef SLUICE_COORDINATOR_MARKER_BATCH_H
#define SLUICE_COORDINATOR_MARKER_BATCH_H

#include "daemon/txn/txn.h"

#define MARKER_BATCH_MAX 128

/** marker_batch - write it to @ret; its length, 0 if it cannot be written */
size_t marker_batch(const struct txn_marker *m, int64_t wall_ms, uint8_t ret[MARKER_BATCH_MAX]);

#endif /* SLUICE_COORDINATOR_MARKER_BATCH_H */
