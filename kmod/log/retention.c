// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Retention: which segments at the front of a log go, and the start offset. */
#include "log_internal.h"
#include "segment_file.h"

/* Only grows. Before segments go, so that no reader looks for what is not there. */
static void move_start(struct sluice_log *log, s64 offset)
{
	port_mutex_assert_held(&log->structure_mutex);
	if (offset <= sluice_log_start_offset(log))
		return;
	sluice_watermark_set_log_start(&log->watermark, offset);
	port_mutex_lock(&log->append_mutex);
	sluice_leader_epochs_truncate_start(&log->epochs, offset);
	port_mutex_unlock(&log->append_mutex);
}

int sluice_log_set_start_offset(struct sluice_log *log, s64 offset)
{
	int ret = 0;

	port_mutex_lock(&log->structure_mutex);
	if (offset > sluice_log_high_watermark(log))
		ret = -ERANGE;
	else
		move_start(log, offset);
	port_mutex_unlock(&log->structure_mutex);
	return ret;
}

static int count_size(struct sluice_log *log, struct sluice_segment *seg)
{
	int ret = sluice_segment_use(log, seg, SLUICE_FILE_LOG);

	if (ret)
		return ret;
	/* Not under append_mutex: its holder may be waiting for a disk. */
	if (!seg->counted)
		WRITE_ONCE(log->found_bytes, log->found_bytes + seg->published);
	seg->counted = true;
	return 0;
}

int sluice_log_count_sizes(struct sluice_log *log)
{
	struct sluice_segment *seg = sluice_segment_list_at(&log->segments, 0);
	int ret = 0;

	port_mutex_assert_held(&log->structure_mutex);
	while (seg) {
		s64 base_offset = seg->base_offset;
		/* Only those that were there when the log was opened are not counted. */
		int failed = count_size(log, seg);

		ret = ret ? ret : failed;
		sluice_segment_put(seg);
		seg = sluice_segment_list_above(&log->segments, base_offset);
	}
	log->sizes_known = !ret;
	return ret;
}

/*
 * The one behind the first may be the last, empty, and known by its name alone:
 * a crash that found neither would let the log begin with old offsets again.
 */
static int name_second(struct sluice_log *log)
{
	struct sluice_segment *seg = sluice_segment_list_at(&log->segments, 1);
	int ret = sluice_segment_ensure_named(log, seg);

	sluice_segment_put(seg);
	return ret;
}

int sluice_log_remove_first(struct sluice_log *log, s64 now_ms)
{
	struct sluice_segment *seg;
	int ret;

	port_mutex_assert_held(&log->structure_mutex);
	ret = sluice_log_discard_stuck(log, NULL);
	if (!ret)
		ret = name_second(log);
	if (ret)
		return ret;
	port_mutex_lock(&log->append_mutex);
	seg = sluice_segment_list_remove_first(&log->segments);
	if (seg->counted)
		/* Pairs with sluice_log_size_bytes(). */
		smp_store_release(&log->size_bytes, log->size_bytes - seg->published);
	port_mutex_unlock(&log->append_mutex);
	return sluice_log_discard(log, seg, now_ms);
}

/*
 * One look at the front of a log.
 * @config: as it is now
 * @excess: bytes that are too many, for the rule of size
 * @seg: the first segment
 * @next: the one behind it, or NULL
 */
struct look {
	struct sluice_log *log;
	struct sluice_log_config config;
	s64 now_ms;
	s64 excess;
	struct sluice_segment *seg;
	struct sluice_segment *next;
};

/* Each says 1 if the segment is to go, 0 if not, or an error. */
typedef int (*rule)(struct look *l);

static int below_start(struct look *l)
{
	return l->next && l->next->base_offset <= sluice_log_start_offset(l->log);
}

static int too_large(struct look *l)
{
	int ret = sluice_segment_use(l->log, l->seg, SLUICE_FILE_LOG);

	return ret ? ret : l->excess >= (s64)sluice_segment_published(l->seg);
}

