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
	port_mutex_init(&log->names_mutex);
	port_spin_init(&log->index_tail.lock);
	/* So that what somebody remembers of an earlier life is not taken for this one's. */
	log->generation = (u64)port_random_u32() << 32 | port_random_u32();
	log->indexes_end = -1;
	sluice_segment_list_init(&log->segments);
	sluice_leader_epochs_init(&log->epochs);
	return log;
}

/* The names of the files have to be synced once. */
static int add_created(struct sluice_log *log, s64 base_offset, char *err)
{
	struct sluice_segment *seg;
	int ret;

	ret = sluice_segment_list_reserve(&log->segments);
	if (!ret)
		ret = sluice_segment_create(log->dir, base_offset, &seg);
	if (ret) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "%020lld.log: the first segment cannot be created (error %d)",
			 base_offset, -ret);
		return ret;
	}
	sluice_segment_list_add(&log->segments, seg);
	sluice_log_begin_active(log, seg);
	log->names_changed++;
	return 0;
}

static int add_segment(struct sluice_log *log, struct sluice_segment *seg, char *err)
{
	int ret = seg ? sluice_segment_list_reserve(&log->segments) : -ENOMEM;

	if (ret) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
		if (seg)
			sluice_segment_put(seg);
		return ret;
	}
	sluice_segment_list_add(&log->segments, seg);
	return 0;
}

/* Nobody has looked at it since it was closed. */
static int check_sealed(struct sluice_log *log, s64 base_offset, s64 end_offset, char *err)
{
	struct sluice_segment *seg;
	int ret = sluice_segment_open(log->dir, base_offset, err, &seg);

	if (ret)
		return ret;
	ret = sluice_segment_check_end(seg, end_offset, err);
	sluice_segment_put(seg);
	return ret;
}

static int add_sealed(struct sluice_log *log, const struct sluice_segment_names *names,
		      s64 recovery_point, char *err)
{
	u32 i;

	for (i = 0; i + 1 < names->count; i++) {
		struct sluice_segment *seg;
		int ret = 0;

		if (recovery_point == S64_MAX)
			ret = check_sealed(log, names->offsets[i], names->offsets[i + 1], err);
		if (ret)
			return ret;
		seg = sluice_segment_new(names->offsets[i]);
		ret = add_segment(log, seg, err);
		if (ret)
			return ret;
		seg->durable = names->offsets[i + 1] <= recovery_point;
		if (seg->durable)
			log->flush_from = names->offsets[i + 1];
	}
	return 0;
}

