// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The fetch: from an offset to a range of bytes in a segment. */
#include "log_internal.h"
#include "batch_cursor.h"
#include "segment_file.h"

/*
 * A segment may be removed or replaced between the moment it was found and the
 * one its files are opened; then the log is looked at anew. Not for ever.
 */
#define FETCH_ATTEMPTS	8

int sluice_log_read_batch(struct port_file *file, u64 position, u64 end,
			  struct sluice_batch *ret_b)
{
	u8 hdr[SLUICE_BATCH_HEADER_LEN];
	ssize_t n;

	if (position >= end || end - position < sizeof(hdr))
		return -EIO;
	n = port_file_read(file, position, hdr, sizeof(hdr));
	if (n != sizeof(hdr))
		return n < 0 ? (int)n : -EIO;
	return sluice_batch_parse(hdr, min_t(u64, end - position, U32_MAX), ret_b) ? -EIO : 0;
}

/* Positions the cursor at the batch of @offset or, in a gap, at the next. */
static int find_batch(struct sluice_log *log, struct sluice_segment *seg, s64 offset,
		      struct sluice_batch_cursor *cursor, struct sluice_batch *ret_b)
{
	const char *why;
	u32 position = 0;
	u64 end;
	int ret;

	ret = sluice_segment_use(log, seg, SLUICE_FILE_OFFSET_INDEX);
	if (ret)
		return ret;
	/* After the caller acquired the watermark, so that @offset lies before it. */
	end = sluice_segment_published(seg);
	if (offset > seg->base_offset) {
		ret = sluice_offset_index_lookup(&seg->offset_index,
						 (u32)min_t(s64, offset - seg->base_offset,
							    S32_MAX), &position);
		if (ret)
			return ret;
	}
	if (position > end)
		return -EUCLEAN;
	sluice_batch_cursor_init(cursor, seg->file, position, end, seg->base_offset);
	while ((ret = sluice_batch_cursor_peek(cursor, ret_b, &why)) > 0) {
		if (sluice_batch_last_offset(ret_b) >= offset)
			return 1;
		sluice_batch_cursor_next(cursor, ret_b);
	}
	return ret == -EBADMSG ? -EUCLEAN : ret;
}

/* No byte of a batch from @bound on is for this reader. */
static int bound_range(struct sluice_log *log, struct sluice_segment *seg, s64 bound,
		       struct sluice_batch_cursor *cursor)
{
	struct sluice_batch_cursor at_bound;
	struct sluice_batch b;
	int ret;

	ret = find_batch(log, seg, bound, &at_bound, &b);
	if (ret > 0)
		cursor->end = min(cursor->end, at_bound.position);
	return min(ret, 0);
}

/* Takes over the reference to @seg. */
static void set_range(struct sluice_range *range, struct sluice_segment *seg,
		      const struct sluice_batch_cursor *cursor, const struct sluice_batch *b,
		      u32 max_bytes, unsigned int flags)
{
	u64 bytes = min_t(u64, max_bytes, cursor->end - cursor->position);

	if (flags & SLUICE_FETCH_WHOLE_FIRST)
		bytes = max_t(u64, bytes, b->size);
	range->seg = seg;
	range->file = seg->file;
	range->segment_base_offset = seg->base_offset;
	range->position = cursor->position;
	range->bytes = (u32)bytes;
	range->base_offset = b->base_offset;
	range->end_offset = -1;
}

/*
 * Sets an offset behind the range, for who wants to know what was aborted in it
 * (LogSegment.fetchUpperBoundOffset): of the next index entry, or the next segment.
 */
static int set_end_offset(struct sluice_log *log, struct sluice_range *range, s64 bound)
{
	struct sluice_segment *next;
	u32 relative_offset;
	int ret;

	range->end_offset = bound;
	next = sluice_segment_list_above(&log->segments, range->seg->base_offset);
	if (next) {
		range->end_offset = min(bound, next->base_offset);
		sluice_segment_put(next);
	}
	ret = sluice_offset_index_above(&range->seg->offset_index, range->position + range->bytes,
					&relative_offset);
	if (ret)
		return ret;
	if (relative_offset != U32_MAX)
		range->end_offset = min_t(s64, range->end_offset,
					  range->seg->base_offset + relative_offset);
	/* An entry that is not in order. */
	return range->end_offset > range->base_offset ? 0 : -EIO;
}

/*
 * Where the bound is the log end, the segment's published end says the same; a
 * batch that is published but not yet below the log end is whole, and stays.
 */
