/* SPDX-License-Identifier: GPL-2.0 */
/* The end of an open batch's time: one delayed work item for each partition. */
#ifndef SLUICE_LINGER_H
#define SLUICE_LINGER_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct sluice_partition;

/**
 * struct sluice_linger_state - when a partition's open batch is looked at
 * @work: pending if a batch is open
 * @lock: who sets @at starts @work, before another does
 * @at: jiffies @work was last started for; written under @lock before it is pending
 */
struct sluice_linger_state {
	struct delayed_work work;
	spinlock_t lock;
	unsigned long at;
};

void sluice_linger_state_init(struct sluice_partition *p);

/**
 * sluice_linger_start() - look at the open batch in @ms, or sooner
 * Context: entered. Holds no reference: drain waits for it.
 */
void sluice_linger_start(struct sluice_partition *p, u32 ms);

/**
 * sluice_linger_drain() - there is no open batch any more; be idle
 * Context: the partition is dead and its log closed; not entered.
 */
void sluice_linger_drain(struct sluice_partition *p);

#endif /* SLUICE_LINGER_H */
