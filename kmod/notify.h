/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who waits for a partition to grow. A waiter is embedded in its owner (a
 * socket's cursor, a watch); adding and removing it costs no allocation.
 */
#ifndef SLUICE_NOTIFY_H
#define SLUICE_NOTIFY_H

#include <linux/list.h>
#include <linux/spinlock.h>

struct sluice_partition;
struct sluice_waiter;

/**
 * typedef sluice_wake_fn - told that the high watermark moved
 * @w: the waiter
 * @high_watermark: the new one
 * @err: 0; -ENODEV the partition is dead; -EIO it went offline; -ESTALE it was
 *	truncated, and ends at @high_watermark or above
 *
 * Runs under the partition's waiter lock, in process context with bottom
 * halves on: must not sleep, and must not add or remove waiters, except that
 * it may remove @w itself by returning true.
 */
typedef bool (*sluice_wake_fn)(struct sluice_waiter *w, s64 high_watermark, int err);

/**
 * struct sluice_waiter - one entry
 * @node: in sluice_notify.waiters; empty when not waiting
 * @wake_fn: called for every growth past @above, and for every error
 * @above: only a high watermark larger than this is reported; written by the
 *	owner with WRITE_ONCE at any time
 */
struct sluice_waiter {
	struct list_head node;
	sluice_wake_fn wake_fn;
	s64 above;
};

/**
 * struct sluice_notify - a partition's waiters
 * @lock: protects @waiters; innermost but for socket wait queues and a
 *	socket's event lock
 * @waiters: in the order they came
 */
struct sluice_notify {
	spinlock_t lock;
	struct list_head waiters;
};

void sluice_notify_init(struct sluice_notify *n);
void sluice_waiter_init(struct sluice_waiter *w, sluice_wake_fn fn);

/**
 * sluice_notify_add() - wait from now on
 * The caller re-checks the high watermark after adding: a growth before it is
 * not reported. A waiter that is added already only moves its @above.
 * Return: 0 or -ENODEV if the partition is dead.
 */
int __must_check sluice_notify_add(struct sluice_partition *p, struct sluice_waiter *w, s64 above);

/** sluice_notify_del() - when it returns, wake_fn is not running and will not. */
void sluice_notify_del(struct sluice_partition *p, struct sluice_waiter *w);

/**
 * sluice_notify_wake() - tell everybody; called after the publication
 * Context: entered, or the log is open for another reason.
 */
void sluice_notify_wake(struct sluice_partition *p, int err);

#endif /* SLUICE_NOTIFY_H */
