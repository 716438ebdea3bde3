/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Transactions as the cleaner walks past them (Kafka's
 * CleanedTransactionMetadata): which batches are of an aborted one, and which
 * markers have no batch left in front of them. Userspace only.
 */
#ifndef SLUICE_LOG_CLEAN_TXN_H
#define SLUICE_LOG_CLEAN_TXN_H

#include "producer_state.h"

struct sluice_clean_txn_producer;

/**
 * struct sluice_clean_txn - between two batches of a walk
 * @aborted: by first offset; borrowed
 * @next: first of @aborted that begins behind what was seen
 * @producers: those with a transaction under way, a hash table
 */
struct sluice_clean_txn {
	const struct sluice_aborted_txn *aborted;
	u32 aborted_count;
	u32 next;
	struct sluice_clean_txn_producer *producers;
	u32 producer_count;
	u32 room;
};

/**
 * sluice_clean_txn_init() - at the begin of a walk
 * @aborted: all aborted transactions that touch what is walked over, wherever
 *	their markers are; in ascending order of first offset
 */
void sluice_clean_txn_init(struct sluice_clean_txn *t, const struct sluice_aborted_txn *aborted,
			   u32 count);
void sluice_clean_txn_destroy(struct sluice_clean_txn *t);

/** sluice_clean_txn_batch() - a batch of records: 1 it is aborted, 0 not, -ENOMEM. */
int __must_check sluice_clean_txn_batch(struct sluice_clean_txn *t, const struct sluice_batch *b);

/**
 * sluice_clean_txn_marker() - a control batch
 * @records: the bytes behind the header, @len of them
 * @ret_index: the entry that the transaction index needs, because batches of
 *	the aborted transaction were seen; or NULL
 * Returns 1 if the marker has done its work: no batch of its transaction was
 * seen; 0 if not; -ENOMEM. What is no marker of a transaction has never done
 * its work; an empty one has.
 */
int __must_check sluice_clean_txn_marker(struct sluice_clean_txn *t, const struct sluice_batch *b,
					 const void *records, size_t len,
					 const struct sluice_aborted_txn **ret_index);

#endif /* SLUICE_LOG_CLEAN_TXN_H */
