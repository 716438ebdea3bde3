// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <linux/sluice_netlink.h>
#include "kmod/log/recover.h"
#include "tests/unit/mock_kern.h"

#define DIRS_MAX       8
#define TOPICS_MAX     32
#define PARTITIONS_MAX 256

struct kern {
	char error[512];
	char calls[16384];
	char *dirs[DIRS_MAX];
	struct kern_topic topics[TOPICS_MAX];
	struct kern_partition partitions[PARTITIONS_MAX];
	size_t n_dirs, n_topics, n_partitions;
	uint32_t n_clean;
	unsigned int fail_at;
	int fail_with;
	char refuse_topic[SLUICE_TOPIC_NAME_MAX + 1];
	int refuse_with;
	uint32_t refusals;
	void (*on_truncate)(void);
};

struct kern *mock_kern_new(void)
{
	return calloc(1, sizeof(struct kern));
}

void kern_close(struct kern *k)
{
	for (size_t i = 0; i < k->n_dirs; i++)
		free(k->dirs[i]);
	for (size_t i = 0; i < k->n_topics; i++)
		free(k->topics[i].data_dir);
	free(k);
}

void mock_kern_fail(struct kern *k, unsigned int n, int err)
{
	k->fail_at = n;
	k->fail_with = err;
}

void mock_kern_refuse(struct kern *k, const char *topic, int err, uint32_t times)
{
	strcpy(k->refuse_topic, topic);
	k->refuse_with = err;
	k->refusals = times;
}

uint32_t mock_kern_clean(const struct kern *k)
{
	return k->n_clean;
}

void mock_kern_on_truncate(struct kern *k, void (*fn)(void))
{
	k->on_truncate = fn;
}

const char *mock_kern_calls(const struct kern *k)
{
	return k->calls;
}

const char *kern_error(const struct kern *k)
{
	return k->error;
}

static int fail(struct kern *k, int err, const char *text)
{
	snprintf(k->error, sizeof(k->error), "mock: %s", text);
	return err;
}

static int begin(struct kern *k)
{
	if (!k->fail_at || --k->fail_at)
		return 0;
	return fail(k, k->fail_with, strerror(-k->fail_with));
}

static void called(struct kern *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void called(struct kern *k, const char *fmt, ...)
{
	size_t len = strlen(k->calls);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(k->calls + len, sizeof(k->calls) - len, fmt, ap);
	va_end(ap);
	strncat(k->calls, "; ", sizeof(k->calls) - strlen(k->calls) - 1);
}

static int find_dir(const struct kern *k, const char *path)
{
	for (size_t i = 0; i < k->n_dirs; i++) {
		if (!strcmp(k->dirs[i], path))
			return (int)i;
	}
	return -1;
}

static struct kern_topic *find_topic(struct kern *k, const char *name)
{
	for (size_t i = 0; i < k->n_topics; i++) {
		if (!strcmp(k->topics[i].name, name))
			return &k->topics[i];
	}
	return NULL;
}

int kern_data_dir_attach(struct kern *k, const char *path)
{
	int err = begin(k);

	if (err)
		return err;
	if (find_dir(k, path) >= 0)
		return fail(k, -EBUSY, "attached already");
	called(k, "attach");
	k->dirs[k->n_dirs++] = strdup(path);
	return 0;
}

static void drop_topic(struct kern *k, struct kern_topic *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < k->n_partitions; i++) {
		if (strcmp(k->partitions[i].topic, t->name) != 0)
			k->partitions[kept++] = k->partitions[i];
	}
	k->n_partitions = kept;
	free(t->data_dir);
	*t = k->topics[--k->n_topics];
}

int kern_data_dir_detach(struct kern *k, const char *path)
{
	int index = find_dir(k, path), err = begin(k);

	if (err)
		return err;
	if (index < 0)
		return fail(k, -ENOENT, "not attached");
	called(k, "detach");
	for (size_t i = k->n_topics; i-- > 0;) {
		if (!strcmp(k->topics[i].data_dir, path))
			drop_topic(k, &k->topics[i]);
	}
	free(k->dirs[index]);
	k->dirs[index] = k->dirs[--k->n_dirs];
	return 0;
}

