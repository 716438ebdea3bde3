// SPDX-License-Identifier: Apache-2.0
/*
 * Metadata: the brokers (this one) and the topics. Topics that a client names
 * and that do not exist are created if it wants them and the broker is set so;
 * the answer waits for it.
 */
#include <string.h>

#include "daemon/controller/controller.h"
#include "daemon/core/diag.h"
#include "daemon/kafka/authorized_operations.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/worker.h"

/**
 * struct metadata - a metadata request at work; in its arena
 * @missing: names of topics to be created, @n_missing
 */
struct metadata {
	struct controller_call call;
	struct request *request;
	struct kafka_metadata_request m;
	struct kafka_metadata_response answer;
	const char **missing;
	uint32_t n_missing;
	struct kafka_int32_array this_node;
};

static struct diag_limit create_limit;

static int fill_topic(struct metadata *md, const struct image_topic *topic,
		      struct kafka_metadata_response_topic *out)
{
	struct request *r = md->request;

	kafka_metadata_response_topic_init(out);
	out->name = kafka_str_from(topic->name);
	memcpy(out->topic_id.b, topic->id, sizeof(out->topic_id.b));
	out->is_internal = image_topic_internal(topic);
	if (md->m.include_topic_authorized_operations)
		out->topic_authorized_operations = AUTHORIZED_ON_TOPIC;
	out->partitions.n = topic->partition_count;
	out->partitions.v =
		request_alloc(r, (size_t)topic->partition_count, sizeof(*out->partitions.v));
	if (!out->partitions.v)
		return -ENOMEM;
	for (int32_t i = 0; i < topic->partition_count; i++) {
		struct kafka_metadata_response_partition *part = &out->partitions.v[i];

		kafka_metadata_response_partition_init(part);
		part->partition_index = i;
		part->leader_id = r->worker->broker->config->node_id;
		part->leader_epoch = topic->leader_epoch;
		part->replica_nodes = md->this_node;
		part->isr_nodes = md->this_node;
	}
	return 0;
}

static int fill_all_topics(struct metadata *md)
{
	size_t n;
	const struct image_topic *topics = image_topics(md->request->worker->image, &n);

	md->answer.topics.v = request_alloc(md->request, n, sizeof(*md->answer.topics.v));
	if (!md->answer.topics.v)
		return -ENOMEM;
	md->answer.topics.n = (int32_t)n;
	for (size_t i = 0; i < n; i++) {
		int err = fill_topic(md, &topics[i], &md->answer.topics.v[i]);

		if (err)
			return err;
	}
	return 0;
}

static bool name_is_valid(struct request *r, struct kafka_str name)
{
	struct log_dir_error err;
	char *text = request_alloc(r, (size_t)name.len + 1, 1);

	if (!text || memchr(name.p, '\0', (size_t)name.len))
		return false;
	memcpy(text, name.p, (size_t)name.len);
	return !log_dir_topic_check(text, 1, NULL, 0, &err);
}

static const struct image_topic *find_topic(const struct metadata *md,
					    const struct kafka_metadata_request_topic *in)
{
	const struct image *image = md->request->worker->image;

	if (in->name.len < 0)
		return image_by_id(image, in->topic_id.b);
	return image_by_name(image, in->name.p, (size_t)in->name.len);
}

static int fill_named_topics(struct metadata *md)
{
	struct request *r = md->request;
	int32_t n = md->m.topics.n;

	md->answer.topics.v = request_alloc(r, (size_t)n, sizeof(*md->answer.topics.v));
	if (!md->answer.topics.v)
		return -ENOMEM;
	md->answer.topics.n = n;
	for (int32_t i = 0; i < n; i++) {
		const struct kafka_metadata_request_topic *in = &md->m.topics.v[i];
		struct kafka_metadata_response_topic *out = &md->answer.topics.v[i];
		const struct image_topic *topic = find_topic(md, in);
		int err = topic ? fill_topic(md, topic, out) : 0;

		if (err)
			return err;
		if (topic)
			continue;
		kafka_metadata_response_topic_init(out);
		out->topic_id = in->topic_id;
		out->name = in->name;
		if (in->name.len < 0) {
			out->error_code = KAFKA_ERROR_UNKNOWN_TOPIC_ID;
			/* Versions 10 and 11 have ids, but no null in the answer. */
			if (request_version(r) < 12)
				out->name = kafka_str_from("");
		} else {
			out->error_code = name_is_valid(r, in->name)
						  ? KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION
						  : KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
		}
	}
	return 0;
}

