// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The flush: what was published becomes durable, and the recovery point moves.
 *
 * Concurrent callers queue on flush_mutex. The one that gets it syncs all that
 * is published by then, so those who came meanwhile mostly find their work
 * done: one sync serves all.
 *
 * Of the active segment only the .log file is synced. Its indexes follow when
 * it is sealed; should they be lost before, recovery builds them anew, because
 * it begins with the segment that holds the offset before the recovery point.
 */
#include "log_internal.h"

static int sync_names(struct sluice_log *log)
{
	u32 count = sluice_segment_list_count(&log->segments);
	int ret;

	if (log->dir_synced == count)
		return 0;
	ret = port_dir_sync(log->dir);
	if (!ret)
		log->dir_synced = count;
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

static int sync_segments(struct sluice_log *log)
{
	struct sluice_segment *seg;
	u32 i;

	port_mutex_assert_held(&log->flush_mutex);
	for (i = log->flush_first; (seg = sluice_segment_list_at(&log->segments, i)) != NULL; i++) {
		/* Before its end is read: what is sealed has all its bytes published. */
		bool sealed = sluice_segment_sealed(seg);
		int ret;

		if (sealed)
			sluice_segment_unreserve(seg);
		ret = sync_log_file(seg);

		if (!ret && sealed)
			ret = sync_indexes(seg);
		sluice_segment_put(seg);
		if (ret)
			return ret;
		if (sealed)
			log->flush_first = i + 1;
	}
	return 0;
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
	ret = sync_segments(log);
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

int sluice_log_flush_indexes(struct sluice_log *log)
{
	struct sluice_segment *seg;
	int ret;

	if (!sluice_log_failed(log))
		sluice_log_save_producers(log);
	port_mutex_lock(&log->flush_mutex);
	if (sluice_log_failed(log)) {
		ret = -EIO;
	} else if ((ret = sluice_log_save_epochs(log)) == 0) {
		seg = sluice_segment_list_floor(&log->segments, S64_MAX);
		ret = sync_indexes(seg);
		sluice_segment_put(seg);
		/* The name of the snapshot. */
		if (!ret)
			ret = port_dir_sync(log->dir);
		if (ret)
			sluice_log_set_failed(log, ret);
	}
	port_mutex_unlock(&log->flush_mutex);
	return ret;
}
