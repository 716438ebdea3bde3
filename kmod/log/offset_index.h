/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The offset index (.index): for some batches, their last offset and where
 * they start. Offsets and positions grow from entry to entry.
 *
 * An entry is written first and published with the batch it belongs to; only
 * the appender writes. The index of the active segment has its newest entries in
 * memory (index_tail.h). Lookups take no lock but that of these.
 */
#ifndef SLUICE_LOG_OFFSET_INDEX_H
#define SLUICE_LOG_OFFSET_INDEX_H

#include "index_tail.h"

#define SLUICE_OFFSET_INDEX_ENTRY	((u32)sizeof(struct sluice_offset_index_entry))

/**
 * struct sluice_offset_index - an open offset index
 * @file: owned
 * @tail: where entries go first, borrowed; NULL: to the file. To be set while all
 *	entries are stored
 * @entries: published with release, acquired by readers
 * @stored: how many of them the file has; all of them if there is no tail. Written
 *	under the tail's lock, with release
 * @last_relative_offset: of the last entry, -1 if there is none; the appender's
 * @last_position: of the last entry, 0 if there is none; the appender's
 */
struct sluice_offset_index {
	struct port_file *file;
	struct sluice_index_tail *tail;
	u32 entries;
	u32 stored;
	s64 last_relative_offset;
	u32 last_position;
};

/**
 * sluice_offset_index_init() - take over an index file
 * @file: the callee's from now on, if it succeeds
 * @log_size: bytes of the segment's log; no position may reach it
 * Checks the size and the last entry. Returns 0, -EUCLEAN with @ret_why if one
 * of them is impossible, or an error of the file.
 */
int __must_check sluice_offset_index_init(struct sluice_offset_index *index,
					  struct port_file *file, u64 log_size,
					  const char **ret_why);

/**
 * sluice_offset_index_write() - put an entry behind the published ones
 * There is room for it in the tail, if the index has one; then this cannot fail.
 * One that is not published is replaced by the next.
 */
int __must_check sluice_offset_index_write(struct sluice_offset_index *index,
					   u32 relative_offset, u32 position);

/** sluice_offset_index_publish() - let readers see the entry just written. */
void sluice_offset_index_publish(struct sluice_offset_index *index, u32 relative_offset,
				 u32 position);

/** sluice_offset_index_full() - has the tail no room for another entry. */
static inline bool sluice_offset_index_full(const struct sluice_offset_index *index)
{
	return index->entries - index->stored == SLUICE_INDEX_TAIL_ENTRIES;
}

/**
 * sluice_offset_index_store() - write what is published and only in the tail
 * Of a write that failed a part may lie in the file, behind the entries that it
 * has; the next try writes over it.
 */
int __must_check sluice_offset_index_store(struct sluice_offset_index *index);

/**
 * sluice_offset_index_lookup() - where to begin to look for an offset
 * @ret_position: of the last batch whose last offset is at most
 *	@relative_offset, 0 if no entry says
 * Returns 0, -EIO if the entries are not in order, or an error of the file.
 */
int __must_check sluice_offset_index_lookup(const struct sluice_offset_index *index,
					    u32 relative_offset, u32 *ret_position);

/**
 * sluice_offset_index_above() - which offset lies behind a range of bytes
 * @position: end of the range
 * @ret_relative_offset: of the first entry whose batch starts at @position or
 *	behind it; U32_MAX if no entry says
 * Returns 0, or an error of the file. Does not see entries out of order.
 */
int __must_check sluice_offset_index_above(const struct sluice_offset_index *index,
					   u64 position, u32 *ret_relative_offset);

#endif /* SLUICE_LOG_OFFSET_INDEX_H */
