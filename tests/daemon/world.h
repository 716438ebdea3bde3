/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a coordinator under test lives in: a made-up clock and a made-up log.
 * What it writes is kept in memory, and is durable when the test says so.
 */
#ifndef TESTS_DAEMON_WORLD_H
#define TESTS_DAEMON_WORLD_H

#include "daemon/coordinator/topic_write.h"
#include "daemon/core/list.h"
#include "daemon/core/timer.h"

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
 * struct world
 * @now_ms: what all clocks say
 * @records: the log, @n_records of which @n_durable survive a crash
 * @writes: not done yet
 * @append_code: what the next appends fail with; 0: they work
 */
struct world {
	struct timer_heap timers;
	int64_t now_ms;
	struct world_record *records;
	size_t n_records;
	size_t n_durable;
	struct list writes;
	int16_t append_code;
};

void world_init(struct world *w);
void world_free(struct world *w);

/** world_record_add - at the end of the log: without a key, yet */
struct world_record *world_record_add(struct world *w, int32_t partition, int64_t producer_id);

/** world_append - what a coordinator's environment does with a batch */
int16_t world_append(struct world *w, int32_t partition, const struct topic_record *records,
		     size_t n, struct topic_write *tw);

/** world_load - @r as it is read from the log */
struct topic_load world_load(const struct world_record *r);

/** world_pass - let time pass, and timers fire at their times */
void world_pass(struct world *w, int64_t ms);

/** world_flush - the oldest write that is under way is done; false: there is none */
bool world_flush(struct world *w, int16_t code);

/** world_flush_all - all that are under way, and what they bring about */
void world_flush_all(struct world *w);

/** world_cut - of what is not durable the first @keep records survive; no write is under way */
void world_cut(struct world *w, size_t keep);

#endif /* TESTS_DAEMON_WORLD_H */
