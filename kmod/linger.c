// SPDX-License-Identifier: GPL-2.0
/*
 * The timer is started when a batch opens, or is to be sealed sooner, and none is
 * pending that ends before. A batch that opens while the one of an earlier batch is
 * pending, is found by that, which then goes on for the time that is left: under load
 * one firing in linger_ms, whatever the number of batches.
 */

#include "linger.h"

#include "partition.h"

#include <linux/jiffies.h>

void sluice_linger_start(struct sluice_partition *p, u32 ms)
{
	struct sluice_linger_state *l = &p->linger;
	unsigned long delay = msecs_to_jiffies(ms);
	unsigned long at = jiffies + delay;

	/*
	 * Under load it is pending nearly always: then nothing is written. It was
	 * pending after the caller's record was in the batch, so it finds that.
	 */
	if (delayed_work_pending(&l->work)) {
		/* What made it pending wrote @at before. */
		smp_rmb();
		if (time_after_eq(at, READ_ONCE(l->at)))
			return;
	}
	spin_lock(&l->lock);
	if (!delayed_work_pending(&l->work) || time_before(at, l->at)) {
		WRITE_ONCE(l->at, at);
		/* On the queue of the syncs: it may wait for the same storage. */
		mod_delayed_work(p->flush.wq, &l->work, delay);
	}
	spin_unlock(&l->lock);
}

static void linger_work_fn(struct work_struct *work)
{
	struct sluice_partition *p = container_of(to_delayed_work(work), struct sluice_partition,
						  linger.work);
	s64 left_ms = -1;

	down_read(&p->users);
	/* Drain has sealed what a dead partition had. */
	if (p->log && sluice_log_linger(p->log, &left_ms))
		sluice_partition_check_log(p);
	up_read(&p->users);
	if (left_ms > 0)
		sluice_linger_start(p, left_ms);
}

void sluice_linger_state_init(struct sluice_partition *p)
{
	INIT_DELAYED_WORK(&p->linger.work, linger_work_fn);
	spin_lock_init(&p->linger.lock);
}

void sluice_linger_drain(struct sluice_partition *p)
{
	cancel_delayed_work_sync(&p->linger.work);
}
