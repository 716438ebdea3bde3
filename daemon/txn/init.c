// SPDX-License-Identifier: Apache-2.0
/* InitProducerId: a new epoch for the producer of a transactional id (KIP-98, KIP-360). */
#include "daemon/txn/txn_coordinator.h"

static void answer(struct txn_init_call *call, int16_t code, const struct txn *t)
{
	call->answer(call, code, code ? -1 : t->now.producer_id, code ? -1 : t->now.producer_epoch);
}

static void moved(struct txn *t, void *ctx, int16_t code)
{
	answer(ctx, code, t);
	if (code && !t->closed)
		txn_put(t->coordinator, t);
}

/* Its epoch is never given to anybody: the client asks again, and gets the one after it. */
static void fenced(struct txn *t, void *ctx, int16_t code)
{
	answer(ctx, code ? code : KAFKA_ERROR_CONCURRENT_TRANSACTIONS, NULL);
	if (!code)
		txn_send_markers(t->coordinator, t);
}

int16_t txn_fence(struct txn_coordinator *c, struct txn *t,
		  void (*on_move)(struct txn *t, void *ctx, int16_t code), void *ctx)
{
	int16_t code = KAFKA_ERROR_NONE;

	txn_next(c, t, TXN_PREPARE_ABORT);
	t->next.client_version = 2;
	if (t->now.producer_epoch >= TXN_EPOCH_LAST)
		code = c->env->producer_id(c->env, &t->next.next_producer_id);
	if (code)
		return code;
	if (t->now.producer_epoch < INT16_MAX)
		t->next.producer_epoch++;
	t->next_last_epoch = t->now.producer_epoch;
	return txn_move(c, t, on_move, ctx);
}

/*
 * Whether the producer may go on: it is the one that is known; or it says again
 * what brought it a new id, because it never heard of that.
 */
static bool is_expected(const struct txn *t, const struct txn_init_call *call)
{
	return !call->expects || t->now.producer_epoch < 0 ||
	       call->expected_id == t->now.producer_id ||
	       (call->expected_id == t->now.previous_producer_id &&
		call->expected_epoch >= TXN_EPOCH_LAST);
}

static int16_t next_producer(struct txn_coordinator *c, struct txn *t,
			     const struct txn_init_call *call)
{
	int16_t epoch = t->now.producer_epoch;

	if (epoch >= TXN_EPOCH_LAST && (!call->expects || call->expected_epoch == epoch)) {
		t->next.producer_epoch = 0;
		t->next_last_epoch = call->expects ? epoch : -1;
		return c->env->producer_id(c->env, &t->next.producer_id);
	}
	if (!call->expects) {
		t->next.producer_epoch = (int16_t)(epoch + 1);
		t->next_last_epoch = -1;
	} else if (epoch < 0 || call->expected_epoch == epoch) {
		t->next.producer_epoch = (int16_t)(epoch + 1);
		t->next_last_epoch = epoch;
	} else if (call->expected_epoch != t->last_epoch) {
		return KAFKA_ERROR_PRODUCER_FENCED;
	}
	/* Or else it is a retry: it gets what it was given. */
	return KAFKA_ERROR_NONE;
}

static int16_t begin(struct txn_coordinator *c, struct txn *t, struct txn_init_call *call)
{
	int16_t code;

	if (t->moving)
		return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	if (!is_expected(t, call))
		return KAFKA_ERROR_PRODUCER_FENCED;
	switch (t->now.state) {
	case TXN_PREPARE_COMMIT:
	case TXN_PREPARE_ABORT: return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	case TXN_ONGOING: return txn_fence(c, t, fenced, call);
	default: break;
	}
	txn_next(c, t, TXN_EMPTY);
	t->next.timeout_ms = call->timeout_ms;
	t->next.start_ms = -1;
	t->n_next = 0;
	code = next_producer(c, t, call);
	return code ? code : txn_move(c, t, moved, call);
}

static int16_t make(struct txn_coordinator *c, struct kafka_str id, struct txn **ret_t)
{
	struct txn *t = txn_make(c, id, key_partition(id, c->partitions.n));
	int16_t code;

	if (!t)
		return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	code = c->env->producer_id(c->env, &t->now.producer_id);
	if (code)
		txn_drop(c, t);
	*ret_t = t;
	return code;
}

void txn_init(struct txn_coordinator *c, struct txn_init_call *call)
{
	struct txn *t = NULL;
	int16_t code;

	if (!call->id.len)
		code = KAFKA_ERROR_INVALID_REQUEST;
	else if (call->timeout_ms <= 0 || call->timeout_ms > c->settings.timeout_max_ms)
		code = KAFKA_ERROR_INVALID_TRANSACTION_TIMEOUT;
	else
		t = txn_find(c, call->id, &code);
	if (!code && !t)
		code = make(c, call->id, &t);
	if (code) {
		answer(call, code, NULL);
		return;
	}
	code = begin(c, t, call);
	if (!code)
		return;
	answer(call, code, NULL);
	txn_put(c, t);
}
