// SPDX-License-Identifier: Apache-2.0
/*
 * Truncating a log. The kernel removes the records, and what the checkpoints say
 * of them has to go first: a crash in between must not let recovery believe that
 * what is written in their place was durable, replicated, or cleaned.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include "kmod/log/segment_name.h"
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_checkpoints.h"
#include "daemon/log/log_dir_open.h"
#include "daemon/log/partition_files.h"

struct floor {
	int64_t offset;
	int64_t base;
};

static int look_at(void *ctx, const char *name, bool is_dir)
{
	struct floor *f = ctx;
	s64 base;

	if (!is_dir && sluice_segment_name_parse(name, strlen(name), SLUICE_SUFFIX_LOG, &base) &&
	    base <= f->offset && base > f->base)
		f->base = base;
	return 0;
}

/*
 * The log may end below @offset: at the beginning of the batch that holds it. Which
 * is not known here, but no batch begins before its segment.
 */
static int lowest_end(const struct log_dir *d, const char *topic, uint32_t partition,
		      int64_t offset, int64_t *ret_end)
{
	char name[PARTITION_DIR_NAME_MAX + 1];
	struct floor f = {.offset = offset};
	int fd, result;

	partition_dir_format(topic, partition, name);
	fd = dir_open(d->fd, name);
	if (fd < 0)
		return fd;
	result = dir_each(fd, look_at, &f);
	close(fd);
	*ret_end = f.base;
	return result;
}

static int lower(const struct log_dir *d, const char *file, const char *topic, uint32_t partition,
		 int64_t offset, struct log_dir_error *err)
{
	struct checkpoint c;
	int result = log_dir_checkpoint_read(d, file, &c, err);

	if (result)
		return result;
	if (checkpoint_find(&c, topic, partition) > offset) {
		result = checkpoint_set(&c, topic, partition, offset);
		if (!result)
			result = checkpoint_write(d->fd, file, &c);
		if (result)
			log_dir_fail(err, result, "%s/%s: %s", d->path, file, strerror(-result));
	}
	checkpoint_free(&c);
	return result;
}

static int lower_all(const struct log_dir *d, const char *topic, uint32_t partition, int64_t offset,
		     struct log_dir_error *err)
{
	static const char *const files[] = {CHECKPOINT_RECOVERY_POINT, CHECKPOINT_HIGH_WATERMARK,
					    CHECKPOINT_CLEANER};
	int64_t end;
	int result = lowest_end(d, topic, partition, offset, &end);

	if (result)
		return log_dir_fail(err, result, "%s/%s-%" PRIu32 ": %s", d->path, topic, partition,
				    strerror(-result));
	for (size_t i = 0; !result && i < sizeof(files) / sizeof(files[0]); i++)
		result = lower(d, files[i], topic, partition, end, err);
	/* From below its start a log goes on at the offset itself. */
	if (!result)
		result = lower(d, CHECKPOINT_LOG_START, topic, partition, offset, err);
	return result;
}

static int truncate_locked(struct kern *k, const struct log_dir *d, const char *topic,
			   uint32_t partition, int64_t offset, int64_t *ret_end,
			   struct log_dir_error *err)
{
	struct kern_partition p;
	int result = kern_partition_get(k, topic, partition, &p);

	if (!result && offset < p.log_end_offset) {
		result = lower_all(d, topic, partition, offset, err);
		if (result)
			return result;
		result = kern_partition_truncate(k, topic, partition, offset);
	}
	if (!result)
		result = kern_partition_get(k, topic, partition, &p);
	if (result)
		return log_dir_fail(err, result, "%s", kern_error(k));
	*ret_end = p.log_end_offset;
	return 0;
}

int log_dir_truncate(struct kern *k, const char *path, const char *topic, uint32_t partition,
		     int64_t offset, int64_t *ret_end, struct log_dir_error *err)
{
	struct log_dir d;
	int result;

	err->text[0] = '\0';
	/* Locked until it is done, so that nobody writes a checkpoint of before behind it. */
	result = log_dir_open(path, /* make= */ false, &d, err);
	if (result)
		return result;
	result = truncate_locked(k, &d, topic, partition, offset, ret_end, err);
	log_dir_close(&d);
	return result;
}
