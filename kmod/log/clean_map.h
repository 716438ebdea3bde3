/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The cleaner's offset map (Kafka's SkimpyOffsetMap): of each key the last
 * offset, in bounded memory. Userspace only.
 *
 * Keys are not kept, only 128 bits of their hash, so two keys with one hash
 * would be taken for one, and the older record of the two would be lost. It is
 * SipHash-2-4 with 128 bits of output under a random key that is new for every
 * map and never leaves it. Who chooses record keys cannot aim at a collision
 * without that key, and by chance one is found among n keys with a probability
 * of n^2 / 2^129: for the 30 million keys of the largest map below 2^-79.
 */
#ifndef SLUICE_LOG_CLEAN_MAP_H
#define SLUICE_LOG_CLEAN_MAP_H

#include "port.h"

#define SLUICE_CLEAN_MAP_ENTRY		24		/* bytes of memory for a key */
#define SLUICE_CLEAN_MAP_ENTRIES_MAX	(1U << 30)

struct sluice_clean_slot;

/**
 * struct sluice_clean_map - the last offset of each key
 * @slots: open addressing, @slot_count of them
 * @entries: in use; at most @entries_max
 * @end_offset: all records below it are in the map; those from it on are not
 *	judged by it
 * @key: of the hash
 */
struct sluice_clean_map {
	struct sluice_clean_slot *slots;
	u32 slot_count;
	u32 entries;
	u32 entries_max;
	s64 end_offset;
	u64 key[2];
};

/**
 * sluice_clean_map_init() - an empty map
 * @bytes: of memory at most (log.cleaner.dedupe.buffer.size)
 * @load_percent: so much of it is filled (log.cleaner.io.buffer.load.factor)
 * @keys_max: there cannot be more keys than this, whatever @bytes allows
 * Returns 0, -ENOMEM, -EINVAL if not one key would fit, or what reading random
 * bytes gave.
 */
int __must_check sluice_clean_map_init(struct sluice_clean_map *map, u64 bytes, u32 load_percent,
				       u64 keys_max);
void sluice_clean_map_destroy(struct sluice_clean_map *map);

/**
 * sluice_clean_map_put() - the key's last offset so far
 * Offsets come in rising order. Returns false if the map is full: then nothing
 * has changed. As in Kafka it is full for keys that it knows, too.
 */
bool sluice_clean_map_put(struct sluice_clean_map *map, const void *key, size_t len, s64 offset);

/** sluice_clean_map_get() - the last offset of a key, or -1. */
s64 sluice_clean_map_get(const struct sluice_clean_map *map, const void *key, size_t len);

/** sluice_clean_hash() - SipHash-2-4-128 of @len bytes; for the map and its test. */
void sluice_clean_hash(const u64 key[2], const void *p, size_t len, u64 ret_hash[2]);

#endif /* SLUICE_LOG_CLEAN_MAP_H */
