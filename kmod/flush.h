/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Group commit: whoever waits for stable storage is answered by one sync for
 * all appends that came before it began.
 */
#ifndef SLUICE_FLUSH_H
#define SLUICE_FLUSH_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct sluice_partition;
struct sluice_durable;

/**
 * typedef sluice_durable_fn - the answer
 * @d: the request, no longer queued; the callee may free it
 * @err: 0: everything below d->offset is on stable storage; else -errno
 *
 * Runs in a work item, may not sleep for long, no locks held.
 */
typedef void (*sluice_durable_fn)(struct sluice_durable *d, int err);

/**
 * struct sluice_durable - one request, embedded in its owner
 * @node: in a list of sluice_flush_state
 * @offset: everything below it is to be durable
 * @generation: sluice_log_generation() when what lies there was appended; after a
 *	truncation an offset stands for something else
 * @done: called exactly once
 */
struct sluice_durable {
	struct list_head node;
	s64 offset;
	u64 generation;
	sluice_durable_fn done;
};

/**
 * struct sluice_flush_state - a partition's flusher
 * @lock: protects the lists and @generation
 * @requests: not yet answered, by time
 * @flushing: those that @work answers when its sync is done
 * @cut: those whose records a truncation took; answered by whoever truncates
 * @generation: of the log
 * @work: one sync and its answers; holds a reference to the partition while
 *	it is queued or runs
 * @due: flush.ms: queues @work; holds no reference, drain cancels it
 * @wq: the data directory's, which outlives what is queued
 * @drain_err: of the last sync of all, once the log is closed; written and
 *	read with the partition's users
 */
struct sluice_flush_state {
	spinlock_t lock;
	struct list_head requests;
	struct list_head flushing;
	struct list_head cut;
	u64 generation;
	struct work_struct work;
	struct delayed_work due;
	struct workqueue_struct *wq;
	int drain_err;
};

/** sluice_flush_state_init() - the topic and its data directory are set. */
void sluice_flush_state_init(struct sluice_partition *p);

/**
 * sluice_flush_cut() - the log was truncated; note whose records went
 * Context: under the log's append mutex, so that nothing new is there yet.
 */
void sluice_flush_cut(struct sluice_partition *p);

/**
 * sluice_flush_answer_cut() - tell them: -ESTALE
 * Context: process, entered, no other locks held.
 */
void sluice_flush_answer_cut(struct sluice_partition *p);

/**
 * sluice_flush_start() - sync, though nobody asked
 * Lets a teardown of many partitions sync them side by side.
 */
void sluice_flush_start(struct sluice_partition *p);

/**
 * sluice_flush_drain() - answer all that is left with drain_err, and be idle
 * Context: the partition is dead; not entered.
 */
void sluice_flush_drain(struct sluice_partition *p);

/**
 * sluice_flush_request() - call d->done when d->offset is durable
 * May call it at once, from here, if it is already, or the partition has
 * failed, is dead, or was truncated since the append (-ESTALE). Never loses a
 * request: drain answers what is left.
 * Context: process, no locks held.
 */
void sluice_flush_request(struct sluice_partition *p, struct sluice_durable *d);

/**
 * sluice_flush_wait() - flush now and wait for it
 * Return: 0 or -errno; -EINTR on a signal (the flush goes on).
 */
int __must_check sluice_flush_wait(struct sluice_partition *p);

/**
 * sluice_flush_note_append() - sync when flush.ms, which is set, has passed
 * Context: entered.
 */
void sluice_flush_note_append(struct sluice_partition *p);

/**
 * sluice_flush_is_due() - are flush.messages or more not on stable storage
 * Context: entered.
 */
bool sluice_flush_is_due(const struct sluice_partition *p);

/**
 * sluice_flush_appended() - wait until what was appended is on stable storage
 * @generation: as in struct sluice_durable
 * Return: 0 or -errno; -EINTR if the process is being killed.
 * Context: process, not entered.
 */
int __must_check sluice_flush_appended(struct sluice_partition *p, s64 end_offset,
				       u64 generation);

#endif /* SLUICE_FLUSH_H */
