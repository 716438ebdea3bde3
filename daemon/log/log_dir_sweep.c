// SPDX-License-Identifier: Apache-2.0
/*
 * Removing partition directories, so that at any crash a topic is there whole
 * or, after the next start, not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_scan.h"
#include "daemon/log/partition_files.h"
#include "daemon/log/topic_id.h"

struct name_list {
	char **names;
	size_t n, room;
	const char *topic; /* NULL: directories to be removed; else a topic's partitions */
};

static int list_add(void *ctx, const char *name, bool is_dir)
{
	char topic[SLUICE_TOPIC_NAME_MAX + 1];
	enum partition_dir_kind kind;
	struct name_list *list = ctx;
	uint32_t index;
	char **grown;

	if (!is_dir)
		return 0;
	kind = partition_dir_parse(name, topic, &index);
	if (list->topic ? kind != PARTITION_DIR_LOG || strcmp(topic, list->topic) != 0
			: kind != PARTITION_DIR_DELETED)
		return 0;
	if (list->n == list->room) {
		grown = reallocarray(list->names, list->room * 2 + 16, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		list->names = grown;
		list->room = list->room * 2 + 16;
	}
	list->names[list->n] = strdup(name);
	if (!list->names[list->n])
		return -ENOMEM;
	list->n++;
	return 0;
}

int log_dir_purge(const struct log_dir *d)
{
	struct name_list list = {0};
	int err = dir_each(d->fd, list_add, &list);

	for (size_t i = 0; !err && i < list.n; i++)
		err = dir_remove(d->fd, list.names[i]);
	log_dir_names_free(list.names, list.n);
	return err;
}

static bool has_id_or_none(const struct log_dir *d, const char *name,
			   const uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	uint8_t found[SLUICE_TOPIC_ID_LEN];
	int fd = dir_open(d->fd, name), err;

	if (fd < 0)
		return false;
	err = partition_metadata_read(fd, found);
	close(fd);
	if (!err)
		return !memcmp(found, id, SLUICE_TOPIC_ID_LEN);
	/* Torn: the creation that wrote it did not get far. */
	return err == -ENOENT || err == -EBADMSG;
}

static int rename_partition(const struct log_dir *d, const char *name, uint32_t count,
			    const uint8_t unique[16])
{
	char topic[SLUICE_TOPIC_NAME_MAX + 1], deleted[PARTITION_DIR_NAME_MAX + 1];
	uint32_t index;

	partition_dir_parse(name, topic, &index);
	if (count && index >= count)
		return 0;
	partition_dir_format_deleted(topic, index, unique, deleted);
	return renameat(d->fd, name, d->fd, deleted) ? -errno : 0;
}

int log_dir_discard(const struct log_dir *d, const char *topic,
		    const uint8_t id[SLUICE_TOPIC_ID_LEN], uint32_t count)
{
	struct name_list list = {.topic = topic};
	uint8_t unique[16];
	int err;

	err = topic_id_random(unique);
	if (!err)
		err = dir_each(d->fd, list_add, &list);
	for (size_t i = 0; !err && i < list.n; i++) {
		if (has_id_or_none(d, list.names[i], id))
			err = rename_partition(d, list.names[i], count, unique);
	}
	log_dir_names_free(list.names, list.n);
	return err ? err : dir_sync(d->fd);
}

int log_dir_has_partitions(const struct log_dir *d, const char *topic)
{
	struct name_list list = {.topic = topic};
	int err = dir_each(d->fd, list_add, &list), found = list.n > 0;

	log_dir_names_free(list.names, list.n);
	return err ? err : found;
}

struct sweep {
	const struct log_dir *d;
	enum topic_stage stage;
	struct log_dir_error *err;
};

static int sweep_topic(void *ctx, struct topic_settings *s)
{
	struct sweep *w = ctx;
	uint32_t count = w->stage == TOPIC_CREATING ? s->partition_count : 0;
	int result = log_dir_discard(w->d, s->topic, s->id, count);

	if (!result)
		result = topic_settings_remove(w->d->topics_fd, s->topic, w->stage);
	if (result)
		log_dir_fail(w->err, result, "%s: cannot remove what is left of topic '%s': %s",
			     w->d->path, s->topic, strerror(-result));
	return result;
}

static int sweep_bad(void *ctx, const char *topic, const struct log_dir_error *why)
{
	struct sweep *w = ctx;

	return log_dir_fail(w->err, -EBADMSG, "%s: topic '%s' was being %s: %s: remove that file",
			    w->d->path, topic, w->stage == TOPIC_CREATING ? "created" : "deleted",
			    why->text);
}

int log_dir_sweep(const struct log_dir *d, struct log_dir_error *err)
{
	static const enum topic_stage stages[] = {TOPIC_CREATING, TOPIC_DELETING};
	struct sweep w = {.d = d, .err = err};
	int result;

	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
		w.stage = stages[i];
		result = topic_settings_each(d->topics_fd, w.stage, sweep_topic, sweep_bad, &w);
		if (result)
			return result;
	}
	result = log_dir_purge(d);
	if (result)
		return log_dir_fail(err, result, "%s: cannot remove a deleted partition: %s",
				    d->path, strerror(-result));
	return 0;
}
