// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include "tests/socket/batch.h"

void put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, (uint16_t)(v >> 16));
	put_be16(p + 2, (uint16_t)v);
}

void put_be64(uint8_t *p, uint64_t v)
{
	put_be32(p, (uint32_t)(v >> 32));
	put_be32(p + 4, (uint32_t)v);
}

uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

/* Castagnoli's polynomial, bit by bit. */
static uint32_t crc32c(const uint8_t *p, size_t len)
{
	uint32_t crc = ~0U;

	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

void batch_fix_crc(uint8_t *buf, size_t size)
{
	put_be32(buf + AT_CRC, crc32c(buf + AT_ATTRIBUTES, size - AT_ATTRIBUTES));
}

size_t batch_size(const uint8_t *buf)
{
	return 12 + get_be32(buf + AT_LENGTH);
}

static size_t put_varint(uint8_t *p, int64_t v)
{
	uint64_t z = (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
	size_t n = 0;

	while (z >= 0x80) {
		p[n++] = (uint8_t)(z | 0x80);
		z >>= 7;
	}
	p[n++] = (uint8_t)z;
	return n;
}

static size_t put_record(uint8_t *p, size_t index, const char *value)
{
	uint8_t head[40];
	size_t len = strlen(value), n = 0, total;

	head[n++] = 0;				   /* attributes */
	n += put_varint(head + n, 0);		   /* timestamp delta */
	n += put_varint(head + n, (int64_t)index); /* offset delta */
	n += put_varint(head + n, -1);		   /* no key */
	n += put_varint(head + n, (int64_t)len);
	total = put_varint(p, (int64_t)(n + len + 1));
	memcpy(p + total, head, n);
	total += n;
	memcpy(p + total, value, len);
	total += len;
	p[total++] = 0; /* no headers */
	return total;
}

size_t batch_encode(uint8_t *buf, const struct batch_header *h, const char *const *values, size_t n)
{
	size_t size = AT_RECORDS;

	for (size_t i = 0; i < n; i++)
		size += put_record(buf + size, i, values[i]);
	put_be64(buf + AT_BASE_OFFSET, (uint64_t)h->base_offset);
	put_be32(buf + AT_LENGTH, (uint32_t)(size - 12));
	put_be32(buf + AT_LEADER_EPOCH, (uint32_t)-1);
	buf[AT_MAGIC] = (uint8_t)h->magic;
	put_be16(buf + AT_ATTRIBUTES, h->attributes);
	put_be32(buf + AT_LAST_OFFSET_DELTA, (uint32_t)n - 1);
	put_be64(buf + AT_BASE_TIMESTAMP, (uint64_t)h->base_timestamp);
	put_be64(buf + AT_MAX_TIMESTAMP, (uint64_t)h->base_timestamp);
	put_be64(buf + AT_PRODUCER_ID, (uint64_t)h->producer_id);
	put_be16(buf + AT_PRODUCER_EPOCH, (uint16_t)h->producer_epoch);
	put_be32(buf + AT_BASE_SEQUENCE, (uint32_t)h->base_sequence);
	put_be32(buf + AT_RECORD_COUNT, (uint32_t)n);
	batch_fix_crc(buf, size);
	return size;
}

size_t batch_simple(uint8_t *buf, const char *tag, size_t n)
{
	struct batch_header h = BATCH_HEADER_INIT;
	static char texts[256][32];
	const char *values[256];

	for (size_t i = 0; i < n && i < 256; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%.20s%zu", tag, i);
		values[i] = texts[i];
	}
	return batch_encode(buf, &h, values, n);
}

size_t batch_transaction(uint8_t *buf, int64_t producer, int32_t sequence, const char *value)
{
	struct batch_header h = BATCH_HEADER_INIT;

	h.attributes = 1 << 4;
	h.producer_id = producer;
	h.producer_epoch = 0;
	h.base_sequence = sequence;
	return batch_encode(buf, &h, &value, 1);
}

/* A control batch of one record, whose key is version and type. */
size_t batch_marker(uint8_t *buf, int64_t producer, bool commit)
{
	const uint8_t record[] = {
		2 * 16,			       /* length 16 */
		0,	0, 0,		       /* attributes, deltas */
		2 * 4,	0, 0, 0, commit,       /* key: version 0, type */
		2 * 6,	0, 0, 0, 0,	 0, 0, /* value: version 0, coordinator epoch 0 */
		0,			       /* no headers */
	};
	struct batch_header h = BATCH_HEADER_INIT;
	const char *value = "";
	size_t size;

	h.attributes = (1 << 4) | (1 << 5);
	h.producer_id = producer;
	h.producer_epoch = 0;
	batch_encode(buf, &h, &value, 1);
	memcpy(buf + AT_RECORDS, record, sizeof(record));
	size = AT_RECORDS + sizeof(record);
	put_be32(buf + AT_LENGTH, (uint32_t)size - 12);
	batch_fix_crc(buf, size);
	return size;
}
