/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rebalances: the phases that a group goes through when its members change.
 *
 * Preparing: the members are waited for, each with its JoinGroup; who does not
 * come in time is out. Completing: they have been told the new generation, and
 * wait with their SyncGroup for the assignment that the leader brings with its
 * own. The group is stable once the log has that.
 */
#ifndef SLUICE_GROUP_REBALANCE_H
#define SLUICE_GROUP_REBALANCE_H

#include "daemon/group/coordinator.h"

/** rebalance_loaded - the group was loaded: from now on its members must be heard of */
void rebalance_loaded(struct group *g);

/** rebalance_close - the group is not served any more: answer all that wait */
void rebalance_close(struct group *g);

/** rebalance_heard_of - a member is alive */
void rebalance_heard_of(struct member *m);

/** rebalance_check_member - is it the member it says it is; 0 with @ret_m, or the error code */
int16_t rebalance_check_member(const struct group *g, struct kafka_str id,
			       struct kafka_str instance_id, struct member **ret_m);

/** rebalance_begin - the group has changed; does nothing while members are waited for already */
void rebalance_begin(struct group *g);

/** rebalance_came - a member joins, or joined again: begin, or go on */
void rebalance_came(struct group *g);

/** rebalance_wait - let a member wait for the end of the rebalance; what waited before is answered */
void rebalance_wait(struct member *m, struct join_call *call);

/** rebalance_stop_waiting - answer what a member waits for with an error */
void rebalance_stop_waiting(struct member *m, int16_t code);

/** rebalance_remove - a member is out; its requests are answered. Begins or goes on unless @quiet */
void rebalance_remove(struct group *g, struct member *m, bool quiet);

/** rebalance_changed - members were removed quietly */
void rebalance_changed(struct group *g);

/** rebalance_promise - a member was told its id and has to come back with it; 0 or -ENOMEM */
int rebalance_promise(struct group *g, struct kafka_str id, int32_t session_ms);

/** rebalance_take_promise - it came back, or went; whether there was one */
bool rebalance_take_promise(struct group *g, struct kafka_str id);

/** rebalance_protocol - which one its members will agree on; null if there is none */
struct kafka_str rebalance_protocol(const struct group *g);

/** rebalance_assigned - the log has the assignment, or not: tell the members */
void rebalance_assigned(struct group *g, int16_t code);

/** rebalance_answer_join - a member's JoinGroup with the generation as it is */
void rebalance_answer_join(struct member *m, struct join_call *call);

/** rebalance_refuse_join - with an error */
void rebalance_refuse_join(struct join_call *call, int16_t code, struct kafka_str member_id);

/** rebalance_answer_sync - a member's SyncGroup with what it is assigned, or with an error */
void rebalance_answer_sync(struct group *g, struct sync_call *call, int16_t code,
			   struct kafka_bytes assignment);

/**
 * group_save - write the group as it is now
 * @saved: called when the log has it, or not, if the group is still served
 * @member_id: for @saved; copied
 * Returns the error code; then @saved is not called.
 */
int16_t group_save(struct group *g, struct kafka_str member_id,
		   void (*saved)(struct group *g, int32_t generation, struct kafka_str member_id,
				 int16_t code));

#endif /* SLUICE_GROUP_REBALANCE_H */
