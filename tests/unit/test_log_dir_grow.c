// SPDX-License-Identifier: Apache-2.0
/* A topic that gets more partitions: all of them or none, whatever happens. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/mock_dir.h"

#define CRASH_POINTS_MAX 200

static int setup(void **state)
{
	mock_dir_setup(state);
	return log_dir_up(k, path, 0, NULL, NULL, &err) ||
	       log_dir_topic_create(k, path, "t", 2, NULL, 0, NULL, &err);
}

static int grow(uint32_t count)
{
	return log_dir_topic_grow(k, path, "t", count, /* validate_only= */ false, &err);
}

/* The next start, by a kernel that knows nothing; how many partitions it finds. */
static uint32_t start_again(void)
{
	new_kernel();
	if (log_dir_up(k, path, 0, NULL, NULL, &err) || err.text[0])
		fail_msg("up: %s", err.text);
	return mock_kern_has(k, "t");
}

static void grow__is_there_after_a_restart(void **state)
{
	char id[64];

	(void)state;
	snprintf(id, sizeof(id), "%s", temp_file_read(dir_fd, "t-0/partition.metadata"));
	assert_int_equal(grow(5), 0);
	assert_non_null(strstr(mock_kern_calls(k), "grow t 5; "));
	assert_string_equal(temp_file_read(dir_fd, "t-4/partition.metadata"), id);
	assert_string_equal(temp_file_read(dir_fd, "t-4/leader-epoch-checkpoint"), "0\n1\n0 0\n");
	assert_non_null(strstr(temp_file_read(dir_fd, ".sluice/topics/t.properties"),
			       "sluice.partition.count=5\n"));
	assert_int_equal(start_again(), 5);
}

static void grow__refuses(void **state)
{
	(void)state;
	assert_int_equal(grow(2), -EINVAL);
	assert_int_equal(grow(1), -EINVAL);
	assert_int_equal(grow(100001), -EINVAL);
	assert_int_equal(log_dir_topic_grow(k, path, "nix", 3, false, &err), -ENOENT);
	assert_int_equal(log_dir_topic_grow(k, path, "t", 3, true, &err), 0);
	assert_false(temp_exists(dir_fd, "t-2"));
	assert_int_equal(mock_kern_has(k, "t"), 2);
}

static void grow__what_is_in_the_way_stays(void **state)
{
	(void)state;
	temp_mkdir(dir_fd, "t-3");
	temp_file_write(dir_fd, "t-3/00000000000000000000.log", "mine");
	assert_int_equal(grow(5), -EEXIST);
	assert_false(temp_exists(dir_fd, "t-2"));
	assert_false(temp_exists(dir_fd, "t-4"));
	assert_string_equal(temp_file_read(dir_fd, "t-3/00000000000000000000.log"), "mine");
	assert_int_equal(mock_kern_has(k, "t"), 2);
}

static void do_grow(void)
{
	grow(5);
}

static void grow__crash_anywhere(void **state)
{
	unsigned int n = 0, none = 0, all = 0;

	(void)state;
	while (fail_syscalls_crash_at(++n, do_grow) && n < CRASH_POINTS_MAX) {
		uint32_t count = start_again();

		if (count != 2 && count != 5)
			fail_msg("crash point %u: %u partitions", n, count);
		none += count == 2;
		all += count == 5;
		/* What a crash left is in nobody's way. */
		if (count == 2 && grow(5))
			fail_msg("crash point %u: %s", n, err.text);
		assert_int_equal(mock_kern_has(k, "t"), 5);
		assert_int_equal(log_dir_topic_delete(k, path, "t", &err), 0);
		assert_int_equal(log_dir_topic_create(k, path, "t", 2, NULL, 0, NULL, &err), 0);
	}
	assert_true(none > 5 && all > 1);
	assert_true(n < CRASH_POINTS_MAX);
}

static void grow__any_call_may_fail(void **state)
{
	unsigned int n = 0, failures = 0;
	int result;

	(void)state;
	do {
		fail_syscalls_set(FAIL_EIO, ++n);
		result = grow(5);
		if (!fail_syscalls_hit())
			break;
		if (result) {
			failures++;
			assert_true(strlen(err.text) > 10);
			/* Only that the settings could not be written does not take it back. */
			if (mock_kern_has(k, "t") == 2)
				assert_false(temp_exists(dir_fd, "t-2"));
		}
		assert_int_equal(start_again(), temp_exists(dir_fd, "t-2") ? 5 : 2);
		assert_int_equal(log_dir_topic_delete(k, path, "t", &err), 0);
		assert_int_equal(log_dir_topic_create(k, path, "t", 2, NULL, 0, NULL, &err), 0);
	} while (n < CRASH_POINTS_MAX);
	assert_true(failures > 8);
	assert_true(n < CRASH_POINTS_MAX);
}

static void grow__kernel_refuses(void **state)
{
	(void)state;
	mock_kern_refuse(k, "t", -ENOMEM, 1);
	assert_int_equal(grow(4), -ENOMEM);
	assert_false(temp_exists(dir_fd, "t-2"));
	assert_false(temp_exists(dir_fd, "t-3"));
	assert_int_equal(start_again(), 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, mock_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(grow__is_there_after_a_restart), TEST(grow__refuses),
		TEST(grow__what_is_in_the_way_stays), TEST(grow__crash_anywhere),
		TEST(grow__any_call_may_fail),	      TEST(grow__kernel_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
