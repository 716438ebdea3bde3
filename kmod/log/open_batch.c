// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The open batch: opening, adding records, sealing, and reading in it. */
#include "open_batch.h"
#include "append_check.h"

/* Space is reserved in pieces of this, so that not every batch asks for some. */
#define RESERVE_BYTES	(64 * 1024)

/* Length, attributes, both deltas, key and value null, no header. */
#define RECORD_BYTES_MIN	7

#define APPEND_ALONE	1

void sluice_open_batch_get(struct sluice_open_batch *ob)
{
	port_ref_get(&ob->ref);
}

void sluice_open_batch_put(struct sluice_open_batch *ob)
{
	if (!port_ref_put(&ob->ref))
		return;
	port_free(ob->bytes);
	port_free(ob);
}

static struct sluice_open_batch *get_open(struct sluice_log *log)
{
	struct sluice_open_batch *ob;

	port_spin_lock(&log->segments.lock);
	ob = log->open;
	if (ob)
		sluice_open_batch_get(ob);
	port_spin_unlock(&log->segments.lock);
	return ob;
}

struct sluice_open_batch *sluice_log_open_batch(struct sluice_log *log, s64 offset)
{
	struct sluice_open_batch *ob;

	if (offset >= sluice_watermark_log_end(&log->watermark))
		return NULL;
	/* Again if it was sealed meanwhile: then the sealed end has moved. */
	while (offset >= sluice_log_sealed_end(log)) {
		ob = get_open(log);
		if (ob && ob->base_offset <= offset)
			return ob;
		if (ob)
			sluice_open_batch_put(ob);
	}
	return NULL;
}

static void set_open(struct sluice_log *log, struct sluice_open_batch *ob)
{
	port_spin_lock(&log->segments.lock);
	log->open = ob;
	port_spin_unlock(&log->segments.lock);
}

int sluice_open_batch_read(const struct sluice_open_batch *ob, u64 pos,
			   struct sluice_record *ret_r)
{
	/* Pairs with publish_record(). */
	u32 len = smp_load_acquire(&ob->len);

	if (pos >= len)
		return 0;
	/* Whole records of our own: it cannot fail. */
	return sluice_record_read_memory(ob->bytes, pos, len, ret_r) ? 0 : 1;
}

s64 sluice_log_sealed_end(const struct sluice_log *log)
{
	return sluice_watermark_sealed_end(&log->watermark);
}

static void batch_of(const struct sluice_open_batch *ob, struct sluice_batch *ret_b)
{
	*ret_b = (struct sluice_batch){
		.base_offset = ob->base_offset,
		.size = ob->len,
		.leader_epoch = ob->leader_epoch,
		.attributes = ob->attributes,
		.last_offset_delta = ob->record_count - 1,
		.base_timestamp = ob->base_timestamp,
		.max_timestamp = ob->max_timestamp,
		.producer_id = -1,
		.producer_epoch = -1,
		.base_sequence = -1,
		.record_count = ob->record_count,
	};
}

/*
 * Its records were acknowledged: there is nobody left to refuse them to, so a
 * write that fails ends the log. The batch then stays open, for readers to see
 * what they were told of.
 */
int sluice_log_seal_locked(struct sluice_log *log)
{
	struct sluice_open_batch *ob = log->open;
	struct sluice_batch b;
	int ret;

	port_mutex_assert_held(&log->append_mutex);
	if (!ob)
		return 0;
	if (sluice_log_failed(log))
		return -EIO;
	batch_of(ob, &b);
	sluice_batch_write_header(ob->bytes, &b);
	ret = port_file_write(log->active->file, log->active->published, ob->bytes, b.size);
	if (ret) {
		sluice_log_set_failed(log, ret);
		return ret;
	}
	sluice_log_publish_stored(log, &b);
	sluice_watermark_set_open_base(&log->watermark, S64_MAX);
	set_open(log, NULL);
	sluice_open_batch_put(ob);
	return 0;
}

int sluice_log_seal(struct sluice_log *log)
{
	s64 log_end = sluice_watermark_log_end(&log->watermark);
	int ret;

	/* Without the mutex, which an append may hold while the storage is slow. */
	if (sluice_log_sealed_end(log) >= log_end)
		return 0;
	port_mutex_lock(&log->append_mutex);
	ret = sluice_log_seal_locked(log);
	port_mutex_unlock(&log->append_mutex);
	return ret;
}

