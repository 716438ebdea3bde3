// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The producers of a log: what is known of them is learnt when the log is
 * opened, kept in snapshots, and forgotten in time.
 */
#include "batch_cursor.h"
#include "log_internal.h"
#include "segment_name.h"

/* Rolls may come faster than they are written; of more only the newest count. */
#define SNAPSHOTS_MAX	4

static int replay_range(struct sluice_producer_state *s, const struct sluice_range *range,
			s64 log_end, s64 *offset)
{
	struct sluice_aborted_txn txn;
	struct sluice_batch_cursor cursor;
	const char *why;
	struct sluice_batch b;
	int ret;

	sluice_batch_cursor_init(&cursor, range->file, range->position,
				 range->position + range->bytes, range->base_offset);
	while ((ret = sluice_batch_cursor_peek(&cursor, &b, &why)) > 0) {
		/* A snapshot of that could not be loaded. */
		if (sluice_batch_last_offset(&b) >= log_end)
			return -EIO;
		ret = sluice_producer_state_replay(s, range->file, cursor.position, &b, &txn);
		if (ret < 0)
			return ret;
		sluice_batch_cursor_next(&cursor, &b);
	}
	*offset = cursor.min_offset;
	return ret == -EBADMSG ? -EIO : ret;
}

static int replay(struct sluice_log *log, struct sluice_producer_state *s, s64 offset, u64 max,
		  char *err)
{
	s64 log_end = sluice_log_end_offset(log);
	int ret = 0;

	while (!ret && offset < log_end) {
		struct sluice_range range;

		ret = sluice_log_find(log, offset, U32_MAX,
				      SLUICE_FETCH_TO_LOG_END | SLUICE_FETCH_DELETED, &range);
		ret = sluice_log_told_error(ret);
		if (ret)
			break;
		if (!range.seg)
			return 0;
		ret = -EFBIG;
		if (range.bytes <= max) {
			max -= range.bytes;
			ret = replay_range(s, &range, log_end, &offset);
		}
		sluice_segment_put(range.seg);
	}
	if (ret == -EIO) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "the batches from offset %lld on are broken",
			 offset);
		return -EUCLEAN;
	}
	if (ret == -EFBIG) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "there is no producer snapshot near the log end %lld: recovery makes one",
			 log_end);
		return -EUCLEAN;
	}
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "the batches from offset %lld on cannot be read (error %d)", offset, -ret);
	return ret;
}

static bool begins_segment(struct sluice_log *log, s64 offset)
{
	struct sluice_segment *seg = sluice_segment_list_floor(&log->segments, offset);
	bool begins = seg && seg->base_offset == offset;

	if (seg)
		sluice_segment_put(seg);
	return begins;
}

/*
 * A snapshot beyond the log end is of batches that were cut off. It has to go,
 * and durably, before other batches take their offsets: it would pass for one
 * of them. Of those that no segment begins with, which clean closes left, the
 * newest is enough.
 */
static int sweep_snapshots(struct sluice_log *log, const s64 *offsets, u32 count, s64 newest)
{
	bool beyond = false;
	u32 i;
	int ret;

	for (i = 0; i < count; i++) {
		if (offsets[i] == newest)
			continue;
		if (offsets[i] < newest && begins_segment(log, offsets[i]))
			continue;
		ret = sluice_producer_snapshot_remove(log->dir, offsets[i]);
		if (ret)
			return ret;
		beyond |= offsets[i] > newest;
	}
	return beyond ? port_dir_sync(log->dir) : 0;
}

static s64 first_base_offset(struct sluice_log *log)
{
	struct sluice_segment *seg = sluice_segment_list_at(&log->segments, 0);
	s64 base_offset = seg->base_offset;

	sluice_segment_put(seg);
	return base_offset;
}

/*
 * One from before the first segment does not count: a transaction that is open in
 * it may have ended in batches that are gone, and would be open for ever.
 */
