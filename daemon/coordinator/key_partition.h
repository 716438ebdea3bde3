/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLUICE_COORDINATOR_KEY_PARTITION_H
#define SLUICE_COORDINATOR_KEY_PARTITION_H

#include "daemon/core/wire.h"

/**
 * key_partition - which of @n partitions of a coordinator's topic has what is about @key
 * @key: a group's id or a transactional id
 */
int32_t key_partition(struct kafka_str key, int32_t n);

#endif /* SLUICE_COORDINATOR_KEY_PARTITION_H */
