/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kafka's primitive types on the wire: a cursor that reads them and one that
 * writes them.
 *
 * Both have a sticky error: the first failure is kept in err, every later
 * call does nothing (a read gives zero, null or empty), and the caller looks
 * once, at the end.
 *
 * Many types have an old encoding and a compact one, used by the flexible
 * versions of a message; "flexible" chooses.
 */
#ifndef SLUICE_CORE_WIRE_H
#define SLUICE_CORE_WIRE_H

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "daemon/core/arena.h"
#include "daemon/core/buf.h"

/**
 * struct kafka_str - UTF-8, not NUL-terminated
 * @p: the bytes; in a decoded message they lie in the request
 * @len: how many, or -1 for null
 */
struct kafka_str {
	const char *p;
	int32_t len;
};

/**
 * struct kafka_bytes - bytes, or records
 * @p: the bytes; in a decoded message they lie in the request. NULL with a
 *	@len of 0 or more, in a field of type records, is a gap: see
 *	wire_write_records()
 * @len: how many, or -1 for null
 */
struct kafka_bytes {
	const uint8_t *p;
	int32_t len;
};

/** struct kafka_uuid - 128 bits; all zero means none */
struct kafka_uuid {
	uint8_t b[16];
};

/* Arrays; n is -1 for null. */
struct kafka_int8_array {
	int8_t *v;
	int32_t n;
};

struct kafka_int32_array {
	int32_t *v;
	int32_t n;
};

struct kafka_int64_array {
	int64_t *v;
	int32_t n;
};

struct kafka_str_array {
	struct kafka_str *v;
	int32_t n;
};

/** kafka_str_from - the kafka_str of a C string, which it points to; NULL gives null */
static inline struct kafka_str kafka_str_from(const char *s)
{
	return (struct kafka_str){s, s ? (int32_t)strlen(s) : -1};
}

/** kafka_str_equal - whether two strings are the same; null equals null only */
bool kafka_str_equal(struct kafka_str a, struct kafka_str b);

/** kafka_uuid_is_zero - whether it means none */
bool kafka_uuid_is_zero(const struct kafka_uuid *u);

/**
 * struct wire_reader - reads from bytes that somebody else owns
 * @p: next byte
 * @end: behind the last byte
 * @err: 0, -EBADMSG if the bytes are not what they should be, or -ENOMEM
 */
struct wire_reader {
	const uint8_t *p;
	const uint8_t *end;
	int err;
};

/** wire_reader_init - read @len bytes at @data, which must outlive the reader's results */
static inline void wire_reader_init(struct wire_reader *r, const void *data, size_t len)
{
	r->p = data;
	r->end = r->p + len;
	r->err = 0;
}

static inline size_t wire_reader_left(const struct wire_reader *r)
{
	return (size_t)(r->end - r->p);
}

/** wire_reader_fail - set the error, if there is none yet, and go to the end */
void wire_reader_fail(struct wire_reader *r, int err);

/** wire_reader_finish - r->err, or -EBADMSG if bytes are left over */
int wire_reader_finish(struct wire_reader *r);

/** wire_read_raw - the next @n bytes, or NULL */
static inline const uint8_t *wire_read_raw(struct wire_reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (n > wire_reader_left(r)) {
		wire_reader_fail(r, -EBADMSG);
		return NULL;
	}
	r->p += n;
	return p;
}

static inline int8_t wire_read_int8(struct wire_reader *r)
{
	const uint8_t *p = wire_read_raw(r, 1);

	return p ? (int8_t)*p : 0;
}

static inline bool wire_read_bool(struct wire_reader *r)
{
	return wire_read_int8(r) != 0;
}

static inline int16_t wire_read_int16(struct wire_reader *r)
{
	const uint8_t *p = wire_read_raw(r, 2);
	uint16_t v;

	if (!p)
		return 0;
	memcpy(&v, p, sizeof(v));
	return (int16_t)be16toh(v);
}

