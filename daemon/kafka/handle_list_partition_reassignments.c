// SPDX-License-Identifier: Apache-2.0
/* ListPartitionReassignments: with one broker no replica is on its way to another. */
#include "daemon/kafka/dispatch.h"

enum handled handle_list_partition_reassignments(struct request *r)
{
	struct kafka_list_partition_reassignments_request m;
	struct kafka_list_partition_reassignments_response answer;
	int err = kafka_list_partition_reassignments_request_decode(&r->body, &r->arena,
								    request_version(r), &m);

	if (err)
		return request_malformed(r, err);
	kafka_list_partition_reassignments_response_init(&answer);
	answer.error_message = kafka_str_from(NULL);
	kafka_list_partition_reassignments_response_encode(response_begin(r), request_version(r),
							   &answer);
	return response_end(r);
}
