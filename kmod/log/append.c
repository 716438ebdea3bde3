// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/*
 * The append: check, order, store, verify, index, publish. Until the last step
 * nobody can see what was written, so every failure is undone by cutting the
 * files back to what was published before.
 */
#include "append_check.h"

/*
 * Where the segment before ends, also if offsets are missing then that compaction
 * took: recovery takes a hole between segments for the work of a power cut.
 */
static s64 next_base(const struct sluice_log *log, const struct sluice_batch *b)
{
	if (sluice_batch_last_offset(b) - log->batches_end > S32_MAX)
		return b->base_offset;
	return log->batches_end;
}

int sluice_log_make_room(struct sluice_log *log, const struct sluice_batch *b)
{
	int ret = sluice_log_needs_roll(log, b);

	return ret > 0 ? sluice_log_roll(log, next_base(log, b)) : ret;
}

static const char *why_not_written(int err)
{
	switch (err) {
	case -EFAULT:
		return "the batch could not be read from the caller";
	case -ENOSPC:
	case -EDQUOT:
		return "no space is left for the batch";
	default:
		return "the batch could not be written";
	}
}

static int store_whole(struct sluice_segment *seg, struct sluice_append *a,
		       struct sluice_append_source *src)
{
	int ret = port_file_write(seg->file, seg->published, src->bytes, src->len);

	if (ret)
		a->why = why_not_written(ret);
	return ret;
}

/*
 * As the sender has it, with one write; then its header, which was checked, and which
 * the sender may have changed meanwhile. What a power cut between the two leaves on the
 * disk has a base offset of 0, which no log but an empty one goes on with, or is the batch
 * as a leader stored it.
 */
static int store_sent(struct sluice_segment *seg, struct sluice_append *a,
		      const struct sluice_batch *b, struct sluice_append_source *src)
{
	u64 position = seg->published;
	u32 crc;
	int ret;

	port_iter_revert(a->src, src->len);
	ret = port_file_write_iter(seg->file, position, a->src, b->size);
	if (ret) {
		a->why = why_not_written(ret);
		return ret;
	}
	crc = port_crc32c(0, src->bytes + SLUICE_BATCH_CRC_START,
			  src->len - SLUICE_BATCH_CRC_START);
	ret = port_file_patch(seg->file, position, src->bytes, src->len, b->size, &crc);
	if (ret) {
		a->why = "what was written could not be read back";
		return ret;
	}
	if (crc != b->crc) {
		a->why = "the CRC of the batch is wrong";
		return -EBADMSG;
	}
	return 0;
}

/* The time lies under the CRC: the producer's was verified, now it gets ours. */
static void set_time(struct sluice_batch *b, struct sluice_batch_header *h)
{
	b->max_timestamp = port_now_ms();
	b->attributes |= SLUICE_BATCH_LOG_APPEND_TIME;
	put_unaligned_be64((u64)b->max_timestamp, &h->max_timestamp);
	put_unaligned_be16(b->attributes, &h->attributes);
}

static void stamp_whole(struct sluice_append *a, struct sluice_batch *b,
			struct sluice_append_source *src)
{
	struct sluice_batch_header *h = (struct sluice_batch_header *)src->bytes;

	set_time(b, h);
	put_unaligned_be32(port_crc32c(0, src->bytes + SLUICE_BATCH_CRC_START,
				       b->size - SLUICE_BATCH_CRC_START), &h->crc);
	a->log_append_time = b->max_timestamp;
}

static int stamp_stored(struct sluice_segment *seg, struct sluice_append *a,
			struct sluice_batch *b, struct sluice_append_source *src)
{
	struct sluice_batch_header *h = (struct sluice_batch_header *)src->bytes;
	u32 crc;
	int ret;

