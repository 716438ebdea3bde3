// SPDX-License-Identifier: Apache-2.0
/* Retention by start offset, size and time, after UnifiedLog.deleteOldSegments(). */
#include "engine_test.h"

#include <stdlib.h>

#define DAY (24 * 3600 * 1000LL)

/* Segments of one batch each of three records: bases 0, 3, 6 ..., a day apart. */
static struct sluice_log *days(struct port_dir *dir, struct sluice_log_config *c, int count)
{
	struct sluice_log *log;

	*c = small_config();
	c->segment_bytes = 300;
	c->retention_ms = -1;
	log = log_open(dir, c);
	for (int i = 0; i < count; i++)
		append_spec(log, (struct batch_spec){.records = 3,
						     .value_len = 50,
						     .timestamp = TIME_0 + i * DAY});
	assert_int_equal(sluice_log_segment_count(log), count);
	return log;
}

static u64 retain(struct sluice_log *log, const struct sluice_log_config *c, s64 now_ms)
{
	u64 freed = 77;

	sluice_log_set_config(log, c);
	assert_int_equal(sluice_log_retain(log, now_ms, &freed), 0);
	log_check(log);
	return freed;
}

static void sluice_log_retain__by_time(void **state)
{
	struct sluice_log_config c;
	struct sluice_log *log = days(*state, &c, 5);
	u64 size = sluice_log_size_bytes(log) / 5;
	struct sluice_range range;

	assert_int_equal(retain(log, &c, TIME_0 + 100 * DAY), 0);
	c.retention_ms = DAY;
	/* More than, not as much as. */
	assert_int_equal(retain(log, &c, TIME_0 + 2 * DAY), size);
	assert_int_equal(sluice_log_start_offset(log), 3);
	assert_int_equal(sluice_log_size_bytes(log), 4 * size);
	assert_int_equal(sluice_log_fetch(log, 2, 100, 0, &range), -ERANGE);
	assert_int_equal(retain(log, &c, TIME_0 + 3 * DAY + 1), 2 * size);
	assert_int_equal(sluice_log_start_offset(log), 9);
	c.cleanup_policy = SLUICE_CLEANUP_COMPACT;
	assert_int_equal(retain(log, &c, TIME_0 + 100 * DAY), 0);
	c.cleanup_policy = SLUICE_CLEANUP_DELETE;

	/* All of it: the active one is rolled first, and an empty one stays. */
	assert_int_equal(retain(log, &c, TIME_0 + 100 * DAY), 2 * size);
	assert_int_equal(sluice_log_segment_count(log), 1);
	assert_int_equal(sluice_log_start_offset(log), 15);
	assert_int_equal(sluice_log_end_offset(log), 15);
	assert_int_equal(sluice_log_size_bytes(log), 0);
	assert_int_equal(retain(log, &c, TIME_0 + 200 * DAY), 0);
	assert_int_equal(append_spec(log, (struct batch_spec){.records = 1}), 15);
	log_check(log);
	sluice_log_close(log);
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_start_offset(log), 15);
	log_check(log);
	sluice_log_close(log);
}

/* Deletes while what is left is still at least retention.bytes. */
static void sluice_log_retain__by_size(void **state)
{
	struct sluice_log_config c;
	struct sluice_log *log = days(*state, &c, 5);
	s64 size = (s64)sluice_log_size_bytes(log) / 5;

	c.retention_bytes = 5 * size + 1;
	assert_int_equal(retain(log, &c, TIME_0), 0);
	c.retention_bytes = 4 * size + 1;
	assert_int_equal(retain(log, &c, TIME_0), 0);
	c.retention_bytes = 4 * size;
	assert_int_equal(retain(log, &c, TIME_0), size);
	sluice_log_close(log);

	/* The sizes of an earlier life's segments are looked up. */
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_size_bytes(log), 4 * size);
	sluice_log_close(log);
	log = log_open(*state, &c);
	c.retention_bytes = 2 * size;
	assert_int_equal(retain(log, &c, TIME_0), 2 * size);
	assert_int_equal(sluice_log_start_offset(log), 9);
	c.retention_bytes = 0;
	assert_int_equal(retain(log, &c, TIME_0), 2 * size);
	assert_int_equal(sluice_log_start_offset(log), 15);
	sluice_log_close(log);
}

