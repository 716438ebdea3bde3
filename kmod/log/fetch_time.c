// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The fetch by time: from a timestamp to the first record not before it. */
#include "log_internal.h"
#include "batch_cursor.h"
#include "record.h"
#include "segment_file.h"

/* As in fetch.c. */
#define SEARCH_ATTEMPTS	8

/*
 * What is looked for: the first record with @min_offset or a larger one, and
 * @timestamp or a larger one.
 */
struct wanted {
	s64 min_offset;
	s64 timestamp;
};

/* The answer: a record, or for a batch that is not opened its first offset. */
struct found {
	s64 offset;
	s64 timestamp;
};

/* Without its records being read, but never below what may be read. */
static int found_batch(const struct sluice_batch *b, const struct wanted *w,
		       struct found *ret_found)
{
	ret_found->offset = max(b->base_offset, w->min_offset);
	ret_found->timestamp = b->max_timestamp;
	return 1;
}

/*
 * Looks among the records of a batch. Its records are the producer's word: if
 * they cannot be read, the batch is answered for as a whole.
 */
static int search_records(struct port_file *file, u64 position, const struct sluice_batch *b,
			  const struct wanted *w, struct found *ret_found)
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
		if (time >= w->timestamp && rec.offset_delta >= 0 &&
		    rec.offset_delta <= b->last_offset_delta &&
		    b->base_offset + rec.offset_delta >= w->min_offset) {
			ret_found->offset = b->base_offset + rec.offset_delta;
			ret_found->timestamp = time;
			return 1;
		}
		pos = rec.end;
	}
	if (i == b->record_count)
		return 0;
	return found_batch(b, w, ret_found);
}

static int search_batch(struct port_file *file, u64 position, const struct sluice_batch *b,
			const struct wanted *w, struct found *ret_found)
{
	if (b->attributes & (SLUICE_BATCH_COMPRESSION_MASK | SLUICE_BATCH_LOG_APPEND_TIME))
		return found_batch(b, w, ret_found);
	return search_records(file, position, b, w, ret_found);
}

static int search_segment(struct sluice_log *log, struct sluice_segment *seg,
			  const struct wanted *w, struct found *ret_found)
{
	struct sluice_batch_cursor cursor;
	struct sluice_time_entry floor;
	s64 relative_offset;
	struct sluice_batch b;
	const char *why;
	u32 position;
	u64 end;
	int ret;

	ret = sluice_segment_use(log, seg, SLUICE_FILES_ALWAYS);
	if (ret)
		return ret;
	end = sluice_segment_published(seg);
	ret = sluice_time_index_lookup(&seg->time_index, w->timestamp, &floor);
	if (ret)
		return ret;
	/* Up to the entry's offset no batch has a larger time than the entry. */
	relative_offset = max_t(s64, floor.relative_offset, w->min_offset - seg->base_offset);
	ret = sluice_offset_index_lookup(&seg->offset_index,
					 (u32)min_t(s64, relative_offset, S32_MAX), &position);
	if (ret)
		return ret;
	if (position > end)
		return 0;
	sluice_batch_cursor_init(&cursor, seg->file, position, end, seg->base_offset);
	while ((ret = sluice_batch_cursor_peek(&cursor, &b, &why)) > 0) {
		if (b.max_timestamp >= w->timestamp &&
		    sluice_batch_last_offset(&b) >= w->min_offset) {
			ret = search_batch(seg->file, cursor.position, &b, w, ret_found);
			if (ret)
				return ret;
		}
		sluice_batch_cursor_next(&cursor, &b);
	}
	return ret == -EBADMSG ? -EUCLEAN : ret;
}

int sluice_segment_max_timestamp(struct sluice_log *log, struct sluice_segment *seg,
				 s64 *ret_timestamp)
{
	s64 timestamp = READ_ONCE(seg->max_timestamp);
	int ret;

	if (timestamp == SLUICE_TIMESTAMP_UNKNOWN) {
		ret = sluice_segment_use(log, seg, SLUICE_FILE_TIME_INDEX);
		if (ret)
			return ret;
		timestamp = READ_ONCE(seg->max_timestamp);
	}
	*ret_timestamp = timestamp;
	return 0;
}

static int search_log(struct sluice_log *log, const struct wanted *w, struct found *ret_found)
{
	struct sluice_segment *seg = sluice_segment_list_floor(&log->segments, w->min_offset);
	s64 timestamp;
	int ret = 0;

	if (!seg)
		return -ESTALE;
	while (seg && !ret) {
		s64 base_offset = seg->base_offset;

		ret = sluice_segment_max_timestamp(log, seg, &timestamp);
		if (!ret && timestamp >= w->timestamp)
			ret = search_segment(log, seg, w, ret_found);
		sluice_segment_put(seg);
		seg = ret ? NULL : sluice_segment_list_above(&log->segments, base_offset);
	}
	return ret;
}

int sluice_log_offset_for_time(struct sluice_log *log, s64 timestamp, s64 *ret_offset,
			       s64 *ret_timestamp)
{
	struct found found;
	struct wanted w = { .timestamp = timestamp };
	int ret = sluice_log_seal(log);
	u32 i;

	if (ret)
		return ret;
	ret = -ESTALE;
	for (i = 0; i < SEARCH_ATTEMPTS && ret == -ESTALE; i++) {
		w.min_offset = sluice_log_start_offset(log);
		ret = search_log(log, &w, &found);
	}
	if (ret < 0)
		return sluice_log_told_error(ret);
	/* The watermark after the search: what it found may have come meanwhile. */
	if (!ret || found.offset >= sluice_log_high_watermark(log))
		found = (struct found){ .offset = -1, .timestamp = -1 };
	*ret_offset = found.offset;
	*ret_timestamp = found.timestamp;
	return 0;
}

