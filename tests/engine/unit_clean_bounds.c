// SPDX-License-Identifier: Apache-2.0
/*
 * What may be cleaned and which log is the dirtiest, with the cases of Kafka's
 * LogCleanerManagerTest and of testLogToClean in LogCleanerTest.
 */
#include "clean_bounds.h"
#include "clean_test.h"

#include <stdlib.h>

static struct clog log_;

static int setup(void **state)
{
	if (clog_dir_setup(state))
		return -1;
	clog_init(&log_, *state);
	return 0;
}

static int teardown(void **state)
{
	clog_destroy(&log_);
	return dir_teardown(state);
}

/* Segments of one record, at offset 0, 1 and so on; the last is the active one. */
static void segments(int n)
{
	for (int i = 0; i < n; i++) {
		log_.time = TIME_0 + i * 1000;
		clog_keys(&log_, -1, false, 1);
		clog_roll(&log_);
	}
}

static struct sluice_clean_bounds look(struct sluice_clean_bounds b)
{
	char err[SLUICE_ERROR_TEXT_MAX];

	if (!b.log_end_offset)
		b.log_end_offset = log_.next_offset;
	if (!b.last_stable_offset)
		b.last_stable_offset = b.log_end_offset;
	if (!b.max_compaction_lag_ms)
		b.max_compaction_lag_ms = S64_MAX;
	if (!b.now_ms)
		b.now_ms = TIME_0 + DAY_MS;
	assert_int_equal(sluice_clean_bounds(log_.dir, &b, err), 0);
	assert_int_equal(err[0], 0);
	return b;
}

/* testCleanableOffsetsForNone */
static void bounds__up_to_the_active_segment(void **state)
{
	struct sluice_clean_bounds b;

	(void)state;
	segments(8);
	b = look((struct sluice_clean_bounds){.checkpoint = -1});
	assert_int_equal(b.first_dirty, 0);
	assert_int_equal(b.first_uncleanable, 7);
	assert_false(b.checkpoint_wrong);
	b = look((struct sluice_clean_bounds){.checkpoint = 0});
	assert_int_equal(b.first_uncleanable, 7);
}

static void bounds__one_segment_and_none(void **state)
{
	struct sluice_clean_bounds b;

	(void)state;
	b = look((struct sluice_clean_bounds){.checkpoint = -1, .log_end_offset = 1});
	assert_int_equal(b.first_uncleanable, 0);
	assert_true(sluice_clean_ratio(&b) == 0);
	assert_false(sluice_clean_due(&b, 0));
	segments(1);
	b = look((struct sluice_clean_bounds){.checkpoint = -1});
	assert_int_equal(b.first_dirty, 0);
	assert_int_equal(b.first_uncleanable, 0);
	assert_int_equal(b.cleanable_bytes, 0);
	assert_false(sluice_clean_due(&b, 0));
}

/* testUndecidedTransactionalDataNotCleanable: the segment that holds it, too. */
static void bounds__not_above_the_last_stable_offset(void **state)
{
	struct sluice_clean_bounds b;

	(void)state;
	clog_keys(&log_, -1, false, 1, 2, 3);
	clog_roll(&log_);
	clog_keys(&log_, -1, false, 4, 5, 6);
	clog_roll(&log_);
	clog_keys(&log_, -1, false, 7);
	clog_roll(&log_);
	b = look((struct sluice_clean_bounds){.checkpoint = -1, .last_stable_offset = 4});
	assert_int_equal(b.first_uncleanable, 3);
	b = look((struct sluice_clean_bounds){.checkpoint = -1, .last_stable_offset = 3});
	assert_int_equal(b.first_uncleanable, 3);
	b = look((struct sluice_clean_bounds){.checkpoint = -1, .last_stable_offset = 2});
	assert_int_equal(b.first_uncleanable, 0);
	assert_int_equal(b.cleanable_bytes, 0);
	b = look((struct sluice_clean_bounds){.checkpoint = -1, .last_stable_offset = 7});
	assert_int_equal(b.first_uncleanable, 6);
}

/* Puts the times where recovery and the roll put them. */
static void index_times(int n)
{
	char name[40];
	u8 entry[12] = {0};

	for (int i = 0; i < n; i++) {
		put_unaligned_be64((u64)(TIME_0 + i * 1000), entry);
		snprintf(name, sizeof(name), "%020d.timeindex", i);
		file_store(log_.dir, name, entry, sizeof(entry));
	}
}

