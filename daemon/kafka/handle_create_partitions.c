// SPDX-License-Identifier: Apache-2.0
/* CreatePartitions: more partitions for topics that there are, made by the controller's thread. */
#include "daemon/controller/controller.h"
#include "daemon/kafka/config_view.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/names.h"
#include "daemon/kafka/request_text.h"
#include "daemon/worker.h"

typedef struct kafka_create_partitions_request_topic topic_in;
typedef struct kafka_create_partitions_response_result result_out;

/** struct grow_call - a request at work; in its arena */
struct grow_call {
	struct controller_call call;
	struct request *request;
	struct kafka_create_partitions_request m;
	struct kafka_create_partitions_response answer;
	struct names names;
};

static void fail(result_out *out, int16_t code, const char *why)
{
	out->error_code = code;
	out->error_message = kafka_str_from(why);
}

static bool assignments_ok(const struct grow_call *gc, const topic_in *in, int32_t added)
{
	int32_t node_id = gc->request->worker->broker->config->node_id;

	if (in->assignments.n < 0)
		return true;
	if (in->assignments.n != added)
		return false;
	for (int32_t i = 0; i < added; i++) {
		const struct kafka_int32_array *ids = &in->assignments.v[i].broker_ids;

		if (ids->n != 1 || ids->v[0] != node_id)
			return false;
	}
	return true;
}

static void grow(struct controller *c, const struct grow_call *gc, const topic_in *in,
		 result_out *out)
{
	const struct image_topic *topic = controller_topic(c, in->name.p, (size_t)in->name.len);
	struct log_dir_error err;
	int ret;

	if (names_twice(&gc->names, CONFIG_RESOURCE_TOPIC, in->name)) {
		fail(out, KAFKA_ERROR_INVALID_REQUEST, "the request names the topic twice");
	} else if (!topic) {
		fail(out, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, NULL);
	} else if (in->count <= topic->partition_count) {
		log_dir_fail(&err, 0, "the topic has %d partitions; %d would not be more",
			     topic->partition_count, in->count);
		fail(out, KAFKA_ERROR_INVALID_PARTITIONS, request_copy_text(gc->request, err.text));
	} else if (image_topic_internal(topic)) {
		fail(out, KAFKA_ERROR_INVALID_PARTITIONS,
		     "what is kept in it is found by the number of its partitions");
	} else if (!assignments_ok(gc, in, in->count - topic->partition_count)) {
		fail(out, KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT,
		     "each new partition can be assigned to this broker only");
	} else {
		ret = controller_topic_grow(c, topic, (uint32_t)in->count, gc->m.validate_only,
					    &err);
		if (ret)
			fail(out,
			     ret == -EINVAL ? KAFKA_ERROR_INVALID_PARTITIONS
					    : kafka_error_from_errno(ret),
			     request_copy_text(gc->request, err.text));
	}
}

static void work(struct controller *c, struct controller_call *call)
{
	struct grow_call *gc = list_entry(call, struct grow_call, call);

	for (int32_t i = 0; i < gc->m.topics.n; i++) {
		result_out *out = &gc->answer.results.v[i];

		kafka_create_partitions_response_result_init(out);
		out->name = gc->m.topics.v[i].name;
		grow(c, gc, &gc->m.topics.v[i], out);
	}
	names_free(&gc->names);
}

static void reply(struct controller_call *call)
{
	struct grow_call *gc = list_entry(call, struct grow_call, call);
	struct request *r = gc->request;

	kafka_create_partitions_response_encode(response_begin(r), request_version(r), &gc->answer);
	request_finish(r, response_end(r));
}

static int prepare(struct grow_call *gc)
{
	struct request *r = gc->request;
	int32_t n;
	int err = kafka_create_partitions_request_decode(&r->body, &r->arena, request_version(r),
							 &gc->m);

	if (err)
		return err;
	n = gc->m.topics.n;
	kafka_create_partitions_response_init(&gc->answer);
	gc->answer.results.v = request_alloc(r, (size_t)n, sizeof(*gc->answer.results.v));
	if (!gc->answer.results.v)
		return -ENOMEM;
	gc->answer.results.n = n;
	for (int32_t i = 0; i < n && !err; i++)
		err = names_note(&gc->names, r, CONFIG_RESOURCE_TOPIC, gc->m.topics.v[i].name);
	return err;
}

enum handled handle_create_partitions(struct request *r)
{
	struct grow_call *gc = request_alloc(r, 1, sizeof(*gc));
	int err;

	if (!gc)
		return request_malformed(r, -ENOMEM);
	gc->request = r;
	err = prepare(gc);
	if (err) {
		names_free(&gc->names);
		return request_malformed(r, err);
	}
	return request_park(r, &gc->call, work, reply);
}
