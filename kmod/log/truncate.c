// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Truncation: a log gives up its end. The order of the steps is in truncate.h. */
#include "truncate.h"
#include "log_internal.h"
#include "segment_copy.h"
#include "segment_file.h"

/*
 * A truncation under way.
 * @start_offset: of the log, when it is done, unless it begins below
 * @end_offset: the same
 */
struct truncation {
	struct sluice_log *log;
	s64 start_offset;
	s64 end_offset;
	struct sluice_segment_swap swap;
	char *err;
};

static int no_memory(char *err)
{
	snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
	return -ENOMEM;
}

static void move_marks(struct truncation *t)
{
	struct sluice_log *log = t->log;
	struct sluice_watermark *w = &log->watermark;
	s64 end = t->end_offset;

	port_mutex_assert_held(&log->append_mutex);
	WRITE_ONCE(log->generation, log->generation + 1);
	if (!sluice_watermark_high_is_log_end(w) && sluice_watermark_high(w) > end)
		sluice_watermark_set_high(w, end);
	/* What a marker decided that goes is open again; nothing is stable until that is known. */
	sluice_watermark_set_first_unstable(w, t->start_offset);
	sluice_watermark_set_log_end(w, end);
	sluice_watermark_set_log_start(w, t->start_offset);
	/* Of a log without batches nothing is known, as in Kafka. */
	sluice_leader_epochs_truncate_end(&log->epochs, t->start_offset < end ? end : 0);
	sluice_log_lower_flush(log, end);
}

static void exchange_in_memory(struct truncation *t, struct sluice_segment **spare)
{
	struct sluice_segment_swap *s = &t->swap;

	/* Before segments go: who then looks for what they had knows better. */
	move_marks(t);
	sluice_segment_swap_list(s, spare);
	sluice_log_begin_active(t->log, s->new);
	t->log->batches_end = s->end_offset;
	sluice_log_lower_flush(t->log, s->new->base_offset);
	port_log_cut(t->log);
}

/*
 * What is left of the log says what its producers did, and the epochs of those
 * that went must not be believed once others are appended in their place.
 */
static int learn_anew(struct truncation *t)
{
	struct sluice_log *log = t->log;
	int ret = 0;

	if (t->start_offset < t->end_offset)
		sluice_log_drop_snapshots(log, t->end_offset);
	else
		ret = sluice_log_remove_snapshots(log, t->err);
	if (!ret)
		ret = sluice_log_reload_producers(log, t->err);
	if (ret)
		sluice_log_set_failed(log, ret);
	else if (sluice_log_save_epochs(log))
		port_warn("%s: the leader epochs cannot be saved now", port_dir_name(log->dir));
	return ret ? ret : sluice_log_failed(log);
}

/* With flush_mutex and append_mutex held: nothing or all. */
static int exchange(struct truncation *t)
{
	struct sluice_segment_swap *s = &t->swap;
	struct sluice_log *log = t->log;
	struct sluice_segment **spare;
	int ret;

	if (sluice_log_failed(log)) {
		snprintf(t->err, SLUICE_ERROR_TEXT_MAX, "the log failed earlier");
		return -EIO;
	}
	/* What is in memory alone lies behind the cut: it goes with the segment it is for. */
	ret = sluice_log_seal_locked(log);
	if (ret) {
		snprintf(t->err, SLUICE_ERROR_TEXT_MAX,
			 "the open batch cannot be written (error %d)", -ret);
		return ret;
	}
	/* Who still reads the segment looks for them in its files. */
	ret = sluice_segment_store_indexes(log->active);
	if (ret) {
		snprintf(t->err, SLUICE_ERROR_TEXT_MAX,
			 "the indexes of the last segment cannot be written (error %d)", -ret);
		return ret;
	}
	/* Later it would have to succeed. */
	ret = sluice_log_name_last(log);
	if (ret) {
		snprintf(t->err, SLUICE_ERROR_TEXT_MAX,
			 "the last segment cannot be given its name (error %d)", -ret);
		return ret;
	}
	s->old_count = sluice_segment_list_count(&log->segments) - s->first;
	s->old = port_alloc(s->old_count * sizeof(struct sluice_segment *));
	if (!s->old)
		return no_memory(t->err);
	spare = sluice_segment_list_spare(&log->segments, 1);
	if (!spare) {
		port_free(s->old);
		return no_memory(t->err);
	}
	exchange_in_memory(t, spare);
	/*
	 * From here on there is no way back. With the locks: what is appended now
	 * must not be acknowledged before the names are the right ones.
	 */
	ret = sluice_segment_swap_names(s, t->err);
	port_free(s->old);
	return ret ? ret : learn_anew(t);
}