int kern_data_dirs(struct kern *k, struct kern_data_dir **ret_dirs, size_t *ret_n)
{
	int err = begin(k);

	if (err)
		return err;
	*ret_dirs = calloc(k->n_dirs + 1, sizeof(**ret_dirs));
	for (size_t i = 0; i < k->n_dirs; i++)
		(*ret_dirs)[i].path = strdup(k->dirs[i]);
	*ret_n = k->n_dirs;
	return 0;
}

void kern_data_dirs_free(struct kern_data_dir *dirs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(dirs[i].path);
	free(dirs);
}

static bool has_partition_dir(const struct kern_topic *t, uint32_t index)
{
	char path[5000];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s-%u", t->data_dir, t->name, index);
	return !lstat(path, &st) && S_ISDIR(st.st_mode);
}

/* As the kernel does, of a log that was closed cleanly: its end, or an error. */
static int64_t find_log_end(const struct kern_topic *t, uint32_t index)
{
	const struct sluice_log_open_args args = {.recovery_point = INT64_MAX};
	char path[4096], err[SLUICE_ERROR_TEXT_MAX];
	struct sluice_log_config c;
	struct sluice_log *log;
	struct port_dir *dir;
	int64_t end;

	snprintf(path, sizeof(path), "%s/%s-%u", t->data_dir, t->name, index);
	sluice_log_config_default(&c);
	dir = port_dir_open(path);
	if (!dir)
		abort();
	end = sluice_log_open(dir, &c, &args, err, &log);
	if (!end) {
		end = sluice_log_end_offset(log);
		sluice_log_close(log);
	}
	port_dir_close(dir);
	return end;
}

static int check_closed(const struct kern_topic *t, uint32_t from)
{
	int64_t end;

	for (uint32_t i = from; t->recovery_points && i < t->partition_count; i++) {
		end = t->recovery_points[i] == INT64_MAX ? find_log_end(t, i) : 0;
		if (end < 0)
			return (int)end;
	}
	return 0;
}

int kern_topic_create(struct kern *k, const struct kern_topic *t)
{
	struct kern_partition *p;
	struct kern_topic *old;
	uint32_t from;
	int err = begin(k);

	if (err)
		return err;
	if (k->refusals && !strcmp(k->refuse_topic, t->name)) {
		k->refusals--;
		return fail(k, k->refuse_with, strerror(-k->refuse_with));
	}
	if (find_dir(k, t->data_dir) < 0)
		return fail(k, -ENOENT, "the data directory is not attached");
	old = find_topic(k, t->name);
	from = old ? old->partition_count : 0;
	if (from >= t->partition_count)
		return fail(k, -EEXIST, "the topic exists");
	for (uint32_t i = from; i < t->partition_count; i++) {
		if (!has_partition_dir(t, i))
			return fail(k, -ENOENT, "a partition directory is missing");
	}
	err = check_closed(t, from);
	if (err)
		return fail(k, err, strerror(-err));
	called(k, "%s %s %u", old ? "grow" : "create", t->name, t->partition_count);
	if (old) {
		old->partition_count = t->partition_count;
	} else {
		k->topics[k->n_topics] = *t;
		k->topics[k->n_topics].log_start_offsets = NULL;
		k->topics[k->n_topics].recovery_points = NULL;
		k->topics[k->n_topics++].data_dir = strdup(t->data_dir);
	}
	for (uint32_t i = from; i < t->partition_count; i++) {
		p = &k->partitions[k->n_partitions++];
		*p = (struct kern_partition){.index = i};
		strcpy(p->topic, t->name);
		if (t->log_start_offsets)
			p->log_start_offset = t->log_start_offsets[i];
		/* Whoever opens a log has recovered it to its end. */
		if (!t->recovery_points)
			continue;
		p->log_end_offset = t->recovery_points[i];
		if (p->log_end_offset == INT64_MAX) {
			p->log_end_offset = find_log_end(t, i);
			k->n_clean++;
		}
		p->recovery_point = p->high_watermark = p->log_end_offset;
	}
	return 0;
}

int kern_topic_set(struct kern *k, const struct kern_topic *t)
{
	int err = begin(k);

	for (size_t i = 0; !err && i < k->n_topics; i++) {
		if (memcmp(k->topics[i].id, t->id, SLUICE_TOPIC_ID_LEN) != 0)
			continue;
		kern_config_merge(&k->topics[i].config, &t->config);
		return 0;
	}
	return err ? err : fail(k, -ENOENT, "no such topic");
}

