// SPDX-License-Identifier: Apache-2.0
/*
 * TxnOffsetCommit. First the transaction coordinator says whether the group's
 * partition is part of the transaction, or makes it that; then it is an
 * OffsetCommit that counts when the transaction is committed.
 */
#include "daemon/kafka/coordinator_request.h"
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/txn_error.h"
#include "daemon/worker.h"

/* First versions that know TRANSACTION_ABORTABLE; that add the group's partition. */
#define ABORTABLE_FROM_VERSION 4
#define ADD_FROM_VERSION       5

/** struct txn_commit - a request at work; in its arena */
struct txn_commit {
	struct coordinator_request cr;
	struct coordinators *cs;
	struct kafka_txn_offset_commit_request m;
	struct txn_place place;
	struct txn_add_call add;
	struct commit_call commit;
	struct kafka_offset_commit_request cm;
	struct kafka_offset_commit_response ca;
	struct kafka_uuid *ids;
};

static void answer(struct txn_commit *tc)
{
	struct request *r = tc->cr.request;
	struct kafka_txn_offset_commit_response a;
	int32_t n = tc->ca.topics.n;

	kafka_txn_offset_commit_response_init(&a);
	a.topics.v = request_alloc(r, (size_t)n, sizeof(*a.topics.v));
	for (int32_t i = 0; a.topics.v && i < n; i++) {
		const struct kafka_offset_commit_response_topic *in = &tc->ca.topics.v[i];
		struct kafka_txn_offset_commit_response_topic *out = &a.topics.v[a.topics.n];

		out->name = in->name;
		out->partitions.v =
			request_alloc(r, (size_t)in->partitions.n, sizeof(*out->partitions.v));
		if (!out->partitions.v)
			break;
		out->partitions.n = in->partitions.n;
		for (int32_t j = 0; j < in->partitions.n; j++)
			out->partitions.v[j] = (struct kafka_txn_offset_commit_response_partition){
				.partition_index = in->partitions.v[j].partition_index,
				.error_code = in->partitions.v[j].error_code,
			};
		a.topics.n++;
	}
	if (a.topics.n < n) {
		coordinator_request_refuse(&tc->cr);
		return;
	}
	kafka_txn_offset_commit_response_encode(response_begin(r), request_version(r), &a);
	coordinator_request_answer(&tc->cr);
}

static void committed(struct commit_call *call)
{
	answer(list_entry(call, struct txn_commit, commit));
}

static void refuse(struct txn_commit *tc, int16_t code)
{
	for (int32_t i = 0; i < tc->ca.topics.n; i++) {
		struct kafka_offset_commit_response_topic *t = &tc->ca.topics.v[i];

		for (int32_t j = 0; j < t->partitions.n; j++) {
			if (!t->partitions.v[j].error_code)
				t->partitions.v[j].error_code = code;
		}
	}
	answer(tc);
}

/* The coordinator of transactions has said its word; in the coordinators' thread. */
static void verified(struct txn_commit *tc, int16_t code)
{
	int16_t version = request_version(tc->cr.request);

	code = txn_write_error(code, version >= ABORTABLE_FROM_VERSION,
			       version >= ADD_FROM_VERSION);
	if (code == KAFKA_ERROR_NOT_ENOUGH_REPLICAS)
		code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	if (code)
		refuse(tc, code);
	else
		coordinator_commit(&tc->cs->groups, &tc->commit);
}