static int exchange_locked(struct truncation *t)
{
	struct sluice_log *log = t->log;
	int ret;

	port_mutex_lock(&log->flush_mutex);
	port_mutex_lock(&log->append_mutex);
	ret = exchange(t);
	port_mutex_unlock(&log->append_mutex);
	port_mutex_unlock(&log->flush_mutex);
	return ret;
}

/*
 * @seg: holds the cut at @position; or NULL
 * @base_offset: of the new last segment, that of @seg if part of it stays
 */
static int cut(struct truncation *t, struct sluice_segment *seg, u64 position, s64 base_offset)
{
	struct sluice_segment_swap *s = &t->swap;
	int ret;

	s->log = t->log;
	s->suffix = SLUICE_SUFFIX_CUT;
	ret = sluice_log_store_indexes(t->log);
	if (ret) {
		snprintf(t->err, SLUICE_ERROR_TEXT_MAX, "the indexes cannot be written (error %d)",
			 -ret);
		return ret;
	}
	ret = sluice_segment_copy(s, position ? seg : NULL, base_offset, position, t->end_offset,
				  t->err);
	if (!ret) {
		ret = exchange_locked(t);
		/* Still ours alone: nothing was exchanged. */
		if (ret && !sluice_log_failed(t->log) &&
		    sluice_segment_swap_remove(s, base_offset))
			port_warn("%s: files of a truncation that failed stay",
				  port_dir_name(t->log->dir));
		sluice_segment_put(s->new);
	}
	return ret;
}

static int truncate_fully(struct truncation *t)
{
	t->start_offset = t->end_offset;
	return cut(t, NULL, 0, t->end_offset);
}

/* In a gap at the end of the log: all that there is stays. */
static int cut_in_gap(struct truncation *t)
{
	struct sluice_segment *seg = sluice_segment_list_floor(&t->log->segments, t->end_offset);
	int ret;

	t->swap.first = sluice_segment_list_rank(&t->log->segments, seg->base_offset) - 1;
	ret = cut(t, seg, sluice_segment_published(seg), seg->base_offset);
	sluice_segment_put(seg);
	return ret;
}

/*
 * At an offset above the log start and below the log end. The segment keeps its
 * base, even if compaction left nothing of it before the cut: one that began behind
 * a gap would look to recovery as if a crash had taken the end of the one before.
 */
static int cut_at(struct truncation *t)
{
	struct sluice_log *log = t->log;
	s64 offset = t->end_offset;
	struct sluice_range range;
	int ret;

	ret = sluice_log_fetch(log, offset, 0, SLUICE_FETCH_WHOLE_FIRST | SLUICE_FETCH_TO_LOG_END,
			       &range);
	if (ret) {
		snprintf(t->err, SLUICE_ERROR_TEXT_MAX,
			 "the batch at offset %lld cannot be found (error %d)", offset, -ret);
		return ret;
	}
	if (!range.seg)
		return cut_in_gap(t);
	t->end_offset = min_t(s64, offset, range.base_offset);
	t->start_offset = min_t(s64, t->start_offset, t->end_offset);
	t->swap.first = sluice_segment_list_rank(&log->segments, range.segment_base_offset) - 1;
	ret = cut(t, range.seg, range.position, range.segment_base_offset);
	sluice_segment_put(range.seg);
	return ret;
}

static int truncate_locked(struct truncation *t)
{
	s64 log_end = sluice_log_end_offset(t->log);

	if (t->end_offset >= log_end) {
		t->end_offset = log_end;
		return 0;
	}
	t->start_offset = sluice_log_start_offset(t->log);
	return t->end_offset <= t->start_offset ? truncate_fully(t) : cut_at(t);
}

static int with_structure(struct sluice_log *log, s64 offset, char *err, s64 *ret_end_offset,
			  int (*fn)(struct truncation *t))
{
	struct truncation t = { .log = log, .end_offset = offset, .err = err };
	int ret;

	if (offset < 0 || offset == S64_MAX) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "a log cannot end at %lld", offset);
		return -EINVAL;
	}
	port_mutex_lock(&log->structure_mutex);
	ret = sluice_log_discard_stuck(log, err);
	if (!ret)
		ret = fn(&t);
	port_mutex_unlock(&log->structure_mutex);
	if (!ret)
		*ret_end_offset = t.end_offset;
	return ret;
}

int sluice_log_truncate(struct sluice_log *log, s64 offset, char *err, s64 *ret_end_offset)
{
	return with_structure(log, offset, err, ret_end_offset, truncate_locked);
}

int sluice_log_truncate_fully(struct sluice_log *log, s64 offset, char *err)
{
	s64 end_offset;

	return with_structure(log, offset, err, &end_offset, truncate_fully);
}
