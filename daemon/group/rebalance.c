// SPDX-License-Identifier: Apache-2.0
#include "daemon/core/owned.h"
#include "daemon/group/rebalance.h"

/* How long a new member may wait for the first rebalance it is in; as Kafka has it. */
#define NEW_MEMBER_MS (5 * 60 * 1000)

/* First version of JoinGroup that can tell a leader not to assign (KIP-814). */
#define SKIP_FROM_VERSION 9

/** struct pending_member - was told its id; @id is owned */
struct pending_member {
	struct list link;
	struct group *group;
	struct kafka_str id;
	struct timer timer;
};

static struct timer_heap *timers(const struct group *g)
{
	return g->coordinator->timers;
}

static int64_t now(const struct group *g)
{
	return g->coordinator->env->now_ms(g->coordinator->env);
}

static void set_state(struct group *g, enum group_state state)
{
	group_set_state(g, state, wall_ms(g->coordinator));
}

int16_t rebalance_check_member(const struct group *g, struct kafka_str id,
			       struct kafka_str instance_id, struct member **ret_m)
{
	const struct member *owner;

	if (instance_id.len >= 0) {
		owner = group_find_instance(g, instance_id);
		if (!owner)
			return KAFKA_ERROR_UNKNOWN_MEMBER_ID;
		if (!kafka_str_equal(owner->id, id))
			return KAFKA_ERROR_FENCED_INSTANCE_ID;
	}
	*ret_m = group_find_member(g, id);
	return *ret_m ? KAFKA_ERROR_NONE : KAFKA_ERROR_UNKNOWN_MEMBER_ID;
}

/* Nobody waits longer than this for the slowest member. */
static int32_t rebalance_ms(const struct group *g)
{
	int32_t longest = 0;

	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		const struct member *m = list_entry(at, struct member, link);

		if (m->rebalance_ms > longest)
			longest = m->rebalance_ms;
	}
	return longest;
}

void rebalance_refuse_join(struct join_call *call, int16_t code, struct kafka_str member_id)
{
	struct kafka_join_group_response a;

	kafka_join_group_response_init(&a);
	a.error_code = code;
	a.member_id = member_id;
	/* Older versions have no way to say that there is none. */
	if (call->version >= 7)
		a.protocol_name = kafka_str_from(NULL);
	call->answer(call, &a);
}

void rebalance_answer_sync(struct group *g, struct sync_call *call, int16_t code,
			   struct kafka_bytes assignment)
{
	struct kafka_sync_group_response a;

	kafka_sync_group_response_init(&a);
	a.error_code = code;
	if (!code) {
		a.protocol_type = g->protocol_type;
		a.protocol_name = g->protocol;
		a.assignment = assignment;
	}
	call->answer(call, &a);
}

/* All members, for the leader. */
static struct kafka_join_group_response_member *list_members(const struct group *g)
{
	struct kafka_join_group_response_member *members;
	int32_t n = 0;

	members = calloc((size_t)g->n_members, sizeof(*members));
	if (!members)
		return NULL;
	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		const struct member *m = list_entry(at, struct member, link);

		members[n++] = (struct kafka_join_group_response_member){
			.member_id = m->id,
			.group_instance_id = m->instance_id,
			.metadata = member_metadata(m, g->protocol),
		};
	}
	return members;
}

static bool came_back(const struct member *m, const struct join_call *call)
{
	return m->group->state == GROUP_STABLE && m->old_id.len >= 0 && !call->m->member_id.len;
}

void rebalance_answer_join(struct member *m, struct join_call *call)
{
	struct kafka_join_group_response_member *members = NULL;
	struct group *g = m->group;
	struct kafka_join_group_response a;

	kafka_join_group_response_init(&a);
	a.generation_id = g->generation;
	a.protocol_type = g->protocol_type;
	a.protocol_name = g->protocol;
	a.leader = g->leader->id;
	a.member_id = m->id;
	/*
	 * A static leader that came back to a stable group must not assign anew. A
	 * client that cannot be told so is made to believe that another one leads.
	 */
	a.skip_assignment = came_back(m, call) && g->leader == m;
	if (a.skip_assignment && call->version < SKIP_FROM_VERSION) {
		a.leader = m->old_id;
	} else if (g->leader == m) {
		members = list_members(g);
		if (!members) {
			rebalance_refuse_join(call, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE, m->id);
			return;
		}
		a.members.v = members;
		a.members.n = g->n_members;
	}
	call->answer(call, &a);
	free(members);
}

void rebalance_stop_waiting(struct member *m, int16_t code)
{
	struct join_call *joining = m->joining;
	struct sync_call *syncing = m->syncing;

	if (joining) {
		m->joining = NULL;
		m->group->n_joining--;
		rebalance_refuse_join(joining, code, m->id);
	}
	if (syncing) {
		m->syncing = NULL;
		rebalance_answer_sync(m->group, syncing, code, (struct kafka_bytes){0});
	}
}

