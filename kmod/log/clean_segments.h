/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The segments that are to be cleaned, and which of them become one. Userspace only. */
#ifndef SLUICE_LOG_CLEAN_SEGMENTS_H
#define SLUICE_LOG_CLEAN_SEGMENTS_H

#include "log.h"

/** struct sluice_clean_segment - a segment and the sizes of its files */
struct sluice_clean_segment {
	s64 base_offset;
	u64 log_bytes;
	u64 offset_index_bytes;
	u64 time_index_bytes;
};

/**
 * sluice_clean_segments() - those that begin below @end_offset
 * @ret_segments: by base offset; free it with port_free(). NULL if there are none
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 */
int __must_check sluice_clean_segments(struct port_dir *dir, s64 end_offset,
				       struct sluice_clean_segment **ret_segments, u32 *ret_count,
				       char *err);

/**
 * sluice_clean_group() - how many segments from the first on become one
 * @segments: @count of them
 * @end_offset: all records of all of them lie below it
 * As Kafka's Cleaner.groupSegmentsBySize: no more bytes than a segment may have,
 * in none of the files, and offsets within 31 bits of the first.
 */
u32 sluice_clean_group(const struct sluice_clean_segment *segments, u32 count,
		       const struct sluice_log_config *c, s64 end_offset);

#endif /* SLUICE_LOG_CLEAN_SEGMENTS_H */
