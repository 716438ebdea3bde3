/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies in the topic __transaction_state: keys and values of its records,
 * in the formats of Apache Kafka's transaction coordinator. All that is written
 * is what Kafka 4.3 writes; all versions are read. Pure: no I/O.
 */
#ifndef SLUICE_TXN_TXN_RECORD_H
#define SLUICE_TXN_TXN_RECORD_H

#include "daemon/core/arena.h"
#include "daemon/core/wire.h"

/**
 * enum txn_state - Kafka's states of a transactional id, as they are in the log
 * @TXN_EMPTY: its producer has not begun a transaction
 * @TXN_ONGOING: one is open
 * @TXN_PREPARE_COMMIT, @TXN_PREPARE_ABORT: it is decided; markers are on the way
 * @TXN_COMPLETE_COMMIT, @TXN_COMPLETE_ABORT: all of them are written
 * @TXN_DEAD: the id is being forgotten; not in the log
 */
enum txn_state {
	TXN_EMPTY = 0,
	TXN_ONGOING = 1,
	TXN_PREPARE_COMMIT = 2,
	TXN_PREPARE_ABORT = 3,
	TXN_COMPLETE_COMMIT = 4,
	TXN_COMPLETE_ABORT = 5,
	TXN_DEAD = 6,
};

/**
 * struct txn_value - what is known of a transactional id, but for its partitions
 * @producer_epoch: -1 only before the first was given
 * @previous_producer_id: the one before the last change, or -1
 * @next_producer_id: what its producer goes on with when the transaction that is
 *	being ended is, because its epochs are used up; or -1
 * @start_ms: when the transaction began, on the wall clock, or -1
 * @client_version: of the transactions: 2 if its epoch grows with each
 */
struct txn_value {
	int64_t producer_id;
	int64_t previous_producer_id;
	int64_t next_producer_id;
	int16_t producer_epoch;
	int32_t timeout_ms;
	enum txn_state state;
	int64_t update_ms;
	int64_t start_ms;
	int16_t client_version;
};

/** struct txn_place - a partition that a transaction is about */
struct txn_place {
	struct kafka_str topic;
	int32_t partition;
};

/** txn_key_decode - 0; -EBADMSG malformed; -EOPNOTSUPP of another kind; the id points into @p */
int txn_key_decode(const void *p, size_t len, struct kafka_str *ret_id);
void txn_key_encode(struct wire_writer *w, struct kafka_str id);

/**
 * txn_value_decode - 0; -EBADMSG malformed; -EOPNOTSUPP a later version; -ENOMEM
 * @ret_places: @ret_n of them, in @a; their topics point into @p
 */
int txn_value_decode(const void *p, size_t len, struct arena *a, struct txn_value *ret,
		     struct txn_place **ret_places, size_t *ret_n);

/** txn_value_encode - @places: sorted by topic, @n of them */
void txn_value_encode(struct wire_writer *w, const struct txn_value *v,
		      const struct txn_place *places, size_t n);

#endif /* SLUICE_TXN_TXN_RECORD_H */
