// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* A segment: its files, from creation or opening to the last reader's leave. */
#include "segment.h"
#include "batch_cursor.h"
#include "segment_file.h"
#include "segment_name.h"

struct sluice_segment *sluice_segment_new(s64 base_offset)
{
	struct sluice_segment *seg = port_alloc(sizeof(*seg));

	if (!seg)
		return NULL;
	port_ref_init(&seg->ref);
	seg->sealed = true;
	seg->base_offset = base_offset;
	seg->txn_index.entries = SLUICE_TXN_INDEX_UNKNOWN;
	seg->max_timestamp = SLUICE_TIMESTAMP_UNKNOWN;
	seg->max_timestamp_offset = base_offset;
	return seg;
}

static void segment_free(struct sluice_segment *seg)
{
	sluice_txn_index_close(&seg->txn_index);
	if (seg->open & SLUICE_FILE_TIME_INDEX)
		port_file_close(seg->time_index.file);
	if (seg->open & SLUICE_FILE_OFFSET_INDEX)
		port_file_close(seg->offset_index.file);
	if (seg->open & SLUICE_FILE_LOG)
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

int sluice_segment_open(struct port_dir *dir, s64 base_offset, char *err,
			struct sluice_segment **ret_seg)
{
	static const unsigned int kinds[] = {
		SLUICE_FILE_LOG,
		SLUICE_FILE_OFFSET_INDEX,
		SLUICE_FILE_TIME_INDEX,
	};
	struct sluice_segment *seg = sluice_segment_new(base_offset);
	struct sluice_segment_file f = { .behind = NULL };
	unsigned int i;
	int ret;

	if (!seg) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
		return -ENOMEM;
	}
	seg->sealed = false;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		ret = sluice_segment_file_open(dir, seg, kinds[i], 0, S64_MAX, err, &f);
		if (ret) {
			segment_free(seg);
			return ret == -ENOENT ? -EUCLEAN : ret;
		}
		sluice_segment_file_install(seg, &f);
	}
	*ret_seg = seg;
	return 0;
}

static void file_name(char name[SLUICE_SEGMENT_NAME_MAX], s64 base_offset, const char *suffix,
		      bool unnamed)
{
	if (unnamed)
		sluice_segment_prepared_name(name, suffix);
	else
		sluice_segment_name(name, base_offset, suffix);
}

/* An index file without a .log file is what a creation that failed left. */
static int create_index(struct port_dir *dir, const char *name, struct port_file **ret_file)
{
	struct port_file *file;
	int ret;

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
static int create_log(struct port_dir *dir, const char *name, struct port_file **ret_file)
{
	struct port_file *file;
	int ret;

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

static int create_files(struct port_dir *dir, struct sluice_segment *seg)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	bool unnamed = seg->unnamed;
	int ret;

	file_name(name, seg->base_offset, SLUICE_SUFFIX_TIME_INDEX, unnamed);
	ret = create_index(dir, name, &seg->time_index.file);
	if (ret)
		return ret;
	seg->open |= SLUICE_FILE_TIME_INDEX;
	file_name(name, seg->base_offset, SLUICE_SUFFIX_OFFSET_INDEX, unnamed);
	ret = create_index(dir, name, &seg->offset_index.file);
	if (ret)
		return ret;
	seg->open |= SLUICE_FILE_OFFSET_INDEX;
	file_name(name, seg->base_offset, SLUICE_SUFFIX_LOG, unnamed);
	ret = create_log(dir, name, &seg->file);
	if (ret)
		return ret;
	seg->open |= SLUICE_FILE_LOG;
	seg->inode = port_file_inode(seg->file);
	return 0;
}

static int create(struct port_dir *dir, s64 base_offset, unsigned int unnamed,
		  struct sluice_segment **ret_seg)
{
	struct sluice_segment *seg = sluice_segment_new(base_offset);
	int ret;

	if (!seg)
		return -ENOMEM;
	seg->sealed = false;
	seg->unnamed = (u8)unnamed;
	seg->counted = true;
	seg->max_timestamp = -1;
	seg->txn_index.entries = 0;
	seg->offset_index.last_relative_offset = -1;
	seg->time_index.last.timestamp = -1;
	ret = create_files(dir, seg);
	if (ret) {
		segment_free(seg);
		return ret;
	}
	*ret_seg = seg;
	return 0;
}

int sluice_segment_create(struct port_dir *dir, s64 base_offset, struct sluice_segment **ret_seg)
{
	return create(dir, base_offset, 0, ret_seg);
}

int sluice_segment_create_unnamed(struct port_dir *dir, struct sluice_segment **ret_seg)
{
	return create(dir, 0, SLUICE_FILES_ALWAYS, ret_seg);
}

static int index_beyond_end(const struct sluice_segment *seg, const char *suffix, char *err)
{
	snprintf(err, SLUICE_ERROR_TEXT_MAX,
		 "%020lld%s: the last entry is behind the end of the segment", seg->base_offset,
		 suffix);
	return -EUCLEAN;
}

int sluice_segment_check_end(const struct sluice_segment *seg, s64 end_offset, char *err)
{
	const struct sluice_offset_index *offsets = &seg->offset_index;
	const struct sluice_time_index *times = &seg->time_index;

	if (offsets->entries && offsets->last_relative_offset >= end_offset - seg->base_offset)
		return index_beyond_end(seg, SLUICE_SUFFIX_OFFSET_INDEX, err);
	if (times->entries && times->last.relative_offset >= end_offset - seg->base_offset)
		return index_beyond_end(seg, SLUICE_SUFFIX_TIME_INDEX, err);
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

int sluice_segment_store_indexes(struct sluice_segment *seg)
{
	int ret = sluice_time_index_store(&seg->time_index);

	return ret ? ret : sluice_offset_index_store(&seg->offset_index);
}

int sluice_segment_index_room(struct sluice_segment *seg)
{
	if (sluice_offset_index_full(&seg->offset_index) ||
	    sluice_time_index_full(&seg->time_index))
		return sluice_segment_store_indexes(seg);
	return 0;
}
