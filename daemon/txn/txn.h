/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transactional id: its producer, and the transaction that is open. How it
 * goes from state to state is in the files of the requests; here is what they
 * act on.
 */
#ifndef SLUICE_TXN_TXN_H
#define SLUICE_TXN_TXN_H

#include <stdatomic.h>

#include "daemon/coordinator/topic_write.h"
#include "daemon/core/htable.h"
#include "daemon/core/list.h"
#include "daemon/core/timer.h"
#include "daemon/txn/txn_record.h"

struct txn;
struct txn_coordinator;

/** TXN_EPOCH_LAST - with this epoch a producer id is used up */
#define TXN_EPOCH_LAST (INT16_MAX - 1)

/**
 * struct txn_marker - the end of a transaction, on the way to a partition
 * @done: it is there, or -errno
 * @owner: whose
 */
struct txn_marker {
	void (*done)(struct txn_marker *m, int err);
	void *owner;
	struct txn_place place;
	int64_t producer_id;
	int16_t producer_epoch;
	int32_t coordinator_epoch;
	bool commit;
};

/**
 * struct txn_part - a partition of a transaction; the topic is owned
 * @marked: it has its marker
 */
struct txn_part {
	struct txn_place place;
	struct txn_marker marker;
	bool marked;
};

/**
 * struct txn_guard - how many write to the partitions of a transaction
 * @refs: those, and the transactional id itself
 */
struct txn_guard {
	atomic_uint refs;
};

/** txn_guard_put - from any thread: the batches are in the log, or will not be */
void txn_guard_put(struct txn_guard *g);

/**
 * struct txn - one transactional id; @id and @parts are owned
 * @partition: of __transaction_state
 * @now: in force
 * @last_epoch: the epoch before, which a retry may have, or -1
 * @parts: @n of them, and behind those the ones that @next adds
 * @moving: @next, with @next_last_epoch and @n_next parts, is on the way to the log
 * @moved, @moved_ctx: to be called when it is there
 * @markers: on the way
 * @retry: when to try again what markers or the last write failed at
 * @closed: its partition cannot be used any more: it goes with the last write
 */
struct txn {
	struct hnode node;
	struct list link;
	struct txn_coordinator *coordinator;
	struct kafka_str id;
	int32_t partition;
	struct txn_value now;
	int16_t last_epoch;
	struct txn_part *parts;
	size_t n;
	bool moving;
	struct txn_value next;
	int16_t next_last_epoch;
	size_t n_next;
	struct topic_write write;
	void (*moved)(struct txn *t, void *ctx, int16_t code);
	void *moved_ctx;
	uint32_t markers;
	struct timer retry;
	struct txn_guard *guard;
	bool closed;
};

/** txn_new - an empty one without a producer; NULL: no memory */
struct txn *txn_new(struct txn_coordinator *c, struct kafka_str id, int32_t partition);

/** txn_free - nothing of it is on the way */
void txn_free(struct txn *t);

/** txn_has - whether a partition is among the first @n */
bool txn_has(const struct txn *t, size_t n, const struct txn_place *place);

/** txn_append_places - behind the first @at parts those of @places that are not there; 0 or -ENOMEM */
int txn_append_places(struct txn *t, size_t at, const struct txn_place *places, size_t n,
		      size_t *ret_end);

/** txn_cut - of the first @have parts drop those from @n on */
void txn_cut(struct txn *t, size_t have, size_t n);

/** txn_state_name - as Kafka's tools show it */
const char *txn_state_name(enum txn_state state);

#endif /* SLUICE_TXN_TXN_H */
