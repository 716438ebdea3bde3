/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The open batch: records that were appended one by one and are not yet in a
 * file, because a file write for each would cost more than all the rest.
 *
 * The appender adds records to its buffer and publishes their end; what lies
 * before that end never changes. A reader takes a reference and then reads
 * below the published end without a lock. Sealing writes the buffer to the
 * file as one ordinary batch and takes it out of the log; readers that hold it
 * read it to its end and go on in the file at the same offset.
 *
 * The place in the file is known when the batch opens and its space is
 * reserved there, so that what was taken is not refused later.
 *
 * Order of publication, append mutex held (watermark.h has the rest):
 *
 *	open	log->open (segments.lock), then watermark->open_base_offset
 *	record	bytes, then batch->len (release), then log_end_offset
 *	seal	segment->published, then watermark->open_base_offset, then
 *		log->open (segments.lock)
 *
 * So who acquired a log end above the sealed end finds the open batch, or finds
 * that the sealed end has moved. Who acquired a log end above an offset of the
 * batch that it holds finds that record before batch->len.
 */
#ifndef SLUICE_LOG_OPEN_BATCH_H
#define SLUICE_LOG_OPEN_BATCH_H

#include "log.h"
#include "record.h"

/**
 * struct sluice_open_batch - a batch that grows
 * @ref: of the log, while it is open, and of each reader that looks into it
 * @len: published end of the records in @bytes; written by the appender with
 *	release
 * @limit: bytes it may grow to; all of @bytes
 * @base_offset: of its first record; as the following, fixed when it opens
 * @leader_epoch: of all of it
 * @attributes: none, or SLUICE_BATCH_LOG_APPEND_TIME
 * @base_timestamp: of the first record. With LogAppendTime it is the time of
 *	all records, for a batch has but one
 * @opened_ms: when, by port_now_ms()
 * @linger_from: when the record came that is the first to want it sealed
 * @linger_ms: how long after that
 * @record_count: the appender's
 * @max_timestamp: the appender's
 * @bytes: the records begin behind the room for the header
 */
struct sluice_open_batch {
	struct port_ref ref;
	u32 len;
	u32 limit;
	s64 base_offset;
	s32 leader_epoch;
	u16 attributes;
	s64 base_timestamp;
	s64 opened_ms;
	s64 linger_from;
	u32 linger_ms;
	s32 record_count;
	s64 max_timestamp;
	u8 *bytes;
};

/**
 * sluice_log_open_batch() - the batch in memory that holds an offset
 * Return: with a reference for sluice_open_batch_put(); NULL if the files hold
 * it, or nothing does yet.
 */
struct sluice_open_batch *sluice_log_open_batch(struct sluice_log *log, s64 offset);
void sluice_open_batch_get(struct sluice_open_batch *ob);
void sluice_open_batch_put(struct sluice_open_batch *ob);

/**
 * sluice_open_batch_read() - the record at @pos of ob->bytes
 * @pos: SLUICE_BATCH_HEADER_LEN, or the end of the record before
 * @ret_r: its positions count in ob->bytes
 * Returns 1, or 0 if no record is published there.
 */
int __must_check sluice_open_batch_read(const struct sluice_open_batch *ob, u64 pos,
					struct sluice_record *ret_r);

#endif /* SLUICE_LOG_OPEN_BATCH_H */
