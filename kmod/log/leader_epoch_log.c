// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The leader epochs of a log and its files: loading, completing from the
 * batches, saving, and the question of a replica.
 */
#include "leader_epoch_file.h"
#include "log_internal.h"

/*
 * The first batch at or above @offset, which is below the log end. 1; 0 if the
 * log ends in a gap there; -EUCLEAN if damage hides it; or another error.
 */
static int read_batch_at(struct sluice_log *log, s64 offset, struct sluice_batch *ret_b)
{
	struct sluice_range range;
	int ret;

	ret = sluice_log_find(log, offset, 0, SLUICE_FETCH_WHOLE_FIRST | SLUICE_FETCH_TO_LOG_END,
			      &range);
	if (ret)
		return ret;
	if (!range.seg)
		return 0;
	ret = sluice_log_read_batch(range.file, range.position, range.position + range.bytes,
				    ret_b);
	sluice_segment_put(range.seg);
	return ret ? ret : 1;
}

/*
 * The first batch with a larger epoch than @epoch. Epochs do not shrink along
 * a log, so that a search by halves finds it with few reads.
 * @low: an offset with at most @epoch, or the one before the log start
 * @high: an offset with more
 */
static int find_next_epoch(struct sluice_log *log, s32 epoch, s64 low, s64 high,
			   struct sluice_batch *ret_b)
{
	struct sluice_batch b;
	int ret;

	while (high - low > 1) {
		s64 middle = low + (high - low) / 2;

		ret = read_batch_at(log, middle, &b);
		if (ret < 0)
			return ret;
		if (ret && b.leader_epoch <= epoch)
			low = min_t(s64, max_t(s64, middle, sluice_batch_last_offset(&b)),
				    high - 1);
		else
			high = middle;
	}
	return read_batch_at(log, high, ret_b);
}

/* 1: the batches at and before the start of @entry say that it is not that; 0; or an error. */
static int is_contradicted(struct sluice_log *log, const struct sluice_leader_epoch *entry)
{
	struct sluice_batch b;
	int ret;

	ret = read_batch_at(log, entry->start_offset, &b);
	/* Where compaction took all batches of an epoch its entry stands in a gap. */
	if (ret <= 0 || b.base_offset > entry->start_offset)
		return ret < 0 ? ret : 0;
	if (b.leader_epoch != entry->epoch)
		return 1;
	if (entry->start_offset <= sluice_log_start_offset(log))
		return 0;
	ret = read_batch_at(log, entry->start_offset - 1, &b);
	return ret <= 0 ? ret : b.leader_epoch >= entry->epoch;
}

/*
 * An entry may be of batches that were cut, or removed, when others have come in
 * their place and a crash came before the file was written. A flush writes it
 * before it acknowledges them; but recovery finds more than was acknowledged.
 */
static int drop_contradicted(struct sluice_log *log)
{
	struct sluice_leader_epochs *e = &log->epochs;

	while (e->count) {
		const struct sluice_leader_epoch *last = &e->entries[e->count - 1];
		int ret = is_contradicted(log, last);

		if (ret <= 0)
			return ret;
		sluice_leader_epochs_truncate_end(e, last->start_offset);
	}
	return 0;
}

/*
 * What the file does not tell because it is missing, damaged, or older than the
 * log. Where damage hides which epochs there were before the last, it is the
 * last one that counts: batches get none below it.
 */
static int complete_epochs(struct sluice_log *log, s64 log_start, s64 log_end)
{
	struct sluice_leader_epochs *e = &log->epochs;
	struct sluice_batch last, b;
	s64 low = log_start - 1;
	int ret, damaged = 0;

	if (log_start >= log_end)
		return 0;
	ret = read_batch_at(log, log_end - 1, &last);
	if (ret <= 0)
		return ret;
	if (e->count)
		low = e->entries[e->count - 1].start_offset;
	while (sluice_leader_epochs_latest(e) < last.leader_epoch) {
		s32 known = sluice_leader_epochs_latest(e);

		ret = find_next_epoch(log, known, low, log_end - 1, &b);
		if (ret == -EUCLEAN)
			damaged = ret;
		else if (ret < 0)
			return ret;
		/* Nor if epochs do shrink somewhere. */
		if (ret <= 0 || b.leader_epoch <= known)
			b = last;
		ret = sluice_leader_epochs_reserve(e, b.leader_epoch);
		if (ret)
			return ret;
		low = max_t(s64, b.base_offset, log_start);
		sluice_leader_epochs_assign(e, b.leader_epoch, low);
	}
	return damaged;
}

/* The batches tell all but the epochs that had none. */
static int load_file(struct sluice_log *log, char *err)
{
	int ret = sluice_leader_epochs_load(&log->epochs, log->dir, err);

	if (ret == -ENOENT)
		return 0;
	if (ret != -EUCLEAN)
		return ret;
	port_warn("%s: %s; written anew", port_dir_name(log->dir), err);
	err[0] = '\0';
	log->epochs.changes++;
	return 0;
}

int sluice_log_load_epochs(struct sluice_log *log, bool clean, char *err)
{
	s64 log_start = sluice_log_start_offset(log);
	s64 log_end = sluice_log_end_offset(log);
	int ret;

	ret = load_file(log, err);
	if (ret)
		return ret;
	sluice_leader_epochs_truncate_end(&log->epochs, log_end);
	sluice_leader_epochs_truncate_start(&log->epochs, log_start);
	ret = clean ? 0 : drop_contradicted(log);
	if (!ret || ret == -EUCLEAN)
		ret = complete_epochs(log, log_start, log_end);
	/* What is around the damage can be used all the same. */
	if (ret == -EUCLEAN) {
		port_warn("%s: a damaged batch hides leader epochs; what else is known is used",
			  port_dir_name(log->dir));
		ret = 0;
	}
	if (ret) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "the leader epochs of the batches cannot be read (error %d)", -ret);
		return ret;
	}
	log->leader_epoch = max_t(s32, log->leader_epoch,
				  sluice_leader_epochs_latest(&log->epochs));
	return 0;
}

bool sluice_log_epochs_unsaved(struct sluice_log *log)
{
	bool unsaved;

	port_spin_lock(&log->epochs.lock);
	unsaved = log->epochs.changes != READ_ONCE(log->epochs_saved);
	port_spin_unlock(&log->epochs.lock);
	return unsaved;
}

int sluice_log_save_epochs(struct sluice_log *log)
{
	u64 changes;
	int ret;

	port_mutex_assert_held(&log->flush_mutex);
	if (!sluice_log_epochs_unsaved(log))
		return 0;
	ret = sluice_leader_epochs_save(&log->epochs, log->dir, &changes);
	if (ret)
		return ret;
	ret = port_dir_sync(log->dir);
	if (ret) {
		/* A second try may succeed and mean nothing. */
		sluice_log_set_failed(log, ret);
		return ret;
	}
	WRITE_ONCE(log->epochs_saved, changes);
	return 0;
}

void sluice_log_epoch_end(struct sluice_log *log, s32 epoch, s32 *ret_epoch, s64 *ret_end_offset)
{
	/* Read before the epochs: a newer one may begin there, but none below. */
	s64 log_end = sluice_log_end_offset(log);

	sluice_leader_epochs_end(&log->epochs, epoch, log_end, ret_epoch, ret_end_offset);
}
