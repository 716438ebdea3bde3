// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "daemon/core/diag.h"
#include "daemon/net/conn.h"
#include "daemon/worker.h"

/* Files kept open for sendfile, and events taken from the socket at once. */
#define SEGMENT_FDS	256
#define EVENTS_AT_ONCE	32
#define ACCEPT_AT_ONCE	8
#define ACCEPT_PAUSE_MS 100
#define DRAIN_MS	5000

struct image_mail {
	struct mail mail;
	struct image *image;
};

static struct diag_limit accept_limit;
static struct diag_limit event_limit;

void worker_read_events(struct worker *w)
{
	struct sluice_event events[EVENTS_AT_ONCE];
	int n;

	do {
		n = data_socket_events(w->data, events, EVENTS_AT_ONCE);
		if (n < 0)
			diag_limited(&event_limit, DIAG_ERROR, "cannot read the log's events: %s",
				     strerror(-n));
		for (int i = 0; i < n; i++) {
			if (events[i].type == SLUICE_EVENT_RECEIPT)
				produce_purgatory_receipt(&w->produces, &events[i]);
			else
				fetch_purgatory_event(&w->fetches, &events[i]);
		}
		/* Fewer than there was room for: that was all, and asking again costs a call. */
	} while (n == EVENTS_AT_ONCE);
}

static void on_data(struct reactor_fd *rfd, uint32_t events)
{
	(void)events;
	worker_read_events(list_entry(rfd, struct worker, data_io));
}

static void remove_listeners(struct worker *w)
{
	for (unsigned int i = 0; w->accepting && i < w->broker->n_listeners; i++)
		reactor_remove(&w->reactor, &w->listeners[i].io);
	w->accepting = false;
}

/* Level-triggered: without a pause it would spin. EPOLLEXCLUSIVE cannot be changed. */
static void pause_accepting(struct worker *w)
{
	remove_listeners(w);
	timer_set(&w->reactor.timers, &w->accept_pause, w->reactor.now_ms + ACCEPT_PAUSE_MS);
}

static int accept_one(struct worker *w, int listener_fd)
{
	int fd;

	if (!conn_limits_reserve(w->broker->limits)) {
		diag_limited(&accept_limit, DIAG_WARNING,
			     "there are max.connections connections: more have to wait");
		return -EUSERS;
	}
	fd = accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		return fd;
	fd = -errno;
	conn_limits_unreserve(w->broker->limits);
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS)
		diag_limited(&accept_limit, DIAG_WARNING,
			     "cannot accept a connection: %s; raise LimitNOFILE or close some",
			     strerror(-fd));
	return fd;
}

static void on_accept(struct reactor_fd *rfd, uint32_t events)
{
	struct worker_listener *l = list_entry(rfd, struct worker_listener, io);
	struct worker *w = l->worker;

	(void)events;
	for (int i = 0; w->accepting && i < ACCEPT_AT_ONCE; i++) {
		int fd = accept_one(w, rfd->fd);

		if (fd >= 0)
			conn_open(w, fd, l->index);
		else if (fd == -EAGAIN)
			return;
		else if (fd != -EINTR && fd != -ECONNABORTED)
			pause_accepting(w);
	}
}

/* One waiting worker is woken for a connection, not all of them. */
static int add_listeners(struct worker *w)
{
	w->accepting = true;
	for (unsigned int i = 0; i < w->broker->n_listeners; i++) {
		struct worker_listener *l = &w->listeners[i];
		int err;

		l->worker = w;
		l->index = i;
		l->io = (struct reactor_fd){.fd = w->broker->listeners[i].fd, .fn = on_accept};
		err = reactor_add(&w->reactor, &l->io, EPOLLIN | EPOLLEXCLUSIVE);
		if (err)
			return err;
	}
	return 0;
}

static void accept_again(struct timer *t)
{
	struct worker *w = list_entry(t, struct worker, accept_pause);

	(void)t;
	if (!w->draining && add_listeners(w))
		pause_accepting(w);
}

