// SPDX-License-Identifier: Apache-2.0
#include <strings.h>

#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/coordinator_request.h"

/** struct list_groups - a request at work; in its arena */
struct list_groups {
	struct coordinator_request cr;
	struct kafka_list_groups_request m;
};

/* An empty filter lets all through. */
static bool passes(struct kafka_str_array filter, const char *value)
{
	for (int32_t i = 0; i < filter.n; i++) {
		if ((size_t)filter.v[i].len == strlen(value) &&
		    !strncasecmp(filter.v[i].p, value, strlen(value)))
			return true;
	}
	return filter.n <= 0;
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct coordinator *c = &cs->groups;
	struct list_groups *lg = list_entry(call, struct list_groups, cr.call);
	struct request *r = lg->cr.request;
	struct kafka_list_groups_response a;

	kafka_list_groups_response_init(&a);
	a.groups.v = request_alloc(r, c->groups.count, sizeof(*a.groups.v));
	if (!a.groups.v) {
		coordinator_request_refuse(&lg->cr);
		return;
	}
	a.error_code = coordinator_error(c);
	for (struct list *at = c->list.next; at != &c->list; at = at->next) {
		const struct group *g = list_entry(at, struct group, link);

		if (!passes(lg->m.states_filter, group_state_name(g->state)) ||
		    !passes(lg->m.types_filter, "classic"))
			continue;
		a.groups.v[a.groups.n++] = (struct kafka_list_groups_response_group){
			.group_id = g->id,
			.protocol_type =
				g->protocol_type.len < 0 ? kafka_str_from("") : g->protocol_type,
			.group_state = kafka_str_from(group_state_name(g->state)),
			.group_type = kafka_str_from("classic"),
		};
	}
	kafka_list_groups_response_encode(response_begin(r), request_version(r), &a);
	coordinator_request_answer(&lg->cr);
}

enum handled handle_list_groups(struct request *r)
{
	struct list_groups *lg = request_alloc(r, 1, sizeof(*lg));
	int err = lg ? 0 : -ENOMEM;

	if (!err)
		err = kafka_list_groups_request_decode(&r->body, &r->arena, request_version(r),
						       &lg->m);
	if (err)
		return request_malformed(r, err);
	return coordinator_request_park(r, &lg->cr, work, coordinator_request_finish);
}
