// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The record of a control batch that ends a transaction. */
#include "marker.h"
#include "record.h"

#define KEY_LEN_MIN	4	/* version, type */
#define VALUE_LEN_MIN	6	/* version, coordinator epoch */
#define TYPE_ABORT	0
#define TYPE_COMMIT	1

/* What is left of a record; @bad once something did not fit. */
struct reader {
	const u8 *p;
	size_t left;
	bool bad;
};

static const u8 *take(struct reader *r, size_t len)
{
	const u8 *p = r->p;

	if (r->bad || len > r->left) {
		r->bad = true;
		return NULL;
	}
	r->p += len;
	r->left -= len;
	return p;
}

static s32 take_varint(struct reader *r)
{
	s32 v = 0;
	int n = r->bad ? -EBADMSG : sluice_varint_read(r->p, r->left, &v);

	if (n < 0)
		r->bad = true;
	else
		take(r, (size_t)n);
	return v;
}

static s64 take_varlong(struct reader *r)
{
	s64 v = 0;
	int n = r->bad ? -EBADMSG : sluice_varlong_read(r->p, r->left, &v);

	if (n < 0)
		r->bad = true;
	else
		take(r, (size_t)n);
	return v;
}

/* A key or a value: its first @min bytes, and over the rest of it. */
static const u8 *take_bytes(struct reader *r, s32 min)
{
	s32 len = take_varint(r);
	const u8 *p;

	if (len < min)
		r->bad = true;
	p = take(r, (size_t)min);
	if (!r->bad)
		take(r, min_t(size_t, (size_t)(len - min), r->left));
	return p;
}

int sluice_marker_parse(const struct sluice_batch *b, const void *record, size_t len,
			struct sluice_marker *ret_m)
{
	struct reader r = { .p = record, .left = len };
	const u8 *key, *value;
	s64 time_delta;
	s16 type;

	if (b->attributes & SLUICE_BATCH_COMPRESSION_MASK || b->record_count != 1)
		return -EINVAL;
	if (take_varint(&r) < 0)
		return -EINVAL;
	take(&r, 1);	/* attributes, of which none is in use */
	time_delta = take_varlong(&r);
	take_varint(&r);	/* offset delta */
	key = take_bytes(&r, KEY_LEN_MIN);
	if (r.bad)
		return -EINVAL;
	type = (s16)get_unaligned_be16(key + 2);
	if ((s16)get_unaligned_be16(key) < 0)
		return -EINVAL;
	if (type != TYPE_ABORT && type != TYPE_COMMIT)
		return -ENOMSG;
	value = take_bytes(&r, VALUE_LEN_MIN);
	if (r.bad || (s16)get_unaligned_be16(value) < 0)
		return -EINVAL;
	ret_m->abort = type == TYPE_ABORT;
	ret_m->coordinator_epoch = (s32)get_unaligned_be32(value + 2);
	/* Wraps where it is nonsense: signed overflow is not for outside bytes. */
	ret_m->timestamp = (s64)((u64)b->base_timestamp + (u64)time_delta);
	return 0;
}

int sluice_marker_read(struct port_file *file, u64 position, const struct sluice_batch *b,
		       struct sluice_marker *ret_m)
{
	u8 record[SLUICE_MARKER_RECORD_MAX];
	ssize_t n;

	n = port_file_read(file, position + SLUICE_BATCH_HEADER_LEN, record,
			   min_t(u32, sizeof(record), b->size - SLUICE_BATCH_HEADER_LEN));
	if (n < 0)
		return (int)n;
	return sluice_marker_parse(b, record, (size_t)n, ret_m);
}
