// SPDX-License-Identifier: Apache-2.0
/*
 * OffsetForLeaderEpoch: where an epoch of a partition's leadership ended, for
 * consumers that want to know whether what they read was cut away since.
 */
#include <errno.h>
#include <string.h>

#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/fetch_lookup.h"
#include "daemon/worker.h"

static void find_end(struct worker *w, const struct image_topic *topic,
		     const struct kafka_offset_for_leader_epoch_request_partition *in,
		     struct kafka_offset_for_leader_epoch_response_partition *out)
{
	struct sluice_epoch_end q = {.partition = in->partition, .leader_epoch = in->leader_epoch};
	struct sluice_fetch f;
	int err;

	kafka_offset_for_leader_epoch_response_partition_init(out);
	out->partition = in->partition;
	out->error_code = fetch_watermarks(w, topic, in->partition, in->current_leader_epoch, &f);
	if (out->error_code)
		return;
	memcpy(q.topic_id, topic->id, sizeof(q.topic_id));
	err = data_socket_epoch_end(w->data, &q);
	if (err) {
		out->error_code = fetch_error_code(err);
		return;
	}
	out->leader_epoch = q.leader_epoch;
	out->end_offset = q.end_offset;
	/* A leader's own epoch begins when it begins to lead, before there is a batch of it. */
	if (q.leader_epoch < 0 && in->leader_epoch == f.leader_epoch) {
		out->leader_epoch = f.leader_epoch;
		out->end_offset = f.high_watermark;
	}
}

enum handled handle_offset_for_leader_epoch(struct request *r)
{
	struct kafka_offset_for_leader_epoch_response answer;
	struct kafka_offset_for_leader_epoch_request m;
	struct worker *w = r->worker;
	int err = kafka_offset_for_leader_epoch_request_decode(&r->body, &r->arena,
							       request_version(r), &m);

	if (err)
		return request_malformed(r, err);
	kafka_offset_for_leader_epoch_response_init(&answer);
	answer.topics.n = m.topics.n;
	answer.topics.v = request_alloc(r, (size_t)m.topics.n, sizeof(*answer.topics.v));
	if (!answer.topics.v)
		return request_malformed(r, -ENOMEM);
	for (int32_t i = 0; i < m.topics.n; i++) {
		const struct kafka_offset_for_leader_epoch_request_topic *in = &m.topics.v[i];
		struct kafka_offset_for_leader_epoch_response_topic *out = &answer.topics.v[i];
		const struct image_topic *topic =
			image_by_name(w->image, in->topic.p, (size_t)in->topic.len);

		out->topic = in->topic;
		out->partitions.n = in->partitions.n;
		out->partitions.v =
			request_alloc(r, (size_t)in->partitions.n, sizeof(*out->partitions.v));
		if (!out->partitions.v)
			return request_malformed(r, -ENOMEM);
		for (int32_t j = 0; j < in->partitions.n; j++)
			find_end(w, topic, &in->partitions.v[j], &out->partitions.v[j]);
	}
	kafka_offset_for_leader_epoch_response_encode(response_begin(r), request_version(r),
						      &answer);
	return response_end(r);
}
