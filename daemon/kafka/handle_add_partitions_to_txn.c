// SPDX-License-Identifier: Apache-2.0
/*
 * AddPartitionsToTxn, of producers that add what they write to beforehand. All
 * or nothing: with one partition that does not exist none is added.
 */
#include "daemon/kafka/coordinator_request.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/worker.h"

/* First version that knows PRODUCER_FENCED. */
#define FENCED_FROM_VERSION 2

/** struct add_partitions - a request at work; in its arena */
struct add_partitions {
	struct coordinator_request cr;
	struct txn_add_call call;
	struct kafka_add_partitions_to_txn_request m;
	struct kafka_add_partitions_to_txn_response a;
};

/* What has no error yet gets this one. */
static void set_codes(struct kafka_add_partitions_to_txn_response *a, int16_t code)
{
	for (int32_t i = 0; i < a->results_by_topic_v3_and_below.n; i++) {
		struct kafka_add_partitions_to_txn_response_below_topic_result *t =
			&a->results_by_topic_v3_and_below.v[i];

		for (int32_t j = 0; j < t->results_by_partition.n; j++) {
			if (!t->results_by_partition.v[j].partition_error_code)
				t->results_by_partition.v[j].partition_error_code = code;
		}
	}
}

static enum handled answer(struct add_partitions *ap)
{
	struct request *r = ap->cr.request;

	kafka_add_partitions_to_txn_response_encode(response_begin(r), request_version(r), &ap->a);
	return response_end(r);
}

static void added(struct txn_add_call *call, int16_t code)
{
	struct add_partitions *ap = list_entry(call, struct add_partitions, call);

	if (code == KAFKA_ERROR_PRODUCER_FENCED &&
	    request_version(ap->cr.request) < FENCED_FROM_VERSION)
		code = KAFKA_ERROR_INVALID_PRODUCER_EPOCH;
	set_codes(&ap->a, code);
	ap->cr.how = answer(ap);
	coordinators_reply(&ap->cr.call);
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	txn_add(&cs->txns, &list_entry(call, struct add_partitions, cr.call)->call);
}

static int prepare_topic(struct request *r, struct add_partitions *ap, int32_t i,
			 struct txn_place *places, bool *missing)
{
	const struct kafka_add_partitions_to_txn_request_below_topic *in =
		&ap->m.v3_and_below_topics.v[i];
	struct kafka_add_partitions_to_txn_response_below_topic_result *out =
		&ap->a.results_by_topic_v3_and_below.v[i];
	const struct image_topic *topic =
		image_by_name(r->worker->image, in->name.p, (size_t)in->name.len);
	int32_t n = in->partitions.n;

	out->name = in->name;
	out->results_by_partition.n = n;
	out->results_by_partition.v =
		request_alloc(r, (size_t)n, sizeof(*out->results_by_partition.v));
	if (!out->results_by_partition.v)
		return -ENOMEM;
	for (int32_t j = 0; j < n; j++) {
		int32_t index = in->partitions.v[j];

		out->results_by_partition.v[j].partition_index = index;
		places[ap->call.n++] = (struct txn_place){in->name, index};
		if (topic && index >= 0 && index < topic->partition_count)
			continue;
		out->results_by_partition.v[j].partition_error_code =
			KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
		*missing = true;
	}
	return 0;
}

/* Lay out the answer in the shape of the request. */
static int prepare(struct request *r, struct add_partitions *ap, bool *missing)
{
	int32_t n = ap->m.v3_and_below_topics.n;
	struct txn_place *places;
	size_t total = 0;

	kafka_add_partitions_to_txn_response_init(&ap->a);
	for (int32_t i = 0; i < n; i++)
		total += (size_t)ap->m.v3_and_below_topics.v[i].partitions.n;
	places = request_alloc(r, total, sizeof(*places));
	ap->a.results_by_topic_v3_and_below.v =
		request_alloc(r, (size_t)n, sizeof(*ap->a.results_by_topic_v3_and_below.v));
	if (!places || !ap->a.results_by_topic_v3_and_below.v)
		return -ENOMEM;
	ap->a.results_by_topic_v3_and_below.n = n;
	ap->call.places = places;
	for (int32_t i = 0; i < n; i++) {
		if (prepare_topic(r, ap, i, places, missing))
			return -ENOMEM;
	}
	return 0;
}

enum handled handle_add_partitions_to_txn(struct request *r)
{
	struct add_partitions *ap = request_alloc(r, 1, sizeof(*ap));
	bool missing = false;
	int err = ap ? 0 : -ENOMEM;

	if (!err)
		err = kafka_add_partitions_to_txn_request_decode(&r->body, &r->arena,
								 request_version(r), &ap->m);
	if (!err)
		err = prepare(r, ap, &missing);
	if (err)
		return request_malformed(r, err);
	ap->cr.request = r;
	if (missing) {
		set_codes(&ap->a, KAFKA_ERROR_OPERATION_NOT_ATTEMPTED);
		return answer(ap);
	}
	ap->call.answer = added;
	ap->call.producer = (struct txn_producer){
		.id = ap->m.v3_and_below_transactional_id,
		.producer_id = ap->m.v3_and_below_producer_id,
		.epoch = ap->m.v3_and_below_producer_epoch,
	};
	return coordinator_request_park(r, &ap->cr, work, coordinator_request_finish);
}
