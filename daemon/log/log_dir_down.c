// SPDX-License-Identifier: Apache-2.0
/*
 * Taking a data directory down, and what is written meanwhile so that a crash
 * costs less.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/log/log_dir_checkpoints.h"
#include "daemon/log/log_dir_open.h"
#include "daemon/log/topic_settings.h"

struct down {
	struct kern *k;
	struct log_dir d;
	char **topics; /* the kernel's, of this directory */
	size_t n_topics;
	struct checkpoint points; /* recovery points */
	struct checkpoint ends;	  /* the same if all is flushed */
	struct checkpoint starts; /* log start offsets that are not 0 */
	struct checkpoint marks;  /* high watermarks */
	bool complete;		  /* every topic of the directory is open and healthy */
	struct log_dir_error *err;
};

static int add_partition(struct down *down, const struct kern_partition *p)
{
	bool online = p->state == SLUICE_PARTITION_STATE_ONLINE;
	int result;

	if (!online)
		down->complete = false;
	result = checkpoint_add(&down->points, p->topic, p->index, p->recovery_point);
	if (!result)
		result = checkpoint_add(&down->ends, p->topic, p->index,
					online ? p->log_end_offset : p->recovery_point);
	if (!result && p->log_start_offset > 0)
		result = checkpoint_add(&down->starts, p->topic, p->index, p->log_start_offset);
	if (!result)
		result = checkpoint_add(&down->marks, p->topic, p->index, p->high_watermark);
	return result;
}

static int read_topic(struct down *down, const char *topic)
{
	struct kern_partition *partitions;
	size_t n;
	int result = kern_partitions(down->k, topic, &partitions, &n);

	/* Deleted meanwhile. */
	if (result == -ENOENT)
		return 0;
	if (result)
		return log_dir_fail(down->err, result, "%s", kern_error(down->k));
	for (size_t i = 0; !result && i < n; i++)
		result = add_partition(down, &partitions[i]);
	kern_partitions_free(partitions);
	return result ? log_dir_fail(down->err, result, "out of memory") : 0;
}

/* One by one: of all partitions at once there may be too much to be told. */
static int read_partitions(struct down *down)
{
	int result = 0;

	for (size_t i = 0; !result && i < down->n_topics; i++)
		result = read_topic(down, down->topics[i]);
	return result;
}

static int is_open(void *ctx, struct topic_settings *s)
{
	struct down *down = ctx;

	if (!log_dir_names_have(down->topics, down->n_topics, s->topic))
		down->complete = false;
	return 0;
}

static int is_bad(void *ctx, const char *topic, const struct log_dir_error *why)
{
	struct down *down = ctx;

	(void)topic, (void)why;
	down->complete = false;
	return 0;
}

static int write_checkpoint(struct down *down, const char *name, struct checkpoint *c)
{
	return log_dir_checkpoint_update(&down->d, name, c, down->topics, down->n_topics,
					 down->err);
}

static int write_checkpoints(struct down *down, struct checkpoint *points)
{
	int result = write_checkpoint(down, CHECKPOINT_LOG_START, &down->starts);

	if (!result)
		result = write_checkpoint(down, CHECKPOINT_RECOVERY_POINT, points);
	if (!result)
		result = write_checkpoint(down, CHECKPOINT_HIGH_WATERMARK, &down->marks);
	return result;
}

/* Opens the directory and learns what the kernel has of it. */
static int begin(struct down *down, const char *path)
{
	int result;

	down->err->text[0] = '\0';
	down->complete = true;
	result = log_dir_open(path, /* make= */ false, &down->d, down->err);
	if (result)
		return result;
	result = log_dir_is_attached(down->k, &down->d, down->err);
	if (!result)
		result = log_dir_fail(down->err, -ENOENT, "%s is not attached", down->d.path);
	if (result > 0)
		result = log_dir_kernel_topics(down->k, &down->d, &down->topics, &down->n_topics,
					       down->err);
	if (!result)
		result = read_partitions(down);
	return result;
}

static void end(struct down *down)
{
	checkpoint_free(&down->points);
	checkpoint_free(&down->ends);
	checkpoint_free(&down->starts);
	checkpoint_free(&down->marks);
	log_dir_names_free(down->topics, down->n_topics);
	if (down->d.path)
		log_dir_close(&down->d);
}

/* Nothing of it is open any more, and all is on stable storage. */
static int write_clean(struct down *down)
{
	int result;

	result = write_checkpoints(down, &down->ends);
	if (!result)
		result =
			topic_settings_each(down->d.topics_fd, TOPIC_EXISTS, is_open, is_bad, down);
	if (!result && down->complete)
		result = log_dir_set_clean(&down->d, true);
	return result;
}

/* What a file system says whose disk fails, or that has given itself up for that. */
static bool is_disk_error(int result)
{
	switch (-result) {
	case EIO:
	case EROFS:
	case ENODEV:
	case ENXIO:
	case ESTALE:
	case EUCLEAN: return true;
	default: return false;
	}
}

/*
 * The directory cannot even be opened, but as long as it is attached nobody can
 * unmount or mend it. @path is not resolved, which would ask the disk; the kernel
 * knows the path that was given when it was attached. Returns @result, a disk's
 * error, or why it was not detached.
 */
static int detach_unreadable(struct kern *k, const char *path, int result,
			     struct log_dir_error *err)
{
	struct log_dir d = {.path = strdup(path)};
	struct log_dir_error ignored;
	size_t len = strlen(path);

	if (!d.path)
		return log_dir_fail(err, -ENOMEM, "out of memory");
	while (len > 1 && d.path[len - 1] == '/')
		d.path[--len] = '\0';
	if (log_dir_is_attached(k, &d, &ignored) > 0) {
		/* Any other error is one of its syncs. */
		if (kern_data_dir_detach(k, d.path) == -EBUSY)
			result = log_dir_fail(err, -EBUSY,
					      "%.200s: %.250s: end the programs that use it first",
					      d.path, kern_error(k));
		else
			log_dir_fail(err, result,
				     "%.250s is detached, but its disk fails: %s: what is on it is "
				     "checked when it comes up again",
				     d.path, strerror(-result));
	}
	free(d.path);
	return result;
}

int log_dir_down(struct kern *k, const char *path, struct log_dir_error *err)
{
	struct down down = {.k = k, .err = err};
	int result;

	result = begin(&down, path);
	if (!down.d.path && is_disk_error(result))
		return detach_unreadable(k, path, result, err);
	if (!result) {
		result = kern_data_dir_detach(k, down.d.path);
		if (result)
			log_dir_fail(err, result, "%.200s: %.250s%s", down.d.path, kern_error(k),
				     result == -EBUSY ? ": end the programs that use it first"
						      : "");
	}
	if (!result) {
		result = write_clean(&down);
		if (result && !err->text[0])
			log_dir_fail(err, result, "%s: the clean mark cannot be written: %s",
				     down.d.path, strerror(-result));
	}
	end(&down);
	return result;
}

int log_dir_checkpoint(struct kern *k, const char *path, struct log_dir_error *err)
{
	struct down down = {.k = k, .err = err};
	int result;

	result = begin(&down, path);
	if (!result)
		result = write_checkpoints(&down, &down.points);
	end(&down);
	return result;
}
