// SPDX-License-Identifier: GPL-2.0
/* Beginning and ending to read: a socket's cursors in their partitions. */
#include "partition.h"
#include "sock.h"

#include <linux/mm.h>
#include <linux/slab.h>

struct sluice_cursor *sluice_cursor_find(struct sluice_sock *ssk, s32 partition)
{
	u32 i;

	sock_owned_by_me(&ssk->sk);
	if (partition == SLUICE_PARTITION_ANY)
		return ssk->cursor_count == 1 ? ssk->cursors : NULL;
	for (i = 0; i < ssk->cursor_count; i++)
		if (ssk->cursors[i].p->index == (u32)partition)
			return &ssk->cursors[i];
	return NULL;
}

static bool cursor_wake(struct sluice_waiter *w, s64 high_watermark, int err)
{
	struct sluice_cursor *c = container_of(w, struct sluice_cursor, waiter);
	struct sluice_sock *ssk = c->ssk;
	struct sock *sk = &ssk->sk;

	spin_lock(&ssk->ready_lock);
	if (err == -ENODEV)
		WRITE_ONCE(ssk->is_dead, true);
	else if (err == -ESTALE)
		sluice_cursor_note_cut(c, high_watermark);
	else if (err)
		c->offline = true;
	else if (high_watermark > c->high_watermark)
		c->high_watermark = high_watermark;
	if (sluice_cursor_has_more(c) && list_empty(&c->ready))
		list_add_tail(&c->ready, &ssk->ready);
	spin_unlock(&ssk->ready_lock);

	if (err == -ENODEV)
		sk->sk_state_change(sk);
	sk->sk_data_ready(sk);
	return false;
}

static int cursor_open(struct sluice_cursor *c, struct sluice_sock *ssk,
		       struct sluice_partition *p)
{
	int err;

	c->ssk = ssk;
	c->p = p;
	INIT_LIST_HEAD(&c->ready);
	c->cut = S64_MAX;
	c->cut_seen = S64_MAX;
	sluice_waiter_init(&c->waiter, cursor_wake);
	/*
	 * Told of every growth, so that high_watermark is never behind what was
	 * reported; and told from before the first look at the log.
	 */
	err = sluice_notify_add(p, &c->waiter, S64_MIN);
	if (!err)
		err = sluice_cursor_seek(c, ssk->start);
	return err;
}

int sluice_cursors_open(struct sluice_sock *ssk, const struct sluice_target *t)
{
	bool all = t->partition == SLUICE_PARTITION_ANY;
	u32 count = all ? sluice_topic_partition_count(t->topic) : 1;
	struct sluice_cursor *cursors;
	u32 i;
	int err;

	sock_owned_by_me(&ssk->sk);
	if (count > SLUICE_SOCK_CURSORS_MAX)
		return sluice_sock_fail(ssk, -E2BIG, "%u partitions are too many", count);
	if (count > 1 && ssk->start >= 0)
		return sluice_sock_fail(ssk, -EINVAL,
					"to start at an offset, name one of %u partitions", count);

	cursors = kvcalloc(count, sizeof(*cursors), GFP_KERNEL_ACCOUNT);
	if (!cursors)
		return -ENOMEM;
	/* Closing looks at what is there, however far this gets. */
	spin_lock(&ssk->addr_lock);
	ssk->cursors = cursors;
	spin_unlock(&ssk->addr_lock);

	for (i = 0; i < count; i++) {
		struct sluice_partition *p;

		p = sluice_topic_partition(t->topic, all ? i : (u32)t->partition);
		if (!p) {
			err = sluice_sock_fail(ssk, -ENOENT, "partition %u is gone", i);
			goto err_cursors;
		}
		/* From here the cursor is closed with the others. */
		WRITE_ONCE(ssk->cursor_count, i + 1);
		err = cursor_open(&cursors[i], ssk, p);
		if (err)
			goto err_cursors;
		cond_resched();
	}
	return 0;

err_cursors:
	sluice_cursors_close(ssk);
	return err;
}

void sluice_cursors_close(struct sluice_sock *ssk)
{
	struct sluice_cursor *cursors = ssk->cursors;
	u32 count = ssk->cursor_count;
	u32 i;

	sock_owned_by_me(&ssk->sk);
	/* Readers under addr_lock alone (/proc) must not find them any more. */
	spin_lock(&ssk->addr_lock);
	ssk->cursors = NULL;
	ssk->cursor_count = 0;
	spin_unlock(&ssk->addr_lock);

	for (i = 0; i < count; i++) {
		struct sluice_cursor *c = &cursors[i];

		/* No wake function of it runs after this. */
		sluice_notify_del(c->p, &c->waiter);
		spin_lock(&ssk->ready_lock);
		list_del_init(&c->ready);
		spin_unlock(&ssk->ready_lock);
		sluice_cursor_drop_segment(c);
		sluice_partition_put(c->p);
		cond_resched();
	}
	kvfree(cursors);
}
