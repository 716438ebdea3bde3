/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetches that wait for data. The data socket has one watch for each partition;
 * any number of fetches may wait for the same one.
 */
#ifndef SLUICE_KAFKA_FETCH_PURGATORY_H
#define SLUICE_KAFKA_FETCH_PURGATORY_H

#include "daemon/core/htable.h"
#include "daemon/core/reactor.h"
#include "daemon/log/data_socket.h"

/** struct fetch_purgatory - @watches: struct fetch_watch by topic id and partition */
struct fetch_purgatory {
	struct htable watches;
	struct reactor *reactor;
	struct data_socket *data;
};

struct fetch_watch;

/** struct fetch_interest - that one parked fetch waits for one partition; private */
struct fetch_interest {
	struct list link;
	struct fetch_watch *watch;
	struct parked_fetch *fetch;
};

/**
 * struct parked_fetch - a fetch that waits; zero it to begin with
 * @wake: called, not from inside another call, when one of its partitions has
 *	grown or went away, or the time is over; it is not parked any more then
 * @timed_out: whether the time is over
 * The rest is private.
 */
struct parked_fetch {
	void (*wake)(struct parked_fetch *f);
	bool timed_out;
	struct fetch_purgatory *purgatory;
	struct fetch_interest *interests;
	size_t n_interests;
	struct timer timer;
	struct reactor_task task;
};

void fetch_purgatory_init(struct fetch_purgatory *p, struct reactor *r, struct data_socket *data);

/** fetch_purgatory_free - nothing is parked any more */
void fetch_purgatory_free(struct fetch_purgatory *p);

/**
 * fetch_park - wait
 * @interests: memory for @n, which stays until the fetch is woken or taken back
 * @watches: @n partitions, each with the high watermark that the fetch saw;
 *	the cookie is not used
 * @deadline_ms: when to give up
 * Returns 0; -ENOMEM, and then it is not parked.
 */
int fetch_park(struct fetch_purgatory *p, struct parked_fetch *f, struct fetch_interest *interests,
	       struct sluice_watch *watches, size_t n, int64_t deadline_ms);

/** fetch_unpark - take it back; it is not woken any more */
void fetch_unpark(struct parked_fetch *f);

/** fetch_purgatory_event - a watch fired */
void fetch_purgatory_event(struct fetch_purgatory *p, const struct sluice_event *ev);

#endif /* SLUICE_KAFKA_FETCH_PURGATORY_H */
