/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Transactions that have ended, but whose markers are not replicated: until the
 * high watermark has passed the marker, the transaction still holds the last
 * stable offset back.
 *
 * Only the smallest first offset counts, and markers are replicated in the
 * order of the log. So a transaction that began before another one and ended
 * after it stands for both, and what is kept is ordered by both offsets.
 */
#ifndef SLUICE_LOG_COMPLETED_TXNS_H
#define SLUICE_LOG_COMPLETED_TXNS_H

#include "port.h"

/* More than these are not told apart: the newest then stands for several. */
#define SLUICE_COMPLETED_TXNS_MAX	1024

struct sluice_completed_txn {
	s64 first_offset;
	s64 last_offset;	/* of the marker */
};

/**
 * struct sluice_completed_txns - all zero is none
 * @items: from @first on, @count of them, ascending in both offsets
 */
struct sluice_completed_txns {
	struct sluice_completed_txn *items;
	u32 first;
	u32 count;
	u32 capacity;
};

void sluice_completed_txns_destroy(struct sluice_completed_txns *c);

/** sluice_completed_txns_reserve() - make the next add possible; 0 or -ENOMEM. */
int __must_check sluice_completed_txns_reserve(struct sluice_completed_txns *c);

/** sluice_completed_txns_add() - the marker is behind those of all before. */
void sluice_completed_txns_add(struct sluice_completed_txns *c, s64 first_offset,
			       s64 last_offset);

/** sluice_completed_txns_remove() - those whose markers lie below @offset. */
void sluice_completed_txns_remove(struct sluice_completed_txns *c, s64 offset);

/** sluice_completed_txns_first() - the smallest first offset, S64_MAX if none. */
s64 sluice_completed_txns_first(const struct sluice_completed_txns *c);

#endif /* SLUICE_LOG_COMPLETED_TXNS_H */
