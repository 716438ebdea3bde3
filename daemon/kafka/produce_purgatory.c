// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/produce_purgatory.h"

void produce_purgatory_init(struct produce_purgatory *g, struct reactor *r)
{
	htable_init(&g->waiting);
	g->reactor = r;
	g->next_number = 1;
}

void produce_purgatory_free(struct produce_purgatory *g)
{
	htable_free(&g->waiting);
}

static void on_timeout(struct timer *t)
{
	struct parked_produce *p = list_entry(t, struct parked_produce, timer);

	reactor_defer(p->purgatory->reactor, &p->task);
}

static void wake_task(struct reactor_task *t)
{
	struct parked_produce *p = list_entry(t, struct parked_produce, task);

	produce_end(p);
	p->wake(p);
}

int produce_begin(struct produce_purgatory *g, struct parked_produce *p)
{
	int err;

	p->purgatory = g;
	p->number = g->next_number++;
	p->timer.fn = on_timeout;
	p->task.fn = wake_task;
	err = htable_insert(&g->waiting, &p->node, hash_u64(0, p->number));
	if (err)
		p->purgatory = NULL;
	return err;
}

void produce_park(struct parked_produce *p, int64_t deadline_ms)
{
	p->parked = true;
	timer_set(&p->purgatory->reactor->timers, &p->timer, deadline_ms);
}

void produce_end(struct parked_produce *p)
{
	if (!p->purgatory)
		return;
	timer_cancel(&p->purgatory->reactor->timers, &p->timer);
	reactor_cancel(&p->task);
	htable_remove(&p->purgatory->waiting, &p->node);
	p->purgatory = NULL;
}

void produce_purgatory_receipt(struct produce_purgatory *g, const struct sluice_event *ev)
{
	uint64_t number = ev->cookie / PRODUCE_BATCHES_MAX;
	struct hnode *n = htable_first(&g->waiting, hash_u64(0, number));

	for (; n; n = htable_next(n)) {
		struct parked_produce *p = hnode_entry(n, struct parked_produce, node);

		if (p->number != number)
			continue;
		p->outstanding--;
		p->receipt(p, (uint32_t)(ev->cookie % PRODUCE_BATCHES_MAX), ev);
		if (!p->outstanding && p->parked)
			reactor_defer(g->reactor, &p->task);
		return;
	}
}
