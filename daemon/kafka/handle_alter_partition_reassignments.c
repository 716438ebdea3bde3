// SPDX-License-Identifier: Apache-2.0
/* AlterPartitionReassignments: there is one broker, which has every replica already. */
#include <errno.h>

#include "daemon/kafka/dispatch.h"
#include "daemon/worker.h"

typedef struct kafka_alter_partition_reassignments_request_topic topic_in;
typedef struct kafka_alter_partition_reassignments_request_partition partition_in;
typedef struct kafka_alter_partition_reassignments_response_result result_out;
typedef struct kafka_alter_partition_reassignments_response_partition partition_out;

static void reassign(const struct request *r, const struct image_topic *topic,
		     const partition_in *in, partition_out *out)
{
	int32_t index = in->partition_index;
	const char *why = NULL;

	out->partition_index = index;
	if (!topic || index < 0 || index >= topic->partition_count) {
		out->error_code = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	} else if (in->replicas.n < 0) {
		out->error_code = KAFKA_ERROR_NO_REASSIGNMENT_IN_PROGRESS;
	} else if (in->replicas.n != 1 || in->replicas.v[0] != r->worker->broker->config->node_id) {
		out->error_code = KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT;
		why = "this broker is the only one that replicas can be assigned to";
	}
	out->error_message = kafka_str_from(why);
}

static int answer(struct request *r, const struct kafka_alter_partition_reassignments_request *m,
		  struct kafka_alter_partition_reassignments_response *answer)
{
	answer->allow_replication_factor_change = m->allow_replication_factor_change;
	answer->error_message.len = -1;
	answer->responses.v = request_alloc(r, (size_t)m->topics.n, sizeof(*answer->responses.v));
	if (!answer->responses.v)
		return -ENOMEM;
	answer->responses.n = m->topics.n;
	for (int32_t i = 0; i < m->topics.n; i++) {
		const topic_in *in = &m->topics.v[i];
		result_out *out = &answer->responses.v[i];
		const struct image_topic *topic =
			image_by_name(r->worker->image, in->name.p, (size_t)in->name.len);

		out->name = in->name;
		out->partitions.v =
			request_alloc(r, (size_t)in->partitions.n, sizeof(*out->partitions.v));
		if (!out->partitions.v)
			return -ENOMEM;
		out->partitions.n = in->partitions.n;
		for (int32_t j = 0; j < in->partitions.n; j++)
			reassign(r, topic, &in->partitions.v[j], &out->partitions.v[j]);
	}
	return 0;
}

enum handled handle_alter_partition_reassignments(struct request *r)
{
	struct kafka_alter_partition_reassignments_request m;
	struct kafka_alter_partition_reassignments_response out;
	int err = kafka_alter_partition_reassignments_request_decode(&r->body, &r->arena,
								     request_version(r), &m);

	kafka_alter_partition_reassignments_response_init(&out);
	if (!err)
		err = answer(r, &m, &out);
	if (err)
		return request_malformed(r, err);
	kafka_alter_partition_reassignments_response_encode(response_begin(r), request_version(r),
							    &out);
	return response_end(r);
}
