// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "daemon/core/timer.h"

#define MANY 2000

static struct timer_heap heap;
static int64_t fired[MANY * 2];
static int n_fired;

static void note(struct timer *t)
{
	assert_false(t->set);
	fired[n_fired++] = t->deadline_ms;
}

static int setup(void **state)
{
	(void)state;
	heap = (struct timer_heap){0};
	n_fired = 0;
	return 0;
}

static void run__fires_in_order_what_is_due(void **state)
{
	struct timer t[4] = {{.fn = note}, {.fn = note}, {.fn = note}, {.fn = note}};

	(void)state;
	assert_int_equal(timer_next(&heap), TIMER_NEVER);
	timer_set(&heap, &t[0], 30);
	timer_set(&heap, &t[1], 10);
	timer_set(&heap, &t[2], 20);
	timer_set(&heap, &t[3], 40);
	assert_int_equal(timer_next(&heap), 10);
	timer_run(&heap, 9);
	assert_int_equal(n_fired, 0);
	timer_run(&heap, 30);
	assert_int_equal(n_fired, 3);
	assert_int_equal(fired[0], 10);
	assert_int_equal(fired[1], 20);
	assert_int_equal(fired[2], 30);
	assert_int_equal(timer_next(&heap), 40);
}

static void set__moves_and_cancel_forgets(void **state)
{
	struct timer a = {.fn = note}, b = {.fn = note};

	(void)state;
	timer_set(&heap, &a, 10);
	timer_set(&heap, &b, 20);
	timer_set(&heap, &a, 30);
	assert_int_equal(timer_next(&heap), 20);
	timer_cancel(&heap, &b);
	timer_cancel(&heap, &b);
	assert_int_equal(timer_next(&heap), 30);
	timer_run(&heap, 100);
	assert_int_equal(n_fired, 1);
	assert_int_equal(fired[0], 30);
}

static struct timer other;

static void set_other_now(struct timer *t)
{
	note(t);
	timer_set(&heap, t, t->deadline_ms);
	timer_cancel(&heap, &other);
}

static void run__callbacks_may_set_and_cancel(void **state)
{
	struct timer t = {.fn = set_other_now};

	(void)state;
	other = (struct timer){.fn = note};
	timer_set(&heap, &t, 5);
	timer_set(&heap, &other, 6);
	timer_run(&heap, 10);
	/* Once, not for ever; and what it cancelled did not fire. */
	assert_int_equal(n_fired, 1);
	assert_int_equal(timer_next(&heap), 11);
	timer_cancel(&heap, &t);
	assert_int_equal(timer_next(&heap), TIMER_NEVER);
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The heap against a sorted array, with sets, moves and cancels at random. */
static void heap__many(void **state)
{
	static struct timer t[MANY];
	static int64_t expected[MANY];
	int n = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < MANY * 8; i++) {
		struct timer *at = &t[rand() % MANY];

		at->fn = note;
		if (rand() % 3)
			timer_set(&heap, at, rand() % 10000);
		else
			timer_cancel(&heap, at);
	}
	for (int i = 0; i < MANY; i++) {
		if (t[i].set)
			expected[n++] = t[i].deadline_ms;
	}
	qsort(expected, (size_t)n, sizeof(expected[0]), compare);
	timer_run(&heap, 4999);
	for (int i = 0; i < n_fired; i++)
		assert_true(fired[i] <= 4999);
	timer_run(&heap, 10000);
	assert_int_equal(n_fired, n);
	assert_memory_equal(fired, expected, (size_t)n * sizeof(expected[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(run__fires_in_order_what_is_due, setup),
		cmocka_unit_test_setup(set__moves_and_cancel_forgets, setup),
		cmocka_unit_test_setup(run__callbacks_may_set_and_cancel, setup),
		cmocka_unit_test_setup(heap__many, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
