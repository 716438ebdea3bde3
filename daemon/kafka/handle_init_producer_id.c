// SPDX-License-Identifier: Apache-2.0
/*
 * InitProducerId. An idempotent producer gets a number that was never given, and
 * always epoch 0: if it wants a new epoch it gets a new number, which does the
 * same (KIP-360). One with a transactional id is the coordinator's business.
 */
#include "daemon/controller/controller.h"
#include "daemon/core/diag.h"
#include "daemon/kafka/coordinator_request.h"
#include "daemon/kafka/dispatch.h"

/* First version that knows PRODUCER_FENCED. */
#define FENCED_FROM_VERSION 4

struct init_call {
	struct controller_call call;
	struct request *request;
	int64_t producer_id;
	int err;
};

/** struct txn_init - a request with a transactional id; in its arena */
struct txn_init {
	struct coordinator_request cr;
	struct txn_init_call call;
};

static struct diag_limit id_limit;

static enum handled answer(struct request *r, int16_t error_code, int64_t producer_id,
			   int16_t epoch)
{
	struct kafka_init_producer_id_response m;

	kafka_init_producer_id_response_init(&m);
	m.error_code = error_code;
	m.producer_id = producer_id;
	m.producer_epoch = epoch;
	kafka_init_producer_id_response_encode(response_begin(r), request_version(r), &m);
	return response_end(r);
}

static void work(struct controller *c, struct controller_call *call)
{
	struct init_call *ic = list_entry(call, struct init_call, call);
	struct log_dir_error err;

	ic->err = controller_producer_id(c, &ic->producer_id, &err);
	if (ic->err)
		diag_limited(&id_limit, DIAG_ERROR, "cannot reserve producer ids: %s", err.text);
}

static void reply(struct controller_call *call)
{
	struct init_call *ic = list_entry(call, struct init_call, call);
	struct request *r = ic->request;

	/* One that clients try again after: a full disk may have room again later. */
	request_finish(r, ic->err ? answer(r, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE, -1, -1)
				  : answer(r, KAFKA_ERROR_NONE, ic->producer_id, 0));
}

static enum handled init_idempotent(struct request *r)
{
	struct init_call *ic = request_alloc(r, 1, sizeof(*ic));

	if (!ic)
		return request_malformed(r, -ENOMEM);
	ic->request = r;
	return request_park(r, &ic->call, work, reply);
}

static void txn_answer(struct txn_init_call *call, int16_t code, int64_t producer_id, int16_t epoch)
{
	struct txn_init *ti = list_entry(call, struct txn_init, call);
	struct request *r = ti->cr.request;

	if (code == KAFKA_ERROR_PRODUCER_FENCED && request_version(r) < FENCED_FROM_VERSION)
		code = KAFKA_ERROR_INVALID_PRODUCER_EPOCH;
	ti->cr.how = answer(r, code, producer_id, epoch);
	coordinators_reply(&ti->cr.call);
}

static void txn_work(struct coordinators *cs, struct coordinator_call *call)
{
	txn_init(&cs->txns, &list_entry(call, struct txn_init, cr.call)->call);
}

static enum handled init_transactional(struct request *r,
				       const struct kafka_init_producer_id_request *m)
{
	struct txn_init *ti = request_alloc(r, 1, sizeof(*ti));

	if (!ti)
		return request_malformed(r, -ENOMEM);
	ti->call = (struct txn_init_call){
		.id = m->transactional_id,
		.timeout_ms = m->transaction_timeout_ms,
		.expects = m->producer_id != -1,
		.expected_id = m->producer_id,
		.expected_epoch = m->producer_epoch,
		.answer = txn_answer,
	};
	return coordinator_request_park(r, &ti->cr, txn_work, coordinator_request_finish);
}

enum handled handle_init_producer_id(struct request *r)
{
	struct kafka_init_producer_id_request m;
	int err =
		kafka_init_producer_id_request_decode(&r->body, &r->arena, request_version(r), &m);

	if (err)
		return request_malformed(r, err);
	if ((m.producer_id == -1) != (m.producer_epoch == -1))
		return answer(r, KAFKA_ERROR_INVALID_REQUEST, -1, -1);
	return m.transactional_id.len < 0 ? init_idempotent(r) : init_transactional(r, &m);
}
