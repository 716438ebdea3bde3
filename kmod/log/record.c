// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Records and their varints, read from a file or from memory by one parser. */
#include "record.h"

static int varint_decode(const u8 *p, size_t len, unsigned int bits, u64 *ret_v)
{
	unsigned int shift = 0;
	size_t i;
	u64 v = 0;

	for (i = 0; i < len && shift < bits; i++, shift += 7) {
		u64 part = p[i] & 0x7f;

		if (shift + 7 > bits && part >> (bits - shift))
			return -EBADMSG;
		v |= part << shift;
		if (!(p[i] & 0x80)) {
			*ret_v = v;
			return (int)i + 1;
		}
	}
	return -EBADMSG;
}

int sluice_varint_read(const u8 *p, size_t len, s32 *ret_v)
{
	u64 v;
	int n = varint_decode(p, len, 32, &v);

	if (n > 0)
		*ret_v = (s32)((u32)(v >> 1) ^ -(u32)(v & 1));
	return n;
}

int sluice_varlong_read(const u8 *p, size_t len, s64 *ret_v)
{
	u64 v;
	int n = varint_decode(p, len, 64, &v);

	if (n > 0)
		*ret_v = (s64)((v >> 1) ^ -(v & 1));
	return n;
}

size_t sluice_varlong_write_long(u8 *p, u64 zigzag)
{
	size_t n = 0;

	while (zigzag > 0x7f) {
		p[n++] = (u8)(zigzag | 0x80);
		zigzag >>= 7;
	}
	p[n++] = (u8)zigzag;
	return n;
}

/* Enough for all lengths before the key, and in most records for the rest. */
#define RECORD_CHUNK	96

/*
 * A place in a file or in memory. @window holds the bytes from @window_pos on;
 * with a file it is @chunk, of RECORD_CHUNK bytes, filled when it is needed.
 */
struct record_reader {
	struct port_file *file;
	u64 pos;
	u64 end;
	const u8 *window;
	u64 window_pos;
	u64 window_len;
	u8 *chunk;
};

static void reader_init_file(struct record_reader *r, struct port_file *file, u64 pos, u64 end,
			     u8 *chunk)
{
	r->chunk = chunk;
	r->file = file;
	r->pos = pos;
	r->end = end;
	r->window = r->chunk;
	r->window_pos = pos;
	r->window_len = 0;
}

static void reader_init_memory(struct record_reader *r, const void *p, size_t len)
{
	r->file = NULL;
	r->pos = 0;
	r->end = len;
	r->window = p;
	r->window_pos = 0;
	r->window_len = len;
}

/* Makes the window hold what comes next: @want bytes, if the end allows. */
static int reader_fill(struct record_reader *r, size_t want)
{
	u64 left = r->end - r->pos;
	ssize_t n;

	want = min_t(u64, want, left);
	if (!r->file || r->pos + want <= r->window_pos + r->window_len)
		return 0;
	n = port_file_read(r->file, r->pos, r->chunk, min_t(u64, RECORD_CHUNK, left));
	if (n < 0)
		return (int)n;
	r->window_pos = r->pos;
	r->window_len = (u64)n;
	return (size_t)n < want ? -EBADMSG : 0;
}

static const u8 *reader_next(const struct record_reader *r, size_t *ret_len)
{
	u64 window_left = r->window_pos + r->window_len - r->pos;

	*ret_len = min(window_left, r->end - r->pos);
	return r->window + (r->pos - r->window_pos);
}

/* One of one or two bytes, which most are: a record has seven, and many have records. */
static inline bool reader_short(struct record_reader *r, s32 *ret_v)
{
	u64 at = r->pos - r->window_pos;
	const u8 *p = r->window + at;
	u32 v;

	/* Two bytes even for one: the last of a log may take the long way. */
	if (r->pos + 2 > r->end || at + 2 > r->window_len)
		return false;
	v = p[0];
	if (v & 0x80) {
		if (p[1] & 0x80)
			return false;
		v = (v & 0x7f) | (u32)p[1] << 7;
		r->pos++;
	}
	r->pos++;
	*ret_v = (s32)((v >> 1) ^ -(v & 1));
	return true;
}

static int reader_varint_long(struct record_reader *r, s32 *ret_v)
{
	const u8 *p;
	size_t len;
	int ret = reader_fill(r, SLUICE_VARINT_MAX);

	if (ret)
		return ret;
	p = reader_next(r, &len);
	ret = sluice_varint_read(p, len, ret_v);
	if (ret < 0)
		return ret;
	r->pos += (u64)ret;
	return 0;
}

static inline int reader_varint(struct record_reader *r, s32 *ret_v)
{
	return reader_short(r, ret_v) ? 0 : reader_varint_long(r, ret_v);
}

static int reader_varlong(struct record_reader *r, s64 *ret_v)
{
	const u8 *p;
	size_t len;
	s32 v;
	int ret;

	if (reader_short(r, &v)) {
		*ret_v = v;
		return 0;
	}
	ret = reader_fill(r, SLUICE_VARLONG_MAX);
	if (ret)
		return ret;
	p = reader_next(r, &len);
	ret = sluice_varlong_read(p, len, ret_v);
	if (ret < 0)
		return ret;
	r->pos += (u64)ret;
	return 0;
}