	set_time(b, h);
	crc = port_crc32c(0, src->bytes + SLUICE_BATCH_CRC_START,
			  SLUICE_BATCH_HEADER_LEN - SLUICE_BATCH_CRC_START);
	ret = port_file_crc32c(seg->file, seg->published + SLUICE_BATCH_HEADER_LEN,
			       b->size - SLUICE_BATCH_HEADER_LEN, &crc);
	if (!ret) {
		put_unaligned_be32(crc, &h->crc);
		ret = port_file_write(seg->file, seg->published, src->bytes,
				      SLUICE_BATCH_HEADER_LEN);
	}
	if (ret)
		a->why = "the time could not be set in the batch";
	else
		a->log_append_time = b->max_timestamp;
	return ret;
}

/*
 * What the indexes get with a batch.
 * @offset: an entry for the offset index is there
 * @time: an entry for the time index is there, it is @time_entry
 * @txn: an entry for the transaction index was written
 */
struct index_entries {
	bool offset;
	bool time;
	bool txn;
	struct sluice_time_entry time_entry;
};

static int write_entries(struct sluice_log *log, struct sluice_append *a,
			 const struct sluice_batch *b, struct index_entries *entries)
{
	struct sluice_segment *seg = log->active;
	u32 relative_offset = (u32)(sluice_batch_last_offset(b) - seg->base_offset);
	s64 max_timestamp_offset = seg->max_timestamp_offset;
	int ret;

	if (!sluice_segment_index_due(&seg->offset_index, seg->published,
				      log->config.index_interval_bytes))
		return 0;
	ret = sluice_segment_index_room(seg);
	if (!ret)
		ret = sluice_offset_index_write(&seg->offset_index, relative_offset,
						(u32)seg->published);
	if (ret)
		goto err_write;
	entries->offset = true;

	if (b->max_timestamp > seg->max_timestamp)
		max_timestamp_offset = sluice_batch_last_offset(b);
	entries->time_entry.timestamp = max(b->max_timestamp, seg->max_timestamp);
	entries->time_entry.relative_offset = (u32)(max_timestamp_offset - seg->base_offset);
	if (!sluice_time_index_wants(&seg->time_index, entries->time_entry.timestamp))
		return 0;
	ret = sluice_time_index_write(&seg->time_index, &entries->time_entry);
	if (ret)
		goto err_write;
	entries->time = true;
	return 0;

err_write:
	a->why = "the index could not be written";
	return ret;
}

static int write_aborted(struct sluice_log *log, struct sluice_append *a,
			 const struct sluice_batch *b, const struct sluice_marker *marker,
			 struct index_entries *entries)
{
	struct sluice_aborted_txn txn;
	int ret;

	if (!sluice_producer_state_aborts(log->producers, b, marker, &txn))
		return 0;
	entries->txn = true;
	ret = sluice_txn_index_write(&log->active->txn_index, log->dir, log->active->base_offset,
				     &txn);
	if (ret)
		a->why = "the transaction index could not be written";
	return ret;
}

/* Cuts the files back; a log whose tail cannot be cut is no longer one to append to. */
static void undo(struct sluice_log *log, const struct index_entries *entries)
{
	struct sluice_segment *seg = log->active;
	int ret;

	ret = port_file_truncate(seg->file, seg->published);
	seg->reserved = seg->published;
	/* Of the other indexes what is not published is in memory. */
	if (!ret && entries->txn)
		ret = sluice_txn_index_undo(&seg->txn_index);
	if (ret)
		sluice_log_set_failed(log, ret);
}

/* Before the log end moves: who sees the batch must see what it undecides. */
static void publish_producer(struct sluice_log *log, const struct sluice_batch *b,
			     const struct sluice_marker *marker)
{
	s64 end_offset = sluice_batch_last_offset(b) + 1;

	if (b->producer_id < 0)
		return;
	sluice_producer_state_update(log->producers, b, marker);
	sluice_producer_state_replicated(log->producers,
					 min_t(s64, end_offset, log->watermark.high_watermark));
	sluice_watermark_set_first_unstable(&log->watermark,
					    sluice_producer_state_first_unstable(log->producers));
}

