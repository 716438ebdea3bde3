// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The producers that a log remembers: found by id, ordered by age. */
#include "producer_table.h"

#define BUCKET_BITS_MIN		4
#define BUCKET_BITS_MAX		15
#define EXPIRE_BUCKETS		512	/* looked at by one expiry */

static void list_remove(struct sluice_producer_list *list, struct sluice_producer *p)
{
	if (p->newer)
		p->newer->older = p->older;
	else
		list->newest = p->older;
	if (p->older)
		p->older->newer = p->newer;
	else
		list->oldest = p->newer;
}

static void list_add_newest(struct sluice_producer_list *list, struct sluice_producer *p)
{
	p->newer = NULL;
	p->older = list->newest;
	if (list->newest)
		list->newest->newer = p;
	else
		list->oldest = p;
	list->newest = p;
}

static void list_free(struct sluice_producer_list *list)
{
	struct sluice_producer *p, *newer;

	for (p = list->oldest; p; p = newer) {
		newer = p->newer;
		port_free(p);
	}
}

void sluice_producer_table_destroy(struct sluice_producer_table *t)
{
	list_free(&t->idle);
	list_free(&t->open);
	port_free(t->spare);
	port_free(t->buckets);
}

static struct sluice_producer **bucket(const struct sluice_producer_table *t, s64 id)
{
	u64 h = (u64)id * 0x9e3779b97f4a7c15ULL;

	return &t->buckets[h >> (64 - t->bucket_bits)];
}

struct sluice_producer *sluice_producer_table_find(const struct sluice_producer_table *t, s64 id)
{
	struct sluice_producer *p;

	if (!t->buckets)
		return NULL;
	for (p = *bucket(t, id); p; p = p->bucket_next) {
		if (p->id == id)
			return p;
	}
	return NULL;
}

static void rehash_list(struct sluice_producer_table *t, struct sluice_producer_list *list)
{
	struct sluice_producer *p;

	for (p = list->oldest; p; p = p->newer) {
		struct sluice_producer **head = bucket(t, p->id);

		p->bucket_next = *head;
		*head = p;
	}
}

/* Fails only where there are no buckets at all: long chains are slow, not wrong. */
static int grow_buckets(struct sluice_producer_table *t)
{
	u32 bits = t->buckets ? t->bucket_bits + 1 : BUCKET_BITS_MIN;
	struct sluice_producer **buckets;

	if (t->buckets && (t->count < 2U << t->bucket_bits || bits > BUCKET_BITS_MAX))
		return 0;
	buckets = port_alloc(sizeof(*buckets) << bits);
	if (!buckets)
		return t->buckets ? 0 : -ENOMEM;
	port_free(t->buckets);
	t->buckets = buckets;
	t->bucket_bits = bits;
	t->expire_next = 0;
	rehash_list(t, &t->idle);
	rehash_list(t, &t->open);
	return 0;
}

int sluice_producer_table_reserve(struct sluice_producer_table *t)
{
	if (t->count >= SLUICE_PRODUCERS_MAX && !t->idle.oldest)
		return -ENOMEM;
	if (grow_buckets(t))
		return -ENOMEM;
	if (!t->spare)
		t->spare = port_alloc(sizeof(*t->spare));
	return t->spare ? 0 : -ENOMEM;
}

/* Only of idle ones: an open transaction must not be forgotten. */
static void forget(struct sluice_producer_table *t, struct sluice_producer *p)
{
	struct sluice_producer **link = bucket(t, p->id);

	while (*link != p)
		link = &(*link)->bucket_next;
	*link = p->bucket_next;
	list_remove(&t->idle, p);
	port_free(p);
	t->count--;
}

struct sluice_producer *sluice_producer_table_add(struct sluice_producer_table *t, s64 id)
{
	struct sluice_producer *p = t->spare;
	struct sluice_producer **head;

	if (t->count >= SLUICE_PRODUCERS_MAX)
		forget(t, t->idle.oldest);
	t->spare = NULL;
	p->id = id;
	p->epoch = -1;
	p->coordinator_epoch = -1;
	p->last_timestamp = -1;
	p->txn_first_offset = -1;
	head = bucket(t, id);
	p->bucket_next = *head;
	*head = p;
	list_add_newest(&t->idle, p);
	t->count++;
	return p;
}

void sluice_producer_table_move(struct sluice_producer_table *t, struct sluice_producer *p,
				bool was_open)
{
	bool open = p->txn_first_offset >= 0;

	/* An open transaction keeps its place: that is where it began. */
	if (was_open && open)
		return;
	list_remove(was_open ? &t->open : &t->idle, p);
	list_add_newest(open ? &t->open : &t->idle, p);
}

static struct sluice_producer *merge(struct sluice_producer *a, struct sluice_producer *b)
{
	struct sluice_producer *first = NULL, **link = &first;

	while (a && b) {
		struct sluice_producer **from = &b;

		if (a->txn_first_offset <= b->txn_first_offset)
			from = &a;
		*link = *from;
		link = &(*from)->newer;
		*from = (*from)->newer;
	}
	*link = a ? a : b;
	return first;
}

/* A merge sort from below: run i has 2^i producers, or none. */
void sluice_producer_table_sort(struct sluice_producer_table *t)
{
	struct sluice_producer *runs[32] = { NULL };
	struct sluice_producer *p, *newer;
	u32 i;

	for (p = t->open.oldest; p; p = newer) {
		newer = p->newer;
		p->newer = NULL;
		for (i = 0; runs[i]; i++) {
			p = merge(runs[i], p);
			runs[i] = NULL;
		}
		runs[i] = p;
	}
	for (p = NULL, i = 0; i < ARRAY_SIZE(runs); i++)
		p = merge(runs[i], p);
	t->open = (struct sluice_producer_list){ .oldest = NULL };
	for (; p; p = newer) {
		newer = p->newer;
		list_add_newest(&t->open, p);
	}
}

static void expire_bucket(struct sluice_producer_table *t, u32 i, s64 before)
{
	struct sluice_producer *p, *next;

	for (p = t->buckets[i]; p; p = next) {
		next = p->bucket_next;
		if (p->txn_first_offset < 0 && p->last_timestamp <= before)
			forget(t, p);
	}
}

bool sluice_producer_table_expire(struct sluice_producer_table *t, s64 now_ms, s64 expiration_ms)
{
	u32 buckets, i;

	if (!t->buckets)
		return true;
	buckets = 1U << t->bucket_bits;
	for (i = 0; i < EXPIRE_BUCKETS && t->expire_next < buckets; i++)
		expire_bucket(t, t->expire_next++, now_ms - expiration_ms);
	if (t->expire_next < buckets)
		return false;
	t->expire_next = 0;
	return true;
}
