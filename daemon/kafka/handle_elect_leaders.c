// SPDX-License-Identifier: Apache-2.0
/* ElectLeaders: the only replica is the leader already. */
#include <errno.h>

#include "daemon/kafka/dispatch.h"
#include "daemon/metadata/image.h"
#include "daemon/worker.h"

#define ELECTION_UNCLEAN 1

typedef struct kafka_elect_leaders_request_topic topic_in;
typedef struct kafka_elect_leaders_response_result result_out;

static int answer_topic(struct request *r, const topic_in *in, result_out *out)
{
	const struct image_topic *topic =
		image_by_name(r->worker->image, in->topic.p, (size_t)in->topic.len);

	kafka_elect_leaders_response_result_init(out);
	out->topic = in->topic;
	out->partition_result.v =
		request_alloc(r, (size_t)in->partitions.n, sizeof(*out->partition_result.v));
	if (!out->partition_result.v)
		return -ENOMEM;
	out->partition_result.n = in->partitions.n;
	for (int32_t i = 0; i < in->partitions.n; i++) {
		int32_t index = in->partitions.v[i];
		bool known = topic && index >= 0 && index < topic->partition_count;

		out->partition_result.v[i] = (struct kafka_elect_leaders_response_partition){
			.partition_id = index,
			.error_code = known ? KAFKA_ERROR_ELECTION_NOT_NEEDED
					    : KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION,
			.error_message =
				kafka_str_from(known ? "its one replica is the leader" : NULL),
		};
	}
	return 0;
}

/* Where all are asked about, those that need nothing are not named. */
static int answer_topics(struct request *r, const struct kafka_elect_leaders_request *m,
			 struct kafka_elect_leaders_response *answer)
{
	int32_t n = m->topic_partitions.n;
	int err = 0;

	if (n < 0)
		return 0;
	answer->replica_election_results.v =
		request_alloc(r, (size_t)n, sizeof(*answer->replica_election_results.v));
	if (!answer->replica_election_results.v)
		return -ENOMEM;
	answer->replica_election_results.n = n;
	for (int32_t i = 0; i < n && !err; i++)
		err = answer_topic(r, &m->topic_partitions.v[i],
				   &answer->replica_election_results.v[i]);
	return err;
}

enum handled handle_elect_leaders(struct request *r)
{
	struct kafka_elect_leaders_request m;
	struct kafka_elect_leaders_response answer;
	int err = kafka_elect_leaders_request_decode(&r->body, &r->arena, request_version(r), &m);

	kafka_elect_leaders_response_init(&answer);
	if (!err && m.election_type >= 0 && m.election_type <= ELECTION_UNCLEAN)
		err = answer_topics(r, &m, &answer);
	else
		answer.error_code = KAFKA_ERROR_INVALID_REQUEST;
	if (err)
		return request_malformed(r, err);
	kafka_elect_leaders_response_encode(response_begin(r), request_version(r), &answer);
	return response_end(r);
}
