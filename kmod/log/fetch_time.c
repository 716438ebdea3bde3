// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The fetch by time: from a timestamp to the first record not before it. */
#include "log_internal.h"
#include "batch_cursor.h"
#include "record.h"

/* The answer: a record, or for a batch that is not opened its first offset. */
struct found {
	s64 offset;
	s64 timestamp;
};

/*
 * Looks among the records of a batch. Its records are the producer's word: if
 * they cannot be read, the batch is answered for as a whole.
 */
static int search_records(struct port_file *file, u64 position, const struct sluice_batch *b,
			  s64 timestamp, struct found *ret_found)
{
	u64 pos = position + SLUICE_BATCH_HEADER_LEN;
	u64 end = position + b->size;
	struct sluice_record rec;
	s32 i;
	int ret;

	for (i = 0; i < b->record_count; i++) {
		s64 time;

		ret = sluice_record_read(file, pos, end, &rec);
		if (ret == -EBADMSG)
			break;
		if (ret)
			return ret;
		time = (s64)((u64)b->base_timestamp + (u64)rec.timestamp_delta);
		if (time >= timestamp && rec.offset_delta >= 0 &&
		    rec.offset_delta <= b->last_offset_delta) {
			ret_found->offset = b->base_offset + rec.offset_delta;
			ret_found->timestamp = time;
			return 1;
		}
		pos = rec.end;
	}
	if (i == b->record_count)
		return 0;
	ret_found->offset = b->base_offset;
	ret_found->timestamp = b->max_timestamp;
	return 1;
}

static int search_batch(struct port_file *file, u64 position, const struct sluice_batch *b,
			s64 timestamp, struct found *ret_found)
{
	if (b->attributes & (SLUICE_BATCH_COMPRESSION_MASK | SLUICE_BATCH_LOG_APPEND_TIME)) {
		ret_found->offset = b->base_offset;
		ret_found->timestamp = b->max_timestamp;
		return 1;
	}
	return search_records(file, position, b, timestamp, ret_found);
}

static int search_segment(struct sluice_segment *seg, s64 timestamp, struct found *ret_found)
{
	u64 end = sluice_segment_published(seg);
	struct sluice_batch_cursor cursor;
	struct sluice_time_entry floor;
	struct sluice_batch b;
	const char *why;
	u32 position;
	int ret;

	ret = sluice_time_index_lookup(&seg->time_index, timestamp, &floor);
	if (ret)
		return ret;
	/* Up to the entry's offset no batch has a larger time than the entry. */
	ret = sluice_offset_index_lookup(&seg->offset_index, floor.relative_offset, &position);
	if (ret)
		return ret;
	if (position > end)
		return 0;
	sluice_batch_cursor_init(&cursor, seg->file, position, end, seg->base_offset);
	while ((ret = sluice_batch_cursor_peek(&cursor, &b, &why)) > 0) {
		if (b.max_timestamp >= timestamp) {
			ret = search_batch(seg->file, cursor.position, &b, timestamp, ret_found);
			if (ret)
				return ret;
		}
		sluice_batch_cursor_next(&cursor, &b);
	}
	return ret == -EBADMSG ? -EIO : ret;
}

int sluice_log_offset_for_time(struct sluice_log *log, s64 timestamp, s64 *ret_offset,
			       s64 *ret_timestamp)
{
	struct found found = { .offset = -1, .timestamp = -1 };
	struct sluice_segment *seg;
	int ret = sluice_log_seal(log);

	if (ret)
		return ret;
	seg = sluice_segment_list_at(&log->segments, 0);
	while (seg && !ret) {
		s64 base_offset = seg->base_offset;

		if (READ_ONCE(seg->max_timestamp) >= timestamp)
			ret = search_segment(seg, timestamp, &found);
		sluice_segment_put(seg);
		seg = ret ? NULL : sluice_segment_list_above(&log->segments, base_offset);
	}
	if (ret < 0)
		return ret;
	*ret_offset = found.offset;
	*ret_timestamp = found.timestamp;
	return 0;
}
