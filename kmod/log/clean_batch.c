// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* What compaction leaves of a batch. */
#include "clean_batch.h"
#include "record.h"

#define RECORD_BYTES_MIN	7	/* five numbers, attributes, a count */

/* The records of a batch, opened; and which of them stay. */
struct records {
	const struct sluice_batch *b;
	const u8 *p;
	size_t len;
	u8 *kept;	/* one byte for each */
	u32 kept_count;
	bool tombstones;	/* among those kept */
	s64 first_time;	/* of those kept */
	s64 max_time;
};

/* -EBADMSG: whatever is in there is not @b->record_count records. */
static int open_records(const struct sluice_batch *b, const u8 *bytes,
			struct sluice__bytes *inflated, struct records *ret_r)
{
	int codec = b->attributes & SLUICE_BATCH_COMPRESSION_MASK;
	struct records r = {
		.b = b,
		.p = bytes + SLUICE_BATCH_HEADER_LEN,
		.len = b->size - SLUICE_BATCH_HEADER_LEN,
		.max_time = -1,
	};
	int ret;

	if (codec != SLUICE_COMPRESSION_NONE && b->record_count) {
		ret = sluice__decompress(codec, r.p, r.len, SLUICE_CLEAN_INFLATED_MAX, inflated);
		if (ret)
			return ret == -ENOMEM ? ret : -EBADMSG;
		r.p = inflated->p;
		r.len = inflated->len;
	}
	if (r.len / RECORD_BYTES_MIN < (u32)b->record_count)
		return -EBADMSG;
	*ret_r = r;
	return 0;
}

/* The record at *pos, which is moved behind it. Offsets must rise in the batch's bounds. */
static int next_record(const struct records *r, size_t *pos, s32 *last_delta,
		       struct sluice_record *ret_rec)
{
	struct sluice_record rec;

	if (sluice_record_parse(r->p + *pos, r->len - *pos, &rec))
		return -EBADMSG;
	if (rec.offset_delta <= *last_delta || rec.offset_delta > r->b->last_offset_delta)
		return -EBADMSG;
	*last_delta = rec.offset_delta;
	*pos += rec.end;
	*ret_rec = rec;
	return 0;
}

int sluice_clean_map_batch(struct sluice_clean_map *map, struct sluice_clean_txn *txn,
			   const struct sluice_batch *b, const u8 *bytes, s64 start,
			   struct sluice__bytes *inflated)
{
	const struct sluice_aborted_txn *index;
	const u8 *p = bytes + SLUICE_BATCH_HEADER_LEN;
	struct sluice_record rec;
	s32 last_delta = -1, i;
	struct records r;
	size_t pos = 0;
	int ret;

	if (b->attributes & SLUICE_BATCH_CONTROL)
		ret = sluice_clean_txn_marker(txn, b, p, b->size - SLUICE_BATCH_HEADER_LEN, &index);
	else
		ret = sluice_clean_txn_batch(txn, b);
	if (ret < 0)
		return ret;
	if (!ret && !(b->attributes & SLUICE_BATCH_CONTROL)) {
		ret = open_records(b, bytes, inflated, &r);
		for (i = 0; !ret && i < b->record_count; i++) {
			const u8 *at = r.p + pos;

			ret = next_record(&r, &pos, &last_delta, &rec);
			if (ret || rec.key_len < 0 || b->base_offset + rec.offset_delta < start)
				continue;
			if (!sluice_clean_map_put(map, at + rec.key_pos, (size_t)rec.key_len,
						  b->base_offset + rec.offset_delta))
				return 1;
		}
		if (ret && ret != -EBADMSG)
			return ret;
	}
	if (sluice_batch_last_offset(b) >= start)
		map->end_offset = sluice_batch_last_offset(b) + 1;
	return 0;
}

/* Of producers that are remembered the last batch stays, see struct sluice_clean_producer. */
static bool is_last_of_producer(const struct sluice_clean_filter *f, const struct sluice_batch *b)
{
	u32 low = 0, high = f->producer_count;
	const struct sluice_clean_producer *p;

	if (b->producer_id < 0)
		return false;
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (f->producers[middle].id < b->producer_id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == f->producer_count || f->producers[low].id != b->producer_id)
		return false;
	p = &f->producers[low];
	if (p->last_offset >= 0)
		return p->last_offset == sluice_batch_last_offset(b);
	return b->attributes & SLUICE_BATCH_CONTROL && b->producer_epoch == p->epoch;
}

/* For tombstones and markers: has everybody had the time to see them. */
static bool horizon_passed(const struct sluice_clean_filter *f, const struct sluice_batch *b)
{
	return b->attributes & SLUICE_BATCH_DELETE_HORIZON && b->base_timestamp <= f->now_ms;
}

static bool keep_record(const struct sluice_clean_filter *f, const struct sluice_batch *b,
			const u8 *at, const struct sluice_record *rec,
			struct sluice_clean_result *result)
{
	s64 offset = b->base_offset + rec->offset_delta;

