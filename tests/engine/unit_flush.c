// SPDX-License-Identifier: Apache-2.0
#include "engine_test.h"
#include "log_internal.h"

#include <stdlib.h>

#define MANY 1000

/*
 * The first flush of a log saves its first leader epoch: two times memory, the
 * temporary file removed, opened, written, synced, renamed, and the directory.
 */
#define SAVE_EPOCHS 8

/* Flushes and gives how many port calls, so how many syncs, that took. */
static u32 flush_syncs(struct sluice_log *log, s64 expected_recovery_point)
{
	s64 recovery_point = -1;
	u32 left;

	port_fault_set(MANY, false);
	assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
	left = port_fault_left();
	port_fault_set(0, false);
	assert_int_equal(recovery_point, expected_recovery_point);
	assert_int_equal(sluice_log_recovery_point(log), expected_recovery_point);
	return MANY - left;
}

static void sluice_log_flush__moves_the_recovery_point(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);

	assert_int_equal(flush_syncs(log, 0), 0);
	append_spec(log, (struct batch_spec){.records = 3});
	assert_int_equal(sluice_log_recovery_point(log), 0);
	/* The log file, and the directory that names it. */
	assert_int_equal(flush_syncs(log, 3), SAVE_EPOCHS + 2);
	assert_int_equal(flush_syncs(log, 3), 0);
	append_spec(log, (struct batch_spec){.records = 3});
	assert_int_equal(flush_syncs(log, 6), 1);
	sluice_log_close(log);
}

/* A roll adds the new segment before it marks the old one sealed. */
static void sluice_log_flush_sealed__in_the_middle_of_a_roll(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);

	for (int i = 0; i < 4; i++)
		append_spec(log, (struct batch_spec){.records = 1, .value_len = 600});
	log->segments.items[2]->sealed = false;
	assert_int_equal(sluice_log_flush_sealed(log), 0);
	assert_int_equal(sluice_log_recovery_point(log), 2);
	log->segments.items[2]->sealed = true;
	assert_int_equal(sluice_log_flush_sealed(log), 0);
	assert_int_equal(sluice_log_recovery_point(log), 3);
	sluice_log_close(log);
}

/*
 * A flush may find a segment still active, and by the time it has synced that,
 * two rolls behind it: the one in between is sealed, the first has got more.
 */
static void sluice_log_flush__rolls_behind_the_segment_it_syncs(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);

	for (int i = 0; i < 4; i++)
		append_spec(log, (struct batch_spec){.records = 1, .value_len = 600});
	log->segments.items[1]->sealed = false;
	flush_syncs(log, 4);
	assert_int_equal(log->flush_from, 1);
	assert_false(log->segments.items[1]->durable);
	log->segments.items[1]->sealed = true;
	sluice_log_close(log);
}

static void sluice_log_flush__sealed_segments_once(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);

	/* Each fills a segment of its own. */
	for (int i = 0; i < 4; i++)
		append_spec(log, (struct batch_spec){.records = 1, .value_len = 600});
	assert_int_equal(sluice_log_segment_count(log), 4);
	/* Three sealed ones with two indexes each, the active one, the directory. */
	assert_int_equal(flush_syncs(log, 4), SAVE_EPOCHS + 3 * 3 + 1 + 1);
	append_spec(log, (struct batch_spec){.records = 1, .value_len = 600});
	/* The indexes of the one that was active, the new one, the directory. */
	assert_int_equal(flush_syncs(log, 5), 2 + 1 + 1);
	sluice_log_close(log);

	/* What an earlier life of the log left in the page cache is synced once. */
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_recovery_point(log), 0);
	/* The time indexes of the sealed ones were not open, and the last entries are read. */
	assert_int_equal(flush_syncs(log, 5), 4 * 3 + 4 * 2 + 1 + 1);
	sluice_log_close(log);
}

static void sluice_log_flush_indexes__of_the_active_segment(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);

	append_spec(log, (struct batch_spec){.records = 1});
	port_fault_set(MANY, false);
	assert_int_equal(sluice_log_flush_indexes(log), 0);
	/* Log, indexes and directory; of the snapshot memory, open, write and sync. */
	assert_int_equal(port_fault_left(), MANY - SAVE_EPOCHS - 4 - 4);
	/* All that closes the log after that has nothing to wait for. */
	assert_int_equal(sluice_log_flush_indexes(log), 0);
	assert_int_equal(port_fault_left(), MANY - SAVE_EPOCHS - 4 - 4);
	assert_true(file_exists(*state, "00000000000000000001.snapshot"));
	append_spec(log, (struct batch_spec){.records = 1});
	/* The first that is not of the snapshot, without which a log can be closed. */
	port_fault_set(5, false);
	assert_int_equal(sluice_log_flush_indexes(log), -EIO);
	port_fault_set(0, false);
	assert_int_equal(sluice_log_failed(log), -EIO);
	assert_int_equal(sluice_log_flush_indexes(log), -EIO);
	sluice_log_close(log);
}

