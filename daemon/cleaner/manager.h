/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which log is compacted next, and what is remembered of each (Kafka's
 * LogCleanerManager). No clock, no disk, no thread: whoever looks at the logs
 * tells it what he sees, and one thread at a time.
 *
 * A round: cleaner_manager_begin(), cleaner_manager_see() for every log whose
 * topic is to be compacted, cleaner_manager_offer() for those that are ready,
 * and cleaner_manager_take(). A round that was broken off is begun anew.
 */
#ifndef SLUICE_CLEANER_MANAGER_H
#define SLUICE_CLEANER_MANAGER_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/sluice.h>

#include "daemon/core/htable.h"
#include "kmod/log/clean_bounds.h"

/* A log that could not be compacted for want of disk or memory waits so long. */
#define CLEANER_RETRY_MS 60000

/**
 * struct cleaner_entry - a log
 * @generation: of its last sight; another one means that it was truncated or
 *	opened anew since
 * @round: of its last sight
 * @not_before_ms: monotonic; it is left alone until then
 * @in_progress: somebody compacts it
 * @uncleanable: it is damaged; until it is opened anew
 * @distrust: the checkpoint may be of what was cut away: all of it is dirty
 */
struct cleaner_entry {
	struct hnode node;
	uint8_t topic_id[SLUICE_TOPIC_ID_LEN];
	uint32_t index;
	uint64_t generation;
	uint64_t round;
	int64_t not_before_ms;
	bool in_progress;
	bool uncleanable;
	bool distrust;
};

/**
 * struct cleaner_manager - all logs that are compacted
 * @round: the one that is under way
 * @best: of those that were offered in it, with @best_ratio
 * @uncleanable: how many are
 */
struct cleaner_manager {
	struct htable entries;
	uint64_t round;
	struct cleaner_entry *best;
	double best_ratio;
	size_t uncleanable;
};

/** enum cleaner_outcome - how the compaction of a log ended */
enum cleaner_outcome {
	CLEANER_DONE,	 /* it is clean, and the checkpoint says so */
	CLEANER_WAITS,	 /* nothing of it is durable and decided yet */
	CLEANER_CHANGED, /* given up, because the log was cut, or lost segments, meanwhile */
	CLEANER_STOPPED, /* given up, because the daemon stops */
	CLEANER_FAILED,	 /* for a reason that may pass */
	CLEANER_DAMAGED, /* a file of it is damaged */
};

void cleaner_manager_init(struct cleaner_manager *m);
void cleaner_manager_destroy(struct cleaner_manager *m);

void cleaner_manager_begin(struct cleaner_manager *m);

/**
 * cleaner_manager_see() - a log that is online and whose topic is to be compacted
 * @ret_new: it was not seen before
 * Returns NULL without memory.
 */
struct cleaner_entry *cleaner_manager_see(struct cleaner_manager *m,
					  const uint8_t topic_id[SLUICE_TOPIC_ID_LEN],
					  uint32_t index, uint64_t generation, bool *ret_new);

/** cleaner_entry_ready() - may it be looked into and offered; @now_ms: monotonic */
bool cleaner_entry_ready(const struct cleaner_entry *e, int64_t now_ms);

/**
 * cleaner_manager_offer() - a log that is ready, and what there is to be cleaned
 * @min_ratio: min.cleanable.dirty.ratio of its topic
 * Returns whether it is the one that cleaner_manager_take() would give now.
 */
bool cleaner_manager_offer(struct cleaner_manager *m, struct cleaner_entry *e,
			   const struct sluice_clean_bounds *b, double min_ratio);

/**
 * cleaner_manager_take() - the dirtiest of the logs that are due; NULL: none is
 * It is in progress then. Ends the round: what was not seen in it is forgotten.
 */
struct cleaner_entry *cleaner_manager_take(struct cleaner_manager *m);

/**
 * cleaner_manager_done() - nobody works on a taken log any more
 * @now_ms: monotonic; @backoff_ms: log.cleaner.backoff.ms
 */
void cleaner_manager_done(struct cleaner_manager *m, struct cleaner_entry *e,
			  enum cleaner_outcome outcome, int64_t now_ms, int64_t backoff_ms);

#endif /* SLUICE_CLEANER_MANAGER_H */
