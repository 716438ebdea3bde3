// SPDX-License-Identifier: Apache-2.0
/*
 * DeleteRecords: the log of a partition begins later from now on. The
 * controller's thread does it, because files may have to be renamed.
 */
#include <string.h>

#include "daemon/controller/controller.h"
#include "daemon/core/diag.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/fetch_lookup.h"

/* Everything that replicas have: DeleteRecordsRequest.HIGH_WATERMARK. */
#define ALL (-1)

typedef struct kafka_delete_records_response_partition partition_out;

/** struct delete_call - a request at work; in its arena */
struct delete_call {
	struct controller_call call;
	struct request *request;
	struct kafka_delete_records_request m;
	struct kafka_delete_records_response answer;
};

static struct diag_limit delete_limit;

static int16_t delete_below(struct controller *c, const struct image_topic *topic, int64_t offset,
			    partition_out *out)
{
	struct log_dir_error why;
	uint32_t policy;
	int err;

	if (!topic || out->partition_index < 0 || out->partition_index >= topic->partition_count)
		return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	if (image_topic_internal(topic))
		return KAFKA_ERROR_INVALID_TOPIC_EXCEPTION;
	err = controller_topic_policy(c, topic, &policy, &why);
	/* The records of a compacted topic are its state: they go only by their keys. */
	if (!err && !(policy & KERN_CLEANUP_DELETE))
		return KAFKA_ERROR_POLICY_VIOLATION;
	if (offset < ALL)
		return KAFKA_ERROR_OFFSET_OUT_OF_RANGE;
	if (!err)
		err = controller_delete_records(c, topic, (uint32_t)out->partition_index, offset,
						&out->low_watermark, &why);
	if (err && err != -ERANGE)
		diag_limited(&delete_limit, DIAG_ERROR, "%s", why.text);
	return err ? fetch_error_code(err) : KAFKA_ERROR_NONE;
}

static void work(struct controller *c, struct controller_call *call)
{
	struct delete_call *dc = list_entry(call, struct delete_call, call);

	for (int32_t i = 0; i < dc->m.topics.n; i++) {
		const struct kafka_delete_records_request_topic *in = &dc->m.topics.v[i];
		const struct image_topic *topic =
			controller_topic(c, in->name.p, (size_t)in->name.len);

		for (int32_t j = 0; j < in->partitions.n; j++) {
			partition_out *out = &dc->answer.topics.v[i].partitions.v[j];

			out->partition_index = in->partitions.v[j].partition_index;
			out->low_watermark = -1;
			out->error_code = delete_below(c, topic, in->partitions.v[j].offset, out);
		}
	}
}

static void reply(struct controller_call *call)
{
	struct delete_call *dc = list_entry(call, struct delete_call, call);
	struct request *r = dc->request;

	kafka_delete_records_response_encode(response_begin(r), request_version(r), &dc->answer);
	request_finish(r, response_end(r));
}

/* Lay out the answer in the shape of the request. */
static int prepare(struct delete_call *dc)
{
	struct request *r = dc->request;
	int32_t n = dc->m.topics.n;

	kafka_delete_records_response_init(&dc->answer);
	dc->answer.topics.v = request_alloc(r, (size_t)n, sizeof(*dc->answer.topics.v));
	if (!dc->answer.topics.v)
		return -ENOMEM;
	dc->answer.topics.n = n;
	for (int32_t i = 0; i < n; i++) {
		const struct kafka_delete_records_request_topic *in = &dc->m.topics.v[i];
		struct kafka_delete_records_response_topic *out = &dc->answer.topics.v[i];

		out->name = in->name;
		out->partitions.n = in->partitions.n;
		out->partitions.v =
			request_alloc(r, (size_t)in->partitions.n, sizeof(*out->partitions.v));
		if (!out->partitions.v)
			return -ENOMEM;
	}
	return 0;
}

enum handled handle_delete_records(struct request *r)
{
	struct delete_call *dc = request_alloc(r, 1, sizeof(*dc));
	int err = dc ? 0 : -ENOMEM;

	if (!err)
		err = kafka_delete_records_request_decode(&r->body, &r->arena, request_version(r),
							  &dc->m);
	if (!err) {
		dc->request = r;
		err = prepare(dc);
	}
	if (err)
		return request_malformed(r, err);
	return request_park(r, &dc->call, work, reply);
}
