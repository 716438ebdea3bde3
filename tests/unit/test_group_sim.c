// SPDX-License-Identifier: Apache-2.0
/*
 * Lives of a group, each from a seed: members join, leave, fall silent, are
 * replaced and commit; writes fail; the coordinator crashes and loses what was
 * not durable. What must hold in each:
 *
 *	- a partition has one owner in a generation;
 *	- an offset that was committed, or was seen, is never lost and never goes back;
 *	- no commit of another generation than the current one is accepted;
 *	- every request is answered once;
 *	- in the end, left alone, the members that are there share all partitions.
 *
 * usage: test_group_sim [SEED [COUNT]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/daemon/group_world.h"
#include "tests/daemon/lives.h"

#define GROUP	     "g"
#define PARTITIONS   6
#define CLIENTS	     6
#define STATICS	     2 /* of them, the first ones */
#define STEPS	     400
#define GENERATIONS  4096
#define SESSION_MS   10000
#define REBALANCE_MS 20000
#define OWNER_LEN    32

enum client_state {
	OUT,
	JOINING, /* asked, or about to ask again with its id */
	SYNCING,
	IN,
};

/**
 * struct client - a consumer
 * @waits: its JoinGroup or SyncGroup is not answered
 * @silent: it is paused: it does not react
 * @members: for the leader: whom it has to assign to
 * @beat_ms: when it sent its last heartbeat
 */
struct client {
	enum client_state state;
	bool waits;
	bool silent;
	bool leads;
	int16_t version;
	char instance[16];
	char id[128];
	int32_t generation;
	char members[CLIENTS * 2][128];
	int32_t n_members;
	uint32_t owned;
	int64_t beat_ms;
	struct join_call join;
	struct kafka_join_group_request jm;
	struct kafka_join_group_request_protocol protocol;
	struct sync_call sync;
	struct kafka_sync_group_request sm;
	struct kafka_sync_group_request_assignment assignments[CLIENTS * 2];
	uint8_t bits[CLIENTS * 2];
};

/** struct commit - one OffsetCommit; @offset is larger than that of all before */
struct commit {
	struct one_commit of;
	char member[128];
	bool current;
};

/**
 * struct life - one run
 * @owners: member that had a partition in a generation: an instance or an id
 * @next: offset to be committed next, @acked: the last that was accepted, @seen: that was fetched
 * @calls, @answers: how many
 * @calm: no more faults
 */
static struct life {
	struct group_world w;
	struct client clients[CLIENTS];
	char owners[GENERATIONS][PARTITIONS][OWNER_LEN];
	int64_t next;
	int64_t acked[PARTITIONS];
	int64_t seen[PARTITIONS];
	unsigned int calls;
	unsigned int answers;
	unsigned int generations;
	unsigned int commits;
	bool calm;
} life;

static void copy(char *to, size_t size, struct kafka_str s)
{
	must(s.len >= 0 && (size_t)s.len < size, "a string is too long");
	memcpy(to, s.len ? s.p : "", (size_t)s.len);
	to[s.len] = '\0';
}

static bool is_static(const struct client *k)
{
	return k->instance[0];
}

/* It lost its place: it begins again without an id. */
static void begin_anew(struct client *k)
{
	k->state = JOINING;
	k->id[0] = '\0';
	k->owned = 0;
}

static void joined(struct join_call *call, const struct kafka_join_group_response *a)
{
	struct client *k = list_entry(call, struct client, join);

	must(k->waits, "a JoinGroup is answered twice");
	life.answers++;
	k->waits = false;
	k->owned = 0;
	if (a->error_code == KAFKA_ERROR_MEMBER_ID_REQUIRED) {
		copy(k->id, sizeof(k->id), a->member_id);
	} else if (a->error_code == KAFKA_ERROR_UNKNOWN_MEMBER_ID ||
		   a->error_code == KAFKA_ERROR_FENCED_INSTANCE_ID) {
		begin_anew(k);
	} else if (!a->error_code) {
		copy(k->id, sizeof(k->id), a->member_id);
		must(a->generation_id > 0 && a->generation_id < GENERATIONS, "generation");
		k->generation = a->generation_id;
		k->leads = kafka_str_equal(a->leader, a->member_id) && !a->skip_assignment;
		must(!k->leads || a->members.n <= CLIENTS * 2, "too many members");
		k->n_members = k->leads ? a->members.n : 0;
		for (int32_t i = 0; i < k->n_members; i++)
			copy(k->members[i], sizeof(k->members[i]), a->members.v[i].member_id);
		k->state = SYNCING;
		k->beat_ms = life.w.world.now_ms;
	}
}

