/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of one thread: waits for file descriptors, timers and mail, and
 * calls what was registered for them. Everything here is called from that
 * thread alone, except reactor_mailbox(), which others post to.
 */
#ifndef SLUICE_CORE_REACTOR_H
#define SLUICE_CORE_REACTOR_H

#include <stdint.h>

#include "daemon/core/list.h"
#include "daemon/core/mailbox.h"
#include "daemon/core/timer.h"

/**
 * struct reactor_fd - a file descriptor that is waited for
 * @fd: borrowed
 * @fn: called with the EPOLL* bits that are set
 */
struct reactor_fd {
	int fd;
	void (*fn)(struct reactor_fd *rfd, uint32_t events);
};

/**
 * struct reactor_task - something to be done once this round's events are through
 * Zero it to begin with. @fn is called once; the task is not queued any more
 * then and may be freed by it.
 */
struct reactor_task {
	struct list link;
	void (*fn)(struct reactor_task *t);
	bool queued;
};

/**
 * struct reactor - private but for @timers and @now_ms
 * @timers: timers of this thread; times are those of @now_ms
 * @now_ms: CLOCK_MONOTONIC when the round began
 * @ctx: given to the letters that are delivered here
 */
struct reactor {
	struct timer_heap timers;
	int64_t now_ms;
	void *ctx;
	int epoll_fd;
	struct list tasks;
	struct mailbox mailbox;
	struct reactor_fd mailbox_fd;
	bool stop;
};

/** reactor_init - 0 or -errno; @ctx: for letters */
int reactor_init(struct reactor *r, void *ctx);

/**
 * reactor_destroy - the tasks that are queued are run; timers are forgotten
 * Letters that were not delivered are told, as mailbox_destroy() says.
 */
void reactor_destroy(struct reactor *r);

/** reactor_add - wait for @events (EPOLL*) of rfd->fd; 0 or -errno */
int reactor_add(struct reactor *r, struct reactor_fd *rfd, uint32_t events);

/** reactor_change - other events for a descriptor that was added */
void reactor_change(struct reactor *r, struct reactor_fd *rfd, uint32_t events);

/**
 * reactor_remove - stop waiting; call it before closing the descriptor
 * An event that was fetched already may still be delivered this round: keep
 * the memory until a task that is queued now runs.
 */
void reactor_remove(struct reactor *r, struct reactor_fd *rfd);

/** reactor_defer - queue a task; does nothing to one that is queued */
void reactor_defer(struct reactor *r, struct reactor_task *t);

/** reactor_cancel - take a task out of the queue; does nothing to one that is not queued */
void reactor_cancel(struct reactor_task *t);

static inline struct mailbox *reactor_mailbox(struct reactor *r)
{
	return &r->mailbox;
}

/** reactor_round - wait once, @max_ms at most (-1: as long as it takes), and serve what came */
void reactor_round(struct reactor *r, int max_ms);

/** reactor_run - serve until reactor_stop() */
void reactor_run(struct reactor *r);

static inline void reactor_stop(struct reactor *r)
{
	r->stop = true;
}

/** monotonic_ms - now, on the clock of reactors and timers */
int64_t monotonic_ms(void);

#endif /* SLUICE_CORE_REACTOR_H */
