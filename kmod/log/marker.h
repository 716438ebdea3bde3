/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The record of a control batch that ends a transaction (EndTransactionMarker
 * and ControlRecordType of Kafka): key {version, type}, value {version,
 * coordinator epoch}, all big endian.
 */
#ifndef SLUICE_LOG_MARKER_H
#define SLUICE_LOG_MARKER_H

#include "batch.h"

/* Of a batch with a marker as coordinators write it; longer ones are read, too. */
#define SLUICE_MARKER_RECORD_MAX	128

/**
 * struct sluice_marker - the end of a transaction
 * @abort: not a commit
 * @coordinator_epoch: of the coordinator that wrote it
 * @timestamp: of the record, as who wrote it has set it
 */
struct sluice_marker {
	bool abort;
	s32 coordinator_epoch;
	s64 timestamp;
};

/**
 * sluice_marker_parse() - read the marker of a control batch
 * @b: the batch's header
 * @record: the bytes behind the header
 * @len: how many there are; the record may be cut short at
 *	SLUICE_MARKER_RECORD_MAX, but not before its coordinator epoch
 * Returns 0; -ENOMSG if it is another control record than a commit or an abort;
 * -EINVAL if it is malformed.
 */
int __must_check sluice_marker_parse(const struct sluice_batch *b, const void *record, size_t len,
				     struct sluice_marker *ret_m);

/**
 * sluice_marker_read() - the same, from the file that has the batch
 * @position: of the batch
 * Returns also errors of the file.
 */
int __must_check sluice_marker_read(struct port_file *file, u64 position,
				    const struct sluice_batch *b, struct sluice_marker *ret_m);

#endif /* SLUICE_LOG_MARKER_H */
