// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/coordinator_request.h"

/** struct one_group - one of the groups of a request */
struct one_group {
	struct group_delete_call call;
	struct delete_groups *all;
};

/** struct delete_groups - a request at work; in its arena. @left: groups that are not answered */
struct delete_groups {
	struct coordinator_request cr;
	struct kafka_delete_groups_request m;
	struct kafka_delete_groups_response a;
	struct one_group *groups;
	int32_t left;
};

static void answer(struct delete_groups *d)
{
	struct request *r = d->cr.request;

	for (int32_t i = 0; i < d->a.results.n; i++) {
		d->a.results.v[i].group_id = d->m.groups_names.v[i];
		d->a.results.v[i].error_code = d->groups[i].call.error_code;
	}
	kafka_delete_groups_response_encode(response_begin(r), request_version(r), &d->a);
	coordinator_request_answer(&d->cr);
}

static void group_done(struct group_delete_call *call)
{
	struct delete_groups *d = list_entry(call, struct one_group, call)->all;

	if (!--d->left)
		answer(d);
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct coordinator *c = &cs->groups;
	struct delete_groups *d = list_entry(call, struct delete_groups, cr.call);
	int32_t n = d->m.groups_names.n;

	/* One more than there are, so that the answer waits until all have begun. */
	d->left = n + 1;
	for (int32_t i = 0; i < n; i++) {
		d->groups[i] = (struct one_group){
			.call = {.group = d->m.groups_names.v[i], .answer = group_done},
			.all = d,
		};
		coordinator_delete_group(c, &d->groups[i].call);
	}
	if (!--d->left)
		answer(d);
}

enum handled handle_delete_groups(struct request *r)
{
	struct delete_groups *d = request_alloc(r, 1, sizeof(*d));
	int err = d ? 0 : -ENOMEM;

	if (!err)
		err = kafka_delete_groups_request_decode(&r->body, &r->arena, request_version(r),
							 &d->m);
	if (err)
		return request_malformed(r, err);
	kafka_delete_groups_response_init(&d->a);
	d->a.results.n = d->m.groups_names.n;
	d->a.results.v = request_alloc(r, (size_t)d->a.results.n, sizeof(*d->a.results.v));
	d->groups = request_alloc(r, (size_t)d->a.results.n, sizeof(*d->groups));
	if (!d->a.results.v || !d->groups)
		return request_malformed(r, -ENOMEM);
	return coordinator_request_park(r, &d->cr, work, coordinator_request_finish);
}
