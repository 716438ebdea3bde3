// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "daemon/core/reactor.h"

#define REACTOR_EVENTS 64

/*
 * Tasks that are queued by tasks: so often without asking the kernel for events
 * between. Enough for a parked request to be woken, answered and followed by
 * the next one; not so often that descriptors wait for ever.
 */
#define REACTOR_TASK_PASSES 3

int64_t monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void read_mail(struct reactor_fd *rfd, uint32_t events)
{
	struct reactor *r = list_entry(rfd, struct reactor, mailbox_fd);

	(void)events;
	mailbox_deliver(&r->mailbox, r->ctx);
}

int reactor_init(struct reactor *r, void *ctx)
{
	int err;

	*r = (struct reactor){.ctx = ctx, .now_ms = monotonic_ms()};
	list_init(&r->tasks);
	r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll_fd < 0)
		return -errno;
	err = mailbox_init(&r->mailbox);
	if (err)
		goto err_epoll;
	r->mailbox_fd = (struct reactor_fd){.fd = mailbox_fd(&r->mailbox), .fn = read_mail};
	err = reactor_add(r, &r->mailbox_fd, EPOLLIN);
	if (err)
		goto err_mailbox;
	return 0;

err_mailbox:
	mailbox_destroy(&r->mailbox);
err_epoll:
	close(r->epoll_fd);
	return err;
}

static void run_tasks(struct reactor *r)
{
	struct list now;
	struct list *at;

	/* What a task queues waits for the next pass. */
	list_init(&now);
	list_move(&now, &r->tasks);
	while ((at = list_take(&now))) {
		struct reactor_task *t = list_entry(at, struct reactor_task, link);

		t->queued = false;
		t->fn(t);
	}
}

void reactor_destroy(struct reactor *r)
{
	mailbox_destroy(&r->mailbox);
	while (!list_empty(&r->tasks))
		run_tasks(r);
	close(r->epoll_fd);
}

int reactor_add(struct reactor *r, struct reactor_fd *rfd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = rfd};

	return epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, rfd->fd, &ev) ? -errno : 0;
}

void reactor_change(struct reactor *r, struct reactor_fd *rfd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = rfd};

	epoll_ctl(r->epoll_fd, EPOLL_CTL_MOD, rfd->fd, &ev);
}

void reactor_remove(struct reactor *r, struct reactor_fd *rfd)
{
	epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, rfd->fd, NULL);
}

void reactor_defer(struct reactor *r, struct reactor_task *t)
{
	if (t->queued)
		return;
	t->queued = true;
	list_append(&r->tasks, &t->link);
}

void reactor_cancel(struct reactor_task *t)
{
	if (!t->queued)
		return;
	t->queued = false;
	list_remove(&t->link);
}

static int wait_ms(const struct reactor *r, int max_ms)
{
	int64_t next = timer_next(&r->timers);
	int64_t left;

	if (!list_empty(&r->tasks))
		return 0;
	if (next == TIMER_NEVER)
		return max_ms;
	left = next - monotonic_ms();
	if (left < 0)
		left = 0;
	if (left > INT_MAX)
		left = INT_MAX;
	return max_ms >= 0 && max_ms < left ? max_ms : (int)left;
}

/*
 * Letters before everything else: who was told of a change by another thread,
 * and comes to this one with it, must find it known here.
 */
static void mail_first(struct reactor *r, struct epoll_event *events, int n)
{
	for (int i = 1; i < n; i++) {
		if (events[i].data.ptr == &r->mailbox_fd) {
			struct epoll_event mail = events[i];

			events[i] = events[0];
			events[0] = mail;
		}
	}
}

void reactor_round(struct reactor *r, int max_ms)
{
	struct epoll_event events[REACTOR_EVENTS];
	int n = epoll_wait(r->epoll_fd, events, REACTOR_EVENTS, wait_ms(r, max_ms));

	r->now_ms = monotonic_ms();
	mail_first(r, events, n);
	for (int i = 0; i < n; i++) {
		struct reactor_fd *rfd = events[i].data.ptr;

		rfd->fn(rfd, events[i].events);
	}
	timer_run(&r->timers, r->now_ms);
	for (int i = 0; i < REACTOR_TASK_PASSES && !list_empty(&r->tasks); i++)
		run_tasks(r);
}

void reactor_run(struct reactor *r)
{
	while (!r->stop)
		reactor_round(r, -1);
}