/* The order is that of watermark.h. */
static void publish(struct sluice_log *log, const struct sluice_batch *b,
		    const struct sluice_marker *marker, const struct index_entries *entries)
{
	struct sluice_segment *seg = log->active;

	if (entries->offset)
		sluice_offset_index_publish(&seg->offset_index,
					    (u32)(sluice_batch_last_offset(b) - seg->base_offset),
					    (u32)seg->published);
	if (entries->time)
		sluice_time_index_publish(&seg->time_index, &entries->time_entry);
	if (entries->txn)
		sluice_txn_index_publish(&seg->txn_index);
	sluice_segment_note_timestamp(seg, b);
	sluice_leader_epochs_assign(&log->epochs, b->leader_epoch, b->base_offset);
	if (!seg->published)
		log->roll_base_ms = b->max_timestamp;
	WRITE_ONCE(log->size_bytes, log->size_bytes + b->size);
	/* Pairs with sluice_segment_published(). */
	smp_store_release(&seg->published, seg->published + b->size);
	publish_producer(log, b, marker);
	log->batches_end = sluice_batch_last_offset(b) + 1;
	sluice_watermark_set_log_end(&log->watermark, sluice_batch_last_offset(b) + 1);
}

void sluice_log_publish_stored(struct sluice_log *log, const struct sluice_batch *b)
{
	struct index_entries entries = { 0 };
	struct sluice_append a;
	int ret = write_entries(log, &a, b, &entries);

	port_mutex_assert_held(&log->append_mutex);
	if (ret)
		entries = (struct index_entries){ 0 };
	publish(log, b, NULL, &entries);
}

/* Behind the published end, the batch as it is to stay: checked, with its offset and time. */
static int store_batch(struct sluice_log *log, struct sluice_append *a, struct sluice_batch *b,
		       struct sluice_append_source *src)
{
	bool stamps = a->as != SLUICE_APPEND_AS_REPLICA;
	bool stamps_time = stamps && log->config.log_append_time;
	struct sluice_segment *seg = log->active;
	int ret;

	if (stamps)
		sluice_batch_stamp(src->bytes, b->base_offset, b->leader_epoch);
	if (src->whole && stamps_time)
		stamp_whole(a, b, src);
	ret = src->whole ? store_whole(seg, a, src) : store_sent(seg, a, b, src);
	if (!ret && sluice_append_records_matter(log, a, b))
		ret = sluice_append_check_records(log, a, seg->file, seg->published, b);
	if (!ret && !src->whole && stamps_time)
		ret = stamp_stored(seg, a, b, src);
	return ret;
}

static __always_inline int write_batch(struct sluice_log *log, struct sluice_append *a,
				       struct sluice_batch *b, const struct sluice_marker *marker,
				       struct sluice_append_source *src)
{
	struct index_entries entries = { 0 };
	int ret;

	ret = store_batch(log, a, b, src);
	if (!ret)
		ret = write_entries(log, a, b, &entries);
	if (!ret && marker)
		ret = write_aborted(log, a, b, marker, &entries);
	if (ret) {
		undo(log, &entries);
		return ret;
	}
	publish(log, b, marker, &entries);
	return 0;
}

/* The marker of a control batch into *@marker, which becomes NULL if there is none. */
static int read_marker(struct sluice_append *a, const struct sluice_batch *b,
		       struct sluice_append_source *src, struct sluice_marker **marker)
{
	int ret;

	if (!(b->attributes & SLUICE_BATCH_CONTROL)) {
		*marker = NULL;
		return 0;
	}
	ret = sluice_append_source_fill(src, a, b->size);
	if (ret)
		return ret;
	ret = sluice_marker_parse(b, src->bytes + SLUICE_BATCH_HEADER_LEN,
				  src->len - SLUICE_BATCH_HEADER_LEN, *marker);
	if (!ret)
		return 0;
	*marker = NULL;
	/* A leader knows what it lets in, also where compaction left a batch empty. */
	if (a->as == SLUICE_APPEND_AS_REPLICA)
		return 0;
	a->why = "the control batch is no marker of a transaction's end";
	return -EINVAL;
}

