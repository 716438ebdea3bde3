// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/core/arena.h"

/* Lets an allocation that is far too large fail, as it does without ASan. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void alloc__gives_zeroed_aligned_memory(void **state)
{
	unsigned char *p[200];
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < 200; i++) {
		p[i] = arena_alloc(&a, 1, i + 1);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % alignof(max_align_t), 0);
		for (size_t k = 0; k <= i; k++)
			assert_int_equal(p[i][k], 0);
		memset(p[i], (int)i, i + 1);
	}
	for (size_t i = 0; i < 200; i++) {
		for (size_t k = 0; k <= i; k++)
			assert_int_equal(p[i][k], i);
	}
	arena_free(&a);
}

static void alloc__stops_at_the_limit(void **state)
{
	struct arena a;
	size_t n = 0;

	(void)state;
	arena_init(&a, 100000);
	while (arena_alloc(&a, 1, 1000))
		n++;
	/* No more than the limit, and not much lost of it. */
	assert_in_range(n, 85, 100);
	assert_in_range(a.used_bytes, n * 1000, 100000);
	assert_null(arena_alloc(&a, 1, 100000));
	arena_free(&a);
	assert_int_equal(a.used_bytes, 0);
	assert_non_null(arena_alloc(&a, 1, 90000));
	arena_free(&a);
}

static void alloc__refuses_sizes_that_overflow(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, SIZE_MAX);
	assert_null(arena_alloc(&a, SIZE_MAX / 2, 3));
	assert_null(arena_alloc(&a, 1, SIZE_MAX));
	assert_null(arena_alloc(&a, 1, SIZE_MAX - 8));
	assert_null(arena_alloc(&a, INT32_MAX, SIZE_MAX / INT32_MAX));
	assert_int_equal(a.used_bytes, 0);
	arena_free(&a);
}

static void alloc__says_when_there_is_no_memory(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, SIZE_MAX);
	assert_null(arena_alloc(&a, 1, SIZE_MAX / 4));
	assert_int_equal(a.used_bytes, 0);
	assert_non_null(arena_alloc(&a, 1, 10));
	arena_free(&a);
}

static void alloc__of_nothing_is_not_null(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 4096);
	assert_non_null(arena_alloc(&a, 0, 8));
	assert_non_null(arena_alloc(&a, 8, 0));
	arena_free(&a);
}

static void reset__keeps_only_the_first_block(void **state)
{
	struct arena a;
	unsigned char *first, *again;

	(void)state;
	arena_init(&a, 1 << 20);
	first = arena_alloc(&a, 1, 100);
	memset(first, 0xff, 100);
	for (int i = 0; i < 100; i++)
		assert_non_null(arena_alloc(&a, 1, 1000));
	arena_reset(&a);
	assert_in_range(a.used_bytes, 1, 4096);
	again = arena_alloc(&a, 1, 100);
	assert_ptr_equal(again, first);
	for (int i = 0; i < 100; i++)
		assert_int_equal(again[i], 0);
	arena_free(&a);
}

static void reset__does_not_keep_a_large_object(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_non_null(arena_alloc(&a, 1, 500000));
	arena_reset(&a);
	assert_int_equal(a.used_bytes, 0);
	arena_reset(&a);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alloc__gives_zeroed_aligned_memory),
		cmocka_unit_test(alloc__stops_at_the_limit),
		cmocka_unit_test(alloc__refuses_sizes_that_overflow),
		cmocka_unit_test(alloc__says_when_there_is_no_memory),
		cmocka_unit_test(alloc__of_nothing_is_not_null),
		cmocka_unit_test(reset__keeps_only_the_first_block),
		cmocka_unit_test(reset__does_not_keep_a_large_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
