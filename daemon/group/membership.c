// SPDX-License-Identifier: Apache-2.0
/* SyncGroup, Heartbeat and LeaveGroup. */
#include "daemon/core/owned.h"
#include "daemon/group/rebalance.h"

/* The group, if it is one that members can talk to. */
static struct group *find(const struct coordinator *c, struct kafka_str id, int16_t *ret_code)
{
	struct group *g;

	if (!id.len) {
		*ret_code = KAFKA_ERROR_INVALID_GROUP_ID;
		return NULL;
	}
	g = coordinator_find(c, id, ret_code);
	if (*ret_code)
		return NULL;
	if (!g)
		*ret_code = KAFKA_ERROR_UNKNOWN_MEMBER_ID;
	else if (g->state == GROUP_DEAD)
		*ret_code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	return *ret_code ? NULL : g;
}

static void saved(struct group *g, int32_t generation, struct kafka_str member_id, int16_t code)
{
	(void)member_id;
	/* Members may have come or gone meanwhile: then the assignment is void. */
	if (g->state == GROUP_COMPLETING_REBALANCE && g->generation == generation)
		rebalance_assigned(g, code);
}

/* What the leader says each member has; nothing for those that it left out. */
static int16_t take_assignments(struct group *g, const struct kafka_sync_group_request *r)
{
	for (struct list *at = g->members.next; at != &g->members; at = at->next)
		bytes_free(&list_entry(at, struct member, link)->assignment);
	for (int32_t i = 0; i < r->assignments.n; i++) {
		struct member *m = group_find_member(g, r->assignments.v[i].member_id);

		if (!m)
			continue;
		bytes_free(&m->assignment);
		if (bytes_copy(&m->assignment, r->assignments.v[i].assignment))
			return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	}
	return KAFKA_ERROR_NONE;
}

static bool differs(struct kafka_str said, struct kafka_str is)
{
	return said.len >= 0 && !kafka_str_equal(said, is);
}

static int16_t check_sync(const struct group *g, const struct kafka_sync_group_request *r,
			  struct member **ret_m)
{
	int16_t code = rebalance_check_member(g, r->member_id, r->group_instance_id, ret_m);

	if (code)
		return code;
	if (r->generation_id != g->generation)
		return KAFKA_ERROR_ILLEGAL_GENERATION;
	if (differs(r->protocol_type, g->protocol_type) || differs(r->protocol_name, g->protocol))
		return KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL;
	if (g->state == GROUP_PREPARING_REBALANCE)
		return KAFKA_ERROR_REBALANCE_IN_PROGRESS;
	return KAFKA_ERROR_NONE;
}

/* Wait for the assignment; the leader brings it. */
static void wait_for_assignment(struct group *g, struct member *m, struct sync_call *call)
{
	int16_t code;

	rebalance_stop_waiting(m, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	m->syncing = call;
	if (g->leader != m)
		return;
	code = take_assignments(g, call->m);
	if (!code)
		code = group_save(g, m->id, saved);
	if (code)
		rebalance_assigned(g, code);
}

void coordinator_sync(struct coordinator *c, struct sync_call *call)
{
	struct member *m = NULL;
	int16_t code;
	struct group *g = find(c, call->m->group_id, &code);

	if (!code)
		code = check_sync(g, call->m, &m);
	if (code) {
		rebalance_answer_sync(g, call, code, (struct kafka_bytes){0});
		return;
	}
	m->must_sync = false;
	rebalance_heard_of(m);
	if (g->state == GROUP_COMPLETING_REBALANCE)
		wait_for_assignment(g, m, call);
	else
		rebalance_answer_sync(g, call, KAFKA_ERROR_NONE, m->assignment);
}

int16_t coordinator_heartbeat(struct coordinator *c, const struct kafka_heartbeat_request *r)
{
	struct member *m;
	int16_t code;
	struct group *g = find(c, r->group_id, &code);

	if (!code)
		code = rebalance_check_member(g, r->member_id, r->group_instance_id, &m);
	if (code)
		return code;
	if (r->generation_id != g->generation)
		return KAFKA_ERROR_ILLEGAL_GENERATION;
	rebalance_heard_of(m);
	return g->state == GROUP_PREPARING_REBALANCE ? KAFKA_ERROR_REBALANCE_IN_PROGRESS
						     : KAFKA_ERROR_NONE;
}

static int16_t leave(struct group *g, const struct kafka_leave_group_request_member *who)
{
	struct member *m;
	int16_t code;

	if (who->group_instance_id.len < 0 && rebalance_take_promise(g, who->member_id))
		return KAFKA_ERROR_NONE;
	/* A tool knows the name of a static member only. */
	if (!who->member_id.len && who->group_instance_id.len >= 0) {
		m = group_find_instance(g, who->group_instance_id);
		code = m ? KAFKA_ERROR_NONE : KAFKA_ERROR_UNKNOWN_MEMBER_ID;
	} else {
		code = rebalance_check_member(g, who->member_id, who->group_instance_id, &m);
	}
	if (!code)
		rebalance_remove(g, m, true);
	return code;
}

int16_t coordinator_leave(struct coordinator *c, struct kafka_str group,
			  const struct kafka_leave_group_request_member *members, int32_t n,
			  int16_t *ret_codes)
{
	int16_t code;
	struct group *g = find(c, group, &code);
	bool left = false;

	/* That there is no such group is said of each member. */
	for (int32_t i = 0; i < n; i++) {
		ret_codes[i] = g ? leave(g, &members[i]) : code;
		left |= !ret_codes[i];
	}
	if (left)
		rebalance_changed(g);
	if (g)
		coordinator_put(c, g);
	return code == KAFKA_ERROR_UNKNOWN_MEMBER_ID ? KAFKA_ERROR_NONE : code;
}
