// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Encoding a batch that holds one record. */
#include "batch.h"
#include "record.h"

static size_t bytes_size(s32 len)
{
	return sluice_varint_size(len) + (len > 0 ? (size_t)len : 0);
}

/* What the record's length field counts. */
static size_t record_body_size(const struct sluice_record_out *r)
{
	size_t size = 1 /* attributes */ + sluice_varlong_size(0) + sluice_varint_size(0);
	u32 i;

	size += bytes_size(r->key_len) + bytes_size(r->value_len);
	size += sluice_varint_size((s32)r->header_count);
	for (i = 0; i < r->header_count; i++)
		size += bytes_size(r->headers[i].key_len) + bytes_size(r->headers[i].value_len);
	return size;
}

size_t sluice_batch_build_size(const struct sluice_record_out *r)
{
	size_t body = record_body_size(r);

	return SLUICE_BATCH_HEADER_LEN + sluice_varint_size((s32)body) + body;
}

static u8 *put_bytes(u8 *p, const void *bytes, s32 len)
{
	p += sluice_varint_write(p, len);
	if (len > 0) {
		memcpy(p, bytes, (size_t)len);
		p += len;
	}
	return p;
}

static void build_record(u8 *p, const struct sluice_record_out *r)
{
	u32 i;

	p += sluice_varint_write(p, (s32)record_body_size(r));
	*p++ = 0;
	p += sluice_varlong_write(p, 0);
	p += sluice_varint_write(p, 0);
	p = put_bytes(p, r->key, r->key_len);
	p = put_bytes(p, r->value, r->value_len);
	p += sluice_varint_write(p, (s32)r->header_count);
	for (i = 0; i < r->header_count; i++) {
		p = put_bytes(p, r->headers[i].key, r->headers[i].key_len);
		p = put_bytes(p, r->headers[i].value, r->headers[i].value_len);
	}
}

void sluice_batch_build(void *buf, size_t size, const struct sluice_record_out *r)
{
	struct sluice_batch_header *h = buf;
	u8 *bytes = buf;

	build_record(bytes + SLUICE_BATCH_HEADER_LEN, r);

	sluice_batch_stamp(buf, 0, -1);
	put_unaligned_be32((u32)(size - SLUICE_BATCH_PREFIX_LEN), &h->length);
	h->magic = SLUICE_BATCH_MAGIC;
	put_unaligned_be16(SLUICE_COMPRESSION_NONE, &h->attributes);
	put_unaligned_be32(0, &h->last_offset_delta);
	put_unaligned_be64((u64)r->timestamp, &h->base_timestamp);
	put_unaligned_be64((u64)r->timestamp, &h->max_timestamp);
	put_unaligned_be64(U64_MAX, &h->producer_id);
	put_unaligned_be16(0xffff, &h->producer_epoch);
	put_unaligned_be32(U32_MAX, &h->base_sequence);
	put_unaligned_be32(1, &h->record_count);
	put_unaligned_be32(port_crc32c(0, bytes + SLUICE_BATCH_CRC_START,
				       size - SLUICE_BATCH_CRC_START), &h->crc);
}
