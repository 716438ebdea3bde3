// SPDX-License-Identifier: Apache-2.0
/* The topic of committed offsets: how it is read when the broker starts, and what is deleted. */
#include "tests/daemon/served.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/core/reactor.h"

#define PARTITIONS 3

static int16_t find_coordinator(void)
{
	struct kafka_str key = kafka_str_from("g");
	struct kafka_find_coordinator_request m;
	struct kafka_find_coordinator_response a;

	kafka_find_coordinator_request_init(&m);
	m.coordinator_keys.v = &key;
	m.coordinator_keys.n = 1;
	CLIENT_CALL(&client, find_coordinator, KAFKA_API_FIND_COORDINATOR, 4, &m, &a);
	assert_int_equal(a.coordinators.n, 1);
	return a.coordinators.v[0].error_code;
}

static int16_t heartbeat(void)
{
	struct kafka_heartbeat_request m;
	struct kafka_heartbeat_response a;

	kafka_heartbeat_request_init(&m);
	m.group_id = kafka_str_from("g");
	m.member_id = kafka_str_from("nobody");
	CLIENT_CALL(&client, heartbeat, KAFKA_API_HEARTBEAT, 4, &m, &a);
	return a.error_code;
}

/* Wait until the group is answered with @code. */
static void becomes(int16_t code, int ms)
{
	int64_t end = monotonic_ms() + ms;
	int16_t now;

	while ((now = heartbeat()) != code) {
		if (monotonic_ms() > end)
			fail_msg("error %d, not %d", now, code);
		usleep(20000);
	}
}

/* What was appended but not synced by the one before is made durable before it is told. */
static void load__flushes_first(void **state)
{
	const char *const overrides[] = {"offsets.topic.num.partitions=3", NULL};

	(void)state;
	client_start(overrides);
	assert_int_equal(find_coordinator(), 0);
	becomes(KAFKA_ERROR_UNKNOWN_MEMBER_ID, 10000);
	assert_true(user_fault.n_flushes >= 1);
	client_stop();
}

/* A partition that cannot be read is tried again, without a restart. */
static void load__is_tried_again(void **state)
{
	const char *const overrides[] = {"offsets.topic.num.partitions=3", NULL};

	(void)state;
	client_start(overrides);
	user_fault.flush_errors = PARTITIONS;
	assert_int_equal(find_coordinator(), 0);
	becomes(KAFKA_ERROR_NOT_COORDINATOR, 10000);
	becomes(KAFKA_ERROR_UNKNOWN_MEMBER_ID, 20000);
	assert_int_equal(user_fault.n_flushes, 2 * PARTITIONS);
	client_stop();
}

static int16_t commit(int32_t partition, int64_t offset)
{
	struct kafka_offset_commit_request_partition p;
	struct kafka_offset_commit_request_topic t = {.name = kafka_str_from("t")};
	struct kafka_offset_commit_request m;
	struct kafka_offset_commit_response a;

	kafka_offset_commit_request_partition_init(&p);
	p.partition_index = partition;
	p.committed_offset = offset;
	p.committed_metadata = kafka_str_from("");
	t.partitions.v = &p;
	t.partitions.n = 1;
	kafka_offset_commit_request_init(&m);
	m.group_id = kafka_str_from("g");
	m.topics.v = &t;
	m.topics.n = 1;
	CLIENT_CALL(&client, offset_commit, KAFKA_API_OFFSET_COMMIT, 9, &m, &a);
	return a.topics.v[0].partitions.v[0].error_code;
}

static int64_t committed(int32_t partition)
{
	struct kafka_offset_fetch_request_topic t = {.name = kafka_str_from("t"),
						     .partition_indexes = {&partition, 1}};
	struct kafka_offset_fetch_request m;
	struct kafka_offset_fetch_response a;

	kafka_offset_fetch_request_init(&m);
	m.group_id = kafka_str_from("g");
	m.topics.v = &t;
	m.topics.n = 1;
	CLIENT_CALL(&client, offset_fetch, KAFKA_API_OFFSET_FETCH, 7, &m, &a);
	assert_int_equal(a.error_code, 0);
	return a.topics.v[0].partitions.v[0].committed_offset;
}

