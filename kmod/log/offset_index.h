/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The offset index (.index): for some batches, their last offset and where
 * they start. Offsets and positions grow from entry to entry.
 *
 * An entry is written first and published with the batch it belongs to; only
 * the appender writes. Lookups take no lock.
 */
#ifndef SLUICE_LOG_OFFSET_INDEX_H
#define SLUICE_LOG_OFFSET_INDEX_H

#include "port.h"
#include <linux/sluice_format.h>

#define SLUICE_OFFSET_INDEX_ENTRY	((u32)sizeof(struct sluice_offset_index_entry))

/**
 * struct sluice_offset_index - an open offset index
 * @file: owned
 * @entries: published with release, acquired by readers
 * @last_relative_offset: of the last entry, -1 if there is none; the appender's
 * @last_position: of the last entry, 0 if there is none; the appender's
 */
struct sluice_offset_index {
	struct port_file *file;
	u32 entries;
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

/** sluice_offset_index_write() - put an entry behind the published ones. */
int __must_check sluice_offset_index_write(struct sluice_offset_index *index,
					   u32 relative_offset, u32 position);

/** sluice_offset_index_publish() - let readers see the entry just written. */
void sluice_offset_index_publish(struct sluice_offset_index *index, u32 relative_offset,
				 u32 position);

/** sluice_offset_index_undo() - cut what was written and not published. */
int __must_check sluice_offset_index_undo(struct sluice_offset_index *index);

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
