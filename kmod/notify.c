// SPDX-License-Identifier: GPL-2.0
/*
 * No wake-up is lost between a waiter's last look at the high watermark and
 * its sleep: the appender publishes and then looks whether the list is empty,
 * the waiter adds itself and then looks at the high watermark, each with a full
 * barrier between its two steps. So at least one of them sees what the other
 * did. An appender that finds the list empty takes no lock: most have nobody to
 * wake. The same holds for a partition that dies: its state is published first,
 * and sluice_notify_add() looks at it after adding.
 */

#include "notify.h"

#include "partition.h"

#include <linux/sluice_netlink.h>

void sluice_notify_init(struct sluice_notify *n)
{
	spin_lock_init(&n->lock);
	INIT_LIST_HEAD(&n->waiters);
}

void sluice_waiter_init(struct sluice_waiter *w, sluice_wake_fn fn)
{
	INIT_LIST_HEAD(&w->node);
	w->wake_fn = fn;
	w->above = 0;
}

int sluice_notify_add(struct sluice_partition *p, struct sluice_waiter *w, s64 above)
{
	bool added;
	int err = 0;

	spin_lock(&p->notify.lock);
	WRITE_ONCE(w->above, above);
	added = list_empty(&w->node);
	if (added)
		list_add_tail(&w->node, &p->notify.waiters);
	/* Pairs with sluice_notify_wake(). */
	smp_mb();
	if (READ_ONCE(p->state) == SLUICE_PARTITION_STATE_DEAD) {
		/* One that waited before is told by the wake-up of the death. */
		if (added)
			list_del_init(&w->node);
		err = -ENODEV;
	}
	spin_unlock(&p->notify.lock);
	return err;
}

void sluice_notify_del(struct sluice_partition *p, struct sluice_waiter *w)
{
	spin_lock(&p->notify.lock);
	list_del_init(&w->node);
	spin_unlock(&p->notify.lock);
}

void sluice_notify_wake(struct sluice_partition *p, int err)
{
	struct sluice_waiter *w, *next;
	s64 high_watermark;

	/* Pairs with sluice_notify_add(): after the publication. */
	smp_mb();
	if (list_empty(&p->notify.waiters))
		return;
	spin_lock(&p->notify.lock);
	/*
	 * Under the lock, because a truncation takes it back: what is told last is
	 * then the newest.
	 */
	high_watermark = sluice_log_high_watermark(p->log);
	list_for_each_entry_safe(w, next, &p->notify.waiters, node) {
		if (!err && high_watermark <= READ_ONCE(w->above))
			continue;
		if (w->wake_fn(w, high_watermark, err))
			list_del_init(&w->node);
	}
	spin_unlock(&p->notify.lock);
}
