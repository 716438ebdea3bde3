// SPDX-License-Identifier: Apache-2.0
/*
 * Which log is compacted next, with the cases of Kafka's LogCleanerManagerTest
 * (those of the bounds are in tests/engine/unit_clean_bounds.c), and how fast.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/cleaner/manager.h"
#include "daemon/cleaner/throttle.h"

#define BACKOFF_MS 15000

static const uint8_t topic_a[SLUICE_TOPIC_ID_LEN] = {1};
static const uint8_t topic_b[SLUICE_TOPIC_ID_LEN] = {2};

static struct cleaner_manager m;
static int64_t now_ms;

static int setup(void **state)
{
	(void)state;
	cleaner_manager_init(&m);
	now_ms = 1000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cleaner_manager_destroy(&m);
	return 0;
}

static struct cleaner_entry *see(const uint8_t *topic_id, uint32_t index, uint64_t generation)
{
	bool new;
	struct cleaner_entry *e = cleaner_manager_see(&m, topic_id, index, generation, &new);

	assert_non_null(e);
	return e;
}

/* Of ten bytes so many are dirty. */
static struct sluice_clean_bounds dirty(uint64_t tenths)
{
	return (struct sluice_clean_bounds){.clean_bytes = 10 - tenths, .cleanable_bytes = tenths};
}

/* Logs 0, 1 and 2 of a topic, so dirty, of which one is taken; its index, or -1. */
static int round_of(const uint8_t *topic_id, const uint64_t tenths[3])
{
	struct cleaner_entry *e;

	cleaner_manager_begin(&m);
	for (uint32_t i = 0; i < 3; i++) {
		struct sluice_clean_bounds b = dirty(tenths[i]);

		e = see(topic_id, i, 7);
		if (cleaner_entry_ready(e, now_ms))
			cleaner_manager_offer(&m, e, &b, 0.5);
	}
	e = cleaner_manager_take(&m);
	return e ? (int)e->index : -1;
}

/* testGrabFilthiestCompactedLogReturnsLogWithDirtiestRatio */
static void take__the_dirtiest(void **state)
{
	(void)state;
	assert_int_equal(round_of(topic_a, (const uint64_t[]){7, 9, 8}), 1);
}

/* ...IgnoresInProgressPartitions */
static void take__not_what_is_in_progress(void **state)
{
	(void)state;
	assert_int_equal(round_of(topic_a, (const uint64_t[]){7, 9, 8}), 1);
	assert_int_equal(round_of(topic_a, (const uint64_t[]){7, 9, 8}), 2);
	assert_int_equal(round_of(topic_a, (const uint64_t[]){7, 9, 8}), 0);
	assert_int_equal(round_of(topic_a, (const uint64_t[]){7, 9, 8}), -1);
	cleaner_manager_done(&m, see(topic_a, 1, 7), CLEANER_DONE, now_ms, BACKOFF_MS);
	assert_int_equal(round_of(topic_a, (const uint64_t[]){7, 9, 8}), 1);
}

/* ...IgnoresUncleanablePartitions, and ...IgnoresBothInProgress...AndUncleanable... */
static void take__not_what_is_uncleanable(void **state)
{
	(void)state;
	assert_int_equal(round_of(topic_a, (const uint64_t[]){7, 9, 8}), 1);
	cleaner_manager_done(&m, see(topic_a, 1, 7), CLEANER_DAMAGED, now_ms, BACKOFF_MS);
	assert_int_equal(m.uncleanable, 1);
	assert_int_equal(round_of(topic_a, (const uint64_t[]){7, 9, 8}), 2);
	now_ms += 1000 * CLEANER_RETRY_MS;
	assert_int_equal(round_of(topic_a, (const uint64_t[]){7, 9, 8}), 0);
	assert_int_equal(round_of(topic_a, (const uint64_t[]){7, 9, 8}), -1);

	/* Opened anew, it was recovered. */
	cleaner_manager_begin(&m);
	assert_true(cleaner_entry_ready(see(topic_a, 1, 8), now_ms));
	assert_int_equal(m.uncleanable, 0);
}

/* LogToClean: above the ratio, not at it; or overdue, if there is anything. */
static void take__only_what_is_due(void **state)
{
	struct sluice_clean_bounds b = dirty(1);
	struct cleaner_entry *e;

	(void)state;
	assert_int_equal(round_of(topic_a, (const uint64_t[]){5, 0, 4}), -1);
	assert_int_equal(round_of(topic_a, (const uint64_t[]){5, 0, 6}), 2);
	cleaner_manager_begin(&m);
	e = see(topic_b, 0, 1);
	b.delay_ms = 1;
	assert_true(cleaner_manager_offer(&m, e, &b, 0.5));
	b = dirty(0);
	b.delay_ms = 1;
	assert_false(cleaner_manager_offer(&m, see(topic_b, 1, 1), &b, 0.5));
	/* The dirtiest of those that are due, overdue or not. */
	b = dirty(6);
	assert_true(cleaner_manager_offer(&m, see(topic_b, 2, 1), &b, 0.5));
	assert_int_equal(cleaner_manager_take(&m)->index, 2);
}

