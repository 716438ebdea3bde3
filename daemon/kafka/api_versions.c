// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/api_versions.h"

int api_versions_fill(struct kafka_api_versions_response *m, struct arena *a)
{
	m->api_keys.v = arena_alloc(a, KAFKA_API_COUNT, sizeof(*m->api_keys.v));
	if (!m->api_keys.v)
		return -ENOMEM;
	for (int i = 0; i < KAFKA_API_COUNT; i++) {
		const struct kafka_api *api = &kafka_apis[i];

		m->api_keys.v[i] = (struct kafka_api_versions_response_api_version){
			.api_key = api->key,
			.min_version = api->advertise_min,
			.max_version = api->max,
		};
	}
	m->api_keys.n = KAFKA_API_COUNT;
	return 0;
}
