// SPDX-License-Identifier: GPL-2.0
/*
 * A record with a key goes to the partition that any Kafka client would choose
 * for it: records of one key stay in one order, whoever produces them.
 */
#include "log/port.h"
#include "partitioner.h"

#define MURMUR2_SEED	0x9747b28cU
#define MURMUR2_M	0x5bd1e995U
#define MURMUR2_R	24

u32 sluice_murmur2(const void *data, size_t len)
{
	const u8 *p = data;
	u32 h = MURMUR2_SEED ^ (u32)len;

	for (; len >= 4; len -= 4, p += 4) {
		u32 k = p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;

		k *= MURMUR2_M;
		k ^= k >> MURMUR2_R;
		k *= MURMUR2_M;
		h *= MURMUR2_M;
		h ^= k;
	}
	if (len == 3)
		h ^= (u32)p[2] << 16;
	if (len >= 2)
		h ^= (u32)p[1] << 8;
	if (len >= 1) {
		h ^= p[0];
		h *= MURMUR2_M;
	}
	h ^= h >> 13;
	h *= MURMUR2_M;
	h ^= h >> 15;
	return h;
}

u32 sluice_partition_for_key(const void *key, size_t len, u32 count)
{
	return (sluice_murmur2(key, len) & 0x7fffffff) % count;
}
