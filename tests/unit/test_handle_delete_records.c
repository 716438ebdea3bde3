// SPDX-License-Identifier: Apache-2.0
#include "tests/daemon/served.h"

#include <stdlib.h>

#include "daemon/log/log_dir.h"

#define TOPIC "t"

static int setup(void **state)
{
	(void)state;
	client_start(NULL);
	client_create(&client, TOPIC, 1, NULL);
	return 0;
}

static int64_t append(void)
{
	int64_t offset = -1;
	size_t len;
	uint8_t *batch = make_batch("value", 5, &len);

	assert_int_equal(client_produce(&client, TOPIC, 1, batch, len, &offset), 0);
	free(batch);
	return offset;
}

static int16_t delete_records(const char *topic, int32_t partition, int64_t offset,
			      int64_t *ret_low)
{
	struct kafka_delete_records_request_partition p = {.partition_index = partition,
							   .offset = offset};
	struct kafka_delete_records_request_topic t = {.name = kafka_str_from(topic)};
	struct kafka_delete_records_request m;
	struct kafka_delete_records_response a;

	kafka_delete_records_request_init(&m);
	t.partitions.v = &p;
	t.partitions.n = 1;
	m.topics.v = &t;
	m.topics.n = 1;
	CLIENT_CALL(&client, delete_records, KAFKA_API_DELETE_RECORDS, 2, &m, &a);
	assert_int_equal(a.topics.n, 1);
	assert_int_equal(a.topics.v[0].partitions.v[0].partition_index, partition);
	*ret_low = a.topics.v[0].partitions.v[0].low_watermark;
	return a.topics.v[0].partitions.v[0].error_code;
}

static void delete_records__moves_the_start(void **state)
{
	int64_t low;

	(void)state;
	for (int i = 0; i < 4; i++)
		append();
	assert_int_equal(delete_records(TOPIC, 0, 2, &low), 0);
	assert_int_equal(low, 2);
	assert_int_equal(client_offset(&client, TOPIC, -2, 0), 2);
	/* It does not go back. */
	assert_int_equal(delete_records(TOPIC, 0, 1, &low), 0);
	assert_int_equal(low, 2);
	/* -1: all that is there. */
	assert_int_equal(delete_records(TOPIC, 0, -1, &low), 0);
	assert_int_equal(low, 4);
	assert_int_equal(client_offset(&client, TOPIC, -2, 0), 4);
	assert_int_equal(append(), 4);
}

static void delete_records__errors(void **state)
{
	int64_t low;

	(void)state;
	append();
	assert_int_equal(delete_records(TOPIC, 0, 2, &low), KAFKA_ERROR_OFFSET_OUT_OF_RANGE);
	assert_int_equal(low, -1);
	assert_int_equal(delete_records(TOPIC, 0, -2, &low), KAFKA_ERROR_OFFSET_OUT_OF_RANGE);
	assert_int_equal(delete_records(TOPIC, 1, 0, &low), KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(delete_records("nix", 0, 0, &low), KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(delete_records(TOPIC, 0, 0, &low), 0);
	assert_int_equal(low, 0);
}

static void delete_records__not_of_compacted_topics(void **state)
{
	int64_t low;

	(void)state;
	client_create_with(&client, "compacted", "cleanup.policy", "compact");
	assert_int_equal(delete_records("compacted", 0, 0, &low), KAFKA_ERROR_POLICY_VIOLATION);
	assert_int_equal(low, -1);
}

/* sluicectl changes settings without a word to the daemon. */
static void delete_records__by_the_policy_of_now(void **state)
{
	static const struct log_dir_setting compact = {"cleanup.policy", "compact"};
	static const struct log_dir_setting both = {"cleanup.policy", "compact,delete"};
	struct log_dir_error err;
	struct kern *k;
	int64_t low;

	(void)state;
	append();
	assert_int_equal(kern_open(&k), 0);
	assert_int_equal(log_dir_topic_alter(k, served_dir(), TOPIC, &compact, 1, &err), 0);
	assert_int_equal(delete_records(TOPIC, 0, 1, &low), KAFKA_ERROR_POLICY_VIOLATION);
	assert_int_equal(log_dir_topic_alter(k, served_dir(), TOPIC, &both, 1, &err), 0);
	assert_int_equal(delete_records(TOPIC, 0, 1, &low), 0);
	assert_int_equal(low, 1);
	kern_close(k);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(delete_records__moves_the_start),
		TEST(delete_records__errors),
		TEST(delete_records__not_of_compacted_topics),
		TEST(delete_records__by_the_policy_of_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