static int16_t forget(const char *group, int32_t partition, int16_t *ret_of_group)
{
	struct kafka_offset_delete_request_partition p = {.partition_index = partition};
	struct kafka_offset_delete_request_topic t = {.name = kafka_str_from("t")};
	struct kafka_offset_delete_request m;
	struct kafka_offset_delete_response a;

	t.partitions.v = &p;
	t.partitions.n = 1;
	kafka_offset_delete_request_init(&m);
	m.group_id = kafka_str_from(group);
	m.topics.v = &t;
	m.topics.n = 1;
	CLIENT_CALL(&client, offset_delete, KAFKA_API_OFFSET_DELETE, 0, &m, &a);
	*ret_of_group = a.error_code;
	return a.error_code ? 0 : a.topics.v[0].partitions.v[0].error_code;
}

static void sync__must_say_which_protocol(void **state)
{
	const char *const overrides[] = {"offsets.topic.num.partitions=1", NULL};
	struct kafka_sync_group_request m;
	struct kafka_sync_group_response a;

	(void)state;
	served_start(overrides);
	client_open(&client);
	assert_int_equal(find_coordinator(), 0);
	becomes(KAFKA_ERROR_UNKNOWN_MEMBER_ID, 10000);
	kafka_sync_group_request_init(&m);
	m.group_id = kafka_str_from("g");
	m.member_id = kafka_str_from("nobody");
	m.protocol_type = kafka_str_from(NULL);
	m.protocol_name = kafka_str_from("range");
	CLIENT_CALL(&client, sync_group, KAFKA_API_SYNC_GROUP, 5, &m, &a);
	assert_int_equal(a.error_code, KAFKA_ERROR_INCONSISTENT_GROUP_PROTOCOL);
	m.protocol_type = kafka_str_from("consumer");
	CLIENT_CALL(&client, sync_group, KAFKA_API_SYNC_GROUP, 5, &m, &a);
	assert_int_equal(a.error_code, KAFKA_ERROR_UNKNOWN_MEMBER_ID);
	client_close(&client);
	served_stop();
}

static void delete_records__not_of_internal_topics(void **state)
{
	const char *const overrides[] = {"offsets.topic.num.partitions=1", NULL};
	struct kafka_delete_records_request_partition p = {.offset = 0};
	struct kafka_delete_records_request_topic t = {
		.name = kafka_str_from("__consumer_offsets")};
	struct kafka_delete_records_request m;
	struct kafka_delete_records_response a;

	(void)state;
	served_start(overrides);
	client_open(&client);
	assert_int_equal(find_coordinator(), 0);
	becomes(KAFKA_ERROR_UNKNOWN_MEMBER_ID, 10000);
	t.partitions.v = &p;
	t.partitions.n = 1;
	kafka_delete_records_request_init(&m);
	m.topics.v = &t;
	m.topics.n = 1;
	CLIENT_CALL(&client, delete_records, KAFKA_API_DELETE_RECORDS, 2, &m, &a);
	assert_int_equal(a.topics.v[0].partitions.v[0].error_code,
			 KAFKA_ERROR_INVALID_TOPIC_EXCEPTION);
	client_close(&client);
	served_stop();
}

static void offset_delete__of_one_partition(void **state)
{
	const char *const overrides[] = {"offsets.topic.num.partitions=1", NULL};
	int16_t of_group;

	(void)state;
	client_start(overrides);
	client_create(&client, "t", 2, NULL);
	assert_int_equal(find_coordinator(), 0);
	becomes(KAFKA_ERROR_UNKNOWN_MEMBER_ID, 10000);
	forget("", 0, &of_group);
	assert_int_equal(of_group, KAFKA_ERROR_INVALID_GROUP_ID);
	assert_int_equal(commit(0, 5), 0);
	assert_int_equal(commit(1, 7), 0);
	assert_int_equal(forget("g", 0, &of_group), 0);
	assert_int_equal(of_group, 0);
	assert_int_equal(committed(0), -1);
	assert_int_equal(committed(1), 7);
	assert_int_equal(forget("g", 9, &of_group), KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	forget("nix", 0, &of_group);
	assert_int_equal(of_group, KAFKA_ERROR_GROUP_ID_NOT_FOUND);
	client_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load__flushes_first),
		cmocka_unit_test(load__is_tried_again),
		cmocka_unit_test(sync__must_say_which_protocol),
		cmocka_unit_test(delete_records__not_of_internal_topics),
		cmocka_unit_test(offset_delete__of_one_partition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