	if (b->attributes & SLUICE_BATCH_CONTROL || offset >= f->map->end_offset)
		return true;
	if (rec->key_len < 0) {
		result->records_without_key++;
		return false;
	}
	if (offset < sluice_clean_map_get(f->map, at + rec->key_pos, (size_t)rec->key_len))
		return false;
	return rec->value_len >= 0 || !horizon_passed(f, b);
}

static s64 record_time(const struct sluice_batch *b, const struct sluice_record *rec)
{
	if (b->attributes & SLUICE_BATCH_LOG_APPEND_TIME)
		return b->max_timestamp;
	/* Unsigned, because times are anybody's and may wrap. */
	return (s64)((u64)b->base_timestamp + (u64)rec->timestamp_delta);
}

static int judge_records(const struct sluice_clean_filter *f, struct records *r,
			 struct sluice_clean_result *result)
{
	struct sluice_record rec;
	s32 last_delta = -1, i;
	size_t pos = 0;

	for (i = 0; i < r->b->record_count; i++) {
		const u8 *at = r->p + pos;
		s64 time;

		if (next_record(r, &pos, &last_delta, &rec))
			return -EBADMSG;
		r->kept[i] = keep_record(f, r->b, at, &rec, result);
		if (!r->kept[i])
			continue;
		time = record_time(r->b, &rec);
		if (!r->kept_count++)
			r->first_time = time;
		r->max_time = max(r->max_time, time);
		r->tombstones |= rec.value_len < 0;
	}
	return 0;
}

/* The records that stay, with times relative to @base_time; @to has the room. */
static size_t encode_records(const struct records *r, s64 base_time, u8 *to)
{
	struct sluice_record rec;
	s32 last_delta = -1, i;
	size_t pos = 0;
	u8 *p = to;

	for (i = 0; i < r->b->record_count; i++) {
		const u8 *at = r->p + pos;
		s64 delta;
		size_t tail;

		/* It was read before, so it can be read again. */
		if (next_record(r, &pos, &last_delta, &rec) || !r->kept[i])
			continue;
		delta = (s64)((u64)record_time(r->b, &rec) - (u64)base_time);
		tail = rec.end - rec.offset_pos;
		p += sluice_varint_write(p, (s32)(1 + sluice_varlong_size(delta) + tail));
		*p++ = 0;	/* attributes, of which none is in use */
		p += sluice_varlong_write(p, delta);
		memcpy(p, at + rec.offset_pos, tail);
		p += tail;
	}
	return (size_t)(p - to);
}

/* The old header, with the fields of @b, in front of what is in the batch; and its CRC. */
static void seal(struct sluice__bytes *batch, const u8 *old, const struct sluice_batch *b)
{
	struct sluice_batch_header *h = (struct sluice_batch_header *)batch->p;

	memcpy(h, old, SLUICE_BATCH_HEADER_LEN);
	put_unaligned_be32((u32)(batch->len - SLUICE_BATCH_PREFIX_LEN), &h->length);
	put_unaligned_be16(b->attributes, &h->attributes);
	put_unaligned_be64((u64)b->base_timestamp, &h->base_timestamp);
	put_unaligned_be64((u64)b->max_timestamp, &h->max_timestamp);
	put_unaligned_be32((u32)b->record_count, &h->record_count);
	put_unaligned_be32(port_crc32c(0, batch->p + SLUICE_BATCH_CRC_START,
				       batch->len - SLUICE_BATCH_CRC_START), &h->crc);
}

/* Compresses what was encoded, as the batch was, or takes it as it is. */
static int pack(struct sluice_clean_filter *f, int codec)
{
	int ret;

	if (codec == SLUICE_COMPRESSION_NONE) {
		f->batch.len = SLUICE_BATCH_HEADER_LEN + f->records.len;
		ret = sluice__bytes_reserve(&f->batch, f->batch.len);
		if (!ret)
			memcpy(f->batch.p + SLUICE_BATCH_HEADER_LEN, f->records.p, f->records.len);
		return ret;
	}
	ret = sluice__compress(codec, f->records.p, f->records.len, &f->deflated);
	if (ret)
		return ret;
	f->batch.len = SLUICE_BATCH_HEADER_LEN + f->deflated.len;
	ret = sluice__bytes_reserve(&f->batch, f->batch.len);
	if (!ret)
		memcpy(f->batch.p + SLUICE_BATCH_HEADER_LEN, f->deflated.p, f->deflated.len);
	return ret;
}

