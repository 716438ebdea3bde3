// SPDX-License-Identifier: Apache-2.0
/* The roll: when there is one, what it costs, and the names of its files. */
#include "engine_test.h"
#include "producer_snapshot.h"
#include "segment_name.h"

#include <stdlib.h>

#define MANY 1000

/* Appends one record with a value of so many bytes; gives how many port calls that took. */
static u32 append_calls(struct sluice_log *log, u32 value_len, bool *ret_housekeeping)
{
	struct batch_spec spec = {.records = 1, .value_len = value_len};
	struct sluice_append a;
	size_t size;
	u8 *bytes = batch_make(&spec, &size);
	u32 left;

	port_fault_set(MANY, false);
	assert_int_equal(append_bytes(log, bytes, size, &a), 0);
	left = port_fault_left();
	port_fault_set(0, false);
	free(bytes);
	*ret_housekeeping = a.housekeeping;
	return MANY - left;
}

/* Segments of two batches each, and no index entries: an append is always the same. */
static struct sluice_log_config two_batches(void)
{
	struct sluice_log_config c = small_config();

	c.index_interval_bytes = 100000;
	return c;
}

static void sluice_log_roll__prepared_makes_no_directory_operation(void **state)
{
	struct sluice_log_config c = two_batches();
	struct sluice_log *log = log_open(*state, &c);
	u32 plain, rolling;
	bool due;

	append_calls(log, 350, &due);
	assert_false(due);
	plain = append_calls(log, 350, &due);
	/* More than half full. */
	assert_true(due);
	assert_int_equal(sluice_log_housekeep(log, TIME_0), 0);
	assert_true(file_exists(*state, "next.log.prepared"));
	assert_int_equal(dir_file_count(*state), 6);

	/* More are the last entry of the old time index, and memory for the snapshot. */
	rolling = append_calls(log, 350, &due);
	assert_int_equal(sluice_log_segment_count(log), 2);
	assert_int_equal(rolling, plain + 2);
	assert_true(due);
	assert_false(file_exists(*state, "00000000000000000002.log"));
	log_check(log);

	assert_int_equal(sluice_log_housekeep(log, TIME_0), 0);
	assert_true(file_exists(*state, "00000000000000000002.log"));
	assert_true(file_exists(*state, "00000000000000000002.index"));
	assert_true(file_exists(*state, "00000000000000000002.timeindex"));
	assert_false(file_exists(*state, "next.log.prepared"));
	/* What was sealed is durable, as in Kafka. */
	assert_int_equal(sluice_log_recovery_point(log), 2);
	log_check(log);
	sluice_log_close(log);
}

static void sluice_log_prepare__is_all_a_roll_needs(void **state)
{
	struct sluice_log_config c = two_batches();
	struct sluice_log *log = log_open(*state, &c);
	u32 plain, rolling;
	bool due;

	append_calls(log, 350, &due);
	plain = append_calls(log, 350, &due);
	assert_int_equal(sluice_log_prepare(log), 0);
	assert_true(file_exists(*state, "next.log.prepared"));
	rolling = append_calls(log, 350, &due);
	assert_int_equal(rolling, plain + 2);
	assert_int_equal(sluice_log_prepare(log), 0);
	assert_true(file_exists(*state, "00000000000000000002.log"));
	/* It waits for no sync. */
	assert_int_equal(sluice_log_recovery_point(log), 0);
	log_check(log);

	/* Nor does it do anything to a log that has failed. */
	append_calls(log, 350, &due);
	assert_true(due);
	sluice_log_set_failed(log, -EIO);
	assert_int_equal(sluice_log_prepare(log), 0);
	assert_false(file_exists(*state, "next.log.prepared"));
	sluice_log_close(log);
}

/* So many rolls happen while snapshots are written, one in each. */
static struct {
	struct sluice_log *log;
	int rolls;
} meanwhile;

int __real_sluice_producer_snapshot_write(struct port_dir *dir,
					  const struct sluice_producer_snapshot *snap);
int __wrap_sluice_producer_snapshot_write(struct port_dir *dir,
					  const struct sluice_producer_snapshot *snap);
int __wrap_sluice_producer_snapshot_write(struct port_dir *dir,
					  const struct sluice_producer_snapshot *snap)
{
	if (meanwhile.rolls) {
		meanwhile.rolls--;
		for (int i = 0; i < 2; i++)
			append_spec(meanwhile.log,
				    (struct batch_spec){.records = 1, .value_len = 350});
	}
	return __real_sluice_producer_snapshot_write(dir, snap);
}

