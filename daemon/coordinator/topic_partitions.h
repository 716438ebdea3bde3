/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partitions of a coordinator's topic, as far as they were read: what it may
 * answer about a group or a transactional id depends on the one that has it.
 */
#ifndef SLUICE_COORDINATOR_TOPIC_PARTITIONS_H
#define SLUICE_COORDINATOR_TOPIC_PARTITIONS_H

#include "daemon/core/wire.h"

/**
 * enum topic_partition_state - a partition of a coordinator's topic
 * @PARTITION_ABSENT: it is not there, or cannot be used any more
 * @PARTITION_LOADING: its records are being read
 */
enum topic_partition_state {
	PARTITION_ABSENT,
	PARTITION_LOADING,
	PARTITION_ACTIVE,
};

/** struct topic_partitions - all zero until the topic is known */
struct topic_partitions {
	enum topic_partition_state *state;
	int32_t n;
};

/** topic_partitions_open - there are @n, to be loaded; 0 or -ENOMEM */
int topic_partitions_open(struct topic_partitions *p, int32_t n);
void topic_partitions_free(struct topic_partitions *p);

/** topic_partitions_error - what is answered about @key, or 0: its partition was read */
int16_t topic_partitions_error(const struct topic_partitions *p, struct kafka_str key);

/** topic_partitions_all_error - the same about all there is: an error while any is read */
int16_t topic_partitions_all_error(const struct topic_partitions *p);

#endif /* SLUICE_COORDINATOR_TOPIC_PARTITIONS_H */
