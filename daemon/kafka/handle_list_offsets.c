// SPDX-License-Identifier: Apache-2.0
/*
 * ListOffsets: from a time, or a special one below zero, to an offset.
 */
#include <string.h>

#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/fetch_lookup.h"
#include "daemon/worker.h"

/* Special timestamps (ListOffsetsRequest.java). */
#define LATEST		      (-1)
#define EARLIEST	      (-2)
#define MAX_TIMESTAMP	      (-3)
#define EARLIEST_LOCAL	      (-4)
#define LATEST_TIERED	      (-5)
#define EARLIEST_PENDING_TIER (-6)

static int record_at(struct worker *w, const struct image_topic *topic, int32_t partition,
		     int64_t timestamp, struct sluice_offset_for_time *ret)
{
	*ret = (struct sluice_offset_for_time){.partition = partition, .timestamp = timestamp};
	memcpy(ret->topic_id, topic->id, sizeof(ret->topic_id));
	return data_socket_offset_for_time(w->data, ret);
}

static int record_with_max_time(struct worker *w, const struct image_topic *topic,
				int32_t partition, struct sluice_offset_for_time *ret)
{
	*ret = (struct sluice_offset_for_time){.partition = partition};
	memcpy(ret->topic_id, topic->id, sizeof(ret->topic_id));
	return data_socket_max_timestamp(w->data, ret);
}

static void answer_time(struct worker *w, const struct image_topic *topic, int64_t timestamp,
			struct kafka_list_offsets_response_partition *out)
{
	struct sluice_offset_for_time found;
	int err;

	if (timestamp == MAX_TIMESTAMP)
		err = record_with_max_time(w, topic, out->partition_index, &found);
	else
		err = record_at(w, topic, out->partition_index, timestamp, &found);
	if (err) {
		out->error_code = fetch_error_code(err);
		return;
	}
	out->timestamp = found.timestamp;
	out->offset = found.offset;
}

/* Whether the request's version knows the special timestamp (ReplicaManager.fetchOffset). */
static bool is_served(int64_t timestamp, int16_t version)
{
	switch (timestamp) {
	case LATEST:
	case EARLIEST: return true;
	case MAX_TIMESTAMP: return version >= 7;
	case EARLIEST_LOCAL: return version >= 8;
	case LATEST_TIERED: return version >= 9;
	case EARLIEST_PENDING_TIER: return version >= 11;
	default: return timestamp >= 0;
	}
}

static void list_partition(struct request *r, const struct image_topic *topic, int8_t isolation,
			   const struct kafka_list_offsets_request_partition *in,
			   struct kafka_list_offsets_response_partition *out)
{
	struct worker *w = r->worker;
	struct sluice_fetch f;
	int16_t code;

	kafka_list_offsets_response_partition_init(out);
	out->partition_index = in->partition_index;
	if (!is_served(in->timestamp, request_version(r))) {
		out->error_code = KAFKA_ERROR_UNSUPPORTED_VERSION;
		return;
	}
	code = fetch_watermarks(w, topic, in->partition_index, in->current_leader_epoch, &f);
	/* Below -1, which is none, it is an epoch, and one of long ago. */
	if (!code && in->current_leader_epoch < -1)
		code = KAFKA_ERROR_FENCED_LEADER_EPOCH;
	if (code) {
		out->error_code = code;
		return;
	}
	switch (in->timestamp) {
	case LATEST: out->offset = isolation ? f.last_stable_offset : f.high_watermark; break;
	case EARLIEST:
	case EARLIEST_LOCAL: out->offset = f.log_start_offset; break;
	case LATEST_TIERED:
	case EARLIEST_PENDING_TIER: break; /* there is no tier: offset -1 */
	default: answer_time(w, topic, in->timestamp, out);
	}
	if (!out->error_code && out->offset >= 0)
		out->leader_epoch = f.leader_epoch;
}

enum handled handle_list_offsets(struct request *r)
{
	struct kafka_list_offsets_response answer;
	struct kafka_list_offsets_request m;
	struct worker *w = r->worker;
	int err = kafka_list_offsets_request_decode(&r->body, &r->arena, request_version(r), &m);

	if (err)
		return request_malformed(r, err);
	kafka_list_offsets_response_init(&answer);
	answer.topics.n = m.topics.n;
	answer.topics.v = request_alloc(r, (size_t)m.topics.n, sizeof(*answer.topics.v));
	if (!answer.topics.v)
		return request_malformed(r, -ENOMEM);
	for (int32_t i = 0; i < m.topics.n; i++) {
		const struct kafka_list_offsets_request_topic *in = &m.topics.v[i];
		struct kafka_list_offsets_response_topic *out = &answer.topics.v[i];
		const struct image_topic *topic =
			image_by_name(w->image, in->name.p, (size_t)in->name.len);

		out->name = in->name;
		out->partitions.n = in->partitions.n;
		out->partitions.v =
			request_alloc(r, (size_t)in->partitions.n, sizeof(*out->partitions.v));
		if (!out->partitions.v)
			return request_malformed(r, -ENOMEM);
		for (int32_t j = 0; j < in->partitions.n; j++)
			list_partition(r, topic, m.isolation_level, &in->partitions.v[j],
				       &out->partitions.v[j]);
	}
	kafka_list_offsets_response_encode(response_begin(r), request_version(r), &answer);
	return response_end(r);
}
