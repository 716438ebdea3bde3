// SPDX-License-Identifier: Apache-2.0
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "daemon/kafka/frame.h"

#define SIZE_BYTES 4

/* API key, version and correlation id: what even the shortest header has. */
#define FRAME_MIN_BYTES 8

/* Room for usual requests, and for one piece of a long one. */
#define FIRST_BYTES 4096
#define PIECE_BYTES (256 * 1024)

void frame_reader_init(struct frame_reader *f, uint32_t max_bytes)
{
	buf_init(&f->in, 0);
	f->start = 0;
	f->max_bytes = max_bytes;
}

void frame_reader_free(struct frame_reader *f)
{
	buf_free(&f->in);
	f->start = 0;
}

static size_t bytes_there(const struct frame_reader *f)
{
	return f->in.len - f->start;
}

int64_t frame_announced(const struct frame_reader *f)
{
	uint32_t be;

	if (bytes_there(f) < SIZE_BYTES)
		return -1;
	memcpy(&be, f->in.data + f->start, sizeof(be));
	return be32toh(be);
}

int frame_room(struct frame_reader *f, uint8_t **ret_room, size_t *ret_len)
{
	int64_t size = frame_announced(f);
	size_t there = bytes_there(f);
	size_t want = FIRST_BYTES;
	int err;

	if (f->start) {
		memmove(f->in.data, f->in.data + f->start, there);
		f->in.len = there;
		f->start = 0;
	}
	if (size >= 0 && (uint64_t)size + SIZE_BYTES > there) {
		size_t missing = (size_t)size + SIZE_BYTES - there;
		size_t piece = there > PIECE_BYTES ? there : PIECE_BYTES;

		want = missing < piece ? missing : piece;
	}
	err = buf_reserve(&f->in, want);
	if (err)
		return err;
	*ret_room = f->in.data + f->in.len;
	*ret_len = f->in.cap - f->in.len;
	return 0;
}

int frame_next(const struct frame_reader *f, const uint8_t **ret_data, size_t *ret_len)
{
	int64_t size = frame_announced(f);

	if (size < 0)
		return 0;
	/* A negative int32 is a huge number here, and gets the first answer below. */
	if (size > INT32_MAX || size < FRAME_MIN_BYTES)
		return -EBADMSG;
	if (size > f->max_bytes)
		return -EMSGSIZE;
	if ((uint64_t)size > bytes_there(f) - SIZE_BYTES)
		return 0;
	*ret_data = f->in.data + f->start + SIZE_BYTES;
	*ret_len = (size_t)size;
	return 1;
}

void frame_used(struct frame_reader *f)
{
	f->start += SIZE_BYTES + (size_t)frame_announced(f);
	if (f->start == f->in.len)
		frame_reader_free(f);
}
