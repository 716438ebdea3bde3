// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>

#include "daemon/core/timer.h"

/* Make the later of two roots the first child of the earlier; each may be NULL. */
static struct timer *meld(struct timer *a, struct timer *b)
{
	if (!a)
		return b;
	if (!b)
		return a;
	if (b->deadline_ms < a->deadline_ms) {
		struct timer *t = a;

		a = b;
		b = t;
	}
	b->prev = a;
	b->next = a->child;
	if (a->child)
		a->child->prev = b;
	a->child = b;
	a->next = NULL;
	a->prev = NULL;
	return a;
}

/* Meld siblings pairwise from the left, then the pairs: this is what keeps the heap shallow. */
static struct timer *meld_children(struct timer *first)
{
	struct timer *pairs = NULL;
	struct timer *root = NULL;

	while (first) {
		struct timer *a = first;
		struct timer *b = a->next;

		first = b ? b->next : NULL;
		a->next = NULL;
		a->prev = NULL;
		if (b) {
			b->next = NULL;
			b->prev = NULL;
		}
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs) {
		struct timer *next = pairs->next;

		pairs->next = NULL;
		root = meld(root, pairs);
		pairs = next;
	}
	return root;
}

void timer_cancel(struct timer_heap *h, struct timer *t)
{
	struct timer *children;

	if (!t->set)
		return;
	children = meld_children(t->child);
	if (t == h->root) {
		h->root = children;
	} else {
		if (t->prev->child == t)
			t->prev->child = t->next;
		else
			t->prev->next = t->next;
		if (t->next)
			t->next->prev = t->prev;
		h->root = meld(h->root, children);
	}
	t->child = NULL;
	t->next = NULL;
	t->prev = NULL;
	t->set = false;
}

void timer_set(struct timer_heap *h, struct timer *t, int64_t deadline_ms)
{
	timer_cancel(h, t);
	if (h->running && deadline_ms <= h->run_ms)
		deadline_ms = h->run_ms + 1;
	t->deadline_ms = deadline_ms;
	t->set = true;
	h->root = meld(h->root, t);
}

void timer_run(struct timer_heap *h, int64_t now_ms)
{
	h->run_ms = now_ms;
	h->running = true;
	while (timer_next(h) <= now_ms && h->root) {
		struct timer *due = h->root;

		timer_cancel(h, due);
		due->fn(due);
	}
	h->running = false;
}
