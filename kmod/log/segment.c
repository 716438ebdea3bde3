// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* A segment: its files, from creation or opening to the last reader's leave. */
#include "segment.h"
#include "batch_cursor.h"
#include "segment_name.h"

static struct sluice_segment *segment_new(s64 base_offset)
{
	struct sluice_segment *seg = port_alloc(sizeof(*seg));

	if (!seg)
		return NULL;
	port_ref_init(&seg->ref);
	seg->base_offset = base_offset;
	seg->max_timestamp = -1;
	seg->max_timestamp_offset = base_offset;
	return seg;
}

static void segment_free(struct sluice_segment *seg)
{
	sluice_txn_index_close(&seg->txn_index);
	if (seg->time_index.file)
		port_file_close(seg->time_index.file);
	if (seg->offset_index.file)
		port_file_close(seg->offset_index.file);
	if (seg->file)
		port_file_close(seg->file);
	port_free(seg);
}

void sluice_segment_get(struct sluice_segment *seg)
{
	port_ref_get(&seg->ref);
}

void sluice_segment_put(struct sluice_segment *seg)
{
	if (port_ref_put(&seg->ref))
		segment_free(seg);
}

u64 sluice_segment_published(const struct sluice_segment *seg)
{
	/* Pairs with the append: the bytes are in the file. */
	return smp_load_acquire(&seg->published);
}

bool sluice_segment_sealed(const struct sluice_segment *seg)
{
	/* Pairs with the roll: the last bytes are published. */
	return smp_load_acquire(&seg->sealed);
}

static int open_file(struct port_dir *dir, s64 base_offset, const char *suffix, char *err,
		     struct port_file **ret_file)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	int ret;

	sluice_segment_name(name, base_offset, suffix);
	ret = port_file_open(dir, name, 0, ret_file);
	if (ret == -ENOENT) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: the file is missing", name);
		return -EUCLEAN;
	}
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be opened (error %d)", name,
			 -ret);
	return ret;
}

static int open_log(struct sluice_segment *seg, struct port_dir *dir, char *err)
{
	s64 size;
	int ret;

	ret = open_file(dir, seg->base_offset, SLUICE_SUFFIX_LOG, err, &seg->file);
	if (ret)
		return ret;
	size = port_file_size(seg->file);
	if (size < 0 || size > SLUICE_SEGMENT_BYTES_MAX) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%020lld.log: impossible size %lld",
			 seg->base_offset, size);
		return size < 0 ? (int)size : -EUCLEAN;
	}
	seg->published = (u64)size;
	return 0;
}

static void index_error(char *err, s64 base_offset, const char *suffix, int ret, const char *why)
{
	if (ret == -EUCLEAN)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%020lld%s: %s", base_offset, suffix, why);
	else
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%020lld%s: cannot be read (error %d)",
			 base_offset, suffix, -ret);
}

static int open_indexes(struct sluice_segment *seg, struct port_dir *dir, char *err)
{
	struct port_file *file;
	const char *why = NULL;
	int ret;

	ret = open_file(dir, seg->base_offset, SLUICE_SUFFIX_OFFSET_INDEX, err, &file);
	if (ret)
		return ret;
	ret = sluice_offset_index_init(&seg->offset_index, file, seg->published, &why);
	if (ret) {
		index_error(err, seg->base_offset, SLUICE_SUFFIX_OFFSET_INDEX, ret, why);
		goto err_init;
	}
	ret = open_file(dir, seg->base_offset, SLUICE_SUFFIX_TIME_INDEX, err, &file);
	if (ret)
		return ret;
	ret = sluice_time_index_init(&seg->time_index, file, &why);
	if (ret) {
		index_error(err, seg->base_offset, SLUICE_SUFFIX_TIME_INDEX, ret, why);
		goto err_init;
	}
	return 0;

err_init:
	port_file_close(file);
	return ret;
}

int sluice_segment_open(struct port_dir *dir, s64 base_offset, char *err,
			struct sluice_segment **ret_seg)
{
	struct sluice_segment *seg = segment_new(base_offset);
	int ret;

	if (!seg) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
		return -ENOMEM;
	}
	ret = open_log(seg, dir, err);
	if (ret)
		goto err_open;
	ret = open_indexes(seg, dir, err);
	if (ret)
		goto err_open;
	seg->txn_index.entries = SLUICE_TXN_INDEX_UNKNOWN;
	if (seg->time_index.entries) {
		seg->max_timestamp = seg->time_index.last.timestamp;
		seg->max_timestamp_offset = base_offset + seg->time_index.last.relative_offset;
	}
	*ret_seg = seg;
	return 0;

err_open:
	segment_free(seg);
	return ret;
}

