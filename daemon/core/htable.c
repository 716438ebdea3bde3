// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>

#include "daemon/core/htable.h"

#define HTABLE_FIRST_BUCKETS 16

void htable_init(struct htable *t)
{
	*t = (struct htable){0};
}

void htable_free(struct htable *t)
{
	free(t->buckets);
	htable_init(t);
}

static void link_node(struct htable *t, struct hnode *n)
{
	struct hnode **bucket = &t->buckets[n->hash & t->mask];

	n->next = *bucket;
	*bucket = n;
}

static int grow(struct htable *t)
{
	size_t old = t->buckets ? t->mask + 1 : 0;
	size_t buckets = old ? old * 2 : HTABLE_FIRST_BUCKETS;
	struct hnode **from = t->buckets;

	struct hnode **to = calloc(buckets, sizeof(*to));
	if (!to)
		return -ENOMEM;
	t->buckets = to;
	t->mask = buckets - 1;
	for (size_t i = 0; i < old; i++) {
		struct hnode *next;

		for (struct hnode *n = from[i]; n; n = next) {
			next = n->next;
			link_node(t, n);
		}
	}
	free(from);
	return 0;
}

int htable_insert(struct htable *t, struct hnode *n, uint64_t hash)
{
	if (!t->buckets || t->count > t->mask) {
		int err = grow(t);

		if (err && !t->buckets)
			return err;
	}
	n->hash = hash;
	link_node(t, n);
	t->count++;
	return 0;
}

void htable_remove(struct htable *t, struct hnode *n)
{
	struct hnode **at = &t->buckets[n->hash & t->mask];

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	n->next = NULL;
	t->count--;
}

static struct hnode *same_hash(struct hnode *n, uint64_t hash)
{
	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct hnode *htable_first(const struct htable *t, uint64_t hash)
{
	return t->buckets ? same_hash(t->buckets[hash & t->mask], hash) : NULL;
}

struct hnode *htable_next(const struct hnode *n)
{
	return same_hash(n->next, n->hash);
}

void htable_each(struct htable *t, void (*fn)(struct hnode *n, void *ctx), void *ctx)
{
	for (size_t i = 0; t->buckets && i <= t->mask; i++) {
		struct hnode *next;

		for (struct hnode *n = t->buckets[i]; n; n = next) {
			next = n->next;
			fn(n, ctx);
		}
	}
}

/* The finalizer of splitmix64: every bit of the input reaches every bit of the result. */
uint64_t hash_u64(uint64_t seed, uint64_t v)
{
	v += seed + 0x9e3779b97f4a7c15u;
	v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u;
	v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
	return v ^ (v >> 31);
}

uint64_t hash_bytes(uint64_t seed, const void *p, size_t len)
{
	const uint8_t *at = p;
	uint64_t h = hash_u64(seed, len);

	/* FNV-1a, mixed at the end, because its low bits are weak. */
	for (size_t i = 0; i < len; i++)
		h = (h ^ at[i]) * 0x100000001b3u;
	return hash_u64(h, 0);
}
