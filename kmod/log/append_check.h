/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What is asked of a batch before it becomes part of the log. */
#ifndef SLUICE_LOG_APPEND_CHECK_H
#define SLUICE_LOG_APPEND_CHECK_H

#include "append_source.h"
#include "log_internal.h"

/**
 * sluice_append_check_size() - is there a batch, and not too large a one
 * @ret_b: its header
 * Needs append_mutex. Sets a->size and a->record_count, and a->why on failure.
 * Errors as of sluice_log_append().
 */
int __must_check sluice_append_check_size(struct sluice_log *log, struct sluice_append *a,
					  const struct sluice_append_source *src,
					  struct sluice_batch *ret_b);

/**
 * sluice_append_check_header() - all else that the header tells
 * Needs append_mutex. Sets a->why on failure.
 * Errors as of sluice_log_append().
 */
int __must_check sluice_append_check_header(struct sluice_log *log, struct sluice_append *a,
					    const struct sluice_batch *b);

/**
 * sluice_append_check_replica() - may this batch follow, with the offset it has
 * Needs append_mutex. Sets a->why on failure. Returns 0; -ERANGE if its offset is
 * one that the log has already; -ESTALE if its leader epoch is above the log's.
 */
int __must_check sluice_append_check_replica(const struct sluice_log *log, struct sluice_append *a,
					     const struct sluice_batch *b);

/**
 * sluice_append_check_record() - what the log's settings ask of any record
 * @ret_why: a static sentence, set on failure
 * Returns 0; -EINVAL without a key where compaction needs one; -ETIME.
 */
int __must_check sluice_append_check_record(const struct sluice_log_config *c, bool has_key,
					    s64 timestamp, s64 now, const char **ret_why);

/**
 * sluice_append_records_matter() - does something have to be asked of each record
 * Not where no setting of the log asks for it, nor of what is compressed.
 */
static inline bool sluice_append_records_matter(const struct sluice_log *log,
						const struct sluice_append *a,
						const struct sluice_batch *b)
{
	const struct sluice_log_config *c = &log->config;

	if (a->as == SLUICE_APPEND_AS_REPLICA ||
	    b->attributes & (SLUICE_BATCH_COMPRESSION_MASK | SLUICE_BATCH_CONTROL))
		return false;
	/* The header has the largest time, not the smallest. */
	return c->cleanup_policy & SLUICE_CLEANUP_COMPACT ||
	       (!c->log_append_time && c->timestamp_before_max_ms != S64_MAX);
}

/**
 * sluice_append_check_records() - ask it, if they matter
 * @position: of the batch in @file, stored and its CRC verified
 * Sets a->why on failure. Returns 0, -EINVAL if a record is
 * malformed or has no key where compaction needs one, -ETIME if its time is out
 * of bounds, or an error of the file.
 */
int __must_check sluice_append_check_records(const struct sluice_log *log, struct sluice_append *a,
					     struct port_file *file, u64 position,
					     const struct sluice_batch *b);

#endif /* SLUICE_LOG_APPEND_CHECK_H */