static void send_join(struct client *k)
{
	kafka_join_group_request_init(&k->jm);
	k->jm.group_id = kafka_str_from(GROUP);
	k->jm.session_timeout_ms = SESSION_MS;
	k->jm.rebalance_timeout_ms = REBALANCE_MS;
	k->jm.member_id = kafka_str_from(k->id);
	k->jm.group_instance_id = kafka_str_from(is_static(k) ? k->instance : NULL);
	k->jm.protocol_type = kafka_str_from("consumer");
	k->protocol.name = kafka_str_from("range");
	k->jm.protocols.v = &k->protocol;
	k->jm.protocols.n = 1;
	k->join = (struct join_call){
		.m = &k->jm,
		.version = k->version,
		.client_id = kafka_str_from("client"),
		.client_host = kafka_str_from("/h"),
		.answer = joined,
	};
	k->waits = true;
	life.calls++;
	coordinator_join(&life.w.c, &k->join);
}

/* What it owns nobody else has owned in this generation. */
static void take(struct client *k, uint32_t owned)
{
	const char *name = is_static(k) ? k->instance : k->id;

	/* The end of an id is what differs. */
	if (strlen(name) >= OWNER_LEN)
		name += strlen(name) - OWNER_LEN + 1;
	for (unsigned int p = 0; p < PARTITIONS; p++) {
		char *owner = life.owners[k->generation][p];

		if (!(owned & 1u << p))
			continue;
		must(!owner[0] || !strcmp(owner, name),
		     "a partition has two owners in a generation");
		memcpy(owner, name, strlen(name) + 1);
	}
	k->owned = owned;
}

static void synced(struct sync_call *call, const struct kafka_sync_group_response *a)
{
	struct client *k = list_entry(call, struct client, sync);

	must(k->waits, "a SyncGroup is answered twice");
	life.answers++;
	k->waits = false;
	if (a->error_code == KAFKA_ERROR_UNKNOWN_MEMBER_ID ||
	    a->error_code == KAFKA_ERROR_FENCED_INSTANCE_ID) {
		begin_anew(k);
	} else if (a->error_code) {
		k->state = JOINING;
	} else {
		k->state = IN;
		k->beat_ms = life.w.world.now_ms;
		take(k, a->assignment.len == 1 ? a->assignment.p[0] : 0);
		life.generations++;
	}
}

static void send_sync(struct client *k)
{
	kafka_sync_group_request_init(&k->sm);
	k->sm.group_id = kafka_str_from(GROUP);
	k->sm.generation_id = k->generation;
	k->sm.member_id = kafka_str_from(k->id);
	k->sm.group_instance_id = kafka_str_from(is_static(k) ? k->instance : NULL);
	memset(k->bits, 0, sizeof(k->bits));
	for (unsigned int p = 0; k->n_members && p < PARTITIONS; p++)
		k->bits[p % (unsigned int)k->n_members] |= (uint8_t)(1u << p);
	for (int32_t i = 0; i < k->n_members; i++)
		k->assignments[i] = (struct kafka_sync_group_request_assignment){
			.member_id = kafka_str_from(k->members[i]),
			.assignment = {&k->bits[i], 1},
		};
	k->sm.assignments.v = k->assignments;
	k->sm.assignments.n = k->n_members;
	k->sync = (struct sync_call){.m = &k->sm, .answer = synced};
	k->waits = true;
	life.calls++;
	coordinator_sync(&life.w.c, &k->sync);
}

static void beat(struct client *k)
{
	struct kafka_heartbeat_request m;
	int16_t code;

	kafka_heartbeat_request_init(&m);
	m.group_id = kafka_str_from(GROUP);
	m.generation_id = k->generation;
	m.member_id = kafka_str_from(k->id);
	m.group_instance_id = kafka_str_from(is_static(k) ? k->instance : NULL);
	code = coordinator_heartbeat(&life.w.c, &m);
	k->beat_ms = life.w.world.now_ms;
	if (code == KAFKA_ERROR_REBALANCE_IN_PROGRESS)
		k->state = JOINING;
	else if (code == KAFKA_ERROR_UNKNOWN_MEMBER_ID || code == KAFKA_ERROR_ILLEGAL_GENERATION ||
		 code == KAFKA_ERROR_FENCED_INSTANCE_ID)
		begin_anew(k);
}

static struct group *group(void)
{
	int16_t code;

	return coordinator_find(&life.w.c, kafka_str_from(GROUP), &code);
}

static void committed(struct commit_call *call)
{
	struct commit *c = list_entry(call, struct commit, of.call);
	int32_t p = c->of.partition.partition_index;

	life.answers++;
	if (!c->of.a_partition.error_code) {
		must(c->current, "a commit of another generation was accepted");
		if (c->of.partition.committed_offset > life.acked[p])
			life.acked[p] = c->of.partition.committed_offset;
		life.commits++;
	}
	free(c);
}

