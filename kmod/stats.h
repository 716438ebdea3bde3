/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of a partition. They never go back, so that a reader can take
 * differences. Appends are serialized, but fetches are not: all are atomic64,
 * which costs nothing beside a file write and keeps an idle partition small.
 */
#ifndef SLUICE_STATS_H
#define SLUICE_STATS_H

#include <linux/atomic.h>

struct sluice_stats {
	atomic64_t append_batches;
	atomic64_t append_records;
	atomic64_t append_bytes;
	atomic64_t fetches;
	atomic64_t fetch_bytes;
	atomic64_t flushes;
	atomic64_t rolls;
	atomic64_t refused_batches;
	atomic64_t removed_bytes;
	atomic64_t truncations;
	atomic64_t replacements;
};

/** sluice_stats_fetch() - count one fetch of @bytes. */
static inline void sluice_stats_fetch(struct sluice_stats *s, u64 bytes)
{
	atomic64_inc(&s->fetches);
	atomic64_add(bytes, &s->fetch_bytes);
}

#endif /* SLUICE_STATS_H */
