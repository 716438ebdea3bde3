/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The .txnindex file beside a segment: the transactions whose ABORT markers are
 * in the segment, in the order of the markers (TransactionIndex.java). The file
 * comes with the first entry; most segments have none.
 */
#ifndef SLUICE_LOG_TXN_INDEX_H
#define SLUICE_LOG_TXN_INDEX_H

#include "producer_state.h"

#define SLUICE_TXN_INDEX_ENTRY		34	/* bytes */

/* The number of entries has not been looked up: that costs an open for each segment. */
#define SLUICE_TXN_INDEX_UNKNOWN	U32_MAX

/**
 * struct sluice_txn_index - the transaction index of one segment
 * @file: NULL until something is written; then kept, so that no write-back
 *	error is missed, until sluice_txn_index_close()
 * @entries: published, or SLUICE_TXN_INDEX_UNKNOWN if the segment is sealed
 */
struct sluice_txn_index {
	struct port_file *file;
	u32 entries;
};

/**
 * sluice_txn_index_count() - how many entries a file has
 * Returns 0; -EUCLEAN if its size is impossible, or an error of the file. Where
 * there is no file there are none.
 */
int __must_check sluice_txn_index_count(struct port_dir *dir, s64 base_offset, u32 *ret_entries);

/**
 * sluice_txn_index_write() - write the next entry, without publishing it
 * Creates the file if need be. On failure call sluice_txn_index_undo().
 */
int __must_check sluice_txn_index_write(struct sluice_txn_index *index, struct port_dir *dir,
					s64 base_offset, const struct sluice_aborted_txn *txn);

/** sluice_txn_index_publish() - the entry that was written is one, from now on. */
void sluice_txn_index_publish(struct sluice_txn_index *index);

/** sluice_txn_index_undo() - cut the file back to what is published. */
int __must_check sluice_txn_index_undo(struct sluice_txn_index *index);

/** sluice_txn_index_sync() - what was written is made durable. */
int __must_check sluice_txn_index_sync(struct sluice_txn_index *index);

/** sluice_txn_index_close() - what was written is synced, or needs not be. */
void sluice_txn_index_close(struct sluice_txn_index *index);

/**
 * sluice_txn_index_entries() - published entries, acquired
 * All that is published with them can then be read from the file.
 */
u32 sluice_txn_index_entries(const struct sluice_txn_index *index);

/**
 * sluice_txn_index_read() - read an entry of a file
 * @i: its place, from 0
 * Returns 1; 0 behind the end of the file; -EUCLEAN if it is no entry, or an
 * error of the file.
 */
int __must_check sluice_txn_index_read(struct port_file *file, u32 i,
				       struct sluice_aborted_txn *ret_txn);

/** sluice_txn_index_encode() - an entry as the file has it. */
void sluice_txn_index_encode(u8 raw[SLUICE_TXN_INDEX_ENTRY], const struct sluice_aborted_txn *txn);

#endif /* SLUICE_LOG_TXN_INDEX_H */