int sluice_log_linger(struct sluice_log *log, s64 *ret_left_ms)
{
	s64 left = -1;
	int ret = 0;

	port_mutex_lock(&log->append_mutex);
	if (log->open) {
		left = log->open->linger_from + log->open->linger_ms - port_now_ms();
		/* The wall clock may have been set back. */
		left = min_t(s64, left, log->open->linger_ms);
		if (left <= 0) {
			ret = sluice_log_seal_locked(log);
			left = -1;
		}
	}
	port_mutex_unlock(&log->append_mutex);
	*ret_left_ms = left;
	return ret;
}

static inline u32 linger_ms_of(const struct sluice_log *log, const struct sluice_append_record *a)
{
	const struct sluice_batching *own = a->batching;

	return own && own->linger_ms >= 0 ? (u32)own->linger_ms : log->config.linger_ms;
}

static inline u32 batch_bytes_of(const struct sluice_log *log,
				 const struct sluice_append_record *a)
{
	const struct sluice_batching *own = a->batching;

	return own && own->batch_bytes >= 0 ? (u32)own->batch_bytes : log->config.batch_bytes;
}

/* Have @ob sealed when the record of @a wants it, if nobody wants it sooner. */
static inline void limit_linger(const struct sluice_log *log, struct sluice_open_batch *ob,
				struct sluice_append_record *a)
{
	u32 linger_ms = linger_ms_of(log, a);

	/* Its first record has said nothing yet. */
	if (ob->record_count && a->now + linger_ms >= ob->linger_from + ob->linger_ms)
		return;
	ob->linger_from = a->now;
	ob->linger_ms = linger_ms;
	a->lingers = true;
	a->seal_in_ms = linger_ms;
}

/*
 * Space for @limit bytes behind what the active segment has. A file system that
 * cannot promise it leaves the promise to luck.
 */
static int reserve(struct sluice_segment *seg, u32 limit)
{
	u64 end = seg->published + limit;
	u64 piece = (end + RESERVE_BYTES - 1) / RESERVE_BYTES * RESERVE_BYTES;
	int ret;

	if (end <= seg->reserved)
		return 0;
	ret = port_file_reserve(seg->file, seg->published, piece - seg->published);
	if (ret == -ENOSPC || ret == -EDQUOT) {
		piece = end;
		ret = port_file_reserve(seg->file, seg->published, limit);
	}
	if (ret && ret != -EOPNOTSUPP)
		return ret;
	seg->reserved = piece;
	return 0;
}

static const char *why_not_opened(int err)
{
	switch (err) {
	case -ENOSPC:
	case -EDQUOT:
		return "no space is left for the batch";
	case -ENOMEM:
		return "there is no memory for the open batch";
	default:
		return "the space for the batch could not be reserved";
	}
}

/* A batch that nobody sees yet, for @r and what comes after it. */
static int open_new(struct sluice_log *log, struct sluice_append_record *a,
		    const struct sluice_record_out *r, size_t alone,
		    struct sluice_open_batch **ret_ob)
{
	const struct sluice_log_config *c = &log->config;
	u32 batch_bytes = batch_bytes_of(log, a);
	/* As far as its offsets and its size can reach. */
	struct sluice_batch b = {
		.base_offset = sluice_watermark_log_end(&log->watermark),
		.size = (u32)alone,
		.max_timestamp = r->timestamp,
		.last_offset_delta = (s32)(batch_bytes / RECORD_BYTES_MIN),
	};
	struct sluice_open_batch *ob;
	u32 room;
	int ret;

	ret = sluice_leader_epochs_reserve(&log->epochs, log->leader_epoch);
	if (ret) {
		a->why = "there is no room for another leader epoch";
		return ret;
	}
	ret = sluice_log_make_room(log, &b);
	if (ret) {
		a->why = "the next segment could not be created";
		return ret;
	}
	ret = -ENOMEM;
	ob = port_alloc(sizeof(*ob));
	if (!ob)
		goto err_batch;
	/* Each of them is at least @alone. */
	room = (u32)(c->segment_bytes - log->active->published);
	ob->limit = min(room, c->max_message_bytes);
	ob->limit = min(ob->limit, batch_bytes);
	ob->bytes = port_alloc(ob->limit);
	if (!ob->bytes)
		goto err_bytes;
	ret = reserve(log->active, ob->limit);
	if (ret)
		goto err_reserve;

	port_ref_init(&ob->ref);
	ob->len = SLUICE_BATCH_HEADER_LEN;
	ob->base_offset = b.base_offset;
	ob->leader_epoch = log->leader_epoch;
	ob->opened_ms = a->now;
	ob->base_timestamp = r->timestamp;
	if (c->log_append_time) {
		ob->attributes = SLUICE_BATCH_LOG_APPEND_TIME;
		ob->base_timestamp = ob->opened_ms;
	}
	ob->max_timestamp = ob->base_timestamp;
	*ret_ob = ob;
	return 0;

err_reserve:
	port_free(ob->bytes);
err_bytes:
	port_free(ob);
err_batch:
	a->why = why_not_opened(ret);
	return ret;
}

