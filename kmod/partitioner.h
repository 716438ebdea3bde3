/* SPDX-License-Identifier: GPL-2.0 */
/* Which partition a key belongs to, as Kafka's own clients decide it. */
#ifndef SLUICE_PARTITIONER_H
#define SLUICE_PARTITIONER_H

#include <linux/types.h>

/** sluice_murmur2() - Utils.murmur2: 32-bit MurmurHash 2 with Kafka's seed. */
u32 sluice_murmur2(const void *data, size_t len);

/**
 * sluice_partition_for_key() - BuiltInPartitioner.partitionForKey
 * @count: partitions of the topic, not 0
 */
u32 sluice_partition_for_key(const void *key, size_t len, u32 count);

#endif /* SLUICE_PARTITIONER_H */
