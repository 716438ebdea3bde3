// SPDX-License-Identifier: Apache-2.0
/* JoinGroup. */
#include <stdio.h>

#include "daemon/core/owned.h"
#include "daemon/group/rebalance.h"

/* First version whose new members have to come back with the id they are told (KIP-394). */
#define KNOWN_ID_FROM_VERSION 4

/* More than any client knows; what members agree on is found by comparing all with all. */
#define PROTOCOLS_MAX 100

/* A member id ends in text that is nowhere else. */
#define UNIQUE_LEN 36

static const struct kafka_str no_id = {"", 0};

/* Whether the group could agree on one of the protocols. */
static bool could_agree(const struct group *g, const struct kafka_join_group_request *m)
{
	if (m->protocols.n < 1 || m->protocols.n > PROTOCOLS_MAX || !m->protocol_type.len)
		return false;
	if (!g->n_members)
		return true;
	if (!kafka_str_equal(g->protocol_type, m->protocol_type))
		return false;
	for (int32_t i = 0; i < m->protocols.n; i++) {
		struct list *at = g->members.next;

		while (at != &g->members &&
		       member_knows(list_entry(at, struct member, link), m->protocols.v[i].name))
			at = at->next;
		if (at == &g->members)
			return true;
	}
	return false;
}

/* Whether there is room for one more, or it is in already. */
static bool has_room(const struct group *g, struct kafka_str id)
{
	int32_t max = g->coordinator->settings.size_max;
	const struct member *m = id.len ? group_find_member(g, id) : NULL;

	switch (g->state) {
	case GROUP_PREPARING_REBALANCE: return (m && m->joining) || g->n_joining < max;
	case GROUP_COMPLETING_REBALANCE:
	case GROUP_STABLE: return m || g->n_members < max;
	default: return true;
	}
}

static struct member_protocol *copy_protocols(const struct kafka_join_group_request *m)
{
	struct member_protocol *protocols = calloc((size_t)m->protocols.n, sizeof(*protocols));

	for (int32_t i = 0; protocols && i < m->protocols.n; i++) {
		if (str_copy(&protocols[i].name, m->protocols.v[i].name) ||
		    bytes_copy(&protocols[i].metadata, m->protocols.v[i].metadata)) {
			member_protocols_free(protocols, m->protocols.n);
			return NULL;
		}
	}
	return protocols;
}

/* Whether it offers just what it did before. */
static bool same_protocols(const struct member *m, const struct kafka_join_group_request *r)
{
	if (m->n_protocols != r->protocols.n)
		return false;
	for (int32_t i = 0; i < m->n_protocols; i++) {
		const struct member_protocol *p = &m->protocols[i];

		if (!kafka_str_equal(p->name, r->protocols.v[i].name) ||
		    p->metadata.len != r->protocols.v[i].metadata.len ||
		    (p->metadata.len &&
		     memcmp(p->metadata.p, r->protocols.v[i].metadata.p, (size_t)p->metadata.len)))
			return false;
	}
	return true;
}

static int32_t rebalance_ms_of(const struct join_call *call)
{
	return call->version ? call->m->rebalance_timeout_ms : call->m->session_timeout_ms;
}

/* Take over what it says now. 0 or -ENOMEM. */
static int update(struct member *m, const struct join_call *call)
{
	struct member_protocol *protocols = copy_protocols(call->m);

	if (!protocols)
		return -ENOMEM;
	member_protocols_free(m->protocols, m->n_protocols);
	m->protocols = protocols;
	m->n_protocols = call->m->protocols.n;
	m->session_ms = call->m->session_timeout_ms;
	m->rebalance_ms = rebalance_ms_of(call);
	return 0;
}

static void refuse(struct join_call *call, int16_t code)
{
	rebalance_refuse_join(call, code, call->m->member_id);
}

