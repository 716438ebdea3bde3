// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Encoding records, and the header of the batch they are in. */
#include "batch.h"
#include "record.h"

static inline size_t bytes_size(s32 len)
{
	return len < 0 ? 1 : sluice_varint_size(len) + (size_t)len;
}

size_t sluice_record_parts_size(const struct sluice_record_out *r)
{
	size_t size = 1 /* attributes */ + bytes_size(r->key_len) + bytes_size(r->value_len);
	u32 i;

	if (!r->header_count)
		return size + 1;
	size += sluice_varint_size((s32)r->header_count);
	for (i = 0; i < r->header_count; i++)
		size += bytes_size(r->headers[i].key_len) + bytes_size(r->headers[i].value_len);
	return size;
}

static inline u8 *put_bytes(u8 *p, const void *bytes, s32 len)
{
	/* Null is -1. */
	if (len < 0) {
		*p = 1;
		return p + 1;
	}
	p += sluice_varint_write(p, len);
	if (len) {
		memcpy(p, bytes, (size_t)len);
		p += len;
	}
	return p;
}

static inline u8 *put_headers(u8 *p, const struct sluice_record_out *r)
{
	u32 i;

	if (!r->header_count) {
		*p = 0;
		return p + 1;
	}
	p += sluice_varint_write(p, (s32)r->header_count);
	for (i = 0; i < r->header_count; i++) {
		p = put_bytes(p, r->headers[i].key, r->headers[i].key_len);
		p = put_bytes(p, r->headers[i].value, r->headers[i].value_len);
	}
	return p;
}

int sluice_record_write(u8 *buf, const struct sluice_record_out *r,
			const struct sluice_record_size *size, s64 timestamp_delta,
			s32 offset_delta, bool may_fault)
{
	size_t len = (size_t)max(r->value_len, 0);
	u8 *p = buf;
	int ret;

	p += sluice_varint_write(p, (s32)size->body);
	*p++ = 0;
	p += sluice_varlong_write(p, timestamp_delta);
	p += sluice_varint_write(p, offset_delta);
	p = put_bytes(p, r->key, r->key_len);
	if (r->value_src) {
		p += sluice_varint_write(p, r->value_len);
		ret = may_fault ? port_iter_copy(r->value_src, p, len) :
				  port_iter_peek(r->value_src, p, len);
		if (ret)
			return ret;
		p += len;
	} else {
		p = put_bytes(p, r->value, r->value_len);
	}
	put_headers(p, r);
	return 0;
}

void sluice_batch_write_header(void *buf, struct sluice_batch *b)
{
	struct sluice_batch_header *h = buf;

	sluice_batch_stamp(buf, b->base_offset, b->leader_epoch);
	put_unaligned_be32(b->size - SLUICE_BATCH_PREFIX_LEN, &h->length);
	h->magic = SLUICE_BATCH_MAGIC;
	put_unaligned_be16(b->attributes, &h->attributes);
	put_unaligned_be32((u32)b->last_offset_delta, &h->last_offset_delta);
	put_unaligned_be64((u64)b->base_timestamp, &h->base_timestamp);
	put_unaligned_be64((u64)b->max_timestamp, &h->max_timestamp);
	put_unaligned_be64((u64)b->producer_id, &h->producer_id);
	put_unaligned_be16((u16)b->producer_epoch, &h->producer_epoch);
	put_unaligned_be32((u32)b->base_sequence, &h->base_sequence);
	put_unaligned_be32((u32)b->record_count, &h->record_count);
	b->crc = port_crc32c(0, (const u8 *)buf + SLUICE_BATCH_CRC_START,
			     b->size - SLUICE_BATCH_CRC_START);
	put_unaligned_be32(b->crc, &h->crc);
}

static void size_alone(const struct sluice_record_out *r, struct sluice_record_size *size)
{
	size->parts = sluice_record_parts_size(r);
	sluice_record_size_at(size, 0, 0);
}

size_t sluice_batch_build_size(const struct sluice_record_out *r)
{
	struct sluice_record_size size;

	size_alone(r, &size);
	return SLUICE_BATCH_HEADER_LEN + size.whole;
}

int sluice_batch_build(void *buf, size_t size, const struct sluice_record_out *r)
{
	struct sluice_batch b = {
		.size = (u32)size,
		.leader_epoch = -1,
		.attributes = SLUICE_COMPRESSION_NONE,
		.base_timestamp = r->timestamp,
		.max_timestamp = r->timestamp,
		.producer_id = -1,
		.producer_epoch = -1,
		.base_sequence = -1,
		.record_count = 1,
	};
	struct sluice_record_size record;
	int ret;

	size_alone(r, &record);
	ret = sluice_record_write((u8 *)buf + SLUICE_BATCH_HEADER_LEN, r, &record, 0, 0, true);
	if (ret)
		return ret;
	sluice_batch_write_header(buf, &b);
	return 0;
}
