// SPDX-License-Identifier: Apache-2.0
/* AddOffsetsToTxn: the partition of the topic of offsets that has the group becomes part of it. */
#include "daemon/kafka/coordinator_request.h"
#include "daemon/kafka/dispatch.h"

/* First version that knows PRODUCER_FENCED. */
#define FENCED_FROM_VERSION 2

/** struct add_offsets - a request at work; in its arena */
struct add_offsets {
	struct coordinator_request cr;
	struct txn_add_call call;
	struct txn_place place;
	struct kafka_add_offsets_to_txn_request m;
};

static void added(struct txn_add_call *call, int16_t code)
{
	struct add_offsets *ao = list_entry(call, struct add_offsets, call);
	struct request *r = ao->cr.request;
	struct kafka_add_offsets_to_txn_response a;

	kafka_add_offsets_to_txn_response_init(&a);
	a.error_code = code;
	if (code == KAFKA_ERROR_PRODUCER_FENCED && request_version(r) < FENCED_FROM_VERSION)
		a.error_code = KAFKA_ERROR_INVALID_PRODUCER_EPOCH;
	kafka_add_offsets_to_txn_response_encode(response_begin(r), request_version(r), &a);
	coordinator_request_answer(&ao->cr);
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct add_offsets *ao = list_entry(call, struct add_offsets, cr.call);

	if (!cs->groups.partitions.n) {
		added(&ao->call, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
		return;
	}
	ao->place = (struct txn_place){
		.topic = kafka_str_from(OFFSETS_TOPIC),
		.partition = key_partition(ao->m.group_id, cs->groups.partitions.n),
	};
	txn_add(&cs->txns, &ao->call);
}

enum handled handle_add_offsets_to_txn(struct request *r)
{
	struct add_offsets *ao = request_alloc(r, 1, sizeof(*ao));
	int err = ao ? 0 : -ENOMEM;

	if (!err)
		err = kafka_add_offsets_to_txn_request_decode(&r->body, &r->arena,
							      request_version(r), &ao->m);
	if (err)
		return request_malformed(r, err);
	ao->call = (struct txn_add_call){
		.producer = {.id = ao->m.transactional_id,
			     .producer_id = ao->m.producer_id,
			     .epoch = ao->m.producer_epoch},
		.places = &ao->place,
		.n = 1,
		.answer = added,
	};
	return coordinator_request_park(r, &ao->cr, work, coordinator_request_finish);
}
