// SPDX-License-Identifier: Apache-2.0
/* Printing segments: batch by batch, until the end or the first broken one. */
#include "dump.h"
#include "batch_cursor.h"
#include "segment_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int cannot_read(const char *dir, const char *name, int err)
{
	fprintf(stderr, "sluice-dump-log: %s/%s: %s\n", dir, name, strerror(-err));
	return 2;
}

static const char *compression_name(u16 attributes)
{
	static const char *const names[] = {"none", "gzip", "snappy", "lz4", "zstd"};
	u16 codec = attributes & SLUICE_BATCH_COMPRESSION_MASK;

	return codec < ARRAY_SIZE(names) ? names[codec] : "unknown";
}

static void print_batch(const struct sluice_batch *b, u64 position, bool crc_valid)
{
	printf("offsets %lld-%lld position %llu size %u records %d times %lld-%lld epoch %d "
	       "compression %s crc %08x %s",
	       b->base_offset, sluice_batch_last_offset(b), position, b->size, b->record_count,
	       b->base_timestamp, b->max_timestamp, b->leader_epoch,
	       compression_name(b->attributes), b->crc, crc_valid ? "valid" : "INVALID");
	if (b->producer_id >= 0)
		printf(" producer %lld epoch %d sequence %d", b->producer_id, b->producer_epoch,
		       b->base_sequence);
	if (b->attributes & SLUICE_BATCH_LOG_APPEND_TIME)
		printf(" LogAppendTime");
	if (b->attributes & SLUICE_BATCH_TRANSACTIONAL)
		printf(" transactional");
	if (b->attributes & SLUICE_BATCH_CONTROL)
		printf(" control");
	putchar('\n');
}

static int dump_batch(struct port_file *file, u64 position, const struct sluice_batch *b,
		      bool records)
{
	u32 crc = 0;
	int ret = port_file_crc32c(file, position + SLUICE_BATCH_CRC_START,
				   b->size - SLUICE_BATCH_CRC_START, &crc);

	if (ret)
		return ret;
	print_batch(b, position, crc == b->crc);
	if (crc != b->crc)
		return 1;
	if (records && !(b->attributes & SLUICE_BATCH_COMPRESSION_MASK))
		return dump_records(file, position, b);
	return 0;
}

static int dump_batches(struct port_file *file, u64 size, bool records)
{
	struct sluice_batch_cursor cursor;
	struct sluice_batch b;
	const char *why;
	int status = 0;
	int ret;

	sluice_batch_cursor_init(&cursor, file, 0, size, 0);
	while ((ret = sluice_batch_cursor_peek(&cursor, &b, &why)) > 0) {
		ret = dump_batch(file, cursor.position, &b, records);
		if (ret < 0)
			break;
		status = max(status, ret);
		sluice_batch_cursor_next(&cursor, &b);
	}
	if (ret == -EBADMSG) {
		printf("BROKEN at position %llu of %llu: %s\n", cursor.position, size, why);
		return 1;
	}
	return ret < 0 ? ret : status;
}

static int dump_segment(struct port_dir *dir, const char *name, bool records)
{
	struct port_file *file;
	s64 size;
	int ret;

	ret = port_file_open(dir, name, PORT_RDONLY, &file);
	if (ret)
		return cannot_read(port_dir_name(dir), name, ret);
	printf("%s/%s\n", port_dir_name(dir), name);
	size = port_file_size(file);
	ret = size < 0 ? (int)size : dump_batches(file, (u64)size, records);
	port_file_close(file);
	return ret < 0 ? cannot_read(port_dir_name(dir), name, ret) : ret;
}

static int dump_dir(struct port_dir *dir, bool records)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	s64 *offsets;
	u32 count;
	int status = 0;
	int ret;

	ret = sluice_segment_list_dir(dir, SLUICE_SUFFIX_LOG, &offsets, &count);
	if (ret)
		return cannot_read(port_dir_name(dir), "", ret);
	for (u32 i = 0; i < count; i++) {
		sluice_segment_name(name, offsets[i], SLUICE_SUFFIX_LOG);
		ret = dump_segment(dir, name, records);
		status = max(status, ret);
	}
	port_free(offsets);
	return status;
}

/* Of "dir/name" the two parts; @path is cut. */
static const char *split(char *path, const char **ret_dir)
{
	char *slash = strrchr(path, '/');

	if (!slash) {
		*ret_dir = ".";
		return path;
	}
	*ret_dir = slash == path ? "/" : path;
	*slash = '\0';
	return slash + 1;
}

int dump_path(const char *path, bool records)
{
	char *copy = strdup(path);
	const char *dir_path = copy;
	const char *name = NULL;
	struct port_dir *dir;
	struct stat st;
	int ret;

	if (!copy)
		return cannot_read(".", path, -ENOMEM);
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		name = split(copy, &dir_path);
	dir = port_dir_open(dir_path);
	if (!dir) {
		fprintf(stderr, "sluice-dump-log: %s: %s\n", path, strerror(errno));
		ret = 2;
	} else {
		ret = name ? dump_segment(dir, name, records) : dump_dir(dir, records);
	}
	port_dir_close(dir);
	free(copy);
	return ret;
}
