// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/core/buf.h"

/* Lets an allocation that is far too large fail, as it does without ASan. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void reserve__keeps_what_is_there(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	for (size_t i = 0; i < 5000; i++) {
		assert_int_equal(buf_reserve(&b, 1), 0);
		b.data[b.len++] = (uint8_t)i;
	}
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(b.data[i], (uint8_t)i);
	buf_free(&b);
}

static void reserve__stops_at_the_limit(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(buf_reserve(&b, 1001), -EMSGSIZE);
	assert_null(b.data);
	assert_int_equal(buf_reserve(&b, 600), 0);
	memset(b.data, 1, 600);
	b.len = 600;
	assert_int_equal(buf_reserve(&b, 400), 0);
	assert_in_range(b.cap, 1000, 1000);
	assert_int_equal(buf_reserve(&b, 401), -EMSGSIZE);
	assert_int_equal(b.len, 600);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -EMSGSIZE);
	buf_free(&b);
}

static void reserve__survives_sizes_that_overflow(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(buf_reserve(&b, 10), 0);
	b.len = 10;
	assert_int_equal(buf_reserve(&b, SIZE_MAX - 5), -EMSGSIZE);
	assert_int_equal(b.len, 10);
	buf_free(&b);
}

static void reserve__says_when_there_is_no_memory(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_int_equal(buf_reserve(&b, 10), 0);
	memset(b.data, 7, 10);
	b.len = 10;
	assert_int_equal(buf_reserve(&b, SIZE_MAX / 4), -ENOMEM);
	assert_int_equal(b.len, 10);
	assert_int_equal(b.data[9], 7);
	buf_free(&b);
}

static void free__leaves_a_buffer_to_use(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 64);
	assert_int_equal(buf_reserve(&b, 64), 0);
	b.len = 64;
	buf_free(&b);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.max, 64);
	assert_int_equal(buf_reserve(&b, 64), 0);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserve__keeps_what_is_there),
		cmocka_unit_test(reserve__stops_at_the_limit),
		cmocka_unit_test(reserve__survives_sizes_that_overflow),
		cmocka_unit_test(reserve__says_when_there_is_no_memory),
		cmocka_unit_test(free__leaves_a_buffer_to_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
