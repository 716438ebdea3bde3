/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Copying the first part of a segment, for truncation. */
#ifndef SLUICE_LOG_SEGMENT_COPY_H
#define SLUICE_LOG_SEGMENT_COPY_H

#include "segment_swap.h"

/**
 * sluice_segment_copy() - write the first part of a segment under temporary names
 * @s: its log and suffix; s->new becomes the copy, not sealed, its files open
 * @seg: the original; nothing is written to it. NULL: the copy is empty
 * @base_offset: of the copy; that of @seg, if there is one
 * @size: bytes of the .log file that are copied: whole batches
 * @end_offset: behind the last of them
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 *
 * Of the indexes it copies what lies within. All of it is durable but the names.
 * On failure the files are removed again, if that is possible.
 */
int __must_check sluice_segment_copy(struct sluice_segment_swap *s, struct sluice_segment *seg,
				     s64 base_offset, u64 size, s64 end_offset, char *err);

#endif /* SLUICE_LOG_SEGMENT_COPY_H */
