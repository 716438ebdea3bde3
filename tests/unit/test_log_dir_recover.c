// SPDX-License-Identifier: Apache-2.0
/* Recovery of a whole directory: who does it, and what one partition does to others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kmod/log/port.h"
#include "tests/unit/mock_dir.h"

#define PARTITIONS 5

static void crash(void)
{
	new_kernel();
	fail_syscalls_threads();
}

static int setup(void **state)
{
	mock_dir_setup(state);
	if (log_dir_up(k, path, 0, NULL, NULL, &err) ||
	    log_dir_topic_create(k, path, "t", PARTITIONS, NULL, 0, NULL, &err))
		return -1;
	return 0;
}

/* num.recovery.threads.per.data.dir */
static void recover__with_so_many_threads(void **state)
{
	(void)state;
	crash();
	assert_int_equal(log_dir_up(k, path, 3, NULL, NULL, &err), 0);
	assert_int_equal(fail_syscalls_threads(), 3);
	assert_int_equal(mock_kern_has(k, "t"), PARTITIONS);
	crash();
	assert_int_equal(log_dir_up(k, path, 1, NULL, NULL, &err), 0);
	assert_int_equal(fail_syscalls_threads(), 1);
	crash();
	/* More have nothing to do. */
	assert_int_equal(log_dir_up(k, path, 1000, NULL, NULL, &err), 0);
	assert_int_equal(fail_syscalls_threads(), PARTITIONS);
	assert_int_equal(mock_kern_has(k, "t"), PARTITIONS);
}

static void recover__goes_on_with_the_threads_there_are(void **state)
{
	(void)state;
	for (unsigned int n = 1; n < 200; n++) {
		crash();
		fail_syscalls_set(FAIL_EIO, n);
		log_dir_up(k, path, 3, NULL, NULL, &err);
		if (!fail_syscalls_hit())
			return;
		/* Whatever failed, nothing is lost by it. */
		crash();
		assert_int_equal(log_dir_up(k, path, 3, NULL, NULL, &err), 0);
		assert_string_equal(err.text, "");
		assert_int_equal(mock_kern_has(k, "t"), PARTITIONS);
	}
	fail_msg("it never ends");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, mock_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(recover__with_so_many_threads),
		TEST(recover__goes_on_with_the_threads_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
