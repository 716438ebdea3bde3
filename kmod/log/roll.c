// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The roll: the active segment is sealed, appends go on in a new one. */
#include "log_internal.h"

/* So that the time index alone tells the largest time of a sealed segment. */
static int write_last_time(struct sluice_log *log, struct sluice_segment *seg)
{
	struct sluice_time_entry e = {
		.timestamp = seg->max_timestamp,
		.relative_offset = (u32)(seg->max_timestamp_offset - seg->base_offset),
	};
	int ret, undo;

	if (!sluice_time_index_wants(&seg->time_index, e.timestamp))
		return 0;
	ret = sluice_time_index_write(&seg->time_index, &e);
	if (ret) {
		undo = sluice_time_index_undo(&seg->time_index);
		if (undo)
			sluice_log_set_failed(log, undo);
		return ret;
	}
	sluice_time_index_publish(&seg->time_index, &e);
	return 0;
}

int sluice_log_roll(struct sluice_log *log)
{
	s64 base_offset = sluice_watermark_log_end(&log->watermark);
	struct sluice_segment *old = log->active, *seg;
	int ret;

	port_mutex_assert_held(&log->append_mutex);
	ret = sluice_log_seal_locked(log);
	if (ret)
		return ret;
	ret = write_last_time(log, old);
	if (ret)
		return ret;
	ret = sluice_segment_list_reserve(&log->segments);
	if (ret)
		return ret;
	ret = sluice_segment_create(log->dir, base_offset, &seg);
	if (ret)
		return ret;

	sluice_log_take_snapshot(log);
	sluice_segment_list_add(&log->segments, seg);
	log->active = seg;
	/* Last, and pairs with sluice_segment_sealed(): who sees it must find the new one. */
	smp_store_release(&old->sealed, true);
	port_trace_roll(log, base_offset);
	return 0;
}
