/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transaction coordinator in a world of its own, with made-up partitions for
 * its markers.
 */
#ifndef TESTS_DAEMON_TXN_WORLD_H
#define TESTS_DAEMON_TXN_WORLD_H

#include "daemon/txn/txn_coordinator.h"
#include "tests/daemon/world.h"

#define TXN_WORLD_PARTITIONS 3
#define TXN_WORLD_DATA	     4 /* partitions of topic "t" */

/** struct txn_world_mark - a marker that is in its partition, but not done */
struct txn_world_mark {
	struct list link;
	struct txn_marker *m;
};

/** struct txn_world_entry - a value, or a marker, in a partition */
struct txn_world_entry {
	bool marker;
	bool commit;
	int64_t producer_id;
	int16_t epoch;
	int64_t value;
};

/** struct txn_world_data - a partition, as the log's rules for producers keep it */
struct txn_world_data {
	struct txn_world_entry *entries;
	size_t n;
};

/**
 * struct txn_world
 * @mark_error: what the next markers fail with, -errno; 0: they work
 */
struct txn_world {
	struct world world;
	struct txn_env env;
	struct txn_coordinator c;
	struct txn_settings settings;
	struct list marks;
	struct txn_world_data data[TXN_WORLD_DATA];
	int mark_error;
	int64_t next_id;
};

/** txn_world_init - Kafka's settings, and all partitions loaded; txn_world_free() */
void txn_world_init(struct txn_world *w);
void txn_world_free(struct txn_world *w);

/** txn_world_mark_done - the oldest marker is done; false: there is none */
bool txn_world_mark_done(struct txn_world *w, int err);

/** txn_world_settle - all that is under way is done, and what it brings about */
void txn_world_settle(struct txn_world *w);

/** txn_world_produce - what a log says to a batch: 0, or -ESTALE for an old epoch */
int txn_world_produce(struct txn_world *w, int32_t partition, int64_t producer_id, int16_t epoch,
		      int64_t value);

/** enum fate - of a value in a partition */
enum fate {
	FATE_NONE,
	FATE_OPEN,
	FATE_COMMITTED,
	FATE_ABORTED,
};

enum fate txn_world_fate(const struct txn_world *w, int32_t partition, int64_t value);

/** txn_world_crash - the coordinator dies; of what is not durable the first @keep records survive; it starts anew */
void txn_world_crash(struct txn_world *w, size_t keep);

#endif /* TESTS_DAEMON_TXN_WORLD_H */
