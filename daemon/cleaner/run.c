// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cleaner/run.h"
#include "daemon/core/diag.h"
#include "daemon/core/reactor.h"
#include "daemon/log/log_dir_checkpoints.h"
#include "daemon/log/partition_files.h"
#include "kmod/log/clean_output.h"

/* A topic may be deleted while its log is compacted; so soon that is noticed. */
#define WATCH_MS 500

static struct diag_limit damaged_limit;

static int fail(struct cleaner_run *r, int err, const char *why)
{
	snprintf(r->err, sizeof(r->err), "%s", why);
	return err;
}

static int open_dir(struct cleaner_run *r, struct port_dir **ret_dir)
{
	char name[PARTITION_DIR_NAME_MAX + 1];
	char *path;

	partition_dir_format(r->p.topic, r->p.index, name);
	if (asprintf(&path, "%s/%s", r->data_dir, name) < 0)
		return fail(r, -ENOMEM, "out of memory");
	*ret_dir = port_dir_open(path);
	free(path);
	return *ret_dir ? 0 : fail(r, -errno, strerror(errno));
}

int cleaner_run_look(struct cleaner_run *r, int64_t checkpoint, int64_t now_ms, bool leftovers)
{
	struct port_dir *dir;
	int ret = open_dir(r, &dir);

	if (ret)
		return ret;
	r->bounds = (struct sluice_clean_bounds){
		.checkpoint = checkpoint,
		.log_start_offset = r->p.log_start_offset,
		.log_end_offset = r->p.log_end_offset,
		.last_stable_offset = r->p.last_stable_offset,
		.min_compaction_lag_ms = r->settings.min_lag_ms,
		.max_compaction_lag_ms = r->settings.max_lag_ms,
		.now_ms = now_ms,
	};
	if (leftovers)
		ret = sluice_clean_leftovers(dir);
	if (ret)
		fail(r, ret, "what an earlier compaction left cannot be removed");
	else
		ret = sluice_clean_bounds(dir, &r->bounds, r->err);
	port_dir_close(dir);
	return ret;
}

/* Whether the module still has the log that was looked at. */
static int check_same(struct cleaner_run *r)
{
	struct kern_partition now;
	int ret = kern_partition_get(r->k, r->p.topic, r->p.index, &now);

	r->watched_ms = monotonic_ms();
	if (ret == -ENOENT || ret == -ENODEV)
		return fail(r, -ESTALE, "it was deleted");
	if (ret)
		return fail(r, ret, kern_error(r->k));
	if (memcmp(now.topic_id, r->p.topic_id, sizeof(now.topic_id)) != 0)
		return fail(r, -ESTALE, "it was deleted, and one of that name made");
	if (now.state != SLUICE_PARTITION_STATE_ONLINE)
		return fail(r, -ESTALE, "it went offline");
	if (now.generation != r->p.generation)
		return fail(r, -ESTALE, "it was truncated or opened anew");
	return 0;
}

static int pace(void *ctx, u64 bytes)
{
	struct cleaner_run *r = ctx;
	int ret = r->pace(r->ctx, bytes);

	if (!ret && monotonic_ms() - r->watched_ms >= WATCH_MS)
		ret = check_same(r);
	return ret;
}

static int replace(void *ctx, s64 first_base, s64 last_base, char *err)
{
	struct cleaner_run *r = ctx;
	int ret = kern_partition_replace(r->k, r->p.topic, r->p.index, r->p.generation, first_base,
					 last_base);

	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s", kern_error(r->k));
	/* The module took these segments out of the log: they expired meanwhile. */
	return ret == -EINVAL || ret == -ENOENT ? -ESTALE : ret;
}

/*
 * The lock of the directory is held, so that the topic is not deleted, and one
 * of its name made, between the question and the answer.
 */
