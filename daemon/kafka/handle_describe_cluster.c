// SPDX-License-Identifier: Apache-2.0
/* DescribeCluster: this broker, which is the controller, too. */
#include "daemon/kafka/authorized_operations.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/worker.h"

#define ENDPOINT_BROKER	    1
#define ENDPOINT_CONTROLLER 2

static int fill(struct request *r, struct kafka_describe_cluster_response *out)
{
	const struct broker *b = r->worker->broker;
	struct kafka_describe_cluster_response_broker *broker =
		request_alloc(r, 1, sizeof(*broker));
	const char *host;
	uint16_t port;

	if (!broker)
		return -ENOMEM;
	broker_endpoint(b, r->listener, r->local_host, r->local_port, &host, &port);
	kafka_describe_cluster_response_broker_init(broker);
	broker->broker_id = b->config->node_id;
	broker->host = kafka_str_from(host);
	broker->port = port;
	out->brokers.v = broker;
	out->brokers.n = 1;
	out->cluster_id = kafka_str_from(b->cluster_id);
	out->controller_id = b->config->node_id;
	return 0;
}

static void fail(struct kafka_describe_cluster_response *out, int16_t code, const char *why)
{
	out->error_code = code;
	out->error_message = kafka_str_from(why);
}

enum handled handle_describe_cluster(struct request *r)
{
	struct kafka_describe_cluster_request m;
	struct kafka_describe_cluster_response answer;
	int err =
		kafka_describe_cluster_request_decode(&r->body, &r->arena, request_version(r), &m);

	kafka_describe_cluster_response_init(&answer);
	if (err)
		return request_malformed(r, err);
	if (m.endpoint_type == ENDPOINT_CONTROLLER)
		fail(&answer, KAFKA_ERROR_MISMATCHED_ENDPOINT_TYPE,
		     "this is an endpoint of a broker, not of a controller");
	else if (m.endpoint_type != ENDPOINT_BROKER)
		fail(&answer, KAFKA_ERROR_UNSUPPORTED_ENDPOINT_TYPE, "unknown type of endpoint");
	else
		err = fill(r, &answer);
	if (err)
		return request_malformed(r, err);
	if (m.include_cluster_authorized_operations)
		answer.cluster_authorized_operations = AUTHORIZED_ON_CLUSTER;
	kafka_describe_cluster_response_encode(response_begin(r), request_version(r), &answer);
	return response_end(r);
}