static void update_and_rebalance(struct group *g, struct member *m, struct join_call *call)
{
	if (update(m, call)) {
		refuse(call, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
		return;
	}
	rebalance_heard_of(m);
	rebalance_wait(m, call);
	rebalance_came(g);
}

static void add(struct group *g, struct kafka_str id, struct join_call *call)
{
	const struct kafka_join_group_request *r = call->m;
	const struct group_value_member from = {
		.id = id,
		.instance_id = r->group_instance_id,
		.client_id = call->client_id,
		.client_host = call->client_host,
		.rebalance_ms = rebalance_ms_of(call),
		.session_ms = r->session_timeout_ms,
	};
	struct member_protocol *protocols = copy_protocols(r);
	struct kafka_str type;
	struct member *m;

	if (!protocols || str_copy(&type, r->protocol_type)) {
		member_protocols_free(protocols, protocols ? r->protocols.n : 0);
		refuse(call, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
		return;
	}
	if (group_add_member(g, &from, protocols, r->protocols.n, &m)) {
		member_protocols_free(protocols, r->protocols.n);
		str_free(&type);
		refuse(call, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
		return;
	}
	str_free(&g->protocol_type);
	g->protocol_type = type;
	m->is_new = true;
	if (g->state == GROUP_PREPARING_REBALANCE && g->previous == GROUP_EMPTY)
		g->member_came = true;
	rebalance_heard_of(m);
	rebalance_wait(m, call);
	rebalance_came(g);
}

/* The group is stable, and would agree on the same protocol: nobody else need know. */
static void save_came_back(struct group *g, int32_t generation, struct kafka_str id, int16_t code)
{
	struct member *m = group_find_member(g, id);
	struct join_call *call = m ? m->joining : NULL;

	if (!call || g->state != GROUP_STABLE || g->generation != generation)
		return;
	m->joining = NULL;
	g->n_joining--;
	if (code)
		refuse(call, code);
	else
		rebalance_answer_join(m, call);
}

static void came_back(struct group *g, struct member *m, struct kafka_str id,
		      struct join_call *call)
{
	struct kafka_str new_id;
	int16_t code;

	if (str_copy(&new_id, id)) {
		refuse(call, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
		return;
	}
	/* Whoever still uses the old id is a ghost. */
	rebalance_stop_waiting(m, KAFKA_ERROR_FENCED_INSTANCE_ID);
	str_free(&m->old_id);
	m->old_id = m->id;
	m->id = new_id;
	if (g->state != GROUP_STABLE) {
		update_and_rebalance(g, m, call);
		return;
	}
	if (update(m, call)) {
		refuse(call, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
		return;
	}
	rebalance_heard_of(m);
	rebalance_wait(m, call);
	if (!kafka_str_equal(rebalance_protocol(g), g->protocol)) {
		rebalance_begin(g);
		return;
	}
	code = group_save(g, m->id, save_came_back);
	if (code)
		save_came_back(g, g->generation, m->id, code);
}

static void join_new(struct group *g, struct join_call *call)
{
	const struct kafka_join_group_request *r = call->m;
	bool is_static = r->group_instance_id.len >= 0;
	struct kafka_str front = is_static ? r->group_instance_id : call->client_id;
	struct member *m = is_static ? group_find_instance(g, r->group_instance_id) : NULL;
	size_t len = (size_t)front.len + 1 + UNIQUE_LEN;
	struct coordinator *c = g->coordinator;
	char *id = malloc(len + 1);

	if (!id) {
		refuse(call, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
		return;
	}
	memcpy(id, front.p, (size_t)front.len);
	id[front.len] = '-';
	c->env->unique(c->env, id + front.len + 1);
	if (m) {
		came_back(g, m, (struct kafka_str){id, (int32_t)len}, call);
	} else if (is_static || call->version < KNOWN_ID_FROM_VERSION) {
		add(g, (struct kafka_str){id, (int32_t)len}, call);
	} else if (rebalance_promise(g, (struct kafka_str){id, (int32_t)len},
				     r->session_timeout_ms)) {
		refuse(call, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	} else {
		rebalance_refuse_join(call, KAFKA_ERROR_MEMBER_ID_REQUIRED,
				      (struct kafka_str){id, (int32_t)len});
	}
	free(id);
}

/* A member joins again: because of a rebalance, to start one, or because its answer was lost. */
static void join_again(struct group *g, struct join_call *call)
{
	const struct kafka_join_group_request *r = call->m;
	struct member *m;
	int16_t code;

	if (r->group_instance_id.len < 0 && rebalance_take_promise(g, r->member_id)) {
		add(g, r->member_id, call);
		return;
	}
	code = rebalance_check_member(g, r->member_id, r->group_instance_id, &m);
	if (code) {
		refuse(call, code);
		return;
	}
	if (g->state == GROUP_PREPARING_REBALANCE || !same_protocols(m, r) ||
	    (g->state == GROUP_STABLE && g->leader == m)) {
		update_and_rebalance(g, m, call);
		return;
	}
	rebalance_heard_of(m);
	rebalance_answer_join(m, call);
}

static int16_t check(const struct coordinator *c, const struct kafka_join_group_request *r)
{
	if (!r->group_id.len)
		return KAFKA_ERROR_INVALID_GROUP_ID;
	if (r->session_timeout_ms < c->settings.session_min_ms ||
	    r->session_timeout_ms > c->settings.session_max_ms)
		return KAFKA_ERROR_INVALID_SESSION_TIMEOUT;
	return KAFKA_ERROR_NONE;
}

void coordinator_join(struct coordinator *c, struct join_call *call)
{
	const struct kafka_join_group_request *r = call->m;
	int16_t code = check(c, r);
	struct group *g = NULL;

	if (!code)
		g = coordinator_find(c, r->group_id, &code);
	if (!code && !g) {
		if (r->member_id.len)
			code = KAFKA_ERROR_UNKNOWN_MEMBER_ID;
		else if (!(g = coordinator_make(c, r->group_id)))
			code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	}
	if (code) {
		refuse(call, code);
		return;
	}
	if (g->state == GROUP_DEAD) {
		refuse(call, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	} else if (!has_room(g, r->member_id)) {
		rebalance_refuse_join(call, KAFKA_ERROR_GROUP_MAX_SIZE_REACHED, no_id);
	} else if (!could_agree(g, r)) {
		refuse(call, KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL);
	} else if (r->member_id.len) {
		join_again(g, call);
	} else {
		join_new(g, call);
	}
	coordinator_put(c, g);
}
