// SPDX-License-Identifier: Apache-2.0
#include "daemon/group/offset_table.h"
#include "daemon/core/owned.h"

void offset_table_init(struct offset_table *t)
{
	htable_init(&t->by_key);
	list_init(&t->entries);
	t->n_present = 0;
	t->n_pending = 0;
}

static void free_pending(struct offset_table *t, struct offset_pending *p)
{
	list_remove(&p->link);
	str_free(&p->value.metadata);
	free(p);
	t->n_pending--;
}

static void free_entry(struct offset_table *t, struct offset_entry *e)
{
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &e->pending)
		free_pending(t, list_entry(at, struct offset_pending, link));
	htable_remove(&t->by_key, &e->node);
	list_remove(&e->link);
	str_free(&e->topic);
	str_free(&e->value.metadata);
	free(e);
}

void offset_table_free(struct offset_table *t)
{
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &t->entries)
		free_entry(t, list_entry(at, struct offset_entry, link));
	htable_free(&t->by_key);
}

static uint64_t hash_key(struct kafka_str topic, int32_t partition)
{
	return hash_u64(hash_bytes(0, topic.p, (size_t)topic.len), (uint64_t)partition);
}

static struct offset_entry *find(const struct offset_table *t, struct kafka_str topic,
				 int32_t partition)
{
	struct hnode *n = htable_first(&t->by_key, hash_key(topic, partition));

	for (; n; n = htable_next(n)) {
		struct offset_entry *e = hnode_entry(n, struct offset_entry, node);

		if (e->partition == partition && kafka_str_equal(e->topic, topic))
			return e;
	}
	return NULL;
}

struct offset_entry *offset_find(const struct offset_table *t, struct kafka_str topic,
				 int32_t partition)
{
	struct offset_entry *e = find(t, topic, partition);

	return e && e->present ? e : NULL;
}

struct offset_entry *offset_claim(struct offset_table *t, struct kafka_str topic, int32_t partition)
{
	struct offset_entry *e = find(t, topic, partition);

	if (e) {
		e->claims++;
		return e;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->partition = partition;
	e->value.metadata.len = -1;
	e->claims = 1;
	list_init(&e->pending);
	if (str_copy(&e->topic, topic))
		goto err_free;
	if (htable_insert(&t->by_key, &e->node, hash_key(topic, partition)))
		goto err_topic;
	list_append(&t->entries, &e->link);
	return e;

err_topic:
	str_free(&e->topic);
err_free:
	free(e);
	return NULL;
}

static void drop_unused(struct offset_table *t, struct offset_entry *e)
{
	if (!e->claims && !e->present && list_empty(&e->pending))
		free_entry(t, e);
}

void offset_release(struct offset_table *t, struct offset_entry *e)
{
	e->claims--;
	drop_unused(t, e);
}

/* What a later write has set stays. */
static void set(struct offset_table *t, struct offset_entry *e, uint64_t number,
		const struct offset_value *v, struct kafka_str metadata)
{
	if (number < e->number) {
		str_free(&metadata);
	} else {
		t->n_present += !e->present;
		e->present = true;
		e->number = number;
		str_free(&e->value.metadata);
		e->value = *v;
		e->value.metadata = metadata;
	}
}

void offset_set(struct offset_table *t, struct offset_entry *e, uint64_t number,
		const struct offset_value *v, struct kafka_str metadata)
{
	set(t, e, number, v, metadata);
	offset_release(t, e);
}

bool offset_is_unstable(const struct offset_table *t, struct kafka_str topic, int32_t partition)
{
	const struct offset_entry *e = find(t, topic, partition);

	return e && (e->n_unstable || !list_empty(&e->pending));
}

static struct offset_pending *find_pending(const struct offset_entry *e, int64_t producer_id)
{
	for (struct list *at = e->pending.next; at != &e->pending; at = at->next) {
		struct offset_pending *p = list_entry(at, struct offset_pending, link);

		if (p->producer_id == producer_id)
			return p;
	}
	return NULL;
}

int offset_pend(struct offset_table *t, struct offset_entry *e, uint64_t number,
		int64_t producer_id, const struct offset_value *v, struct kafka_str metadata)
{
	struct offset_pending *p = find_pending(e, producer_id);
	bool is_new = !p;

	if (is_new)
		p = calloc(1, sizeof(*p));
	if (is_new && p) {
		p->producer_id = producer_id;
		list_append(&e->pending, &p->link);
		t->n_pending++;
	}
	if (p && (is_new || number >= p->number)) {
		if (!is_new)
			str_free(&p->value.metadata);
		p->number = number;
		p->value = *v;
		p->value.metadata = metadata;
	} else {
		str_free(&metadata);
	}
	offset_release(t, e);
	return p ? 0 : -ENOMEM;
}

void offset_end(struct offset_table *t, int64_t producer_id, bool commit)
{
	struct list *at;
	struct list *after;

	if (!t->n_pending)
		return;
	list_for_each_safe(at, after, &t->entries)
	{
		struct offset_entry *e = list_entry(at, struct offset_entry, link);
		struct offset_pending *p = find_pending(e, producer_id);

		if (!p)
			continue;
		if (commit) {
			set(t, e, p->number, &p->value, p->value.metadata);
			p->value.metadata = (struct kafka_str){NULL, -1};
		}
		free_pending(t, p);
		drop_unused(t, e);
	}
}

/* A tombstone ends what was pending before it, too. */
static void drop_pending(struct offset_table *t, struct offset_entry *e, uint64_t number)
{
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &e->pending)
	{
		struct offset_pending *p = list_entry(at, struct offset_pending, link);

		if (p->number < number)
			free_pending(t, p);
	}
}

void offset_remove(struct offset_table *t, struct offset_entry *e, uint64_t number)
{
	if (number >= e->number) {
		t->n_present -= e->present;
		e->present = false;
		e->number = number;
	}
	drop_pending(t, e, number);
	offset_release(t, e);
}
