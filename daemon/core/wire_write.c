// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "daemon/core/wire.h"

void wire_writer_init(struct wire_writer *w, struct buf *buf)
{
	*w = (struct wire_writer){.buf = buf};
}

void wire_writer_free(struct wire_writer *w)
{
	free(w->gaps);
	w->gaps = NULL;
	w->gap_count = 0;
	w->gap_cap = 0;
}

void wire_writer_fail(struct wire_writer *w, int err)
{
	if (!w->err)
		w->err = err;
}

uint8_t *wire_write_room(struct wire_writer *w, size_t n)
{
	struct buf *b = w->buf;
	uint8_t *p;
	int err;

	if (w->err)
		return NULL;
	if (n > b->cap - b->len) {
		err = buf_reserve(b, n);
		if (err) {
			wire_writer_fail(w, err);
			return NULL;
		}
	}
	p = b->data + b->len;
	b->len += n;
	return p;
}

void wire_write_raw(struct wire_writer *w, const void *data, size_t n)
{
	uint8_t *p;

	if (!n)
		return;
	p = wire_write_room(w, n);
	if (p)
		memcpy(p, data, n);
}

static void write_varint(struct wire_writer *w, uint64_t v)
{
	uint8_t bytes[10];
	size_t n = 0;

	do {
		bytes[n] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		n++;
		v >>= 7;
	} while (v);
	wire_write_raw(w, bytes, n);
}

void wire_write_uvarint(struct wire_writer *w, uint32_t v)
{
	write_varint(w, v);
}

void wire_write_varint(struct wire_writer *w, int32_t v)
{
	write_varint(w, ((uint32_t)v << 1) ^ (v < 0 ? UINT32_MAX : 0));
}

void wire_write_varlong(struct wire_writer *w, int64_t v)
{
	write_varint(w, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

/* Returns whether bytes follow. */
static bool write_length(struct wire_writer *w, bool flexible, bool nullable, int32_t len)
{
	if (len < -1 || (len == -1 && !nullable))
		wire_writer_fail(w, -EINVAL);
	if (flexible)
		wire_write_uvarint(w, (uint32_t)len + 1);
	else
		wire_write_int32(w, len);
	return len > 0 && !w->err;
}

void wire_write_string(struct wire_writer *w, bool flexible, bool nullable, struct kafka_str v)
{
	if (v.len > INT16_MAX)
		wire_writer_fail(w, -EMSGSIZE);
	if (flexible) {
		if (write_length(w, true, nullable, v.len))
			wire_write_raw(w, v.p, (size_t)v.len);
		return;
	}
	if (v.len < -1 || (v.len == -1 && !nullable))
		wire_writer_fail(w, -EINVAL);
	wire_write_int16(w, (int16_t)v.len);
	if (v.len > 0)
		wire_write_raw(w, v.p, (size_t)v.len);
}

void wire_write_bytes(struct wire_writer *w, bool flexible, bool nullable, struct kafka_bytes v)
{
	if (write_length(w, flexible, nullable, v.len))
		wire_write_raw(w, v.p, (size_t)v.len);
}

void wire_write_records(struct wire_writer *w, bool flexible, bool nullable, struct kafka_bytes v)
{
	if (v.p || v.len < 0) {
		wire_write_bytes(w, flexible, nullable, v);
		return;
	}
	write_length(w, flexible, nullable, v.len);
	wire_writer_gap(w, (uint32_t)v.len);
}

void wire_write_count(struct wire_writer *w, bool flexible, bool nullable, int32_t n)
{
	write_length(w, flexible, nullable, n);
}

void wire_write_int8_array(struct wire_writer *w, bool flexible, bool nullable,
			   struct kafka_int8_array v)
{
	wire_write_count(w, flexible, nullable, v.n);
	for (int32_t i = 0; i < v.n && !w->err; i++)
		wire_write_int8(w, v.v[i]);
}

void wire_write_int32_array(struct wire_writer *w, bool flexible, bool nullable,
			    struct kafka_int32_array v)
{
	wire_write_count(w, flexible, nullable, v.n);
	for (int32_t i = 0; i < v.n && !w->err; i++)
		wire_write_int32(w, v.v[i]);
}

void wire_write_int64_array(struct wire_writer *w, bool flexible, bool nullable,
			    struct kafka_int64_array v)
{
	wire_write_count(w, flexible, nullable, v.n);
	for (int32_t i = 0; i < v.n && !w->err; i++)
		wire_write_int64(w, v.v[i]);
}

void wire_write_str_array(struct wire_writer *w, bool flexible, bool nullable,
			  struct kafka_str_array v)
{
	wire_write_count(w, flexible, nullable, v.n);
	for (int32_t i = 0; i < v.n && !w->err; i++)
		wire_write_string(w, flexible, false, v.v[i]);
}

void wire_writer_gap(struct wire_writer *w, uint32_t len)
{
	uint32_t index = w->gap_index;

	if (w->err)
		return;
	w->gap_index++;
	if (!len)
		return;
	if (w->gap_count == w->gap_cap) {
		uint32_t cap = w->gap_cap ? w->gap_cap * 2 : 8;
		struct wire_gap *gaps = reallocarray(w->gaps, cap, sizeof(*gaps));

		if (!gaps) {
			wire_writer_fail(w, -ENOMEM);
			return;
		}
		w->gaps = gaps;
		w->gap_cap = cap;
	}
	w->gaps[w->gap_count] = (struct wire_gap){
		.position = w->buf->len,
		.len = len,
		.index = index,
	};
	w->gap_count++;
	w->gap_bytes += len;
}

size_t wire_tag_begin(struct wire_writer *w, uint32_t tag)
{
	wire_write_uvarint(w, tag);
	return w->buf->len;
}

void wire_tag_end(struct wire_writer *w, size_t position)
{
	size_t size, before;

	if (w->err)
		return;
	/* The size comes first but is known last: write it behind the field, then turn them round. */
	size = w->buf->len - position;
	if (size > INT32_MAX) {
		wire_writer_fail(w, -EMSGSIZE);
		return;
	}
	before = w->buf->len;
	wire_write_uvarint(w, (uint32_t)size);
	if (!w->err) {
		uint8_t prefix[5];
		size_t n = w->buf->len - before;
		uint8_t *data = w->buf->data;

		memcpy(prefix, data + before, n);
		memmove(data + position + n, data + position, size);
		memcpy(data + position, prefix, n);
	}
}

struct wire_frame wire_frame_begin(struct wire_writer *w)
{
	struct wire_frame f = {.position = w->buf->len, .gap_bytes = w->gap_bytes};

	wire_write_int32(w, 0);
	return f;
}

void wire_frame_end(struct wire_writer *w, struct wire_frame f)
{
	uint64_t len;
	uint32_t be;

	if (w->err)
		return;
	len = w->buf->len - f.position - sizeof(be) + (w->gap_bytes - f.gap_bytes);
	if (len > INT32_MAX) {
		wire_writer_fail(w, -EMSGSIZE);
		return;
	}
	be = htobe32((uint32_t)len);
	memcpy(w->buf->data + f.position, &be, sizeof(be));
}
