// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The flush: what was published becomes durable, and the recovery point moves.
 *
 * Concurrent callers queue on flush_mutex. The one that gets it syncs all that
 * is published by then, so those who came meanwhile mostly find their work
 * done: one sync serves all.
 *
 * Of the active segment only the .log file is synced. Its indexes, whose newest
 * entries are not even in the files, follow when it is sealed; should they be
 * lost before, recovery builds them anew, because it begins with the segment that
 * holds the offset before the recovery point.
 * So a segment that is sealed and was synced since needs no file open any more.
 */
#include "log_internal.h"
#include "segment_file.h"

void sluice_log_names_changed(struct sluice_log *log)
{
	port_spin_lock(&log->segments.lock);
	log->names_changed++;
	port_spin_unlock(&log->segments.lock);
}

static int sync_names(struct sluice_log *log)
{
	u32 changed;
	int ret;

	port_spin_lock(&log->segments.lock);
	changed = log->names_changed;
	port_spin_unlock(&log->segments.lock);
	if (log->names_synced == changed)
		return 0;
	ret = port_dir_sync(log->dir);
	if (!ret)
		log->names_synced = changed;
	return ret;
}

static int sync_log_file(struct sluice_segment *seg)
{
	u64 published = sluice_segment_published(seg);
	int ret;

	if (seg->synced == published)
		return 0;
	ret = port_file_sync(seg->file);
	if (!ret)
		seg->synced = published;
	return ret;
}

static int sync_indexes(struct sluice_segment *seg)
{
	int ret = port_file_sync(seg->offset_index.file);

	if (!ret)
		ret = port_file_sync(seg->time_index.file);
	return ret ? ret : sluice_txn_index_sync(&seg->txn_index);
}

static int sync_segment(struct sluice_log *log, struct sluice_segment *seg, bool sealed)
{
	int ret = sluice_segment_use(log, seg, SLUICE_FILES_ALWAYS);

	if (!ret && sealed)
		sluice_segment_unreserve(seg);
	if (!ret)
		ret = sync_log_file(seg);
	if (!ret && sealed)
		ret = sync_indexes(seg);
	return ret;
}

/* The segment that @log->flush_from lies in, or the first one. */
static struct sluice_segment *first_to_sync(struct sluice_log *log)
{
	struct sluice_segment *seg = sluice_segment_list_floor(&log->segments, log->flush_from);

	return seg ? seg : sluice_segment_list_at(&log->segments, 0);
}

/*
 * Of the segments that begin below @end_offset, or a flush would go on for as
 * long as appends roll faster than it syncs. Ends with the first one that is not
 * sealed, unless @sealed_only before it. One that a roll adds meanwhile, and the
 * next may seal, must not be counted: bytes that came to the one before after its
 * sync are still to be synced.
 *
 * Nor does the caller miss anything. It read the log end before, and what lies
 * below that in a later segment was appended after the earlier ones were sealed.
 */
static int sync_segments(struct sluice_log *log, s64 end_offset, bool sealed_only)
{
	struct sluice_segment *seg = first_to_sync(log);
	bool sealed = true;
	int ret = 0;

	port_mutex_assert_held(&log->flush_mutex);
	while (seg && sealed && seg->base_offset < end_offset) {
		struct sluice_segment *next = NULL;

		/* Before its end is read: what is sealed has all its bytes published. */
		sealed = sluice_segment_sealed(seg);
		if (!READ_ONCE(seg->durable) && (sealed || !sealed_only))
			ret = sync_segment(log, seg, sealed);
		/* Retention was here meanwhile: what is gone needs no sync. */
		if (ret == -ESTALE)
			ret = 0;
		if (ret)
			break;
		if (sealed) {
			WRITE_ONCE(seg->durable, true);
			next = sluice_segment_list_above(&log->segments, seg->base_offset);
			if (next)
				log->flush_from = next->base_offset;
		}
		sluice_segment_put(seg);
		seg = next;
	}
	if (seg)
		sluice_segment_put(seg);
	return sluice_log_told_error(ret);
}

static int flush_locked(struct sluice_log *log, s64 wanted)
{
	s64 end_offset;
	int ret;

	if (sluice_log_failed(log))
		return -EIO;
	if (sluice_log_recovery_point(log) >= wanted)
		return 0;
	/* What came after the caller's seal may be in an open batch again. */
	end_offset = sluice_log_sealed_end(log);
	/* After the end was read: it has the epochs of all that lies below. */
	ret = sluice_log_save_epochs(log);
	if (ret)
		return ret;
	ret = sync_segments(log, end_offset, false);
	if (!ret) {
		ret = sluice_log_name_last(log);
		/* It is no sync that failed: with room again it can be done. */
		if (ret == -ENOSPC || ret == -EDQUOT)
			return ret;
	}
	if (!ret)
		ret = sync_names(log);
	if (ret) {
		/* What the page cache holds and what the storage has may differ for good. */
		sluice_log_set_failed(log, ret);
		return ret;
	}
	sluice_watermark_set_recovery_point(&log->watermark, end_offset);
	return 0;
}