static void sluice_log_set_start_offset__inside_a_batch(void **state)
{
	struct sluice_log_config c;
	struct sluice_log *log = days(*state, &c, 3);
	struct sluice_range range;
	s64 offset, time;

	assert_int_equal(sluice_log_set_start_offset(log, 10), -ERANGE);
	assert_int_equal(sluice_log_set_start_offset(log, 4), 0);
	assert_int_equal(sluice_log_set_start_offset(log, 2), 0);
	assert_int_equal(sluice_log_start_offset(log), 4);
	assert_int_equal(sluice_log_fetch(log, 3, 100, 0, &range), -ERANGE);
	assert_int_equal(sluice_log_fetch(log, 4, 100, 0, &range), 0);
	/* The batch comes whole. */
	assert_int_equal(range.base_offset, 3);
	sluice_segment_put(range.seg);
	assert_int_equal(sluice_log_offset_for_time(log, 0, &offset, &time), 0);
	assert_int_equal(offset, 4);
	assert_int_equal(time, TIME_0 + DAY);

	c.cleanup_policy = 0;
	sluice_log_set_config(log, &c);
	assert_int_equal(sluice_log_retain(log, TIME_0, &(u64){0}), 0);
	assert_int_equal(sluice_log_segment_count(log), 2);
	assert_int_equal(sluice_log_start_offset(log), 4);
	assert_int_equal(sluice_log_set_start_offset(log, 9), 0);
	assert_int_equal(sluice_log_retain(log, TIME_0, &(u64){0}), 0);
	/* Only what lies in front of another segment goes. */
	assert_int_equal(sluice_log_segment_count(log), 1);
	assert_int_equal(sluice_log_offset_for_time(log, 0, &offset, &time), 0);
	assert_int_equal(offset, -1);
	sluice_log_close(log);
}

static void sluice_log_retain__not_beyond_the_high_watermark(void **state)
{
	struct sluice_log_config c;
	struct sluice_log *log = days(*state, &c, 4);
	s64 offset, time;
	u64 freed;

	sluice_log_set_high_watermark(log, 7);
	c.retention_ms = 1;
	sluice_log_set_config(log, &c);
	assert_int_equal(sluice_log_retain(log, TIME_0 + 100 * DAY, &freed), 0);
	assert_int_equal(sluice_log_start_offset(log), 6);
	assert_int_equal(sluice_log_set_start_offset(log, 8), -ERANGE);
	assert_int_equal(sluice_log_offset_for_time(log, TIME_0 + 2 * DAY, &offset, &time), 0);
	assert_int_equal(offset, 6);
	assert_int_equal(sluice_log_offset_for_time(log, TIME_0 + 3 * DAY, &offset, &time), 0);
	assert_int_equal(offset, -1);
	sluice_log_close(log);
}

static void sluice_log_fetch__up_to_the_high_watermark(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);
	struct sluice_range range;
	u32 all;

	for (int i = 0; i < 4; i++)
		append_spec(log, (struct batch_spec){.records = 3});
	assert_int_equal(sluice_log_fetch(log, 0, U32_MAX, 0, &range), 0);
	all = range.bytes;
	sluice_segment_put(range.seg);
	sluice_log_set_high_watermark(log, 6);
	assert_int_equal(sluice_log_fetch(log, 0, U32_MAX, 0, &range), 0);
	assert_int_equal(range.bytes, all / 2);
	sluice_segment_put(range.seg);
	assert_int_equal(sluice_log_fetch(log, 0, U32_MAX, SLUICE_FETCH_TO_LOG_END, &range), 0);
	assert_int_equal(range.bytes, all);
	sluice_segment_put(range.seg);
	assert_int_equal(sluice_log_fetch(log, 3, U32_MAX, SLUICE_FETCH_TO_STABLE, &range), 0);
	assert_int_equal(range.bytes, all / 4);
	sluice_segment_put(range.seg);
	/* Between the watermark and the end there is nothing yet; behind it there never was. */
	assert_int_equal(sluice_log_fetch(log, 9, 100, 0, &range), 0);
	assert_null(range.seg);
	assert_int_equal(sluice_log_fetch(log, 13, 100, 0, &range), -ERANGE);
	sluice_log_close(log);
}

