// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The fetch: from an offset to a range of bytes in a segment. */
#include "log_internal.h"
#include "batch_cursor.h"

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
static int find_batch(struct sluice_segment *seg, s64 offset, struct sluice_batch_cursor *cursor,
		      struct sluice_batch *ret_b)
{
	/* After the caller acquired the watermark, so that @offset lies before it. */
	u64 end = sluice_segment_published(seg);
	const char *why;
	u32 position = 0;
	int ret;

	if (offset > seg->base_offset) {
		ret = sluice_offset_index_lookup(&seg->offset_index,
						 (u32)min_t(s64, offset - seg->base_offset,
							    S32_MAX), &position);
		if (ret)
			return ret;
	}
	if (position > end)
		return -EIO;
	sluice_batch_cursor_init(cursor, seg->file, position, end, seg->base_offset);
	while ((ret = sluice_batch_cursor_peek(cursor, ret_b, &why)) > 0) {
		if (sluice_batch_last_offset(ret_b) >= offset)
			return 1;
		sluice_batch_cursor_next(cursor, ret_b);
	}
	return ret == -EBADMSG ? -EIO : ret;
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
}

static int fetch_below_end(struct sluice_log *log, s64 offset, s64 high_watermark, u32 max_bytes,
			   unsigned int flags, struct sluice_range *ret_range)
{
	struct sluice_segment *seg = sluice_segment_list_floor(&log->segments, offset);
	struct sluice_batch_cursor cursor;
	struct sluice_batch b;

	/* A second round only where offsets are missing at the end of a segment. */
	while (seg) {
		s64 base_offset = seg->base_offset;
		int ret = find_batch(seg, offset, &cursor, &b);

		if (ret > 0) {
			set_range(ret_range, seg, &cursor, &b, max_bytes, flags);
			port_trace_fetch(log, offset, cursor.position, ret_range->bytes);
			return 0;
		}
		sluice_segment_put(seg);
		if (ret < 0)
			return ret;
		seg = sluice_segment_list_above(&log->segments, base_offset);
	}
	/* The active segment is empty and begins behind a gap. */
	*ret_range = (struct sluice_range){ .base_offset = high_watermark };
	return 0;
}

int sluice_log_fetch(struct sluice_log *log, s64 offset, u32 max_bytes, unsigned int flags,
		     struct sluice_range *ret_range)
{
	s64 high_watermark = sluice_log_high_watermark(log);

	if (offset < sluice_log_start_offset(log) || offset > high_watermark)
		return -ERANGE;
	if (offset == high_watermark || (!max_bytes && !(flags & SLUICE_FETCH_WHOLE_FIRST))) {
		*ret_range = (struct sluice_range){ .base_offset = offset };
		return 0;
	}
	if (offset >= sluice_log_sealed_end(log)) {
		int ret = sluice_log_seal(log);

		if (ret)
			return ret;
	}
	return fetch_below_end(log, offset, high_watermark, max_bytes, flags, ret_range);
}
