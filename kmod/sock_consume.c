// SPDX-License-Identifier: GPL-2.0
/* Beginning and ending to read: a socket's cursors in their partitions. */
#include "partition.h"
#include "sock.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

/* Topics in no order that means anything, partitions by their index. */
static int cursor_cmp(const struct sluice_cursor *c, const struct sluice_topic *topic,
		      u32 partition)
{
	if (c->topic != topic)
		return (unsigned long)topic < (unsigned long)c->topic ? -1 : 1;
	return partition < c->p->index ? -1 : partition > c->p->index;
}

struct sluice_cursor *sluice_cursor_find(struct sluice_sock *ssk, const struct sluice_topic *topic,
					 u32 partition)
{
	struct rb_node *node = ssk->cursors.rb_node;

	sock_owned_by_me(&ssk->sk);
	while (node) {
		struct sluice_cursor *c = rb_entry(node, struct sluice_cursor, node);
		int cmp = cursor_cmp(c, topic, partition);

		if (!cmp)
			return c;
		node = cmp < 0 ? node->rb_left : node->rb_right;
	}
	return NULL;
}

/* The first of @topic at or behind a place in the tree that needs no cursor. */
static struct sluice_cursor *first_of(struct sluice_sock *ssk, const struct sluice_topic *topic)
{
	struct rb_node *node = ssk->cursors.rb_node;
	struct sluice_cursor *found = NULL;