static int find_snapshot(struct sluice_log *log, const s64 *offsets, u32 count, char *err,
			 s64 *ret_offset)
{
	s64 first = first_base_offset(log);
	u32 i;
	int ret;

	*ret_offset = -1;
	for (i = 0; i < count && offsets[i] <= sluice_log_end_offset(log); i++) {
		if (offsets[i] >= first)
			*ret_offset = offsets[i];
	}
	ret = sweep_snapshots(log, offsets, count, *ret_offset);
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "the producer snapshots cannot be removed (error %d)", -ret);
	return ret;
}

/*
 * Also what lies below the log start: a transaction that is open in the snapshot
 * may have ended there, and would else be open for ever.
 */
static int load(struct sluice_log *log, struct sluice_producer_state *s, s64 snapshot_offset,
		u64 replay_max, char *err)
{
	s64 offset = max(snapshot_offset, first_base_offset(log));
	int ret;

	if (snapshot_offset < 0)
		return replay(log, s, offset, replay_max, err);
	ret = sluice_producer_state_load(s, log->dir, snapshot_offset, err);
	if (ret)
		return ret;
	while (!sluice_producer_state_expire(s, port_now_ms(), log->config.producer_expiration_ms))
		;
	return replay(log, s, offset, replay_max, err);
}

int sluice_log_load_producers(struct sluice_log *log, const s64 *snapshots, u32 count,
			      u64 replay_max, char *err)
{
	struct sluice_producer_state *s;
	s64 snapshot_offset;
	int ret;

	ret = find_snapshot(log, snapshots, count, err, &snapshot_offset);
	if (ret)
		return ret;
	s = sluice_producer_state_new();
	if (!s) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
		return -ENOMEM;
	}
	ret = load(log, s, snapshot_offset, replay_max, err);
	if (ret) {
		sluice_producer_state_free(s);
		return ret;
	}
	sluice_producer_state_free(log->producers);
	log->producers = s;
	/* Where nothing has been written there is nothing to remember. */
	log->snapshot_offset = max_t(s64, snapshot_offset, sluice_log_start_offset(log));
	sluice_watermark_set_first_unstable(&log->watermark,
					    sluice_producer_state_first_unstable(s));
	return 0;
}

int sluice_log_reload_producers(struct sluice_log *log, char *err)
{
	s64 *snapshots;
	u32 count;
	int ret;

	ret = sluice_segment_list_dir(log->dir, SLUICE_SUFFIX_SNAPSHOT, &snapshots, &count);
	if (ret) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "the producer snapshots cannot be listed (error %d)", -ret);
		return ret;
	}
	/* Nobody else could read what lies behind them, and whoever truncates waits. */
	ret = sluice_log_load_producers(log, snapshots, count, U64_MAX, err);
	port_free(snapshots);
	return ret;
}

static u32 snapshots_pending(const struct sluice_log *log)
{
	const struct sluice_producer_snapshot *snap;
	u32 count = 0;

	for (snap = log->snapshots; snap; snap = snap->next)
		count++;
	return count;
}

void sluice_log_take_snapshot(struct sluice_log *log)
{
	s64 offset = sluice_log_end_offset(log);
	struct sluice_producer_snapshot **link, *snap;

	if (offset <= log->snapshot_offset)
		return;
	snap = sluice_producer_snapshot_new(log->producers, offset);
	if (!snap)
		return;
	if (snapshots_pending(log) == SNAPSHOTS_MAX) {
		struct sluice_producer_snapshot *oldest = log->snapshots;

		log->snapshots = oldest->next;
		port_free(oldest);
	}
	for (link = &log->snapshots; *link; link = &(*link)->next)
		;
	*link = snap;
	log->snapshot_offset = offset;
}

void sluice_log_drop_snapshots(struct sluice_log *log, s64 offset)
{
	struct sluice_producer_snapshot **link = &log->snapshots, *snap;

	while ((snap = *link) != NULL) {
		if (snap->offset <= offset) {
			link = &snap->next;
			continue;
		}
		*link = snap->next;
		port_free(snap);
	}
}

