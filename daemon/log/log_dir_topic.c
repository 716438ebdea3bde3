// SPDX-License-Identifier: Apache-2.0
/*
 * Creating and deleting topics. The settings file's name is the commit record
 * (topic_settings.h): at any crash the next start finds the topic or none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/log/log_dir_checkpoints.h"
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_scan.h"
#include "daemon/log/partition_files.h"
#include "daemon/log/topic_config.h"
#include "daemon/log/topic_id.h"

int log_dir_topic_check(const char *name, uint32_t partition_count,
			const struct log_dir_setting *settings, size_t n_settings,
			struct log_dir_error *err)
{
	const char *why = topic_name_why_bad(name);

	if (why)
		return log_dir_fail(err, -EINVAL, "%s", why);
	if (partition_count < 1 || partition_count > LOG_DIR_PARTITIONS_MAX)
		return log_dir_fail(err, -EINVAL, "a topic has from 1 to %d partitions",
				    LOG_DIR_PARTITIONS_MAX);
	for (size_t i = 0; i < n_settings; i++) {
		if (topic_config_check(settings[i].key, settings[i].value, &why))
			return log_dir_fail(err, -EINVAL, "%.100s=%.100s: %s", settings[i].key,
					    settings[i].value, why);
		for (size_t j = 0; j < i; j++) {
			if (!strcmp(settings[i].key, settings[j].key))
				return log_dir_fail(err, -EINVAL, "%.100s is given twice",
						    settings[i].key);
		}
	}
	if (topic_config_check_all(settings, n_settings, &why))
		return log_dir_fail(err, -EINVAL, "%s", why);
	return 0;
}

static int make_partition(const struct log_dir *d, const struct topic_settings *s, uint32_t index)
{
	char name[PARTITION_DIR_NAME_MAX + 1];
	int fd, err;

	partition_dir_format(s->topic, index, name);
	if (mkdirat(d->fd, name, 0755))
		return -errno;
	fd = dir_open(d->fd, name);
	if (fd < 0)
		return fd;
	err = partition_files_make(fd, s->id);
	close(fd);
	return err;
}

/* A deleted topic of the same name must not lend its recovery points. */
static int forget_checkpoints(const struct log_dir *d, const char *topic)
{
	static const char *const files[] = {CHECKPOINT_RECOVERY_POINT, CHECKPOINT_LOG_START,
					    CHECKPOINT_HIGH_WATERMARK, CHECKPOINT_CLEANER};
	struct checkpoint c;
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(files) / sizeof(files[0]); i++) {
		/* A damaged one is no danger: nothing of it is believed. */
		err = log_dir_checkpoint_read(d, files[i], &c, NULL);
		if (!err && checkpoint_forget(&c, topic))
			err = checkpoint_write(d->fd, files[i], &c);
		checkpoint_free(&c);
	}
	return err;
}

/* Whatever is there of the new topic goes, as after a crash at this point. */
static void undo_create(const struct log_dir *d, const struct topic_settings *s)
{
	struct log_dir_error ignored;

	topic_settings_move(d->topics_fd, s->topic, TOPIC_EXISTS, TOPIC_DELETING);
	log_dir_sweep(d, &ignored);
}

static int make_files(const struct log_dir *d, const struct topic_settings *s)
{
	int err = forget_checkpoints(d, s->topic);

	if (!err)
		err = topic_settings_write(d->topics_fd, s, TOPIC_CREATING);
	for (uint32_t i = 0; !err && i < s->partition_count; i++)
		err = make_partition(d, s, i);
	if (!err)
		err = dir_sync(d->fd);
	if (!err)
		err = topic_settings_move(d->topics_fd, s->topic, TOPIC_CREATING, TOPIC_EXISTS);
	return err;
}

static int tell_kernel(struct kern *k, const struct log_dir *d, const struct topic_settings *s)
{
	struct kern_topic t = {.data_dir = d->path, .partition_count = s->partition_count};

	strcpy(t.name, s->topic);
	memcpy(t.id, s->id, sizeof(t.id));
	for (size_t i = 0; i < s->n; i++)
		topic_config_to_kern(s->items[i].key, s->items[i].value, &t.config);
	return kern_topic_create(k, &t);
}

static int fill_settings(struct topic_settings *s, const char *name, uint32_t partition_count,
			 const struct log_dir_setting *settings, size_t n)
{
	int err;

	strcpy(s->topic, name);
	s->partition_count = partition_count;
	err = topic_id_random(s->id);
	for (size_t i = 0; !err && i < n; i++)
		err = topic_settings_add(s, settings[i].key, settings[i].value);
	return err;
}

/* -EEXIST if the kernel or the directory has the topic already. */
static int check_new(struct kern *k, const struct log_dir *d, const char *name,
		     struct log_dir_error *err)
{
	struct kern_topic t;
	int result, found;

	result = log_dir_is_attached(k, d, err);
	if (result < 0)
		return result;
	if (!result)
		return log_dir_fail(err, -ENOENT, "%s is not attached: run 'sluicectl up %s' first",
				    d->path, d->path);
	result = kern_topic_get(k, name, &t);
	if (!result) {
		free(t.data_dir);
		return log_dir_fail(err, -EEXIST, "topic '%s' exists already", name);
	}
	if (result != -ENOENT)
		return log_dir_fail(err, result, "%s", kern_error(k));
	result = log_dir_sweep(d, err);
	if (result)
		return result;
	found = log_dir_has_partitions(d, name);
	if (!found)
		found = topic_settings_exist(d->topics_fd, name, TOPIC_EXISTS);
	if (found > 0)
		return log_dir_fail(err, -EEXIST,
				    "%s has files of a topic '%s' that is not open: run "
				    "'sluicectl up' to open it, or delete it",
				    d->path, name);
	if (found < 0)
		return log_dir_fail(err, found, "%s: %s", d->path, strerror(-found));
	return 0;
}

