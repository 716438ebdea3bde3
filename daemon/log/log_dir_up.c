// SPDX-License-Identifier: Apache-2.0
/*
 * Bringing a data directory up. The kernel's claim on the directory comes
 * first: it refuses one that another network namespace has, whose logs must
 * not be touched by a recovery.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_checkpoints.h"
#include "daemon/log/log_dir_recover.h"
#include "daemon/log/topic_config.h"

struct up {
	struct kern *k;
	struct log_dir d;
	bool clean;
	struct log_dir_topics topics;
	struct checkpoint starts; /* where logs begin */
	struct checkpoint points; /* recovery points, as they were written */
	struct checkpoint ends;	  /* up to where they are durable */
	unsigned int threads;
	log_dir_progress_fn progress;
	void *ctx;
	struct log_dir_error *err;
	/* Topics that could not be opened. */
	unsigned int n_failed;
	struct log_dir_error first_failure;
};

static void topic_failed(struct up *up, const struct log_dir_topic *t)
{
	if (!up->n_failed++)
		log_dir_fail(&up->first_failure, 0, "topic '%.249s': %.240s", t->s.topic,
			     t->why.text);
}

/* An adopted topic becomes ours with its settings file. */
static int commit_topic(struct up *up, const struct log_dir_topic *t)
{
	int result = 0;

	if (t->adopted)
		result = log_dir_producer_ids_skip(&up->d);
	if (!result && (t->adopted || t->grown))
		result = topic_settings_write(up->d.topics_fd, &t->s, TOPIC_EXISTS);
	return result;
}

/* Up to where the kernel need not doubt what is there. */
static void all_is_durable(const struct log_dir_topic *t, int64_t *ends)
{
	for (uint32_t i = 0; i < t->s.partition_count; i++)
		ends[i] = INT64_MAX;
}

/* Of all partitions of the topic; 0 is what is not known. NULL: no memory. */
static int64_t *offsets_of(const struct checkpoint *c, const struct log_dir_topic *t)
{
	int64_t *offsets = calloc(t->s.partition_count, sizeof(*offsets));
	int64_t offset;

	for (uint32_t i = 0; offsets && i < t->s.partition_count; i++) {
		offset = checkpoint_find(c, t->s.topic, i);
		offsets[i] = offset < 0 ? 0 : offset;
	}
	return offsets;
}

static int tell_kernel(struct up *up, const struct log_dir_topic *t, const int64_t *starts,
		       const int64_t *ends)
{
	struct kern_topic kt = {
		.data_dir = up->d.path,
		.partition_count = t->s.partition_count,
		.leader_epoch = t->leader_epoch,
		.log_start_offsets = starts,
		.recovery_points = ends,
	};

	strcpy(kt.name, t->s.topic);
	memcpy(kt.id, t->s.id, sizeof(kt.id));
	for (size_t i = 0; i < t->s.n; i++)
		topic_config_to_kern(t->s.items[i].key, t->s.items[i].value, &kt.config);
	return kern_topic_create(up->k, &kt);
}

/* Fills the topic's sentence if it fails. @ends: NULL if all is as a clean stop left it. */
static int create_in_kernel(struct up *up, struct log_dir_topic *t, const struct checkpoint *ends)
{
	static const struct checkpoint none;
	int64_t *start_offsets = offsets_of(&up->starts, t);
	int64_t *end_offsets = offsets_of(ends ? ends : &none, t);
	int result = -ENOMEM;

	if (start_offsets && end_offsets) {
		if (!ends)
			all_is_durable(t, end_offsets);
		result = tell_kernel(up, t, start_offsets, end_offsets);
		if (result)
			log_dir_fail(&t->why, 0, "%s", kern_error(up->k));
	} else {
		log_dir_fail(&t->why, 0, "out of memory");
	}
	free(start_offsets);
	free(end_offsets);
	return result;
}

/* The clean mark lied. Reading all of it is slow, but saves it. */
static int recover_and_create(struct up *up, struct log_dir_topic *t)
{
	struct log_dir_topics one = {.topics = t, .n = 1};
	struct checkpoint none = {0}, ends;
	int result;

	t->why.text[0] = '\0';
	result = log_dir_recover(&up->d, &one, false, up->threads, &none, up->progress, up->ctx,
				 &ends, &t->why);
	if (result)
		return result;
	checkpoint_sort(&ends);
	result = t->why.text[0] ? -EUCLEAN : create_in_kernel(up, t, &ends);
	checkpoint_free(&ends);
	return result;
}

static void open_topic(struct up *up, struct log_dir_topic *t)
{
	int result;

	if (!t->why.text[0]) {
		result = commit_topic(up, t);
		if (result)
			log_dir_fail(&t->why, result, "its settings cannot be written: %s",
				     strerror(-result));
	}
	if (t->why.text[0]) {
		topic_failed(up, t);
		return;
	}
	result = create_in_kernel(up, t, t->as_closed ? NULL : &up->ends);
	if (result == -EUCLEAN && up->clean)
		result = recover_and_create(up, t);
	if (result)
		topic_failed(up, t);
}

/*
 * The kernel looks at each log as it opens it, and knows one that no clean stop
 * left. That waits for recovery, and so does a topic some of whose files have to be
 * changed first. Returns whether this one does not.
 */
