// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include "daemon/coordinator/key_partition.h"
#include "daemon/coordinator/topic_partitions.h"
#include "daemon/kafka/error_code.h"

int topic_partitions_open(struct topic_partitions *p, int32_t n)
{
	enum topic_partition_state *state = calloc((size_t)n, sizeof(*state));

	if (!state)
		return -ENOMEM;
	free(p->state);
	p->state = state;
	p->n = n;
	for (int32_t i = 0; i < n; i++)
		state[i] = PARTITION_LOADING;
	return 0;
}

void topic_partitions_free(struct topic_partitions *p)
{
	free(p->state);
}

static int16_t state_error(enum topic_partition_state state)
{
	switch (state) {
	case PARTITION_ACTIVE: return KAFKA_ERROR_NONE;
	case PARTITION_LOADING: return KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS;
	default: return KAFKA_ERROR_NOT_COORDINATOR;
	}
}

int16_t topic_partitions_error(const struct topic_partitions *p, struct kafka_str key)
{
	if (!p->n)
		return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	return state_error(p->state[key_partition(key, p->n)]);
}

int16_t topic_partitions_all_error(const struct topic_partitions *p)
{
	for (int32_t i = 0; i < p->n; i++) {
		if (p->state[i] == PARTITION_LOADING)
			return state_error(p->state[i]);
	}
	return KAFKA_ERROR_NONE;
}
