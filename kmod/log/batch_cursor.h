/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Walking from batch to batch over a part of a log file, by the headers. */
#ifndef SLUICE_LOG_BATCH_CURSOR_H
#define SLUICE_LOG_BATCH_CURSOR_H

#include "batch.h"

/* One read brings the headers of several small batches. */
#define SLUICE_BATCH_CURSOR_CHUNK	512

/**
 * struct sluice_batch_cursor - a place between two batches
 * @file: borrowed
 * @position: of the next batch
 * @end: no byte at or past it is read
 * @min_offset: the next batch's base offset must not be below it
 * @bytes_read: from the file
 */
struct sluice_batch_cursor {
	struct port_file *file;
	u64 position;
	u64 end;
	s64 min_offset;
	u64 bytes_read;
	u64 chunk_position;
	u32 chunk_len;
	u8 chunk[SLUICE_BATCH_CURSOR_CHUNK];
};

void sluice_batch_cursor_init(struct sluice_batch_cursor *c, struct port_file *file,
			      u64 position, u64 end, s64 min_offset);

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

#endif /* SLUICE_LOG_BATCH_CURSOR_H */
