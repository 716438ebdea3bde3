/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group coordinator with a made-up clock and a made-up log: what it writes is
 * kept in memory, and is durable when the test says so.
 */
#ifndef TESTS_DAEMON_GROUP_WORLD_H
#define TESTS_DAEMON_GROUP_WORLD_H

#include "daemon/group/coordinator.h"

#define WORLD_PARTITIONS 5

/**
 * struct world_record - a record, or, without a key, the end of a transaction
 * @producer_id: of the transaction, or -1
 */
struct world_record {
	int32_t partition;
	struct kafka_bytes key;
	struct kafka_bytes value;
	int64_t producer_id;
	bool commit;
};

/**
 * struct world_write - a batch; @end: how many records there were behind it
 * @refused: its records are not in the log, but it was taken
 */
struct world_write {
	struct list link;
	struct topic_write *w;
	size_t end;
};

/**
 * struct world
 * @now_ms: what all clocks say
 * @records: the log, @n_records of which @n_durable survive a crash
 * @writes: not done yet
 * @append_code: what the next appends fail with; 0: they work
 */
struct world {
	struct coordinator_env env;
	struct coordinator c;
	struct timer_heap timers;
	struct group_settings settings;
	int64_t now_ms;
	struct world_record *records;
	size_t n_records;
	size_t n_durable;
	struct list writes;
	int16_t append_code;
	unsigned int ids;
};

/** world_init - Kafka's settings, and all partitions loaded; world_free() */
void world_init(struct world *w);
void world_free(struct world *w);

/** world_pass - let time pass, and timers fire at their times */
void world_pass(struct world *w, int64_t ms);

/** world_flush - the oldest write that is under way is done; false: there is none */
bool world_flush(struct world *w, int16_t code);

/** world_flush_all - all that are under way, and what they bring about */
void world_flush_all(struct world *w);

/** world_end - the marker of a transaction is in a partition; all writes before it are done */
void world_end(struct world *w, int32_t partition, int64_t producer_id, bool commit);

/** world_crash - the coordinator dies; of what is not durable the first @keep records survive; it starts anew */
void world_crash(struct world *w, size_t keep);

#endif /* TESTS_DAEMON_GROUP_WORLD_H */
