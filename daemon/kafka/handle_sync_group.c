// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/coordinator_request.h"

/** struct sync - a request at work; in its arena */
struct sync {
	struct coordinator_request cr;
	struct sync_call call;
	struct kafka_sync_group_request m;
};

static void answer(struct sync_call *call, const struct kafka_sync_group_response *a)
{
	struct sync *s = list_entry(call, struct sync, call);
	struct request *r = s->cr.request;

	kafka_sync_group_response_encode(response_begin(r), request_version(r), a);
	coordinator_request_answer(&s->cr);
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct coordinator *c = &cs->groups;
	coordinator_sync(c, &list_entry(call, struct sync, cr.call)->call);
}

/* First version that must say which protocol is meant (KIP-559). */
#define PROTOCOL_FROM_VERSION 5

static enum handled refuse(struct request *r, int16_t code)
{
	struct kafka_sync_group_response a;

	kafka_sync_group_response_init(&a);
	a.error_code = code;
	kafka_sync_group_response_encode(response_begin(r), request_version(r), &a);
	return response_end(r);
}

enum handled handle_sync_group(struct request *r)
{
	struct sync *s = request_alloc(r, 1, sizeof(*s));
	int err = s ? 0 : -ENOMEM;

	if (!err)
		err = kafka_sync_group_request_decode(&r->body, &r->arena, request_version(r),
						      &s->m);
	if (err)
		return request_malformed(r, err);
	if (request_version(r) >= PROTOCOL_FROM_VERSION &&
	    (s->m.protocol_type.len < 0 || s->m.protocol_name.len < 0))
		return refuse(r, KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL);
	s->call = (struct sync_call){.m = &s->m, .answer = answer};
	return coordinator_request_park(r, &s->cr, work, coordinator_request_finish);
}