	while (node) {
		struct sluice_cursor *c = rb_entry(node, struct sluice_cursor, node);

		if (cursor_cmp(c, topic, 0) <= 0) {
			found = c;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found && found->topic == topic ? found : NULL;
}

struct sluice_cursor *sluice_cursor_topic_first(struct sluice_sock *ssk, const u8 *topic_id)
{
	struct sluice_cursor *c = sluice_cursor_first(ssk);
	struct rb_node *last;

	sock_owned_by_me(&ssk->sk);
	if (!c)
		return NULL;
	if (!memchr_inv(topic_id, 0, SLUICE_TOPIC_ID_LEN)) {
		if (ssk->in.topic)
			return first_of(ssk, ssk->in.topic);
		last = rb_last(&ssk->cursors);
		return rb_entry(last, struct sluice_cursor, node)->topic == c->topic ? c : NULL;
	}
	while (c && memcmp(c->topic->id, topic_id, SLUICE_TOPIC_ID_LEN))
		c = sluice_cursor_next_of(c);
	return c;
}

static void cursor_insert(struct sluice_sock *ssk, struct sluice_cursor *new)
{
	struct rb_node **link = &ssk->cursors.rb_node;
	struct rb_node *parent = NULL;

	/* /proc looks at them under addr_lock alone. */
	spin_lock(&ssk->addr_lock);
	while (*link) {
		struct sluice_cursor *c = rb_entry(*link, struct sluice_cursor, node);

		parent = *link;
		link = cursor_cmp(c, new->topic, new->p->index) < 0 ? &parent->rb_left :
								      &parent->rb_right;
	}
	rb_link_node(&new->node, parent, link);
	rb_insert_color(&new->node, &ssk->cursors);
	ssk->cursor_count++;
	spin_unlock(&ssk->addr_lock);

	spin_lock(&ssk->ready_lock);
	ssk->live_count++;
	WRITE_ONCE(ssk->is_dead, false);
	spin_unlock(&ssk->ready_lock);
}

static void note_death(struct sluice_cursor *c)
{
	struct sluice_sock *ssk = c->ssk;

	lockdep_assert_held(&ssk->ready_lock);
	if (c->dead)
		return;
	c->dead = true;
	if (!--ssk->live_count)
		WRITE_ONCE(ssk->is_dead, true);
}

static bool cursor_wake(struct sluice_waiter *w, s64 high_watermark, int err)
{
	struct sluice_cursor *c = container_of(w, struct sluice_cursor, waiter);
	struct sluice_sock *ssk = c->ssk;
	struct sock *sk = &ssk->sk;
	s64 limit = high_watermark;
	bool ready;

	spin_lock(&ssk->ready_lock);
	/* Who wakes has the log open. */
	if (ssk->read_committed && err != -ENODEV)
		limit = min(limit, sluice_cursor_limit(c));
	if (err == -ENODEV)
		note_death(c);
	else if (err == -ESTALE)
		sluice_cursor_note_cut(c, high_watermark, limit);
	else if (err)
		c->offline = true;
	else if (limit > c->high_watermark)
		c->high_watermark = limit;
	ready = sluice_cursor_has_more(c);
	if (ready && list_empty(&c->ready))
		list_add_tail(&c->ready, &ssk->ready);
	spin_unlock(&ssk->ready_lock);

	if (err == -ENODEV)
		sk->sk_state_change(sk);
	if (ready)
		sk->sk_data_ready(sk);
	return false;
}

void sluice_cursor_close(struct sluice_cursor *c)
{
	struct sluice_sock *ssk = c->ssk;

	sock_owned_by_me(&ssk->sk);
	/* No wake function of it runs after this. */
	sluice_notify_del(c->p, &c->waiter);

	spin_lock(&ssk->addr_lock);
	rb_erase(&c->node, &ssk->cursors);
	ssk->cursor_count--;
	spin_unlock(&ssk->addr_lock);

	spin_lock(&ssk->ready_lock);
	list_del_init(&c->ready);
	/* What is left may be nothing but what is dead. */
	if (!c->dead && !--ssk->live_count && ssk->cursor_count)
		WRITE_ONCE(ssk->is_dead, true);
	spin_unlock(&ssk->ready_lock);

	sluice_cursor_drop_segment(c);
	sluice_cursor_forget_aborted(c);
	sluice_partition_put(c->p);
	sluice_topic_put(c->topic);
	kfree(c);
}

/* @p: its reference becomes the cursor's, in any case. */
static int cursor_open(struct sluice_sock *ssk, struct sluice_topic *topic,
		       struct sluice_partition *p, s64 start)
{
	struct sluice_cursor *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	int err;

	if (!c) {
		sluice_partition_put(p);
		return -ENOMEM;
	}
	refcount_inc(&topic->ref);
	c->ssk = ssk;
	c->topic = topic;
	c->p = p;
	INIT_LIST_HEAD(&c->ready);
	c->cut = S64_MAX;
	c->cut_seen = S64_MAX;
	c->sought_offset = -1;
	sluice_waiter_init(&c->waiter, cursor_wake);
	cursor_insert(ssk, c);
	/*
	 * Told of every growth, so that high_watermark is never behind what was
	 * reported; and told from before the first look at the log.
	 */
	err = sluice_notify_add(p, &c->waiter, S64_MIN);
	if (err)
		sluice_sock_fail(ssk, err, "%s was deleted", topic->name);
	else
		err = sluice_cursor_seek(c, start);
	if (err)
		sluice_cursor_close(c);
	return err;
}

/* Partition @index, if it is not read yet: 1 it is now, 0 it was, or -errno. */
static int open_missing(struct sluice_sock *ssk, struct sluice_topic *topic, u32 index, s64 start)
{
	struct sluice_partition *p;

	if (sluice_cursor_find(ssk, topic, index))
		return 0;
	if (ssk->cursor_count >= SLUICE_SOCK_CURSORS_MAX)
		return sluice_sock_fail(ssk, -E2BIG, "a socket reads at most %u partitions",
					SLUICE_SOCK_CURSORS_MAX);
	p = sluice_topic_partition(topic, index);
	if (!p)
		return sluice_sock_fail(ssk, -ENOENT, "partition %u is gone", index);
	return cursor_open(ssk, topic, p, start) ?: 1;
}

int sluice_cursors_open(struct sluice_sock *ssk, const struct sluice_target *t, s64 start)
{
	bool all = t->partition == SLUICE_PARTITION_ANY;
	u32 first = all ? 0 : t->partition;
	u32 count = all ? t->permitted : 1;
	unsigned long *opened;
	int ret = 0;
	u32 i;

	sock_owned_by_me(&ssk->sk);
	if (count > SLUICE_SOCK_CURSORS_MAX)
		return sluice_sock_fail(ssk, -E2BIG, "%u partitions are too many", count);
	if (count > 1 && start >= 0)
		return sluice_sock_fail(ssk, -EINVAL,
					"to start at an offset, name one of %u partitions", count);
	/* Which are to be closed again if it fails in the middle. */
	opened = kvcalloc(BITS_TO_LONGS(count), sizeof(*opened), GFP_KERNEL_ACCOUNT);
	if (!opened)
		return -ENOMEM;

	for (i = 0; i < count; i++) {
		ret = open_missing(ssk, t->topic, first + i, start);
		if (ret < 0)
			break;
		if (ret)
			__set_bit(i, opened);
		/* To find a time takes as long as the storage does. */
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		cond_resched();
	}
	if (!ret && !all)
		ret = sluice_sock_fail(ssk, -EEXIST, "%s-%u is read already", t->topic->name,
				       first);
	if (ret < 0) {
		for_each_set_bit(i, opened, count)
			sluice_cursor_close(sluice_cursor_find(ssk, t->topic, first + i));
	}
	kvfree(opened);
	return min(ret, 0);
}

void sluice_cursors_close(struct sluice_sock *ssk)
{
	struct sluice_cursor *c;

	sock_owned_by_me(&ssk->sk);
	while ((c = sluice_cursor_first(ssk))) {
		sluice_cursor_close(c);
		cond_resched();
	}
}