/* 1: it is a duplicate, all is said. */
static inline int check_producer(struct sluice_log *log, struct sluice_append *a,
				 const struct sluice_batch *b,
				 const struct sluice_marker *marker)
{
	const struct sluice_producer_append pa = {
		.b = b,
		.marker = marker,
		.as = a->as,
		.transaction_version = a->transaction_version,
	};
	struct sluice_producer_batch dup;
	int ret;

	if (b->producer_id < 0)
		return 0;
	ret = sluice_producer_state_check(log->producers, &pa, &dup, &a->why);
	if (ret <= 0)
		return ret;
	a->duplicate = true;
	a->base_offset = dup.last_offset - dup.offset_delta;
	a->last_offset = dup.last_offset;
	a->log_append_time = dup.timestamp;
	return 1;
}

static int place(struct sluice_log *log, struct sluice_append *a, struct sluice_batch *b)
{
	int ret = log->open ? sluice_log_seal_locked(log) : 0;

	if (ret) {
		a->why = "the batch before could not be written";
		return ret;
	}
	if (a->as != SLUICE_APPEND_AS_REPLICA) {
		b->base_offset = sluice_watermark_log_end(&log->watermark);
		b->leader_epoch = log->leader_epoch;
		if (b->base_offset >= S64_MAX - b->last_offset_delta) {
			a->why = "the log has no more offsets";
			return -EOVERFLOW;
		}
	}
	ret = sluice_leader_epochs_reserve(&log->epochs, b->leader_epoch);
	if (ret) {
		a->why = ret == -ENOMEM ? "no memory for the leader epoch" :
					  "the log has batches of too many leader epochs";
		return ret;
	}
	ret = sluice_log_make_room(log, b);
	if (ret)
		a->why = "the next segment could not be created";
	return ret;
}

/* 0: append it; 1: it is a duplicate, all is said. */
static __always_inline int check_batch(struct sluice_log *log, struct sluice_append *a,
				       const struct sluice_batch *b,
				       struct sluice_append_source *src,
				       struct sluice_marker **marker)
{
	int ret;

	ret = sluice_append_check_header(log, a, b);
	if (!ret)
		ret = read_marker(a, b, src, marker);
	if (!ret)
		ret = check_producer(log, a, b, *marker);
	if (ret < 0)
		ret = sluice_append_source_judge(src, a, ret, b);
	return ret;
}

static __always_inline int append_locked(struct sluice_log *log, struct sluice_append *a,
					 struct sluice_append_source *src)
{
	struct sluice_marker bytes PORT_UNSET, *marker = &bytes;
	struct sluice_batch b PORT_UNSET;
	int ret;

	port_mutex_assert_held(&log->append_mutex);
	a->generation = log->generation;
	if (sluice_log_failed(log)) {
		a->why = "the log failed earlier and takes no more appends";
		return -EIO;
	}
	ret = sluice_append_check_size(log, a, src, &b);
	if (!ret)
		ret = check_batch(log, a, &b, src, &marker);
	if (ret)
		return min(ret, 0);
	ret = place(log, a, &b);
	if (!ret)
		ret = write_batch(log, a, &b, marker, src);
	if (ret)
		return ret;
	a->base_offset = b.base_offset;
	a->last_offset = sluice_batch_last_offset(&b);
	/* A roll may be of an earlier append that failed after it. */
	a->rolled = log->active->published == b.size && log->active->base_offset > 0;
	a->housekeeping = a->rolled || sluice_log_prepare_due(log);
	port_trace_append(log, b.base_offset, b.record_count, b.size);
	return 0;
}

int sluice_log_append(struct sluice_log *log, struct sluice_append *a)
{
	struct sluice_append_source src PORT_UNSET;
	int ret;

	a->base_offset = -1;
	a->last_offset = -1;
	a->record_count = 0;
	a->size = 0;
	a->log_append_time = -1;
	a->duplicate = false;
	a->rolled = false;
	a->housekeeping = false;
	a->why = NULL;

	/* Before the mutex: memory of a slow or hostile caller delays only itself. */
	ret = sluice_append_source_init(&src, a, READ_ONCE(log->whole_max));
	if (!ret) {
		port_mutex_lock(&log->append_mutex);
		ret = append_locked(log, a, &src);
		port_mutex_unlock(&log->append_mutex);
	}
	sluice_append_source_end(&src);
	return ret;
}
