// SPDX-License-Identifier: Apache-2.0
/*
 * The group coordinator as a state machine. What is expected is what Apache
 * Kafka's GroupMetadataManager does for classic groups.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/daemon/group_world.h"

#define GROUP	     "g"
#define SESSION_MS   10000
#define REBALANCE_MS 60000

static struct group_world w;

/** struct joiner - a JoinGroup, and its answer */
struct joiner {
	struct join_call call;
	struct kafka_join_group_request m;
	struct kafka_join_group_request_protocol protocol;
	int answers;
	int16_t code;
	int32_t generation;
	char id[128];
	char leader[128];
	int32_t n_members;
	bool skip;
	bool no_protocol;
};

static void copy(char *to, struct kafka_str s)
{
	assert_in_range(s.len, 0, 127);
	if (s.len)
		memcpy(to, s.p, (size_t)s.len);
	to[s.len] = '\0';
}

static void joined(struct join_call *call, const struct kafka_join_group_response *a)
{
	struct joiner *j = list_entry(call, struct joiner, call);

	j->answers++;
	j->code = a->error_code;
	j->generation = a->generation_id;
	copy(j->id, a->member_id);
	copy(j->leader, a->leader);
	j->n_members = a->members.n;
	j->skip = a->skip_assignment;
	j->no_protocol = a->protocol_name.len < 0;
}

/* @id: as the last answer said. */
static void join_as(struct joiner *j, int16_t version, const char *instance, const char *protocol,
		    const char *metadata)
{
	kafka_join_group_request_init(&j->m);
	j->m.group_id = kafka_str_from(GROUP);
	j->m.session_timeout_ms = SESSION_MS;
	j->m.rebalance_timeout_ms = REBALANCE_MS;
	j->m.member_id = kafka_str_from(j->id);
	j->m.group_instance_id = kafka_str_from(instance);
	j->m.protocol_type = kafka_str_from("consumer");
	j->protocol.name = kafka_str_from(protocol);
	j->protocol.metadata =
		(struct kafka_bytes){(const uint8_t *)metadata, (int32_t)strlen(metadata)};
	j->m.protocols.v = &j->protocol;
	j->m.protocols.n = 1;
	j->answers = 0;
	j->call = (struct join_call){
		.m = &j->m,
		.version = version,
		.client_id = kafka_str_from("client"),
		.client_host = kafka_str_from("/127.0.0.1"),
		.answer = joined,
	};
	coordinator_join(&w.c, &j->call);
}

static void join(struct joiner *j)
{
	join_as(j, 3, NULL, "range", "x");
}

/** struct syncer - a SyncGroup, and its answer */
struct syncer {
	struct sync_call call;
	struct kafka_sync_group_request m;
	struct kafka_sync_group_request_assignment assignments[4];
	int answers;
	int16_t code;
	char assignment[128];
};

static void synced(struct sync_call *call, const struct kafka_sync_group_response *a)
{
	struct syncer *s = list_entry(call, struct syncer, call);

	s->answers++;
	s->code = a->error_code;
	copy(s->assignment, (struct kafka_str){(const char *)a->assignment.p, a->assignment.len});
}

static void sync_begin(struct syncer *s, const struct joiner *j)
{
	*s = (struct syncer){.call = {.m = &s->m, .answer = synced}};
	kafka_sync_group_request_init(&s->m);
	s->m.group_id = kafka_str_from(GROUP);
	s->m.generation_id = j->generation;
	s->m.member_id = kafka_str_from(j->id);
	s->m.assignments.v = s->assignments;
}

static void assign(struct syncer *s, const struct joiner *to, const char *what)
{
	s->assignments[s->m.assignments.n++] = (struct kafka_sync_group_request_assignment){
		.member_id = kafka_str_from(to->id),
		.assignment = {(const uint8_t *)what, (int32_t)strlen(what)},
	};
}

static void sync_group(struct syncer *s)
{
	coordinator_sync(&w.c, &s->call);
}

