// SPDX-License-Identifier: Apache-2.0
/* ListOffsets by time: the first record with a time not below the one asked for. */
#include "engine_test.h"
#include "golden.h"

#include <stdlib.h>

static void check(struct sluice_log *log, s64 timestamp, s64 offset, s64 found)
{
	s64 ret_offset = -7, ret_timestamp = -7;

	assert_int_equal(sluice_log_offset_for_time(log, timestamp, &ret_offset, &ret_timestamp),
			 0);
	assert_int_equal(ret_offset, offset);
	assert_int_equal(ret_timestamp, found);
}

static void sluice_log_offset_for_time__empty(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);

	check(log, 0, -1, -1);
	check(log, S64_MAX, -1, -1);
	sluice_log_close(log);
}

static void sluice_log_offset_for_time__growing(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);

	/* Record i has time TIME_0 + 10 * i, over several segments. */
	for (int i = 0; i < 40; i++)
		append_spec(log, (struct batch_spec){.records = 4,
						     .value_len = 20,
						     .timestamp = TIME_0 + 40 * i,
						     .timestamp_step = 10});
	assert_true(sluice_log_segment_count(log) > 4);
	for (int round = 0; round < 2; round++) {
		check(log, 0, 0, TIME_0);
		check(log, -5, 0, TIME_0);
		for (s64 i = 0; i < 160; i++) {
			check(log, TIME_0 + 10 * i, i, TIME_0 + 10 * i);
			check(log, TIME_0 + 10 * i - 9, i, TIME_0 + 10 * i);
		}
		check(log, TIME_0 + 1591, -1, -1);
		sluice_log_close(log);
		log = log_open(*state, &c);
	}
	sluice_log_close(log);
}

/* Times as producers like to have them; compared with a search of all. */
static void sluice_log_offset_for_time__in_disorder(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);
	s64 times[100];

	srand(1);
	for (s64 i = 0; i < 100; i++) {
		times[i] = 1000 + i * 5 + rand() % 100;
		append_spec(log, (struct batch_spec){.records = 1, .timestamp = times[i]});
	}
	for (s64 time = 990; time < 1700; time++) {
		s64 expected = 0;

		while (expected < 100 && times[expected] < time)
			expected++;
		check(log, time, expected < 100 ? expected : -1,
		      expected < 100 ? times[expected] : -1);
	}
	sluice_log_close(log);
}

static void sluice_log_offset_for_time__compressed(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);
	struct sluice_append a;

	append_spec(log, (struct batch_spec){.records = 2, .timestamp = 5});
	assert_int_equal(append_bytes(log, golden_gzip, sizeof(golden_gzip), &a), 0);
	check(log, TIME_0 + 1, 2, TIME_0 + 9);
	check(log, TIME_0 + 10, -1, -1);
	sluice_log_close(log);
}

static void sluice_log_offset_for_time__log_append_time(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log;
	s64 before = port_now_ms();
	s64 offset, found;

	c.log_append_time = true;
	log = log_open(*state, &c);
	append_spec(log, (struct batch_spec){.records = 3, .timestamp = 5});
	assert_int_equal(sluice_log_offset_for_time(log, 6, &offset, &found), 0);
	assert_int_equal(offset, 0);
	assert_true(found >= before);
	sluice_log_close(log);
}

/* Records that are not what the header says are the producer's fault, not a broken log. */
static void sluice_log_offset_for_time__malformed_records(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);
	u8 bytes[sizeof(golden_three)];
	struct sluice_append a;

	memcpy(bytes, golden_three, sizeof(bytes));
	memset(bytes + 61, 0xff, sizeof(bytes) - 61);
	batch_seal(bytes, sizeof(bytes));
	assert_int_equal(append_bytes(log, bytes, sizeof(bytes), &a), 0);
	check(log, TIME_0 + 1, 0, TIME_0 + 5);

	/* A largest time that no record has. */
	memcpy(bytes, golden_three, sizeof(bytes));
	put_unaligned_be64(TIME_0 + 100, bytes + 35);
	batch_seal(bytes, sizeof(bytes));
	assert_int_equal(append_bytes(log, bytes, sizeof(bytes), &a), 0);
	check(log, TIME_0 + 50, -1, -1);
	append_spec(log, (struct batch_spec){.records = 1, .timestamp = TIME_0 + 70});
	check(log, TIME_0 + 50, 6, TIME_0 + 70);
	sluice_log_close(log);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_offset_for_time__empty),
		TEST(sluice_log_offset_for_time__growing),
		TEST(sluice_log_offset_for_time__in_disorder),
		TEST(sluice_log_offset_for_time__compressed),
		TEST(sluice_log_offset_for_time__log_append_time),
		TEST(sluice_log_offset_for_time__malformed_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
