/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Records inside an uncompressed batch, and the zig-zag varints they are made
 * of. What is read is untrusted: every length is checked against what is left.
 */
#ifndef SLUICE_LOG_RECORD_H
#define SLUICE_LOG_RECORD_H

#include "batch.h"

#define SLUICE_VARINT_MAX	5
#define SLUICE_VARLONG_MAX	10

/**
 * sluice_varint_read() - decode a zig-zag varint
 * Returns the bytes used, or -EBADMSG if it is longer than allowed, does not
 * fit, or @len ends first. sluice_varlong_read() is the 64-bit one.
 */
int __must_check sluice_varint_read(const u8 *p, size_t len, s32 *ret_v);
int __must_check sluice_varlong_read(const u8 *p, size_t len, s64 *ret_v);

/** sluice_varlong_write_long() - what takes more than two bytes. */
size_t sluice_varlong_write_long(u8 *p, u64 zigzag);

static inline u64 sluice_zigzag(s64 v)
{
	return ((u64)v << 1) ^ (u64)(v >> 63);
}

/** sluice_varlong_write() - encode; returns the bytes used. */
static inline size_t sluice_varlong_write(u8 *p, s64 v)
{
	u64 z = sluice_zigzag(v);

	/* Inline, because a record has seven of them and most are this short. */
	if (z <= 0x7f) {
		*p = (u8)z;
		return 1;
	}
	if (z > 0x3fff)
		return sluice_varlong_write_long(p, z);
	p[0] = (u8)(z | 0x80);
	p[1] = (u8)(z >> 7);
	return 2;
}

/* Zig-zag keeps a small magnitude small, so 32 bits need no coding of their own. */
static inline size_t sluice_varint_write(u8 *p, s32 v)
{
	return sluice_varlong_write(p, v);
}

/** sluice_varlong_size() - bytes it takes: one for each 7 bits. */
static inline size_t sluice_varlong_size(s64 v)
{
	u64 z = sluice_zigzag(v);
	unsigned int bits;

	/* Nearly all are this short. */
	if (z <= 0x7f)
		return 1;
	if (z <= 0x3fff)
		return 2;
	bits = 64 - (unsigned int)__builtin_clzll(z);
	/* (bits + 6) / 7, without a division. */
	return (bits * 9 + 64) / 64;
}

static inline size_t sluice_varint_size(s32 v)
{
	return sluice_varlong_size(v);
}

/**
 * struct sluice_record_size - what a record takes where it is in its batch
 * @parts: what does not depend on the place; see sluice_record_parts_size()
 * @body: what the record's length field says
 * @whole: with that field
 */
struct sluice_record_size {
	size_t parts;
	size_t body;
	size_t whole;
};

/** sluice_record_parts_size() - attributes, key, value and headers. */
size_t sluice_record_parts_size(const struct sluice_record_out *r);

/** sluice_record_size_at() - set @body and @whole of @size, whose @parts are known. */
static inline void sluice_record_size_at(struct sluice_record_size *size, s64 timestamp_delta,
					 s32 offset_delta)
{
	size->body = size->parts + sluice_varlong_size(timestamp_delta) +
		     sluice_varint_size(offset_delta);
	size->whole = sluice_varint_size((s32)size->body) + size->body;
}

/**
 * sluice_record_write() - encode a record
 * @buf: size->whole bytes
 * @size: for the same deltas
 * @may_fault: may memory of the caller be waited for
 * Returns 0; -EFAULT if r->value_src could not be read. Unless it may fault, that
 * stays where it was.
 */
int __must_check sluice_record_write(u8 *buf, const struct sluice_record_out *r,
				     const struct sluice_record_size *size, s64 timestamp_delta,
				     s32 offset_delta, bool may_fault);

/**
 * struct sluice_record - where the parts of a record are
 * Positions count from the byte the reader was given as 0.
 * A length of -1 is Kafka's null.
 */
struct sluice_record {
	s64 timestamp_delta;
	u64 offset_pos;		/* of the offset delta, behind the timestamp's */
	s32 offset_delta;
	u64 key_pos;
	s32 key_len;
	u64 value_pos;
	s32 value_len;
	u64 headers_pos;	/* first header, behind the count */
	u32 header_count;
	u64 end;		/* of the record */
};

/**
 * sluice_record_read() - parse the record at @pos of a file
 * @end: end of the batch
 * Reads only the lengths, not key or value. Returns 0, -EBADMSG if the record
 * is malformed or does not end by @end, or an error of the file.
 */
int __must_check sluice_record_read(struct port_file *file, u64 pos, u64 end,
				    struct sluice_record *ret_r);

/** sluice_record_read_memory() - the same of @end bytes at @p, position @pos. */
int __must_check sluice_record_read_memory(const void *p, u64 pos, u64 end,
					   struct sluice_record *ret_r);

/**
 * sluice_record_parse() - the same for a record in memory
 * @p: its first byte; positions count from here
 * @len: bytes there are, of which the record takes @ret_r->end
 * Its headers are not looked at. Returns 0 or -EBADMSG.
 */
int __must_check sluice_record_parse(const void *p, size_t len, struct sluice_record *ret_r);

/**
 * struct sluice_record_part - one header of a record
 */
struct sluice_record_part {
	u64 key_pos;
	u32 key_len;
	u64 value_pos;
	s32 value_len;
	u64 end;
};

/** sluice_record_header_read() - parse the header at @pos; errors as above. */
int __must_check sluice_record_header_read(struct port_file *file, u64 pos, u64 end,
					   struct sluice_record_part *ret_h);
int __must_check sluice_record_header_read_memory(const void *p, u64 pos, u64 end,
						  struct sluice_record_part *ret_h);

/**
 * sluice_records_check() - walk all records of an uncompressed batch in memory
 * @records: the bytes behind the header
 * @ret_why: a static sentence, set on failure
 *
 * Checks what LogValidator does: each record well formed and exactly filling
 * the batch, as many as the header says, offset deltas 0, 1, 2 and so on.
 * Returns 0 or -EINVAL.
 */
int __must_check sluice_records_check(const struct sluice_batch *b, const void *records,
				      size_t len, const char **ret_why);

#endif /* SLUICE_LOG_RECORD_H */
