// SPDX-License-Identifier: Apache-2.0
/* How the topic of committed offsets is read when the broker starts. */
#include "tests/daemon/served.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/core/reactor.h"

#define PARTITIONS 3

static struct client client;

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
	served_start(overrides);
	client_open(&client);
	assert_int_equal(find_coordinator(), 0);
	becomes(KAFKA_ERROR_UNKNOWN_MEMBER_ID, 10000);
	assert_true(user_fault.n_flushes >= 1);
	client_close(&client);
	served_stop();
}

/* A partition that cannot be read is tried again, without a restart. */
static void load__is_tried_again(void **state)
{
	const char *const overrides[] = {"offsets.topic.num.partitions=3", NULL};

	(void)state;
	served_start(overrides);
	client_open(&client);
	user_fault.flush_errors = PARTITIONS;
	assert_int_equal(find_coordinator(), 0);
	becomes(KAFKA_ERROR_NOT_COORDINATOR, 10000);
	becomes(KAFKA_ERROR_UNKNOWN_MEMBER_ID, 20000);
	assert_int_equal(user_fault.n_flushes, 2 * PARTITIONS);
	client_close(&client);
	served_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(load__flushes_first),
		cmocka_unit_test(load__is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