static int16_t heartbeat(const struct joiner *j, int32_t generation)
{
	struct kafka_heartbeat_request m;

	kafka_heartbeat_request_init(&m);
	m.group_id = kafka_str_from(GROUP);
	m.generation_id = generation;
	m.member_id = kafka_str_from(j->id);
	m.group_instance_id = j->m.group_instance_id;
	return coordinator_heartbeat(&w.c, &m);
}

static int16_t leave(const struct joiner *j)
{
	struct kafka_leave_group_request_member m;
	int16_t code;

	kafka_leave_group_request_member_init(&m);
	m.member_id = kafka_str_from(j->id);
	assert_int_equal(coordinator_leave(&w.c, kafka_str_from(GROUP), &m, 1, &code), 0);
	return code;
}

/** struct committer - an OffsetCommit of one partition, and its answer */
struct committer {
	struct one_commit of;
	int answers;
};

static void committed(struct commit_call *call)
{
	list_entry(call, struct committer, of.call)->answers++;
}

static void commit_prepare(struct committer *k, const char *id, int32_t generation, int64_t offset)
{
	one_commit_init(&k->of, GROUP, id, generation, offset, committed);
	k->of.partition.committed_leader_epoch = 3;
	k->of.partition.committed_metadata = kafka_str_from("meta");
	k->answers = 0;
}

static void commit_as(struct committer *k, const char *id, int32_t generation, int64_t offset)
{
	commit_prepare(k, id, generation, offset);
	coordinator_commit(&w.c, &k->of.call);
}

/* As part of the open transaction of a producer. */
static int16_t commit_in_txn(const char *id, int32_t generation, int64_t producer_id,
			     int64_t offset)
{
	struct committer k = {0};

	commit_prepare(&k, id, generation, offset);
	k.of.call.write.transactional = true;
	k.of.call.write.producer_id = producer_id;
	coordinator_commit(&w.c, &k.of.call);
	world_flush_all(&w.world);
	assert_int_equal(k.answers, 1);
	return k.of.a_partition.error_code;
}

static int16_t commit_now(const char *id, int32_t generation, int64_t offset)
{
	struct committer k;

	commit_as(&k, id, generation, offset);
	world_flush_all(&w.world);
	assert_int_equal(k.answers, 1);
	return k.of.a_partition.error_code;
}

static struct group *group(void)
{
	int16_t code;
	struct group *g = coordinator_find(&w.c, kafka_str_from(GROUP), &code);

	assert_int_equal(code, 0);
	return g;
}

static int64_t offset(void)
{
	struct group *g = group();
	const struct offset_entry *e = g ? offset_find(&g->offsets, kafka_str_from("t"), 0) : NULL;

	return e ? e->value.offset : -1;
}

static int set_up(void **state)
{
	(void)state;
	group_world_init(&w);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	group_world_free(&w);
	return 0;
}

/* Two members in a stable group; the first leads. */
static void make_stable(struct joiner *a, struct joiner *b)
{
	struct syncer sa, sb;

	*a = (struct joiner){0};
	*b = (struct joiner){0};
	join(a);
	join(b);
	world_pass(&w.world, 10000);
	assert_int_equal(a->answers + b->answers, 2);
	sync_begin(&sa, a);
	assign(&sa, a, "for-a");
	assign(&sa, b, "for-b");
	sync_begin(&sb, b);
	sync_group(&sb);
	sync_group(&sa);
	world_flush_all(&w.world);
	assert_int_equal(group()->state, GROUP_STABLE);
}

static void join__puts_the_first_rebalance_off_while_members_come(void **state)
{
	struct joiner a = {0}, b = {0};

	(void)state;
	join(&a);
	world_pass(&w.world, 2000);
	join(&b);
	world_pass(&w.world, 1000);
	/* b came within the first 3 s, so that there are 3 more. */
	assert_int_equal(a.answers + b.answers, 0);
	world_pass(&w.world, 2999);
	assert_int_equal(a.answers + b.answers, 0);
	world_pass(&w.world, 1);
	assert_int_equal(a.answers, 1);
	assert_int_equal(b.answers, 1);
	assert_int_equal(a.code, 0);
	assert_int_equal(a.generation, 1);
	assert_string_equal(a.leader, a.id);
	assert_string_equal(b.leader, a.id);
	/* The leader alone is told who is in. */
	assert_int_equal(a.n_members, 2);
	assert_int_equal(b.n_members, 0);
	assert_int_equal(group()->state, GROUP_COMPLETING_REBALANCE);
}

