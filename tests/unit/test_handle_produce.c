// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/served.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TOPIC "t"

static int setup(void **state)
{
	(void)state;
	client_start(NULL);
	client_create(&client, TOPIC, 2, NULL);
	return 0;
}

static int16_t produce(int16_t acks, int64_t *ret_offset)
{
	size_t len;
	uint8_t *batch = make_batch("value", 5, &len);
	int16_t code = client_produce(&client, TOPIC, acks, batch, len, ret_offset);

	free(batch);
	return code;
}

static void produce__gives_offsets(void **state)
{
	int64_t offset;

	(void)state;
	for (int64_t i = 0; i < 6; i++) {
		assert_int_equal(produce(i % 2 ? -1 : 1, &offset), KAFKA_ERROR_NONE);
		assert_int_equal(offset, i);
	}
}

/* With durable receipts held back, acks=1 is answered and acks=all waits. */
static void produce__acks_all_waits_for_storage(void **state)
{
	struct client other;
	size_t len;
	uint8_t *batch = make_batch("v", 1, &len);
	struct produce p;
	struct kafka_produce_response answer;

	(void)state;
	user_fault.hold_durable = true;
	client_open(&other);
	produce_init(&p, TOPIC, -1, batch, len);
	CLIENT_SEND(&other, produce, KAFKA_API_PRODUCE, 9, &p.m);
	client_quiet(&other, 200);
	assert_int_equal(produce(1, NULL), KAFKA_ERROR_NONE);
	user_release_durable();
	CLIENT_RECEIVE(&other, produce, KAFKA_API_PRODUCE, 9, &answer);
	assert_int_equal(answer.responses.v[0].partition_responses.v[0].error_code, 0);
	assert_int_equal(answer.responses.v[0].partition_responses.v[0].base_offset, 0);

	/* A timeout is told; a client that goes away meanwhile does no harm. */
	user_fault.hold_durable = true;
	p.m.timeout_ms = 50;
	CLIENT_CALL(&other, produce, KAFKA_API_PRODUCE, 9, &p.m, &answer);
	assert_int_equal(answer.responses.v[0].partition_responses.v[0].error_code,
			 KAFKA_ERROR_REQUEST_TIMED_OUT);
	p.m.timeout_ms = 30000;
	CLIENT_SEND(&other, produce, KAFKA_API_PRODUCE, 9, &p.m);
	client_quiet(&other, 100);
	client_close(&other);
	assert_int_equal(produce(1, NULL), KAFKA_ERROR_NONE);
	user_release_durable();
	assert_int_equal(produce(-1, NULL), KAFKA_ERROR_NONE);
	free(batch);
}

/* durability: always makes acks=1 wait for storage, cache lets acks=all not wait. */
static void produce__durability_of_the_topic(void **state)
{
	struct client other;
	size_t len;
	uint8_t *batch = make_batch("v", 1, &len);
	struct produce p;
	struct kafka_produce_response answer;

	(void)state;
	client_create_with(&client, "always", "durability", "always");
	client_create_with(&client, "cache", "durability", "cache");
	user_fault.hold_durable = true;
	assert_int_equal(client_produce(&client, "cache", -1, batch, len, NULL), KAFKA_ERROR_NONE);
	client_open(&other);
	produce_init(&p, "always", 1, batch, len);
	CLIENT_SEND(&other, produce, KAFKA_API_PRODUCE, 9, &p.m);
	client_quiet(&other, 200);
	user_release_durable();
	CLIENT_RECEIVE(&other, produce, KAFKA_API_PRODUCE, 9, &answer);
	assert_int_equal(answer.responses.v[0].partition_responses.v[0].error_code, 0);
	client_close(&other);
	free(batch);
}

static void send_acks_none(const void *batch, size_t len)
{
	struct produce p;

	produce_init(&p, TOPIC, 0, batch, len);
	CLIENT_SEND(&client, produce, KAFKA_API_PRODUCE, 3, &p.m);
}

static void produce__acks_none_is_silent(void **state)
{
	size_t len;
	uint8_t *batch = make_batch("value", 5, &len);
	int64_t offset;

	(void)state;
	send_acks_none(batch, len);
	/* The next answer is that of the next request. */
	assert_int_equal(produce(1, &offset), KAFKA_ERROR_NONE);
	assert_int_equal(offset, 1);
	batch[len - 3] ^= 1;
	send_acks_none(batch, len);
	client_closed(&client);
	free(batch);
}

