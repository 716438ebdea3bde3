// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/coordinator_request.h"

/** struct join - a request at work; in its arena */
struct join {
	struct coordinator_request cr;
	struct join_call call;
	struct kafka_join_group_request m;
};

static void answer(struct join_call *call, const struct kafka_join_group_response *a)
{
	struct join *j = list_entry(call, struct join, call);
	struct request *r = j->cr.request;

	kafka_join_group_response_encode(response_begin(r), request_version(r), a);
	coordinator_request_answer(&j->cr);
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct coordinator *c = &cs->groups;
	coordinator_join(c, &list_entry(call, struct join, cr.call)->call);
}

enum handled handle_join_group(struct request *r)
{
	struct join *j = request_alloc(r, 1, sizeof(*j));
	char *host = request_alloc(r, strlen(r->peer_host) + 2, 1);
	int err = j && host ? 0 : -ENOMEM;

	if (!err)
		err = kafka_join_group_request_decode(&r->body, &r->arena, request_version(r),
						      &j->m);
	if (err)
		return request_malformed(r, err);
	/* As Java shows an address without a name, and so Kafka's tools. */
	host[0] = '/';
	strcpy(host + 1, r->peer_host);
	j->call = (struct join_call){
		.m = &j->m,
		.version = request_version(r),
		.client_id = r->header.client_id.len < 0 ? kafka_str_from("") : r->header.client_id,
		.client_host = kafka_str_from(host),
		.answer = answer,
	};
	return coordinator_request_park(r, &j->cr, work, coordinator_request_finish);
}
