// SPDX-License-Identifier: Apache-2.0
/* Transactions through the protocol: both flows, offsets in them, and what tools ask. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/daemon/served.h"

#define TOPIC "t"
#define ID    "tx"
#define GROUP "g"

struct producer {
	int64_t id;
	int16_t epoch;
	int32_t sequence;
};

static int set_up(void **state)
{
	static const char *const settings[] = {"offsets.topic.num.partitions=2",
					       "transaction.state.log.num.partitions=2", NULL};
	struct kafka_find_coordinator_request m;
	struct kafka_find_coordinator_response a;

	(void)state;
	client_start(settings);
	client_create(&client, TOPIC, 2, NULL);
	for (int8_t type = 0; type < 2; type++) {
		kafka_find_coordinator_request_init(&m);
		m.key = kafka_str_from(ID);
		m.key_type = type;
		CLIENT_CALL(&client, find_coordinator, KAFKA_API_FIND_COORDINATOR, 3, &m, &a);
		assert_int_equal(a.error_code, 0);
	}
	return 0;
}

static int16_t init_once(struct producer *p)
{
	struct kafka_init_producer_id_request m;
	struct kafka_init_producer_id_response a;

	kafka_init_producer_id_request_init(&m);
	m.transactional_id = kafka_str_from(ID);
	m.transaction_timeout_ms = 60000;
	CLIENT_CALL(&client, init_producer_id, KAFKA_API_INIT_PRODUCER_ID, 4, &m, &a);
	*p = (struct producer){a.producer_id, a.producer_epoch, 0};
	return a.error_code;
}

/* As clients do: again while something else is under way. */
static void init(struct producer *p)
{
	int16_t code;

	for (int tries = 0; tries < 500; tries++) {
		code = init_once(p);
		if (code != KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS &&
		    code != KAFKA_ERROR_CONCURRENT_TRANSACTIONS)
			break;
		usleep(10000);
	}
	assert_int_equal(code, 0);
}

static int16_t produce(struct producer *p, int16_t version, const char *value)
{
	size_t len;
	uint8_t *batch = make_batch(value, strlen(value), &len);
	struct kafka_produce_response a;
	struct produce request;

	make_transactional(batch, len, 0, p->id, p->epoch, p->sequence);
	produce_init(&request, TOPIC, -1, batch, len);
	request.m.transactional_id = kafka_str_from(ID);
	CLIENT_CALL(&client, produce, KAFKA_API_PRODUCE, version, &request.m, &a);
	free(batch);
	p->sequence += !a.responses.v[0].partition_responses.v[0].error_code;
	return a.responses.v[0].partition_responses.v[0].error_code;
}

static int16_t add_partition(const struct producer *p, const char *topic, int16_t *ret_second)
{
	int32_t partitions[] = {0};
	struct kafka_add_partitions_to_txn_request_below_topic topics[] = {
		{.name = kafka_str_from(TOPIC), .partitions = {partitions, 1}},
		{.name = kafka_str_from(topic), .partitions = {partitions, 1}},
	};
	struct kafka_add_partitions_to_txn_request m;
	struct kafka_add_partitions_to_txn_response a;

	kafka_add_partitions_to_txn_request_init(&m);
	m.v3_and_below_transactional_id = kafka_str_from(ID);
	m.v3_and_below_producer_id = p->id;
	m.v3_and_below_producer_epoch = p->epoch;
	m.v3_and_below_topics.v = topics;
	m.v3_and_below_topics.n = 2;
	CLIENT_CALL(&client, add_partitions_to_txn, KAFKA_API_ADD_PARTITIONS_TO_TXN, 3, &m, &a);
	*ret_second =
		a.results_by_topic_v3_and_below.v[1].results_by_partition.v[0].partition_error_code;
	return a.results_by_topic_v3_and_below.v[0].results_by_partition.v[0].partition_error_code;
}

static int16_t end_txn(struct producer *p, int16_t version, bool commit)
{
	struct kafka_end_txn_request m;
	struct kafka_end_txn_response a;

	kafka_end_txn_request_init(&m);
	m.transactional_id = kafka_str_from(ID);
	m.producer_id = p->id;
	m.producer_epoch = p->epoch;
	m.committed = commit;
	CLIENT_CALL(&client, end_txn, KAFKA_API_END_TXN, version, &m, &a);
	if (!a.error_code && version >= 5)
		*p = (struct producer){a.producer_id, a.producer_epoch, 0};
	return a.error_code;
}

