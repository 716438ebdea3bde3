// SPDX-License-Identifier: Apache-2.0
/* EndTxn, of producers whose epoch stays and of those whose epoch grows (KIP-890). */
#include "daemon/txn/txn_coordinator.h"

static void answer(struct txn_end_call *call, int16_t code, const struct txn *t)
{
	bool tell = !code && call->producer.client_version >= 2;

	call->answer(call, code, tell ? t->now.producer_id : -1, tell ? t->now.producer_epoch : -1);
}

static void moved(struct txn *t, void *ctx, int16_t code)
{
	struct txn_end_call *call = ctx;

	if (!code && call->producer.client_version >= 2 && t->now.next_producer_id >= 0)
		call->answer(call, code, t->now.next_producer_id, 0);
	else
		answer(call, code, t);
	if (!code)
		txn_send_markers(t->coordinator, t);
}

static int16_t begin(struct txn_coordinator *c, struct txn *t, struct txn_end_call *call)
{
	int16_t code = KAFKA_ERROR_NONE;

	txn_next(c, t, call->commit ? TXN_PREPARE_COMMIT : TXN_PREPARE_ABORT);
	if (t->now.state != TXN_ONGOING)
		t->next.start_ms = t->next.update_ms;
	t->next.next_producer_id = -1;
	t->next.client_version = call->producer.client_version;
	if (call->producer.client_version >= 2) {
		if (t->now.producer_epoch >= TXN_EPOCH_LAST)
			code = c->env->producer_id(c->env, &t->next.next_producer_id);
		if (t->now.producer_epoch < INT16_MAX)
			t->next.producer_epoch++;
		t->next_last_epoch = t->now.producer_epoch;
	}
	return code ? code : txn_move(c, t, moved, call);
}

/**
 * struct retry - whether the request is one whose answer the producer never heard
 * @bump: of the one that gave it the epoch it should have now
 * @overflow: of the one that gave it another id
 */
struct retry {
	bool bump;
	bool overflow;
};

static struct retry find_retry(const struct txn *t, const struct txn_producer *p)
{
	return (struct retry){
		.bump = p->client_version >= 2 && p->epoch < INT16_MAX &&
			t->now.producer_epoch == p->epoch + 1,
		.overflow = p->client_version >= 2 &&
			    t->now.previous_producer_id == p->producer_id &&
			    p->epoch == TXN_EPOCH_LAST && t->now.producer_epoch == 0,
	};
}

static bool epoch_is_valid(const struct txn *t, const struct txn_producer *p, struct retry retry)
{
	bool current = t->now.producer_epoch == p->epoch;

	if (p->client_version < 2)
		return current;
	switch (t->now.state) {
	case TXN_PREPARE_COMMIT:
	case TXN_PREPARE_ABORT: return retry.bump;
	case TXN_COMPLETE_COMMIT:
	case TXN_COMPLETE_ABORT: return retry.bump || retry.overflow || current;
	default: return current;
	}
}

/* When no transaction is open. *@ret_done: there is nothing to be done; else it is begun. */
static int16_t check_ended(const struct txn *t, const struct txn_end_call *call, bool is_retry,
			   bool *ret_done)
{
	bool committed = t->now.state == TXN_COMPLETE_COMMIT;
	bool aborted = t->now.state == TXN_COMPLETE_ABORT;
	bool same = call->commit ? committed : aborted;

	if (call->producer.client_version < 2 || is_retry) {
		*ret_done = true;
		return same ? KAFKA_ERROR_NONE : KAFKA_ERROR_INVALID_TXN_STATE;
	}
	/* A producer that does not know whether it wrote anything aborts, to get a new epoch. */
	return call->commit ? KAFKA_ERROR_INVALID_TXN_STATE : KAFKA_ERROR_NONE;
}

static int16_t check(struct txn *t, const struct txn_end_call *call, bool *ret_done)
{
	const struct txn_producer *p = &call->producer;
	struct retry retry;

	if (!t)
		return KAFKA_ERROR_INVALID_PRODUCER_ID_MAPPING;
	retry = find_retry(t, p);
	/* Kafka asks for the transition first in the one version, last in the other. */
	if (t->moving && p->client_version >= 2)
		return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	if (t->now.producer_id != p->producer_id && !retry.overflow)
		return KAFKA_ERROR_INVALID_PRODUCER_ID_MAPPING;
	if (!epoch_is_valid(t, p, retry))
		return KAFKA_ERROR_PRODUCER_FENCED;
	if (t->moving)
		return KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	switch (t->now.state) {
	case TXN_ONGOING: return KAFKA_ERROR_NONE;
	case TXN_PREPARE_COMMIT:
		return call->commit ? KAFKA_ERROR_CONCURRENT_TRANSACTIONS
				    : KAFKA_ERROR_INVALID_TXN_STATE;
	case TXN_PREPARE_ABORT:
		return call->commit ? KAFKA_ERROR_INVALID_TXN_STATE
				    : KAFKA_ERROR_CONCURRENT_TRANSACTIONS;
	default: return check_ended(t, call, retry.bump || retry.overflow, ret_done);
	}
}

void txn_end(struct txn_coordinator *c, struct txn_end_call *call)
{
	struct txn *t = NULL;
	bool done = false;
	int16_t code = KAFKA_ERROR_INVALID_REQUEST;

	if (call->producer.id.len > 0)
		t = txn_find(c, call->producer.id, &code);
	if (!code)
		code = check(t, call, &done);
	if (!code && !done) {
		code = begin(c, t, call);
		if (!code)
			return;
	}
	answer(call, code, t);
}