/* testCleanableOffsetsForTime, testCleanableOffsetsForShortTime */
static void bounds__not_within_the_minimum_lag(void **state)
{
	struct sluice_clean_bounds b;

	(void)state;
	segments(8);
	index_times(8);
	b = look((struct sluice_clean_bounds){
		.checkpoint = -1, .min_compaction_lag_ms = 1000, .now_ms = TIME_0 + 4999});
	assert_int_equal(b.first_uncleanable, 4);
	b = look((struct sluice_clean_bounds){
		.checkpoint = -1, .min_compaction_lag_ms = 1000, .now_ms = TIME_0 + 5000});
	assert_int_equal(b.first_uncleanable, 5);
	b = look((struct sluice_clean_bounds){
		.checkpoint = -1, .min_compaction_lag_ms = 3600000, .now_ms = TIME_0 + DAY_MS});
	assert_int_equal(b.first_uncleanable, 7);
	/* What was cleaned is not looked at: never below the first dirty one. */
	b = look((struct sluice_clean_bounds){
		.checkpoint = 3, .min_compaction_lag_ms = 100000, .now_ms = TIME_0 + 5000});
	assert_int_equal(b.first_uncleanable, 3);
	assert_int_equal(b.cleanable_bytes, 0);
}

/* testLogsWithSegmentsToDelete..., cleanableOffsets(): checkpoints that cannot be. */
static void bounds__checkpoints_that_are_wrong(void **state)
{
	struct sluice_clean_bounds b;

	(void)state;
	segments(4);
	b = look((struct sluice_clean_bounds){.checkpoint = 5});
	assert_int_equal(b.first_dirty, 0);
	assert_true(b.checkpoint_wrong);
	b = look((struct sluice_clean_bounds){.checkpoint = 4});
	assert_int_equal(b.first_dirty, 4);
	assert_false(b.checkpoint_wrong);
	b = look((struct sluice_clean_bounds){.checkpoint = 1, .log_start_offset = 2});
	assert_int_equal(b.first_dirty, 2);
	assert_true(b.checkpoint_wrong);
	b = look((struct sluice_clean_bounds){.checkpoint = -1, .log_start_offset = 2});
	assert_int_equal(b.first_dirty, 2);
	assert_false(b.checkpoint_wrong);
}

/* testLogToClean, testLogToCleanWithUncleanableSection */
static void bounds__bytes_and_ratio(void **state)
{
	struct sluice_clean_bounds b;
	u64 one;

	(void)state;
	segments(6);
	one = (u64)file_size(log_.dir, "00000000000000000000.log");
	b = look((struct sluice_clean_bounds){.checkpoint = 5});
	assert_int_equal(b.clean_bytes, 5 * one);
	assert_int_equal(b.cleanable_bytes, 0);
	b = look((struct sluice_clean_bounds){.checkpoint = 2, .last_stable_offset = 4});
	assert_int_equal(b.clean_bytes, 2 * one);
	assert_int_equal(b.cleanable_bytes, 2 * one);
	assert_true(sluice_clean_ratio(&b) == 0.5);
	assert_true(sluice_clean_due(&b, 0.49));
	assert_false(sluice_clean_due(&b, 0.5));
}

/* testLogsUnderCleanupIneligible...: max.compaction.lag.ms makes it due whatever the ratio. */
static void bounds__overdue_by_the_maximum_lag(void **state)
{
	struct sluice_clean_bounds b;

	(void)state;
	segments(10);
	b = look((struct sluice_clean_bounds){
		.checkpoint = 8, .max_compaction_lag_ms = 1000, .now_ms = TIME_0 + 9000});
	assert_int_equal(b.delay_ms, 0);
	assert_false(sluice_clean_due(&b, 0.5));
	b = look((struct sluice_clean_bounds){
		.checkpoint = 8, .max_compaction_lag_ms = 1000, .now_ms = TIME_0 + 9001});
	assert_int_equal(b.delay_ms, 1);
	assert_true(sluice_clean_due(&b, 0.5));
	/* Nothing to be cleaned: the only dirty one is the active one. */
	b = look((struct sluice_clean_bounds){
		.checkpoint = 9, .max_compaction_lag_ms = 1000, .now_ms = TIME_0 + DAY_MS});
	assert_false(sluice_clean_due(&b, 0.5));
}

static void bounds__error_says_where(void **state)
{
	struct sluice_clean_bounds b = {.checkpoint = -1,
					.min_compaction_lag_ms = 1,
					.log_end_offset = 3,
					.last_stable_offset = 3};
	char err[SLUICE_ERROR_TEXT_MAX];

	(void)state;
	segments(3);
	assert_int_equal(port_file_remove(log_.dir, "00000000000000000001.timeindex"), 0);
	assert_int_equal(sluice_clean_bounds(log_.dir, &b, err), -ENOENT);
	assert_non_null(strstr(err, "00000000000000000001.timeindex"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bounds__up_to_the_active_segment),
		TEST(bounds__one_segment_and_none),
		TEST(bounds__not_above_the_last_stable_offset),
		TEST(bounds__not_within_the_minimum_lag),
		TEST(bounds__checkpoints_that_are_wrong),
		TEST(bounds__bytes_and_ratio),
		TEST(bounds__overdue_by_the_maximum_lag),
		TEST(bounds__error_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
