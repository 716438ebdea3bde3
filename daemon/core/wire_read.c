// SPDX-License-Identifier: Apache-2.0
#include "daemon/core/wire.h"

void wire_reader_fail(struct wire_reader *r, int err)
{
	if (!r->err)
		r->err = err;
	r->p = r->end;
}

int wire_reader_finish(struct wire_reader *r)
{
	if (!r->err && r->p != r->end)
		wire_reader_fail(r, -EBADMSG);
	return r->err;
}

/* A varint of at most @bits bits: seven in each byte, the lowest first. */
static uint64_t read_varint(struct wire_reader *r, unsigned int bits)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < bits; shift += 7) {
		const uint8_t *p = wire_read_raw(r, 1);

		if (!p)
			return 0;
		/* The last byte may only fill what is left of the type. */
		if (bits - shift < 7 && *p >> (bits - shift))
			break;
		v |= (uint64_t)(*p & 0x7f) << shift;
		if (!(*p & 0x80))
			return v;
	}
	wire_reader_fail(r, -EBADMSG);
	return 0;
}

uint32_t wire_read_uvarint(struct wire_reader *r)
{
	return (uint32_t)read_varint(r, 32);
}

int32_t wire_read_varint(struct wire_reader *r)
{
	uint32_t v = wire_read_uvarint(r);

	return (int32_t)((v >> 1) ^ -(v & 1));
}

int64_t wire_read_varlong(struct wire_reader *r)
{
	uint64_t v = read_varint(r, 64);

	return (int64_t)((v >> 1) ^ -(v & 1));
}

struct kafka_uuid wire_read_uuid(struct wire_reader *r)
{
	const uint8_t *p = wire_read_raw(r, 16);
	struct kafka_uuid v = {0};

	if (p)
		memcpy(v.b, p, sizeof(v.b));
	return v;
}

/*
 * The length of a compact type is sent one higher, so that 0 is null.
 * Returns -1 for null, and 0 after an error.
 */
static int32_t compact_length(struct wire_reader *r, bool nullable)
{
	uint32_t v = wire_read_uvarint(r);

	if (r->err)
		return 0;
	if (v > (uint32_t)INT32_MAX + 1 || (!v && !nullable)) {
		wire_reader_fail(r, -EBADMSG);
		return 0;
	}
	return (int32_t)(v - 1);
}

static int32_t plain_length(struct wire_reader *r, int32_t len, bool nullable)
{
	if (len < -1 || (len == -1 && !nullable)) {
		wire_reader_fail(r, -EBADMSG);
		return 0;
	}
	return len;
}

/* Returns NULL for null and after an error, when @len becomes 0. */
static const uint8_t *slice(struct wire_reader *r, int32_t *len)
{
	const uint8_t *p;

	if (*len < 0 || r->err)
		return NULL;
	p = wire_read_raw(r, (size_t)*len);
	if (!p)
		*len = 0;
	return p;
}

struct kafka_str wire_read_string(struct wire_reader *r, bool flexible, bool nullable)
{
	struct kafka_str s;

	s.len = flexible ? compact_length(r, nullable)
			 : plain_length(r, wire_read_int16(r), nullable);
	/* No string type has longer ones: the old encoding has 16 bits, Kafka's own check 15. */
	if (s.len > INT16_MAX) {
		wire_reader_fail(r, -EBADMSG);
		s.len = 0;
	}
	s.p = (const char *)slice(r, &s.len);
	return s;
}

struct kafka_bytes wire_read_bytes(struct wire_reader *r, bool flexible, bool nullable)
{
	struct kafka_bytes b;

	b.len = flexible ? compact_length(r, nullable)
			 : plain_length(r, wire_read_int32(r), nullable);
	b.p = slice(r, &b.len);
	return b;
}

