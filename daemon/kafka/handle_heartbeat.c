// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/coordinator_request.h"

/** struct heartbeat - a request at work; in its arena */
struct heartbeat {
	struct coordinator_request cr;
	struct kafka_heartbeat_request m;
};

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct coordinator *c = &cs->groups;
	struct heartbeat *h = list_entry(call, struct heartbeat, cr.call);
	struct request *r = h->cr.request;
	struct kafka_heartbeat_response a;

	kafka_heartbeat_response_init(&a);
	a.error_code = coordinator_heartbeat(c, &h->m);
	kafka_heartbeat_response_encode(response_begin(r), request_version(r), &a);
	coordinator_request_answer(&h->cr);
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
	return coordinator_request_park(r, &h->cr, work, coordinator_request_finish);
}
