// SPDX-License-Identifier: GPL-2.0
/*
 * Watches: being told once when a partition grows, without reading it. A broker
 * sets one for each partition that a parked fetch waits for.
 *
 * A watch is armed (in the partition's notifier), then fired (its event is in
 * the socket's queue), then gone (the event was read, or the watch was set
 * again or removed). Only lock_sock() holders make, change and free watches; the
 * wake function takes it from armed to fired. sluice_notify_del() comes before
 * every change, so that no wake function is looking at it.
 */
#include "partition.h"
#include "sock.h"
#include "sock_event.h"

#include <linux/rbtree.h>
#include <linux/slab.h>

/**
 * struct sluice_watch_entry - one watch
 * @rb: in ssk->watches
 * @waiter: in the partition's notifier while armed
 * @event: its topic id and partition are the key
 * @ssk: the socket
 * @topic: holds a reference
 * @p: holds a reference
 */
struct sluice_watch_entry {
	struct rb_node rb;
	struct sluice_waiter waiter;
	struct sluice_sock_event event;
	struct sluice_sock *ssk;
	struct sluice_topic *topic;
	struct sluice_partition *p;
};

static int watch_cmp(const struct sluice_watch_entry *w, const u8 *topic_id, s32 partition)
{
	int cmp = memcmp(topic_id, w->event.ev.topic_id, SLUICE_TOPIC_ID_LEN);

	if (cmp)
		return cmp;
	return partition < w->event.ev.partition ? -1 : partition > w->event.ev.partition;
}

static struct sluice_watch_entry *watch_find(struct sluice_sock *ssk, const u8 *topic_id,
					     s32 partition)
{
	struct rb_node *node = ssk->watches.rb_node;

	while (node) {
		struct sluice_watch_entry *w = rb_entry(node, struct sluice_watch_entry, rb);
		int cmp = watch_cmp(w, topic_id, partition);

		if (!cmp)
			return w;
		node = cmp < 0 ? node->rb_left : node->rb_right;
	}
	return NULL;
}

static void watch_insert(struct sluice_sock *ssk, struct sluice_watch_entry *new)
{
	struct rb_node **link = &ssk->watches.rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		struct sluice_watch_entry *w = rb_entry(*link, struct sluice_watch_entry, rb);

		parent = *link;
		if (watch_cmp(w, new->event.ev.topic_id, new->event.ev.partition) < 0)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&new->rb, parent, link);
	rb_insert_color(&new->rb, &ssk->watches);
	ssk->watch_count++;
}

static bool watch_wake(struct sluice_waiter *waiter, s64 high_watermark, int err)
{
	struct sluice_watch_entry *w = container_of(waiter, struct sluice_watch_entry, waiter);

	/* What it waits for is still to come. */
	if (err == -ESTALE && READ_ONCE(waiter->above) <= high_watermark)
		return false;
	w->event.ev.error = err;
	sluice_event_queue(w->ssk, &w->event);
	return true;
}

/* Neither armed nor fired, when it returns. */
static void watch_disarm(struct sluice_watch_entry *w)
{
	sluice_notify_del(w->p, &w->waiter);
	sluice_event_take_back(w->ssk, &w->event);
}

static void watch_free(struct sluice_watch_entry *w)
{
	struct sluice_sock *ssk = w->ssk;

	watch_disarm(w);
	rb_erase(&w->rb, &ssk->watches);
	ssk->watch_count--;
	sluice_partition_put(w->p);
	sluice_topic_put(w->topic);
	kfree(w);
}

static int watch_arm(struct sluice_watch_entry *w, s64 offset)
{
	s64 high_watermark;
	int err;

	err = sluice_notify_add(w->p, &w->waiter, offset);
	if (err)
		return err;
	err = sluice_partition_enter(w->p);
	if (err)
		return err;
	high_watermark = sluice_log_high_watermark(w->p->log);
	sluice_partition_leave(w->p);
	if (high_watermark <= offset)
		return 0;

	/* It grew before; if the wake function was faster, it is queued already. */
	sluice_notify_del(w->p, &w->waiter);
	sluice_event_take_back(w->ssk, &w->event);
	w->event.ev.error = 0;
	sluice_event_queue(w->ssk, &w->event);
	return 0;
}