static int rebuild(struct sluice_clean_filter *f, const struct records *r, const u8 *bytes,
		   bool set_horizon, struct sluice_batch *h)
{
	size_t room = r->len + (size_t)r->kept_count * (SLUICE_VARLONG_MAX + SLUICE_VARINT_MAX);
	int ret;

	if (set_horizon) {
		h->attributes |= SLUICE_BATCH_DELETE_HORIZON;
		h->base_timestamp = f->now_ms > S64_MAX - f->delete_retention_ms ?
				    S64_MAX : f->now_ms + f->delete_retention_ms;
	} else if (!(h->attributes & SLUICE_BATCH_DELETE_HORIZON)) {
		h->base_timestamp = r->first_time;
	}
	if (!(h->attributes & SLUICE_BATCH_LOG_APPEND_TIME))
		h->max_timestamp = r->max_time;
	h->record_count = (s32)r->kept_count;
	ret = sluice__bytes_reserve(&f->records, room);
	if (ret)
		return ret;
	f->records.len = encode_records(r, h->base_timestamp, f->records.p);
	ret = pack(f, h->attributes & SLUICE_BATCH_COMPRESSION_MASK);
	if (ret)
		return ret;
	if (f->batch.len > S32_MAX)
		return -EMSGSIZE;
	h->size = (u32)f->batch.len;
	seal(&f->batch, bytes, h);
	return 0;
}

static int make_empty(struct sluice_clean_filter *f, const u8 *bytes, struct sluice_batch *h)
{
	int ret = sluice__bytes_reserve(&f->batch, SLUICE_BATCH_HEADER_LEN);

	if (ret)
		return ret;
	h->attributes &= SLUICE_BATCH_LOG_APPEND_TIME | SLUICE_BATCH_TRANSACTIONAL |
			 SLUICE_BATCH_CONTROL;
	h->base_timestamp = -1;
	h->record_count = 0;
	h->size = SLUICE_BATCH_HEADER_LEN;
	f->batch.len = SLUICE_BATCH_HEADER_LEN;
	seal(&f->batch, bytes, h);
	return 0;
}

/* Some or all of the records may stay. */
static int filter_records(struct sluice_clean_filter *f, const struct sluice_batch *b,
			  const u8 *bytes, bool has_spent_marker,
			  struct sluice_clean_result *result)
{
	bool set_horizon;
	struct records r;
	int ret;

	ret = open_records(b, bytes, &f->inflated, &r);
	if (ret)
		return ret;
	/* The batch's buffer is not used before the records have been judged. */
	ret = sluice__bytes_reserve(&f->batch, (size_t)b->record_count + 1);
	if (ret)
		return ret;
	r.kept = f->batch.p;
	ret = judge_records(f, &r, result);
	if (ret)
		return ret;
	result->records_read = (u32)b->record_count;
	result->records_kept = r.kept_count;
	if (!r.kept_count)
		return 0;
	set_horizon = (r.tombstones || has_spent_marker) &&
		      !(b->attributes & SLUICE_BATCH_DELETE_HORIZON);
	if (r.kept_count == (u32)b->record_count && !set_horizon) {
		result->bytes = bytes;
		return 0;
	}
	ret = rebuild(f, &r, bytes, set_horizon, &result->header);
	if (ret == -EMSGSIZE || (!ret && result->header.size > f->size_max)) {
		result->header = *b;
		result->bytes = bytes;
		result->records_kept = (u32)b->record_count;
		return 0;
	}
	result->bytes = f->batch.p;
	return ret;
}

int sluice_clean_batch(struct sluice_clean_filter *f, const struct sluice_batch *b,
		       const u8 *bytes, struct sluice_clean_result *ret_result)
{
	struct sluice_clean_result result = { .header = *b };
	bool control = b->attributes & SLUICE_BATCH_CONTROL;
	bool spent, discard;
	int ret;

	if (control)
		ret = sluice_clean_txn_marker(&f->txn, b, bytes + SLUICE_BATCH_HEADER_LEN,
					      b->size - SLUICE_BATCH_HEADER_LEN, &result.index);
	else
		ret = sluice_clean_txn_batch(&f->txn, b);
	if (ret < 0)
		return ret;
	spent = ret;
	/* A marker waits for its horizon, as a tombstone does. */
	discard = spent && (!control || horizon_passed(f, b));
	ret = 0;
	if (!discard)
		ret = filter_records(f, b, bytes, control && spent, &result);
	if (ret == -EBADMSG) {
		result.malformed = true;
		result.bytes = bytes;
		ret = 0;
	}
	if (!ret && !result.bytes &&
	    (is_last_of_producer(f, b) || sluice_batch_last_offset(b) + 1 == f->end_offset)) {
		/* One that is empty already stays as it is. */
		ret = b->record_count ? make_empty(f, bytes, &result.header) : 0;
		result.bytes = b->record_count ? f->batch.p : bytes;
	}
	*ret_result = result;
	return ret;
}

void sluice_clean_filter_destroy(struct sluice_clean_filter *f)
{
	sluice_clean_txn_destroy(&f->txn);
	sluice__bytes_free(&f->inflated);
	sluice__bytes_free(&f->records);
	sluice__bytes_free(&f->deflated);
	sluice__bytes_free(&f->batch);
}
