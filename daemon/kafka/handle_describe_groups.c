// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/coordinator_request.h"

/* First version that says that there is no such group; before, it is called dead. */
#define NOT_FOUND_FROM_VERSION 6

/* All operations on a group, as bits of AclOperation: there is no access control. */
#define GROUP_OPERATIONS 0x0d48 /* read, delete, describe, describe and alter configs */

typedef struct kafka_describe_groups_response_group group_out;

/** struct describe_groups - a request at work; in its arena */
struct describe_groups {
	struct coordinator_request cr;
	struct kafka_describe_groups_request m;
	struct kafka_describe_groups_response a;
};

static int fill_members(struct request *r, const struct group *g, group_out *out)
{
	/* Before the end of a rebalance it is not known what counts. */
	bool known = g->state == GROUP_STABLE;

	out->members.v = request_alloc(r, (size_t)g->n_members, sizeof(*out->members.v));
	if (!out->members.v)
		return -ENOMEM;
	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		const struct member *m = list_entry(at, struct member, link);
		struct kafka_describe_groups_response_member *to =
			&out->members.v[out->members.n++];

		kafka_describe_groups_response_member_init(to);
		to->member_id = m->id;
		to->group_instance_id = m->instance_id;
		to->client_id = m->client_id;
		to->client_host = m->client_host;
		if (!known)
			continue;
		to->member_metadata = member_metadata(m, g->protocol);
		to->member_assignment = m->assignment;
	}
	return 0;
}

static int fill(struct coordinator *c, struct describe_groups *d, struct kafka_str id,
		group_out *out)
{
	struct request *r = d->cr.request;
	struct group *g;

	kafka_describe_groups_response_group_init(out);
	out->group_id = id;
	g = coordinator_find(c, id, &out->error_code);
	if (out->error_code)
		return 0;
	if (d->m.include_authorized_operations)
		out->authorized_operations = GROUP_OPERATIONS;
	out->group_state = kafka_str_from(group_state_name(g ? g->state : GROUP_DEAD));
	if (!g) {
		if (request_version(r) >= NOT_FOUND_FROM_VERSION) {
			out->error_code = KAFKA_ERROR_GROUP_ID_NOT_FOUND;
			out->error_message = kafka_str_from("there is no such group");
		}
		return 0;
	}
	if (g->protocol_type.len >= 0)
		out->protocol_type = g->protocol_type;
	if (g->state == GROUP_STABLE && g->protocol.len >= 0)
		out->protocol_data = g->protocol;
	return fill_members(r, g, out);
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct coordinator *c = &cs->groups;
	struct describe_groups *d = list_entry(call, struct describe_groups, cr.call);
	struct request *r = d->cr.request;

	for (int32_t i = 0; i < d->m.groups.n; i++) {
		if (!fill(c, d, d->m.groups.v[i], &d->a.groups.v[d->a.groups.n++]))
			continue;
		coordinator_request_refuse(&d->cr);
		return;
	}
	kafka_describe_groups_response_encode(response_begin(r), request_version(r), &d->a);
	coordinator_request_answer(&d->cr);
}

enum handled handle_describe_groups(struct request *r)
{
	struct describe_groups *d = request_alloc(r, 1, sizeof(*d));
	int err = d ? 0 : -ENOMEM;

	if (!err)
		err = kafka_describe_groups_request_decode(&r->body, &r->arena, request_version(r),
							   &d->m);
	if (err)
		return request_malformed(r, err);
	kafka_describe_groups_response_init(&d->a);
	d->a.groups.v = request_alloc(r, (size_t)d->m.groups.n, sizeof(*d->a.groups.v));
	if (!d->a.groups.v)
		return request_malformed(r, -ENOMEM);
	return coordinator_request_park(r, &d->cr, work, coordinator_request_finish);
}