static void join__wants_known_ids_from_version_4(void **state)
{
	struct joiner a = {0};

	(void)state;
	join_as(&a, 4, NULL, "range", "x");
	assert_int_equal(a.code, KAFKA_ERROR_MEMBER_ID_REQUIRED);
	assert_int_equal(strncmp(a.id, "client-", 7), 0);
	assert_int_equal(group()->n_members, 0);
	join_as(&a, 4, NULL, "range", "x");
	world_pass(&w.world, 3000);
	assert_int_equal(a.code, 0);
	assert_int_equal(a.generation, 1);
}

static void join__forgets_who_does_not_come_back_with_its_id(void **state)
{
	struct joiner a = {0};

	(void)state;
	join_as(&a, 4, NULL, "range", "x");
	world_pass(&w.world, SESSION_MS);
	assert_null(group());
	join_as(&a, 4, NULL, "range", "x");
	assert_int_equal(a.code, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
}

static void join__refuses_what_cannot_be(void **state)
{
	struct joiner a = {0}, b = {0}, c = {0};

	(void)state;
	strcpy(a.id, "nobody");
	join(&a);
	assert_int_equal(a.code, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	a = (struct joiner){0};
	join(&a);
	join_as(&b, 3, NULL, "roundrobin", "x");
	assert_int_equal(b.code, KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL);
	/* That there is none yet can be said from version 7 on. */
	assert_false(b.no_protocol);
	b = (struct joiner){0};
	join_as(&b, 7, NULL, "roundrobin", "x");
	assert_int_equal(b.code, KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL);
	assert_true(b.no_protocol);
	w.c.settings.session_min_ms = SESSION_MS + 1;
	join(&c);
	assert_int_equal(c.code, KAFKA_ERROR_INVALID_SESSION_TIMEOUT);
	w.c.settings.session_min_ms = 0;
	w.c.settings.size_max = 1;
	join(&c);
	assert_int_equal(c.code, KAFKA_ERROR_GROUP_MAX_SIZE_REACHED);
}

static void sync__gives_each_its_assignment_when_the_log_has_it(void **state)
{
	struct joiner a = {0}, b = {0};
	struct syncer sa, sb;

	(void)state;
	join(&a);
	join(&b);
	world_pass(&w.world, 6000);
	sync_begin(&sb, &b);
	sync_group(&sb);
	sync_begin(&sa, &a);
	assign(&sa, &a, "for-a");
	assign(&sa, &b, "for-b");
	sync_group(&sa);
	assert_int_equal(sa.answers + sb.answers, 0);
	assert_int_equal(heartbeat(&a, 1), 0);
	assert_int_equal(commit_now(a.id, 1, 5), KAFKA_ERROR_REBALANCE_IN_PROGRESS);
	assert_int_equal(sa.answers, 1);
	assert_string_equal(sa.assignment, "for-a");
	assert_string_equal(sb.assignment, "for-b");
	assert_int_equal(group()->state, GROUP_STABLE);
}

static void sync__starts_over_if_the_log_fails(void **state)
{
	struct joiner a = {0};
	struct syncer s;

	(void)state;
	join(&a);
	world_pass(&w.world, 3000);
	sync_begin(&s, &a);
	assign(&s, &a, "for-a");
	sync_group(&s);
	world_flush(&w.world, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	assert_int_equal(s.code, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	assert_int_equal(group()->state, GROUP_PREPARING_REBALANCE);
	assert_int_equal(heartbeat(&a, 1), KAFKA_ERROR_REBALANCE_IN_PROGRESS);
}

static void sync__removes_who_does_not_ask(void **state)
{
	struct joiner a = {0}, b = {0};
	struct syncer s;

	(void)state;
	join(&a);
	join(&b);
	world_pass(&w.world, 6000);
	sync_begin(&s, &a);
	assign(&s, &a, "for-a");
	sync_group(&s);
	world_flush_all(&w.world);
	assert_int_equal(group()->state, GROUP_STABLE);
	/* Both are alive, but b never asks for what it has. */
	for (int i = 0; i < REBALANCE_MS / 5000; i++) {
		assert_int_equal(heartbeat(&a, 1), 0);
		assert_int_equal(heartbeat(&b, 1), 0);
		world_pass(&w.world, 5000);
	}
	assert_int_equal(heartbeat(&b, 1), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	assert_int_equal(heartbeat(&a, 1), KAFKA_ERROR_REBALANCE_IN_PROGRESS);
}

static void sync__refuses_strangers_and_old_generations(void **state)
{
	struct joiner a, b;
	struct syncer s;

	(void)state;
	make_stable(&a, &b);
	sync_begin(&s, &a);
	s.m.generation_id = 0;
	sync_group(&s);
	assert_int_equal(s.code, KAFKA_ERROR_ILLEGAL_GENERATION);
	sync_begin(&s, &a);
	s.m.member_id = kafka_str_from("nobody");
	sync_group(&s);
	assert_int_equal(s.code, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	sync_begin(&s, &a);
	s.m.protocol_name = kafka_str_from("other");
	sync_group(&s);
	assert_int_equal(s.code, KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL);
	/* Whose answer was lost asks again. */
	sync_begin(&s, &b);
	sync_group(&s);
	assert_int_equal(s.code, 0);
	assert_string_equal(s.assignment, "for-b");
}

static void session__ends_without_heartbeats(void **state)
{
	struct joiner a, b;

	(void)state;
	make_stable(&a, &b);
	world_pass(&w.world, SESSION_MS - 1);
	assert_int_equal(heartbeat(&a, 1), 0);
	world_pass(&w.world, 1);
	assert_int_equal(group()->n_members, 1);
	assert_int_equal(group()->state, GROUP_PREPARING_REBALANCE);
	assert_int_equal(heartbeat(&b, 1), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	/* The one that is left joins again, and is alone. */
	join(&a);
	assert_int_equal(a.answers, 1);
	assert_int_equal(a.generation, 2);
	assert_int_equal(a.n_members, 1);
}

static void rebalance__removes_who_does_not_join_in_time(void **state)
{
	struct joiner a, b, c = {0};

	(void)state;
	make_stable(&a, &b);
	join(&c);
	assert_int_equal(c.answers, 0);
	join(&a);
	for (int i = 0; i < REBALANCE_MS / 5000; i++) {
		assert_int_equal(c.answers, 0);
		assert_int_equal(heartbeat(&b, 1), KAFKA_ERROR_REBALANCE_IN_PROGRESS);
		world_pass(&w.world, 5000);
	}
	assert_int_equal(c.answers + a.answers, 2);
	assert_int_equal(a.n_members, 2);
	assert_int_equal(heartbeat(&b, 1), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
}

static void leave__starts_a_rebalance(void **state)
{
	struct joiner a, b;

	(void)state;
	make_stable(&a, &b);
	assert_int_equal(leave(&a), 0);
	assert_int_equal(leave(&a), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	assert_int_equal(group()->state, GROUP_PREPARING_REBALANCE);
	join(&b);
	assert_int_equal(b.generation, 2);
	assert_string_equal(b.leader, b.id);
	assert_int_equal(leave(&b), 0);
	world_flush_all(&w.world);
	assert_int_equal(group()->state, GROUP_EMPTY);
	assert_int_equal(group()->generation, 3);
}

static void static_member__comes_back_without_a_rebalance(void **state)
{
	struct joiner a = {0}, old;
	struct syncer s;

	(void)state;
	join_as(&a, 9, "one", "range", "x");
	world_pass(&w.world, 3000);
	assert_int_equal(a.code, 0);
	assert_int_equal(strncmp(a.id, "one-", 4), 0);
	sync_begin(&s, &a);
	assign(&s, &a, "for-a");
	sync_group(&s);
	world_flush_all(&w.world);
	old = a;
	a.id[0] = '\0';
	join_as(&a, 9, "one", "range", "x");
	assert_int_equal(a.answers, 0);
	world_flush_all(&w.world);
	assert_int_equal(a.answers, 1);
	assert_int_equal(a.generation, 1);
	assert_string_not_equal(a.id, old.id);
	/* It leads, and is told to leave the assignment as it is. */
	assert_string_equal(a.leader, a.id);
	assert_true(a.skip);
	assert_int_equal(a.n_members, 1);
	assert_int_equal(heartbeat(&old, 1), KAFKA_ERROR_FENCED_INSTANCE_ID);
	sync_begin(&s, &a);
	sync_group(&s);
	assert_string_equal(s.assignment, "for-a");
	/* One that cannot be told so believes that the old one leads. */
	old = a;
	a.id[0] = '\0';
	join_as(&a, 8, "one", "range", "x");
	world_flush_all(&w.world);
	assert_string_equal(a.leader, old.id);
	assert_int_equal(a.n_members, 0);
	assert_int_equal(group()->state, GROUP_STABLE);
}

static void commit__is_seen_when_the_log_has_it(void **state)
{
	struct committer first, second;

	(void)state;
	commit_as(&first, "", -1, 10);
	commit_as(&second, "", -1, 20);
	assert_int_equal(offset(), -1);
	world_flush(&w.world, 0);
	assert_int_equal(first.answers, 1);
	assert_int_equal(offset(), 10);
	world_flush(&w.world, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	assert_int_equal(second.of.a_partition.error_code, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	assert_int_equal(offset(), 10);
	w.world.append_code = KAFKA_ERROR_NOT_COORDINATOR;
	assert_int_equal(commit_now("", -1, 30), KAFKA_ERROR_NOT_COORDINATOR);
	assert_int_equal(offset(), 10);
}

static void commit__leaves_nothing_of_a_group_if_it_fails(void **state)
{
	(void)state;
	w.world.append_code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	assert_int_equal(commit_now("", -1, 1), KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	assert_null(group());
	assert_int_equal(commit_now("", 4, 1), KAFKA_ERROR_ILLEGAL_GENERATION);
	assert_null(group());
	w.world.append_code = 0;
	w.c.settings.metadata_max = 3;
	assert_int_equal(commit_now("", -1, 1), KAFKA_ERROR_OFFSET_METADATA_TOO_LARGE);
	assert_null(group());
}

static void commit__is_for_members_of_the_generation(void **state)
{
	struct joiner a, b, c = {0};

	(void)state;
	make_stable(&a, &b);
	assert_int_equal(commit_now(a.id, 1, 1), 0);
	assert_int_equal(commit_now("", -1, 2), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	assert_int_equal(commit_now("nobody", 1, 2), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	assert_int_equal(commit_now(a.id, 0, 2), KAFKA_ERROR_ILLEGAL_GENERATION);
	/* While members are waited for, the old generation may still commit. */
	join(&c);
	assert_int_equal(commit_now(a.id, 1, 3), 0);
	join(&a);
	join(&b);
	assert_int_equal(a.generation, 2);
	assert_int_equal(commit_now(a.id, 2, 4), KAFKA_ERROR_REBALANCE_IN_PROGRESS);
	assert_int_equal(offset(), 3);
}

static void crash__keeps_members_and_offsets(void **state)
{
	struct joiner a, b;
	struct syncer s;

	(void)state;
	make_stable(&a, &b);
	assert_int_equal(commit_now(a.id, 1, 77), 0);
	group_world_crash(&w, 0);
	assert_int_equal(offset(), 77);
	assert_int_equal(group()->state, GROUP_STABLE);
	assert_int_equal(heartbeat(&a, 1), 0);
	sync_begin(&s, &b);
	sync_group(&s);
	assert_string_equal(s.assignment, "for-b");
	assert_true(kafka_str_equal(group()->leader->id, kafka_str_from(a.id)));
	/* Members that were there must be heard of. */
	world_pass(&w.world, SESSION_MS);
	assert_int_equal(group()->n_members, 0);
}

static bool is_unstable(void)
{
	struct group *g = group();

	return g && offset_is_unstable(&g->offsets, kafka_str_from("t"), 0);
}

static void txn_commit__counts_with_its_marker(void **state)
{
	int32_t partition = key_partition(kafka_str_from(GROUP), WORLD_PARTITIONS);

	(void)state;
	assert_int_equal(commit_now("", -1, 5), 0);
	assert_int_equal(commit_in_txn("", -1, 70, 10), 0);
	assert_int_equal(offset(), 5);
	assert_true(is_unstable());
	group_world_end(&w, partition, 71, true);
	assert_true(is_unstable());
	group_world_end(&w, partition, 70, false);
	assert_int_equal(offset(), 5);
	assert_false(is_unstable());
	assert_int_equal(commit_in_txn("", -1, 70, 11), 0);
	assert_int_equal(commit_in_txn("", -1, 70, 12), 0);
	group_world_end(&w, partition, 70, true);
	assert_int_equal(offset(), 12);
	assert_false(is_unstable());
}

/* Kafka compares when they were written, not when the transaction ended. */
static void txn_commit__does_not_undo_a_later_one(void **state)
{
	int32_t partition = key_partition(kafka_str_from(GROUP), WORLD_PARTITIONS);

	(void)state;
	assert_int_equal(commit_in_txn("", -1, 70, 10), 0);
	assert_int_equal(commit_now("", -1, 20), 0);
	group_world_end(&w, partition, 70, true);
	assert_int_equal(offset(), 20);
}

static void txn_commit__survives_a_crash(void **state)
{
	int32_t partition = key_partition(kafka_str_from(GROUP), WORLD_PARTITIONS);

	(void)state;
	assert_int_equal(commit_in_txn("", -1, 70, 10), 0);
	group_world_crash(&w, 0);
	assert_int_equal(offset(), -1);
	assert_true(is_unstable());
	group_world_end(&w, partition, 70, true);
	assert_int_equal(offset(), 10);
	group_world_crash(&w, 0);
	assert_int_equal(offset(), 10);
	assert_false(is_unstable());
}

static void txn_commit__is_unstable_while_it_is_written(void **state)
{
	struct committer k = {0};

	(void)state;
	commit_prepare(&k, "", -1, 10);
	k.of.call.write.transactional = true;
	k.of.call.write.producer_id = 70;
	coordinator_commit(&w.c, &k.of.call);
	assert_true(is_unstable());
	world_flush(&w.world, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	assert_int_equal(k.of.a_partition.error_code, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	assert_null(group());
}

static void txn_commit__is_for_members_of_the_generation(void **state)
{
	struct joiner a, b;

	(void)state;
	make_stable(&a, &b);
	assert_int_equal(commit_in_txn(a.id, 1, 70, 10), 0);
	assert_int_equal(commit_in_txn(a.id, 0, 70, 10), KAFKA_ERROR_ILLEGAL_GENERATION);
	assert_int_equal(commit_in_txn("nobody", 1, 70, 10), KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	/* Producers of before KIP-447 do not say. */
	assert_int_equal(commit_in_txn("", -1, 70, 10), 0);
}

static void partition__is_served_when_it_is_loaded(void **state)
{
	int32_t partition = key_partition(kafka_str_from(GROUP), WORLD_PARTITIONS);
	struct joiner a = {0};

	(void)state;
	w.c.partitions.state[partition] = PARTITION_LOADING;
	join(&a);
	assert_int_equal(a.code, KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS);
	assert_int_equal(commit_now("", -1, 1), KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS);
	coordinator_loaded(&w.c, partition);
	join(&a);
	assert_int_equal(a.answers, 0);
	coordinator_close(&w.c, partition);
	assert_int_equal(a.code, KAFKA_ERROR_NOT_COORDINATOR);
}

struct deleter {
	struct group_delete_call call;
	int answers;
};

static void deleted(struct group_delete_call *call)
{
	list_entry(call, struct deleter, call)->answers++;
}

static void delete__needs_an_empty_group(void **state)
{
	struct deleter d = {.call = {.group = kafka_str_from(GROUP), .answer = deleted}};
	struct joiner a, b;

	(void)state;
	coordinator_delete_group(&w.c, &d.call);
	assert_int_equal(d.call.error_code, KAFKA_ERROR_GROUP_ID_NOT_FOUND);
	make_stable(&a, &b);
	assert_int_equal(commit_now(a.id, 1, 5), 0);
	coordinator_delete_group(&w.c, &d.call);
	assert_int_equal(d.call.error_code, KAFKA_ERROR_NON_EMPTY_GROUP);
	leave(&a);
	leave(&b);
	world_flush_all(&w.world);
	coordinator_delete_group(&w.c, &d.call);
	assert_int_equal(d.answers, 2);
	assert_int_equal(commit_now("", -1, 9), KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	assert_int_equal(d.answers, 3);
	assert_int_equal(d.call.error_code, 0);
	assert_null(group());
	group_world_crash(&w, 0);
	assert_null(group());
}

static void expire__removes_offsets_that_nobody_uses(void **state)
{
	int64_t week = w.settings.offsets_retention_ms;
	struct joiner a, b;

	(void)state;
	make_stable(&a, &b);
	assert_int_equal(commit_now(a.id, 1, 5), 0);
	leave(&a);
	world_pass(&w.world, 1000);
	leave(&b);
	world_flush_all(&w.world);
	/* It counts from when the last member left. */
	world_pass(&w.world, week - 1);
	coordinator_expire(&w.c);
	world_flush_all(&w.world);
	assert_int_equal(offset(), 5);
	world_pass(&w.world, 1);
	coordinator_expire(&w.c);
	world_flush_all(&w.world);
	assert_null(group());
	/* Without members ever, from the commit. */
	assert_int_equal(commit_now("", -1, 6), 0);
	world_pass(&w.world, week - 1);
	coordinator_expire(&w.c);
	world_flush_all(&w.world);
	assert_int_equal(offset(), 6);
	world_pass(&w.world, 1);
	coordinator_expire(&w.c);
	world_flush_all(&w.world);
	assert_null(group());
	group_world_crash(&w, 0);
	assert_null(group());
}

static void topic_gone__removes_its_offsets(void **state)
{
	(void)state;
	assert_int_equal(commit_now("", -1, 6), 0);
	coordinator_topic_gone(&w.c, kafka_str_from("other"));
	world_flush_all(&w.world);
	assert_int_equal(offset(), 6);
	coordinator_topic_gone(&w.c, kafka_str_from("t"));
	world_flush_all(&w.world);
	assert_int_equal(offset(), -1);
	group_world_crash(&w, 0);
	assert_int_equal(offset(), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(join__puts_the_first_rebalance_off_while_members_come),
		TEST(join__wants_known_ids_from_version_4),
		TEST(join__forgets_who_does_not_come_back_with_its_id),
		TEST(join__refuses_what_cannot_be),
		TEST(sync__gives_each_its_assignment_when_the_log_has_it),
		TEST(sync__starts_over_if_the_log_fails),
		TEST(sync__removes_who_does_not_ask),
		TEST(sync__refuses_strangers_and_old_generations),
		TEST(session__ends_without_heartbeats),
		TEST(rebalance__removes_who_does_not_join_in_time),
		TEST(leave__starts_a_rebalance),
		TEST(static_member__comes_back_without_a_rebalance),
		TEST(commit__is_seen_when_the_log_has_it),
		TEST(commit__leaves_nothing_of_a_group_if_it_fails),
		TEST(commit__is_for_members_of_the_generation),
		TEST(crash__keeps_members_and_offsets),
		TEST(txn_commit__counts_with_its_marker),
		TEST(txn_commit__does_not_undo_a_later_one),
		TEST(txn_commit__survives_a_crash),
		TEST(txn_commit__is_unstable_while_it_is_written),
		TEST(txn_commit__is_for_members_of_the_generation),
		TEST(partition__is_served_when_it_is_loaded),
		TEST(delete__needs_an_empty_group),
		TEST(expire__removes_offsets_that_nobody_uses),
		TEST(topic_gone__removes_its_offsets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