/**
 * struct placed_record - a record and its place in the open batch
 * @r: the record
 * @timestamp: the record's or, with LogAppendTime, the batch's
 * @size: what it takes there
 * @timestamp_delta: to the batch's base
 * @offset_delta: the same
 */
struct placed_record {
	const struct sluice_record_out *r;
	s64 timestamp;
	struct sluice_record_size size;
	s64 timestamp_delta;
	s32 offset_delta;
};

static inline void place(struct placed_record *pr, const struct sluice_open_batch *ob)
{
	pr->timestamp = ob->attributes ? ob->base_timestamp : pr->r->timestamp;
	/* Unsigned: times are the producer's, and may be far apart. */
	pr->timestamp_delta = (s64)((u64)pr->timestamp - (u64)ob->base_timestamp);
	pr->offset_delta = ob->record_count;
	sluice_record_size_at(&pr->size, pr->timestamp_delta, pr->offset_delta);
}

static inline bool takes(const struct sluice_log *log, const struct sluice_open_batch *ob,
			 const struct placed_record *pr, const struct sluice_append_record *a)
{
	bool log_append_time = ob->attributes & SLUICE_BATCH_LOG_APPEND_TIME;

	if (pr->size.whole > ob->limit - ob->len || ob->leader_epoch != log->leader_epoch ||
	    log_append_time != log->config.log_append_time || !linger_ms_of(log, a))
		return false;
	/* Who has no say of its own goes where it fits. */
	return !a->batching || ob->len + pr->size.whole <= batch_bytes_of(log, a);
}

static void publish_record(struct sluice_log *log, struct sluice_open_batch *ob,
			   const struct placed_record *pr)
{
	ob->record_count++;
	if (pr->timestamp > ob->max_timestamp)
		ob->max_timestamp = pr->timestamp;
	/* Pairs with sluice_open_batch_read(). */
	smp_store_release(&ob->len, ob->len + (u32)pr->size.whole);
	sluice_watermark_set_log_end(&log->watermark, ob->base_offset + ob->record_count);
}

static inline int check_record(const struct sluice_log *log, struct sluice_append_record *a)
{
	if (READ_ONCE(log->failed)) {
		a->why = "the log failed earlier and takes no more appends";
		return -EIO;
	}
	return sluice_append_check_record(&log->config, a->record->key_len >= 0,
					  a->record->timestamp, a->now, &a->why);
}

/* May a batch begin with a record that takes @alone bytes as one? Or APPEND_ALONE. */
static int check_batch(const struct sluice_log *log, struct sluice_append_record *a, size_t alone)
{
	const struct sluice_log_config *c = &log->config;
	u32 batch_bytes = batch_bytes_of(log, a);

	if (alone > c->max_message_bytes) {
		a->why = "the record is larger than max.message.bytes";
		return -EMSGSIZE;
	}
	if (alone > c->segment_bytes) {
		a->why = "the record is larger than segment.bytes";
		return -EMSGSIZE;
	}
	if (sluice_watermark_log_end(&log->watermark) >=
	    S64_MAX - 1 - (s64)(batch_bytes / RECORD_BYTES_MIN)) {
		a->why = "the log has no more offsets";
		return -EOVERFLOW;
	}
	return !linger_ms_of(log, a) || alone > batch_bytes ? APPEND_ALONE : 0;
}

/* A batch for @pr, which does not go into the one that is open, if any is. */
static int begin_batch(struct sluice_log *log, struct sluice_append_record *a,
		       struct placed_record *pr, struct sluice_open_batch **ret_ob)
{
	size_t alone;
	int ret;

	sluice_record_size_at(&pr->size, 0, 0);
	alone = SLUICE_BATCH_HEADER_LEN + pr->size.whole;
	ret = check_batch(log, a, alone);
	if (ret)
		return ret;
	ret = sluice_log_seal_locked(log);
	if (ret) {
		a->why = "the batch before could not be written";
		return ret;
	}
	ret = open_new(log, a, pr->r, alone, ret_ob);
	if (!ret)
		place(pr, *ret_ob);
	return ret;
}

static int append_locked(struct sluice_log *log, struct sluice_append_record *a,
			 struct placed_record *pr)
{
	struct sluice_open_batch *ob = log->open, *opened = NULL;
	int ret;

