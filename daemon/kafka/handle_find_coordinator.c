// SPDX-License-Identifier: Apache-2.0
/* This broker coordinates every group and every transactional id. */
#include <string.h>

#include "daemon/controller/controller.h"
#include "daemon/core/diag.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/worker.h"

#define KEY_GROUP	0
#define KEY_TRANSACTION 1

static void find(struct request *r, int8_t key_type, struct kafka_str key, int err,
		 struct kafka_find_coordinator_response_coordinator *ret)
{
	const struct broker *b = r->worker->broker;
	const char *host;
	uint16_t port;

	kafka_find_coordinator_response_coordinator_init(ret);
	ret->key = key;
	ret->host = kafka_str_from("");
	ret->error_message = kafka_str_from(NULL);
	if (key_type != KEY_GROUP && key_type != KEY_TRANSACTION) {
		ret->node_id = -1;
		ret->port = -1;
		ret->error_code = KAFKA_ERROR_INVALID_REQUEST;
		ret->error_message =
			kafka_str_from("this broker coordinates groups and transactions only");
		return;
	}
	if (err) {
		ret->node_id = -1;
		ret->port = -1;
		ret->error_code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
		ret->error_message = kafka_str_from("its topic cannot be created");
		return;
	}
	broker_endpoint(b, r->listener, r->local_host, r->local_port, &host, &port);
	ret->node_id = b->config->node_id;
	ret->host = kafka_str_from(host);
	ret->port = port;
}

/**
 * struct find_call - a request that waits for a topic to be made; in its arena
 * @err: why it could not be
 */
struct find_call {
	struct controller_call call;
	struct request *request;
	struct kafka_find_coordinator_request m;
	int err;
};

static struct diag_limit create_limit;

static enum handled answer(struct find_call *fc)
{
	struct kafka_find_coordinator_response_coordinator one;
	struct kafka_find_coordinator_response answer;
	struct request *r = fc->request;
	int16_t version = request_version(r);

	kafka_find_coordinator_response_init(&answer);
	if (version < 4) {
		find(r, fc->m.key_type, fc->m.key, fc->err, &one);
		answer.error_code = one.error_code;
		answer.error_message = one.error_message;
		answer.node_id = one.node_id;
		answer.host = one.host;
		answer.port = one.port;
	} else {
		int32_t n = fc->m.coordinator_keys.n;

		answer.coordinators.n = n;
		answer.coordinators.v = request_alloc(r, (size_t)n, sizeof(*answer.coordinators.v));
		if (!answer.coordinators.v)
			return request_malformed(r, -ENOMEM);
		for (int32_t i = 0; i < n; i++)
			find(r, fc->m.key_type, fc->m.coordinator_keys.v[i], fc->err,
			     &answer.coordinators.v[i]);
	}
	kafka_find_coordinator_response_encode(response_begin(r), version, &answer);
	return response_end(r);
}

/* Where what it coordinates is kept; NULL if it coordinates nothing like it. */
static const char *topic_of(int8_t key_type)
{
	switch (key_type) {
	case KEY_GROUP: return OFFSETS_TOPIC;
	case KEY_TRANSACTION: return TXN_TOPIC;
	default: return NULL;
	}
}

static void work(struct controller *c, struct controller_call *call)
{
	struct find_call *fc = list_entry(call, struct find_call, call);
	struct log_dir_error err;

	const char *topic = topic_of(fc->m.key_type);

	/* Somebody else may have been faster. */
	if (controller_topic(c, topic, strlen(topic)))
		return;
	fc->err = controller_internal_topic_create(c, topic, &err);
	if (fc->err)
		diag_limited(&create_limit, DIAG_ERROR, "cannot create topic %s: %s", topic,
			     err.text);
}

static void reply(struct controller_call *call)
{
	struct find_call *fc = list_entry(call, struct find_call, call);

	request_finish(fc->request, answer(fc));
}

enum handled handle_find_coordinator(struct request *r)
{
	struct find_call *fc = request_alloc(r, 1, sizeof(*fc));
	const char *topic;
	int err = fc ? 0 : -ENOMEM;

	if (!err)
		err = kafka_find_coordinator_request_decode(&r->body, &r->arena, request_version(r),
							    &fc->m);
	if (err)
		return request_malformed(r, err);
	fc->request = r;
	topic = topic_of(fc->m.key_type);
	if (topic && !image_by_name(r->worker->image, topic, strlen(topic)))
		return request_park(r, &fc->call, work, reply);
	return answer(fc);
}
