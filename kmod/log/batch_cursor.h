/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Walking from batch to batch over a part of a log file, by the headers. */
#ifndef SLUICE_LOG_BATCH_CURSOR_H
#define SLUICE_LOG_BATCH_CURSOR_H

#include "batch.h"

/* The least that is read: it brings the headers of several small batches. */
#define SLUICE_BATCH_CURSOR_CHUNK	512

/**
 * struct sluice_batch_cursor - a place between two batches
 * @file: borrowed
 * @position: of the next batch
 * @end: no byte at or past it is read
 * @min_offset: the next batch's base offset must not be below it
 * @bytes_read: from the file
 * @chunk: what was read last; @own, or the caller's, see
 *	sluice_batch_cursor_use()
 * @chunk_size: of @chunk
 * @read_size: bytes that the next read brings, if it goes on where the last
 *	one ended. Grows while batches lie one behind the other in what is read,
 *	so that long batches cost a small read for each header and no more
 */
struct sluice_batch_cursor {
	struct port_file *file;
	u64 position;
	u64 end;
	s64 min_offset;
	u64 bytes_read;
	u64 chunk_position;
	u32 chunk_len;
	u32 chunk_size;
	u32 read_size;
	u8 *chunk;
	u8 own[SLUICE_BATCH_CURSOR_CHUNK];
};

void sluice_batch_cursor_init(struct sluice_batch_cursor *c, struct port_file *file,
			      u64 position, u64 end, s64 min_offset);

/**
 * sluice_batch_cursor_use() - read into a larger chunk
 * @chunk: borrowed; of @size bytes, at least SLUICE_BATCH_CURSOR_CHUNK
 */
void sluice_batch_cursor_use(struct sluice_batch_cursor *c, u8 *chunk, u32 size);

/**
 * sluice_batch_cursor_peek() - the batch at c->position
 * @ret_why: a static sentence; set with -EBADMSG
 * Returns 1; 0 at the end; -EBADMSG if what is there is no batch, does not end
 * by c->end, or has an offset below c->min_offset; or an error of the file.
 */
int __must_check sluice_batch_cursor_peek(struct sluice_batch_cursor *c,
					  struct sluice_batch *ret_b, const char **ret_why);

/** sluice_batch_cursor_next() - step over the batch that was peeked at. */
void sluice_batch_cursor_next(struct sluice_batch_cursor *c, const struct sluice_batch *b);

/**
 * sluice_batch_cursor_read() - bring bytes of the file into the chunk
 * @position: the chunk begins there afterwards
 * @len: bytes wanted; no more than the chunk takes and @c->end allows are read
 * Returns 0 or an error of the file; how many came is @c->chunk_len.
 */
int __must_check sluice_batch_cursor_read(struct sluice_batch_cursor *c, u64 position, u32 len);

/**
 * sluice_batch_cursor_crc() - CRC of the batch that was peeked at (userspace)
 * Reads it where it was not read yet, once; what lies behind it in the chunk is
 * there for the next batch. -EIO if the file has become shorter.
 */
int __must_check sluice_batch_cursor_crc(struct sluice_batch_cursor *c,
					 const struct sluice_batch *b, u32 *ret_crc);

#endif /* SLUICE_LOG_BATCH_CURSOR_H */
