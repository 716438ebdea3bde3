// SPDX-License-Identifier: Apache-2.0
/*
 * DescribeProducers: what the logs of partitions remember of their producers, so
 * that an operator finds the one whose open transaction holds up who reads what is
 * committed.
 */
#include <errno.h>
#include <string.h>

#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/fetch_lookup.h"
#include "daemon/worker.h"

/* More come while a list is made; these many times there is still no room. */
#define TRIES_MAX 5
/* For those that come between the question how many there are and the list. */
#define ROOM_MORE 16

typedef struct kafka_describe_producers_response_producer_state producer_out;
typedef struct kafka_describe_producers_response_partition_response partition_out;

/* The list is the request's. Returns how many there are in it, or -errno. */
static int list_producers(struct request *r, const struct image_topic *topic, int32_t partition,
			  struct sluice_active_producers **ret_list)
{
	uint32_t room = 0;

	for (int i = 0; i < TRIES_MAX; i++) {
		struct sluice_active_producers *list =
			request_alloc(r, 1, sizeof(*list) + room * sizeof(list->producers[0]));
		int n;

		if (!list)
			return -ENOMEM;
		memcpy(list->topic_id, topic->id, sizeof(list->topic_id));
		list->partition = partition;
		n = data_socket_active_producers(r->worker->data, list, room);
		if (n < 0)
			return n;
		*ret_list = list;
		if (list->count <= room)
			return n;
		room = list->count + ROOM_MORE;
	}
	return -EAGAIN;
}

static void put_producer(const struct sluice_active_producer *p, producer_out *out)
{
	kafka_describe_producers_response_producer_state_init(out);
	out->producer_id = p->producer_id;
	out->producer_epoch = p->producer_epoch;
	out->last_sequence = p->last_sequence;
	out->last_timestamp = p->last_timestamp;
	out->coordinator_epoch = p->coordinator_epoch;
	out->current_txn_start_offset = p->txn_start_offset;
}

/* Returns 0; -ENOMEM: the request may not take so much. */
static int describe(struct request *r, const struct image_topic *topic, partition_out *out)
{
	struct sluice_active_producers *list;
	struct sluice_fetch f;
	int n;

	out->error_code = fetch_watermarks(r->worker, topic, out->partition_index, -1, &f);
	if (out->error_code)
		return 0;
	n = list_producers(r, topic, out->partition_index, &list);
	if (n == -ENOMEM)
		return n;
	if (n < 0) {
		out->error_code = fetch_error_code(n);
		return 0;
	}
	out->active_producers.n = n;
	out->active_producers.v = request_alloc(r, (size_t)n, sizeof(*out->active_producers.v));
	if (!out->active_producers.v)
		return -ENOMEM;
	for (int i = 0; i < n; i++)
		put_producer(&list->producers[i], &out->active_producers.v[i]);
	return 0;
}

static int describe_topic(struct request *r,
			  const struct kafka_describe_producers_request_topic_request *in,
			  struct kafka_describe_producers_response_topic_response *out)
{
	const struct image_topic *topic =
		image_by_name(r->worker->image, in->name.p, (size_t)in->name.len);
	int err = 0;

	out->name = in->name;
	out->partitions.n = in->partition_indexes.n;
	out->partitions.v = request_alloc(r, (size_t)out->partitions.n, sizeof(*out->partitions.v));
	if (!out->partitions.v)
		return -ENOMEM;
	for (int32_t i = 0; !err && i < in->partition_indexes.n; i++) {
		kafka_describe_producers_response_partition_response_init(&out->partitions.v[i]);
		out->partitions.v[i].partition_index = in->partition_indexes.v[i];
		err = describe(r, topic, &out->partitions.v[i]);
	}
	return err;
}

enum handled handle_describe_producers(struct request *r)
{
	struct kafka_describe_producers_response answer;
	struct kafka_describe_producers_request m;
	int err = kafka_describe_producers_request_decode(&r->body, &r->arena, request_version(r),
							  &m);

	if (err)
		return request_malformed(r, err);
	kafka_describe_producers_response_init(&answer);
	answer.topics.n = m.topics.n;
	answer.topics.v = request_alloc(r, (size_t)m.topics.n, sizeof(*answer.topics.v));
	if (!answer.topics.v)
		return request_malformed(r, -ENOMEM);
	for (int32_t i = 0; i < m.topics.n; i++) {
		err = describe_topic(r, &m.topics.v[i], &answer.topics.v[i]);
		if (err)
			return request_malformed(r, err);
	}
	kafka_describe_producers_response_encode(response_begin(r), request_version(r), &answer);
	return response_end(r);
}
