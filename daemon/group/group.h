/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group: its members, its state and its offsets. What happens in which state
 * is in rebalance.c and the files of the requests; here is what they act on.
 */
#ifndef SLUICE_GROUP_GROUP_H
#define SLUICE_GROUP_GROUP_H

#include "daemon/core/timer.h"
#include "daemon/group/offset_table.h"

struct coordinator;
struct join_call;
struct sync_call;

/**
 * enum group_state - Kafka's states of classic groups
 * @GROUP_EMPTY: no members; there may be offsets
 * @GROUP_PREPARING_REBALANCE: waits for members to join
 * @GROUP_COMPLETING_REBALANCE: waits for the leader's assignment
 * @GROUP_STABLE: all members have theirs
 * @GROUP_DEAD: is being deleted: its tombstone is on the way to the log
 */
enum group_state {
	GROUP_EMPTY,
	GROUP_PREPARING_REBALANCE,
	GROUP_COMPLETING_REBALANCE,
	GROUP_STABLE,
	GROUP_DEAD,
};

/** struct member_protocol - a way of assigning that a member knows; both owned */
struct member_protocol {
	struct kafka_str name;
	struct kafka_bytes metadata;
};

/**
 * struct member - one member; everything in it is owned
 * @instance_id: null for a dynamic member
 * @old_id: of a static member that came back: its id before; else null
 * @protocols: the one it likes best first
 * @assignment: of the current generation
 * @joining, @syncing: its request that waits, or NULL
 * @session: until when it must be heard of
 * @is_new: it has not been in a generation yet: it can go while it waits
 * @must_sync: it has not asked for its assignment yet
 */
struct member {
	struct list link;
	struct group *group;
	struct kafka_str id;
	struct kafka_str instance_id;
	struct kafka_str old_id;
	struct kafka_str client_id;
	struct kafka_str client_host;
	int32_t session_ms;
	int32_t rebalance_ms;
	struct member_protocol *protocols;
	int32_t n_protocols;
	struct kafka_bytes assignment;
	struct join_call *joining;
	struct sync_call *syncing;
	struct timer session;
	bool is_new;
	bool must_sync;
};

/**
 * struct group - one group; @id, @protocol_type, @protocol are owned
 * @partition: of __consumer_offsets
 * @previous: state before this one
 * @protocol_type: null while nobody ever was a member
 * @protocol: that the members agreed on; null if there are none
 * @state_ms: since when it is in its state, on the wall clock; -1 unknown
 * @leader: who assigns; NULL if there are no members
 * @members: in the order in which they joined, @n_members of them, of which
 *	@n_joining wait for the end of the rebalance
 * @pending: struct pending_member: were told their id and have to come back
 * @rebalance: end of the current phase of a rebalance
 * @delay_left_ms: how much longer the first rebalance may be put off
 * @member_came: somebody joined since it was put off the last time
 * @writes: on the way to the log; the group stays as long
 * @closed: its partition cannot be used any more: it goes with the last write
 */
struct group {
	struct hnode node;
	struct list link;
	struct coordinator *coordinator;
	struct kafka_str id;
	int32_t partition;
	enum group_state state;
	enum group_state previous;
	int32_t generation;
	struct kafka_str protocol_type;
	struct kafka_str protocol;
	int64_t state_ms;
	struct member *leader;
	struct list members;
	int32_t n_members;
	int32_t n_joining;
	struct list pending;
	struct timer rebalance;
	int64_t delay_left_ms;
	bool member_came;
	struct offset_table offsets;
	uint32_t writes;
	bool closed;
};

/** group_new - an empty one, without its link and timers; NULL: no memory */
struct group *group_new(struct coordinator *c, struct kafka_str id, int32_t partition);

/** group_free - no member waits, nothing is on the way to the log */
void group_free(struct group *g);

/** group_state_name - as Kafka's tools show it */
const char *group_state_name(enum group_state state);

/** group_set_state - go to a state at a time of the wall clock */
void group_set_state(struct group *g, enum group_state state, int64_t wall_ms);

/** group_is_consumer - whether its members use the protocol of Kafka's consumers */
bool group_is_consumer(const struct group *g);

/** group_reads_topic - whether its members read a topic; true if that cannot be known */
bool group_reads_topic(const struct group *g, struct kafka_str topic);

/** group_find_instance - the static member of that name; NULL if there is none */
struct member *group_find_instance(const struct group *g, struct kafka_str instance_id);

/** group_find_member - by id; NULL if there is none */
struct member *group_find_member(const struct group *g, struct kafka_str id);

/** group_add_member - the first one leads; 0 or -ENOMEM. Takes the arrays of @from, whose strings are copied */
int group_add_member(struct group *g, const struct group_value_member *from,
		     struct member_protocol *protocols, int32_t n_protocols, struct member **ret);

/** group_remove_member - it does not wait any more; another one leads if it did */
void group_remove_member(struct group *g, struct member *m);

/** member_knows - whether a protocol is among those it offers */
bool member_knows(const struct member *m, struct kafka_str protocol);

/** member_metadata - what it sent for a protocol; empty if it does not know it */
struct kafka_bytes member_metadata(const struct member *m, struct kafka_str protocol);

void member_protocols_free(struct member_protocol *protocols, int32_t n);

#endif /* SLUICE_GROUP_GROUP_H */
