/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The producers that a log remembers: found by id, and each in one of two
 * lists: those without an open transaction in the order of their last batch,
 * those with one in the order in which the transactions began.
 */
#ifndef SLUICE_LOG_PRODUCER_TABLE_H
#define SLUICE_LOG_PRODUCER_TABLE_H

#include "producer_state.h"

/**
 * struct sluice_producer - what is known of one producer
 * @bucket_next, @older, @newer: the table's
 * @txn_first_offset: -1 if it has no transaction open
 * @coordinator_epoch: of its last marker, or -1
 * @epoch: -1 until it has written something
 * @count, @next: how many @batches there are, and where the next one goes: a
 *	ring, in which the newest is the one before @next
 */
struct sluice_producer {
	s64 id;
	struct sluice_producer *bucket_next;
	struct sluice_producer *older;
	struct sluice_producer *newer;
	s64 last_timestamp;
	s64 txn_first_offset;
	s32 coordinator_epoch;
	s16 epoch;
	u8 count;
	u8 next;
	struct sluice_producer_batch batches[SLUICE_PRODUCER_BATCHES];
};

struct sluice_producer_list {
	struct sluice_producer *oldest;
	struct sluice_producer *newest;
};

/**
 * struct sluice_producer_table - the producers of a log
 * @buckets: NULL until the first producer comes
 * @bucket_bits: their number's logarithm
 * @count: of producers
 * @expire_next: bucket from which the next expiry goes on
 * @spare: kept by sluice_producer_table_reserve() for the next add
 * @idle: those without an open transaction
 * @open: those with one
 */
struct sluice_producer_table {
	struct sluice_producer **buckets;
	u32 bucket_bits;
	u32 count;
	u32 expire_next;
	struct sluice_producer *spare;
	struct sluice_producer_list idle;
	struct sluice_producer_list open;
};

void sluice_producer_table_destroy(struct sluice_producer_table *t);

struct sluice_producer *sluice_producer_table_find(const struct sluice_producer_table *t, s64 id);

/**
 * sluice_producer_table_reserve() - make the next add succeed
 * Returns 0, or -ENOMEM: also where SLUICE_PRODUCERS_MAX have transactions open.
 */
int __must_check sluice_producer_table_reserve(struct sluice_producer_table *t);

/**
 * sluice_producer_table_add() - a producer that is not there; is the newest idle
 * Forgets the oldest idle one if there are too many. It knows of no batch, no
 * marker and no transaction.
 */
struct sluice_producer *sluice_producer_table_add(struct sluice_producer_table *t, s64 id);

/**
 * sluice_producer_table_move() - a producer wrote something
 * Makes it the newest of the list in which it now belongs, by whether it has a
 * transaction open; @was_open: whether it had one before.
 */
void sluice_producer_table_move(struct sluice_producer_table *t, struct sluice_producer *p,
				bool was_open);

/** sluice_producer_table_sort() - order the open ones, whatever order they came in. */
void sluice_producer_table_sort(struct sluice_producer_table *t);

/** sluice_producer_table_expire() - see sluice_producer_state_expire(). */
bool sluice_producer_table_expire(struct sluice_producer_table *t, s64 now_ms,
				  s64 expiration_ms);

#endif /* SLUICE_LOG_PRODUCER_TABLE_H */
