// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/coordinator_request.h"

/* First version that can name several members. */
#define SEVERAL_FROM_VERSION 3

/**
 * struct leave - a request at work; in its arena
 * @members: @n of them, with @codes for each
 */
struct leave {
	struct coordinator_request cr;
	struct kafka_leave_group_request m;
	struct kafka_leave_group_request_member *members;
	struct kafka_leave_group_response_member *answers;
	int16_t *codes;
	int32_t n;
};

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct coordinator *c = &cs->groups;
	struct leave *l = list_entry(call, struct leave, cr.call);
	struct request *r = l->cr.request;
	struct kafka_leave_group_response a;

	kafka_leave_group_response_init(&a);
	a.error_code = coordinator_leave(c, l->m.group_id, l->members, l->n, l->codes);
	for (int32_t i = 0; i < l->n; i++) {
		l->answers[i].member_id = l->members[i].member_id;
		l->answers[i].group_instance_id = l->members[i].group_instance_id;
		l->answers[i].error_code = l->codes[i];
	}
	if (request_version(r) < SEVERAL_FROM_VERSION) {
		if (!a.error_code)
			a.error_code = l->codes[0];
	} else if (!a.error_code) {
		a.members.v = l->answers;
		a.members.n = l->n;
	}
	kafka_leave_group_response_encode(response_begin(r), request_version(r), &a);
	coordinator_request_answer(&l->cr);
}

enum handled handle_leave_group(struct request *r)
{
	struct leave *l = request_alloc(r, 1, sizeof(*l));
	int err = l ? 0 : -ENOMEM;

	if (!err)
		err = kafka_leave_group_request_decode(&r->body, &r->arena, request_version(r),
						       &l->m);
	if (err)
		return request_malformed(r, err);
	l->members = l->m.members.v;
	l->n = l->m.members.n;
	if (request_version(r) < SEVERAL_FROM_VERSION) {
		l->members = request_alloc(r, 1, sizeof(*l->members));
		l->n = 1;
	}
	l->answers = request_alloc(r, (size_t)l->n, sizeof(*l->answers));
	l->codes = request_alloc(r, (size_t)l->n, sizeof(*l->codes));
	if ((l->n && !l->members) || !l->answers || !l->codes)
		return request_malformed(r, -ENOMEM);
	if (request_version(r) < SEVERAL_FROM_VERSION) {
		kafka_leave_group_request_member_init(&l->members[0]);
		l->members[0].member_id = l->m.member_id;
	}
	return coordinator_request_park(r, &l->cr, work, coordinator_request_finish);
}
