// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/kafka/fetch_purgatory.h"

/**
 * struct fetch_watch - a partition that somebody waits for, or waited for
 * @armed: the kernel has a watch for it that did not fire yet. It stays when
 *	the fetch that set it is answered by its timeout, because the next fetch
 *	of an idle consumer wants the same one. The offset it was set with is
 *	not above what any later fetch waits for: the high watermark only grows
 */
struct fetch_watch {
	struct hnode node;
	struct list interests;
	uint8_t topic_id[SLUICE_TOPIC_ID_LEN];
	int32_t partition;
	bool armed;
};

void fetch_purgatory_init(struct fetch_purgatory *p, struct reactor *r, struct data_socket *data)
{
	htable_init(&p->watches);
	p->reactor = r;
	p->data = data;
}

static void free_watch(struct hnode *n, void *ctx)
{
	struct fetch_purgatory *p = ctx;

	htable_remove(&p->watches, n);
	free(hnode_entry(n, struct fetch_watch, node));
}

void fetch_purgatory_free(struct fetch_purgatory *p)
{
	htable_each(&p->watches, free_watch, p);
	htable_free(&p->watches);
}

static uint64_t hash_partition(const uint8_t id[SLUICE_TOPIC_ID_LEN], int32_t partition)
{
	return hash_u64(hash_bytes(0, id, SLUICE_TOPIC_ID_LEN), (uint64_t)partition);
}

static struct fetch_watch *find_watch(const struct fetch_purgatory *p,
				      const uint8_t id[SLUICE_TOPIC_ID_LEN], int32_t partition)
{
	struct hnode *n = htable_first(&p->watches, hash_partition(id, partition));

	for (; n; n = htable_next(n)) {
		struct fetch_watch *w = hnode_entry(n, struct fetch_watch, node);

		if (w->partition == partition && !memcmp(w->topic_id, id, SLUICE_TOPIC_ID_LEN))
			return w;
	}
	return NULL;
}

static struct fetch_watch *get_watch(struct fetch_purgatory *p,
				     const uint8_t id[SLUICE_TOPIC_ID_LEN], int32_t partition)
{
	struct fetch_watch *w = find_watch(p, id, partition);

	if (w)
		return w;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	list_init(&w->interests);
	memcpy(w->topic_id, id, sizeof(w->topic_id));
	w->partition = partition;
	if (htable_insert(&p->watches, &w->node, hash_partition(id, partition))) {
		free(w);
		return NULL;
	}
	return w;
}

static void put_watch(struct fetch_purgatory *p, struct fetch_watch *w)
{
	if (!w->armed && list_empty(&w->interests))
		free_watch(&w->node, p);
}

static void unlink_interests(struct parked_fetch *f)
{
	for (size_t i = 0; i < f->n_interests; i++) {
		list_remove(&f->interests[i].link);
		put_watch(f->purgatory, f->interests[i].watch);
	}
	f->n_interests = 0;
}

static void wake_task(struct reactor_task *t)
{
	struct parked_fetch *f = list_entry(t, struct parked_fetch, task);

	timer_cancel(&f->purgatory->reactor->timers, &f->timer);
	unlink_interests(f);
	f->wake(f);
}

static void on_timeout(struct timer *t)
{
	struct parked_fetch *f = list_entry(t, struct parked_fetch, timer);

	f->timed_out = true;
	reactor_defer(f->purgatory->reactor, &f->task);
}

/*
 * Ask the kernel for the watches that it does not have yet: they are moved to
 * the front. If it refuses (a topic went away, there are too many), the timeout
 * still ends the wait.
 */
static void arm(struct fetch_purgatory *p, struct parked_fetch *f, struct sluice_watch *watches)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_interests; i++) {
		if (!f->interests[i].watch->armed)
			watches[n++] = watches[i];
	}
	if (!n || data_socket_watch(p->data, watches, n))
		return;
	for (size_t i = 0; i < f->n_interests; i++)
		f->interests[i].watch->armed = true;
}

int fetch_park(struct fetch_purgatory *p, struct parked_fetch *f, struct fetch_interest *interests,
	       struct sluice_watch *watches, size_t n, int64_t deadline_ms)
{
	f->purgatory = p;
	f->interests = interests;
	f->n_interests = 0;
	f->task.fn = wake_task;
	f->timer.fn = on_timeout;
	while (f->n_interests < n) {
		struct sluice_watch *at = &watches[f->n_interests];
		struct fetch_interest *interest = &interests[f->n_interests];

		interest->fetch = f;
		interest->watch = get_watch(p, at->topic_id, at->partition);
		if (!interest->watch) {
			unlink_interests(f);
			return -ENOMEM;
		}
		list_append(&interest->watch->interests, &interest->link);
		f->n_interests++;
	}
	arm(p, f, watches);
	timer_set(&p->reactor->timers, &f->timer, deadline_ms);
	return 0;
}

void fetch_unpark(struct parked_fetch *f)
{
	timer_cancel(&f->purgatory->reactor->timers, &f->timer);
	unlink_interests(f);
	reactor_cancel(&f->task);
}

void fetch_purgatory_event(struct fetch_purgatory *p, const struct sluice_event *ev)
{
	struct fetch_watch *w = find_watch(p, ev->topic_id, ev->partition);
	struct list *at;
	struct list *after;

	if (!w)
		return;
	w->armed = false;
	list_for_each_safe(at, after, &w->interests) reactor_defer(
		p->reactor, &list_entry(at, struct fetch_interest, link)->fetch->task);
	put_watch(p, w);
}