static int reader_skip(struct record_reader *r, u64 len)
{
	if (len > r->end - r->pos)
		return -EBADMSG;
	r->pos += len;
	return 0;
}

/* A length and, if it is not null, as many bytes. */
static int reader_bytes(struct record_reader *r, u64 *ret_pos, s32 *ret_len)
{
	s32 len;
	int ret = reader_varint(r, &len);

	if (ret)
		return ret;
	if (len < -1)
		return -EBADMSG;
	*ret_pos = r->pos;
	*ret_len = len;
	return len > 0 ? reader_skip(r, (u64)len) : 0;
}

/* Leaves the reader bounded by the record, at its first header. */
static int read_record(struct record_reader *r, struct sluice_record *ret_rec)
{
	struct sluice_record rec;
	s32 v;
	int ret;

	ret = reader_varint(r, &v);
	if (ret)
		return ret;
	if (v < 0 || (u64)v > r->end - r->pos)
		return -EBADMSG;
	r->end = r->pos + (u64)v;
	rec.end = r->end;

	ret = reader_skip(r, 1 /* attributes, of which none is in use */);
	if (ret)
		return ret;
	ret = reader_varlong(r, &rec.timestamp_delta);
	if (ret)
		return ret;
	rec.offset_pos = r->pos;
	ret = reader_varint(r, &rec.offset_delta);
	if (ret)
		return ret;
	ret = reader_bytes(r, &rec.key_pos, &rec.key_len);
	if (ret)
		return ret;
	ret = reader_bytes(r, &rec.value_pos, &rec.value_len);
	if (ret)
		return ret;
	ret = reader_varint(r, &v);
	if (ret)
		return ret;
	/* A header takes two bytes at least: both of its lengths. */
	if (v < 0 || (u64)v > (r->end - r->pos) / 2 || (v == 0 && r->pos != r->end))
		return -EBADMSG;
	rec.header_count = (u32)v;
	rec.headers_pos = r->pos;
	*ret_rec = rec;
	return 0;
}

static int read_header(struct record_reader *r, struct sluice_record_part *ret_h)
{
	struct sluice_record_part h;
	s32 key_len;
	int ret;

	ret = reader_bytes(r, &h.key_pos, &key_len);
	if (ret)
		return ret;
	if (key_len < 0)
		return -EBADMSG;
	h.key_len = (u32)key_len;
	ret = reader_bytes(r, &h.value_pos, &h.value_len);
	if (ret)
		return ret;
	h.end = r->pos;
	*ret_h = h;
	return 0;
}

int sluice_record_read(struct port_file *file, u64 pos, u64 end, struct sluice_record *ret_r)
{
	u8 chunk[RECORD_CHUNK];
	struct record_reader r;

	if (pos > end)
		return -EBADMSG;
	reader_init_file(&r, file, pos, end, chunk);
	return read_record(&r, ret_r);
}

int sluice_record_parse(const void *p, size_t len, struct sluice_record *ret_r)
{
	struct record_reader r;

	reader_init_memory(&r, p, len);
	return read_record(&r, ret_r);
}

int sluice_record_header_read(struct port_file *file, u64 pos, u64 end,
			      struct sluice_record_part *ret_h)
{
	u8 chunk[RECORD_CHUNK];
	struct record_reader r;

	if (pos > end)
		return -EBADMSG;
	reader_init_file(&r, file, pos, end, chunk);
	return read_header(&r, ret_h);
}

int sluice_record_read_memory(const void *p, u64 pos, u64 end, struct sluice_record *ret_r)
{
	struct record_reader r;

	if (pos > end)
		return -EBADMSG;
	reader_init_memory(&r, p, end);
	r.pos = pos;
	return read_record(&r, ret_r);
}

int sluice_record_header_read_memory(const void *p, u64 pos, u64 end,
				     struct sluice_record_part *ret_h)
{
	struct record_reader r;

	if (pos > end)
		return -EBADMSG;
	reader_init_memory(&r, p, end);
	r.pos = pos;
	return read_header(&r, ret_h);
}

static const char *check_record(struct record_reader *r, s32 offset_delta)
{
	struct sluice_record_part h;
	struct sluice_record rec;
	u32 i;

	if (read_record(r, &rec))
		return "a record is malformed";
	if (rec.offset_delta != offset_delta)
		return "the offsets of the records are not 0, 1, 2 and so on";
	for (i = 0; i < rec.header_count; i++) {
		if (read_header(r, &h))
			return "a header of a record is malformed";
	}
	if (r->pos != rec.end)
		return "a record does not end where its length says";
	return NULL;
}

int sluice_records_check(const struct sluice_batch *b, const void *records, size_t len,
			 const char **ret_why)
{
	struct record_reader r;
	const char *why = NULL;
	s32 i;

	if (b->attributes & SLUICE_BATCH_COMPRESSION_MASK) {
		*ret_why = "the records are compressed";
		return -EINVAL;
	}
	reader_init_memory(&r, records, len);
	for (i = 0; i < b->record_count && !why; i++) {
		r.end = len;
		why = r.pos == len ? "the batch has fewer records than its header says" :
				     check_record(&r, i);
	}
	if (!why && r.pos != len)
		why = "the batch has more bytes than its records";
	if (!why)
		return 0;
	*ret_why = why;
	return -EINVAL;
}