void rebalance_wait(struct member *m, struct join_call *call)
{
	/* A client that lost its connection asks again on another one. */
	rebalance_stop_waiting(m, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	m->joining = call;
	m->group->n_joining++;
}

static void on_session(struct timer *t)
{
	struct member *m = list_entry(t, struct member, session);

	/* Whoever waits for an answer is alive; a new member does not wait for ever. */
	if (!m->is_new && (m->joining || m->syncing))
		return;
	rebalance_remove(m->group, m, false);
}

void rebalance_heard_of(struct member *m)
{
	m->session.fn = on_session;
	timer_set(timers(m->group), &m->session,
		  now(m->group) + (m->is_new ? NEW_MEMBER_MS : m->session_ms));
}

static bool all_know(const struct group *g, struct kafka_str protocol)
{
	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		if (!member_knows(list_entry(at, struct member, link), protocol))
			return false;
	}
	return true;
}

/* Each member votes for the first of its protocols that all know. */
static int32_t votes(const struct group *g, struct kafka_str protocol)
{
	int32_t n = 0;

	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		const struct member *m = list_entry(at, struct member, link);
		int32_t i = 0;

		while (i < m->n_protocols && !all_know(g, m->protocols[i].name))
			i++;
		n += i < m->n_protocols && kafka_str_equal(m->protocols[i].name, protocol);
	}
	return n;
}

struct kafka_str rebalance_protocol(const struct group *g)
{
	const struct member *first = list_entry(g->members.next, struct member, link);
	struct kafka_str best = kafka_str_from(NULL);
	int32_t most = 0;

	for (int32_t i = 0; g->n_members && i < first->n_protocols; i++) {
		int32_t n = votes(g, first->protocols[i].name);

		if (n > most) {
			most = n;
			best = first->protocols[i].name;
		}
	}
	return best;
}

static bool elect_leader(struct group *g)
{
	if (g->leader && g->leader->joining)
		return true;
	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		struct member *m = list_entry(at, struct member, link);

		if (m->joining) {
			g->leader = m;
			return true;
		}
	}
	return false;
}

/* Static members that did not come stay: they may be being restarted. */
static void remove_missing(struct group *g)
{
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &g->members)
	{
		struct member *m = list_entry(at, struct member, link);

		if (!m->joining && m->instance_id.len < 0)
			rebalance_remove(g, m, true);
	}
}

static int begin_generation(struct group *g)
{
	struct kafka_str protocol;

	if (str_copy(&protocol, rebalance_protocol(g)))
		return -ENOMEM;
	str_free(&g->protocol);
	g->protocol = protocol;
	g->generation = g->generation == INT32_MAX ? 0 : g->generation + 1;
	return 0;
}

static void on_sync_timeout(struct timer *t)
{
	struct group *g = list_entry(t, struct group, rebalance);
	bool removed = false;
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &g->members)
	{
		struct member *m = list_entry(at, struct member, link);

		if (!m->must_sync)
			continue;
		rebalance_remove(g, m, true);
		removed = true;
	}
	if (removed)
		rebalance_changed(g);
}

/* Tell the members that wait the new generation, and wait for their SyncGroup. */
static void tell_generation(struct group *g)
{
	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		struct member *m = list_entry(at, struct member, link);
		struct join_call *call = m->joining;

		if (!call)
			continue;
		m->joining = NULL;
		g->n_joining--;
		m->is_new = false;
		m->must_sync = true;
		rebalance_heard_of(m);
		rebalance_answer_join(m, call);
	}
	g->rebalance.fn = on_sync_timeout;
	timer_set(timers(g), &g->rebalance, now(g) + rebalance_ms(g));
}

static void complete(struct group *g);

static void on_join_timeout(struct timer *t)
{
	complete(list_entry(t, struct group, rebalance));
}

static void complete_later(struct group *g)
{
	g->rebalance.fn = on_join_timeout;
	timer_set(timers(g), &g->rebalance, now(g) + rebalance_ms(g));
}

/* The members that are there make up the new generation. */
static void complete(struct group *g)
{
	timer_cancel(timers(g), &g->rebalance);
	remove_missing(g);
	/* Only static members that may come back: wait until their sessions end. */
	if ((!elect_leader(g) && g->n_members) || begin_generation(g)) {
		complete_later(g);
		return;
	}
	if (g->n_members) {
		set_state(g, GROUP_COMPLETING_REBALANCE);
		tell_generation(g);
		return;
	}
	set_state(g, GROUP_EMPTY);
	/* If it fails, members that are gone are loaded again, and expire again. */
	group_save(g, kafka_str_from(NULL), NULL);
}

static bool all_joined(const struct group *g)
{
	return g->n_members == g->n_joining && list_empty(&g->pending);
}

/* The first rebalance of a group is put off for as long as members come. */
static void on_delay(struct timer *t)
{
	struct group *g = list_entry(t, struct group, rebalance);
	int64_t delay = g->coordinator->settings.initial_delay_ms;

	if (!g->member_came || !g->delay_left_ms) {
		complete(g);
		return;
	}
	if (delay > g->delay_left_ms)
		delay = g->delay_left_ms;
	g->delay_left_ms -= delay;
	g->member_came = false;
	timer_set(timers(g), &g->rebalance, now(g) + delay);
}

