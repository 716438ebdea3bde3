// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/arena.h"

#define ARENA_BLOCK_BYTES     4096	  /* first block, the one a reset keeps */
#define ARENA_BLOCK_BYTES_MAX (64 * 1024) /* larger ones only for larger objects */

/**
 * struct arena_block - one piece from malloc
 * @next: the block before it in time
 * @size: bytes at @data
 * @used: of them, bytes handed out
 * @data: the memory
 */
struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t used;
	alignas(max_align_t) unsigned char data[];
};

void arena_init(struct arena *a, size_t limit_bytes)
{
	*a = (struct arena){.limit_bytes = limit_bytes};
}

static struct arena_block *block_add(struct arena *a, size_t need)
{
	size_t room = a->limit_bytes - a->used_bytes;
	struct arena_block *b;
	size_t size;

	/* Sizes follow what was used so far, so that few blocks make up a large request. */
	size = a->used_bytes;
	if (size < ARENA_BLOCK_BYTES)
		size = ARENA_BLOCK_BYTES;
	if (size > ARENA_BLOCK_BYTES_MAX)
		size = ARENA_BLOCK_BYTES_MAX;
	size -= sizeof(*b);
	if (size < need)
		size = need;

	if (room < sizeof(*b) || need > room - sizeof(*b))
		return NULL;
	if (size > room - sizeof(*b))
		size = room - sizeof(*b);

	b = malloc(sizeof(*b) + size);
	if (!b)
		return NULL;
	b->next = a->blocks;
	b->size = size;
	b->used = 0;
	a->blocks = b;
	a->used_bytes += sizeof(*b) + size;
	return b;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	struct arena_block *b = a->blocks;
	size_t need;
	void *p;

	if (__builtin_mul_overflow(n, size, &need))
		return NULL;
	if (need > SIZE_MAX - alignof(max_align_t))
		return NULL;
	need = (need + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!need)
		need = alignof(max_align_t);

	if (!b || need > b->size - b->used) {
		b = block_add(a, need);
		if (!b)
			return NULL;
	}
	p = b->data + b->used;
	b->used += need;
	return memset(p, 0, need);
}

static void blocks_free(struct arena *a, struct arena_block *keep)
{
	struct arena_block *b = a->blocks;

	while (b) {
		struct arena_block *next = b->next;

		if (b != keep)
			free(b);
		b = next;
	}
	a->blocks = keep;
	a->used_bytes = 0;
	if (!keep)
		return;
	keep->next = NULL;
	keep->used = 0;
	a->used_bytes = sizeof(*keep) + keep->size;
}

void arena_reset(struct arena *a)
{
	struct arena_block *b = a->blocks;

	/* The first block is the last in the list; it may be one large object's. */
	while (b && b->next)
		b = b->next;
	if (b && b->size > ARENA_BLOCK_BYTES)
		b = NULL;
	blocks_free(a, b);
}

void arena_free(struct arena *a)
{
	blocks_free(a, NULL);
}