/* An index file without a .log file is what a creation that failed left. */
static int create_index(struct port_dir *dir, s64 base_offset, const char *suffix,
			struct port_file **ret_file)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	int ret;

	sluice_segment_name(name, base_offset, suffix);
	ret = port_file_open(dir, name, PORT_CREATE, &file);
	if (ret == -EEXIST) {
		ret = port_file_open(dir, name, 0, &file);
		if (ret)
			return ret;
		ret = port_file_truncate(file, 0);
		if (ret) {
			port_file_close(file);
			return ret;
		}
	}
	if (!ret)
		*ret_file = file;
	return ret;
}

/* A creation may fail after the name came to be; an empty file is as good as new. */
static int create_log(struct port_dir *dir, s64 base_offset, struct port_file **ret_file)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	int ret;

	sluice_segment_name(name, base_offset, SLUICE_SUFFIX_LOG);
	ret = port_file_open(dir, name, PORT_CREATE, &file);
	if (ret == -EEXIST) {
		ret = port_file_open(dir, name, 0, &file);
		if (ret)
			return ret;
		if (port_file_size(file) != 0) {
			port_file_close(file);
			return -EEXIST;
		}
	}
	if (!ret)
		*ret_file = file;
	return ret;
}

int sluice_segment_create(struct port_dir *dir, s64 base_offset, struct sluice_segment **ret_seg)
{
	struct sluice_segment *seg = segment_new(base_offset);
	int ret;

	if (!seg)
		return -ENOMEM;
	seg->offset_index.last_relative_offset = -1;
	seg->time_index.last.timestamp = -1;
	ret = create_index(dir, base_offset, SLUICE_SUFFIX_TIME_INDEX, &seg->time_index.file);
	if (ret)
		goto err_create;
	ret = create_index(dir, base_offset, SLUICE_SUFFIX_OFFSET_INDEX, &seg->offset_index.file);
	if (ret)
		goto err_create;
	ret = create_log(dir, base_offset, &seg->file);
	if (ret)
		goto err_create;
	*ret_seg = seg;
	return 0;

err_create:
	segment_free(seg);
	return ret;
}

int sluice_segment_check_end(const struct sluice_segment *seg, s64 end_offset, char *err)
{
	const struct sluice_offset_index *offsets = &seg->offset_index;
	const struct sluice_time_index *times = &seg->time_index;

	if (offsets->entries && offsets->last_relative_offset >= end_offset - seg->base_offset) {
		index_error(err, seg->base_offset, SLUICE_SUFFIX_OFFSET_INDEX, -EUCLEAN,
			    "the last entry is behind the end of the segment");
		return -EUCLEAN;
	}
	if (times->entries && times->last.relative_offset >= end_offset - seg->base_offset) {
		index_error(err, seg->base_offset, SLUICE_SUFFIX_TIME_INDEX, -EUCLEAN,
			    "the last entry is behind the end of the segment");
		return -EUCLEAN;
	}
	return 0;
}

void sluice_segment_note_timestamp(struct sluice_segment *seg, const struct sluice_batch *b)
{
	if (b->max_timestamp <= seg->max_timestamp)
		return;
	/* Readers look at it without a lock, to skip segments. */
	WRITE_ONCE(seg->max_timestamp, b->max_timestamp);
	seg->max_timestamp_offset = sluice_batch_last_offset(b);
}

static const char *tail_error(const struct sluice_segment *seg, const struct sluice_batch *b,
			      u64 position)
{
	const struct sluice_offset_index *index = &seg->offset_index;
	s64 relative_offset = sluice_batch_last_offset(b) - seg->base_offset;

	if (relative_offset > S32_MAX)
		return "the offset of the batch is too far from that of the segment";
	if (index->entries && position == index->last_position &&
	    relative_offset != index->last_relative_offset)
		return "the batch is not the one of the last index entry";
	return NULL;
}

int sluice_segment_scan_tail(struct sluice_segment *seg, char *err, s64 *ret_end_offset)
{
	struct sluice_batch_cursor cursor;
	const char *why = NULL;
	struct sluice_batch b;
	int ret;

	sluice_batch_cursor_init(&cursor, seg->file, seg->offset_index.last_position,
				 seg->published, seg->base_offset);
	while ((ret = sluice_batch_cursor_peek(&cursor, &b, &why)) > 0) {
		why = tail_error(seg, &b, cursor.position);
		if (why) {
			ret = -EBADMSG;
			break;
		}
		sluice_segment_note_timestamp(seg, &b);
		sluice_batch_cursor_next(&cursor, &b);
	}
	if (ret == -EBADMSG) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%020lld.log: position %llu: %s",
			 seg->base_offset, cursor.position, why);
		return -EUCLEAN;
	}
	if (ret) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%020lld.log: cannot be read (error %d)",
			 seg->base_offset, -ret);
		return ret;
	}
	*ret_end_offset = cursor.min_offset;
	return 0;
}
