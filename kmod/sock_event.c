// SPDX-License-Identifier: GPL-2.0
#include "partition.h"
#include "sock.h"
#include "sock_event.h"

#include <linux/slab.h>
#include <linux/uio.h>

void sluice_events_init(struct sluice_sock *ssk)
{
	spin_lock_init(&ssk->events.lock);
	INIT_LIST_HEAD(&ssk->events.queue);
}

bool sluice_event_queue(struct sluice_sock *ssk, struct sluice_sock_event *event)
{
	bool queued;

	spin_lock(&ssk->events.lock);
	queued = !ssk->events.closed;
	if (queued)
		list_add_tail(&event->node, &ssk->events.queue);
	spin_unlock(&ssk->events.lock);
	if (queued)
		sk_error_report(&ssk->sk);
	return queued;
}

void sluice_event_take_back(struct sluice_sock *ssk, struct sluice_sock_event *event)
{
	spin_lock(&ssk->events.lock);
	list_del_init(&event->node);
	spin_unlock(&ssk->events.lock);
}

bool sluice_events_pending(const struct sluice_sock *ssk)
{
	return !list_empty_careful(&ssk->events.queue);
}

static void receipt_free(struct sluice_receipt *r)
{
	struct sluice_sock *ssk = r->ssk;

	spin_lock(&ssk->events.lock);
	ssk->events.receipts--;
	spin_unlock(&ssk->events.lock);
	kfree(r);
	sock_put(&ssk->sk);
}

static void event_free(struct sluice_sock *ssk, struct sluice_sock_event *event)
{
	if (event->ev.type == SLUICE_EVENT_WATCH)
		sluice_watch_delivered(ssk, event);
	else
		receipt_free(container_of(event, struct sluice_receipt, event));
}

static struct sluice_sock_event *event_pop(struct sluice_sock *ssk)
{
	struct sluice_sock_event *event;

	spin_lock(&ssk->events.lock);
	event = list_first_entry_or_null(&ssk->events.queue, struct sluice_sock_event, node);
	if (event)
		list_del_init(&event->node);
	spin_unlock(&ssk->events.lock);
	return event;
}

void sluice_events_close(struct sluice_sock *ssk)
{
	struct sluice_sock_event *event;

	sock_owned_by_me(&ssk->sk);
	spin_lock(&ssk->events.lock);
	ssk->events.closed = true;
	spin_unlock(&ssk->events.lock);
	while ((event = event_pop(ssk)))
		event_free(ssk, event);
}

struct sluice_receipt *sluice_receipt_new(struct sluice_sock *ssk,
					  const struct sluice_receipt_request *req)
{
	struct sluice_receipt *r;
	bool room;

	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return ERR_PTR(-ENOMEM);
	spin_lock(&ssk->events.lock);
	room = ssk->events.receipts < SLUICE_SOCK_EVENTS_MAX;
	if (room)
		ssk->events.receipts++;
	spin_unlock(&ssk->events.lock);
	if (!room) {
		kfree(r);
		sluice_sock_fail(ssk, -ENOBUFS, "%u receipts wait to be read with MSG_ERRQUEUE",
				 SLUICE_SOCK_EVENTS_MAX);
		return ERR_PTR(-ENOBUFS);
	}
	sock_hold(&ssk->sk);
	r->ssk = ssk;
	INIT_LIST_HEAD(&r->event.node);
	r->event.ev.type = SLUICE_EVENT_RECEIPT;
	r->when = req->when;
	r->event.ev.cookie = req->cookie;
	return r;
}

void sluice_receipt_cancel(struct sluice_receipt *r)
{
	receipt_free(r);
}

void sluice_receipt_appended(struct sluice_receipt *r)
{
	struct sluice_sock *ssk = r->ssk;

	/* Once queued, a reader may free it and the socket may be closed. */
	sock_hold(&ssk->sk);
	if (!sluice_event_queue(ssk, &r->event))
		receipt_free(r);
	sock_put(&ssk->sk);
}

static void receipt_durable_done(struct sluice_durable *d, int err)
{
	struct sluice_receipt *r = container_of(d, struct sluice_receipt, durable);

	r->event.ev.error = err;
	sluice_receipt_appended(r);
}

void sluice_receipt_durable(struct sluice_receipt *r, struct sluice_partition *p, s64 end_offset,
			    u64 generation)
{
	r->durable.offset = end_offset;
	r->durable.generation = generation;
	r->durable.done = receipt_durable_done;
	/* The receipt is the flusher's from here, and may be freed already. */
	sluice_flush_request(p, &r->durable);
}

/* An event that could not be handed over goes back to where it was. */
static void event_unpop(struct sluice_sock *ssk, struct sluice_sock_event *event)
{
	spin_lock(&ssk->events.lock);
	list_add(&event->node, &ssk->events.queue);
	spin_unlock(&ssk->events.lock);
}

int sluice_events_recv(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct sluice_sock *ssk = sluice_sk(sk);
	struct sluice_sock_event *event;
	size_t copied = 0;
	int err = -EAGAIN;

	msg->msg_namelen = 0;
	if (len < sizeof(struct sluice_event))
		return sluice_sock_fail(ssk, -EINVAL, "room for %zu bytes, an event has %zu", len,
					sizeof(struct sluice_event));

	lock_sock(sk);
	while (len - copied >= sizeof(event->ev) && (event = event_pop(ssk))) {
		struct sluice_event ev;

		sluice_watch_prepare_event(ssk, event);
		ev = event->ev;
		if (copy_to_iter(&ev, sizeof(ev), &msg->msg_iter) != sizeof(ev)) {
			event_unpop(ssk, event);
			err = -EFAULT;
			break;
		}
		copied += sizeof(ev);
		event_free(ssk, event);
	}
	release_sock(sk);

	if (!copied)
		return err;
	msg->msg_flags |= MSG_ERRQUEUE;
	return copied;
}
