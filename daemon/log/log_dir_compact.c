// SPDX-License-Identifier: Apache-2.0
/*
 * Compaction of a data directory that nobody has attached. The swap of the
 * compacted segments is the one that recovery does after a crash.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "kmod/log/recover.h"
#include "kmod/log/segment_name.h"
#include "kmod/log/segment_swap.h"
#include "daemon/log/cleaner_log.h"
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_checkpoints.h"
#include "daemon/log/log_dir_scan.h"

/* @dir, @settings: of the partition that is compacted now. */
struct compaction {
	const struct log_dir_compaction *c;
	struct log_dir d;
	struct log_dir_topics topics;
	struct checkpoint cleaned;
	struct cleaner_limits limits;
	struct port_dir *dir;
	struct cleaner_settings settings;
	struct log_dir_error *err;
};

static int pace(void *ctx, u64 bytes)
{
	const struct compaction *run = ctx;

	(void)bytes;
	return run->c->stopped && run->c->stopped() ? -ECANCELED : 0;
}

static bool has_file(struct port_dir *dir, s64 base_offset, const char *suffix)
{
	char name[SLUICE_SEGMENT_NAME_MAX + sizeof(SLUICE_SUFFIX_SWAP)];
	struct port_file *file;
	int ret;

	snprintf(name, sizeof(name), "%020lld%s", base_offset, suffix);
	ret = port_file_open(dir, name, PORT_RDONLY, &file);
	if (!ret)
		port_file_close(file);
	return ret != -ENOENT;
}

static int replace(void *ctx, s64 first_base, s64 last_base, char *err)
{
	struct compaction *run = ctx;
	struct sluice_recovery done;
	int ret;

	ret = sluice_segment_swap_commit(run->dir, first_base, err);
	if (ret)
		return ret;
	ret = sluice_log_recover(run->dir, &run->settings.log, 0,
				 SLUICE_RECOVER_CLEAN | SLUICE_RECOVER_GAPS, err, &done);
	if (ret)
		return -EIO;
	/* It looks into them, and takes them only if nothing is missing. */
	if (!has_file(run->dir, first_base, ".log.swap") &&
	    (first_base == last_base || !has_file(run->dir, last_base, ".log")))
		return 0;
	snprintf(err, SLUICE_ERROR_TEXT_MAX, "%020lld.log.swap: recovery did not take it",
		 first_base);
	return -EUCLEAN;
}

static int compact_log(struct compaction *run, int64_t checkpoint, struct cleaner_log *l,
		       struct log_dir_compacted *told, char *why)
{
	struct sluice_clean_producers producers;
	struct sluice_clean_bounds b = {
		.checkpoint = checkpoint,
		.min_compaction_lag_ms = run->settings.min_lag_ms,
		.max_compaction_lag_ms = run->settings.max_lag_ms,
		.now_ms = port_now_ms(),
	};
	int ret = sluice_clean_producers(run->dir, S64_MAX, &producers, why);

	if (ret)
		return ret;
	b.log_end_offset = producers.end_offset;
	b.last_stable_offset = min(producers.end_offset, producers.first_unstable);
	ret = sluice_clean_bounds(run->dir, &b, why);
	*l = (struct cleaner_log){
		.dir = run->dir,
		.settings = &run->settings,
		.limits = &run->limits,
		.bounds = &b,
		.producers = &producers,
		.recovery_point = S64_MAX, /* it was stopped cleanly */
		.pace = pace,
		.replace = replace,
		.ctx = run,
		.end_offset = b.first_dirty,
	};
	told->first_dirty = b.first_dirty;
	if (!ret)
		ret = cleaner_log_clean(l, why);
	sluice_clean_producers_free(&producers);
	return ret;
}

static int compact_partition(struct compaction *run, const char *topic, uint32_t index)
{
	char *path = log_dir_partition_path(&run->d, topic, index);
	struct log_dir_compacted told = {.topic = topic, .partition = index};
	char why[SLUICE_ERROR_TEXT_MAX] = "";
	struct cleaner_log l = {0};
	int ret;

	if (!path)
		return -ENOMEM;
	run->dir = port_dir_open(path);
	told.error = run->dir ? 0 : -errno;
	if (run->dir) {
		told.error = compact_log(run, checkpoint_find(&run->cleaned, topic, index), &l,
					 &told, why);
		port_dir_close(run->dir);
	}
	free(path);
	told.why = why[0] ? why : strerror(-told.error);
	told.end_offset = l.end_offset;
	told.passes = l.passes;
	told.segments_before = l.stats.segments_before;
	told.segments_after = l.stats.segments_after;
	told.bytes_before = l.stats.bytes_before;
	told.bytes_after = l.stats.bytes_after;
	told.records_without_key = l.stats.records_without_key;
	told.batches_malformed = l.stats.batches_malformed;
	ret = l.passes ? checkpoint_set(&run->cleaned, topic, index, l.end_offset) : 0;
	if (told.error == -ECANCELED)
		return ret ? ret : -ECANCELED;
	run->c->told(run->c->ctx, &told);
	return ret;
}

