// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/coordinator_request.h"
#include "daemon/kafka/dispatch.h"

/** struct list_txns - a request at work; in its arena */
struct list_txns {
	struct coordinator_request cr;
	struct kafka_list_transactions_request m;
	struct kafka_list_transactions_response a;
};

static bool is_state(struct kafka_str name, enum txn_state state)
{
	return kafka_str_equal(name, kafka_str_from(txn_state_name(state)));
}

/* Names of states that nobody knows are told. */
static int find_unknown(struct request *r, struct list_txns *lt)
{
	struct kafka_str_array *unknown = &lt->a.unknown_state_filters;

	unknown->v = request_alloc(r, (size_t)lt->m.state_filters.n, sizeof(*unknown->v));
	if (!unknown->v)
		return -ENOMEM;
	for (int32_t i = 0; i < lt->m.state_filters.n; i++) {
		struct kafka_str name = lt->m.state_filters.v[i];
		bool known = kafka_str_equal(name, kafka_str_from("PrepareEpochFence"));

		for (int state = TXN_EMPTY; state <= TXN_DEAD && !known; state++)
			known = is_state(name, (enum txn_state)state);
		if (!known)
			unknown->v[unknown->n++] = name;
	}
	return 0;
}

static bool passes(const struct list_txns *lt, const struct txn *t, int64_t now_ms)
{
	bool state = lt->m.state_filters.n <= 0;
	bool producer = lt->m.producer_id_filters.n <= 0;

	for (int32_t i = 0; i < lt->m.state_filters.n; i++)
		state |= is_state(lt->m.state_filters.v[i], t->now.state);
	for (int32_t i = 0; i < lt->m.producer_id_filters.n; i++)
		producer |= lt->m.producer_id_filters.v[i] == t->now.producer_id;
	return state && producer && t->now.state != TXN_DEAD && t->now.producer_epoch >= 0 &&
	       (lt->m.duration_filter < 0 || now_ms - t->now.start_ms > lt->m.duration_filter);
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct list_txns *lt = list_entry(call, struct list_txns, cr.call);
	struct request *r = lt->cr.request;
	const struct txn_coordinator *c = &cs->txns;
	struct list *at = c->list.next;

	lt->a.error_code = txn_coordinator_error(c);
	lt->a.transaction_states.v =
		request_alloc(r, c->txns.count, sizeof(*lt->a.transaction_states.v));
	if (!lt->a.transaction_states.v) {
		coordinator_request_refuse(&lt->cr);
		return;
	}
	for (; !lt->a.error_code && at != &c->list; at = at->next) {
		const struct txn *t = list_entry(at, struct txn, link);

		if (!passes(lt, t, c->env->wall_ms(c->env)))
			continue;
		lt->a.transaction_states.v[lt->a.transaction_states.n++] =
			(struct kafka_list_transactions_response_transaction_state){
				.transactional_id = t->id,
				.producer_id = t->now.producer_id,
				.transaction_state = kafka_str_from(txn_state_name(t->now.state)),
			};
	}
	kafka_list_transactions_response_encode(response_begin(r), request_version(r), &lt->a);
	coordinator_request_answer(&lt->cr);
}

enum handled handle_list_transactions(struct request *r)
{
	struct list_txns *lt = request_alloc(r, 1, sizeof(*lt));
	int err = lt ? 0 : -ENOMEM;

	if (!err)
		err = kafka_list_transactions_request_decode(&r->body, &r->arena,
							     request_version(r), &lt->m);
	if (!err) {
		kafka_list_transactions_response_init(&lt->a);
		err = find_unknown(r, lt);
	}
	if (err)
		return request_malformed(r, err);
	return coordinator_request_park(r, &lt->cr, work, coordinator_request_finish);
}
