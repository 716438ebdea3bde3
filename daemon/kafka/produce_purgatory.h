/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Produce requests that wait for receipts. An "appended" receipt is there at
 * once, a "durable" one comes when the log was flushed.
 */
#ifndef SLUICE_KAFKA_PRODUCE_PURGATORY_H
#define SLUICE_KAFKA_PRODUCE_PURGATORY_H

#include <stdbool.h>
#include <linux/sluice.h>

#include "daemon/core/htable.h"
#include "daemon/core/reactor.h"

/** struct produce_purgatory - @waiting: struct parked_produce by number */
struct produce_purgatory {
	struct htable waiting;
	struct reactor *reactor;
	uint64_t next_number;
};

/**
 * struct parked_produce - a request that waits; zero it to begin with
 * @receipt: called for each receipt; @index: of the batch, as given to
 *	produce_cookie(). From inside worker_read_events()
 * @wake: called, not from inside another call, when it was parked and the last
 *	receipt is there or the time is over; it is not waiting any more then
 * @outstanding: receipts that are still to come; the handler counts it up
 *	before each append
 * The rest is private.
 */
struct parked_produce {
	void (*receipt)(struct parked_produce *p, uint32_t index, const struct sluice_event *ev);
	void (*wake)(struct parked_produce *p);
	uint32_t outstanding;
	struct produce_purgatory *purgatory;
	uint64_t number;
	struct hnode node;
	struct timer timer;
	struct reactor_task task;
	bool parked;
};

/** PRODUCE_BATCHES_MAX - batches of one request that cookies can tell apart */
#define PRODUCE_BATCHES_MAX (1u << 20)

void produce_purgatory_init(struct produce_purgatory *g, struct reactor *r);

/** produce_purgatory_free - nothing waits any more */
void produce_purgatory_free(struct produce_purgatory *g);

/** produce_begin - receipts may come from now on; 0 or -ENOMEM */
int produce_begin(struct produce_purgatory *g, struct parked_produce *p);

/** produce_cookie - to ask for the receipt of batch @index with */
static inline uint64_t produce_cookie(const struct parked_produce *p, uint32_t index)
{
	return p->number * PRODUCE_BATCHES_MAX + index;
}

/** produce_park - wait until @deadline_ms */
void produce_park(struct parked_produce *p, int64_t deadline_ms);

/** produce_end - forget it; receipts that still come go nowhere, and it is not woken */
void produce_end(struct parked_produce *p);

/** produce_purgatory_receipt - a receipt came */
void produce_purgatory_receipt(struct produce_purgatory *g, const struct sluice_event *ev);

#endif /* SLUICE_KAFKA_PRODUCE_PURGATORY_H */
