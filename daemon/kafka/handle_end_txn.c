// SPDX-License-Identifier: Apache-2.0
/* EndTxn. It is answered when the decision is in the log; the markers follow. */
#include "daemon/kafka/coordinator_request.h"
#include "daemon/kafka/dispatch.h"

/* First versions that know PRODUCER_FENCED; of producers whose epoch grows with each transaction. */
#define FENCED_FROM_VERSION 2
#define BUMP_FROM_VERSION   5

/** struct end_txn - a request at work; in its arena */
struct end_txn {
	struct coordinator_request cr;
	struct txn_end_call call;
	struct kafka_end_txn_request m;
};

static void ended(struct txn_end_call *call, int16_t code, int64_t producer_id, int16_t epoch)
{
	struct end_txn *et = list_entry(call, struct end_txn, call);
	struct request *r = et->cr.request;
	struct kafka_end_txn_response a;

	kafka_end_txn_response_init(&a);
	a.error_code = code;
	if (code == KAFKA_ERROR_PRODUCER_FENCED && request_version(r) < FENCED_FROM_VERSION)
		a.error_code = KAFKA_ERROR_INVALID_PRODUCER_EPOCH;
	a.producer_id = producer_id;
	a.producer_epoch = epoch;
	kafka_end_txn_response_encode(response_begin(r), request_version(r), &a);
	coordinator_request_answer(&et->cr);
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	txn_end(&cs->txns, &list_entry(call, struct end_txn, cr.call)->call);
}

enum handled handle_end_txn(struct request *r)
{
	struct end_txn *et = request_alloc(r, 1, sizeof(*et));
	int err = et ? 0 : -ENOMEM;

	if (!err)
		err = kafka_end_txn_request_decode(&r->body, &r->arena, request_version(r), &et->m);
	if (err)
		return request_malformed(r, err);
	et->call = (struct txn_end_call){
		.producer = {.id = et->m.transactional_id,
			     .producer_id = et->m.producer_id,
			     .epoch = et->m.producer_epoch,
			     .client_version = request_version(r) >= BUMP_FROM_VERSION ? 2 : 0},
		.commit = et->m.committed,
		.answer = ended,
	};
	return coordinator_request_park(r, &et->cr, work, coordinator_request_finish);
}