static void send_commit(const struct client *k)
{
	struct commit *c = calloc(1, sizeof(*c));
	const struct group *g = group();

	copy(c->member, sizeof(c->member), kafka_str_from(k->id));
	/* Now and then one that was on its way since the generation before. */
	one_commit_init(&c->of, GROUP, c->member, k->generation - !below(10), ++life.next,
			committed);
	c->of.partition.partition_index = (int32_t)below(PARTITIONS);
	c->current = g && g->generation == c->of.m.generation_id_or_member_epoch &&
		     group_find_member(g, kafka_str_from(k->id));
	life.calls++;
	coordinator_commit(&life.w.c, &c->of.call);
}

static void leave(struct client *k)
{
	struct kafka_leave_group_request_member m;
	int16_t code;

	kafka_leave_group_request_member_init(&m);
	m.member_id = kafka_str_from(k->id);
	coordinator_leave(&life.w.c, kafka_str_from(GROUP), &m, 1, &code);
	begin_anew(k);
	k->state = OUT;
}

static void look_at_offsets(void)
{
	const struct group *g = group();

	/* One that is forgotten altogether counts its generations from 1 again. */
	if (!g)
		memset(life.owners, 0, sizeof(life.owners));
	for (int32_t p = 0; p < PARTITIONS; p++) {
		const struct offset_entry *e =
			g ? offset_find(&g->offsets, kafka_str_from("t"), p) : NULL;
		int64_t offset = e ? e->value.offset : 0;

		must(offset >= life.acked[p], "a committed offset is lost");
		must(offset >= life.seen[p], "a committed offset went back");
		life.seen[p] = offset;
	}
}

/* What a client does of its own when it is its turn. */
static void act(struct client *k)
{
	if (k->waits || k->silent)
		return;
	switch (k->state) {
	case OUT:
		if (life.calm || !below(4))
			begin_anew(k);
		return;
	case JOINING: send_join(k); return;
	case SYNCING:
		if (life.calm || below(20))
			send_sync(k);
		return;
	case IN:
		if (!life.calm && !below(40) && !is_static(k))
			leave(k);
		else if (below(2))
			send_commit(k);
		if (k->state == IN && life.w.world.now_ms - k->beat_ms >= SESSION_MS / 4)
			beat(k);
		return;
	}
}

/* A static member is started again, or the connection of one that waits is lost for good. */
static void disturb(struct client *k)
{
	if (k->waits)
		return;
	if (is_static(k) && k->state == IN)
		begin_anew(k);
	else
		k->silent = !k->silent;
}

static void fault(void)
{
	switch (below(8)) {
	case 0: group_world_crash(&life.w, below(4)); return;
	case 1: life.w.world.append_code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE; return;
	case 2: world_flush(&life.w.world, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE); return;
	case 3: coordinator_expire(&life.w.c); return;
	default: disturb(&life.clients[below(CLIENTS)]); return;
	}
}

static void step(void)
{
	life.w.world.append_code = 0;
	if (!life.calm && !below(10))
		fault();
	for (unsigned int i = 0; i < CLIENTS; i++)
		act(&life.clients[below(CLIENTS)]);
	while (below(3) && world_flush(&life.w.world, 0))
		continue;
	look_at_offsets();
	world_pass(&life.w.world, below(life.calm ? 500 : 2000));
}

static bool all_is_well(void)
{
	uint32_t owned = 0;

	for (unsigned int i = 0; i < CLIENTS; i++) {
		if (life.clients[i].state != IN)
			return false;
		owned |= life.clients[i].owned;
	}
	return group()->state == GROUP_STABLE && group()->n_members == CLIENTS &&
	       owned == (1u << PARTITIONS) - 1;
}

static void live(void)
{
	unsigned int steps = 0;

	memset(&life, 0, sizeof(life));
	group_world_init(&life.w);
	life.w.settings.initial_delay_ms = below(2) ? 0 : 3000;
	life.w.c.settings = life.w.settings;
	for (unsigned int i = 0; i < CLIENTS; i++) {
		life.clients[i].version = (int16_t)(below(2) ? 9 : 3 + below(4));
		if (i < STATICS) {
			life.clients[i].version = (int16_t)(5 + below(5));
			snprintf(life.clients[i].instance, sizeof(life.clients[i].instance),
				 "static-%u", i);
		}
	}
	for (int i = 0; i < STEPS; i++)
		step();
	life.calm = true;
	for (unsigned int i = 0; i < CLIENTS; i++)
		life.clients[i].silent = false;
	while (!all_is_well()) {
		step();
		must(steps++ < 2000, "the group does not come to rest");
	}
	must(life.generations && life.commits, "nothing happened");
	group_world_free(&life.w);
	must(life.calls == life.answers, "a request was not answered");
}

int main(int argc, char **argv)
{
	return lives_main(argc, argv, live, "a group");
}