static int create(struct kern *k, const struct log_dir *d, const struct topic_settings *s,
		  struct log_dir_error *err)
{
	int result = make_files(d, s);

	if (result)
		log_dir_fail(err, result, "topic '%s': its files in %s cannot be made: %s",
			     s->topic, d->path, strerror(-result));
	if (!result) {
		result = tell_kernel(k, d, s);
		if (result)
			log_dir_fail(err, result, "%s", kern_error(k));
	}
	if (result)
		undo_create(d, s);
	return result;
}

int log_dir_topic_create(struct kern *k, const char *path, const char *name,
			 uint32_t partition_count, const struct log_dir_setting *settings,
			 size_t n_settings, uint8_t ret_id[SLUICE_TOPIC_ID_LEN],
			 struct log_dir_error *err)
{
	struct topic_settings s = {0};
	struct log_dir d;
	int result;

	result = log_dir_topic_check(name, partition_count, settings, n_settings, err);
	if (result)
		return result;
	result = fill_settings(&s, name, partition_count, settings, n_settings);
	if (result) {
		log_dir_fail(err, result, "topic '%s': %s", name, strerror(-result));
		goto free_settings;
	}
	result = log_dir_open(path, /* make= */ false, &d, err);
	if (result)
		goto free_settings;
	result = check_new(k, &d, name, err);
	if (!result)
		result = create(k, &d, &s, err);
	if (!result && ret_id)
		memcpy(ret_id, s.id, sizeof(s.id));
	log_dir_close(&d);
free_settings:
	topic_settings_free(&s);
	return result;
}

/* The kernel lets go of the topic; -ENOENT if it does not have it. */
static int leave_kernel(struct kern *k, const struct log_dir *d, const char *name,
			struct topic_settings *s, struct log_dir_error *err)
{
	struct kern_topic t;
	int result = kern_topic_get(k, name, &t);

	if (result == -ENOENT)
		return result;
	if (result)
		return log_dir_fail(err, result, "%s", kern_error(k));
	if (strcmp(t.data_dir, d->path) != 0) {
		result = log_dir_fail(err, -ENOENT, "topic '%s' is in %s, not in %s", name,
				      t.data_dir, d->path);
		free(t.data_dir);
		return result;
	}
	free(t.data_dir);
	strcpy(s->topic, name);
	memcpy(s->id, t.id, sizeof(s->id));
	s->partition_count = t.partition_count;
	result = kern_topic_delete(k, t.id);
	if (result)
		log_dir_fail(err, result, "%s", kern_error(k));
	return result;
}

static int delete_files(const struct log_dir *d, const struct topic_settings *s)
{
	int err = topic_settings_exist(d->topics_fd, s->topic, TOPIC_EXISTS);

	if (err > 0)
		err = topic_settings_move(d->topics_fd, s->topic, TOPIC_EXISTS, TOPIC_DELETING);
	else if (!err)
		err = topic_settings_write(d->topics_fd, s, TOPIC_DELETING);
	if (!err)
		err = log_dir_discard(d, s->topic, s->id, 0);
	if (!err)
		err = forget_checkpoints(d, s->topic);
	if (!err)
		err = topic_settings_remove(d->topics_fd, s->topic, TOPIC_DELETING);
	if (!err)
		err = log_dir_purge(d);
	return err;
}

static int delete_topic(struct kern *k, const struct log_dir *d, const char *name,
			struct log_dir_error *err)
{
	struct topic_settings s = {0};
	int result;

	log_dir_fail(err, 0, "there is no topic '%s'", name);
	result = leave_kernel(k, d, name, &s, err);
	/* One that could not be opened can still be deleted. */
	if (result == -ENOENT && topic_settings_exist(d->topics_fd, name, TOPIC_EXISTS) > 0)
		result = topic_settings_read(d->topics_fd, name, TOPIC_EXISTS, &s, err);
	if (result)
		return result;
	result = delete_files(d, &s);
	if (result)
		log_dir_fail(err, result,
			     "topic '%s' is deleted, but its files are not all removed: %s: the "
			     "next 'sluicectl up' tries again",
			     name, strerror(-result));
	topic_settings_free(&s);
	return result;
}

int log_dir_topic_delete(struct kern *k, const char *path, const char *name,
			 struct log_dir_error *err)
{
	const char *why = topic_name_why_bad(name);
	struct log_dir d;
	int result;

	if (why)
		return log_dir_fail(err, -EINVAL, "%s", why);
	result = log_dir_open(path, /* make= */ false, &d, err);
	if (result)
		return result;
	result = delete_topic(k, &d, name, err);
	log_dir_close(&d);
	return result;
}

int log_dir_topic_settings(const char *path, const char *name,
			   struct log_dir_setting **ret_settings, size_t *ret_n,
			   struct log_dir_error *err)
{
	const char *why = topic_name_why_bad(name);
	struct topic_settings s;
	char *topics_path;
	int fd, result;

	if (why)
		return log_dir_fail(err, -EINVAL, "%s", why);
	/* No lock: the file is replaced, never changed. */
	if (asprintf(&topics_path, "%s/.sluice/topics", path) < 0)
		return log_dir_fail(err, -ENOMEM, "out of memory");
	fd = dir_open(AT_FDCWD, topics_path);
	if (fd < 0) {
		log_dir_fail(err, fd, "%s: %s", topics_path, strerror(-fd));
		free(topics_path);
		return fd;
	}
	free(topics_path);
	result = topic_settings_read(fd, name, TOPIC_EXISTS, &s, err);
	close(fd);
	if (result)
		return result;
	*ret_settings = s.items;
	*ret_n = s.n;
	return 0;
}
