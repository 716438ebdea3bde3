// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Opening a log: from the names in a directory to a struct sluice_log. */
#include "log_internal.h"
#include "segment_name.h"

static struct sluice_log *log_new(struct port_dir *dir, const struct sluice_log_config *c,
				  s32 leader_epoch)
{
	struct sluice_log *log = port_alloc(sizeof(*log));

	if (!log)
		return NULL;
	log->dir = dir;
	log->config = *c;
	log->leader_epoch = leader_epoch;
	port_mutex_init(&log->structure_mutex);
	port_mutex_init(&log->append_mutex);
	port_mutex_init(&log->flush_mutex);
	sluice_segment_list_init(&log->segments);
	sluice_leader_epochs_init(&log->epochs);
	return log;
}

static int add_first_segment(struct sluice_log *log, char *err)
{
	struct sluice_segment *seg;
	int ret;

	ret = sluice_segment_list_reserve(&log->segments);
	if (!ret)
		ret = sluice_segment_create(log->dir, 0, &seg);
	if (ret) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "%020d.log: the first segment cannot be created (error %d)", 0, -ret);
		return ret;
	}
	sluice_segment_list_add(&log->segments, seg);
	log->active = seg;
	sluice_watermark_init(&log->watermark, 0, 0);
	return 0;
}

static int add_segment(struct sluice_log *log, s64 base_offset, char *err)
{
	struct sluice_segment *seg;
	int ret;

	ret = sluice_segment_list_reserve(&log->segments);
	if (ret) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
		return ret;
	}
	ret = sluice_segment_open(log->dir, base_offset, err, &seg);
	if (ret)
		return ret;
	sluice_segment_list_add(&log->segments, seg);
	log->active = seg;
	log->size_bytes += seg->published;
	return 0;
}

/* Of the active segment it must be known: where the next entry goes. */
static int count_aborted(struct sluice_log *log, char *err)
{
	struct sluice_segment *seg = log->active;
	int ret = sluice_txn_index_count(log->dir, seg->base_offset, &seg->txn_index.entries);

	if (ret == -EUCLEAN)
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "%020lld.txnindex: its size is no multiple of that of an entry",
			 seg->base_offset);
	else if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%020lld.txnindex: cannot be read (error %d)",
			 seg->base_offset, -ret);
	return ret;
}

static int add_segments(struct sluice_log *log, const s64 *offsets, u32 count, char *err)
{
	s64 log_end_offset;
	u32 i;
	int ret;

	for (i = 0; i < count; i++) {
		ret = add_segment(log, offsets[i], err);
		if (ret)
			return ret;
		if (i == count - 1)
			break;
		ret = sluice_segment_check_end(log->active, offsets[i + 1], err);
		if (ret)
			return ret;
		log->active->sealed = true;
	}
	ret = sluice_segment_scan_tail(log->active, err, &log_end_offset);
	if (ret)
		return ret;
	ret = sluice_segment_check_end(log->active, log_end_offset, err);
	if (ret)
		return ret;
	ret = count_aborted(log, err);
	if (ret)
		return ret;
	sluice_watermark_init(&log->watermark, offsets[0], log_end_offset);
	return 0;
}

int sluice_log_open(struct port_dir *dir, const struct sluice_log_config *c, s32 leader_epoch,
		    char *err, struct sluice_log **ret_log)
{
	struct sluice_log *log;
	s64 *offsets;
	u32 count;
	int ret;

	ret = sluice_segment_list_dir(dir, SLUICE_SUFFIX_LOG, &offsets, &count);
	if (ret) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "the directory cannot be listed (error %d)",
			 -ret);
		return ret;
	}
	log = log_new(dir, c, leader_epoch);
	if (!log) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
		ret = -ENOMEM;
		goto err_new;
	}
	ret = count ? add_segments(log, offsets, count, err) : add_first_segment(log, err);
	if (!ret)
		ret = sluice_log_load_producers(log, err);
	if (!ret)
		ret = sluice_log_load_epochs(log, err);
	if (ret)
		goto err_segments;
	port_free(offsets);
	*ret_log = log;
	return 0;

err_segments:
	sluice_log_close(log);
err_new:
	port_free(offsets);
	return ret;
}
