/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a socket is told later: receipts of what it sent, watches that fired.
 * The memory of an event is there before its cause, so that nothing can fail
 * once records are in the log.
 */
#ifndef SLUICE_SOCK_EVENT_H
#define SLUICE_SOCK_EVENT_H

#include "flush.h"
#include "sock.h"

/**
 * struct sluice_sock_event - an event, embedded in what caused it
 * @node: in the socket's queue; events.lock
 * @ev: what userspace gets
 */
struct sluice_sock_event {
	struct list_head node;
	struct sluice_event ev;
};

/**
 * struct sluice_receipt - a receipt promised
 * @event: queued when it is due
 * @ssk: holds a reference to the socket, which may be closed before the flush
 *	answers
 * @when: SLUICE_RECEIPT_*, as it was asked for
 * @durable: the flush request, if it is to wait for stable storage
 */
struct sluice_receipt {
	struct sluice_sock_event event;
	struct sluice_sock *ssk;
	u32 when;
	struct sluice_durable durable;
};

void sluice_events_init(struct sluice_sock *ssk);

/** sluice_events_close() - throw away what is queued; refuse what comes. */
void sluice_events_close(struct sluice_sock *ssk);

/**
 * sluice_event_queue() - tell the socket
 * Return: false if the socket is closed; the event is still the caller's.
 */
bool sluice_event_queue(struct sluice_sock *ssk, struct sluice_sock_event *event);

/** sluice_event_take_back() - if it was queued and not read, it is not any more. */
void sluice_event_take_back(struct sluice_sock *ssk, struct sluice_sock_event *event);

bool sluice_events_pending(const struct sluice_sock *ssk);

/**
 * sluice_receipt_new() - promise a receipt, before the append
 * Return: the receipt, or ERR_PTR: -ENOBUFS too many are unread, -ENOMEM.
 */
struct sluice_receipt *__must_check sluice_receipt_new(struct sluice_sock *ssk,
						const struct sluice_receipt_request *req);

/** sluice_receipt_cancel() - nothing was appended. */
void sluice_receipt_cancel(struct sluice_receipt *r);

/** sluice_receipt_appended() - give it now. */
void sluice_receipt_appended(struct sluice_receipt *r);

/** sluice_receipt_durable() - give it when all below @end_offset is durable, see flush.h. */
void sluice_receipt_durable(struct sluice_receipt *r, struct sluice_partition *p, s64 end_offset,
			    u64 generation);

/** sluice_events_recv() - recvmsg(MSG_ERRQUEUE). Context: lock_sock() not held. */
int sluice_events_recv(struct sock *sk, struct msghdr *msg, size_t len);

/* Watches: sock_watch.c. All need lock_sock(). */

/** sluice_watch_set() - set, move or remove the watch of one partition. */
int __must_check sluice_watch_set(struct sluice_sock *ssk, const struct sluice_watch *req);

/**
 * sluice_watch_prepare_event() - bring the offsets of a fired watch up to date
 * @event: taken off the queue
 */
void sluice_watch_prepare_event(struct sluice_sock *ssk, struct sluice_sock_event *event);

/** sluice_watch_delivered() - its event was read; it is gone after this. */
void sluice_watch_delivered(struct sluice_sock *ssk, struct sluice_sock_event *event);
void sluice_watches_close(struct sluice_sock *ssk);

#endif /* SLUICE_SOCK_EVENT_H */