	ret = check_record(log, a);
	if (ret)
		return ret;
	if (ob)
		place(pr, ob);
	if (!ob || !takes(log, ob, pr, a)) {
		ret = begin_batch(log, a, pr, &opened);
		if (ret)
			return ret;
		ob = opened;
	}
	ret = sluice_record_write(ob->bytes + ob->len, pr->r, &pr->size, pr->timestamp_delta,
				  pr->offset_delta, false);
	if (ret) {
		if (opened)
			sluice_open_batch_put(opened);
		return ret;
	}
	if (opened) {
		sluice_leader_epochs_assign(&log->epochs, opened->leader_epoch,
					    opened->base_offset);
		set_open(log, opened);
		sluice_watermark_set_open_base(&log->watermark, opened->base_offset);
		a->rolled = !log->active->published && log->active->base_offset > 0;
		a->housekeeping = a->rolled || sluice_log_prepare_due(log);
		a->new_batch = true;
	}
	limit_linger(log, ob, a);
	publish_record(log, ob, pr);
	a->generation = log->generation;
	a->offset = ob->base_offset + pr->offset_delta;
	a->size = (u32)pr->size.whole + (opened ? SLUICE_BATCH_HEADER_LEN : 0);
	a->log_append_time = ob->attributes ? ob->base_timestamp : -1;
	port_trace_append(log, a->offset, 1, a->size);
	return 0;
}

/* A record too large to share a batch, or a log whose batches do not linger. */
static int append_alone(struct sluice_log *log, struct sluice_append_record *a,
			const struct sluice_record_out *r)
{
	size_t size = sluice_batch_build_size(r);
	struct sluice_append batch = { 0 };
	struct port_memory_iter src;
	void *buf = port_alloc(size);
	int ret;

	if (!buf) {
		a->why = "there is no memory for the batch";
		return -ENOMEM;
	}
	/* Not under the mutex: memory of a slow or hostile caller delays only itself. */
	ret = sluice_batch_build(buf, size, r);
	if (ret) {
		a->why = "the record could not be read from the caller";
		goto out;
	}
	port_memory_iter_init(&src, buf, size);
	batch.src = &src.iter;
	ret = sluice_log_append(log, &batch);
	a->offset = batch.base_offset;
	a->size = batch.size;
	a->generation = batch.generation;
	a->log_append_time = batch.log_append_time;
	a->new_batch = true;
	a->rolled = batch.rolled;
	a->housekeeping = batch.housekeeping;
	a->why = batch.why;
out:
	port_free(buf);
	return ret;
}

static inline int append_once(struct sluice_log *log, struct sluice_append_record *a,
			      const struct sluice_record_out *r)
{
	struct placed_record pr = { .r = r };
	int ret;

	pr.size.parts = sluice_record_parts_size(r);
	port_mutex_lock(&log->append_mutex);
	ret = append_locked(log, a, &pr);
	port_mutex_unlock(&log->append_mutex);
	return ret;
}

/* The value is not in memory: fetch it while nobody waits for this one. */
static int append_staged(struct sluice_log *log, struct sluice_append_record *a)
{
	struct sluice_record_out r = *a->record;
	size_t len = (size_t)max(r.value_len, 0);
	void *value = port_alloc(len);
	int ret;

	if (!value) {
		a->why = "there is no memory for the record";
		return -ENOMEM;
	}
	ret = port_iter_copy(r.value_src, value, len);
	if (ret) {
		a->why = "the record could not be read from the caller";
		goto out;
	}
	r.value = value;
	r.value_src = NULL;
	ret = append_once(log, a, &r);
	if (ret == APPEND_ALONE)
		ret = append_alone(log, a, &r);
out:
	port_free(value);
	return ret;
}

int sluice_log_append_record(struct sluice_log *log, struct sluice_append_record *a)
{
	int ret;

	a->offset = -1;
	a->size = 0;
	a->log_append_time = -1;
	a->new_batch = false;
	a->lingers = false;
	a->rolled = false;
	a->housekeeping = false;
	a->why = NULL;
	ret = append_once(log, a, a->record);
	if (ret == APPEND_ALONE)
		return append_alone(log, a, a->record);
	if (ret == -EFAULT && !a->why)
		return append_staged(log, a);
	return ret;
}

void sluice_segment_unreserve(struct sluice_segment *seg)
{
	if (seg->reserved <= seg->published)
		return;
	/* Should it fail, some space stays taken: nothing to stop for. */
	if (!port_file_truncate(seg->file, seg->published))
		seg->reserved = seg->published;
}

void sluice_log_close_open(struct sluice_log *log)
{
	/* The host has flushed; after a failure there is nobody left to tell. */
	if (sluice_log_seal(log))
		port_warn("%s: records of the open batch are lost", port_dir_name(log->dir));
	else if (log->active && !sluice_log_failed(log))
		sluice_segment_unreserve(log->active);
	if (log->open)
		sluice_open_batch_put(log->open);
	log->open = NULL;
}
