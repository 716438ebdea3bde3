// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/coordinator_request.h"
#include "daemon/kafka/dispatch.h"

typedef struct kafka_describe_transactions_response_transaction_state state_out;
typedef struct kafka_describe_transactions_response_topic_data topic_out;

/** struct describe_txns - a request at work; in its arena */
struct describe_txns {
	struct coordinator_request cr;
	struct kafka_describe_transactions_request m;
	struct kafka_describe_transactions_response a;
};

static topic_out *get_topic(struct request *r, const struct txn *t, state_out *out,
			    struct kafka_str name)
{
	topic_out *topic;

	for (int32_t i = 0; i < out->topics.n; i++) {
		if (kafka_str_equal(out->topics.v[i].topic, name))
			return &out->topics.v[i];
	}
	topic = &out->topics.v[out->topics.n];
	topic->partitions.v = request_alloc(r, t->n, sizeof(*topic->partitions.v));
	if (!topic->partitions.v)
		return NULL;
	topic->topic = name;
	out->topics.n++;
	return topic;
}

static int fill(struct coordinators *cs, struct request *r, struct kafka_str id, state_out *out)
{
	struct txn *t;

	kafka_describe_transactions_response_transaction_state_init(out);
	out->transactional_id = id;
	out->transaction_state = kafka_str_from("");
	if (!id.len) {
		out->error_code = KAFKA_ERROR_INVALID_REQUEST;
		return 0;
	}
	t = txn_find(&cs->txns, id, &out->error_code);
	if (!t && !out->error_code)
		out->error_code = KAFKA_ERROR_TRANSACTIONAL_ID_NOT_FOUND;
	if (!t)
		return 0;
	out->producer_id = t->now.producer_id;
	out->producer_epoch = t->now.producer_epoch;
	out->transaction_state = kafka_str_from(txn_state_name(t->now.state));
	out->transaction_timeout_ms = t->now.timeout_ms;
	out->transaction_start_time_ms = t->now.start_ms;
	out->topics.v = request_alloc(r, t->n, sizeof(*out->topics.v));
	if (!out->topics.v)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		const struct txn_place *p = &t->parts[i].place;
		topic_out *topic = get_topic(r, t, out, p->topic);

		if (!topic)
			return -ENOMEM;
		topic->partitions.v[topic->partitions.n++] = p->partition;
	}
	return 0;
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct describe_txns *d = list_entry(call, struct describe_txns, cr.call);
	struct request *r = d->cr.request;

	for (int32_t i = 0; i < d->m.transactional_ids.n; i++) {
		if (!fill(cs, r, d->m.transactional_ids.v[i],
			  &d->a.transaction_states.v[d->a.transaction_states.n++]))
			continue;
		coordinator_request_refuse(&d->cr);
		return;
	}
	kafka_describe_transactions_response_encode(response_begin(r), request_version(r), &d->a);
	coordinator_request_answer(&d->cr);
}

enum handled handle_describe_transactions(struct request *r)
{
	struct describe_txns *d = request_alloc(r, 1, sizeof(*d));
	int err = d ? 0 : -ENOMEM;

	if (!err)
		err = kafka_describe_transactions_request_decode(&r->body, &r->arena,
								 request_version(r), &d->m);
	if (err)
		return request_malformed(r, err);
	kafka_describe_transactions_response_init(&d->a);
	d->a.transaction_states.v = request_alloc(r, (size_t)d->m.transactional_ids.n,
						  sizeof(*d->a.transaction_states.v));
	if (!d->a.transaction_states.v)
		return request_malformed(r, -ENOMEM);
	return coordinator_request_park(r, &d->cr, work, coordinator_request_finish);
}