static struct sluice_watch_entry *watch_new(struct sluice_sock *ssk, const struct sluice_watch *req)
{
	struct sluice_watch_entry *w;

	if (ssk->watch_count >= SLUICE_SOCK_WATCHES_MAX) {
		sluice_sock_fail(ssk, -ENOBUFS, "a socket has at most %u watches",
				 SLUICE_SOCK_WATCHES_MAX);
		return ERR_PTR(-ENOBUFS);
	}
	w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	if (!w)
		return ERR_PTR(-ENOMEM);
	w->ssk = ssk;
	sluice_waiter_init(&w->waiter, watch_wake);
	INIT_LIST_HEAD(&w->event.node);
	w->event.ev.type = SLUICE_EVENT_WATCH;
	w->event.ev.timestamp = -1;
	w->event.ev.partition = req->partition;
	memcpy(w->event.ev.topic_id, req->topic_id, SLUICE_TOPIC_ID_LEN);
	return w;
}

int sluice_watch_set(struct sluice_sock *ssk, const struct sluice_watch *req)
{
	struct sluice_watch_entry *w;
	struct sluice_partition *p;
	struct sluice_topic *topic;
	int err;

	sock_owned_by_me(&ssk->sk);
	if (req->flags & ~SLUICE_WATCH_REMOVE)
		return sluice_sock_fail(ssk, -EINVAL, "unknown flags %#x of a watch", req->flags);

	w = watch_find(ssk, req->topic_id, req->partition);
	if (req->flags & SLUICE_WATCH_REMOVE) {
		if (!w)
			return sluice_sock_fail(ssk, -ENOENT, "no such watch");
		watch_free(w);
		return 0;
	}

	err = sluice_partition_find(ssk, req->topic_id, req->partition, MAY_READ, &topic, &p);
	if (err)
		return err;
	if (w) {
		watch_disarm(w);
		sluice_partition_put(w->p);
		sluice_topic_put(w->topic);
		w->topic = topic;
		w->p = p;
	} else {
		w = watch_new(ssk, req);
		if (IS_ERR(w)) {
			sluice_partition_put(p);
			sluice_topic_put(topic);
			return PTR_ERR(w);
		}
		w->topic = topic;
		w->p = p;
		watch_insert(ssk, w);
	}
	w->event.ev.error = 0;
	w->event.ev.cookie = req->cookie;
	err = watch_arm(w, req->offset);
	if (err) {
		watch_free(w);
		/* It went away between the look-up and here. */
		return sluice_sock_fail(ssk, -ENOENT, "the topic was deleted");
	}
	return 0;
}

void sluice_watch_prepare_event(struct sluice_sock *ssk, struct sluice_sock_event *event)
{
	struct sluice_watch_entry *w;

	if (event->ev.type != SLUICE_EVENT_WATCH)
		return;
	sock_owned_by_me(&ssk->sk);
	w = container_of(event, struct sluice_watch_entry, event);
	event->ev.offset = -1;
	event->ev.log_start_offset = -1;
	if (sluice_partition_enter(w->p))
		return;
	event->ev.offset = sluice_log_end_offset(w->p->log);
	event->ev.log_start_offset = sluice_log_start_offset(w->p->log);
	sluice_partition_leave(w->p);
}

void sluice_watch_delivered(struct sluice_sock *ssk, struct sluice_sock_event *event)
{
	sock_owned_by_me(&ssk->sk);
	watch_free(container_of(event, struct sluice_watch_entry, event));
}

void sluice_watches_close(struct sluice_sock *ssk)
{
	struct rb_node *node;

	sock_owned_by_me(&ssk->sk);
	while ((node = rb_first(&ssk->watches))) {
		watch_free(rb_entry(node, struct sluice_watch_entry, rb));
		cond_resched();
	}
}