static void produce__refusals(void **state)
{
	size_t len;
	uint8_t *batch = make_batch("value", 5, &len);
	uint8_t *twice = malloc(len * 2);
	int64_t offset;

	(void)state;
	assert_int_equal(client_produce(&client, "nix", 1, batch, len, NULL),
			 KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(client_produce(&client, TOPIC, 2, batch, len, &offset),
			 KAFKA_ERROR_INVALID_REQUIRED_ACKS);
	assert_int_equal(offset, -1);
	assert_int_equal(client_produce(&client, TOPIC, 1, batch, 0, NULL),
			 KAFKA_ERROR_INVALID_RECORD);
	assert_int_equal(client_produce(&client, TOPIC, 1, batch, len - 1, NULL),
			 KAFKA_ERROR_INVALID_RECORD);
	memcpy(twice, batch, len);
	memcpy(twice + len, batch, len);
	assert_int_equal(client_produce(&client, TOPIC, 1, twice, len * 2, NULL),
			 KAFKA_ERROR_INVALID_RECORD);
	batch[16] = 1; /* magic */
	assert_int_equal(client_produce(&client, TOPIC, 1, batch, len, NULL),
			 KAFKA_ERROR_INVALID_RECORD);
	batch[16] = 3;
	assert_int_equal(client_produce(&client, TOPIC, 1, batch, len, NULL),
			 KAFKA_ERROR_CORRUPT_MESSAGE);
	batch[16] = 2;
	/* The CRC does not cover the base offset: it was made that way. */
	batch[0] = 0xff;
	assert_int_equal(client_produce(&client, TOPIC, 1, batch, len, NULL),
			 KAFKA_ERROR_INVALID_RECORD);
	batch[len - 3] ^= 1;
	assert_int_equal(client_produce(&client, TOPIC, 1, batch, len, NULL),
			 KAFKA_ERROR_CORRUPT_MESSAGE);
	batch[0] = 0;
	assert_int_equal(client_produce(&client, TOPIC, 1, batch, len, NULL),
			 KAFKA_ERROR_CORRUPT_MESSAGE);
	batch[len - 3] ^= 1;
	user_fault.append_error = -ENOSPC;
	assert_int_equal(client_produce(&client, TOPIC, 1, batch, len, NULL),
			 KAFKA_ERROR_KAFKA_STORAGE_ERROR);
	user_fault.append_error = -ENOBUFS;
	assert_int_equal(client_produce(&client, TOPIC, 1, batch, len, NULL),
			 KAFKA_ERROR_REQUEST_TIMED_OUT);
	user_fault.append_error = 0;
	/* Nothing of all that is in the log. */
	assert_int_equal(client_produce(&client, TOPIC, 1, batch, len, &offset), KAFKA_ERROR_NONE);
	assert_int_equal(offset, 0);
	free(batch);
	free(twice);
}

/* What an old epoch and a truncation have in common is only the errno. */
static void produce__truncated_before_it_was_durable(void **state)
{
	(void)state;
	user_fault.receipt_error = -ESTALE;
	assert_int_equal(produce(-1, NULL), KAFKA_ERROR_NOT_LEADER_OR_FOLLOWER);
	assert_int_equal(produce(1, NULL), KAFKA_ERROR_NONE);
	user_fault.receipt_error = -EIO;
	assert_int_equal(produce(-1, NULL), KAFKA_ERROR_KAFKA_STORAGE_ERROR);
	user_fault.receipt_error = 0;
	user_fault.append_error = -ESTALE;
	assert_int_equal(produce(-1, NULL), KAFKA_ERROR_INVALID_PRODUCER_EPOCH);
	user_fault.append_error = -ECANCELED;
	assert_int_equal(produce(-1, NULL), KAFKA_ERROR_NOT_LEADER_OR_FOLLOWER);
	user_fault.append_error = 0;
}

/* Batches of transactions that nobody began; test_handle_txn.c has the others. */
static void produce__strange_transactions_are_refused(void **state)
{
	size_t len;
	uint8_t *batch = make_batch("value", 5, &len);
	struct produce p;
	struct kafka_produce_response answer;

	(void)state;
	produce_init(&p, TOPIC, -1, batch, len);
	p.m.transactional_id = kafka_str_from("tx");
	batch[22] |= SLUICE_BATCH_TRANSACTIONAL;
	/* There is no coordinator yet: one that clients try again after. */
	CLIENT_CALL(&client, produce, KAFKA_API_PRODUCE, 9, &p.m, &answer);
	assert_int_equal(answer.responses.v[0].partition_responses.v[0].error_code,
			 KAFKA_ERROR_NOT_ENOUGH_REPLICAS);
	p.m.transactional_id = kafka_str_from(NULL);
	CLIENT_CALL(&client, produce, KAFKA_API_PRODUCE, 9, &p.m, &answer);
	assert_int_equal(answer.responses.v[0].partition_responses.v[0].error_code,
			 KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
	free(batch);
}

static void produce__too_large(void **state)
{
	size_t big = 2 << 20;
	char *value = calloc(1, big);
	size_t len;
	uint8_t *batch = make_batch(value, big, &len);

	(void)state;
	assert_int_equal(client_produce(&client, TOPIC, 1, batch, len, NULL),
			 KAFKA_ERROR_MESSAGE_TOO_LARGE);
	free(batch);
	free(value);
}

/* One batch for each of two partitions and one for a third that is not there. */
static void produce__answers_each_partition(void **state)
{
	size_t len;
	uint8_t *batch = make_batch("value", 5, &len);
	struct kafka_bytes records = {batch, (int32_t)len};
	struct kafka_produce_request_partition parts[] = {{.index = 1, .records = records},
							  {.index = 2, .records = records},
							  {.index = 0, .records = records},
							  {.index = -1, .records = records}};
	struct kafka_produce_request_topic t = {.name = kafka_str_from(TOPIC)};
	struct kafka_produce_request m;
	struct kafka_produce_response answer;
	const int16_t expected[] = {0, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, 0,
				    KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION};

	(void)state;
	kafka_produce_request_init(&m);
	m.acks = -1;
	m.timeout_ms = 30000;
	t.partition_data.v = parts;
	t.partition_data.n = 4;
	m.topic_data.v = &t;
	m.topic_data.n = 1;
	CLIENT_CALL(&client, produce, KAFKA_API_PRODUCE, 9, &m, &answer);
	for (int i = 0; i < 4; i++) {
		struct kafka_produce_response_partition *p =
			&answer.responses.v[0].partition_responses.v[i];

		assert_int_equal(p->index, parts[i].index);
		assert_int_equal(p->error_code, expected[i]);
		assert_int_equal(p->base_offset, expected[i] ? -1 : 0);
		assert_int_equal(p->log_start_offset, expected[i] ? -1 : 0);
		assert_int_equal(p->log_append_time_ms, -1);
	}
	free(batch);
}

static void produce__by_topic_id(void **state)
{
	size_t len;
	uint8_t *batch = make_batch("value", 5, &len);
	struct kafka_produce_request_partition part = {.records = {batch, (int32_t)len}};
	struct kafka_produce_request_topic t[2] = {0};
	struct kafka_produce_request m;
	struct kafka_produce_response answer;

	(void)state;
	client_create(&client, "with-id", 1, &t[0].topic_id);
	kafka_produce_request_init(&m);
	m.acks = 1;
	m.timeout_ms = 1000;
	for (int i = 0; i < 2; i++) {
		t[i].partition_data.v = &part;
		t[i].partition_data.n = 1;
	}
	t[1].topic_id.b[3] = 5;
	m.topic_data.v = t;
	m.topic_data.n = 2;
	CLIENT_CALL(&client, produce, KAFKA_API_PRODUCE, 13, &m, &answer);
	assert_int_equal(answer.responses.v[0].partition_responses.v[0].error_code, 0);
	assert_memory_equal(&answer.responses.v[0].topic_id, &t[0].topic_id, sizeof(t[0].topic_id));
	assert_int_equal(answer.responses.v[1].partition_responses.v[0].error_code,
			 KAFKA_ERROR_UNKNOWN_TOPIC_ID);
	free(batch);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(produce__gives_offsets),
		TEST(produce__acks_all_waits_for_storage),
		TEST(produce__durability_of_the_topic),
		TEST(produce__acks_none_is_silent),
		TEST(produce__refusals),
		TEST(produce__truncated_before_it_was_durable),
		TEST(produce__strange_transactions_are_refused),
		TEST(produce__too_large),
		TEST(produce__answers_each_partition),
		TEST(produce__by_topic_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