static int fill_broker(struct metadata *md)
{
	struct request *r = md->request;
	const struct broker *b = r->worker->broker;
	struct kafka_metadata_response_broker *out = request_alloc(r, 1, sizeof(*out));
	const char *host;
	uint16_t port;

	md->this_node.v = request_alloc(r, 1, sizeof(*md->this_node.v));
	if (!out || !md->this_node.v)
		return -ENOMEM;
	md->this_node.v[0] = b->config->node_id;
	md->this_node.n = 1;
	broker_endpoint(b, r->listener, r->local_host, r->local_port, &host, &port);
	kafka_metadata_response_broker_init(out);
	out->node_id = b->config->node_id;
	out->host = kafka_str_from(host);
	out->port = port;
	md->answer.brokers.v = out;
	md->answer.brokers.n = 1;
	md->answer.cluster_id = kafka_str_from(b->cluster_id);
	md->answer.controller_id = b->config->node_id;
	if (md->m.include_cluster_authorized_operations)
		md->answer.cluster_authorized_operations = AUTHORIZED_ON_CLUSTER;
	return 0;
}

static bool wants_all(const struct metadata *md)
{
	return md->m.topics.n < 0 || (request_version(md->request) == 0 && !md->m.topics.n);
}

static enum handled answer(struct metadata *md)
{
	struct request *r = md->request;
	int err;

	kafka_metadata_response_init(&md->answer);
	err = fill_broker(md);
	if (!err)
		err = wants_all(md) ? fill_all_topics(md) : fill_named_topics(md);
	if (err)
		return request_malformed(r, err);
	kafka_metadata_response_encode(response_begin(r), request_version(r), &md->answer);
	return response_end(r);
}

static void work(struct controller *c, struct controller_call *call)
{
	struct metadata *md = list_entry(call, struct metadata, call);
	const struct config *config = md->request->worker->broker->config;

	for (uint32_t i = 0; i < md->n_missing; i++) {
		struct log_dir_error err;
		int ret = strcmp(md->missing[i], OFFSETS_TOPIC)
				  ? controller_topic_create(c, md->missing[i],
							    (uint32_t)config->num_partitions, NULL,
							    0, NULL, &err)
				  : controller_internal_topic_create(c, OFFSETS_TOPIC, &err);

		/* Somebody else may have been faster. The answer says what became of it. */
		if (ret && ret != -EEXIST)
			diag_limited(&create_limit, DIAG_WARNING, "cannot create topic %s: %s",
				     md->missing[i], err.text);
	}
}

static void reply(struct controller_call *call)
{
	struct metadata *md = list_entry(call, struct metadata, call);

	request_finish(md->request, answer(md));
}

/* Note what is to be created. */
static int find_missing(struct metadata *md)
{
	struct request *r = md->request;

	if (wants_all(md) || !md->m.allow_auto_topic_creation ||
	    !r->worker->broker->config->auto_create_topics ||
	    r->worker->broker->config->default_replication_factor != 1)
		return 0;
	md->missing = request_alloc(r, (size_t)md->m.topics.n, sizeof(*md->missing));
	if (!md->missing)
		return -ENOMEM;
	for (int32_t i = 0; i < md->m.topics.n; i++) {
		struct kafka_str name = md->m.topics.v[i].name;
		char *text;

		if (name.len < 0 || find_topic(md, &md->m.topics.v[i]) || !name_is_valid(r, name))
			continue;
		text = request_alloc(r, (size_t)name.len + 1, 1);
		if (!text)
			return -ENOMEM;
		memcpy(text, name.p, (size_t)name.len);
		md->missing[md->n_missing++] = text;
	}
	return 0;
}

enum handled handle_metadata(struct request *r)
{
	struct metadata *md = request_alloc(r, 1, sizeof(*md));
	int err = md ? 0 : -ENOMEM;

	if (!err)
		err = kafka_metadata_request_decode(&r->body, &r->arena, request_version(r),
						    &md->m);
	if (err)
		return request_malformed(r, err);
	md->request = r;
	err = find_missing(md);
	if (err)
		return request_malformed(r, err);
	if (!md->n_missing)
		return answer(md);
	return request_park(r, &md->call, work, reply);
}
