// SPDX-License-Identifier: Apache-2.0
/* What a transaction is about: AddPartitionsToTxn, AddOffsetsToTxn, and batches that come. */
#include "daemon/txn/txn_coordinator.h"

/* The transaction of a producer that is the right one to write to it. */
static int16_t check(const struct txn_coordinator *c, const struct txn_producer *p,
		     struct txn **ret_t)
{
	struct txn *t;
	int16_t code;

	*ret_t = NULL;
	if (p->id.len <= 0)
		return KAFKA_ERROR_INVALID_REQUEST;
	t = txn_find(c, p->id, &code);
	if (code)
		return code;
	if (!t || t->now.producer_id != p->producer_id)
		return KAFKA_ERROR_INVALID_PRODUCER_ID_MAPPING;
	if (t->now.producer_epoch != p->epoch)
		return KAFKA_ERROR_PRODUCER_FENCED;
	if (t->now.state == TXN_PREPARE_COMMIT || t->now.state == TXN_PREPARE_ABORT)
		return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	*ret_t = t;
	return KAFKA_ERROR_NONE;
}

static bool has_all(const struct txn *t, const struct txn_place *places, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!txn_has(t, t->n, &places[i]))
			return false;
	}
	return true;
}

static void moved(struct txn *t, void *ctx, int16_t code)
{
	struct txn_add_call *call = ctx;

	(void)t;
	call->answer(call, code);
}

static int16_t begin(struct txn_coordinator *c, struct txn *t, struct txn_add_call *call)
{
	txn_next(c, t, TXN_ONGOING);
	if (t->now.state != TXN_ONGOING)
		t->next.start_ms = t->next.update_ms;
	t->next.client_version = call->producer.client_version;
	if (txn_append_places(t, t->n, call->places, call->n, &t->n_next))
		return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	return txn_move(c, t, moved, call);
}

void txn_add(struct txn_coordinator *c, struct txn_add_call *call)
{
	struct txn *t;
	int16_t code = check(c, &call->producer, &t);

	if (t && t->moving)
		code = KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	if (!code && (t->now.state != TXN_ONGOING || !has_all(t, call->places, call->n))) {
		code = begin(c, t, call);
		if (!code)
			return;
	}
	call->answer(call, code);
}

int16_t txn_verify(const struct txn_coordinator *c, const struct txn_producer *p,
		   const struct txn_place *places, size_t n)
{
	struct txn *t;
	int16_t code = check(c, p, &t);

	if (!code && !has_all(t, places, n))
		code = KAFKA_ERROR_TRANSACTION_ABORTABLE;
	return code;
}

struct txn_guard *txn_guard(const struct txn_coordinator *c, const struct txn_producer *p)
{
	int16_t code;
	struct txn *t = txn_find(c, p->id, &code);

	atomic_fetch_add_explicit(&t->guard->refs, 1, memory_order_relaxed);
	return t->guard;
}