static void done__a_failure_waits(void **state)
{
	static const uint64_t one[3] = {0, 9, 0};

	(void)state;
	assert_int_equal(round_of(topic_a, one), 1);
	cleaner_manager_done(&m, see(topic_a, 1, 7), CLEANER_FAILED, now_ms, BACKOFF_MS);
	now_ms += CLEANER_RETRY_MS - 1;
	assert_int_equal(round_of(topic_a, one), -1);
	now_ms++;
	assert_int_equal(round_of(topic_a, one), 1);
	cleaner_manager_done(&m, see(topic_a, 1, 7), CLEANER_CHANGED, now_ms, BACKOFF_MS);
	now_ms += BACKOFF_MS - 1;
	assert_int_equal(round_of(topic_a, one), -1);
	now_ms++;
	assert_int_equal(round_of(topic_a, one), 1);
	cleaner_manager_done(&m, see(topic_a, 1, 7), CLEANER_STOPPED, now_ms, BACKOFF_MS);
	assert_int_equal(round_of(topic_a, one), 1);
}

/* A checkpoint may lie above the cut, and the log have grown over it since. */
static void see__a_truncated_log_is_dirty_as_a_whole(void **state)
{
	struct cleaner_entry *e;
	bool new;

	(void)state;
	cleaner_manager_begin(&m);
	e = cleaner_manager_see(&m, topic_a, 0, 7, &new);
	assert_true(new);
	assert_false(e->distrust);
	assert_ptr_equal(cleaner_manager_see(&m, topic_a, 0, 8, &new), e);
	assert_false(new);
	assert_true(e->distrust);
	/* Until it was compacted. */
	assert_true(cleaner_manager_offer(&m, e,
					  &(struct sluice_clean_bounds){.cleanable_bytes = 1}, 0));
	assert_ptr_equal(cleaner_manager_take(&m), e);
	cleaner_manager_done(&m, e, CLEANER_FAILED, now_ms, BACKOFF_MS);
	assert_true(see(topic_a, 0, 8)->distrust);
	e->in_progress = true;
	cleaner_manager_done(&m, e, CLEANER_DONE, now_ms, BACKOFF_MS);
	assert_false(see(topic_a, 0, 8)->distrust);
}

/* Cut while it was compacted: what was noted since is of the old log. */
static void see__one_that_is_cut_in_progress(void **state)
{
	struct cleaner_entry *e;

	(void)state;
	assert_int_equal(round_of(topic_a, (const uint64_t[]){0, 9, 0}), 1);
	e = see(topic_a, 1, 8);
	assert_int_equal(e->generation, 7);
	cleaner_manager_done(&m, e, CLEANER_CHANGED, now_ms, BACKOFF_MS);
	assert_true(see(topic_a, 1, 8)->distrust);
}

static void take__forgets_logs_that_are_gone(void **state)
{
	bool new;

	(void)state;
	assert_int_equal(round_of(topic_a, (const uint64_t[]){0, 9, 0}), 1);
	assert_int_equal(m.entries.count, 3);
	/* But not the one that somebody works on. */
	assert_int_equal(round_of(topic_b, (const uint64_t[]){0, 0, 0}), -1);
	assert_int_equal(m.entries.count, 4);
	cleaner_manager_done(&m, see(topic_a, 1, 7), CLEANER_DAMAGED, now_ms, BACKOFF_MS);
	assert_int_equal(round_of(topic_b, (const uint64_t[]){0, 0, 0}), -1);
	assert_int_equal(m.entries.count, 3);
	assert_int_equal(m.uncleanable, 0);
	/* A round that was broken off forgets nothing. */
	cleaner_manager_begin(&m);
	cleaner_manager_begin(&m);
	cleaner_manager_see(&m, topic_b, 2, 7, &new);
	assert_false(new);
}

static void throttle__as_fast_as_allowed(void **state)
{
	struct cleaner_throttle t = {.bytes_per_second = 1000};
	int64_t now = 5000, wait;
	uint64_t bytes = 0;

	(void)state;
	/* A first burst is no credit. */
	assert_int_equal(cleaner_throttle(&t, 99, now), 0);
	assert_int_equal(cleaner_throttle(&t, 1, now), 100);
	assert_int_equal(cleaner_throttle(&t, 0, now + 100), 0);
	now = 10000;
	while (bytes < 100000) {
		wait = cleaner_throttle(&t, 70, now);
		bytes += 70;
		while (wait) {
			assert_in_range(wait, CLEANER_WAIT_MIN_MS, 1000);
			now += wait;
			wait = cleaner_throttle(&t, 0, now);
		}
	}
	assert_in_range(now, 10000 + 99800, 10000 + 100100);
}

static void throttle__a_large_debt_is_paid_in_parts(void **state)
{
	struct cleaner_throttle t = {.bytes_per_second = 1};

	(void)state;
	assert_int_equal(cleaner_throttle(&t, 5, 0), 1000);
	assert_int_equal(cleaner_throttle(&t, 0, 1000), 1000);
	assert_int_equal(cleaner_throttle(&t, 0, 4500), 500);
	assert_int_equal(cleaner_throttle(&t, 0, 5000), 0);
}

static void throttle__none(void **state)
{
	struct cleaner_throttle t = {.bytes_per_second = 1.7976931348623157E308};

	(void)state;
	assert_int_equal(cleaner_throttle(&t, UINT64_MAX, 0), 0);
	assert_int_equal(cleaner_throttle(&t, UINT64_MAX, 0), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(take__the_dirtiest),
		TEST(take__not_what_is_in_progress),
		TEST(take__not_what_is_uncleanable),
		TEST(take__only_what_is_due),
		TEST(done__a_failure_waits),
		TEST(see__a_truncated_log_is_dirty_as_a_whole),
		TEST(see__one_that_is_cut_in_progress),
		TEST(take__forgets_logs_that_are_gone),
		TEST(throttle__as_fast_as_allowed),
		TEST(throttle__a_large_debt_is_paid_in_parts),
		TEST(throttle__none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