static int write_checkpoint(struct cleaner_run *r, const struct log_dir *d)
{
	struct log_dir_error err;
	struct checkpoint c;
	int ret = check_same(r);

	if (ret)
		return ret;
	ret = log_dir_checkpoint_read(d, CHECKPOINT_CLEANER, &c, &err);
	if (ret)
		return fail(r, ret, err.text);
	ret = checkpoint_set(&c, r->p.topic, r->p.index, r->log.end_offset);
	if (!ret)
		ret = checkpoint_write(d->fd, CHECKPOINT_CLEANER, &c);
	checkpoint_free(&c);
	if (ret)
		snprintf(r->err, sizeof(r->err), CHECKPOINT_CLEANER ": %s", strerror(-ret));
	return ret;
}

static int note_cleaned(struct cleaner_run *r)
{
	struct log_dir_error err;
	struct log_dir d;
	int ret = log_dir_open(r->data_dir, /* make= */ false, &d, &err);

	if (ret)
		return fail(r, ret, err.text);
	ret = write_checkpoint(r, &d);
	log_dir_close(&d);
	return ret;
}

/*
 * A record goes for a newer one of its key, which has to be as durable: what it
 * says, and that its transaction was committed. A power cut that takes the marker
 * lets the transaction be aborted later. So only what is stable by what the
 * storage has can be cleaned.
 */
static int find_stable(struct cleaner_run *r, struct port_dir *dir,
		       struct sluice_clean_producers *ret_p)
{
	struct sluice_clean_bounds *b = &r->bounds;
	int ret = sluice_clean_producers(dir, r->p.recovery_point, ret_p, r->err);

	if (ret)
		return ret;
	b->last_stable_offset = min(b->last_stable_offset, ret_p->end_offset);
	b->last_stable_offset = min(b->last_stable_offset, ret_p->first_unstable);
	ret = sluice_clean_bounds(dir, b, r->err);
	if (!ret && b->first_dirty >= b->first_uncleanable)
		ret = fail(r, -EAGAIN, "what could be cleaned is not durable yet");
	if (ret)
		sluice_clean_producers_free(ret_p);
	return ret;
}

static int clean(struct cleaner_run *r, struct port_dir *dir)
{
	struct sluice_clean_producers producers;
	int ret = find_stable(r, dir, &producers);

	if (ret)
		return ret;
	r->log = (struct cleaner_log){
		.dir = dir,
		.settings = &r->settings,
		.limits = r->limits,
		.bounds = &r->bounds,
		.producers = &producers,
		.recovery_point = r->p.recovery_point,
		.pace = pace,
		.replace = replace,
		.ctx = r,
	};
	ret = cleaner_log_clean(&r->log, r->err);
	sluice_clean_producers_free(&producers);
	return ret;
}

/* Files that are missing, or not as they should be, may be those of another log by now. */
static int judge(struct cleaner_run *r, int ret)
{
	char why[sizeof(r->err)];

	if (ret != -ENOENT && ret != -EUCLEAN)
		return ret;
	memcpy(why, r->err, sizeof(why));
	if (check_same(r) == -ESTALE)
		return -ESTALE;
	memcpy(r->err, why, sizeof(why));
	/* Retention removes segments, too. */
	return ret == -ENOENT ? -ESTALE : ret;
}

int cleaner_run(struct cleaner_run *r)
{
	char why[sizeof(r->err)];
	struct port_dir *dir;
	int ret, noted;

	r->err[0] = '\0';
	ret = open_dir(r, &dir);
	if (ret)
		return judge(r, ret);
	/* After the directory was opened: it may be that of another topic of the same name. */
	ret = check_same(r);
	if (!ret)
		ret = clean(r, dir);
	port_dir_close(dir);
	ret = judge(r, ret);
	if (!r->log.passes)
		return ret;
	memcpy(why, r->err, sizeof(why));
	noted = note_cleaned(r);
	if (!ret)
		return noted;
	memcpy(r->err, why, sizeof(why));
	return ret;
}

void cleaner_run_say_damaged(const struct cleaner_run *r, size_t uncleanable)
{
	diag_limited(&damaged_limit, DIAG_ERROR,
		     "log %s-%u cannot be compacted: %s; it is left alone until it is opened anew "
		     "(%zu such logs)",
		     r->p.topic, r->p.index, r->err, uncleanable);
}
