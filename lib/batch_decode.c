// SPDX-License-Identifier: Apache-2.0
/*
 * Reading RecordBatch v2 (uapi/linux/sluice_format.h). The bytes come from a
 * log that anybody may have written: every length is checked against what is
 * left before it is used.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <linux/sluice_format.h>
#include "lib/internal.h"

#define VARINT_BYTES_MAX  5
#define VARLONG_BYTES_MAX 10

/* A record has at least: length, attributes, two deltas, two lengths, a count. */
#define RECORD_BYTES_MIN 7

/* Zig-zag; false if it is too long or the bytes end first. */
static bool read_varlong(const uint8_t **pos, const uint8_t *end, int bytes_max, int64_t *ret)
{
	uint64_t v = 0;
	uint8_t byte;

	for (int i = 0; i < bytes_max && *pos < end; i++) {
		byte = *(*pos)++;
		v |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		*ret = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
		return true;
	}
	return false;
}

static bool read_varint(const uint8_t **pos, const uint8_t *end, int32_t *ret)
{
	int64_t v;

	if (!read_varlong(pos, end, VARINT_BYTES_MAX, &v) || v < INT32_MIN || v > INT32_MAX)
		return false;
	*ret = (int32_t)v;
	return true;
}

/* A length, -1 for null if @nullable, and that many bytes. */
static bool read_bytes(const uint8_t **pos, const uint8_t *end, bool nullable, const uint8_t **ret,
		       int32_t *ret_len)
{
	int32_t len;

	if (!read_varint(pos, end, &len) || len < (nullable ? -1 : 0))
		return false;
	if (len > end - *pos)
		return false;
	*ret = len < 0 ? NULL : *pos;
	*ret_len = len;
	*pos += len < 0 ? 0 : len;
	return true;
}

int sluice__batch_open(struct sluice__batch *b, const uint8_t *data, size_t len, size_t max)
{
	struct sluice_batch_header h;
	int codec, err;

	b->left = 0;
	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, data, sizeof(h));
	if (h.magic != SLUICE_BATCH_MAGIC || be32toh(h.length) != len - SLUICE_BATCH_PREFIX_LEN)
		return -EBADMSG;
	b->base_offset = (int64_t)be64toh(h.base_offset);
	b->base_timestamp = (int64_t)be64toh(h.base_timestamp);
	b->max_timestamp = (int64_t)be64toh(h.max_timestamp);
	b->attributes = be16toh(h.attributes);
	b->record_count = be32toh(h.record_count);
	if (b->base_offset < 0 || b->record_count > INT32_MAX)
		return -EBADMSG;
	if (b->attributes & SLUICE_BATCH_CONTROL)
		return 0;
	b->next = data + sizeof(h);
	b->end = data + len;
	codec = b->attributes & SLUICE_BATCH_COMPRESSION_MASK;
	if (codec != SLUICE_COMPRESSION_NONE && b->record_count) {
		err = sluice__decompress(codec, b->next, len - sizeof(h), max, &b->inflated);
		if (err)
			return err;
		if (!b->inflated.len)
			return -EBADMSG;
		b->next = b->inflated.p;
		b->end = b->next + b->inflated.len;
	}
	if (b->record_count && (size_t)(b->end - b->next) / RECORD_BYTES_MIN < b->record_count)
		return -EBADMSG;
	b->left = b->record_count;
	return 0;
}

static bool read_record(const struct sluice__batch *b, const uint8_t *pos,
			struct sluice__raw_record *r)
{
	int64_t timestamp_delta;
	int32_t offset_delta, n_headers;

	/* The first byte is attributes, of which none are defined. */
	if (pos == r->end)
		return false;
	pos++;
	if (!read_varlong(&pos, r->end, VARLONG_BYTES_MAX, &timestamp_delta) ||
	    !read_varint(&pos, r->end, &offset_delta) || offset_delta < 0 ||
	    b->base_offset > INT64_MAX - offset_delta)
		return false;
	r->offset = b->base_offset + offset_delta;
	/* Unsigned, because times are anybody's and may wrap. */
	r->timestamp = (int64_t)((uint64_t)b->base_timestamp + (uint64_t)timestamp_delta);
	if (b->attributes & SLUICE_BATCH_LOG_APPEND_TIME)
		r->timestamp = b->max_timestamp;
	if (!read_bytes(&pos, r->end, true, &r->key, &r->key_len) ||
	    !read_bytes(&pos, r->end, true, &r->value, &r->value_len) ||
	    !read_varint(&pos, r->end, &n_headers) || n_headers < 0 ||
	    n_headers > (r->end - pos) / 2)
		return false;
	r->headers = pos;
	r->n_headers = (uint32_t)n_headers;
	return true;
}

int sluice__batch_next(struct sluice__batch *b, struct sluice__raw_record *ret)
{
	const uint8_t *pos = b->next;
	int32_t len;

	if (!b->left)
		return 0;
	b->left--;
	if (!read_varint(&pos, b->end, &len) || len < 0 || len > b->end - pos)
		goto malformed;
	ret->end = pos + len;
	b->next = ret->end;
	if (read_record(b, pos, ret))
		return 1;
malformed:
	b->left = 0;
	return -EBADMSG;
}

int sluice__batch_header(const struct sluice__raw_record *r, const uint8_t **pos,
			 const uint8_t **ret_key, int32_t *ret_key_len, const uint8_t **ret_value,
			 int32_t *ret_value_len)
{
	if (!read_bytes(pos, r->end, false, ret_key, ret_key_len) ||
	    !read_bytes(pos, r->end, true, ret_value, ret_value_len))
		return -EBADMSG;
	return 0;
}

void sluice__batch_free(struct sluice__batch *b)
{
	sluice__bytes_free(&b->inflated);
}
