// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* What of a log may be cleaned, and how badly it needs it. */
#include "clean_bounds.h"
#include "segment_name.h"
#include "time_index.h"

/* The segments by their base offsets; the last is the active one. */
struct look {
	struct port_dir *dir;
	struct sluice_clean_bounds *b;
	s64 *bases;
	u32 count;
	char *err;
};

/* Index of the segment that holds the offset; 0 if none begins so early. */
static u32 floor_of(const struct look *l, s64 offset)
{
	u32 low = 0, high = l->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (l->bases[middle] <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : 0;
}

static int open_file(const struct look *l, u32 i, const char *suffix, struct port_file **ret_file)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	int ret;

	sluice_segment_name(name, l->bases[i], suffix);
	ret = port_file_open(l->dir, name, PORT_RDONLY, ret_file);
	if (ret)
		snprintf(l->err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be opened (error %d)", name,
			 -ret);
	return ret;
}

static int log_bytes(const struct look *l, u32 i, u64 *sum)
{
	struct port_file *file;
	s64 size;
	int ret = open_file(l, i, SLUICE_SUFFIX_LOG, &file);

	if (ret)
		return ret;
	size = port_file_size(file);
	port_file_close(file);
	if (size < 0)
		return (int)size;
	*sum += (u64)size;
	return 0;
}

/* Of a sealed segment; -1 if it has none. */
static int largest_time(const struct look *l, u32 i, s64 *ret_time)
{
	struct sluice_time_index_entry raw;
	struct port_file *file;
	ssize_t n = 0;
	s64 size;
	int ret = open_file(l, i, SLUICE_SUFFIX_TIME_INDEX, &file);

	*ret_time = -1;
	if (ret)
		return ret;
	size = port_file_size(file);
	if (size >= (s64)sizeof(raw))
		n = port_file_read(file, (u64)size - sizeof(raw), &raw, sizeof(raw));
	port_file_close(file);
	if (size < 0 || n < 0)
		return size < 0 ? (int)size : (int)n;
	if (n == sizeof(raw))
		*ret_time = (s64)get_unaligned_be64(&raw.timestamp);
	return 0;
}

/* The largest time of the segment's first batch; -1 if it has no batch that can be read. */
static int first_time(const struct look *l, u32 i, s64 *ret_time)
{
	u8 header[SLUICE_BATCH_HEADER_LEN];
	struct sluice_batch b;
	struct port_file *file;
	ssize_t n;
	int ret = open_file(l, i, SLUICE_SUFFIX_LOG, &file);

	*ret_time = -1;
	if (ret)
		return ret;
	n = port_file_read(file, 0, header, sizeof(header));
	port_file_close(file);
	if (n < 0)
		return (int)n;
	if (n == sizeof(header) && !sluice_batch_parse(header, U32_MAX, &b))
		*ret_time = b.max_timestamp;
	return 0;
}

static void find_first_dirty(struct sluice_clean_bounds *b)
{
	b->first_dirty = b->checkpoint;
	/* Above the end it is of a log that was cut; and what was written since is dirty. */
	if (b->checkpoint < b->log_start_offset || b->checkpoint > b->log_end_offset) {
		b->first_dirty = b->log_start_offset;
		b->checkpoint_wrong = b->checkpoint >= 0;
	}
}

/* Gives the index of the first segment that is left alone. */
static int find_uncleanable(const struct look *l, u32 *ret_i)
{
	struct sluice_clean_bounds *b = l->b;
	u32 active = l->count - 1;
	s64 offset = min(b->last_stable_offset, l->bases[active]);
	s64 time;
	u32 i;
	int ret;

	for (i = floor_of(l, b->first_dirty); b->min_compaction_lag_ms > 0 && i < active; i++) {
		ret = largest_time(l, i, &time);
		if (ret)
			return ret;
		if (time > b->now_ms - b->min_compaction_lag_ms) {
			offset = min(offset, l->bases[i]);
			break;
		}
	}
	*ret_i = min(floor_of(l, max(offset, b->first_dirty)), active);
	return 0;
}

static int find_delay(const struct look *l)
{
	struct sluice_clean_bounds *b = l->b;
	s64 earliest = S64_MAX, until = b->now_ms - b->max_compaction_lag_ms;
	s64 time;
	u32 i;
	int ret;

	for (i = floor_of(l, b->first_dirty); until > 0 && i + 1 < l->count; i++) {
		ret = first_time(l, i, &time);
		if (ret)
			return ret;
		if (time > 0)
			earliest = min(earliest, time);
	}
	b->delay_ms = earliest < until ? until - earliest : 0;
	return 0;
}

static int look(const struct look *l)
{
	struct sluice_clean_bounds *b = l->b;
	u32 i, dirty, uncleanable;
	int ret;

	find_first_dirty(b);
	ret = find_uncleanable(l, &uncleanable);
	if (ret)
		return ret;
	b->first_uncleanable = l->bases[uncleanable];
	dirty = floor_of(l, b->first_dirty);
	for (i = 0; !ret && i < l->count && l->bases[i] < b->first_dirty; i++)
		ret = log_bytes(l, i, &b->clean_bytes);
	for (i = dirty; !ret && i < uncleanable; i++)
		ret = log_bytes(l, i, &b->cleanable_bytes);
	return ret ? ret : find_delay(l);
}

int sluice_clean_bounds(struct port_dir *dir, struct sluice_clean_bounds *b, char *err)
{
	struct look l = { .dir = dir, .b = b, .err = err };
	int ret;

	b->first_dirty = max_t(s64, b->checkpoint, 0);
	b->first_uncleanable = 0;
	b->checkpoint_wrong = false;
	b->clean_bytes = 0;
	b->cleanable_bytes = 0;
	b->delay_ms = 0;
	err[0] = '\0';
	ret = sluice_segment_list_dir(dir, SLUICE_SUFFIX_LOG, &l.bases, &l.count);
	if (!ret && l.count)
		ret = look(&l);
	port_free(l.bases);
	if (ret && !err[0])
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "the files cannot be looked at (error %d)",
			 -ret);
	return ret;
}

double sluice_clean_ratio(const struct sluice_clean_bounds *b)
{
	u64 total = b->clean_bytes + b->cleanable_bytes;

	return total ? (double)b->cleanable_bytes / (double)total : 0;
}

bool sluice_clean_due(const struct sluice_clean_bounds *b, double min_ratio)
{
	return (b->delay_ms > 0 && b->cleanable_bytes > 0) || sluice_clean_ratio(b) > min_ratio;
}
