// SPDX-License-Identifier: Apache-2.0
#include "daemon/group/coordinator.h"
#include "daemon/core/owned.h"

struct group *group_new(struct coordinator *c, struct kafka_str id, int32_t partition)
{
	struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	if (str_copy(&g->id, id)) {
		free(g);
		return NULL;
	}
	g->coordinator = c;
	g->partition = partition;
	g->protocol_type.len = -1;
	g->protocol.len = -1;
	g->state_ms = -1;
	list_init(&g->link);
	list_init(&g->members);
	list_init(&g->pending);
	offset_table_init(&g->offsets);
	return g;
}

void group_free(struct group *g)
{
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &g->members)
		group_remove_member(g, list_entry(at, struct member, link));
	offset_table_free(&g->offsets);
	str_free(&g->id);
	str_free(&g->protocol_type);
	str_free(&g->protocol);
	free(g);
}

const char *group_state_name(enum group_state state)
{
	static const char *const names[] = {
		[GROUP_EMPTY] = "Empty",
		[GROUP_PREPARING_REBALANCE] = "PreparingRebalance",
		[GROUP_COMPLETING_REBALANCE] = "CompletingRebalance",
		[GROUP_STABLE] = "Stable",
		[GROUP_DEAD] = "Dead",
	};

	return names[state];
}

void group_set_state(struct group *g, enum group_state state, int64_t wall_ms)
{
	g->previous = g->state;
	g->state = state;
	g->state_ms = wall_ms;
}

bool group_is_consumer(const struct group *g)
{
	return kafka_str_equal(g->protocol_type, kafka_str_from("consumer"));
}

/*
 * Looks into what the client's assignor sent, which is otherwise none of the
 * broker's business: a version and the names of the topics come first in all
 * versions. Returns 1, 0, or a negative number if it is not to be read.
 */
static int subscription_has(struct kafka_bytes metadata, struct kafka_str topic)
{
	struct wire_reader r;
	int32_t n;
	int found = 0;

	wire_reader_init(&r, metadata.p, metadata.len > 0 ? (size_t)metadata.len : 0);
	if (wire_read_int16(&r) < 0)
		return -1;
	n = wire_read_int32(&r);
	for (int32_t i = 0; i < n && !r.err; i++)
		found |= kafka_str_equal(wire_read_string(&r, false, false), topic);
	return r.err || n < 0 ? -1 : found;
}

bool group_reads_topic(const struct group *g, struct kafka_str topic)
{
	bool consumer = group_is_consumer(g);

	if (!consumer || g->protocol.len < 0)
		return consumer && g->n_members;
	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		const struct member *m = list_entry(at, struct member, link);

		if (subscription_has(member_metadata(m, g->protocol), topic))
			return true;
	}
	return false;
}

struct member *group_find_member(const struct group *g, struct kafka_str id)
{
	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		struct member *m = list_entry(at, struct member, link);

		if (kafka_str_equal(m->id, id))
			return m;
	}
	return NULL;
}

struct member *group_find_instance(const struct group *g, struct kafka_str instance_id)
{
	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		struct member *m = list_entry(at, struct member, link);

		if (m->instance_id.len >= 0 && kafka_str_equal(m->instance_id, instance_id))
			return m;
	}
	return NULL;
}

void member_protocols_free(struct member_protocol *protocols, int32_t n)
{
	for (int32_t i = 0; i < n; i++) {
		str_free(&protocols[i].name);
		bytes_free(&protocols[i].metadata);
	}
	free(protocols);
}

static void free_member(struct member *m)
{
	str_free(&m->id);
	str_free(&m->instance_id);
	str_free(&m->old_id);
	str_free(&m->client_id);
	str_free(&m->client_host);
	bytes_free(&m->assignment);
	member_protocols_free(m->protocols, m->n_protocols);
	free(m);
}

int group_add_member(struct group *g, const struct group_value_member *from,
		     struct member_protocol *protocols, int32_t n_protocols, struct member **ret)
{
	struct member *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	if (str_copy(&m->id, from->id) || str_copy(&m->instance_id, from->instance_id) ||
	    str_copy(&m->client_id, from->client_id) ||
	    str_copy(&m->client_host, from->client_host) ||
	    bytes_copy(&m->assignment, from->assignment)) {
		free_member(m);
		return -ENOMEM;
	}
	m->group = g;
	m->session_ms = from->session_ms;
	m->rebalance_ms = from->rebalance_ms;
	m->protocols = protocols;
	m->n_protocols = n_protocols;
	list_append(&g->members, &m->link);
	g->n_members++;
	if (!g->leader)
		g->leader = m;
	*ret = m;
	return 0;
}

void group_remove_member(struct group *g, struct member *m)
{
	timer_cancel(g->coordinator->timers, &m->session);
	list_remove(&m->link);
	g->n_members--;
	if (g->leader == m)
		g->leader = list_empty(&g->members)
				    ? NULL
				    : list_entry(g->members.next, struct member, link);
	free_member(m);
}

bool member_knows(const struct member *m, struct kafka_str protocol)
{
	for (int32_t i = 0; i < m->n_protocols; i++) {
		if (kafka_str_equal(m->protocols[i].name, protocol))
			return true;
	}
	return false;
}

struct kafka_bytes member_metadata(const struct member *m, struct kafka_str protocol)
{
	for (int32_t i = 0; i < m->n_protocols; i++) {
		if (kafka_str_equal(m->protocols[i].name, protocol))
			return m->protocols[i].metadata;
	}
	return (struct kafka_bytes){(const uint8_t *)"", 0};
}