static void sluice_log_discard__unlinks_later(void **state)
{
	struct sluice_log_config c;
	struct sluice_log *log = days(*state, &c, 3);
	struct sluice_range range;
	struct sluice_batch b;

	file_store(*state, "00000000000000000000.txnindex", "", 0);
	assert_int_equal(sluice_log_fetch(log, 0, 100, 0, &range), 0);
	c.retention_ms = DAY;
	c.file_delete_delay_ms = 1000;
	retain(log, &c, TIME_0 + 2 * DAY);
	assert_false(file_exists(*state, "00000000000000000000.log"));
	assert_true(file_exists(*state, "00000000000000000000.log.deleted"));
	assert_true(file_exists(*state, "00000000000000000000.index.deleted"));
	assert_true(file_exists(*state, "00000000000000000000.timeindex.deleted"));
	assert_true(file_exists(*state, "00000000000000000000.txnindex.deleted"));
	assert_int_equal(sluice_log_housekeeping_due(log), TIME_0 + 2 * DAY + 1000);
	assert_int_equal(sluice_log_housekeep(log, TIME_0 + 2 * DAY + 999), 0);
	/* Four that wait, two segments, their snapshots, what is prepared, and the epochs. */
	assert_int_equal(dir_file_count(*state), 4 + 2 * 3 + 2 + 3 + 1);
	assert_int_equal(sluice_log_housekeep(log, TIME_0 + 2 * DAY + 1000), 0);
	assert_int_equal(dir_file_count(*state), 2 * 3 + 2 + 3 + 1);
	assert_int_equal(sluice_log_housekeeping_due(log), S64_MAX);
	/* Who was reading reads on. */
	assert_int_equal(sluice_log_read_batch(range.file, 0, 1000, &b), 0);
	sluice_segment_put(range.seg);

	/* What a close leaves, the next life removes. */
	retain(log, &c, TIME_0 + 3 * DAY + 1);
	sluice_log_close(log);
	assert_true(file_exists(*state, "00000000000000000003.log.deleted"));
	assert_true(file_exists(*state, "00000000000000000003.snapshot.deleted"));
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_housekeeping_due(log), 0);
	assert_int_equal(sluice_log_housekeep(log, TIME_0), 0);
	assert_false(file_exists(*state, "00000000000000000003.log.deleted"));
	assert_false(file_exists(*state, "00000000000000000006.snapshot.deleted"));
	sluice_log_close(log);
}

/* Each port call fails once; what is left of the log is whole, and the next time does it. */
static void sluice_log_retain__faults(void **state)
{
	bool hit = true;

	for (u32 n = 1; hit; n++) {
		struct sluice_log_config c;
		struct sluice_log *log;
		s64 recovery_point;
		u64 freed;
		int ret;

		dir_clear(*state);
		log = days(*state, &c, 4);
		sluice_log_close(log);
		log = log_open(*state, &c);
		c.retention_ms = DAY;
		sluice_log_set_config(log, &c);
		/* A sync that fails is final: it has been done before. */
		assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
		sluice_log_close_idle(log);
		port_fault_set(n, false);
		ret = sluice_log_retain(log, TIME_0 + 3 * DAY, &freed);
		hit = port_fault_hit();
		port_fault_set(0, false);
		assert_true(ret == 0 || hit);
		assert_int_equal(sluice_log_failed(log), 0);
		log_check(log);
		assert_int_equal(sluice_log_retain(log, TIME_0 + 100 * DAY, &freed), 0);
		log_check(log);
		assert_int_equal(sluice_log_start_offset(log), 12);
		assert_int_equal(sluice_log_housekeep(log, S64_MAX), 0);
		sluice_log_close(log);
	}
}

static void sluice_log_open__start_offset(void **state)
{
	struct sluice_log_open_args args = {.log_start_offset = 4, .recovery_point = S64_MAX};
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_log_config c;
	struct sluice_log *log;
	s64 recovery_point;

	sluice_log_close(days(*state, &c, 3));
	assert_int_equal(sluice_log_open(*state, &c, &args, err, &log), 0);
	assert_int_equal(sluice_log_start_offset(log), 4);
	assert_int_equal(sluice_log_recovery_point(log), 9);
	/* There is nothing to sync. */
	port_fault_set(1, false);
	assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
	port_fault_set(0, false);
	sluice_log_close(log);

	/* A crash took what was deleted: its offsets are not given again. */
	args.log_start_offset = 20;
	assert_int_equal(sluice_log_open(*state, &c, &args, err, &log), 0);
	assert_int_equal(sluice_log_start_offset(log), 20);
	assert_int_equal(append_spec(log, (struct batch_spec){.records = 1}), 20);
	retain(log, &c, TIME_0);
	assert_int_equal(sluice_log_segment_count(log), 1);
	sluice_log_close(log);

	dir_clear(*state);
	assert_int_equal(sluice_log_open(*state, &c, &args, err, &log), 0);
	assert_int_equal(append_spec(log, (struct batch_spec){.records = 1}), 20);
	sluice_log_close(log);
	assert_true(file_exists(*state, "00000000000000000020.log"));
}

