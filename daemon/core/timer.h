/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers of one thread: a pairing heap whose links lie inside the timers, so
 * that setting one needs no memory and cannot fail.
 *
 * Times are milliseconds on CLOCK_MONOTONIC. The heap has no clock: whoever
 * owns it tells it the time, which tests make up.
 */
#ifndef SLUICE_CORE_TIMER_H
#define SLUICE_CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/** TIMER_NEVER - deadline of an empty heap */
#define TIMER_NEVER INT64_MAX

/**
 * struct timer - something to be done at a time
 * @deadline_ms: when; only the heap changes it
 * @fn: called once when the time has come; the timer is no longer set then
 * Zero it to begin with. Its memory must stay until it fired or was cancelled.
 */
struct timer {
	int64_t deadline_ms;
	void (*fn)(struct timer *t);
	struct timer *child;
	struct timer *next;
	struct timer *prev; /* the sibling before, or the parent of a first child */
	bool set;
};

/**
 * struct timer_heap - zero is an empty one
 * @root: the timer that is due first
 * @run_ms: the time of the timer_run() that is going on
 * @running: whether there is one
 */
struct timer_heap {
	struct timer *root;
	int64_t run_ms;
	bool running;
};

/** timer_set - call t->fn at @deadline_ms; moves a timer that is set already */
void timer_set(struct timer_heap *h, struct timer *t, int64_t deadline_ms);

/** timer_cancel - does nothing to a timer that is not set */
void timer_cancel(struct timer_heap *h, struct timer *t);

/** timer_next - earliest deadline, or TIMER_NEVER */
static inline int64_t timer_next(const struct timer_heap *h)
{
	return h->root ? h->root->deadline_ms : TIMER_NEVER;
}

/**
 * timer_run - fire everything that is due at @now_ms, the earliest first
 * What a callback sets for a time not after @now_ms is set for the
 * millisecond after it: two timers that set each other do not run for ever.
 */
void timer_run(struct timer_heap *h, int64_t now_ms);

#endif /* SLUICE_CORE_TIMER_H */
