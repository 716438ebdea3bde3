// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/coordinator_request.h"
#include "daemon/worker.h"

/** struct offset_delete - a request at work; in its arena */
struct offset_delete {
	struct coordinator_request cr;
	struct offset_delete_call call;
	struct kafka_offset_delete_request m;
	struct kafka_offset_delete_response a;
};

static void answer(struct offset_delete_call *call)
{
	struct offset_delete *d = list_entry(call, struct offset_delete, call);
	struct request *r = d->cr.request;

	kafka_offset_delete_response_encode(response_begin(r), request_version(r), &d->a);
	coordinator_request_answer(&d->cr);
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct coordinator *c = &cs->groups;
	coordinator_delete_offsets(c, &list_entry(call, struct offset_delete, cr.call)->call);
}

static int prepare_topic(struct request *r, const struct kafka_offset_delete_request_topic *in,
			 struct kafka_offset_delete_response_topic *out)
{
	const struct image_topic *topic =
		image_by_name(r->worker->image, in->name.p, (size_t)in->name.len);

	out->name = in->name;
	out->partitions.v = request_alloc(r, (size_t)in->partitions.n, sizeof(*out->partitions.v));
	if (!out->partitions.v)
		return -ENOMEM;
	out->partitions.n = in->partitions.n;
	for (int32_t i = 0; i < in->partitions.n; i++) {
		int32_t index = in->partitions.v[i].partition_index;

		out->partitions.v[i].partition_index = index;
		if (!topic || index < 0 || index >= topic->partition_count)
			out->partitions.v[i].error_code = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	}
	return 0;
}

/* Lay out the answer in the shape of the request. */
static int prepare(struct request *r, struct offset_delete *d)
{
	int32_t n = d->m.topics.n;

	kafka_offset_delete_response_init(&d->a);
	d->a.topics.v = request_alloc(r, (size_t)n, sizeof(*d->a.topics.v));
	if (!d->a.topics.v)
		return -ENOMEM;
	d->a.topics.n = n;
	for (int32_t i = 0; i < n; i++) {
		if (prepare_topic(r, &d->m.topics.v[i], &d->a.topics.v[i]))
			return -ENOMEM;
	}
	d->call = (struct offset_delete_call){.m = &d->m, .a = &d->a, .answer = answer};
	return 0;
}

enum handled handle_offset_delete(struct request *r)
{
	struct offset_delete *d = request_alloc(r, 1, sizeof(*d));
	int err = d ? 0 : -ENOMEM;

	if (!err)
		err = kafka_offset_delete_request_decode(&r->body, &r->arena, request_version(r),
							 &d->m);
	if (!err)
		err = prepare(r, d);
	if (err)
		return request_malformed(r, err);
	return coordinator_request_park(r, &d->cr, work, coordinator_request_finish);
}
