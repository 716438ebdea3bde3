/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The names of a segment's files, and which segments a directory has. */
#ifndef SLUICE_LOG_SEGMENT_NAME_H
#define SLUICE_LOG_SEGMENT_NAME_H

#include "port.h"

#define SLUICE_SEGMENT_DIGITS		20
#define SLUICE_SEGMENT_NAME_MAX		(SLUICE_SEGMENT_DIGITS + sizeof(".timeindex"))
#define SLUICE_SEGMENTS_MAX		(1U << 17)	/* of one log */

#define SLUICE_SUFFIX_LOG		".log"
#define SLUICE_SUFFIX_OFFSET_INDEX	".index"
#define SLUICE_SUFFIX_TIME_INDEX	".timeindex"

/** sluice_segment_name() - the 20 digits of @base_offset and @suffix. */
void sluice_segment_name(char name[SLUICE_SEGMENT_NAME_MAX], s64 base_offset,
			 const char *suffix);

/** sluice_segment_name_parse() - is it such a name; then its base offset. */
bool sluice_segment_name_parse(const char *name, size_t len, const char *suffix,
			       s64 *ret_base_offset);

/**
 * sluice_segment_list_dir() - base offsets of the files with this suffix
 * @ret_offsets: in ascending order; free it with port_free(). NULL if there
 *	are none
 * Files with other names are none of the engine's. -EMFILE if there are more
 * than SLUICE_SEGMENTS_MAX.
 */
int __must_check sluice_segment_list_dir(struct port_dir *dir, const char *suffix,
					 s64 **ret_offsets, u32 *ret_count);

#endif /* SLUICE_LOG_SEGMENT_NAME_H */