/* Or who waits for its lock, as a truncation, waits for the appends to end. */
static void sluice_log_housekeep__ends_while_appends_roll(void **state)
{
	struct sluice_log_config c = two_batches();
	struct sluice_log *log = log_open(*state, &c);

	for (int i = 0; i < 5; i++)
		append_spec(log, (struct batch_spec){.records = 1, .value_len = 350});
	meanwhile.log = log;
	meanwhile.rolls = 100;
	assert_int_equal(sluice_log_housekeep(log, TIME_0), 0);
	/* Those of the rolls before were written. */
	assert_int_equal(meanwhile.rolls, 98);
	meanwhile.rolls = 0;
	assert_true(file_exists(*state, "00000000000000000004.snapshot"));
	assert_false(file_exists(*state, "00000000000000000006.snapshot"));
	assert_int_equal(sluice_log_housekeep(log, TIME_0), 0);
	assert_true(file_exists(*state, "00000000000000000008.snapshot"));
	log_check(log);
	sluice_log_close(log);
}

/* Nobody keeps house: each roll makes its files itself. */
static void sluice_log_roll__unprepared(void **state)
{
	struct sluice_log_config c = two_batches();
	struct sluice_log *log = log_open(*state, &c);
	bool due;

	for (int i = 0; i < 9; i++)
		append_calls(log, 350, &due);
	assert_int_equal(sluice_log_segment_count(log), 5);
	assert_true(file_exists(*state, "00000000000000000008.log"));
	log_check(log);
	sluice_log_close(log);
}

static void sluice_log_roll__twice_before_housekeeping(void **state)
{
	struct sluice_log_config c = two_batches();
	struct sluice_log *log = log_open(*state, &c);
	bool due;

	for (int i = 0; i < 2; i++)
		append_calls(log, 350, &due);
	assert_int_equal(sluice_log_housekeep(log, TIME_0), 0);
	for (int i = 0; i < 3; i++)
		append_calls(log, 350, &due);
	/* The second roll gave the first one's segment its name. */
	assert_true(file_exists(*state, "00000000000000000002.log"));
	assert_true(file_exists(*state, "00000000000000000004.log"));
	assert_false(file_exists(*state, "next.log.prepared"));
	log_check(log);
	sluice_log_close(log);
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_end_offset(log), 5);
	log_check(log);
	sluice_log_close(log);
}

static struct sluice_log *rolled_unnamed(struct port_dir *dir)
{
	struct sluice_log_config c = two_batches();
	struct sluice_log *log = log_open(dir, &c);
	bool due;

	for (int i = 0; i < 2; i++)
		append_calls(log, 350, &due);
	assert_int_equal(sluice_log_housekeep(log, TIME_0), 0);
	append_calls(log, 350, &due);
	assert_true(file_exists(dir, "next.log.prepared"));
	return log;
}

static void sluice_log_flush__names_before_it_acknowledges(void **state)
{
	struct sluice_log *log = rolled_unnamed(*state);
	s64 recovery_point;

	assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
	assert_int_equal(recovery_point, 3);
	assert_true(file_exists(*state, "00000000000000000002.log"));
	sluice_log_close(log);
}

static void sluice_segment_ensure_named__fails_and_goes_on(void **state)
{
	struct sluice_log *log = rolled_unnamed(*state);
	struct sluice_range range;

	assert_int_equal(sluice_log_fetch(log, 2, 100, 0, &range), 0);
	/* The .log comes last. */
	port_fault_set(3, false);
	assert_int_equal(sluice_segment_ensure_named(log, range.seg), -EIO);
	port_fault_set(0, false);
	assert_true(file_exists(*state, "00000000000000000002.index"));
	assert_true(file_exists(*state, "next.log.prepared"));
	assert_int_equal(sluice_segment_ensure_named(log, range.seg), 0);
	assert_true(file_exists(*state, "00000000000000000002.log"));
	port_fault_set(1, false);
	assert_int_equal(sluice_segment_ensure_named(log, range.seg), 0);
	port_fault_set(0, false);
	sluice_segment_put(range.seg);
	sluice_log_close(log);
}

static void sluice_log_close__names_and_tidies(void **state)
{
	struct sluice_log_config c = two_batches();
	struct sluice_log *log = rolled_unnamed(*state);
	bool due;

	sluice_log_close(log);
	assert_true(file_exists(*state, "00000000000000000002.log"));
	log = log_open(*state, &c);
	append_calls(log, 350, &due);
	assert_true(due);
	assert_int_equal(sluice_log_housekeep(log, TIME_0), 0);
	assert_true(file_exists(*state, "next.log.prepared"));
	sluice_log_close(log);
	assert_false(file_exists(*state, "next.log.prepared"));
	assert_false(file_exists(*state, "next.index.prepared"));
	assert_false(file_exists(*state, "next.timeindex.prepared"));
}

/* A crash before the name: the data is there, and recovery is asked for. */
static void sluice_log_open__unnamed_segment(void **state)
{
	struct sluice_log_config c = two_batches();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_log *log;

	sluice_log_close(log_open(*state, &c));
	file_store(*state, "next.log.prepared", "", 0);
	sluice_log_close(log_open(*state, &c));
	file_store(*state, "next.log.prepared", "x", 1);
	assert_int_equal(sluice_log_open(*state, &c, &(struct sluice_log_open_args){0}, err, &log),
			 -EUCLEAN);
	assert_string_equal(err, "next.log.prepared: this segment has not got its name");
}

