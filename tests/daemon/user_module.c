// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/daemon/user_module.h"

struct user_fault user_fault;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list topics = {&topics, &topics};

void user_module_lock(void)
{
	pthread_mutex_lock(&lock);
}

void user_module_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

struct list *user_topics(void)
{
	return &topics;
}

struct user_topic *user_topic_by_id(const uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	for (struct list *at = topics.next; at != &topics; at = at->next) {
		struct user_topic *t = list_entry(at, struct user_topic, link);

		if (!memcmp(t->t.id, id, SLUICE_TOPIC_ID_LEN))
			return t;
	}
	return NULL;
}

struct user_topic *user_topic_by_name(const char *name)
{
	for (struct list *at = topics.next; at != &topics; at = at->next) {
		struct user_topic *t = list_entry(at, struct user_topic, link);

		if (!strcmp(t->t.name, name))
			return t;
	}
	return NULL;
}

struct sluice_log *user_log(const uint8_t id[SLUICE_TOPIC_ID_LEN], int32_t partition)
{
	struct user_topic *t = user_topic_by_id(id);

	if (!t || partition < 0 || partition >= (int32_t)t->t.partition_count)
		return NULL;
	return t->partitions[partition].log;
}

uint64_t user_segment_inode(const uint8_t id[SLUICE_TOPIC_ID_LEN], int32_t partition,
			    int64_t base_offset)
{
	struct user_topic *t = user_topic_by_id(id);
	char path[4096];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s-%d/%020lld.log", t->t.data_dir, t->t.name, partition,
		 (long long)base_offset);
	return stat(path, &st) ? 0 : st.st_ino;
}

static void close_partitions(struct user_topic *t, uint32_t from)
{
	for (uint32_t i = from; t->partitions && i < t->t.partition_count; i++) {
		if (t->partitions[i].log)
			sluice_log_close(t->partitions[i].log);
		if (t->partitions[i].dir)
			port_dir_close(t->partitions[i].dir);
	}
}

static void topic_free(struct user_topic *t)
{
	close_partitions(t, 0);
	free(t->partitions);
	free(t->t.data_dir);
	free(t);
}

static void log_config(const struct kern_topic_config *c, struct sluice_log_config *ret)
{
	sluice_log_config_default(ret);
	ret->segment_bytes = c->segment_bytes;
	ret->max_message_bytes = c->max_message_bytes;
	ret->index_interval_bytes = c->index_interval_bytes;
	ret->segment_index_bytes = c->segment_index_bytes;
	ret->log_append_time = c->message_timestamp_type == 1;
	if (c->set & KERN_CONFIG_CLEANUP_POLICY)
		ret->cleanup_policy = c->cleanup_policy;
	if (c->set & KERN_CONFIG_MESSAGE_TIMESTAMP_BEFORE_MAX_MS)
		ret->timestamp_before_max_ms = c->timestamp_before_max_ms;
	if (c->set & KERN_CONFIG_MESSAGE_TIMESTAMP_AFTER_MAX_MS)
		ret->timestamp_after_max_ms = c->timestamp_after_max_ms;
}

static int open_partition(struct user_topic *t, uint32_t index, const struct kern_topic *from,
			  char *why, size_t size)
{
	struct user_partition *p = &t->partitions[index];
	char err[SLUICE_ERROR_TEXT_MAX];
	struct sluice_log_open_args args = {0};
	struct sluice_log_config c;
	char path[4096];
	int ret;

	snprintf(path, sizeof(path), "%s/%s-%u", t->t.data_dir, t->t.name, index);
	p->dir = port_dir_open(path);
	if (!p->dir)
		return -errno;
	log_config(&t->t.config, &c);
	args.leader_epoch = t->t.leader_epoch;
	args.log_start_offset = from->log_start_offsets ? from->log_start_offsets[index] : 0;
	args.recovery_point = from->recovery_points ? from->recovery_points[index] : 0;
	ret = sluice_log_open(p->dir, &c, &args, err, &p->log);
	if (ret)
		snprintf(why, size, "%s: %s", path, err);
	return ret;
}

/* More partitions; those that there are stay open. */
static int grow_topic(struct user_topic *t, const struct kern_topic *from, char *why, size_t size)
{
	uint32_t count = t->t.partition_count;
	struct kern_topic new_ones = *from;
	int err = 0;

	if (from->partition_count <= count)
		return -EEXIST;
	new_ones.log_start_offsets = NULL;
	new_ones.recovery_points = NULL;
	t->partitions = reallocarray(t->partitions, from->partition_count, sizeof(*t->partitions));
	memset(t->partitions + count, 0, (from->partition_count - count) * sizeof(*t->partitions));
	t->t.partition_count = from->partition_count;
	for (uint32_t i = count; !err && i < from->partition_count; i++)
		err = open_partition(t, i, &new_ones, why, size);
	if (err) {
		close_partitions(t, count);
		t->t.partition_count = count;
	}
	return err;
}

int user_topic_create(const struct kern_topic *from, char *why, size_t size)
{
	struct sluice_log_config defaults;
	struct user_topic *t;
	int err = 0;

	t = user_topic_by_name(from->name);
	if (t)
		return grow_topic(t, from, why, size);
	t = calloc(1, sizeof(*t));
	t->t = *from;
	t->t.data_dir = strdup(from->data_dir);
	t->t.log_start_offsets = NULL;
	t->t.recovery_points = NULL;
	t->partitions = calloc(from->partition_count, sizeof(*t->partitions));
	sluice_log_config_default(&defaults);
	t->t.config = (struct kern_topic_config){
		.segment_bytes = defaults.segment_bytes,
		.max_message_bytes = defaults.max_message_bytes,
		.index_interval_bytes = defaults.index_interval_bytes,
		.segment_index_bytes = defaults.segment_index_bytes,
	};
	kern_config_merge(&t->t.config, &from->config);
	for (uint32_t i = 0; !err && i < t->t.partition_count; i++)
		err = open_partition(t, i, from, why, size);
	if (err) {
		topic_free(t);
		return err;
	}
	list_append(&topics, &t->link);
	return 0;
}

int user_topic_set(const struct kern_topic *from)
{
	struct user_topic *t = user_topic_by_id(from->id);
	struct sluice_log_config c;
	int err = 0;

	if (!t)
		return -ENOENT;
	kern_config_merge(&t->t.config, &from->config);
	log_config(&t->t.config, &c);
	for (uint32_t i = 0; i < t->t.partition_count; i++)
		sluice_log_set_config(t->partitions[i].log, &c);
	if (from->leader_epoch >= 0)
		t->t.leader_epoch = from->leader_epoch;
	for (uint32_t i = 0; !err && i < t->t.partition_count; i++)
		err = sluice_log_set_leader_epoch(t->partitions[i].log, t->t.leader_epoch);
	return err;
}

int user_topic_delete(const uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	struct user_topic *t = user_topic_by_id(id);

	if (!t)
		return -ENOENT;
	list_remove(&t->link);
	topic_free(t);
	user_watches_check();
	return 0;
}
