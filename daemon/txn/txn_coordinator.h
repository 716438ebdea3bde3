/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transaction coordinator: a state machine without clock, disk or socket,
 * as the group coordinator is. It knows transactional ids, and of each the
 * producer and the transaction that is open.
 *
 * One thread. Requests come as calls: memory of the caller that stays until
 * its answer function was called, which may be at once, and which may not call
 * back into the coordinator.
 */
#ifndef SLUICE_TXN_TXN_COORDINATOR_H
#define SLUICE_TXN_TXN_COORDINATOR_H

#include "daemon/config/config.h"
#include "daemon/coordinator/key_partition.h"
#include "daemon/coordinator/topic_partitions.h"
#include "daemon/coordinator/topic_write.h"
#include "daemon/kafka/error_code.h"
#include "daemon/txn/txn.h"

/**
 * struct txn_env - what is outside
 * @append: write records as one batch to a partition of __transaction_state; as
 *	that of struct coordinator_env
 * @mark: write m's marker to its partition. Returns 0, and m->done is called
 *	later, not from inside; or -errno
 * @epoch: of the coordinator, in its markers: grows when another takes over
 * @producer_id: one that nobody was ever given; the error code
 * @now_ms: the time of the timers
 * @wall_ms: milliseconds since 1970
 */
struct txn_env {
	int16_t (*append)(struct txn_env *env, int32_t partition,
			  const struct topic_record *records, size_t n, struct topic_write *w);
	int (*mark)(struct txn_env *env, struct txn_marker *m);
	int32_t (*epoch)(struct txn_env *env);
	int16_t (*producer_id)(struct txn_env *env, int64_t *ret_id);
	int64_t (*now_ms)(struct txn_env *env);
	int64_t (*wall_ms)(struct txn_env *env);
};

/** struct txn_coordinator - @list: struct txn, in the order in which they came */
struct txn_coordinator {
	struct txn_env *env;
	struct txn_settings settings;
	struct timer_heap *timers;
	struct htable txns;
	struct list list;
	struct topic_partitions partitions;
};

void txn_coordinator_init(struct txn_coordinator *c, struct txn_env *env,
			  const struct txn_settings *settings, struct timer_heap *timers);

/** txn_coordinator_free - txn_coordinator_stop() was called, and every write is done */
void txn_coordinator_free(struct txn_coordinator *c);

/** txn_coordinator_open - __transaction_state has @n partitions, to be loaded; 0 or -ENOMEM */
int txn_coordinator_open(struct txn_coordinator *c, int32_t n);

/**
 * txn_coordinator_load - a record of a partition that is being loaded
 * Returns 0; -EBADMSG if it cannot be read, and was left out; -ENOMEM.
 */
int txn_coordinator_load(struct txn_coordinator *c, int32_t partition,
			 const struct topic_load *record);

/**
 * txn_coordinator_loaded - that was the last one: its ids are served
 * Transactions that were decided get their markers now.
 */
void txn_coordinator_loaded(struct txn_coordinator *c, int32_t partition);

/** txn_coordinator_close - a partition cannot be used any more: forget its ids */
void txn_coordinator_close(struct txn_coordinator *c, int32_t partition);

/** txn_coordinator_reopen - a partition that was closed is loaded again, from its beginning */
void txn_coordinator_reopen(struct txn_coordinator *c, int32_t partition);

/** txn_coordinator_stop - close all; what waits is answered */
void txn_coordinator_stop(struct txn_coordinator *c);

/** txn_abort_timed_out - abort transactions that have been open for too long */
void txn_abort_timed_out(struct txn_coordinator *c);

/** txn_expire - forget ids that nobody has used for long */
void txn_expire(struct txn_coordinator *c);

/**
 * txn_find - an id, to look at it until the next call
 * @ret_error: 0, or why nothing can be known about it now
 * NULL: there is none, or an error.
 */
struct txn *txn_find(const struct txn_coordinator *c, struct kafka_str id, int16_t *ret_error);

/** txn_coordinator_error - why something can be known of some ids only; 0: of all */
int16_t txn_coordinator_error(const struct txn_coordinator *c);

/**
 * struct txn_init_call - InitProducerId
 * @id: not null
 * @expects: the producer goes on with @expected_id and @expected_epoch (KIP-360)
 */
struct txn_init_call {
	struct kafka_str id;
	int32_t timeout_ms;
	bool expects;
	int64_t expected_id;
	int16_t expected_epoch;
	void (*answer)(struct txn_init_call *call, int16_t code, int64_t producer_id,
		       int16_t epoch);
};

void txn_init(struct txn_coordinator *c, struct txn_init_call *call);

/**
 * struct txn_producer - who says that it is the producer of a transactional id
 * @client_version: 2 if its epoch grows with each transaction
 */
struct txn_producer {
	struct kafka_str id;
	int64_t producer_id;
	int16_t epoch;
	int16_t client_version;
};

/** struct txn_add_call - add @n partitions to the transaction, which begins with the first */
struct txn_add_call {
	struct txn_producer producer;
	const struct txn_place *places;
	size_t n;
	void (*answer)(struct txn_add_call *call, int16_t code);
};

void txn_add(struct txn_coordinator *c, struct txn_add_call *call);

/** txn_verify - whether @n partitions are all in the transaction that is open: the error code */
int16_t txn_verify(const struct txn_coordinator *c, const struct txn_producer *p,
		   const struct txn_place *places, size_t n);

/**
 * txn_guard - hold the markers of a transaction back until txn_guard_put()
 * After txn_add() or txn_verify() said that the batches may be written. So no
 * batch can come behind the marker that should have ended it.
 */
struct txn_guard *txn_guard(const struct txn_coordinator *c, const struct txn_producer *p);

/** struct txn_end_call - EndTxn; the answer has what a producer of version 2 goes on with */
struct txn_end_call {
	struct txn_producer producer;
	bool commit;
	void (*answer)(struct txn_end_call *call, int16_t code, int64_t producer_id, int16_t epoch);
};

void txn_end(struct txn_coordinator *c, struct txn_end_call *call);

/* Inside. */

/** txn_make - a new id; NULL: no memory */
struct txn *txn_make(struct txn_coordinator *c, struct kafka_str id, int32_t partition);

/** txn_put - drop an id that nothing is known of, if it was never written */
void txn_put(struct txn_coordinator *c, struct txn *t);

/** txn_drop - nobody finds it any more; it goes when nothing of it is on the way */
void txn_drop(struct txn_coordinator *c, struct txn *t);

/**
 * txn_move - write t->next, with the first t->n_next partitions, to the log
 * @moved: called when it is in force, or with the error code of why it is not;
 *	@t may be gone then if that is NOT_COORDINATOR
 * @ctx: for it
 * Returns 0; or the error code, and nothing has changed.
 */
int16_t txn_move(struct txn_coordinator *c, struct txn *t,
		 void (*moved)(struct txn *t, void *ctx, int16_t code), void *ctx);

/** txn_next - begin a change: t->next is what there is, but for state and time */
void txn_next(struct txn_coordinator *c, struct txn *t, enum txn_state state);

/** txn_send_markers - it is decided: write what is left of its markers, then that it is complete */
void txn_send_markers(struct txn_coordinator *c, struct txn *t);

/**
 * txn_fence - abort the open transaction with an epoch that its producer does not have
 * As txn_move().
 */
int16_t txn_fence(struct txn_coordinator *c, struct txn *t,
		  void (*moved)(struct txn *t, void *ctx, int16_t code), void *ctx);

#endif /* SLUICE_TXN_TXN_COORDINATOR_H */
