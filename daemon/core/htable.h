/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table whose links lie inside the entries. */
#ifndef SLUICE_CORE_HTABLE_H
#define SLUICE_CORE_HTABLE_H

#include <stddef.h>
#include <stdint.h>

/** struct hnode - an entry's link; @hash is the hash it was inserted with */
struct hnode {
	struct hnode *next;
	uint64_t hash;
};

/** struct htable - @buckets is owned; @mask is their number - 1 */
struct htable {
	struct hnode **buckets;
	size_t mask;
	size_t count;
};

#define hnode_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/** htable_init - empty; allocates nothing */
void htable_init(struct htable *t);

/** htable_free - frees the buckets, not the entries, which are forgotten */
void htable_free(struct htable *t);

/**
 * htable_insert - add an entry, whose key must not be in the table yet
 * Returns 0; -ENOMEM only for a table that was never inserted into: a bigger
 * one just stays as dense as it is.
 */
int htable_insert(struct htable *t, struct hnode *n, uint64_t hash);

/** htable_remove - take out an entry that is in the table */
void htable_remove(struct htable *t, struct hnode *n);

/** htable_first, htable_next - the entries with this very hash; compare the keys yourself */
struct hnode *htable_first(const struct htable *t, uint64_t hash);
struct hnode *htable_next(const struct hnode *n);

/**
 * htable_each - call @fn for all entries, in no order
 * @fn: may remove the entry it is given, and no other, and add none
 */
void htable_each(struct htable *t, void (*fn)(struct hnode *n, void *ctx), void *ctx);

/** hash_bytes, hash_u64 - hashes for keys; @seed: chains several parts */
uint64_t hash_bytes(uint64_t seed, const void *p, size_t len);
uint64_t hash_u64(uint64_t seed, uint64_t v);

#endif /* SLUICE_CORE_HTABLE_H */