/* Every port call of preparing fails once; the log does not care. */
static void sluice_log_prepare__fails(void **state)
{
	struct sluice_log_config c = two_batches();
	bool hit = true;
	bool due;

	for (u32 n = 1; hit; n++) {
		struct sluice_log *log;
		int ret;

		dir_clear(*state);
		log = log_open(*state, &c);
		for (int i = 0; i < 2; i++)
			append_calls(log, 350, &due);
		port_fault_set(n, false);
		ret = sluice_log_housekeep(log, TIME_0);
		hit = port_fault_hit();
		assert_true(hit == (ret != 0));
		port_fault_set(0, false);
		assert_int_equal(sluice_log_failed(log), 0);
		for (int i = 0; i < 3; i++)
			append_calls(log, 350, &due);
		assert_int_equal(sluice_log_segment_count(log), 3);
		log_check(log);
		sluice_log_close(log);
		log = log_open(*state, &c);
		log_check(log);
		assert_int_equal(sluice_log_end_offset(log), 5);
		sluice_log_close(log);
	}
}

static u32 segments_after(struct sluice_log *log, s64 timestamp)
{
	append_spec(log, (struct batch_spec){.records = 1, .timestamp = timestamp});
	return sluice_log_segment_count(log);
}

/* LogSegment.shouldRoll: the new batch's largest time less the first batch's. */
static void sluice_log_needs_roll__age(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log;

	c.segment_ms = 1000;
	log = log_open(*state, &c);
	assert_int_equal(segments_after(log, TIME_0), 1);
	assert_int_equal(segments_after(log, TIME_0 + 1000), 1);
	assert_int_equal(segments_after(log, TIME_0 - 5000), 1);
	assert_int_equal(segments_after(log, TIME_0 + 1001), 2);
	assert_int_equal(segments_after(log, TIME_0 + 2001), 2);
	sluice_log_close(log);

	/* The first batch's time is read again. */
	log = log_open(*state, &c);
	assert_int_equal(segments_after(log, TIME_0 + 2001), 2);
	assert_int_equal(segments_after(log, TIME_0 + 2002), 3);
	sluice_log_close(log);
}

static void sluice_log_needs_roll__jitter(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log;
	bool earlier = false;

	c.segment_ms = 1000;
	c.segment_jitter_ms = 500;
	for (int i = 0; i < 20; i++) {
		dir_clear(*state);
		log = log_open(*state, &c);
		assert_int_equal(segments_after(log, TIME_0), 1);
		assert_int_equal(segments_after(log, TIME_0 + 500), 1);
		earlier |= segments_after(log, TIME_0 + 999) == 2;
		assert_int_equal(segments_after(log, TIME_0 + 2001 + 1000), earlier ? 3 : 2);
		sluice_log_close(log);
		if (earlier)
			return;
	}
	fail();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

/* An index has 32 bits for an offset: a batch further from the base begins a segment. */
static void sluice_log_needs_roll__offset_overflow(void **state)
{
	static const s64 at[] = {0, (s64)S32_MAX - 1, (s64)S32_MAX + 1, 3 * (s64)S32_MAX};
	static const u32 segments[] = {1, 1, 2, 3};
	struct sluice_log_config c;
	struct sluice_log *log;

	sluice_log_config_default(&c);
	log = log_open(*state, &c);
	for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		const struct batch_spec spec = {.records = 2, .timestamp = port_now_ms()};
		struct sluice_append a;
		size_t size;
		u8 *batch = batch_make(&spec, &size);

		/* As a follower gets them from a log that was compacted. */
		put_unaligned_be64((u64)at[i], batch);
		put_unaligned_be32(0, batch + 12);
		assert_int_equal(append_bytes_as(log, batch, size, SLUICE_APPEND_AS_REPLICA, &a),
				 0);
		assert_int_equal(a.base_offset, at[i]);
		assert_int_equal(sluice_log_segment_count(log), segments[i]);
		free(batch);
	}
	log_close_cleanly(log);
	assert_true(file_exists(*state, "00000000002147483648.log"));
	assert_true(file_exists(*state, "00000000006442450941.log"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_roll__prepared_makes_no_directory_operation),
		TEST(sluice_log_prepare__is_all_a_roll_needs),
		TEST(sluice_log_housekeep__ends_while_appends_roll),
		TEST(sluice_log_roll__unprepared),
		TEST(sluice_log_roll__twice_before_housekeeping),
		TEST(sluice_log_flush__names_before_it_acknowledges),
		TEST(sluice_segment_ensure_named__fails_and_goes_on),
		TEST(sluice_log_close__names_and_tidies),
		TEST(sluice_log_open__unnamed_segment),
		TEST(sluice_log_prepare__fails),
		TEST(sluice_log_needs_roll__age),
		TEST(sluice_log_needs_roll__jitter),
		TEST(sluice_log_needs_roll__offset_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
