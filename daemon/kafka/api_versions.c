// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/api_versions.h"

/* Version of ApiVersions from which on clients can read that a feature may be off. */
#define LEVEL_0_FROM_VERSION 4

/* Transactions whose epoch grows with each (KIP-890), always on. */
static int fill_features(struct kafka_api_versions_response *m, struct arena *a, int16_t version)
{
	m->supported_features.v = arena_alloc(a, 1, sizeof(*m->supported_features.v));
	m->finalized_features.v = arena_alloc(a, 1, sizeof(*m->finalized_features.v));
	if (!m->supported_features.v || !m->finalized_features.v)
		return -ENOMEM;
	if (version >= LEVEL_0_FROM_VERSION) {
		m->supported_features.v[0] = (struct kafka_api_versions_response_supported_feature){
			.name = kafka_str_from(TXN_FEATURE),
			.max_version = TXN_FEATURE_LEVEL,
		};
		m->supported_features.n = 1;
	}
	m->finalized_features_epoch = 0;
	m->finalized_features.v[0] = (struct kafka_api_versions_response_finalized_feature){
		.name = kafka_str_from(TXN_FEATURE),
		.max_version_level = TXN_FEATURE_LEVEL,
		.min_version_level = TXN_FEATURE_LEVEL,
	};
	m->finalized_features.n = 1;
	return 0;
}

int api_versions_fill(struct kafka_api_versions_response *m, struct arena *a, int16_t version)
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
	return fill_features(m, a, version);
}
