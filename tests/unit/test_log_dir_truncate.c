// SPDX-License-Identifier: Apache-2.0
/* Truncation: what the checkpoints say when the records go. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "tests/unit/mock_dir.h"

#define POINTS "recovery-point-offset-checkpoint"
#define MARKS  "replication-offset-checkpoint"
#define STARTS "log-start-offset-checkpoint"
#define CLEAN  "cleaner-offset-checkpoint"

static int64_t end;

/* A log that ends at 90, with segments that begin at 0, 40 and 80. */
static int setup(void **state)
{
	struct kern_partition *p;

	mock_dir_setup(state);
	if (log_dir_up(k, path, 0, NULL, NULL, &err) ||
	    log_dir_topic_create(k, path, "t", 2, NULL, 0, NULL, &err))
		return -1;
	temp_file_write(dir_fd, "t-1/00000000000000000000.log", "");
	temp_file_write(dir_fd, "t-1/00000000000000000040.log", "");
	temp_file_write(dir_fd, "t-1/00000000000000000080.log", "");
	temp_file_write(dir_fd, "t-1/00000000000000000044.log.deleted", "");
	temp_file_write(dir_fd, "t-1/00000000000000000045.index", "");
	p = mock_kern_partition(k, "t", 1);
	p->log_start_offset = 30;
	p->high_watermark = 85;
	p->log_end_offset = 90;
	temp_file_write(dir_fd, POINTS, "0\n2\nt 0 77\nt 1 88\n");
	temp_file_write(dir_fd, MARKS, "0\n2\nt 0 77\nt 1 85\n");
	temp_file_write(dir_fd, STARTS, "0\n2\nt 0 7\nt 1 30\n");
	temp_file_write(dir_fd, CLEAN, "0\n2\nt 0 70\nt 1 60\n");
	return 0;
}

static void check_files(const char *points, const char *marks, const char *starts,
			const char *clean)
{
	assert_string_equal(temp_file_read(dir_fd, POINTS), points);
	assert_string_equal(temp_file_read(dir_fd, MARKS), marks);
	assert_string_equal(temp_file_read(dir_fd, STARTS), starts);
	assert_string_equal(temp_file_read(dir_fd, CLEAN), clean);
}

/* The batch of offset 45 begins nowhere before its segment, at 40. */
static void check_lowered(void)
{
	check_files("0\n2\nt 0 77\nt 1 40\n", "0\n2\nt 0 77\nt 1 40\n", "0\n2\nt 0 7\nt 1 30\n",
		    "0\n2\nt 0 70\nt 1 40\n");
}

static void check_below_start(void)
{
	check_files("0\n2\nt 0 77\nt 1 0\n", "0\n2\nt 0 77\nt 1 0\n", "0\n2\nt 0 7\nt 1 20\n",
		    "0\n2\nt 0 70\nt 1 0\n");
}

static void truncate__lowers_the_checkpoints_before(void **state)
{
	(void)state;
	mock_kern_on_truncate(k, check_lowered);
	assert_int_equal(log_dir_truncate(k, path, "t", 1, 45, &end, &err), 0);
	assert_int_equal(end, 45);
	check_lowered();
}

static void truncate__below_the_log_start(void **state)
{
	(void)state;
	mock_kern_on_truncate(k, check_below_start);
	assert_int_equal(log_dir_truncate(k, path, "t", 1, 20, &end, &err), 0);
	check_below_start();
}

static void truncate__never_raises_one(void **state)
{
	(void)state;
	temp_file_write(dir_fd, POINTS, "0\n1\nt 1 3\n");
	temp_file_write(dir_fd, MARKS, "0\n1\nt 0 3\n");
	assert_int_equal(log_dir_truncate(k, path, "t", 1, 89, &end, &err), 0);
	check_files("0\n1\nt 1 3\n", "0\n1\nt 0 3\n", "0\n2\nt 0 7\nt 1 30\n",
		    "0\n2\nt 0 70\nt 1 60\n");
}

static void never(void)
{
	fail_msg("the log was truncated");
}

static void truncate__from_the_log_end_nothing_happens(void **state)
{
	(void)state;
	mock_kern_on_truncate(k, never);
	assert_int_equal(log_dir_truncate(k, path, "t", 1, 90, &end, &err), 0);
	assert_int_equal(end, 90);
	assert_string_equal(temp_file_read(dir_fd, POINTS), "0\n2\nt 0 77\nt 1 88\n");
	assert_int_equal(log_dir_truncate(k, path, "t", 2, 0, &end, &err), -ENOENT);
	assert_int_equal(log_dir_truncate(k, path, "u", 0, 0, &end, &err), -ENOENT);
}

/* Whatever fails before: then the log stays as it is. */
static void truncate__not_without_the_checkpoints(void **state)
{
	unsigned int n = 0;
	int result;

	(void)state;
	do {
		mock_kern_on_truncate(k, check_lowered);
		mock_kern_partition(k, "t", 1)->log_end_offset = 90;
		temp_file_write(dir_fd, POINTS, "0\n2\nt 0 77\nt 1 88\n");
		temp_file_write(dir_fd, MARKS, "0\n2\nt 0 77\nt 1 85\n");
		temp_file_write(dir_fd, CLEAN, "0\n2\nt 0 70\nt 1 60\n");
		fail_syscalls_set(FAIL_EIO, ++n);
		result = log_dir_truncate(k, path, "t", 1, 45, &end, &err);
		if (!fail_syscalls_hit())
			break;
		if (result)
			assert_true(err.text[0]);
	} while (n < 1000);
	assert_true(n > 10 && n < 1000);
	assert_int_equal(result, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, mock_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(truncate__lowers_the_checkpoints_before),
		TEST(truncate__below_the_log_start),
		TEST(truncate__never_raises_one),
		TEST(truncate__from_the_log_end_nothing_happens),
		TEST(truncate__not_without_the_checkpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
