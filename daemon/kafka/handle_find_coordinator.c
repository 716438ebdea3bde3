// SPDX-License-Identifier: Apache-2.0
/*
 * This broker coordinates every group. Nobody coordinates transactions yet:
 * that is answered with TRANSACTIONAL_ID_AUTHORIZATION_FAILED, because every
 * client gives up on it at once, while it would try again for ever after the
 * errors that say "not now".
 */
#include "daemon/kafka/dispatch.h"
#include "daemon/worker.h"

#define KEY_GROUP	0
#define KEY_TRANSACTION 1

static void find(struct request *r, int8_t key_type, struct kafka_str key,
		 struct kafka_find_coordinator_response_coordinator *ret)
{
	const struct broker *b = r->worker->broker;
	const char *host;
	uint16_t port;

	kafka_find_coordinator_response_coordinator_init(ret);
	ret->key = key;
	ret->host = kafka_str_from("");
	ret->error_message = kafka_str_from(NULL);
	if (key_type != KEY_GROUP) {
		ret->node_id = -1;
		ret->port = -1;
		ret->error_code = key_type == KEY_TRANSACTION
					  ? KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED
					  : KAFKA_ERROR_INVALID_REQUEST;
		ret->error_message = kafka_str_from(
			key_type == KEY_TRANSACTION ? "this broker has no transactions yet"
						    : "this broker coordinates groups only");
		return;
	}
	broker_endpoint(b, r->listener, r->local_host, r->local_port, &host, &port);
	ret->node_id = b->config->node_id;
	ret->host = kafka_str_from(host);
	ret->port = port;
}

enum handled handle_find_coordinator(struct request *r)
{
	struct kafka_find_coordinator_response_coordinator one;
	struct kafka_find_coordinator_response answer;
	struct kafka_find_coordinator_request m;
	int16_t version = request_version(r);
	int err = kafka_find_coordinator_request_decode(&r->body, &r->arena, version, &m);

	if (err)
		return request_malformed(r, err);
	kafka_find_coordinator_response_init(&answer);
	if (version < 4) {
		find(r, m.key_type, m.key, &one);
		answer.error_code = one.error_code;
		answer.error_message = one.error_message;
		answer.node_id = one.node_id;
		answer.host = one.host;
		answer.port = one.port;
	} else {
		answer.coordinators.n = m.coordinator_keys.n;
		answer.coordinators.v = request_alloc(r, (size_t)m.coordinator_keys.n,
						      sizeof(*answer.coordinators.v));
		if (!answer.coordinators.v)
			return request_malformed(r, -ENOMEM);
		for (int32_t i = 0; i < m.coordinator_keys.n; i++)
			find(r, m.key_type, m.coordinator_keys.v[i], &answer.coordinators.v[i]);
	}
	kafka_find_coordinator_response_encode(response_begin(r), version, &answer);
	return response_end(r);
}
