// SPDX-License-Identifier: Apache-2.0
/* ListConfigResources: the topics and this broker. Version 0 asks for client metrics alone. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/kafka/config_view.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/worker.h"

/* That the API knows, but that nothing here has settings of. */
#define RESOURCE_BROKER_LOGGER	8
#define RESOURCE_CLIENT_METRICS 16
#define RESOURCE_GROUP		32

typedef struct kafka_list_config_resources_response resources_out;

static bool wanted(const struct kafka_list_config_resources_request *m, int8_t type)
{
	for (int32_t i = 0; i < m->resource_types.n; i++) {
		if (m->resource_types.v[i] == type)
			return true;
	}
	return m->resource_types.n <= 0;
}

static bool all_known(const struct kafka_list_config_resources_request *m)
{
	for (int32_t i = 0; i < m->resource_types.n; i++) {
		switch (m->resource_types.v[i]) {
		case CONFIG_RESOURCE_TOPIC:
		case CONFIG_RESOURCE_BROKER:
		case RESOURCE_BROKER_LOGGER:
		case RESOURCE_CLIENT_METRICS:
		case RESOURCE_GROUP: break;
		default: return false;
		}
	}
	return true;
}

static void add(resources_out *out, const char *name, int8_t type)
{
	out->config_resources.v[out->config_resources.n++] =
		(struct kafka_list_config_resources_response_resource){
			.resource_name = kafka_str_from(name),
			.resource_type = type,
		};
}

static int fill(struct request *r, const struct kafka_list_config_resources_request *m,
		resources_out *out)
{
	size_t n;
	const struct image_topic *topics = image_topics(r->worker->image, &n);
	const size_t size = 16;
	char *node = request_alloc(r, size, 1);

	out->config_resources.v = request_alloc(r, n + 1, sizeof(*out->config_resources.v));
	if (!node || !out->config_resources.v)
		return -ENOMEM;
	snprintf(node, size, "%" PRId32, r->worker->broker->config->node_id);
	for (size_t i = 0; wanted(m, CONFIG_RESOURCE_TOPIC) && i < n; i++)
		add(out, topics[i].name, CONFIG_RESOURCE_TOPIC);
	if (wanted(m, CONFIG_RESOURCE_BROKER))
		add(out, node, CONFIG_RESOURCE_BROKER);
	return 0;
}

enum handled handle_list_config_resources(struct request *r)
{
	struct kafka_list_config_resources_request m;
	resources_out out;
	int err = kafka_list_config_resources_request_decode(&r->body, &r->arena,
							     request_version(r), &m);

	kafka_list_config_resources_response_init(&out);
	if (!err && !all_known(&m))
		out.error_code = KAFKA_ERROR_UNSUPPORTED_VERSION;
	else if (!err && request_version(r) > 0)
		err = fill(r, &m, &out);
	if (err)
		return request_malformed(r, err);
	kafka_list_config_resources_response_encode(response_begin(r), request_version(r), &out);
	return response_end(r);
}
