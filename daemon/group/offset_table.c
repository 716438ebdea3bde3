// SPDX-License-Identifier: Apache-2.0
#include "daemon/group/offset_table.h"
#include "daemon/group/owned.h"

void offset_table_init(struct offset_table *t)
{
	htable_init(&t->by_key);
	list_init(&t->entries);
	t->n_present = 0;
}

static void free_entry(struct offset_table *t, struct offset_entry *e)
{
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

void offset_release(struct offset_table *t, struct offset_entry *e)
{
	if (!--e->claims && !e->present)
		free_entry(t, e);
}

void offset_set(struct offset_table *t, struct offset_entry *e, uint64_t number,
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
	offset_release(t, e);
}

void offset_remove(struct offset_table *t, struct offset_entry *e, uint64_t number)
{
	if (number >= e->number) {
		t->n_present -= e->present;
		e->present = false;
		e->number = number;
	}
	offset_release(t, e);
}
