// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "daemon/log/checkpoint.h"
#include "tests/unit/fail_syscalls.h"
#include "tests/unit/temp_dir.h"

static unsigned int bad_line;

static int parse(const char *text, struct checkpoint *c)
{
	return checkpoint_parse(text, strlen(text), c, &bad_line);
}

static void parse__reads_what_kafka_writes(void **state)
{
	struct checkpoint c;

	(void)state;
	assert_int_equal(
		parse("0\n3\norders 1 9223372036854775807\norders 0 5\na-b.c 99999 0\n", &c), 0);
	assert_int_equal(c.n, 3);
	assert_int_equal(checkpoint_find(&c, "orders", 0), 5);
	assert_int_equal(checkpoint_find(&c, "orders", 1), INT64_MAX);
	assert_int_equal(checkpoint_find(&c, "a-b.c", 99999), 0);
	assert_int_equal(checkpoint_find(&c, "orders", 2), -1);
	assert_int_equal(checkpoint_find(&c, "order", 0), -1);
	checkpoint_free(&c);
	assert_int_equal(parse("0\n0\n", &c), 0);
	assert_int_equal(c.n, 0);
	assert_int_equal(checkpoint_find(&c, "orders", 0), -1);
	checkpoint_free(&c);
}

static void parse__refuses_what_is_torn_or_hostile(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
	} bad[] = {
		{"", 1},
		{"0", 2},
		{"0\n", 2},
		{"1\n0\n", 1},
		{"0\n1\n", 2},
		{"0\n-1\n", 2},
		{"0\n99999999999\n", 2},
		{"0\n2\norders 0 5\n", 2},	       /* torn: one entry is missing */
		{"0\n1\norders 0 5\norders 1 6\n", 2}, /* one too many */
		{"0\n1\norders 0\n", 3},
		{"0\n1\norders 0 \n", 3},
		{"0\n1\norders 0 -1\n", 3},
		{"0\n1\norders -1 5\n", 3},
		{"0\n1\norders x 5\n", 3},
		{"0\n2\norders 0 5\norders 1 5x\n", 4},
		{"0\n1\norders 0 9223372036854775808\n", 3},
		{"0\n1\norders 4294967296 5\n", 3},
		{"0\n1\n../x 0 5\n", 3},
		{"0\n1\n 0 5\n", 3},
		{"0\n2\norders 0 5\norders 0 6\n", 0},
		{"0\n1\n\n", 3},
	};
	struct checkpoint c;
	char *longest;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		print_message("# %zu\n", i);
		assert_int_equal(parse(bad[i].text, &c), -EINVAL);
		assert_int_equal(bad_line, bad[i].line);
		assert_int_equal(c.n, 0);
		assert_null(c.entries);
	}
	longest = malloc(1000);
	memset(longest, 'x', 999);
	longest[999] = '\0';
	assert_int_equal(parse(longest, &c), -EINVAL);
	free(longest);
	assert_int_equal(checkpoint_parse("0\n1\na\0b 0 5\n", 13, &c, &bad_line), -EINVAL);
	assert_int_equal(bad_line, 3);
}

static void write__then_read(void **state)
{
	struct checkpoint c = {0}, back;
	int fd;

	(void)state;
	temp_dir_make(&fd);
	assert_int_equal(checkpoint_read(fd, "cp", &back, &bad_line), 0);
	assert_int_equal(back.n, 0);
	assert_int_equal(checkpoint_add(&c, "b", 0, 7), 0);
	for (uint32_t i = 40; i-- > 0;)
		assert_int_equal(checkpoint_add(&c, "a", i, i * 10), 0);
	assert_int_equal(checkpoint_write(fd, "cp", &c), 0);
	assert_non_null(strstr(temp_file_read(fd, "cp"), "0\n41\na 0 0\na 1 10\n"));
	assert_int_equal(checkpoint_read(fd, "cp", &back, &bad_line), 0);
	assert_int_equal(checkpoint_find(&back, "a", 39), 390);
	assert_int_equal(checkpoint_forget(&back, "a"), 40);
	assert_int_equal(checkpoint_forget(&back, "a"), 0);
	assert_int_equal(checkpoint_find(&back, "b", 0), 7);
	checkpoint_free(&back);
	checkpoint_free(&c);
	temp_dir_remove(fd);
}

static void write__failing_leaves_the_old_one(void **state)
{
	struct checkpoint c = {0}, back;
	unsigned int n = 0;
	int fd, err;

	(void)state;
	temp_dir_make(&fd);
	assert_int_equal(checkpoint_add(&c, "a", 0, 1), 0);
	assert_int_equal(checkpoint_write(fd, "cp", &c), 0);
	c.entries[0].offset = 2;
	do {
		fail_syscalls_set(FAIL_EIO, ++n);
		err = checkpoint_write(fd, "cp", &c);
		if (!fail_syscalls_hit())
			break;
		/* The very last call syncs the directory: by then it is the new one. */
		assert_int_equal(checkpoint_read(fd, "cp", &back, &bad_line), 0);
		assert_true(checkpoint_find(&back, "a", 0) == 1 || n >= 4);
		checkpoint_free(&back);
		assert_int_equal(err, -EIO);
		assert_false(temp_exists(fd, ".sluice-tmp") && n > 4);
	} while (n < 20);
	assert_int_equal(err, 0);
	assert_int_equal(n, 6); /* open, write, fsync, rename, fsync: all were hit */
	checkpoint_free(&c);
	temp_dir_remove(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__reads_what_kafka_writes),
		cmocka_unit_test(parse__refuses_what_is_torn_or_hostile),
		cmocka_unit_test(write__then_read),
		cmocka_unit_test(write__failing_leaves_the_old_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
