// SPDX-License-Identifier: GPL-2.0
/*
 * The timer is started when a batch opens and none is pending. A batch that
 * opens while the one of an earlier batch is pending, is found by that, which
 * then goes on for the time that is left: under load one firing in linger_ms,
 * whatever the number of batches.
 */

#include "linger.h"

#include "partition.h"

#include <linux/jiffies.h>

/* On the queue of the syncs: it may wait for the same storage. */
static void queue(struct sluice_partition *p, s64 ms)
{
	queue_delayed_work(p->flush.wq, &p->linger, msecs_to_jiffies(ms));
}

static void linger_work_fn(struct work_struct *work)
{
	struct sluice_partition *p = container_of(to_delayed_work(work), struct sluice_partition,
						  linger);
	s64 left_ms = -1;

	down_read(&p->users);
	/* Drain has sealed what a dead partition had. */
	if (p->log && sluice_log_linger(p->log, &left_ms))
		sluice_partition_check_log(p);
	up_read(&p->users);
	if (left_ms > 0)
		queue(p, left_ms);
}

void sluice_linger_state_init(struct sluice_partition *p)
{
	INIT_DELAYED_WORK(&p->linger, linger_work_fn);
}

void sluice_linger_start(struct sluice_partition *p)
{
	/* Under load it is pending nearly always: then nothing is written. */
	if (!delayed_work_pending(&p->linger))
		queue(p, READ_ONCE(p->topic->config.linger_ms));
}

void sluice_linger_drain(struct sluice_partition *p)
{
	cancel_delayed_work_sync(&p->linger);
}