static int64_t latest(int8_t isolation)
{
	return client_offset(&client, TOPIC, -1, isolation);
}

/* Markers follow the answer. */
static void wait_for_stable(int64_t offset)
{
	for (int tries = 0; tries < 500 && latest(1) != offset; tries++)
		usleep(10000);
	assert_int_equal(latest(1), offset);
	assert_int_equal(latest(0), offset);
}

static void old_flow__adds_what_it_writes_to(void **state)
{
	struct producer p;
	int16_t second;

	(void)state;
	init(&p);
	assert_int_equal(produce(&p, 9, "early"), KAFKA_ERROR_INVALID_TXN_STATE);
	assert_int_equal(produce(&p, 11, "early"), KAFKA_ERROR_TRANSACTION_ABORTABLE);
	assert_int_equal(add_partition(&p, "missing", &second),
			 KAFKA_ERROR_OPERATION_NOT_ATTEMPTED);
	assert_int_equal(second, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(produce(&p, 9, "early"), KAFKA_ERROR_INVALID_TXN_STATE);
	assert_int_equal(add_partition(&p, TOPIC, &second), 0);
	assert_int_equal(produce(&p, 9, "one"), 0);
	assert_int_equal(produce(&p, 11, "two"), 0);
	assert_int_equal(latest(1), 0);
	assert_int_equal(latest(0), 2);
	assert_int_equal(end_txn(&p, 3, true), 0);
	wait_for_stable(3);
	p.epoch++;
	assert_int_equal(end_txn(&p, 3, true), KAFKA_ERROR_PRODUCER_FENCED);
	assert_int_equal(end_txn(&p, 1, true), KAFKA_ERROR_INVALID_PRODUCER_EPOCH);
}

/*
 * As clients do: the transaction before has its markers, but its coordinator may not
 * have noted that yet.
 */
static int16_t produce_next(struct producer *p, const char *value)
{
	int16_t error = produce(p, 12, value);

	for (int i = 0; i < 500 && error == KAFKA_ERROR_CONCURRENT_TRANSACTIONS; i++) {
		usleep(10000);
		error = produce(p, 12, value);
	}
	return error;
}

static void new_flow__adds_by_writing(void **state)
{
	struct producer p, before;

	(void)state;
	init(&p);
	assert_int_equal(produce(&p, 12, "one"), 0);
	assert_int_equal(latest(1), 0);
	before = p;
	assert_int_equal(end_txn(&p, 5, true), 0);
	assert_int_equal(p.id, before.id);
	assert_int_equal(p.epoch, before.epoch + 1);
	wait_for_stable(2);
	assert_int_equal(produce(&before, 12, "late"), KAFKA_ERROR_INVALID_PRODUCER_EPOCH);
	assert_int_equal(produce_next(&p, "two"), 0);
	/* Another one with the same id: what is open is aborted. */
	init(&before);
	wait_for_stable(4);
	assert_int_equal(produce(&p, 12, "late"), KAFKA_ERROR_INVALID_PRODUCER_EPOCH);
	assert_int_equal(end_txn(&p, 5, true), KAFKA_ERROR_PRODUCER_FENCED);
}

static int16_t commit_offset(const struct producer *p, int16_t version, int64_t offset)
{
	struct kafka_txn_offset_commit_request_partition part = {
		.committed_offset = offset,
		.committed_leader_epoch = -1,
		.committed_metadata = kafka_str_from("m"),
	};
	struct kafka_txn_offset_commit_request_topic t = {.name = kafka_str_from(TOPIC)};
	struct kafka_txn_offset_commit_response a;
	struct kafka_txn_offset_commit_request m;

	kafka_txn_offset_commit_request_init(&m);
	m.transactional_id = kafka_str_from(ID);
	m.group_id = kafka_str_from(GROUP);
	m.producer_id = p->id;
	m.producer_epoch = p->epoch;
	t.partitions.v = &part;
	t.partitions.n = 1;
	m.topics.v = &t;
	m.topics.n = 1;
	CLIENT_CALL(&client, txn_offset_commit, KAFKA_API_TXN_OFFSET_COMMIT, version, &m, &a);
	return a.topics.v[0].partitions.v[0].error_code;
}

static int16_t add_offsets(const struct producer *p)
{
	struct kafka_add_offsets_to_txn_response a;
	struct kafka_add_offsets_to_txn_request m;

	kafka_add_offsets_to_txn_request_init(&m);
	m.transactional_id = kafka_str_from(ID);
	m.producer_id = p->id;
	m.producer_epoch = p->epoch;
	m.group_id = kafka_str_from(GROUP);
	CLIENT_CALL(&client, add_offsets_to_txn, KAFKA_API_ADD_OFFSETS_TO_TXN, 3, &m, &a);
	return a.error_code;
}

/* The offset that a consumer sees; the error code in @ret_code. */
static int64_t fetch_offset(bool stable, int16_t *ret_code)
{
	int32_t partitions[] = {0};
	struct kafka_offset_fetch_request_topic t = {.name = kafka_str_from(TOPIC),
						     .partition_indexes = {partitions, 1}};
	struct kafka_offset_fetch_response a;
	struct kafka_offset_fetch_request m;

	kafka_offset_fetch_request_init(&m);
	m.group_id = kafka_str_from(GROUP);
	m.topics.v = &t;
	m.topics.n = 1;
	m.require_stable = stable;
	CLIENT_CALL(&client, offset_fetch, KAFKA_API_OFFSET_FETCH, 7, &m, &a);
	*ret_code = a.topics.v[0].partitions.v[0].error_code;
	return a.topics.v[0].partitions.v[0].committed_offset;
}

static void wait_for_offset(int64_t offset)
{
	int16_t code = 0;
	int64_t got = -1;

	for (int tries = 0; tries < 500; tries++) {
		got = fetch_offset(true, &code);
		if (!code)
			break;
		assert_int_equal(code, KAFKA_ERROR_UNSTABLE_OFFSET_COMMIT);
		usleep(10000);
	}
	assert_int_equal(code, 0);
	assert_int_equal(got, offset);
}

static void offsets__count_when_they_are_committed(void **state)
{
	struct producer p;
	int16_t code;

	(void)state;
	init(&p);
	assert_int_equal(commit_offset(&p, 3, 7), KAFKA_ERROR_INVALID_TXN_STATE);
	assert_int_equal(add_offsets(&p), 0);
	assert_int_equal(commit_offset(&p, 3, 7), 0);
	assert_int_equal(fetch_offset(false, &code), -1);
	assert_int_equal(code, 0);
	fetch_offset(true, &code);
	assert_int_equal(code, KAFKA_ERROR_UNSTABLE_OFFSET_COMMIT);
	assert_int_equal(end_txn(&p, 3, true), 0);
	wait_for_offset(7);
	init(&p);
	assert_int_equal(commit_offset(&p, 5, 9), 0);
	assert_int_equal(end_txn(&p, 5, false), 0);
	wait_for_offset(7);
	init(&p);
	assert_int_equal(commit_offset(&p, 5, 9), 0);
	assert_int_equal(end_txn(&p, 5, true), 0);
	wait_for_offset(9);
}

static void describe__tells_what_is_open(void **state)
{
	struct kafka_str ids[] = {kafka_str_from(ID), kafka_str_from("nobody")};
	struct kafka_str filters[] = {kafka_str_from("Ongoing"), kafka_str_from("Asleep")};
	struct kafka_describe_transactions_response d;
	struct kafka_describe_transactions_request dm;
	struct kafka_list_transactions_response l;
	struct kafka_list_transactions_request lm;
	struct producer p;

	(void)state;
	init(&p);
	kafka_list_transactions_request_init(&lm);
	lm.state_filters.v = filters;
	lm.state_filters.n = 2;
	CLIENT_CALL(&client, list_transactions, KAFKA_API_LIST_TRANSACTIONS, 1, &lm, &l);
	assert_int_equal(l.transaction_states.n, 0);
	assert_int_equal(l.unknown_state_filters.n, 1);
	assert_true(kafka_str_equal(l.unknown_state_filters.v[0], filters[1]));
	assert_int_equal(produce(&p, 12, "one"), 0);
	CLIENT_CALL(&client, list_transactions, KAFKA_API_LIST_TRANSACTIONS, 1, &lm, &l);
	assert_int_equal(l.transaction_states.n, 1);
	lm.producer_id_filters.v = &p.id;
	lm.producer_id_filters.n = 1;
	CLIENT_CALL(&client, list_transactions, KAFKA_API_LIST_TRANSACTIONS, 1, &lm, &l);
	assert_int_equal(l.transaction_states.n, 1);
	lm.duration_filter = 3600000;
	CLIENT_CALL(&client, list_transactions, KAFKA_API_LIST_TRANSACTIONS, 1, &lm, &l);
	assert_int_equal(l.transaction_states.n, 0);
	kafka_describe_transactions_request_init(&dm);
	dm.transactional_ids.v = ids;
	dm.transactional_ids.n = 2;
	CLIENT_CALL(&client, describe_transactions, KAFKA_API_DESCRIBE_TRANSACTIONS, 0, &dm, &d);
	assert_int_equal(d.transaction_states.n, 2);
	assert_int_equal(d.transaction_states.v[0].producer_id, p.id);
	assert_true(kafka_str_equal(d.transaction_states.v[0].transaction_state, filters[0]));
	assert_int_equal(d.transaction_states.v[0].topics.n, 1);
	assert_int_equal(d.transaction_states.v[0].topics.v[0].partitions.v[0], 0);
	assert_int_equal(d.transaction_states.v[1].error_code,
			 KAFKA_ERROR_TRANSACTIONAL_ID_NOT_FOUND);
}

static void describe__tells_who_writes(void **state)
{
	int32_t partitions[] = {0, 1, 9};
	struct kafka_describe_producers_request_topic_request topics[] = {
		{.name = kafka_str_from(TOPIC), .partition_indexes = {partitions, 3}},
		{.name = kafka_str_from("none"), .partition_indexes = {partitions, 1}},
	};
	const struct kafka_describe_producers_response_producer_state *s;
	const struct kafka_describe_producers_response_partition_response *part;
	struct kafka_describe_producers_response a;
	struct kafka_describe_producers_request m;
	struct producer p;

	(void)state;
	init(&p);
	assert_int_equal(produce(&p, 12, "one"), 0);
	assert_int_equal(produce(&p, 12, "two"), 0);
	kafka_describe_producers_request_init(&m);
	m.topics.v = topics;
	m.topics.n = 2;
	CLIENT_CALL(&client, describe_producers, KAFKA_API_DESCRIBE_PRODUCERS, 0, &m, &a);
	assert_int_equal(a.topics.n, 2);
	assert_true(kafka_str_equal(a.topics.v[0].name, topics[0].name));
	assert_int_equal(a.topics.v[0].partitions.n, 3);
	part = a.topics.v[0].partitions.v;
	assert_int_equal(part[0].error_code, 0);
	assert_int_equal(part[0].active_producers.n, 1);
	s = part[0].active_producers.v;
	assert_int_equal(s->producer_id, p.id);
	assert_int_equal(s->producer_epoch, p.epoch);
	assert_int_equal(s->last_sequence, 1);
	assert_int_equal(s->coordinator_epoch, -1);
	assert_int_equal(s->current_txn_start_offset, 0);
	assert_int_equal(part[1].error_code, 0);
	assert_int_equal(part[1].active_producers.n, 0);
	assert_int_equal(part[2].partition_index, 9);
	assert_int_equal(part[2].error_code, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(a.topics.v[1].partitions.v[0].error_code,
			 KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
}

static void markers__can_be_written_by_an_operator(void **state)
{
	int32_t partitions[] = {0, 9};
	struct kafka_write_txn_markers_request_topic t = {.name = kafka_str_from(TOPIC),
							  .partition_indexes = {partitions, 2}};
	struct kafka_write_txn_markers_request_marker marker = {.topics = {&t, 1}};
	struct kafka_write_txn_markers_response a;
	struct kafka_write_txn_markers_request m;
	struct producer p;

	(void)state;
	init(&p);
	assert_int_equal(produce(&p, 12, "one"), 0);
	kafka_write_txn_markers_request_init(&m);
	marker.producer_id = p.id;
	marker.producer_epoch = p.epoch;
	m.markers.v = &marker;
	m.markers.n = 1;
	CLIENT_CALL(&client, write_txn_markers, KAFKA_API_WRITE_TXN_MARKERS, 1, &m, &a);
	assert_int_equal(a.markers.v[0].topics.v[0].partitions.v[0].error_code, 0);
	assert_int_equal(a.markers.v[0].topics.v[0].partitions.v[1].error_code,
			 KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(latest(1), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(old_flow__adds_what_it_writes_to),	      TEST(new_flow__adds_by_writing),
		TEST(offsets__count_when_they_are_committed), TEST(describe__tells_what_is_open),
		TEST(markers__can_be_written_by_an_operator), TEST(describe__tells_who_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