int kern_topic_delete(struct kern *k, const uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	int err = begin(k);

	for (size_t i = 0; !err && i < k->n_topics; i++) {
		if (memcmp(k->topics[i].id, id, SLUICE_TOPIC_ID_LEN) != 0)
			continue;
		called(k, "delete %s", k->topics[i].name);
		drop_topic(k, &k->topics[i]);
		return 0;
	}
	return err ? err : fail(k, -ENOENT, "no such topic");
}

int kern_topic_get(struct kern *k, const char *name, struct kern_topic *ret)
{
	struct kern_topic *t = find_topic(k, name);
	int err = begin(k);

	if (err)
		return err;
	if (!t)
		return fail(k, -ENOENT, "no such topic");
	*ret = *t;
	ret->data_dir = strdup(t->data_dir);
	return 0;
}

int kern_topics(struct kern *k, struct kern_topic **ret_topics, size_t *ret_n)
{
	int err = begin(k);

	if (err)
		return err;
	*ret_topics = calloc(k->n_topics + 1, sizeof(**ret_topics));
	for (size_t i = 0; i < k->n_topics; i++) {
		(*ret_topics)[i] = k->topics[i];
		(*ret_topics)[i].data_dir = strdup(k->topics[i].data_dir);
	}
	*ret_n = k->n_topics;
	return 0;
}

void kern_topics_free(struct kern_topic *topics, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(topics[i].data_dir);
	free(topics);
}

/* A request about one partition, which must be there. */
static int begin_partition(struct kern *k, const char *topic, uint32_t index,
			   struct kern_partition **ret_p)
{
	int err = begin(k);

	*ret_p = mock_kern_partition(k, topic, index);
	if (!err && !*ret_p)
		err = fail(k, -ENOENT, "no such partition");
	return err;
}

int kern_partition_get(struct kern *k, const char *topic, uint32_t index,
		       struct kern_partition *ret)
{
	struct kern_partition *p;
	int err = begin_partition(k, topic, index, &p);

	if (err)
		return err;
	*ret = *p;
	return 0;
}

int kern_partition_set_log_start(struct kern *k, const char *topic, uint32_t index, int64_t offset)
{
	struct kern_partition *p;
	int err = begin_partition(k, topic, index, &p);

	if (err)
		return err;
	if (offset > p->high_watermark)
		return fail(k, -ERANGE, "above the high watermark");
	if (offset > p->log_start_offset)
		p->log_start_offset = offset;
	return 0;
}

int kern_partition_truncate(struct kern *k, const char *topic, uint32_t index, int64_t offset)
{
	struct kern_partition *p;
	int err = begin_partition(k, topic, index, &p);

	if (err)
		return err;
	p->generation++;
	if (offset < p->log_end_offset)
		p->log_end_offset = offset;
	if (k->on_truncate)
		k->on_truncate();
	return 0;
}

int kern_partition_replace(struct kern *k, const char *topic, uint32_t index, uint64_t generation,
			   int64_t first_base, int64_t last_base)
{
	struct kern_partition *p;
	int err = begin_partition(k, topic, index, &p);

	if (err)
		return err;
	if (p->generation != generation)
		return fail(k, -ESTALE, "the log was truncated");
	if (first_base > last_base)
		return fail(k, -EINVAL, "no such segments");
	return 0;
}

int kern_partitions(struct kern *k, const char *topic, struct kern_partition **ret_partitions,
		    size_t *ret_n)
{
	int err = begin(k);

	if (err)
		return err;
	*ret_partitions = calloc(k->n_partitions + 1, sizeof(**ret_partitions));
	*ret_n = 0;
	for (size_t i = 0; i < k->n_partitions; i++) {
		if (!topic || !strcmp(k->partitions[i].topic, topic))
			(*ret_partitions)[(*ret_n)++] = k->partitions[i];
	}
	return 0;
}

void kern_partitions_free(struct kern_partition *partitions)
{
	free(partitions);
}

struct kern_partition *mock_kern_partition(struct kern *k, const char *topic, uint32_t index)
{
	for (size_t i = 0; i < k->n_partitions; i++) {
		if (!strcmp(k->partitions[i].topic, topic) && k->partitions[i].index == index)
			return &k->partitions[i];
	}
	return NULL;
}

uint32_t mock_kern_has(struct kern *k, const char *topic)
{
	struct kern_topic *t = find_topic(k, topic);

	return t ? t->partition_count : 0;
}