static inline uint32_t wire_read_uint32(struct wire_reader *r)
{
	const uint8_t *p = wire_read_raw(r, 4);
	uint32_t v;

	if (!p)
		return 0;
	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static inline int32_t wire_read_int32(struct wire_reader *r)
{
	return (int32_t)wire_read_uint32(r);
}

static inline int64_t wire_read_int64(struct wire_reader *r)
{
	const uint8_t *p = wire_read_raw(r, 8);
	uint64_t v;

	if (!p)
		return 0;
	memcpy(&v, p, sizeof(v));
	return (int64_t)be64toh(v);
}

static inline double wire_read_float64(struct wire_reader *r)
{
	int64_t bits = wire_read_int64(r);
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

/** wire_read_uvarint - an unsigned varint of at most 32 bits */
uint32_t wire_read_uvarint(struct wire_reader *r);

/** wire_read_varint - a zigzag varint of at most 32 bits */
int32_t wire_read_varint(struct wire_reader *r);

/** wire_read_varlong - a zigzag varint of at most 64 bits */
int64_t wire_read_varlong(struct wire_reader *r);

struct kafka_uuid wire_read_uuid(struct wire_reader *r);

/** wire_read_string - a string; null is an error unless @nullable */
struct kafka_str wire_read_string(struct wire_reader *r, bool flexible, bool nullable);

/** wire_read_bytes - bytes or records; null is an error unless @nullable */
struct kafka_bytes wire_read_bytes(struct wire_reader *r, bool flexible, bool nullable);

/**
 * wire_read_array - the count of an array, and memory for its elements
 * @r: where it is read
 * @a: where the elements will live
 * @flexible: which encoding
 * @nullable: whether the array may be null
 * @wire_min: fewest bytes, 1 or more, that one element takes on the wire: a
 *	count that the rest of the message cannot hold is -EBADMSG, before
 *	anything is allocated
 * @size: bytes of an element in memory
 * @ret_n: the count, or -1 for null; 0 after an error
 *
 * Returns zeroed memory for the elements, NULL if there are none.
 */
void *wire_read_array(struct wire_reader *r, struct arena *a, bool flexible, bool nullable,
		      size_t wire_min, size_t size, int32_t *ret_n);

/* Arrays of primitives, whole. */
struct kafka_int8_array wire_read_int8_array(struct wire_reader *r, struct arena *a, bool flexible,
					     bool nullable);
struct kafka_int32_array wire_read_int32_array(struct wire_reader *r, struct arena *a,
					       bool flexible, bool nullable);
struct kafka_int64_array wire_read_int64_array(struct wire_reader *r, struct arena *a,
					       bool flexible, bool nullable);
struct kafka_str_array wire_read_str_array(struct wire_reader *r, struct arena *a, bool flexible,
					   bool nullable);

/**
 * struct wire_tags - walks a section of tagged fields
 * @tag: number of the field the reader stands in; it sees only that field
 * @left: fields behind it
 * @last: number of the field before, -1 at first: numbers must rise
 * @end: end of the whole message, while the reader is kept inside one field
 */
struct wire_tags {
	uint32_t tag;
	uint32_t left;
	int64_t last;
	const uint8_t *end;
};

/** wire_tags_begin - start a section */
void wire_tags_begin(struct wire_reader *r, struct wire_tags *t);

/**
 * wire_tags_next - go to the next field
 *
 * The field before must have been read to its end. Returns false behind the
 * last one, or on error.
 */
bool wire_tags_next(struct wire_reader *r, struct wire_tags *t);

/** wire_tags_skip - the field is not known: leave it out */
static inline void wire_tags_skip(struct wire_reader *r)
{
	r->p = r->end;
}

/** wire_skip_tags - leave out a whole section */
void wire_skip_tags(struct wire_reader *r);

/**
 * struct wire_gap - bytes that are part of a message but not of its buffer
 * @position: they come before the byte at this position of the buffer
 * @len: how many, at least 1
 * @index: which field left them out, counted from 0 over all fields of type
 *	records that were written with no bytes, also those of length 0, which
 *	make no gap
 */
struct wire_gap {
	size_t position;
	uint32_t len;
	uint32_t index;
};

/**
 * struct wire_writer - appends to a buffer
 * @buf: where to; owned by the caller
 * @err: 0, -ENOMEM, -EMSGSIZE (limit of the buffer, or a length that its field
 *	cannot hold), -EINVAL (null where it is not allowed), or -EOPNOTSUPP
 *	(a version that the schema does not have)
 * @throttle_time_ms: what a message's ThrottleTimeMs is where it is 0
 * @gaps: bytes left out, in order of position; owned by the writer
 * @gap_count: how many
 * @gap_cap: room in @gaps
 * @gap_index: index of the next one
 * @gap_bytes: sum of their lengths
 */
struct wire_writer {
	struct buf *buf;
	int err;
	int32_t throttle_time_ms;
	struct wire_gap *gaps;
	uint32_t gap_count;
	uint32_t gap_cap;
	uint32_t gap_index;
	uint64_t gap_bytes;
};

/** wire_writer_init - append to @buf, without error or gaps; allocates nothing */
void wire_writer_init(struct wire_writer *w, struct buf *buf);

/** wire_writer_free - free the gaps; the buffer stays */
void wire_writer_free(struct wire_writer *w);

/** wire_writer_fail - set the error, if there is none yet */
void wire_writer_fail(struct wire_writer *w, int err);

/** wire_writer_gap - leave out @len bytes here, which the caller will send */
void wire_writer_gap(struct wire_writer *w, uint32_t len);

/** wire_write_room - append @n bytes for the caller to fill; NULL on error. For wire.h only */
uint8_t *wire_write_room(struct wire_writer *w, size_t n);

/** wire_write_raw - append @n bytes as they are */
void wire_write_raw(struct wire_writer *w, const void *data, size_t n);

static inline void wire_write_int8(struct wire_writer *w, int8_t v)
{
	uint8_t *p = wire_write_room(w, 1);

	if (p)
		*p = (uint8_t)v;
}

static inline void wire_write_bool(struct wire_writer *w, bool v)
{
	wire_write_int8(w, v);
}

static inline void wire_write_int16(struct wire_writer *w, int16_t v)
{
	uint8_t *p = wire_write_room(w, 2);
	uint16_t be = htobe16((uint16_t)v);

	if (p)
		memcpy(p, &be, sizeof(be));
}

static inline void wire_write_uint32(struct wire_writer *w, uint32_t v)
{
	uint8_t *p = wire_write_room(w, 4);
	uint32_t be = htobe32(v);

	if (p)
		memcpy(p, &be, sizeof(be));
}

static inline void wire_write_int32(struct wire_writer *w, int32_t v)
{
	wire_write_uint32(w, (uint32_t)v);
}

static inline void wire_write_int64(struct wire_writer *w, int64_t v)
{
	uint8_t *p = wire_write_room(w, 8);
	uint64_t be = htobe64((uint64_t)v);

	if (p)
		memcpy(p, &be, sizeof(be));
}

static inline void wire_write_float64(struct wire_writer *w, double v)
{
	int64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	wire_write_int64(w, bits);
}

void wire_write_uvarint(struct wire_writer *w, uint32_t v);
void wire_write_varint(struct wire_writer *w, int32_t v);
void wire_write_varlong(struct wire_writer *w, int64_t v);

static inline void wire_write_uuid(struct wire_writer *w, struct kafka_uuid v)
{
	wire_write_raw(w, v.b, sizeof(v.b));
}

/** wire_write_string - a string; null is an error unless @nullable */
void wire_write_string(struct wire_writer *w, bool flexible, bool nullable, struct kafka_str v);

/** wire_write_bytes - bytes; null is an error unless @nullable */
void wire_write_bytes(struct wire_writer *w, bool flexible, bool nullable, struct kafka_bytes v);

/** wire_write_records - like wire_write_bytes(); if v.p is NULL only the length, then a gap */
void wire_write_records(struct wire_writer *w, bool flexible, bool nullable, struct kafka_bytes v);

/** wire_write_count - count of an array, -1 for null, which is an error unless @nullable */
void wire_write_count(struct wire_writer *w, bool flexible, bool nullable, int32_t n);

/* Arrays of primitives, whole. */
void wire_write_int8_array(struct wire_writer *w, bool flexible, bool nullable,
			   struct kafka_int8_array v);
void wire_write_int32_array(struct wire_writer *w, bool flexible, bool nullable,
			    struct kafka_int32_array v);
void wire_write_int64_array(struct wire_writer *w, bool flexible, bool nullable,
			    struct kafka_int64_array v);
void wire_write_str_array(struct wire_writer *w, bool flexible, bool nullable,
			  struct kafka_str_array v);

/** wire_tag_begin - start tagged field @tag; give the result to wire_tag_end() */
size_t wire_tag_begin(struct wire_writer *w, uint32_t tag);

/** wire_tag_end - set the size of the field that began at @position, which has no gap inside */
void wire_tag_end(struct wire_writer *w, size_t position);

/**
 * struct wire_frame - an int32 length that is not known yet
 * @position: where it is in the buffer
 * @gap_bytes: the writer's gap_bytes when it began
 */
struct wire_frame {
	size_t position;
	uint64_t gap_bytes;
};

/** wire_frame_begin - leave room for an int32 length */
struct wire_frame wire_frame_begin(struct wire_writer *w);

/** wire_frame_end - set it to what was written since, gaps included */
void wire_frame_end(struct wire_writer *w, struct wire_frame f);

#endif
