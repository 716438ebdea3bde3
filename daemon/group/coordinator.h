/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group coordinator: a state machine without clock, disk or socket. It is
 * told what happened (a request, the time, a record that was loaded, a write
 * that ended) and says what to do (an answer, a batch to be written), so that a
 * simulator can run it as the daemon does.
 *
 * One thread. Requests come as calls: memory of the caller that stays until
 * its answer function was called, which may be at once, and which may not call
 * back into the coordinator.
 */
#ifndef SLUICE_GROUP_COORDINATOR_H
#define SLUICE_GROUP_COORDINATOR_H

#include <kafka/message.h>

#include "daemon/config/config.h"
#include "daemon/coordinator/key_partition.h"
#include "daemon/coordinator/topic_partitions.h"
#include "daemon/coordinator/topic_write.h"
#include "daemon/core/timer.h"
#include "daemon/group/group.h"
#include "daemon/group/group_record.h"
#include "daemon/kafka/error_code.h"

/**
 * struct coordinator_env - what is outside
 * @append: write records as one batch to a partition of __consumer_offsets, which
 *	are copied. Returns 0, and w->done is called later, not from inside; or
 *	the error code of why nothing was written
 * @unique: text that is nowhere else in the world, for member ids
 * @now_ms: the time of the timers
 * @wall_ms: milliseconds since 1970
 */
struct coordinator_env {
	int16_t (*append)(struct coordinator_env *env, int32_t partition,
			  const struct topic_record *records, size_t n, struct topic_write *w);
	void (*unique)(struct coordinator_env *env, char ret[37]);
	int64_t (*now_ms)(struct coordinator_env *env);
	int64_t (*wall_ms)(struct coordinator_env *env);
};

/** struct coordinator - @list: struct group, in the order in which they came */
struct coordinator {
	struct coordinator_env *env;
	struct group_settings settings;
	struct timer_heap *timers;
	struct htable groups;
	struct list list;
	struct topic_partitions partitions;
	uint64_t next_number;
};

void coordinator_init(struct coordinator *c, struct coordinator_env *env,
		      const struct group_settings *settings, struct timer_heap *timers);

/** coordinator_free - coordinator_stop() was called, and every write is done */
void coordinator_free(struct coordinator *c);

/** coordinator_open - __consumer_offsets has @n partitions, to be loaded; 0 or -ENOMEM */
int coordinator_open(struct coordinator *c, int32_t n);

/**
 * coordinator_load - a record of a partition that is being loaded
 * Returns 0; -EBADMSG if it cannot be read, and was left out; -ENOMEM.
 */
int coordinator_load(struct coordinator *c, int32_t partition, const struct topic_load *record);

/**
 * coordinator_ended - the marker of a producer's transaction is in a partition
 * Behind all that was loaded; or, once it is served, behind all that was written.
 */
void coordinator_ended(struct coordinator *c, int32_t partition, int64_t producer_id, bool commit);

/** coordinator_reopen - a partition that was closed is loaded again */
void coordinator_reopen(struct coordinator *c, int32_t partition);

/** coordinator_loaded - that was the last one: the groups of the partition are served */
void coordinator_loaded(struct coordinator *c, int32_t partition);

/** coordinator_close - a partition cannot be used any more: forget its groups */
void coordinator_close(struct coordinator *c, int32_t partition);

/** coordinator_stop - close all; what waits is answered */
void coordinator_stop(struct coordinator *c);

/** coordinator_expire - remove offsets that are due, and groups that have nothing left */
void coordinator_expire(struct coordinator *c);

/** coordinator_topic_gone - a topic was deleted: remove its offsets */
void coordinator_topic_gone(struct coordinator *c, struct kafka_str topic);

/**
 * struct join_call - JoinGroup
 * @client_id: not null
 * @client_host: as it is shown by DescribeGroups
 * @answer: what @a points to is good until it returns
 */
struct join_call {
	const struct kafka_join_group_request *m;
	int16_t version;
	struct kafka_str client_id;
	struct kafka_str client_host;
	void (*answer)(struct join_call *call, const struct kafka_join_group_response *a);
};

void coordinator_join(struct coordinator *c, struct join_call *call);

/** struct sync_call - SyncGroup, likewise */
struct sync_call {
	const struct kafka_sync_group_request *m;
	void (*answer)(struct sync_call *call, const struct kafka_sync_group_response *a);
};

void coordinator_sync(struct coordinator *c, struct sync_call *call);

/** coordinator_heartbeat - the error code */
int16_t coordinator_heartbeat(struct coordinator *c, const struct kafka_heartbeat_request *m);

/**
 * coordinator_leave - members go
 * @members: @n of them, with an error code for each in @ret_codes
 * Returns the error code of the whole.
 */
int16_t coordinator_leave(struct coordinator *c, struct kafka_str group,
			  const struct kafka_leave_group_request_member *members, int32_t n,
			  int16_t *ret_codes);

/**
 * struct commit_call - OffsetCommit, or TxnOffsetCommit in the form of one
 * @m: names of topics are set, in versions with ids, too
 * @a: laid out as @m; error codes that are set already say what to leave out
 * @topic_ids: for each topic, or zero
 * @entries: memory for as many entries as there are partitions
 * @write: transactional and the producer are set, if it is part of a transaction
 * @commit_ms: private
 */
struct commit_call {
	const struct kafka_offset_commit_request *m;
	struct kafka_offset_commit_response *a;
	const struct kafka_uuid *topic_ids;
	void (*answer)(struct commit_call *call);
	struct topic_write write;
	struct offset_entry **entries;
	int64_t commit_ms;
};

void coordinator_commit(struct coordinator *c, struct commit_call *call);

/**
 * coordinator_find - a group, to look at it until the next call
 * @ret_error: 0, or why nothing can be known about it now
 * NULL: there is none, or an error.
 */
struct group *coordinator_find(const struct coordinator *c, struct kafka_str id,
			       int16_t *ret_error);

/** coordinator_error - why something can be known of some groups only; 0: of all */
int16_t coordinator_error(const struct coordinator *c);

/**
 * struct offset_delete_call - OffsetDelete
 * @a: laid out as @m; error codes that are set already say what to leave out
 */
struct offset_delete_call {
	const struct kafka_offset_delete_request *m;
	struct kafka_offset_delete_response *a;
	void (*answer)(struct offset_delete_call *call);
};

void coordinator_delete_offsets(struct coordinator *c, struct offset_delete_call *call);

/** struct group_delete_call - one group of DeleteGroups; @error_code is set when it is answered */
struct group_delete_call {
	struct kafka_str group;
	int16_t error_code;
	void (*answer)(struct group_delete_call *call);
};

void coordinator_delete_group(struct coordinator *c, struct group_delete_call *call);

/* Inside. */

static inline int64_t wall_ms(const struct coordinator *c)
{
	return c->env->wall_ms(c->env);
}

/** coordinator_make - a new group; NULL: no memory */
struct group *coordinator_make(struct coordinator *c, struct kafka_str id);

/** coordinator_put - drop a group that nothing is known of */
void coordinator_put(struct coordinator *c, struct group *g);

/** coordinator_write - append for a group, which stays until coordinator_written() */
int16_t coordinator_write(struct coordinator *c, struct group *g,
			  const struct topic_record *records, size_t n, struct topic_write *w);

/** coordinator_written - false if the group is not served any more, and may be gone */
bool coordinator_written(struct topic_write *w);

#endif /* SLUICE_GROUP_COORDINATOR_H */
