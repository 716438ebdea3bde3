// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/group_request.h"

/** struct heartbeat - a request at work; in its arena */
struct heartbeat {
	struct group_request gr;
	struct kafka_heartbeat_request m;
};

static void work(struct coordinator *c, struct group_call *call)
{
	struct heartbeat *h = list_entry(call, struct heartbeat, gr.call);
	struct request *r = h->gr.request;
	struct kafka_heartbeat_response a;

	kafka_heartbeat_response_init(&a);
	a.error_code = coordinator_heartbeat(c, &h->m);
	kafka_heartbeat_response_encode(response_begin(r), request_version(r), &a);
	group_answer(&h->gr);
}

enum handled handle_heartbeat(struct request *r)
{
	struct heartbeat *h = request_alloc(r, 1, sizeof(*h));
	int err = h ? 0 : -ENOMEM;

	if (!err)
		err = kafka_heartbeat_request_decode(&r->body, &r->arena, request_version(r),
						     &h->m);
	if (err)
		return request_malformed(r, err);
	return group_park(r, &h->gr, work, group_finish);
}