static void added(struct txn_add_call *call, int16_t code)
{
	verified(list_entry(call, struct txn_commit, add), code);
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct txn_commit *tc = list_entry(call, struct txn_commit, cr.call);

	tc->cs = cs;
	if (!cs->groups.partitions.n) {
		refuse(tc, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
		return;
	}
	tc->place = (struct txn_place){
		.topic = kafka_str_from(OFFSETS_TOPIC),
		.partition = key_partition(tc->m.group_id, cs->groups.partitions.n),
	};
	if (request_version(tc->cr.request) >= ADD_FROM_VERSION)
		txn_add(&cs->txns, &tc->add);
	else
		verified(tc, txn_verify(&cs->txns, &tc->add.producer, &tc->place, 1));
}

static int prepare_topic(struct request *r, struct txn_commit *tc, int32_t i)
{
	const struct kafka_txn_offset_commit_request_topic *in = &tc->m.topics.v[i];
	struct kafka_offset_commit_request_topic *to = &tc->cm.topics.v[i];
	struct kafka_offset_commit_response_topic *out = &tc->ca.topics.v[i];
	const struct image_topic *topic =
		image_by_name(r->worker->image, in->name.p, (size_t)in->name.len);
	int32_t n = in->partitions.n;

	to->name = in->name;
	out->name = in->name;
	to->partitions.v = request_alloc(r, (size_t)n, sizeof(*to->partitions.v));
	out->partitions.v = request_alloc(r, (size_t)n, sizeof(*out->partitions.v));
	if (!to->partitions.v || !out->partitions.v)
		return -ENOMEM;
	to->partitions.n = n;
	out->partitions.n = n;
	if (topic)
		memcpy(tc->ids[i].b, topic->id, sizeof(tc->ids[i].b));
	for (int32_t j = 0; j < n; j++) {
		const struct kafka_txn_offset_commit_request_partition *p = &in->partitions.v[j];

		to->partitions.v[j] = (struct kafka_offset_commit_request_partition){
			.partition_index = p->partition_index,
			.committed_offset = p->committed_offset,
			.committed_leader_epoch = p->committed_leader_epoch,
			.committed_metadata = p->committed_metadata,
		};
		out->partitions.v[j].partition_index = p->partition_index;
		if (!topic || p->partition_index < 0 ||
		    p->partition_index >= topic->partition_count)
			out->partitions.v[j].error_code = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
	}
	return 0;
}

/* The request as OffsetCommit has it, and the answer in its shape. */
static int prepare(struct request *r, struct txn_commit *tc)
{
	int32_t n = tc->m.topics.n;
	size_t partitions = 0;

	kafka_offset_commit_request_init(&tc->cm);
	kafka_offset_commit_response_init(&tc->ca);
	tc->cm.group_id = tc->m.group_id;
	tc->cm.generation_id_or_member_epoch = tc->m.generation_id;
	tc->cm.member_id = tc->m.member_id;
	tc->cm.group_instance_id = tc->m.group_instance_id;
	tc->cm.topics.v = request_alloc(r, (size_t)n, sizeof(*tc->cm.topics.v));
	tc->ca.topics.v = request_alloc(r, (size_t)n, sizeof(*tc->ca.topics.v));
	tc->ids = request_alloc(r, (size_t)n, sizeof(*tc->ids));
	if (!tc->cm.topics.v || !tc->ca.topics.v || !tc->ids)
		return -ENOMEM;
	tc->cm.topics.n = n;
	tc->ca.topics.n = n;
	for (int32_t i = 0; i < n; i++) {
		if (prepare_topic(r, tc, i))
			return -ENOMEM;
		partitions += (size_t)tc->m.topics.v[i].partitions.n;
	}
	tc->commit = (struct commit_call){
		.m = &tc->cm,
		.a = &tc->ca,
		.topic_ids = tc->ids,
		.answer = committed,
		.entries = request_alloc(r, partitions, sizeof(struct offset_entry *)),
		.write = {.transactional = true,
			  .producer_id = tc->m.producer_id,
			  .producer_epoch = tc->m.producer_epoch},
	};
	return tc->commit.entries ? 0 : -ENOMEM;
}

enum handled handle_txn_offset_commit(struct request *r)
{
	struct txn_commit *tc = request_alloc(r, 1, sizeof(*tc));
	int err = tc ? 0 : -ENOMEM;

	if (!err)
		err = kafka_txn_offset_commit_request_decode(&r->body, &r->arena,
							     request_version(r), &tc->m);
	if (!err)
		err = prepare(r, tc);
	if (err)
		return request_malformed(r, err);
	tc->add = (struct txn_add_call){
		.producer = {.id = tc->m.transactional_id,
			     .producer_id = tc->m.producer_id,
			     .epoch = tc->m.producer_epoch,
			     .client_version = 2},
		.places = &tc->place,
		.n = 1,
		.answer = added,
	};
	return coordinator_request_park(r, &tc->cr, work, coordinator_request_finish);
}
