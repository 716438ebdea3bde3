/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts a byte stream into requests: each is an int32 size and so many bytes.
 * No socket and no clock: bytes in, frames out.
 */
#ifndef SLUICE_KAFKA_FRAME_H
#define SLUICE_KAFKA_FRAME_H

#include "daemon/core/buf.h"

/**
 * struct frame_reader - bytes that came and were not used yet
 * @in: the bytes; @start: first one not used
 * @max_bytes: largest frame
 */
struct frame_reader {
	struct buf in;
	size_t start;
	uint32_t max_bytes;
};

/** frame_reader_init - allocates nothing */
void frame_reader_init(struct frame_reader *f, uint32_t max_bytes);
void frame_reader_free(struct frame_reader *f);

/**
 * frame_room - where the next bytes go
 * @ret_room: the place; @ret_len: its size, never 0
 * Memory grows with what has arrived, not with what a frame announces. Moves
 * the bytes: pointers into frames do not survive it.
 * Returns 0 or -ENOMEM.
 */
int frame_room(struct frame_reader *f, uint8_t **ret_room, size_t *ret_len);

/** frame_filled - @n bytes were put there */
static inline void frame_filled(struct frame_reader *f, size_t n)
{
	f->in.len += n;
}

/**
 * frame_next - the frame that comes next
 * @ret_data: its bytes behind the size, valid until frame_used() or frame_room()
 * Returns 1; 0 if more bytes are needed; -EBADMSG a size too small for a
 * request's header; -EMSGSIZE one above the limit.
 */
int frame_next(const struct frame_reader *f, const uint8_t **ret_data, size_t *ret_len);

/** frame_announced - size of the frame that comes next, whatever it is; -1: not known yet */
int64_t frame_announced(const struct frame_reader *f);

/** frame_used - go behind the frame that frame_next() gave; frees memory when nothing is left */
void frame_used(struct frame_reader *f);

#endif /* SLUICE_KAFKA_FRAME_H */