/* Of the records of a batch from @min_offset on; of all, if they cannot be read. */
static int max_of_records(struct port_file *file, u64 position, const struct sluice_batch *b,
			  s64 min_offset, s64 *ret_timestamp)
{
	u64 pos = position + SLUICE_BATCH_HEADER_LEN;
	struct sluice_record rec;
	s64 timestamp = -1;
	s32 i;
	int ret;

	if (b->attributes & (SLUICE_BATCH_COMPRESSION_MASK | SLUICE_BATCH_LOG_APPEND_TIME))
		goto whole;
	for (i = 0; i < b->record_count; i++) {
		ret = sluice_record_read(file, pos, position + b->size, &rec);
		if (ret == -EBADMSG)
			goto whole;
		if (ret)
			return ret;
		if (b->base_offset + rec.offset_delta >= min_offset)
			timestamp = max(timestamp, (s64)((u64)b->base_timestamp +
							 (u64)rec.timestamp_delta));
		pos = rec.end;
	}
	*ret_timestamp = timestamp;
	return 0;

whole:
	*ret_timestamp = b->max_timestamp;
	return 0;
}

/*
 * The largest time of a segment's records from @min_offset on. A batch of which
 * compaction left none still has the times that it had.
 */
static int max_behind(struct sluice_log *log, struct sluice_segment *seg, s64 min_offset,
		      s64 *ret_timestamp)
{
	s64 relative_offset = max_t(s64, min_offset - seg->base_offset, 0), timestamp;
	struct sluice_batch_cursor cursor;
	struct sluice_batch b;
	const char *why;
	u32 position;
	int ret;

	*ret_timestamp = -1;
	relative_offset = min_t(s64, relative_offset, S32_MAX);
	ret = sluice_segment_use(log, seg, SLUICE_FILES_ALWAYS);
	if (!ret)
		ret = sluice_offset_index_lookup(&seg->offset_index, (u32)relative_offset,
						 &position);
	if (ret)
		return ret;
	sluice_batch_cursor_init(&cursor, seg->file, position, sluice_segment_published(seg),
				 seg->base_offset);
	while ((ret = sluice_batch_cursor_peek(&cursor, &b, &why)) > 0) {
		timestamp = -1;
		if (b.record_count && b.base_offset >= min_offset)
			timestamp = b.max_timestamp;
		else if (sluice_batch_last_offset(&b) >= min_offset)
			ret = max_of_records(seg->file, cursor.position, &b, min_offset,
					     &timestamp);
		if (ret < 0)
			return ret;
		*ret_timestamp = max(*ret_timestamp, timestamp);
		sluice_batch_cursor_next(&cursor, &b);
	}
	return ret == -EBADMSG ? -EUCLEAN : ret;
}

/*
 * @exactly: of records that may be read. That takes a walk through segments, those
 * that claim a larger time than was found before them.
 */
static int max_timestamp(struct sluice_log *log, bool exactly, s64 *ret_timestamp)
{
	s64 start_offset = sluice_log_start_offset(log);
	struct sluice_segment *seg = sluice_segment_list_floor(&log->segments, start_offset);
	s64 timestamp;
	int ret = 0;

	if (!seg)
		return -ESTALE;
	*ret_timestamp = -1;
	while (seg && !ret) {
		s64 base_offset = seg->base_offset;

		ret = sluice_segment_max_timestamp(log, seg, &timestamp);
		if (!ret && exactly && timestamp > *ret_timestamp)
			ret = max_behind(log, seg, start_offset, &timestamp);
		if (!ret)
			*ret_timestamp = max(*ret_timestamp, timestamp);
		sluice_segment_put(seg);
		seg = ret ? NULL : sluice_segment_list_above(&log->segments, base_offset);
	}
	return ret;
}

/* 1: no record has the time that a segment claims. */
static int find_max(struct sluice_log *log, bool exactly, s64 *ret_offset, s64 *ret_timestamp)
{
	s64 timestamp;
	int ret = -ESTALE;
	u32 i;

	for (i = 0; i < SEARCH_ATTEMPTS && ret == -ESTALE; i++)
		ret = max_timestamp(log, exactly, &timestamp);
	if (ret)
		return sluice_log_told_error(ret);
	*ret_offset = -1;
	*ret_timestamp = -1;
	if (timestamp < 0)
		return 0;
	ret = sluice_log_offset_for_time(log, timestamp, ret_offset, ret_timestamp);
	return ret ? ret : *ret_offset < 0;
}

int sluice_log_max_timestamp(struct sluice_log *log, s64 *ret_offset, s64 *ret_timestamp)
{
	int ret = sluice_log_seal(log);

	if (!ret)
		ret = find_max(log, false, ret_offset, ret_timestamp);
	/* It was deleted or compacted away, and its segment has records that were not. */
	if (ret > 0)
		ret = find_max(log, true, ret_offset, ret_timestamp);
	return min(ret, 0);
}
