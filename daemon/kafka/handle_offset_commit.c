// SPDX-License-Identifier: Apache-2.0
/*
 * OffsetCommit. Which topics there are the worker's image says, and it turns
 * ids into names, under which offsets are kept; the rest is the coordinator's.
 */
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/coordinator_request.h"
#include "daemon/worker.h"

/* First version that names topics by their ids. */
#define IDS_FROM_VERSION 10

/** struct commit - a request at work; in its arena */
struct commit {
	struct coordinator_request cr;
	struct commit_call call;
	struct kafka_offset_commit_request m;
	struct kafka_offset_commit_response a;
	struct kafka_uuid *ids;
};

static void answer(struct commit_call *call)
{
	struct commit *cm = list_entry(call, struct commit, call);
	struct request *r = cm->cr.request;

	kafka_offset_commit_response_encode(response_begin(r), request_version(r), &cm->a);
	coordinator_request_answer(&cm->cr);
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct coordinator *c = &cs->groups;
	coordinator_commit(c, &list_entry(call, struct commit, cr.call)->call);
}

/* The name is copied, because the image may be replaced meanwhile. */
static int find_topic(struct request *r, struct kafka_offset_commit_request_topic *t,
		      struct kafka_uuid *id, int32_t *ret_partitions)
{
	bool by_id = request_version(r) >= IDS_FROM_VERSION;
	const struct image *image = r->worker->image;
	const struct image_topic *topic =
		by_id ? image_by_id(image, t->topic_id.b)
		      : image_by_name(image, t->name.p, (size_t)t->name.len);

	*ret_partitions = topic ? topic->partition_count : 0;
	if (!topic)
		return 0;
	memcpy(id->b, topic->id, sizeof(id->b));
	return by_id ? coordinator_request_copy(r, kafka_str_from(topic->name), &t->name) : 0;
}

static int prepare_topic(struct request *r, struct commit *cm, int32_t i)
{
	struct kafka_offset_commit_request_topic *in = &cm->m.topics.v[i];
	struct kafka_offset_commit_response_topic *out = &cm->a.topics.v[i];
	int16_t unknown = request_version(r) >= IDS_FROM_VERSION
				  ? KAFKA_ERROR_UNKNOWN_TOPIC_ID
				  : KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	int32_t n;
	int err = find_topic(r, in, &cm->ids[i], &n);

	out->name = in->name;
	out->topic_id = in->topic_id;
	out->partitions.v = request_alloc(r, (size_t)in->partitions.n, sizeof(*out->partitions.v));
	if (err || !out->partitions.v)
		return -ENOMEM;
	out->partitions.n = in->partitions.n;
	for (int32_t j = 0; j < in->partitions.n; j++) {
		int32_t index = in->partitions.v[j].partition_index;

		out->partitions.v[j].partition_index = index;
		if (index < 0 || index >= n)
			out->partitions.v[j].error_code =
				n ? KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION : unknown;
	}
	return 0;
}

/* Lay out the answer in the shape of the request. */
static int prepare(struct request *r, struct commit *cm)
{
	int32_t n = cm->m.topics.n;
	size_t partitions = 0;

	kafka_offset_commit_response_init(&cm->a);
	cm->a.topics.v = request_alloc(r, (size_t)n, sizeof(*cm->a.topics.v));
	cm->ids = request_alloc(r, (size_t)n, sizeof(*cm->ids));
	if (!cm->a.topics.v || !cm->ids)
		return -ENOMEM;
	cm->a.topics.n = n;
	for (int32_t i = 0; i < n; i++) {
		if (prepare_topic(r, cm, i))
			return -ENOMEM;
		partitions += (size_t)cm->m.topics.v[i].partitions.n;
	}
	cm->call = (struct commit_call){
		.m = &cm->m,
		.a = &cm->a,
		.topic_ids = cm->ids,
		.answer = answer,
		.entries = request_alloc(r, partitions, sizeof(struct offset_entry *)),
	};
	return cm->call.entries ? 0 : -ENOMEM;
}

enum handled handle_offset_commit(struct request *r)
{
	struct commit *cm = request_alloc(r, 1, sizeof(*cm));
	int err = cm ? 0 : -ENOMEM;

	if (!err)
		err = kafka_offset_commit_request_decode(&r->body, &r->arena, request_version(r),
							 &cm->m);
	if (!err)
		err = prepare(r, cm);
	if (err)
		return request_malformed(r, err);
	return coordinator_request_park(r, &cm->cr, work, coordinator_request_finish);
}
