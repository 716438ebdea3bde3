// SPDX-License-Identifier: Apache-2.0
/*
 * InitProducerId: a number for an idempotent producer, never given twice. Its
 * epoch is always 0: a producer that wants a new epoch gets a new number, which
 * does the same (KIP-360). With a transactional id: see
 * handle_find_coordinator.c.
 */
#include "daemon/controller/controller.h"
#include "daemon/core/diag.h"
#include "daemon/kafka/dispatch.h"

struct init_call {
	struct controller_call call;
	struct request *request;
	int64_t producer_id;
	int err;
};

static struct diag_limit id_limit;

static enum handled answer(struct request *r, int16_t error_code, int64_t producer_id)
{
	struct kafka_init_producer_id_response m;

	kafka_init_producer_id_response_init(&m);
	m.error_code = error_code;
	m.producer_id = producer_id;
	m.producer_epoch = error_code ? -1 : 0;
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

	/* One that clients try again after: a full disk may have room again later. */
	request_finish(ic->request,
		       answer(ic->request,
			      ic->err ? KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE : KAFKA_ERROR_NONE,
			      ic->err ? -1 : ic->producer_id));
}

enum handled handle_init_producer_id(struct request *r)
{
	struct kafka_init_producer_id_request m;
	struct init_call *ic;
	int err =
		kafka_init_producer_id_request_decode(&r->body, &r->arena, request_version(r), &m);

	if (err)
		return request_malformed(r, err);
	if (m.transactional_id.len >= 0)
		return answer(r, KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, -1);
	ic = request_alloc(r, 1, sizeof(*ic));
	if (!ic)
		return request_malformed(r, -ENOMEM);
	ic->request = r;
	return request_park(r, &ic->call, work, reply);
}
