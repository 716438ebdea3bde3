// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>

#include "daemon/txn/txn_coordinator.h"

void txn_coordinator_init(struct txn_coordinator *c, struct txn_env *env,
			  const struct txn_settings *settings, struct timer_heap *timers)
{
	*c = (struct txn_coordinator){.env = env, .settings = *settings, .timers = timers};
	htable_init(&c->txns);
	list_init(&c->list);
}

void txn_coordinator_free(struct txn_coordinator *c)
{
	htable_free(&c->txns);
	topic_partitions_free(&c->partitions);
}

int txn_coordinator_open(struct txn_coordinator *c, int32_t n)
{
	return topic_partitions_open(&c->partitions, n);
}

static uint64_t hash_id(struct kafka_str id)
{
	return hash_bytes(0, id.p, (size_t)id.len);
}

static struct txn *find(const struct txn_coordinator *c, struct kafka_str id)
{
	struct hnode *n = htable_first(&c->txns, hash_id(id));

	for (; n; n = htable_next(n)) {
		struct txn *t = hnode_entry(n, struct txn, node);

		if (kafka_str_equal(t->id, id))
			return t;
	}
	return NULL;
}

struct txn *txn_find(const struct txn_coordinator *c, struct kafka_str id, int16_t *ret_error)
{
	*ret_error = topic_partitions_error(&c->partitions, id);
	return *ret_error ? NULL : find(c, id);
}

int16_t txn_coordinator_error(const struct txn_coordinator *c)
{
	return topic_partitions_all_error(&c->partitions);
}

static void on_retry(struct timer *timer)
{
	struct txn *t = list_entry(timer, struct txn, retry);

	txn_send_markers(t->coordinator, t);
}

struct txn *txn_make(struct txn_coordinator *c, struct kafka_str id, int32_t partition)
{
	struct txn *t = txn_new(c, id, partition);

	if (!t)
		return NULL;
	if (htable_insert(&c->txns, &t->node, hash_id(id))) {
		txn_free(t);
		return NULL;
	}
	t->retry.fn = on_retry;
	list_append(&c->list, &t->link);
	return t;
}

void txn_drop(struct txn_coordinator *c, struct txn *t)
{
	htable_remove(&c->txns, &t->node);
	list_remove(&t->link);
	timer_cancel(c->timers, &t->retry);
	t->closed = true;
	if (!t->moving && !t->markers)
		txn_free(t);
}

void txn_put(struct txn_coordinator *c, struct txn *t)
{
	if (!t->closed && !t->moving && t->now.producer_epoch < 0)
		txn_drop(c, t);
}

static int load(struct txn_coordinator *c, struct kafka_str id, int32_t partition,
		const struct txn_value *v, const struct txn_place *places, size_t n)
{
	struct txn *t = txn_make(c, id, partition);

	if (!t)
		return -ENOMEM;
	if (txn_append_places(t, 0, places, n, &t->n)) {
		txn_drop(c, t);
		return -ENOMEM;
	}
	t->now = *v;
	return 0;
}

int txn_coordinator_load(struct txn_coordinator *c, int32_t partition,
			 const struct topic_load *record)
{
	struct txn_place *places;
	struct kafka_str id;
	struct txn_value v;
	struct arena a;
	struct txn *t;
	size_t n;
	int err = txn_key_decode(record->key, record->key_len, &id);

	if (err)
		return err == -EOPNOTSUPP ? 0 : -EBADMSG;
	/* One that is in the wrong partition would never be found, or never be unloaded. */
	if (key_partition(id, c->partitions.n) != partition)
		return -EBADMSG;
	arena_init(&a, SIZE_MAX);
	if (record->value)
		err = txn_value_decode(record->value, record->value_len, &a, &v, &places, &n);
	if (!err) {
		t = find(c, id);
		if (t)
			txn_drop(c, t);
		if (record->value)
			err = load(c, id, partition, &v, places, n);
	}
	arena_free(&a);
	return err && err != -ENOMEM ? -EBADMSG : err;
}

void txn_coordinator_loaded(struct txn_coordinator *c, int32_t partition)
{
	struct list *at;
	struct list *after;

	c->partitions.state[partition] = PARTITION_ACTIVE;
	list_for_each_safe(at, after, &c->list)
	{
		struct txn *t = list_entry(at, struct txn, link);

		if (t->partition == partition &&
		    (t->now.state == TXN_PREPARE_COMMIT || t->now.state == TXN_PREPARE_ABORT))
			txn_send_markers(c, t);
	}
}

void txn_coordinator_close(struct txn_coordinator *c, int32_t partition)
{
	struct list *at;
	struct list *after;

	c->partitions.state[partition] = PARTITION_ABSENT;
	list_for_each_safe(at, after, &c->list)
	{
		struct txn *t = list_entry(at, struct txn, link);

		if (t->partition == partition)
			txn_drop(c, t);
	}
}

void txn_coordinator_reopen(struct txn_coordinator *c, int32_t partition)
{
	c->partitions.state[partition] = PARTITION_LOADING;
}

void txn_coordinator_stop(struct txn_coordinator *c)
{
	for (int32_t i = 0; i < c->partitions.n; i++)
		txn_coordinator_close(c, i);
}
