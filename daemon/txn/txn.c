// SPDX-License-Identifier: Apache-2.0
#include "daemon/core/owned.h"
#include "daemon/txn/txn.h"

static struct txn_guard *guard_new(void)
{
	struct txn_guard *g = malloc(sizeof(*g));

	if (g)
		atomic_init(&g->refs, 1);
	return g;
}

void txn_guard_put(struct txn_guard *g)
{
	/* Released: who sees that nobody writes any more sees what was written. */
	if (atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) == 1)
		free(g);
}

struct txn *txn_new(struct txn_coordinator *c, struct kafka_str id, int32_t partition)
{
	struct txn *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->coordinator = c;
	t->partition = partition;
	t->now = (struct txn_value){
		.producer_id = -1,
		.previous_producer_id = -1,
		.next_producer_id = -1,
		.producer_epoch = -1,
		.start_ms = -1,
	};
	t->last_epoch = -1;
	t->guard = guard_new();
	if (!t->guard || str_copy(&t->id, id)) {
		if (t->guard)
			txn_guard_put(t->guard);
		free(t);
		return NULL;
	}
	list_init(&t->link);
	return t;
}

void txn_free(struct txn *t)
{
	txn_cut(t, t->n, 0);
	free(t->parts);
	txn_guard_put(t->guard);
	str_free(&t->id);
	free(t);
}

bool txn_has(const struct txn *t, size_t n, const struct txn_place *place)
{
	for (size_t i = 0; i < n; i++) {
		if (t->parts[i].place.partition == place->partition &&
		    kafka_str_equal(t->parts[i].place.topic, place->topic))
			return true;
	}
	return false;
}

int txn_append_places(struct txn *t, size_t at, const struct txn_place *places, size_t n,
		      size_t *ret_end)
{
	struct txn_part *parts = reallocarray(t->parts, at + n + 1, sizeof(*parts));
	size_t end = at;

	if (!parts)
		return -ENOMEM;
	t->parts = parts;
	for (size_t i = 0; i < n; i++) {
		if (txn_has(t, end, &places[i]))
			continue;
		parts[end] = (struct txn_part){.place.partition = places[i].partition};
		if (str_copy(&parts[end].place.topic, places[i].topic)) {
			txn_cut(t, end, at);
			return -ENOMEM;
		}
		end++;
	}
	*ret_end = end;
	return 0;
}

void txn_cut(struct txn *t, size_t have, size_t n)
{
	while (have > n)
		str_free(&t->parts[--have].place.topic);
}

const char *txn_state_name(enum txn_state state)
{
	static const char *const names[] = {
		[TXN_EMPTY] = "Empty",
		[TXN_ONGOING] = "Ongoing",
		[TXN_PREPARE_COMMIT] = "PrepareCommit",
		[TXN_PREPARE_ABORT] = "PrepareAbort",
		[TXN_COMPLETE_COMMIT] = "CompleteCommit",
		[TXN_COMPLETE_ABORT] = "CompleteAbort",
		[TXN_DEAD] = "Dead",
	};

	return names[state];
}