int sluice_log_remove_snapshots(struct sluice_log *log, char *err)
{
	s64 *offsets = NULL;
	u32 count = 0, i;
	int ret;

	port_mutex_assert_held(&log->structure_mutex);
	sluice_log_drop_snapshots(log, -1);
	ret = sluice_segment_list_dir(log->dir, SLUICE_SUFFIX_SNAPSHOT, &offsets, &count);
	for (i = 0; !ret && i < count; i++)
		ret = sluice_producer_snapshot_remove(log->dir, offsets[i]);
	if (!ret && count)
		ret = port_dir_sync(log->dir);
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "the producer snapshots cannot be removed (error %d)", -ret);
	port_free(offsets);
	return ret;
}

static s64 last_snapshot_offset(struct sluice_log *log)
{
	s64 offset;

	port_mutex_lock(&log->append_mutex);
	offset = log->snapshot_offset;
	port_mutex_unlock(&log->append_mutex);
	return offset;
}

static struct sluice_producer_snapshot *detach_snapshot(struct sluice_log *log, s64 offset_max)
{
	struct sluice_producer_snapshot *snap;

	port_mutex_lock(&log->append_mutex);
	snap = log->snapshots;
	if (snap && snap->offset > offset_max)
		snap = NULL;
	if (snap)
		log->snapshots = snap->next;
	port_mutex_unlock(&log->append_mutex);
	return snap;
}

/* Only the newest is worth another try; false: this is not it. */
static bool attach_again(struct sluice_log *log, struct sluice_producer_snapshot *snap)
{
	bool newest;

	port_mutex_lock(&log->append_mutex);
	newest = !log->snapshots;
	snap->next = NULL;
	if (newest)
		log->snapshots = snap;
	port_mutex_unlock(&log->append_mutex);
	return newest;
}

void sluice_log_write_snapshots(struct sluice_log *log)
{
	/* Or who waits for the mutex waits until rolls come slower than syncs. */
	s64 offset_max = last_snapshot_offset(log);
	struct sluice_producer_snapshot *snap;
	int ret;

	port_mutex_assert_held(&log->structure_mutex);
	while ((snap = detach_snapshot(log, offset_max)) != NULL) {
		ret = sluice_producer_snapshot_write(log->dir, snap);
		if (ret)
			port_warn("%s: %020lld.snapshot: cannot be written (error %d)",
				  port_dir_name(log->dir), snap->offset, -ret);
		if (ret && attach_again(log, snap))
			return;
		port_free(snap);
	}
}

void sluice_log_save_producers(struct sluice_log *log)
{
	port_mutex_lock(&log->structure_mutex);
	port_mutex_lock(&log->append_mutex);
	/* What is not in the files must not be behind a snapshot. */
	if (!sluice_log_seal_locked(log))
		sluice_log_take_snapshot(log);
	port_mutex_unlock(&log->append_mutex);
	sluice_log_write_snapshots(log);
	port_mutex_unlock(&log->structure_mutex);
}

void sluice_log_expire_producers(struct sluice_log *log, s64 now_ms)
{
	bool round = false;

	while (!round) {
		port_mutex_lock(&log->append_mutex);
		round = sluice_producer_state_expire(log->producers, now_ms,
						     log->config.producer_expiration_ms);
		port_mutex_unlock(&log->append_mutex);
	}
}

int sluice_log_each_producer(struct sluice_log *log,
			     int (*fn)(void *ctx, const struct sluice_producer_entry *e),
			     void *ctx)
{
	int ret;

	port_mutex_lock(&log->append_mutex);
	ret = sluice_producer_state_each(log->producers, fn, ctx);
	port_mutex_unlock(&log->append_mutex);
	return ret;
}

void sluice_log_set_high_watermark(struct sluice_log *log, s64 offset)
{
	port_mutex_lock(&log->append_mutex);
	sluice_watermark_set_high(&log->watermark, offset);
	sluice_producer_state_replicated(log->producers, sluice_log_high_watermark(log));
	/* After the high watermark: it is what decides the transactions below it. */
	sluice_watermark_set_first_unstable(&log->watermark,
					    sluice_producer_state_first_unstable(log->producers));
	port_mutex_unlock(&log->append_mutex);
}