static bool is_bounded(const struct sluice_log *log, unsigned int flags)
{
	if (flags & SLUICE_FETCH_TO_LOG_END)
		return false;
	return flags & SLUICE_FETCH_TO_STABLE || !sluice_watermark_high_is_log_end(&log->watermark);
}

/* 1: the range is set; 0: nothing from @offset on is in the segment. */
static int fetch_in(struct sluice_log *log, struct sluice_segment *seg, s64 offset, s64 bound,
		    u32 max_bytes, unsigned int flags, struct sluice_range *ret_range)
{
	struct sluice_batch_cursor cursor;
	struct sluice_batch b;
	int ret;

	ret = find_batch(log, seg, offset, &cursor, &b);
	if (ret <= 0)
		return ret;
	ret = is_bounded(log, flags) ? bound_range(log, seg, bound, &cursor) : 0;
	if (ret)
		return ret;
	/* A gap before the bound: the next batch lies behind it. */
	if (cursor.end <= cursor.position)
		return 0;
	set_range(ret_range, seg, &cursor, &b, max_bytes, flags);
	ret = flags & SLUICE_FETCH_TO_STABLE ? set_end_offset(log, ret_range, bound) : 0;
	if (ret)
		return ret;
	port_trace_fetch(log, offset, cursor.position, ret_range->bytes);
	return 1;
}

static s64 fetch_bound(const struct sluice_log *log, unsigned int flags)
{
	if (flags & SLUICE_FETCH_TO_LOG_END)
		return sluice_log_end_offset(log);
	if (flags & SLUICE_FETCH_TO_STABLE)
		return sluice_log_last_stable_offset(log);
	return sluice_log_high_watermark(log);
}

static int fetch_below(struct sluice_log *log, s64 offset, s64 bound, u32 max_bytes,
		       unsigned int flags, struct sluice_range *ret_range)
{
	struct sluice_segment *seg = sluice_segment_list_floor(&log->segments, offset);

	/* Below the first one's base only where that was removed just now. */
	if (!seg)
		return -ESTALE;
	/* A second round only where offsets are missing at the end of a segment. */
	while (seg && seg->base_offset < bound) {
		s64 base_offset = seg->base_offset;
		int ret = fetch_in(log, seg, offset, bound, max_bytes, flags, ret_range);

		if (ret > 0)
			return 0;
		sluice_segment_put(seg);
		if (ret < 0)
			return ret;
		seg = sluice_segment_list_above(&log->segments, base_offset);
	}
	if (seg)
		sluice_segment_put(seg);
	/* A truncation may have taken what lay before the bound. */
	if (fetch_bound(log, flags) < bound)
		return -ESTALE;
	/* Behind a gap at the end of the files there may be an open batch. */
	if (sluice_log_sealed_end(log) < bound) {
		int ret = sluice_log_seal(log);

		return ret ? ret : -ESTALE;
	}
	/* What is left before the bound is a gap. */
	*ret_range = (struct sluice_range){ .base_offset = bound };
	return 0;
}

static int fetch(struct sluice_log *log, s64 offset, u32 max_bytes, unsigned int flags,
		 struct sluice_range *ret_range)
{
	s64 bound = fetch_bound(log, flags);

	if (offset > sluice_log_end_offset(log) ||
	    (offset < sluice_log_start_offset(log) && !(flags & SLUICE_FETCH_DELETED)))
		return -ERANGE;
	if (offset >= bound || (!max_bytes && !(flags & SLUICE_FETCH_WHOLE_FIRST))) {
		*ret_range = (struct sluice_range){ .base_offset = offset };
		return 0;
	}
	if (offset >= sluice_log_sealed_end(log)) {
		int ret = sluice_log_seal(log);

		if (ret)
			return ret;
	}
	return fetch_below(log, offset, bound, max_bytes, flags, ret_range);
}

int sluice_log_find(struct sluice_log *log, s64 offset, u32 max_bytes, unsigned int flags,
		    struct sluice_range *ret_range)
{
	u32 i;

	for (i = 0; i < FETCH_ATTEMPTS; i++) {
		int ret = fetch(log, offset, max_bytes, flags, ret_range);

		if (ret != -ESTALE)
			return ret;
	}
	return -EIO;
}

int sluice_log_fetch(struct sluice_log *log, s64 offset, u32 max_bytes, unsigned int flags,
		     struct sluice_range *ret_range)
{
	return sluice_log_told_error(sluice_log_find(log, offset, max_bytes, flags, ret_range));
}