static bool open_as_closed(struct up *up, struct log_dir_topic *t)
{
	int result;

	if (t->why.text[0] || t->adopted || t->grown || t->lowest_epoch != t->leader_epoch)
		return false;
	result = create_in_kernel(up, t, NULL);
	if (result == -EUCLEAN)
		t->why.text[0] = '\0';
	else if (result)
		topic_failed(up, t);
	return result != -EUCLEAN;
}

/* Leaves the topics that are to be recovered. */
static void open_all_as_closed(struct up *up)
{
	struct log_dir_topics *topics = &up->topics;
	size_t left = 0;

	for (size_t i = 0; i < topics->n; i++) {
		if (open_as_closed(up, &topics->topics[i]))
			topic_settings_free(&topics->topics[i].s);
		else
			topics->topics[left++] = topics->topics[i];
	}
	topics->n = left;
}

/* Recovery points of what is open already stay; those of what was recovered are new. */
static int write_points(struct up *up, char *const *known, size_t n_known)
{
	const struct checkpoint *old = &up->points;
	struct checkpoint *ends = &up->ends;
	const struct checkpoint_entry *e;
	int result = 0;

	for (size_t i = 0; !result && i < old->n; i++) {
		e = &old->entries[i];
		if (log_dir_names_have(known, n_known, e->topic))
			result = checkpoint_add(ends, e->topic, e->partition, e->offset);
	}
	if (!result)
		result = checkpoint_write(up->d.fd, CHECKPOINT_RECOVERY_POINT, ends);
	if (result)
		log_dir_fail(up->err, result, "%s/" CHECKPOINT_RECOVERY_POINT ": %s", up->d.path,
			     strerror(-result));
	return result;
}

static int recover(struct up *up)
{
	char **known;
	size_t n_known;
	int result;

	result = log_dir_kernel_topics(up->k, &up->d, &known, &n_known, up->err);
	if (result)
		return result;
	result = log_dir_recover(&up->d, &up->topics, up->clean, up->threads, &up->points,
				 up->progress, up->ctx, &up->ends, up->err);
	if (!result)
		result = write_points(up, known, n_known);
	log_dir_names_free(known, n_known);
	return result;
}

static int find_topics(struct up *up)
{
	char **known;
	size_t n_known;
	int result;

	result = log_dir_kernel_topics(up->k, &up->d, &known, &n_known, up->err);
	if (result)
		return result;
	result = log_dir_sweep(&up->d, up->err);
	if (!result)
		result = log_dir_scan(&up->d, known, n_known, &up->topics, up->err);
	log_dir_names_free(known, n_known);
	return result;
}

static int open_logs(struct up *up)
{
	int result;

	result = find_topics(up);
	if (!result)
		result =
			log_dir_checkpoint_read(&up->d, CHECKPOINT_LOG_START, &up->starts, up->err);
	if (!result)
		result = log_dir_checkpoint_read(&up->d, CHECKPOINT_RECOVERY_POINT, &up->points,
						 up->err);
	if (result)
		return result;
	/* From here on logs may be written to. */
	result = log_dir_set_clean(&up->d, false);
	if (result)
		return log_dir_fail(up->err, result, "%s/" LOG_DIR_CLEAN_MARK ": %s", up->d.path,
				    strerror(-result));
	if (up->clean)
		open_all_as_closed(up);
	/* Their recovery points stand in the file: a clean stop wrote where the logs end. */
	if (up->clean && !up->topics.n)
		return 0;
	result = recover(up);
	for (size_t i = 0; !result && i < up->topics.n; i++)
		open_topic(up, &up->topics.topics[i]);
	return result;
}

static int up_locked(struct up *up)
{
	int attached, result;

	attached = log_dir_is_attached(up->k, &up->d, up->err);
	if (attached < 0)
		return attached;
	result = attached ? 0 : kern_data_dir_attach(up->k, up->d.path);
	if (result)
		return log_dir_fail(up->err, result, "%.250s: %.250s", up->d.path,
				    kern_error(up->k));
	result = dir_file_exists(up->d.fd, LOG_DIR_CLEAN_MARK);
	up->clean = result > 0;
	if (result >= 0)
		result = log_dir_meta_ensure(&up->d);
	if (result < 0)
		log_dir_fail(up->err, result, "%s/meta.properties: %s", up->d.path,
			     strerror(-result));
	else
		result = open_logs(up);
	if (result && !attached)
		kern_data_dir_detach(up->k, up->d.path);
	return result;
}

int log_dir_up(struct kern *k, const char *path, unsigned int threads, log_dir_progress_fn progress,
	       void *ctx, struct log_dir_error *err)
{
	struct up up = {.k = k, .threads = threads, .progress = progress, .ctx = ctx, .err = err};
	int result;

	err->text[0] = '\0';
	result = log_dir_open(path, /* make= */ true, &up.d, err);
	if (result)
		return result;
	result = up_locked(&up);
	if (!result && up.n_failed > 1)
		log_dir_fail(err, 0, "%.400s (and %u more topics could not be opened)",
			     up.first_failure.text, up.n_failed - 1);
	else if (!result && up.n_failed)
		*err = up.first_failure;
	checkpoint_free(&up.starts);
	checkpoint_free(&up.points);
	checkpoint_free(&up.ends);
	log_dir_topics_free(&up.topics);
	log_dir_close(&up.d);
	return result;
}
