/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of a batch as a stream of bytes, compressed or not. However large
 * they become, only a window of them is in memory. What is read is untrusted.
 */
#ifndef SLUICE_RECORDS_RECORD_STREAM_H
#define SLUICE_RECORDS_RECORD_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sluice__inflater;
struct record_sink;

#define RECORD_WINDOW_BYTES 32768

/**
 * struct record_stream - where a reader is
 * @at, @left: what is in memory and not read yet
 * @inflated: bytes that came so far
 * @max: of them; more is -EMSGSIZE
 * @err: what is wrong with the stream; it gives nothing more then. -ENODATA: it ended;
 *	-EPIPE: it was cut; -EBADMSG: the codec makes nothing of it; -EMSGSIZE; -ENOMEM
 */
struct record_stream {
	const uint8_t *at;
	size_t left;
	uint64_t inflated;
	uint64_t max;
	int err;
	struct sluice__inflater *inflater;
	uint8_t *window;
};

/**
 * record_stream_open - begin
 * @codec: SLUICE_COMPRESSION_*
 * @data: borrowed until record_stream_close()
 * Returns 0; -EPROTONOSUPPORT; -ENOMEM.
 */
int record_stream_open(struct record_stream *s, int codec, const uint8_t *data, size_t len,
		       uint64_t max);
void record_stream_close(struct record_stream *s);

/** record_stream_pos - bytes read so far */
static inline uint64_t record_stream_pos(const struct record_stream *s)
{
	return s->inflated - s->left;
}

/**
 * record_stream_varlong, record_stream_varint - a zig-zag number
 * Returns 0; -EINVAL it does not fit; or the stream's error, as all that follow.
 */
int record_stream_varlong(struct record_stream *s, int64_t *ret_v);
int record_stream_varint(struct record_stream *s, int32_t *ret_v);

/** record_stream_skip - go on by @n bytes; what is passed also goes to @to, unless that is NULL */
int record_stream_skip(struct record_stream *s, uint64_t n, struct record_sink *to);

/** record_stream_ended - 1 nothing is left; 0 something is; or the stream's error */
int record_stream_ended(struct record_stream *s);

#endif /* SLUICE_RECORDS_RECORD_STREAM_H */