/* A failed sync is final: what was acknowledged may not be there, so nothing more is. */
static void sluice_log_flush__failure_ends_the_log(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_append a;
	s64 recovery_point;
	size_t size;
	u8 *bytes = batch_make(&(struct batch_spec){.records = 1}, &size);

	/* A file, its two indexes, the next one's file, the directory. */
	for (u32 n = 1; n <= 5; n++) {
		struct sluice_log *log;

		dir_clear(*state);
		log = log_open(*state, &c);
		append_spec(log, (struct batch_spec){.records = 1});
		assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
		append_spec(log, (struct batch_spec){.records = 1, .value_len = 600});
		append_spec(log, (struct batch_spec){.records = 1, .value_len = 600});
		assert_int_equal(sluice_log_segment_count(log), 2);
		port_fault_set(n, false);
		assert_int_equal(sluice_log_flush(log, &recovery_point), -EIO);
		assert_true(port_fault_hit());
		port_fault_set(0, false);
		assert_int_equal(sluice_log_failed(log), -EIO);
		assert_int_equal(sluice_log_recovery_point(log), 1);
		assert_int_equal(sluice_log_flush(log, &recovery_point), -EIO);
		assert_int_equal(append_bytes(log, bytes, size, &a), -EIO);
		log_check(log);
		sluice_log_close(log);
	}
	free(bytes);
}

/* Only a directory that cannot be synced leaves a doubt; the rest is done again. */
static void sluice_log_flush__without_room_for_the_epochs(void **state)
{
	struct sluice_log_config c = small_config();
	s64 recovery_point;

	for (u32 n = 1; n <= SAVE_EPOCHS; n++) {
		struct sluice_log *log;
		bool final = n == SAVE_EPOCHS;

		dir_clear(*state);
		log = log_open(*state, &c);
		append_spec(log, (struct batch_spec){.records = 1});
		port_fault_set(n, false);
		assert_true(sluice_log_flush(log, &recovery_point) < 0);
		assert_true(port_fault_hit());
		port_fault_set(0, false);
		assert_int_equal(sluice_log_recovery_point(log), 0);
		assert_int_equal(sluice_log_failed(log), final ? -EIO : 0);
		if (!final)
			assert_int_equal(flush_syncs(log, 1), SAVE_EPOCHS + 2);
		sluice_log_close(log);
	}
}

#define FLUSHERS 4
#define FLUSHES	 50

static void *flusher(void *arg)
{
	struct sluice_log *log = arg;

	for (int i = 0; i < FLUSHES; i++) {
		struct sluice_append a;
		s64 recovery_point;
		size_t size;
		u8 *bytes = batch_make(&(struct batch_spec){.records = 2}, &size);

		if (append_bytes(log, bytes, size, &a) || sluice_log_flush(log, &recovery_point) ||
		    recovery_point <= a.last_offset)
			sluice_log_set_failed(log, -EPROTO);
		free(bytes);
	}
	return NULL;
}

static void sluice_log_flush__concurrent_callers(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);
	pthread_t threads[FLUSHERS];

	for (int i = 0; i < FLUSHERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, flusher, log), 0);
	for (int i = 0; i < FLUSHERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(sluice_log_failed(log), 0);
	assert_int_equal(sluice_log_end_offset(log), FLUSHERS * FLUSHES * 2);
	assert_int_equal(sluice_log_recovery_point(log), FLUSHERS * FLUSHES * 2);
	log_check(log);
	sluice_log_close(log);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_flush__moves_the_recovery_point),
		TEST(sluice_log_flush_sealed__in_the_middle_of_a_roll),
		TEST(sluice_log_flush__rolls_behind_the_segment_it_syncs),
		TEST(sluice_log_flush__sealed_segments_once),
		TEST(sluice_log_flush_indexes__of_the_active_segment),
		TEST(sluice_log_flush__failure_ends_the_log),
		TEST(sluice_log_flush__without_room_for_the_epochs),
		TEST(sluice_log_flush__concurrent_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