void *wire_read_array(struct wire_reader *r, struct arena *a, bool flexible, bool nullable,
		      size_t wire_min, size_t size, int32_t *ret_n)
{
	int32_t n = flexible ? compact_length(r, nullable)
			     : plain_length(r, wire_read_int32(r), nullable);
	void *v;

	*ret_n = 0;
	if (r->err)
		return NULL;
	if (n <= 0) {
		*ret_n = n;
		return NULL;
	}
	if ((size_t)n > wire_reader_left(r) / wire_min) {
		wire_reader_fail(r, -EBADMSG);
		return NULL;
	}
	v = arena_alloc(a, (size_t)n, size);
	if (!v) {
		wire_reader_fail(r, -ENOMEM);
		return NULL;
	}
	*ret_n = n;
	return v;
}

struct kafka_int8_array wire_read_int8_array(struct wire_reader *r, struct arena *a, bool flexible,
					     bool nullable)
{
	struct kafka_int8_array ret;

	ret.v = wire_read_array(r, a, flexible, nullable, 1, sizeof(*ret.v), &ret.n);
	for (int32_t i = 0; i < ret.n; i++)
		ret.v[i] = wire_read_int8(r);
	return ret;
}

struct kafka_int32_array wire_read_int32_array(struct wire_reader *r, struct arena *a,
					       bool flexible, bool nullable)
{
	struct kafka_int32_array ret;

	ret.v = wire_read_array(r, a, flexible, nullable, 4, sizeof(*ret.v), &ret.n);
	for (int32_t i = 0; i < ret.n; i++)
		ret.v[i] = wire_read_int32(r);
	return ret;
}

struct kafka_int64_array wire_read_int64_array(struct wire_reader *r, struct arena *a,
					       bool flexible, bool nullable)
{
	struct kafka_int64_array ret;

	ret.v = wire_read_array(r, a, flexible, nullable, 8, sizeof(*ret.v), &ret.n);
	for (int32_t i = 0; i < ret.n; i++)
		ret.v[i] = wire_read_int64(r);
	return ret;
}

struct kafka_str_array wire_read_str_array(struct wire_reader *r, struct arena *a, bool flexible,
					   bool nullable)
{
	struct kafka_str_array ret;

	ret.v = wire_read_array(r, a, flexible, nullable, flexible ? 1 : 2, sizeof(*ret.v), &ret.n);
	for (int32_t i = 0; i < ret.n && !r->err; i++)
		ret.v[i] = wire_read_string(r, flexible, false);
	return ret;
}

void wire_tags_begin(struct wire_reader *r, struct wire_tags *t)
{
	*t = (struct wire_tags){
		.left = wire_read_uvarint(r),
		.last = -1,
		.end = r->end,
	};
	/* The first call of next finds the field "before" read to its end. */
	r->end = r->p;
}

bool wire_tags_next(struct wire_reader *r, struct wire_tags *t)
{
	uint32_t size;

	if (!r->err && r->p != r->end)
		wire_reader_fail(r, -EBADMSG);
	r->end = t->end;
	if (r->err) {
		r->p = r->end;
		return false;
	}
	if (!t->left)
		return false;
	t->left--;

	t->tag = wire_read_uvarint(r);
	size = wire_read_uvarint(r);
	if (!r->err && (t->tag <= t->last || size > wire_reader_left(r)))
		wire_reader_fail(r, -EBADMSG);
	if (r->err)
		return false;
	t->last = t->tag;
	r->end = r->p + size;
	return true;
}

void wire_skip_tags(struct wire_reader *r)
{
	struct wire_tags t;

	wire_tags_begin(r, &t);
	while (wire_tags_next(r, &t))
		wire_tags_skip(r);
}

bool kafka_str_equal(struct kafka_str a, struct kafka_str b)
{
	return a.len == b.len && (a.len <= 0 || !memcmp(a.p, b.p, (size_t)a.len));
}

bool kafka_uuid_is_zero(const struct kafka_uuid *u)
{
	static const struct kafka_uuid zero;

	return !memcmp(u, &zero, sizeof(zero));
}
