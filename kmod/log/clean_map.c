// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The cleaner's offset map: SipHash, and a table with linear probing. */
#include "clean_map.h"

#include <sys/random.h>

/* An entry that is free has @offset_plus_1 0. */
struct sluice_clean_slot {
	u64 hash[2];
	s64 offset_plus_1;
};

static_assert(sizeof(struct sluice_clean_slot) == SLUICE_CLEAN_MAP_ENTRY, "as documented");

static u64 rotate(u64 v, unsigned int bits)
{
	return v << bits | v >> (64 - bits);
}

static void sip_rounds(u64 v[4], int rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

static void sip_word(u64 v[4], u64 word)
{
	v[3] ^= word;
	sip_rounds(v, 2);
	v[0] ^= word;
}

void sluice_clean_hash(const u64 key[2], const void *p, size_t len, u64 ret_hash[2])
{
	u64 v[4] = {
		key[0] ^ 0x736f6d6570736575ULL,
		key[1] ^ 0x646f72616e646f6dULL ^ 0xee,
		key[0] ^ 0x6c7967656e657261ULL,
		key[1] ^ 0x7465646279746573ULL,
	};
	u64 last = (u64)len << 56;
	const u8 *next = p;
	u64 word;

	for (; len >= sizeof(word); len -= sizeof(word), next += sizeof(word)) {
		memcpy(&word, next, sizeof(word));
		sip_word(v, word);
	}
	while (len-- > 0)
		last |= (u64)next[len] << (8 * len);
	sip_word(v, last);
	v[2] ^= 0xee;
	sip_rounds(v, 4);
	ret_hash[0] = v[0] ^ v[1] ^ v[2] ^ v[3];
	v[1] ^= 0xdd;
	sip_rounds(v, 4);
	ret_hash[1] = v[0] ^ v[1] ^ v[2] ^ v[3];
}

int sluice_clean_map_init(struct sluice_clean_map *map, u64 bytes, u32 load_percent, u64 keys_max)
{
	u64 slot_count = min_t(u64, bytes / SLUICE_CLEAN_MAP_ENTRY, SLUICE_CLEAN_MAP_ENTRIES_MAX);
	u64 entries_max = slot_count * load_percent / 100;

	if (!entries_max || load_percent > 100)
		return -EINVAL;
	if (keys_max < entries_max) {
		/* One slot stays free at least, where a search for what is not there ends. */
		entries_max = max_t(u64, keys_max, 1);
		slot_count = entries_max * 100 / load_percent + 1;
	}
	if (entries_max == slot_count)
		slot_count++;
	memset(map, 0, sizeof(*map));
	if (getrandom(map->key, sizeof(map->key), 0) != sizeof(map->key))
		return errno ? -errno : -EIO;
	map->slots = port_alloc(slot_count * sizeof(*map->slots));
	if (!map->slots)
		return -ENOMEM;
	map->slot_count = (u32)slot_count;
	map->entries_max = (u32)entries_max;
	return 0;
}

void sluice_clean_map_destroy(struct sluice_clean_map *map)
{
	port_free(map->slots);
	map->slots = NULL;
}

/* The slot that has the key, or the free one where it belongs. */
static struct sluice_clean_slot *find(const struct sluice_clean_map *map, const void *key,
				      size_t len, u64 hash[2])
{
	struct sluice_clean_slot *slot;
	u32 i;

	sluice_clean_hash(map->key, key, len, hash);
	for (i = (u32)(hash[0] % map->slot_count);; i = i + 1 == map->slot_count ? 0 : i + 1) {
		slot = &map->slots[i];
		if (!slot->offset_plus_1 ||
		    (slot->hash[0] == hash[0] && slot->hash[1] == hash[1]))
			return slot;
	}
}

bool sluice_clean_map_put(struct sluice_clean_map *map, const void *key, size_t len, s64 offset)
{
	struct sluice_clean_slot *slot;
	u64 hash[2];

	if (map->entries >= map->entries_max)
		return false;
	slot = find(map, key, len, hash);
	if (!slot->offset_plus_1) {
		slot->hash[0] = hash[0];
		slot->hash[1] = hash[1];
		map->entries++;
	}
	slot->offset_plus_1 = offset + 1;
	map->end_offset = offset + 1;
	return true;
}

s64 sluice_clean_map_get(const struct sluice_clean_map *map, const void *key, size_t len)
{
	u64 hash[2];

	return find(map, key, len, hash)->offset_plus_1 - 1;
}
