// SPDX-License-Identifier: Apache-2.0
/*
 * Giving a topic more partitions. The next start takes as many as there are
 * directories without a gap, so the directory that closes the gap is made last:
 * at any crash the topic has all of the new partitions or none.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_open.h"
#include "daemon/log/partition_files.h"
#include "daemon/log/topic_id.h"
#include "daemon/log/topic_settings.h"

/* What a growth that a crash ended has left: no log, and no other topic's id. */
static int count_other(void *ctx, const char *name, bool is_dir)
{
	bool *other = ctx;

	if (is_dir ||
	    (strcmp(name, "partition.metadata") && strcmp(name, "leader-epoch-checkpoint")))
		*other = true;
	return 0;
}

static bool is_leftover(int fd, const uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	uint8_t found[SLUICE_TOPIC_ID_LEN];
	bool other = false;
	int err = partition_metadata_read(fd, found);

	if (err ? err != -ENOENT && err != -EBADMSG : memcmp(found, id, sizeof(found)) != 0)
		return false;
	return !dir_each(fd, count_other, &other) && !other;
}

static int make_partition(const struct log_dir *d, const struct topic_settings *s, uint32_t index)
{
	char name[PARTITION_DIR_NAME_MAX + 1];
	int fd, err = 0;

	partition_dir_format(s->topic, index, name);
	if (mkdirat(d->fd, name, 0755))
		err = -errno;
	if (err && err != -EEXIST)
		return err;
	fd = dir_open(d->fd, name);
	if (fd < 0)
		return err ? err : fd;
	if (err && is_leftover(fd, s->id))
		err = 0;
	if (!err)
		err = partition_files_make(fd, s->id);
	close(fd);
	return err;
}

/* The first of them goes first: from then on the topic is as it was. */
static void remove_partitions(const struct log_dir *d, const struct topic_settings *s,
			      uint32_t from, uint32_t to)
{
	char name[PARTITION_DIR_NAME_MAX + 1];

	for (uint32_t i = from; i < to; i++) {
		partition_dir_format(s->topic, i, name);
		dir_remove(d->fd, name);
	}
	dir_sync(d->fd);
}

/* Partitions from @from on; down to the one that makes them count. */
static int make_partitions(const struct log_dir *d, const struct topic_settings *s, uint32_t from,
			   struct log_dir_error *err)
{
	uint32_t i = s->partition_count;
	int result = 0;

	while (!result && i > from) {
		if (--i == from)
			result = dir_sync(d->fd);
		if (!result)
			result = make_partition(d, s, i);
	}
	if (!result)
		result = dir_sync(d->fd);
	if (!result)
		return 0;
	log_dir_fail(err, result, "topic '%s': the directory of partition %" PRIu32 ": %s",
		     s->topic, i, strerror(-result));
	/* What was in the way is not ours to remove. */
	remove_partitions(d, s, i + (result == -EEXIST), s->partition_count);
	return result;
}

static int tell_kernel(struct kern *k, const struct log_dir *d, const struct topic_settings *s,
		       struct log_dir_error *err)
{
	struct kern_topic t = {.data_dir = d->path, .partition_count = s->partition_count};
	int result;

	strcpy(t.name, s->topic);
	memcpy(t.id, s->id, sizeof(t.id));
	t.leader_epoch = -1;
	result = kern_topic_create(k, &t);
	return result ? log_dir_fail(err, result, "%s", kern_error(k)) : 0;
}

static int grow(struct kern *k, const struct log_dir *d, struct topic_settings *s, uint32_t from,
		struct log_dir_error *err)
{
	int result = make_partitions(d, s, from, err);

	if (result)
		return result;
	result = tell_kernel(k, d, s, err);
	if (result) {
		remove_partitions(d, s, from, s->partition_count);
		return result;
	}
	/* The next start would find the directories, too. */
	result = topic_settings_write(d->topics_fd, s, TOPIC_EXISTS);
	if (result)
		log_dir_fail(err, result,
			     "topic '%s' has %" PRIu32 " partitions, but its settings file cannot "
			     "be written: %s",
			     s->topic, s->partition_count, strerror(-result));
	return result;
}

int log_dir_topic_grow(struct kern *k, const char *path, const char *name, uint32_t partition_count,
		       bool validate_only, struct log_dir_error *err)
{
	struct topic_settings s;
	struct kern_topic now;
	struct log_dir d;
	int result = log_dir_topic_check(name, partition_count, NULL, 0, err);

	if (result)
		return result;
	result = log_dir_open(path, /* make= */ false, &d, err);
	if (result)
		return result;
	result = kern_topic_get(k, name, &now);
	if (result) {
		log_dir_fail(err, result, "%s", kern_error(k));
		goto out_dir;
	}
	free(now.data_dir);
	if (partition_count <= now.partition_count) {
		result = log_dir_fail(err, -EINVAL, "topic '%s' has %" PRIu32 " partitions already",
				      name, now.partition_count);
		goto out_dir;
	}
	result = topic_settings_read(d.topics_fd, name, TOPIC_EXISTS, &s, err);
	if (result)
		goto out_dir;
	s.partition_count = partition_count;
	if (!validate_only)
		result = grow(k, &d, &s, now.partition_count, err);
	topic_settings_free(&s);
out_dir:
	log_dir_close(&d);
	return result;
}