/* The time of the newest record; where records have none, of the last write. */
static int too_old(struct look *l)
{
	s64 timestamp;
	int ret;

	ret = sluice_segment_max_timestamp(l->log, l->seg, &timestamp);
	if (ret)
		return ret;
	if (timestamp < 0) {
		ret = sluice_segment_use(l->log, l->seg, SLUICE_FILE_LOG);
		if (ret)
			return ret;
		timestamp = port_file_mtime_ms(l->seg->file);
	}
	return timestamp < l->now_ms && l->now_ms - timestamp > l->config.retention_ms;
}

/* Not the last one if it is empty, and nothing that is not below the high watermark. */
static bool may_go(const struct look *l)
{
	s64 end_offset = l->next ? l->next->base_offset : sluice_log_end_offset(l->log);

	if (!l->next && !sluice_segment_published(l->seg))
		return false;
	return end_offset <= sluice_log_high_watermark(l->log);
}

/*
 * A name that comes back with a power cut must not be that of a torn segment:
 * recovery would end the log there. What is old was synced when it was sealed.
 */
static int make_durable(struct sluice_log *log, struct sluice_segment *seg)
{
	return READ_ONCE(seg->durable) ? 0 : sluice_log_flush_sealed(log);
}

/* So that there is one to append to when the last one goes. */
static int roll_last(struct look *l)
{
	struct sluice_log *log = l->log;
	int ret;

	port_mutex_lock(&log->append_mutex);
	ret = sluice_log_seal_locked(log);
	if (!ret && log->active == l->seg)
		ret = sluice_log_roll(log, sluice_log_end_offset(log));
	port_mutex_unlock(&log->append_mutex);
	return ret;
}

/* 1: the first segment went, or may go at the next look. */
static int look_at_first(struct look *l, rule breached, u64 *freed)
{
	int ret;

	if (!may_go(l))
		return 0;
	ret = breached(l);
	if (ret <= 0)
		return ret;
	if (!l->next) {
		ret = roll_last(l);
		return ret ? ret : 1;
	}
	/* For the count of what is freed; one that cannot be opened goes all the same. */
	if (!sluice_segment_use(l->log, l->seg, SLUICE_FILE_LOG)) {
		l->excess -= (s64)sluice_segment_published(l->seg);
		*freed += sluice_segment_published(l->seg);
	}
	ret = make_durable(l->log, l->seg);
	if (ret)
		return ret;
	move_start(l->log, l->next->base_offset);
	ret = sluice_log_remove_first(l->log, l->now_ms);
	return ret ? ret : 1;
}

static int apply(struct look *l, rule breached, u64 *freed)
{
	int ret;

	do {
		l->seg = sluice_segment_list_at(&l->log->segments, 0);
		l->next = sluice_segment_list_at(&l->log->segments, 1);
		ret = look_at_first(l, breached, freed);
		sluice_segment_put(l->seg);
		if (l->next)
			sluice_segment_put(l->next);
	} while (ret > 0);
	return ret;
}

static int retain_by_size(struct look *l, u64 *freed)
{
	struct sluice_log *log = l->log;
	int ret = log->sizes_known ? 0 : sluice_log_count_sizes(log);

	if (ret)
		return ret;
	l->excess = (s64)sluice_log_size_bytes(log) - l->config.retention_bytes;
	return l->excess < 0 ? 0 : apply(l, too_large, freed);
}

int sluice_log_retain(struct sluice_log *log, s64 now_ms, u64 *ret_freed)
{
	struct look l = { .log = log, .now_ms = now_ms };
	int ret, failed;

	*ret_freed = 0;
	if (sluice_log_failed(log))
		return -EIO;
	/* Its records are as young as the log's last. */
	ret = sluice_log_seal(log);
	if (ret)
		return ret;
	port_mutex_lock(&log->append_mutex);
	l.config = log->config;
	port_mutex_unlock(&log->append_mutex);

	port_mutex_lock(&log->structure_mutex);
	ret = apply(&l, below_start, ret_freed);
	if (l.config.cleanup_policy & SLUICE_CLEANUP_DELETE) {
		if (l.config.retention_bytes >= 0) {
			failed = retain_by_size(&l, ret_freed);
			ret = ret ? ret : failed;
		}
		if (l.config.retention_ms >= 0) {
			failed = apply(&l, too_old, ret_freed);
			ret = ret ? ret : failed;
		}
	}
	port_mutex_unlock(&log->structure_mutex);
	return sluice_log_told_error(ret);
}
