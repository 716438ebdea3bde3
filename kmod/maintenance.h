/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a partition needs done behind its appends, and from time to time:
 * housekeeping of its log, retention, the expiry of producers.
 *
 * Each partition has a work item of its own on a queue of its data directory:
 * a partition whose storage is slow holds up neither another nor another disk.
 * A pass over a whole namespace only queues these items, a bounded number at a
 * time.
 */
#ifndef SLUICE_MAINTENANCE_H
#define SLUICE_MAINTENANCE_H

#include <linux/types.h>
#include <linux/workqueue.h>

struct sluice_net;
struct sluice_partition;

/* Kafka's log.retention.check.interval.ms. */
#define SLUICE_RETENTION_CHECK_INTERVAL_MS	300000

/**
 * struct sluice_maintenance_state - a partition's part
 * @work: one round; holds no reference: who queues it has entered the partition
 *	or keeps it in its tables, and drain cancels it after that
 * @wq: the data directory's, which outlives what is queued
 * @prepare: what the next roll needs; must not wait behind @work, which syncs.
 *	Queued and cancelled as @work is
 * @prepare_wq: as @wq
 * @flags: what the next round has to do beside housekeeping
 */
struct sluice_maintenance_state {
	struct delayed_work work;
	struct workqueue_struct *wq;
	struct work_struct prepare;
	struct workqueue_struct *prepare_wq;
	unsigned long flags;
};

int sluice_maintenance_init(void);
void sluice_maintenance_exit(void);

/** sluice_maintenance_state_init() - the topic and its data directory are set. */
void sluice_maintenance_state_init(struct sluice_partition *p);

/**
 * sluice_maintenance_housekeep() - the log says that it has something to do
 * Context: any that may take a spin lock; the partition is entered.
 */
void sluice_maintenance_housekeep(struct sluice_partition *p);

/**
 * sluice_maintenance_retain() - the same, and retention and expiry with it
 * Context: entered, or with the config mutex and in its tables.
 */
void sluice_maintenance_retain(struct sluice_partition *p);

/**
 * sluice_maintenance_drain() - end what is queued
 * Context: the partition is dead and its log closed; not entered.
 */
void sluice_maintenance_drain(struct sluice_partition *p);

void sluice_maintenance_net_init(struct sluice_net *sn);

/** sluice_maintenance_net_start() - there is a directory; passes begin, if they have not. */
void sluice_maintenance_net_start(struct sluice_net *sn);

/** sluice_maintenance_net_set_interval() - also lets the next pass begin so much from now. */
void sluice_maintenance_net_set_interval(struct sluice_net *sn, u32 interval_ms);

/** sluice_maintenance_net_exit() - no pass runs any more; without the config mutex. */
void sluice_maintenance_net_exit(struct sluice_net *sn);

#endif /* SLUICE_MAINTENANCE_H */
