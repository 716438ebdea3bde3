// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_scan.h"
#include "daemon/log/partition_files.h"
#include "daemon/log/topic_id.h"

/* Kafka's own metadata log lies beside the topics and is none. */
#define KAFKA_METADATA_TOPIC "__cluster_metadata"

struct found_dir {
	char *topic;
	uint32_t index;
};

struct scan {
	const struct log_dir *d;
	struct found_dir *dirs;
	size_t n_dirs, room;
	char *const *known;
	size_t n_known;
	struct log_dir_topics topics;
};

static int compare_dirs(const void *a, const void *b)
{
	const struct found_dir *x = a, *y = b;
	int order = strcmp(x->topic, y->topic);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int add_dir(void *ctx, const char *name, bool is_dir)
{
	char topic[SLUICE_TOPIC_NAME_MAX + 1];
	struct scan *scan = ctx;
	struct found_dir *grown;
	uint32_t index;

	if (!is_dir || partition_dir_parse(name, topic, &index) != PARTITION_DIR_LOG ||
	    !strcmp(topic, KAFKA_METADATA_TOPIC) ||
	    log_dir_names_have(scan->known, scan->n_known, topic))
		return 0;
	if (scan->n_dirs == scan->room) {
		grown = reallocarray(scan->dirs, scan->room * 2 + 64, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		scan->dirs = grown;
		scan->room = scan->room * 2 + 64;
	}
	scan->dirs[scan->n_dirs].topic = strdup(topic);
	if (!scan->dirs[scan->n_dirs].topic)
		return -ENOMEM;
	scan->dirs[scan->n_dirs++].index = index;
	return 0;
}

static struct log_dir_topic *add_topic(struct scan *scan, const char *name)
{
	struct log_dir_topics *t = &scan->topics;
	struct log_dir_topic *grown;

	if (t->n == t->room) {
		grown = reallocarray(t->topics, t->room * 2 + 16, sizeof(*grown));
		if (!grown)
			return NULL;
		t->topics = grown;
		t->room = t->room * 2 + 16;
	}
	memset(&t->topics[t->n], 0, sizeof(*t->topics));
	snprintf(t->topics[t->n].s.topic, sizeof(t->topics[t->n].s.topic), "%s", name);
	return &t->topics[t->n++];
}

static int add_settings(void *ctx, struct topic_settings *s)
{
	struct scan *scan = ctx;
	struct log_dir_topic *t;

	if (log_dir_names_have(scan->known, scan->n_known, s->topic))
		return 0;
	t = add_topic(scan, s->topic);
	if (!t)
		return -ENOMEM;
	t->s = *s;
	memset(s, 0, sizeof(*s));
	return 0;
}

static int add_bad(void *ctx, const char *name, const struct log_dir_error *why)
{
	struct scan *scan = ctx;
	struct log_dir_topic *t;

	if (log_dir_names_have(scan->known, scan->n_known, name))
		return 0;
	t = add_topic(scan, name);
	if (!t)
		return -ENOMEM;
	t->why = *why;
	return 0;
}

static void broken(struct log_dir_topic *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void broken(struct log_dir_topic *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->why.text, sizeof(t->why.text), fmt, ap);
	va_end(ap);
}

/* The id that the partitions of an adopted topic have; zero if none has one. */
static void find_id(const struct log_dir *d, struct log_dir_topic *t)
{
	char name[PARTITION_DIR_NAME_MAX + 1];
	uint8_t id[SLUICE_TOPIC_ID_LEN];
	int fd, err;

	for (uint32_t i = 0; i < t->s.partition_count; i++) {
		partition_dir_format(t->s.topic, i, name);
		fd = dir_open(d->fd, name);
		if (fd < 0)
			continue;
		err = partition_metadata_read(fd, id);
		close(fd);
		if (!err) {
			memcpy(t->s.id, id, sizeof(id));
			return;
		}
	}
}

static void read_epochs(int fd, struct log_dir_topic *t)
{
	struct leader_epoch *epochs = NULL;
	int32_t last = -1;
	size_t n;

	if (!leader_epochs_read(fd, &epochs, &n) && n)
		last = epochs[n - 1].epoch;
	if (last > t->leader_epoch)
		t->leader_epoch = last;
	if (last < t->lowest_epoch)
		t->lowest_epoch = last;
	free(epochs);
}

/* Checks one partition's id against the topic's; writes it where there is none. */
static void check_partition(const struct log_dir *d, struct log_dir_topic *t, uint32_t index)
{
	char name[PARTITION_DIR_NAME_MAX + 1];
	uint8_t id[SLUICE_TOPIC_ID_LEN];
	int fd, err;

	partition_dir_format(t->s.topic, index, name);
	fd = dir_open(d->fd, name);
	if (fd < 0) {
		broken(t, "%s: %s", name, strerror(-fd));
		return;
	}
	err = partition_metadata_read(fd, id);
	if (err == -ENOENT || (err == -EBADMSG && !t->adopted))
		err = partition_metadata_write(fd, t->s.id);
	else if (!err && memcmp(id, t->s.id, sizeof(id)) != 0)
		err = -ESTALE;
	read_epochs(fd, t);
	close(fd);
	if (err == -ESTALE)
		broken(t, "%s/partition.metadata has another topic's id: move that directory away",
		       name);
	else if (err)
		broken(t, "%s/partition.metadata: %s", name, strerror(-err));
}

static void check_topic(const struct log_dir *d, struct log_dir_topic *t, uint32_t contiguous)
{
	static const uint8_t none[SLUICE_TOPIC_ID_LEN];

	if (t->why.text[0])
		return;
	if (t->adopted && !contiguous) {
		broken(t,
		       "its partition 0 is not here: it belongs to a cluster of several brokers");
		return;
	}
	if (contiguous < t->s.partition_count) {
		broken(t, "the directory %s-%" PRIu32 " is missing", t->s.topic, contiguous);
		return;
	}
	t->grown = !t->adopted && contiguous > t->s.partition_count;
	t->s.partition_count = contiguous;
	if (t->adopted) {
		t->s.adopted = true;
		find_id(d, t);
	}
	if (!memcmp(t->s.id, none, sizeof(none)) && topic_id_random(t->s.id)) {
		broken(t, "no random numbers for its id");
		return;
	}
	t->lowest_epoch = INT32_MAX;
	for (uint32_t i = 0; i < contiguous && !t->why.text[0]; i++)
		check_partition(d, t, i);
}

static int compare_topics(const void *a, const void *b)
{
	const struct log_dir_topic *x = a, *y = b;

	return strcmp(x->s.topic, y->s.topic);
}

/* Both lists are sorted by topic: settings files on one side, directories on the other. */
static int merge(struct scan *scan)
{
	size_t n_with_settings = scan->topics.n, next = 0, i = 0;
	uint32_t contiguous;
	struct log_dir_topic *t;
	const char *name;
	int order;

	/* qsort() wants an array even if there is nothing in it. */
	if (n_with_settings)
		qsort(scan->topics.topics, n_with_settings, sizeof(*scan->topics.topics),
		      compare_topics);
	while (i < scan->n_dirs || next < n_with_settings) {
		name = i < scan->n_dirs ? scan->dirs[i].topic : NULL;
		order = !name			  ? -1
			: next == n_with_settings ? 1
						  : strcmp(scan->topics.topics[next].s.topic, name);
		if (order < 0) {
			check_topic(scan->d, &scan->topics.topics[next++], 0);
			continue;
		}
		contiguous = 0;
		for (; i < scan->n_dirs && !strcmp(scan->dirs[i].topic, name); i++)
			contiguous += scan->dirs[i].index == contiguous;
		if (order == 0) {
			check_topic(scan->d, &scan->topics.topics[next++], contiguous);
			continue;
		}
		t = add_topic(scan, name);
		if (!t)
			return -ENOMEM;
		t->adopted = true;
		check_topic(scan->d, t, contiguous);
	}
	return 0;
}

int log_dir_scan(const struct log_dir *d, char *const *known, size_t n_known,
		 struct log_dir_topics *ret, struct log_dir_error *err)
{
	struct scan scan = {.d = d, .known = known, .n_known = n_known};
	int result;

	result = dir_each(d->fd, add_dir, &scan);
	if (!result)
		result = topic_settings_each(d->topics_fd, TOPIC_EXISTS, add_settings, add_bad,
					     &scan);
	if (!result) {
		if (scan.n_dirs)
			qsort(scan.dirs, scan.n_dirs, sizeof(*scan.dirs), compare_dirs);
		result = merge(&scan);
	}
	for (size_t i = 0; i < scan.n_dirs; i++)
		free(scan.dirs[i].topic);
	free(scan.dirs);
	if (result) {
		log_dir_topics_free(&scan.topics);
		return log_dir_fail(err, result, "%s: %s", d->path, strerror(-result));
	}
	*ret = scan.topics;
	return 0;
}

void log_dir_topics_free(struct log_dir_topics *t)
{
	for (size_t i = 0; i < t->n; i++)
		topic_settings_free(&t->topics[i].s);
	free(t->topics);
	*t = (struct log_dir_topics){0};
}
