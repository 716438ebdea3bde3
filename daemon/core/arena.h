/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of one request: taken piece by piece, given back all at once. */
#ifndef SLUICE_CORE_ARENA_H
#define SLUICE_CORE_ARENA_H

#include <stddef.h>

struct arena_block;

/**
 * struct arena - a bump allocator with a limit
 * @blocks: what was allocated, the newest first; private
 * @used_bytes: memory held now, with the arena's own overhead
 * @limit_bytes: @used_bytes never grows above this
 *
 * Belongs to one thread at a time.
 */
struct arena {
	struct arena_block *blocks;
	size_t used_bytes;
	size_t limit_bytes;
};

/** arena_init - an empty arena that may hold @limit_bytes; allocates nothing */
void arena_init(struct arena *a, size_t limit_bytes);

/**
 * arena_alloc - take @n objects of @size bytes, zeroed, aligned for any type
 *
 * Returns memory that lives until arena_free() or arena_reset(), never NULL
 * for @n or @size zero; NULL if the limit or the system does not allow it, or
 * if @n * @size overflows.
 */
void *arena_alloc(struct arena *a, size_t n, size_t size);

/**
 * arena_reset - give back what was taken, but keep one small block
 *
 * For a connection that serves request after request: the usual request then
 * needs no malloc. Everything taken before is invalid.
 */
void arena_reset(struct arena *a);

/** arena_free - give back everything; @a is empty again, keeps its limit and can be used on */
void arena_free(struct arena *a);

#endif
