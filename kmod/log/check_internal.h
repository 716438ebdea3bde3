/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What the files of the check share (check.h). */
#ifndef SLUICE_LOG_CHECK_INTERNAL_H
#define SLUICE_LOG_CHECK_INTERNAL_H

#include "check.h"
#include "segment_name.h"

/**
 * struct check_file - a file being checked
 * @findings: so far
 */
struct check_file {
	struct sluice_check *check;
	char name[SLUICE_SEGMENT_NAME_MAX];
	u32 findings;
};

void check_file_begin(struct check_file *f, struct sluice_check *c, s64 base_offset,
		      const char *suffix);
__printf(3, 4) void check_found(struct check_file *f, u64 position, const char *fmt, ...);

/** check_file_end() - says how many findings were not told. */
void check_file_end(struct check_file *f);

/**
 * struct check_index - an index held against the batches, as they come
 * @bytes: of the file, whole
 * @next: entry that is compared next
 * @max_timestamp: of the batches so far; for a time index
 */
struct check_index {
	struct check_file file;
	s64 base_offset;
	u8 *bytes;
	u32 count;
	u32 next;
	s64 max_timestamp;
};

/**
 * check_index_open() - read an index file; free it with check_index_close()
 * @entry_size: the size of the file must be a multiple of it
 * What is wrong with it, its absence too, is reported. Returns 0 or an error.
 */
int __must_check check_index_open(struct check_index *index, struct sluice_check *c,
				  s64 base_offset, const char *suffix, u32 entry_size);
void check_index_close(struct check_index *index);

/* Each takes the next batch of the segment and where it begins. */
void check_offset_index_batch(struct check_index *index, const struct sluice_batch *b,
			      u64 position);
void check_time_index_batch(struct check_index *index, const struct sluice_batch *b);

/* All batches were there: what is left in the index belongs to none. */
void check_offset_index_end(struct check_index *index);
void check_time_index_end(struct check_index *index);

/**
 * check_segment() - one segment with its indexes
 * @end_offset: no batch may have this offset or a larger one
 * @epoch: in and out: leader epoch of the batch before
 * @chunk: memory of @chunk_size bytes to read into
 */
int __must_check check_segment(struct sluice_check *c, s64 base_offset, s64 end_offset,
			       s32 *epoch, u8 *chunk, u32 chunk_size);

/** check_snapshots() - of the producer state: whole, and possible. */
int __must_check check_snapshots(struct sluice_check *c);

/**
 * check_txn_index() - the aborted transactions of one segment
 * Whether they are all there cannot be told: compaction removes some.
 */
int __must_check check_txn_index(struct sluice_check *c, s64 base_offset, s64 end_offset);

#endif /* SLUICE_LOG_CHECK_INTERNAL_H */
