/* SPDX-License-Identifier: Apache-2.0 */
/* A byte buffer that grows up to a limit. */
#ifndef SLUICE_CORE_BUF_H
#define SLUICE_CORE_BUF_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct buf - owned bytes
 * @data: the bytes, or NULL while nothing was allocated
 * @len: how many of them are in use
 * @cap: how many are allocated
 * @max: @len never grows above this; 0 means no limit
 */
struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max;
};

/** buf_init - an empty buffer of at most @max bytes (0: no limit); allocates nothing */
void buf_init(struct buf *b, size_t max);

/** buf_free - free the bytes; @b is empty again, keeps its limit and can be used on */
void buf_free(struct buf *b);

/**
 * buf_reserve - make room for @n bytes behind @b->len
 *
 * Moves @b->data, so that pointers into the buffer do not survive it.
 * Returns 0, -EMSGSIZE if the limit does not allow it, or -ENOMEM; the buffer
 * is unchanged after an error.
 */
int buf_reserve(struct buf *b, size_t n);

#endif