int worker_init(struct worker *w, const struct broker *broker, struct controller *controller,
		struct coordinators *coordinators, struct image *image)
{
	int err;

	*w = (struct worker){
		.broker = broker,
		.controller = controller,
		.coordinators = coordinators,
		.image = image,
	};
	list_init(&w->conns);
	list_init(&w->starved);
	w->feed.fn = conn_feed_timer;
	w->accept_pause.fn = accept_again;
	segment_fd_cache_init(&w->segments, SEGMENT_FDS);
	err = reactor_init(&w->reactor, w);
	if (err)
		goto err_image;
	err = data_socket_open(broker->family, &w->data);
	if (err) {
		diag(DIAG_ERROR, "cannot open a socket of the sluice module: %s", strerror(-err));
		goto err_reactor;
	}
	w->data_io = (struct reactor_fd){.fd = data_socket_fd(w->data), .fn = on_data};
	err = reactor_add(&w->reactor, &w->data_io, data_socket_poll_events(w->data));
	if (err)
		goto err_data;
	fetch_purgatory_init(&w->fetches, &w->reactor, w->data);
	produce_purgatory_init(&w->produces, &w->reactor);
	return 0;

err_data:
	data_socket_close(w->data);
err_reactor:
	reactor_destroy(&w->reactor);
err_image:
	image_put(image);
	return err;
}

void worker_destroy(struct worker *w)
{
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &w->conns)
		conn_close(list_entry(at, struct conn, link), NULL);
	reactor_destroy(&w->reactor);
	produce_purgatory_free(&w->produces);
	fetch_purgatory_free(&w->fetches);
	segment_fd_cache_free(&w->segments);
	data_socket_close(w->data);
	image_put(w->image);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	reactor_run(&w->reactor);
	return NULL;
}

int worker_start(struct worker *w)
{
	sigset_t all, before;
	int err = add_listeners(w);

	if (err)
		return err;
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		remove_listeners(w);
	return -err;
}

void worker_join(struct worker *w)
{
	pthread_join(w->thread, NULL);
}

void worker_conn_gone(struct worker *w)
{
	w->n_conns--;
	if (w->draining && !w->n_conns)
		reactor_stop(&w->reactor);
}

static void on_drain_deadline(struct timer *t)
{
	struct worker *w = list_entry(t, struct worker, drain_deadline);
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &w->conns)
		conn_close(list_entry(at, struct conn, link), NULL);
}

static void deliver_stop(struct mail *m, void *ctx)
{
	struct worker *w = ctx;
	struct list *at;
	struct list *after;

	(void)m;
	if (!w)
		return;
	w->draining = true;
	remove_listeners(w);
	list_for_each_safe(at, after, &w->conns) conn_drain(list_entry(at, struct conn, link));
	w->drain_deadline.fn = on_drain_deadline;
	timer_set(&w->reactor.timers, &w->drain_deadline, w->reactor.now_ms + DRAIN_MS);
	if (!w->n_conns)
		reactor_stop(&w->reactor);
}

void worker_stop(struct worker *w)
{
	w->stop.deliver = deliver_stop;
	mailbox_post(reactor_mailbox(&w->reactor), &w->stop);
}

static void deliver_image(struct mail *m, void *ctx)
{
	struct image_mail *im = list_entry(m, struct image_mail, mail);
	struct worker *w = ctx;

	if (w) {
		image_put(w->image);
		w->image = im->image;
		segment_fd_cache_prune(&w->segments, w->image);
	} else {
		image_put(im->image);
	}
	free(im);
}

int worker_post_image(struct worker *w, struct image *image)
{
	struct image_mail *im = malloc(sizeof(*im));

	if (!im)
		return -ENOMEM;
	im->mail.deliver = deliver_image;
	im->image = image_get(image);
	mailbox_post(reactor_mailbox(&w->reactor), &im->mail);
	return 0;
}