static void begin_first(struct group *g)
{
	int64_t delay = g->coordinator->settings.initial_delay_ms;

	set_state(g, GROUP_PREPARING_REBALANCE);
	g->delay_left_ms = rebalance_ms(g) > delay ? rebalance_ms(g) - delay : 0;
	g->member_came = false;
	g->rebalance.fn = on_delay;
	timer_set(timers(g), &g->rebalance, now(g) + delay);
}

/* Who waits for an assignment of the generation that ends has to join again. */
static void forget_assignments(struct group *g, int16_t code)
{
	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		struct member *m = list_entry(at, struct member, link);
		struct sync_call *call = m->syncing;

		bytes_free(&m->assignment);
		if (!call)
			continue;
		m->syncing = NULL;
		rebalance_heard_of(m);
		rebalance_answer_sync(g, call, code, (struct kafka_bytes){0});
	}
}

static void go_on(struct group *g)
{
	/* The first rebalance takes its time, even if all are there. */
	if (g->state == GROUP_PREPARING_REBALANCE && g->previous != GROUP_EMPTY && all_joined(g))
		complete(g);
}

void rebalance_begin(struct group *g)
{
	if (g->state == GROUP_PREPARING_REBALANCE || g->state == GROUP_DEAD)
		return;
	if (g->state == GROUP_EMPTY) {
		begin_first(g);
		return;
	}
	if (g->state == GROUP_COMPLETING_REBALANCE)
		forget_assignments(g, KAFKA_ERROR_REBALANCE_IN_PROGRESS);
	for (struct list *at = g->members.next; at != &g->members; at = at->next)
		list_entry(at, struct member, link)->must_sync = false;
	set_state(g, GROUP_PREPARING_REBALANCE);
	if (all_joined(g))
		complete(g);
	else
		complete_later(g);
}

void rebalance_came(struct group *g)
{
	if (g->state == GROUP_PREPARING_REBALANCE)
		go_on(g);
	else
		rebalance_begin(g);
}

void rebalance_changed(struct group *g)
{
	if (g->state == GROUP_PREPARING_REBALANCE)
		go_on(g);
	else if (g->state == GROUP_STABLE || g->state == GROUP_COMPLETING_REBALANCE)
		rebalance_begin(g);
}

void rebalance_remove(struct group *g, struct member *m, bool quiet)
{
	rebalance_stop_waiting(m, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	group_remove_member(g, m);
	if (!quiet)
		rebalance_changed(g);
}

void rebalance_assigned(struct group *g, int16_t code)
{
	if (code) {
		forget_assignments(g, code);
		rebalance_begin(g);
		return;
	}
	set_state(g, GROUP_STABLE);
	for (struct list *at = g->members.next; at != &g->members; at = at->next) {
		struct member *m = list_entry(at, struct member, link);
		struct sync_call *call = m->syncing;

		if (!call)
			continue;
		m->syncing = NULL;
		/* Its session may have ended unseen while it waited. */
		rebalance_heard_of(m);
		rebalance_answer_sync(g, call, KAFKA_ERROR_NONE, m->assignment);
	}
}

static void free_pending(struct pending_member *p)
{
	timer_cancel(timers(p->group), &p->timer);
	list_remove(&p->link);
	str_free(&p->id);
	free(p);
}

static void on_promise(struct timer *t)
{
	struct pending_member *p = list_entry(t, struct pending_member, timer);
	struct group *g = p->group;

	free_pending(p);
	go_on(g);
	coordinator_put(g->coordinator, g);
}

int rebalance_promise(struct group *g, struct kafka_str id, int32_t session_ms)
{
	struct pending_member *p = calloc(1, sizeof(*p));

	if (!p || str_copy(&p->id, id)) {
		free(p);
		return -ENOMEM;
	}
	p->group = g;
	p->timer.fn = on_promise;
	list_append(&g->pending, &p->link);
	timer_set(timers(g), &p->timer, now(g) + session_ms);
	return 0;
}

bool rebalance_take_promise(struct group *g, struct kafka_str id)
{
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &g->pending)
	{
		struct pending_member *p = list_entry(at, struct pending_member, link);

		if (!kafka_str_equal(p->id, id))
			continue;
		free_pending(p);
		return true;
	}
	return false;
}

void rebalance_loaded(struct group *g)
{
	for (struct list *at = g->members.next; at != &g->members; at = at->next)
		rebalance_heard_of(list_entry(at, struct member, link));
}

void rebalance_close(struct group *g)
{
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &g->members)
	{
		struct member *m = list_entry(at, struct member, link);

		rebalance_stop_waiting(m, KAFKA_ERROR_NOT_COORDINATOR);
		group_remove_member(g, m);
	}
	list_for_each_safe(at, after, &g->pending)
		free_pending(list_entry(at, struct pending_member, link));
}
