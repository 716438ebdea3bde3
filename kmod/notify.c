// SPDX-License-Identifier: GPL-2.0
/*
 * No wake-up is lost between a waiter's last look at the high watermark and
 * its sleep: the appender publishes and then takes the lock, the waiter takes
 * the lock to add itself and then looks. Whichever comes second through the
 * lock sees what the first one did.
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
	int err = 0;

	spin_lock(&p->notify.lock);
	if (READ_ONCE(p->state) == SLUICE_PARTITION_STATE_DEAD) {
		err = -ENODEV;
		goto out;
	}
	WRITE_ONCE(w->above, above);
	if (list_empty(&w->node))
		list_add_tail(&w->node, &p->notify.waiters);
out:
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