int sluice_log_flush(struct sluice_log *log, s64 *ret_recovery_point)
{
	s64 wanted = sluice_log_end_offset(log);
	int ret = sluice_log_seal(log);

	if (ret)
		return ret;
	port_mutex_lock(&log->flush_mutex);
	ret = flush_locked(log, wanted);
	if (!ret)
		*ret_recovery_point = sluice_log_recovery_point(log);
	port_mutex_unlock(&log->flush_mutex);
	return ret;
}

static int flush_sealed_locked(struct sluice_log *log)
{
	struct sluice_segment *seg;
	s64 sealed_end;
	int ret;

	if (sluice_log_failed(log))
		return -EIO;
	seg = sluice_segment_list_floor(&log->segments, S64_MAX);
	sealed_end = seg->base_offset;
	sluice_segment_put(seg);
	if (log->flush_from >= sealed_end)
		return 0;
	ret = sluice_log_save_epochs(log);
	if (ret)
		return ret;
	ret = sync_segments(log, sealed_end, true);
	if (!ret)
		ret = sync_names(log);
	if (ret) {
		sluice_log_set_failed(log, ret);
		return ret;
	}
	/*
	 * Not to the last segment's base: a roll adds that before it marks the one
	 * before it sealed, and what was not yet sealed was not synced.
	 */
	if (log->flush_from > sluice_log_recovery_point(log))
		sluice_watermark_set_recovery_point(&log->watermark, log->flush_from);
	return 0;
}

int sluice_log_flush_sealed(struct sluice_log *log)
{
	int ret;

	port_mutex_lock(&log->flush_mutex);
	ret = flush_sealed_locked(log);
	port_mutex_unlock(&log->flush_mutex);
	return ret;
}

void sluice_log_lower_flush(struct sluice_log *log, s64 offset)
{
	port_mutex_assert_held(&log->flush_mutex);
	log->flush_from = min(log->flush_from, offset);
	log->indexes_end = -1;
	if (sluice_log_recovery_point(log) > offset)
		sluice_watermark_set_recovery_point(&log->watermark, offset);
}

int sluice_log_store_indexes(struct sluice_log *log)
{
	int ret;

	port_mutex_lock(&log->append_mutex);
	ret = sluice_segment_store_indexes(log->active);
	port_mutex_unlock(&log->append_mutex);
	return ret;
}

static int flush_indexes_locked(struct sluice_log *log, s64 end_offset)
{
	struct sluice_segment *seg;
	int ret;

	port_mutex_assert_held(&log->flush_mutex);
	/* One that an append sealed and then failed: with the log end no flush went there. */
	ret = flush_sealed_locked(log);
	if (!ret)
		ret = sluice_log_save_epochs(log);
	/* It is no sync that failed: the log goes on. */
	if (!ret)
		ret = sluice_log_store_indexes(log);
	if (ret)
		return ret;
	seg = sluice_segment_list_floor(&log->segments, S64_MAX);
	/* A sync may have stored what was cut off again since: nobody would look for that. */
	ret = port_file_sync(seg->file);
	if (!ret)
		ret = sync_indexes(seg);
	sluice_segment_put(seg);
	/* The name of the snapshot. */
	if (!ret)
		ret = port_dir_sync(log->dir);
	if (ret)
		sluice_log_set_failed(log, ret);
	else
		log->indexes_end = end_offset;
	return ret;
}

/* Has anything come since the last time? */
static bool indexes_flushed(struct sluice_log *log, s64 end_offset)
{
	bool flushed;

	port_mutex_lock(&log->flush_mutex);
	flushed = log->indexes_end == end_offset && !sluice_log_failed(log);
	port_mutex_unlock(&log->flush_mutex);
	return flushed;
}

int sluice_log_flush_indexes(struct sluice_log *log)
{
	s64 end_offset = sluice_log_end_offset(log);
	int ret;

	if (indexes_flushed(log, end_offset))
		return 0;
	if (!sluice_log_failed(log))
		sluice_log_save_producers(log);
	port_mutex_lock(&log->flush_mutex);
	ret = flush_indexes_locked(log, end_offset);
	port_mutex_unlock(&log->flush_mutex);
	return ret;
}
