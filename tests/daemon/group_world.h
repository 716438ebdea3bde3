/* SPDX-License-Identifier: Apache-2.0 */
/* A group coordinator in a world of its own. */
#ifndef TESTS_DAEMON_GROUP_WORLD_H
#define TESTS_DAEMON_GROUP_WORLD_H

#include "daemon/group/coordinator.h"
#include "tests/daemon/world.h"

#define WORLD_PARTITIONS 5

struct group_world {
	struct world world;
	struct coordinator_env env;
	struct coordinator c;
	struct group_settings settings;
	unsigned int ids;
};

/** group_world_init - Kafka's settings, and all partitions loaded; group_world_free() */
void group_world_init(struct group_world *w);
void group_world_free(struct group_world *w);

/** group_world_end - the marker of a transaction is in a partition; writes before it are done */
void group_world_end(struct group_world *w, int32_t partition, int64_t producer_id, bool commit);

/**
 * group_world_crash - the coordinator dies, and starts anew
 * Of what is not durable the first @keep records survive.
 */
void group_world_crash(struct group_world *w, size_t keep);

/** struct one_commit - an OffsetCommit of partition 0 of topic "t", and its answer */
struct one_commit {
	struct commit_call call;
	struct kafka_offset_commit_request m;
	struct kafka_offset_commit_request_topic topic;
	struct kafka_offset_commit_request_partition partition;
	struct kafka_offset_commit_response a;
	struct kafka_offset_commit_response_topic a_topic;
	struct kafka_offset_commit_response_partition a_partition;
	struct offset_entry *entry;
	struct kafka_uuid id;
};

/** one_commit_init - for coordinator_commit(); @member must stay */
void one_commit_init(struct one_commit *c, const char *group, const char *member,
		     int32_t generation, int64_t offset, void (*answer)(struct commit_call *call));

#endif /* TESTS_DAEMON_GROUP_WORLD_H */
