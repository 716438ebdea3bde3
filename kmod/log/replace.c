// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Replacement: a compacted segment comes in the place of others. */
#include "replace.h"
#include "log_internal.h"
#include "segment_swap.h"

static int refuse(char *err, s64 base_offset, int ret, const char *why)
{
	snprintf(err, SLUICE_ERROR_TEXT_MAX, "%020lld.log: %s", base_offset, why);
	return ret;
}

static int no_memory(char *err)
{
	snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
	return -ENOMEM;
}

/* The index of the segment with just this base offset, or -1. */
static s64 index_of(struct sluice_log *log, s64 base_offset)
{
	u32 rank = sluice_segment_list_rank(&log->segments, base_offset);
	struct sluice_segment *seg;
	bool found;

	if (!rank)
		return -1;
	seg = sluice_segment_list_at(&log->segments, rank - 1);
	found = seg->base_offset == base_offset;
	sluice_segment_put(seg);
	return found ? (s64)rank - 1 : -1;
}

static int find_run(struct sluice_segment_swap *s, s64 first_base, s64 last_base, char *err)
{
	s64 first = index_of(s->log, first_base), last = index_of(s->log, last_base);

	if (first < 0)
		return refuse(err, first_base, -EINVAL, "no segment of the log begins there");
	if (last < 0)
		return refuse(err, last_base, -EINVAL, "no segment of the log begins there");
	if (last < first)
		return refuse(err, last_base, -EINVAL, "the last segment lies before the first");
	if (last + 1 == sluice_segment_list_count(&s->log->segments))
		return refuse(err, last_base, -EINVAL, "the active segment cannot be replaced");
	s->first = (u32)first;
	s->old_count = (u32)(last - first + 1);
	return 0;
}

static s64 base_behind(const struct sluice_segment_swap *s)
{
	struct sluice_segment *seg =
		sluice_segment_list_at(&s->log->segments, s->first + s->old_count);
	s64 base_offset = seg->base_offset;

	sluice_segment_put(seg);
	return base_offset;
}

static int check_new(struct sluice_segment_swap *s, s64 first_base, char *err)
{
	struct sluice_batch b;
	s64 end_offset;
	int ret;

	ret = sluice_segment_swap_open(s, first_base, PORT_RDONLY, err, &end_offset);
	if (ret)
		return ret;
	ret = -EUCLEAN;
	if (end_offset > base_behind(s)) {
		refuse(err, first_base, ret, "the new segment reaches into the next one");
		goto err_check;
	}
	if (s->new->published) {
		if (sluice_log_read_batch(s->new->file, 0, s->new->published, &b)) {
			refuse(err, first_base, ret, "the new segment begins with no batch");
			goto err_check;
		}
		if (b.base_offset < first_base) {
			refuse(err, first_base, ret, "the new segment begins too early");
			goto err_check;
		}
	}
	s->new->synced = s->new->published;
	s->new->durable = true;
	return 0;

err_check:
	sluice_segment_put(s->new);
	return ret;
}

/* No flush until the names are the right ones; appends wait for the list alone. */
static int exchange(struct sluice_segment_swap *s, char *err)
{
	struct sluice_log *log = s->log;
	struct sluice_segment **spare;
	int ret;

	port_mutex_assert_held(&log->flush_mutex);
	if (sluice_log_failed(log)) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "the log failed earlier");
		return -EIO;
	}
	port_mutex_lock(&log->append_mutex);
	spare = sluice_segment_list_spare(&log->segments, 1);
	if (spare)
		sluice_segment_swap_list(s, spare);
	port_mutex_unlock(&log->append_mutex);
	if (!spare)
		return no_memory(err);
	ret = sluice_segment_swap_names(s, err);
	return ret ? -EIO : 0;
}

/* With structure_mutex from the first new name to the last: they suit the log as it is. */
static int commit(struct sluice_segment_swap *s, s64 first_base, char *err)
{
	struct sluice_log *log = s->log;
	int ret;

	s->suffix = SLUICE_SUFFIX_SWAP;
	ret = sluice_segment_swap_commit(log->dir, first_base, err);
	if (!ret) {
		port_mutex_lock(&log->flush_mutex);
		ret = exchange(s, err);
		port_mutex_unlock(&log->flush_mutex);
	}
	/* Left there, recovery would take it, whatever became of the log meanwhile. */
	if (ret && !sluice_log_failed(log) && sluice_segment_swap_remove(s, first_base)) {
		ret = -EIO;
		sluice_log_set_failed(log, ret);
	}
	return ret;
}

static int replace_run(struct sluice_segment_swap *s, s64 first_base, char *err)
{
	int ret;

	s->old = port_alloc(s->old_count * sizeof(struct sluice_segment *));
	if (!s->old)
		return no_memory(err);
	ret = check_new(s, first_base, err);
	if (!ret) {
		ret = commit(s, first_base, err);
		sluice_segment_put(s->new);
	}
	port_free(s->old);
	return ret;
}

static int replace_locked(struct sluice_segment_swap *s, u64 generation, s64 first_base,
			  s64 last_base, char *err)
{
	int ret;

	/* With structure_mutex, so no truncation comes between this and the exchange. */
	if (sluice_log_generation(s->log) != generation) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "the log was truncated or opened anew since its segments were read");
		return -ESTALE;
	}
	ret = find_run(s, first_base, last_base, err);
	if (!ret)
		ret = sluice_log_discard_stuck(s->log, err);
	return ret ? ret : replace_run(s, first_base, err);
}

int sluice_log_replace(struct sluice_log *log, u64 generation, s64 first_base, s64 last_base,
		       char *err)
{
	struct sluice_segment_swap s = {
		.log = log,
		.suffix = SLUICE_SUFFIX_CLEANED,
		.committed = true,
	};
	int ret;

	port_mutex_lock(&log->structure_mutex);
	ret = replace_locked(&s, generation, first_base, last_base, err);
	port_mutex_unlock(&log->structure_mutex);
	return ret;
}
