// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The roll: the active segment is sealed, appends go on in a new one.
 *
 * Creating files takes as long as the directory and the journal of the file
 * system take, so it is done ahead (prepare.c), and a roll only switches
 * pointers. If nothing was prepared it creates the files itself.
 */
#include "append_source.h"
#include "batch_cursor.h"
#include "log_internal.h"
#include "segment_name.h"

/* The time index alone is to tell the largest time of a sealed segment. */
static int add_last_time(struct sluice_segment *seg)
{
	struct sluice_time_entry e = {
		.timestamp = seg->max_timestamp,
		.relative_offset = (u32)(seg->max_timestamp_offset - seg->base_offset),
	};
	int ret;

	if (!sluice_time_index_wants(&seg->time_index, e.timestamp))
		return 0;
	ret = sluice_segment_index_room(seg);
	if (!ret)
		ret = sluice_time_index_write(&seg->time_index, &e);
	if (!ret)
		sluice_time_index_publish(&seg->time_index, &e);
	return ret;
}

/* What is sealed has its indexes in their files. */
static int finish_indexes(struct sluice_segment *seg)
{
	int ret = add_last_time(seg);

	return ret ? ret : sluice_segment_store_indexes(seg);
}

/* By the first batch's largest time, which a log that was just opened has not read. */
static int load_roll_base(struct sluice_log *log)
{
	struct sluice_segment *seg = log->active;
	struct sluice_batch_cursor cursor;
	struct sluice_batch b;
	const char *why;
	int ret;

	sluice_batch_cursor_init(&cursor, seg->file, 0, seg->published, seg->base_offset);
	ret = sluice_batch_cursor_peek(&cursor, &b, &why);
	/* Damage there does not stop what comes behind: the clock will do. */
	if (ret == -EBADMSG)
		b.max_timestamp = -1;
	else if (ret < 0)
		return ret;
	log->roll_base_ms = b.max_timestamp;
	return 0;
}

static bool is_old(const struct sluice_log *log, const struct sluice_batch *b)
{
	const struct sluice_log_config *c = &log->config;
	s64 jitter = min(c->segment_jitter_ms, c->segment_ms);
	s64 waited;

	/* As in Kafka: without times in the batches, by the clock. */
	if (log->roll_base_ms < 0)
		waited = port_now_ms() - log->active_since_ms;
	else if (c->log_append_time)
		waited = port_now_ms() - log->roll_base_ms;
	else
		waited = max_t(s64, b->max_timestamp, -1) - log->roll_base_ms;
	if (jitter)
		jitter = log->roll_random % (u32)min_t(s64, jitter, U32_MAX);
	return waited > c->segment_ms - jitter;
}

int sluice_log_needs_roll(struct sluice_log *log, const struct sluice_batch *b)
{
	const struct sluice_log_config *c = &log->config;
	const struct sluice_segment *seg = log->active;
	int ret;

	port_mutex_assert_held(&log->append_mutex);
	if (!seg->published)
		return sluice_batch_last_offset(b) - seg->base_offset > S32_MAX;
	if (seg->published + b->size > c->segment_bytes ||
	    sluice_batch_last_offset(b) - seg->base_offset > S32_MAX ||
	    seg->offset_index.entries >= c->segment_index_bytes / SLUICE_OFFSET_INDEX_ENTRY ||
	    /* The last entry is kept for the roll. */
	    seg->time_index.entries + 1 >= c->segment_index_bytes / SLUICE_TIME_INDEX_ENTRY)
		return 1;
	if (log->roll_base_ms == SLUICE_TIMESTAMP_UNKNOWN) {
		ret = load_roll_base(log);
		if (ret)
			return ret;
	}
	return is_old(log, b);
}

static void set_prepared_taken(struct sluice_log *log)
{
	port_spin_lock(&log->segments.lock);
	WRITE_ONCE(log->prepared, NULL);
	port_spin_unlock(&log->segments.lock);
}

/*
 * A creation may fail after the .log file has its name. The next append may then
 * fit the active segment after all: when the log is opened again, the empty file
 * would say that this ends before it.
 */
static void remove_created(struct sluice_log *log, s64 base_offset)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	int ret;

	sluice_segment_name(name, base_offset, SLUICE_SUFFIX_LOG);
	ret = port_file_remove(log->dir, name);
	if (ret)
		sluice_log_set_failed(log, ret);
}

static int next_segment(struct sluice_log *log, s64 base_offset, struct sluice_segment **ret_seg)
{
	struct sluice_segment *seg;
	int ret;

	/*
	 * The names of what is prepared exist once, and recovery knows only one
	 * segment, the last, that has them.
	 */
	ret = sluice_segment_ensure_named(log, log->active);
	if (ret)
		return ret;
	/* It leaves @log->prepared once it is in the list: see create_prepared(). */
	seg = smp_load_acquire(&log->prepared);
	if (!seg) {
		ret = sluice_segment_create(log->dir, base_offset, ret_seg);
		if (ret && ret != -EEXIST)
			remove_created(log, base_offset);
		sluice_log_names_changed(log);
		return ret;
	}
	seg->base_offset = base_offset;
	seg->max_timestamp_offset = base_offset;
	*ret_seg = seg;
	return 0;
}

void sluice_log_begin_active(struct sluice_log *log, struct sluice_segment *seg)
{
	log->roll_random = port_random_u32();
	log->active_since_ms = port_now_ms();
	log->roll_base_ms = seg->published ? SLUICE_TIMESTAMP_UNKNOWN : -1;
	log->prepare_tried = false;
	seg->offset_index.tail = &log->index_tail;
	seg->time_index.tail = &log->index_tail;
	log->active = seg;
	WRITE_ONCE(log->whole_max, port_file_patches(seg->file) ? SLUICE_APPEND_WHOLE_PATCHED :
								  SLUICE_APPEND_WHOLE_MAX);
}

int sluice_log_roll(struct sluice_log *log, s64 base_offset)
{
	struct sluice_segment *old = log->active, *seg;
	int ret;

	port_mutex_assert_held(&log->append_mutex);
	ret = sluice_log_seal_locked(log);
	if (ret)
		return ret;
	ret = finish_indexes(old);
	if (ret)
		return ret;
	ret = sluice_segment_list_reserve(&log->segments);
	if (ret)
		return ret;
	ret = next_segment(log, base_offset, &seg);
	if (ret)
		return ret;

	sluice_log_take_snapshot(log);
	sluice_log_begin_active(log, seg);
	log->batches_end = base_offset;
	port_spin_lock(&log->segments.lock);
	log->open_sealed++;
	port_spin_unlock(&log->segments.lock);
	sluice_segment_list_add(&log->segments, seg);
	if (READ_ONCE(log->prepared) == seg)
		set_prepared_taken(log);
	/* Last, and pairs with sluice_segment_sealed(): who sees it must find the new one. */
	smp_store_release(&old->sealed, true);
	port_trace_roll(log, base_offset);
	return 0;
}