/* Of the active segment it must be known: where the next entry goes. */
static int count_aborted(struct sluice_log *log, struct sluice_segment *seg, char *err)
{
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

static int add_active(struct sluice_log *log, const struct sluice_segment_names *names, char *err,
		      s64 *ret_end_offset)
{
	struct sluice_segment *seg;
	int ret;

	ret = sluice_segment_open(log->dir, names->offsets[names->count - 1], err, &seg);
	if (ret)
		return ret;
	ret = add_segment(log, seg, err);
	if (ret)
		return ret;
	ret = sluice_segment_scan_tail(seg, err, ret_end_offset);
	if (!ret)
		ret = sluice_segment_check_end(seg, *ret_end_offset, err);
	seg->txn_index.entries = 0;
	if (!ret && names->last_has_txn_index)
		ret = count_aborted(log, seg, err);
	if (ret)
		return ret;
	seg->counted = true;
	log->size_bytes = seg->published;
	sluice_log_begin_active(log, seg);
	return 0;
}

/*
 * The start offset was saved, and what was deleted had not all been made durable
 * when a crash took it. Its offsets are not given again: the log begins anew
 * there, as Kafka's does. The segments go, for recovery takes what lies behind a
 * gap for the remains of a crash, and would cut off what is appended now. And
 * what was known of producers: a transaction that is open in it may have ended
 * in what is lost.
 */
static int begin_at(struct sluice_log *log, s64 start_offset, struct sluice_segment_names *names,
		    char *err)
{
	u32 old = sluice_segment_list_count(&log->segments);
	int ret;

	port_mutex_lock(&log->structure_mutex);
	ret = sluice_log_remove_snapshots(log, err);
	port_mutex_unlock(&log->structure_mutex);
	if (ret)
		return ret;
	names->snapshot_count = 0;
	log->active->sealed = true;
	log->open_sealed++;
	ret = add_created(log, start_offset, err);
	if (ret)
		return ret;
	port_mutex_lock(&log->structure_mutex);
	while (old-- && !ret)
		ret = sluice_log_remove_first(log, port_now_ms());
	port_mutex_unlock(&log->structure_mutex);
	if (ret)
		snprintf(err, SLUICE_ERROR_TEXT_MAX,
			 "what lies below the start offset cannot be removed (error %d)", -ret);
	return ret;
}

static int add_segments(struct sluice_log *log, struct sluice_segment_names *names,
			const struct sluice_log_open_args *args, char *err)
{
	s64 end_offset, start_offset = max(args->log_start_offset, names->offsets[0]);
	int ret;

	ret = add_sealed(log, names, args->recovery_point, err);
	if (!ret)
		ret = add_active(log, names, err, &end_offset);
	if (ret)
		return ret;
	if (args->recovery_point >= end_offset)
		log->active->synced = log->active->published;
	else
		log->names_changed++;
	if (start_offset > end_offset) {
		end_offset = start_offset;
		ret = begin_at(log, start_offset, names, err);
		if (ret)
			return ret;
	}
	log->batches_end = end_offset;
	sluice_watermark_init(&log->watermark, start_offset, end_offset);
	sluice_watermark_set_recovery_point(&log->watermark,
					    max(min(args->recovery_point, end_offset),
						names->offsets[0]));
	return 0;
}

static int add_first(struct sluice_log *log, const struct sluice_log_open_args *args, char *err)
{
	s64 start_offset = max_t(s64, args->log_start_offset, 0);

	log->batches_end = start_offset;
	sluice_watermark_init(&log->watermark, start_offset, start_offset);
	return add_created(log, start_offset, err);
}

/* What a roll had left when a crash came; recovery gives it its name. */
static int check_prepared(struct port_dir *dir, const struct sluice_segment_names *names, char *err)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct port_file *file;
	s64 size;
	int ret;

	if (!names->prepared)
		return 0;
	sluice_segment_prepared_name(name, SLUICE_SUFFIX_LOG);
	ret = port_file_open(dir, name, PORT_RDONLY, &file);
	if (ret) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: cannot be opened (error %d)", name, -ret);
		return ret;
	}
	size = port_file_size(file);
	port_file_close(file);
	if (!size)
		return 0;
	snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: this segment has not got its name", name);
	return -EUCLEAN;
}

/* Where it was closed cleanly, nothing is left to finish. */
static int check_settled(const struct sluice_segment_names *names, s64 recovery_point, char *err)
{
	if (recovery_point != S64_MAX || !names->unsettled[0])
		return 0;
	snprintf(err, SLUICE_ERROR_TEXT_MAX, "%s: no clean close leaves such a file",
		 names->unsettled);
	return -EUCLEAN;
}

int sluice_log_open(struct port_dir *dir, const struct sluice_log_config *c,
		    const struct sluice_log_open_args *args, char *err,
		    struct sluice_log **ret_log)
{
	struct sluice_segment_names names;
	struct sluice_log *log;
	int ret;

	ret = sluice_segment_names_read(dir, err, &names);
	if (ret)
		return ret;
	log = log_new(dir, c, args->leader_epoch);
	if (!log) {
		snprintf(err, SLUICE_ERROR_TEXT_MAX, "no memory");
		ret = -ENOMEM;
		goto err_new;
	}
	ret = check_prepared(dir, &names, err);
	if (!ret)
		ret = check_settled(&names, args->recovery_point, err);
	if (ret)
		goto err_segments;
	log->leftovers = names.deleted;
	log->sizes_known = names.count <= 1;
	ret = names.count ? add_segments(log, &names, args, err) : add_first(log, args, err);
	if (!ret)
		ret = sluice_log_load_producers(log, names.snapshots, names.snapshot_count,
						SLUICE_REPLAY_BYTES_MAX, err);
	if (!ret)
		ret = sluice_log_load_epochs(log, args->recovery_point == S64_MAX, err);
	if (ret)
		goto err_segments;
	sluice_segment_names_free(&names);
	*ret_log = log;
	return 0;

err_segments:
	sluice_log_close(log);
err_new:
	sluice_segment_names_free(&names);
	return ret;
}
