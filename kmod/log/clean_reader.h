/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Reading the batches of a segment whole and verified. Userspace only. */
#ifndef SLUICE_LOG_CLEAN_READER_H
#define SLUICE_LOG_CLEAN_READER_H

#include "batch_cursor.h"
#include "segment_name.h"

/**
 * struct sluice_clean_reader - kept from segment to segment
 * @chunk: of @chunk_size bytes; a batch that is larger makes it grow for good
 * @file: of the segment
 * @cursor: in it
 * @name: of it, for diagnostics
 */
struct sluice_clean_reader {
	u8 *chunk;
	u32 chunk_size;
	struct port_file *file;
	struct sluice_batch_cursor cursor;
	char name[SLUICE_SEGMENT_NAME_MAX];
};

int __must_check sluice_clean_reader_init(struct sluice_clean_reader *r, u32 chunk_size);
void sluice_clean_reader_destroy(struct sluice_clean_reader *r);

/**
 * sluice_clean_reader_open() - go to the begin of a segment
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure; as below
 */
int __must_check sluice_clean_reader_open(struct sluice_clean_reader *r, struct port_dir *dir,
					  s64 base_offset, char *err);
void sluice_clean_reader_close(struct sluice_clean_reader *r);

/**
 * sluice_clean_reader_next() - the next batch
 * @end_offset: a batch with this offset or a larger one is damage
 * @ret_bytes: the whole batch; valid until the next call
 * Returns 1; 0 at the end; -EUCLEAN damaged; -ENOMEM; or an error of the file.
 */
int __must_check sluice_clean_reader_next(struct sluice_clean_reader *r, s64 end_offset,
					  struct sluice_batch *ret_b, const u8 **ret_bytes,
					  char *err);

#endif /* SLUICE_LOG_CLEAN_READER_H */
