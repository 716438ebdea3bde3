/* SPDX-License-Identifier: Apache-2.0 */
/* A log for each test of compaction, and short words for what is in it. */
#ifndef TESTS_ENGINE_CLEAN_WORDS_H
#define TESTS_ENGINE_CLEAN_WORDS_H

#include "clean_test.h"

/* Kafka's largeTimestamp: a day later is still a time, another day is not. */
#define LATE (S64_MAX - DAY_MS - 1)

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

static inline s64 clean_at(s64 first_dirty, s64 now_ms)
{
	log_.now_ms = now_ms;
	return clog_clean(&log_, first_dirty);
}

static inline s64 clean_twice(s64 first_dirty, s64 now_ms)
{
	clean_at(first_dirty, now_ms);
	return clean_at(first_dirty, now_ms + DAY_MS + 1);
}

#define plain(...)     clog_keys(&log_, -1, false, __VA_ARGS__)
#define idem(id, ...)  clog_keys(&log_, id, false, __VA_ARGS__)
#define txn(id, ...)   clog_keys(&log_, id, true, __VA_ARGS__)
#define commit(id)     clog_marker(&log_, id, true)
#define abort_txn(id)  clog_marker(&log_, id, false)
#define roll()	       clog_roll(&log_)
#define offsets(...)   assert_offsets(&log_, __VA_ARGS__)
#define keys(...)      assert_keys(&log_, __VA_ARGS__)
#define last_offs(...) assert_last_offsets(&log_, __VA_ARGS__)
#define base_offs(...) assert_base_offsets(&log_, __VA_ARGS__)
#define aborted(...)   assert_aborted_firsts(&log_, __VA_ARGS__)
#define none(what)     clog_assert(&log_, what, (const s64[]){-1})

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif /* TESTS_ENGINE_CLEAN_WORDS_H */