/* What recovery makes of the files as they are now, from the recovery point on. */
static s64 end_after_crash(struct port_dir *dir, const struct sluice_log_config *c,
			   s64 recovery_point)
{
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;

	assert_int_equal(sluice_log_recover(dir, c, recovery_point, 0, err, &done), 0);
	return done.log_end_offset;
}

/* A segment that keeps its names must not stay before a gap: recovery would cut there. */
static void sluice_log_retain__failed_rename_leaves_no_hole(void **state)
{
	bool hit = true;

	port_warn_to(NULL);
	for (u32 n = 1; hit; n++) {
		struct sluice_log_config c;
		struct sluice_log *log;
		u64 freed;
		s64 end;

		dir_clear(*state);
		log = days(*state, &c, 6);
		assert_int_equal(sluice_log_flush(log, &end), 0);
		c.retention_ms = DAY;
		sluice_log_set_config(log, &c);
		port_fault_set(n, false);
		(void)!sluice_log_retain(log, TIME_0 + 2 * DAY, &freed);
		hit = port_fault_hit();
		port_fault_set(0, false);
		retain(log, &c, TIME_0 + 4 * DAY);
		sluice_log_close(log);
		assert_int_equal(end_after_crash(*state, &c, 0), 18);
	}
	port_warn_to(stderr);
}

/* All of it goes, and what is left is a segment that was prepared. */
static void sluice_log_retain__emptied_log_keeps_its_offset(void **state)
{
	struct sluice_log_config c;
	struct sluice_log *log = days(*state, &c, 3);

	assert_int_equal(sluice_log_housekeep(log, TIME_0), 0);
	assert_true(file_exists(*state, "next.log.prepared"));
	c.retention_ms = DAY;
	retain(log, &c, TIME_0 + 100 * DAY);
	assert_int_equal(sluice_log_start_offset(log), 9);
	/* No flush, no housekeeping: this is what a crash finds. */
	assert_true(file_exists(*state, "00000000000000000009.log"));
	sluice_log_close(log);
}

/* The old segments do not stay before the gap: recovery would cut the log there. */
static void sluice_log_open__start_offset_behind_the_end(void **state)
{
	struct sluice_log_open_args args = {.log_start_offset = 20, .recovery_point = 9};
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_log_config c;
	struct sluice_log *log;
	s64 end;

	sluice_log_close(days(*state, &c, 3));
	assert_int_equal(sluice_log_open(*state, &c, &args, err, &log), 0);
	append_spec(log, (struct batch_spec){.records = 2});
	assert_int_equal(sluice_log_flush(log, &end), 0);
	assert_int_equal(end, 22);
	assert_int_equal(sluice_log_segment_count(log), 1);
	sluice_log_close(log);
	assert_int_equal(end_after_crash(*state, &c, 9), 22);
}

static void sluice_log_max_timestamp__first_record_that_has_it(void **state)
{
	struct sluice_log_config c;
	struct sluice_log *log = days(*state, &c, 2);
	s64 offset, time;

	append_spec(log, (struct batch_spec){.records = 3, .timestamp = TIME_0});
	append_spec(log, (struct batch_spec){
				 .records = 3, .timestamp = TIME_0 + DAY, .timestamp_step = 5});
	append_spec(log, (struct batch_spec){.records = 3, .timestamp = TIME_0});
	assert_int_equal(sluice_log_max_timestamp(log, &offset, &time), 0);
	assert_int_equal(offset, 11);
	assert_int_equal(time, TIME_0 + DAY + 10);
	sluice_log_close(log);
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_max_timestamp(log, &offset, &time), 0);
	assert_int_equal(offset, 11);
	assert_int_equal(sluice_log_set_start_offset(log, 15), 0);
	assert_int_equal(sluice_log_max_timestamp(log, &offset, &time), 0);
	assert_int_equal(offset, -1);
	sluice_log_close(log);
	dir_clear(*state);
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_max_timestamp(log, &offset, &time), 0);
	assert_int_equal(offset, -1);
	assert_int_equal(time, -1);
	sluice_log_close(log);
}

