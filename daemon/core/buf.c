// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>

#include "daemon/core/buf.h"

#define BUF_FIRST_BYTES 512

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_free(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

int buf_reserve(struct buf *b, size_t n)
{
	size_t max = b->max ? b->max : SIZE_MAX;
	size_t cap;
	uint8_t *data;

	if (n <= b->cap - b->len && n <= max - b->len)
		return 0;
	if (n > max - b->len)
		return -EMSGSIZE;

	/* Doubling keeps the cost of a byte constant; the limit may be lower than the double. */
	cap = b->cap ? b->cap : BUF_FIRST_BYTES;
	while (cap < b->len + n)
		cap = cap > SIZE_MAX / 2 ? b->len + n : cap * 2;
	if (cap > max)
		cap = max;

	data = realloc(b->data, cap);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->cap = cap;
	return 0;
}