static int compact_topic(struct compaction *run, const struct log_dir_topic *t)
{
	int ret = 0, written;

	for (uint32_t i = 0; !ret && i < t->s.partition_count; i++) {
		if (run->c->partition < 0 || run->c->partition == i)
			ret = compact_partition(run, t->s.topic, i);
	}
	/* What was cleaned is noted, whatever became of the rest. */
	written = checkpoint_write(run->d.fd, CHECKPOINT_CLEANER, &run->cleaned);
	if (written)
		return log_dir_fail(run->err, written, "%s/" CHECKPOINT_CLEANER ": %s", run->d.path,
				    strerror(-written));
	if (ret)
		log_dir_fail(run->err, ret, "topic '%s': %s", t->s.topic, strerror(-ret));
	return ret;
}

static int compact_named(struct compaction *run, const struct log_dir_topic *t)
{
	if (t->why.text[0])
		return log_dir_fail(run->err, -EIO, "topic '%.249s': %.200s", t->s.topic,
				    t->why.text);
	if (!run->settings.compact)
		return log_dir_fail(run->err, -EINVAL,
				    "topic '%s' is not to be compacted: its cleanup.policy does "
				    "not say so",
				    t->s.topic);
	if (run->c->partition >= t->s.partition_count)
		return log_dir_fail(run->err, -ENOENT, "topic '%s' has no partition %" PRId64,
				    t->s.topic, run->c->partition);
	return compact_topic(run, t);
}

static int compact_topics(struct compaction *run)
{
	bool found = !run->c->topic;
	int ret = 0;

	for (size_t i = 0; !ret && i < run->topics.n; i++) {
		const struct log_dir_topic *t = &run->topics.topics[i];

		cleaner_settings_init(&run->settings, t->s.items, t->s.n);
		if (run->c->topic && !strcmp(run->c->topic, t->s.topic)) {
			found = true;
			ret = compact_named(run, t);
		} else if (!run->c->topic && !t->why.text[0] && run->settings.compact) {
			ret = compact_topic(run, t);
		}
	}
	if (!found)
		return log_dir_fail(run->err, -ENOENT, "there is no topic '%s' in %s",
				    run->c->topic, run->d.path);
	return ret;
}

static int compact_locked(struct compaction *run, struct kern *k)
{
	int ret = k ? log_dir_is_attached(k, &run->d, run->err) : 0;

	if (ret < 0)
		return ret;
	if (ret)
		return log_dir_fail(run->err, -EBUSY, "%s is attached: run 'sluicectl down' first",
				    run->d.path);
	ret = dir_file_exists(run->d.fd, LOG_DIR_CLEAN_MARK);
	if (ret <= 0)
		return log_dir_fail(
			run->err, ret ? ret : -EUCLEAN,
			"%s was not stopped cleanly: run 'sluicectl up', which recovers "
			"it, and 'sluicectl down' first",
			run->d.path);
	ret = log_dir_scan(&run->d, NULL, 0, &run->topics, run->err);
	if (!ret)
		ret = log_dir_checkpoint_read(&run->d, CHECKPOINT_CLEANER, &run->cleaned, run->err);
	return ret ? ret : compact_topics(run);
}

int log_dir_compact(struct kern *k, const char *path, const struct log_dir_compaction *c,
		    struct log_dir_error *err)
{
	struct compaction run = {.c = c, .limits = CLEANER_LIMITS_DEFAULT, .err = err};
	int ret;

	err->text[0] = '\0';
	ret = log_dir_open(path, /* make= */ false, &run.d, err);
	if (ret)
		return ret;
	ret = compact_locked(&run, k);
	checkpoint_free(&run.cleaned);
	log_dir_topics_free(&run.topics);
	log_dir_close(&run.d);
	return ret;
}
