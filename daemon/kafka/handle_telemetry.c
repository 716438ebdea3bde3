// SPDX-License-Identifier: Apache-2.0
/*
 * GetTelemetrySubscriptions and PushTelemetry (KIP-714): no metrics are asked
 * for, so that clients come back only to look whether that has changed.
 * Nothing is remembered: the subscription follows from the client's id.
 */
#include <errno.h>
#include <string.h>

#include "daemon/kafka/dispatch.h"
#include "daemon/log/topic_id.h"

/* Kafka's ClientMetricsConfigs.INTERVAL_MS_DEFAULT and telemetry.max.bytes. */
#define PUSH_INTERVAL_MS    300000
#define TELEMETRY_MAX_BYTES 1048576

/* Compression types by their numbers in a batch: zstd, lz4, gzip, snappy. */
static int8_t accepted[] = {4, 3, 1, 2};

static int32_t subscription_of(const struct kafka_uuid *client)
{
	uint32_t hash = 2166136261;

	for (size_t i = 0; i < sizeof(client->b); i++)
		hash = (hash ^ client->b[i]) * 16777619;
	return (int32_t)hash;
}

enum handled handle_get_telemetry_subscriptions(struct request *r)
{
	struct kafka_get_telemetry_subscriptions_request m;
	struct kafka_get_telemetry_subscriptions_response out;
	int err = kafka_get_telemetry_subscriptions_request_decode(&r->body, &r->arena,
								   request_version(r), &m);

	if (err)
		return request_malformed(r, err);
	kafka_get_telemetry_subscriptions_response_init(&out);
	out.client_instance_id = m.client_instance_id;
	if (kafka_uuid_is_zero(&m.client_instance_id) && topic_id_random(out.client_instance_id.b))
		out.error_code = KAFKA_ERROR_UNKNOWN_SERVER_ERROR;
	out.subscription_id = subscription_of(&out.client_instance_id);
	out.accepted_compression_types.v = accepted;
	out.accepted_compression_types.n = sizeof(accepted);
	out.push_interval_ms = PUSH_INTERVAL_MS;
	out.telemetry_max_bytes = TELEMETRY_MAX_BYTES;
	out.delta_temporality = true;
	kafka_get_telemetry_subscriptions_response_encode(response_begin(r), request_version(r),
							  &out);
	return response_end(r);
}

static int16_t check(const struct kafka_push_telemetry_request *m)
{
	if (kafka_uuid_is_zero(&m->client_instance_id))
		return KAFKA_ERROR_INVALID_REQUEST;
	if (m->subscription_id != subscription_of(&m->client_instance_id))
		return KAFKA_ERROR_UNKNOWN_SUBSCRIPTION_ID;
	if (m->compression_type && !memchr(accepted, m->compression_type, sizeof(accepted)))
		return KAFKA_ERROR_UNSUPPORTED_COMPRESSION_TYPE;
	if (m->metrics.len > TELEMETRY_MAX_BYTES)
		return KAFKA_ERROR_TELEMETRY_TOO_LARGE;
	return KAFKA_ERROR_NONE;
}

enum handled handle_push_telemetry(struct request *r)
{
	struct kafka_push_telemetry_request m;
	struct kafka_push_telemetry_response out;
	int err = kafka_push_telemetry_request_decode(&r->body, &r->arena, request_version(r), &m);

	if (err)
		return request_malformed(r, err);
	kafka_push_telemetry_response_init(&out);
	out.error_code = check(&m);
	kafka_push_telemetry_response_encode(response_begin(r), request_version(r), &out);
	return response_end(r);
}