/* Records that were deleted have no part in it, though their segment is still there. */
static void sluice_log_max_timestamp__of_what_is_left(void **state)
{
	static const struct {
		s64 start, offset, time;
	} want[] = {
		{0, 0, 100}, {1, 1, 50}, {2, 5, 30}, {4, 5, 30},
		{5, 5, 30},  {6, 6, 2},	 {8, 8, 2},  {9, -1, -1},
	};
	struct sluice_log_config c = small_config();
	struct sluice_log *log;
	s64 offset, time;

	c.segment_bytes = 100000;
	log = log_open(*state, &c);
	append_spec(log, (struct batch_spec){
				 .records = 3, .timestamp = TIME_0 + 100, .timestamp_step = -50});
	append_spec(log, (struct batch_spec){
				 .records = 3, .timestamp = TIME_0 + 10, .timestamp_step = 10});
	append_spec(log, (struct batch_spec){.records = 3, .timestamp = TIME_0 + 2});
	for (u32 i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(sluice_log_set_start_offset(log, want[i].start), 0);
		assert_int_equal(sluice_log_max_timestamp(log, &offset, &time), 0);
		assert_int_equal(offset, want[i].offset);
		assert_int_equal(time, want[i].time < 0 ? -1 : TIME_0 + want[i].time);
	}
	sluice_log_close(log);
}

/* The last batch of a segment lost its record to compaction, but not its time. */
static void sluice_log_max_timestamp__of_a_batch_without_records(void **state)
{
	static const struct batch_spec specs[] = {
		{.records = 1, .timestamp = TIME_0 + 10},
		{.records = 1, .timestamp = TIME_0 + 50},
	};
	struct sluice_log_config c = small_config();
	u8 file[300], entry[12];
	struct sluice_log *log;
	s64 offset, time;
	size_t len = 0;

	for (s64 i = 0; i < 2; i++) {
		size_t size;
		u8 *bytes = batch_make(&specs[i], &size);

		if (i) {
			size = SLUICE_BATCH_HEADER_LEN;
			put_unaligned_be32((u32)(size - SLUICE_BATCH_PREFIX_LEN), bytes + 8);
			put_unaligned_be32(0, bytes + SLUICE_BATCH_HEADER_LEN - 4);
		}
		sluice_batch_stamp(bytes, i, 0);
		batch_seal(bytes, size);
		memcpy(file + len, bytes, size);
		len += size;
		free(bytes);
	}
	put_unaligned_be64((u64)specs[1].timestamp, entry);
	put_unaligned_be32(1, entry + 8);
	file_store(*state, "00000000000000000000.log", file, len);
	file_store(*state, "00000000000000000000.index", "", 0);
	file_store(*state, "00000000000000000000.timeindex", entry, sizeof(entry));
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_end_offset(log), 2);
	assert_int_equal(sluice_log_max_timestamp(log, &offset, &time), 0);
	assert_int_equal(offset, 0);
	assert_int_equal(time, TIME_0 + 10);
	sluice_log_close(log);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_retain__by_time),
		TEST(sluice_log_retain__by_size),
		TEST(sluice_log_set_start_offset__inside_a_batch),
		TEST(sluice_log_retain__not_beyond_the_high_watermark),
		TEST(sluice_log_fetch__up_to_the_high_watermark),
		TEST(sluice_log_discard__unlinks_later),
		TEST(sluice_log_retain__faults),
		TEST(sluice_log_retain__failed_rename_leaves_no_hole),
		TEST(sluice_log_retain__emptied_log_keeps_its_offset),
		TEST(sluice_log_open__start_offset),
		TEST(sluice_log_open__start_offset_behind_the_end),
		TEST(sluice_log_max_timestamp__first_record_that_has_it),
		TEST(sluice_log_max_timestamp__of_what_is_left),
		TEST(sluice_log_max_timestamp__of_a_batch_without_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
