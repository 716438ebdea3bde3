// SPDX-License-Identifier: Apache-2.0
/*
 * Named cases of what tests/sim found and no test with real threads or files can
 * repeat: threads that cross at one place, and storage that refused a sync.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clean_producers.h"
#include "log_internal.h"
#include "recover.h"
#include "segment_file.h"
#include "tests/sim/disk.h"
#include "tests/sim/fiber.h"
#include "tests/sim/memory.h"
#include "tests/sim/random.h"
#include "truncate.h"

#define TIME_0	   1700000000000LL
#define VALUE_LEN  300
#define PER_THREAD 24

static struct sluice_log *log_;
static struct sluice_log_config config;
static char err[SLUICE_ERROR_TEXT_MAX];

/* Two batches fill a segment, one lets the next one be prepared. */
static void begin(u64 seed)
{
	struct sluice_log_open_args args = {0};

	sim_seed(seed);
	sim_disk_format();
	sim_clock_set(TIME_0);
	sluice_log_config_default(&config);
	config.segment_bytes = 750;
	config.max_message_bytes = 700;
	config.index_interval_bytes = 100000;
	assert_int_equal(sluice_log_open(sim_dir(), &config, &args, err, &log_), 0);
}

/* @sequence: of producer 7; -1: of none */
static int append_as(s32 value_len, s32 sequence)
{
	static const char value[2 * VALUE_LEN];
	struct sluice_record_out r = {
		.timestamp = TIME_0, .key_len = -1, .value = value, .value_len = value_len};
	u8 bytes[sizeof(value) + 100];
	size_t size = sluice_batch_build_size(&r);
	struct port_iter iter;
	struct sluice_append a = {.src = &iter};
	struct sluice_batch b;

	sluice_batch_build(bytes, size, &r);
	if (sequence >= 0) {
		(void)!sluice_batch_parse(bytes, (u32)size, &b);
		b.producer_id = 7;
		b.producer_epoch = 0;
		b.base_sequence = sequence;
		sluice_batch_write_header(bytes, &b);
	}
	port_iter_init(&iter, bytes, size);
	return sluice_log_append(log_, &a);
}

static int append_bytes(s32 value_len)
{
	return append_as(value_len, -1);
}

static int append(void)
{
	return append_bytes(VALUE_LEN);
}

/* No asserts in threads: they would jump off its stack. */
static u32 failures;

static void appender(void *ctx)
{
	(void)ctx;
	for (int i = 0; i < PER_THREAD; i++)
		failures += append() != 0;
}

static void preparer(void *ctx)
{
	(void)ctx;
	for (int i = 0; i < PER_THREAD; i++)
		failures += sluice_log_prepare(log_) != 0;
}

/* Each offset is in a file, and as it was written. */
static void check_log(s64 end)
{
	assert_int_equal(sluice_log_end_offset(log_), end);
	for (s64 offset = sluice_log_start_offset(log_); offset < end; offset++) {
		struct sluice_range range;
		struct sluice_batch b;
		u32 crc = 0;

		assert_int_equal(
			sluice_log_fetch(log_, offset, 1, SLUICE_FETCH_WHOLE_FIRST, &range), 0);
		assert_non_null(range.seg);
		assert_int_equal(sluice_log_read_batch(range.file, range.position,
						       range.position + range.bytes, &b),
				 0);
		assert_int_equal(b.base_offset, offset);
		assert_int_equal(port_file_crc32c(range.file,
						  range.position + SLUICE_BATCH_CRC_START,
						  b.size - SLUICE_BATCH_CRC_START, &crc),
				 0);
		assert_int_equal(crc, b.crc);
		sluice_segment_put(range.seg);
	}
}

static void recover_and_open(s64 recovery_point)
{
	struct sluice_log_open_args args = {0};
	struct sluice_recovery done;

	assert_int_equal(sluice_log_recover(sim_dir(), &config, recovery_point, 0, err, &done), 0);
	args.recovery_point = done.log_end_offset;
	assert_int_equal(sluice_log_open(sim_dir(), &config, &args, err, &log_), 0);
}

static void cross(u32 preparers, u64 seeds)
{
	for (u64 seed = 1; seed <= seeds; seed++) {
		s64 recovery_point, end = 1 + PER_THREAD;

		begin(seed);
		failures = append();
		sim_spawn(appender, NULL);
		for (u32 i = 0; i < preparers; i++)
			sim_spawn(preparer, NULL);
		assert_true(sim_run(U32_MAX, 2 + (u32)(seed % 16 * 3)));
		assert_int_equal(failures, 0);
		check_log(end);
		/* The whole of it takes too long each time. */
		if (seed % 16) {
			sluice_log_close(log_);
			continue;
		}
		assert_int_equal(sluice_log_flush(log_, &recovery_point), 0);
		assert_int_equal(recovery_point, end);
		sim_disk_cut_power();
		recover_and_open(0);
		check_log(end);
		sluice_log_close(log_);
	}
}

static void sluice_log_prepare__beside_a_roll(void **state)
{
	(void)state;
	cross(1, 500);
}

static void sluice_log_prepare__twice_beside_a_roll(void **state)
{
	(void)state;
	cross(3, 1500);
}

/*
 * A sync fails, and the page cache has as clean what the storage never got.
 * Recovery must not call that durable: the next power cut takes it.
 */
static void sluice_log_recover__after_a_sync_that_failed(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 50; seed++) {
		s64 recovery_point, end;

		begin(seed);
		assert_int_equal(append(), 0);
		assert_int_equal(sluice_log_flush(log_, &recovery_point), 0);
		assert_int_equal(append(), 0);
		sim_fault(SIM_SYNC, ".log", 1, false, -EIO);
		assert_int_not_equal(sluice_log_flush(log_, &recovery_point), 0);
		sim_fault(0, NULL, 0, false, 0);
		assert_int_not_equal(sluice_log_failed(log_), 0);
		sluice_log_close(log_);

		recover_and_open(1);
		end = sluice_log_end_offset(log_);
		assert_in_range(end, 1, 2);
		assert_int_equal(append(), 0);
		assert_int_equal(sluice_log_flush(log_, &recovery_point), 0);
		assert_int_equal(recovery_point, end + 1);
		sim_disk_cut_power();
		recover_and_open(recovery_point);
		check_log(end + 1);
		sluice_log_close(log_);
	}
}

/*
 * A roll that fails may have given its name to a new file. The next append fits the
 * old segment: when the log is opened again, nothing may say that this ends there.
 */
static void sluice_log_roll__fails_and_leaves_no_segment(void **state)
{
	bool hit = true;

	(void)state;
	for (u32 n = 1; hit; n++) {
		s64 recovery_point, end;

		begin(n);
		assert_int_equal(append(), 0);
		sim_fault(SIM_ANY, NULL, n, false, -EIO);
		(void)!append_bytes(2 * VALUE_LEN);
		hit = sim_fault_hit();
		sim_fault(0, NULL, 0, false, 0);
		assert_int_equal(append_bytes(1), 0);
		end = sluice_log_end_offset(log_);
		assert_int_equal(sluice_log_flush(log_, &recovery_point), 0);
		assert_int_equal(recovery_point, end);
		check_log(end);
		sim_disk_cut_power();
		recover_and_open(0);
		check_log(end);
		sluice_log_close(log_);
	}
}

/* Entries of the first segment's index. */
static u32 indexed(void)
{
	struct sluice_segment *seg = sluice_segment_list_at(&log_->segments, 0);
	u32 entries = U32_MAX;

	if (!sluice_segment_use(log_, seg, SLUICE_FILES_ALWAYS))
		entries = seg->offset_index.entries;
	sluice_segment_put(seg);
	return entries;
}

static void reopen_cleanly(void)
{
	struct sluice_log_open_args args = {.recovery_point = S64_MAX};
	struct sluice_recovery done;
	s64 recovery_point;

	assert_int_equal(sluice_log_flush(log_, &recovery_point), 0);
	assert_int_equal(sluice_log_flush_indexes(log_), 0);
	args.log_start_offset = sluice_log_start_offset(log_);
	sluice_log_close(log_);
	sim_disk_cut_power();
	assert_int_equal(sluice_log_recover(sim_dir(), &config, recovery_point,
					    SLUICE_RECOVER_CLEAN, err, &done),
			 0);
	assert_int_equal(sluice_log_open(sim_dir(), &config, &args, err, &log_), 0);
}

/* Four batches of producer 7, and housekeeping of which the n-th such call fails. */
static bool fail_housekeeping(unsigned int ops, u32 n)
{
	bool hit;

	begin(n);
	for (s32 i = 0; i < 4; i++)
		assert_int_equal(append_as(VALUE_LEN, i), 0);
	sim_fault(ops, NULL, n, false, -ENOSPC);
	(void)!sluice_log_housekeep(log_, TIME_0);
	hit = sim_fault_hit();
	sim_fault(0, NULL, 0, false, 0);
	return hit;
}

/* What is torn of a snapshot must not be there: the log goes on without. */
static void sluice_log_truncate__behind_housekeeping_that_failed(void **state)
{
	bool hit = true;

	(void)state;
	for (u32 n = 1; hit; n++) {
		s64 end_offset;

		hit = fail_housekeeping(SIM_ANY & ~SIM_SYNC & ~SIM_DIR_SYNC, n);
		assert_int_equal(sluice_log_failed(log_), 0);
		assert_int_equal(sluice_log_truncate(log_, 3, err, &end_offset), 0);
		assert_int_equal(append_as(VALUE_LEN, 3), 0);
		sluice_log_close(log_);
	}
}

/* Retention takes all that tells of the producer, but for the snapshot. */
static void sluice_log_retain__behind_a_snapshot_that_failed(void **state)
{
	u64 freed;

	(void)state;
	begin(1);
	for (s32 i = 0; i < 4; i++)
		assert_int_equal(append_as(VALUE_LEN, i), 0);
	config.retention_bytes = 0;
	sluice_log_set_config(log_, &config);
	sim_fault(SIM_WRITE, ".snapshot", 1, true, -ENOSPC);
	assert_int_equal(sluice_log_retain(log_, TIME_0, &freed), 0);
	assert_int_equal(sluice_log_start_offset(log_), 4);
	(void)!sluice_log_housekeep(log_, TIME_0);
	assert_true(sim_fault_hit());
	sim_fault(0, NULL, 0, false, 0);
	reopen_cleanly();
	assert_int_equal(sluice_log_start_offset(log_), 4);
	assert_int_equal(append_as(VALUE_LEN, 7), -EILSEQ);
	assert_int_equal(append_as(VALUE_LEN, 4), 0);
	sluice_log_close(log_);
}

/* The log's first segment keeps its name, and nobody looks for what is in it any more. */
static void sluice_log_retain__unsynced_and_cannot_be_renamed(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 50; seed++) {
		s64 recovery_point;
		u64 freed;

		begin(seed);
		assert_int_equal(append(), 0);
		assert_int_equal(append(), 0);
		assert_int_equal(append(), 0);
		config.retention_bytes = 300;
		sluice_log_set_config(log_, &config);
		sim_fault(SIM_RENAME, ".deleted", 1, true, -EACCES);
		assert_int_equal(sluice_log_retain(log_, TIME_0, &freed), -EACCES);
		sim_fault(0, NULL, 0, false, 0);
		assert_int_equal(sluice_log_start_offset(log_), 2);
		assert_int_equal(append(), 0);
		assert_int_equal(sluice_log_flush(log_, &recovery_point), 0);
		assert_int_equal(recovery_point, 4);
		sim_disk_cut_power();
		recover_and_open(0);
		check_log(4);
		sluice_log_close(log_);
	}
}

/* The segment that it sealed: its indexes are to be durable after a clean close. */
static void sluice_log_append__fails_behind_a_roll_and_a_clean_close(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 20; seed++) {
		s64 recovery_point;

		begin(seed);
		config.segment_bytes = 1200;
		config.index_interval_bytes = 0;
		sluice_log_set_config(log_, &config);
		for (int i = 0; i < 3; i++)
			assert_int_equal(append(), 0);
		assert_int_equal(sluice_log_flush(log_, &recovery_point), 0);
		sim_fault(SIM_WRITE, ".log", 1, false, -ENOSPC);
		assert_int_equal(append(), -ENOSPC);
		sim_fault(0, NULL, 0, false, 0);
		assert_int_equal(sluice_log_segment_count(log_), 2);
		reopen_cleanly();
		assert_int_equal(indexed(), 2);
		sluice_log_close(log_);
	}
}

static int append_replica(s64 offset)
{
	static const char value[VALUE_LEN];
	struct sluice_record_out r = {
		.timestamp = TIME_0, .key_len = -1, .value = value, .value_len = VALUE_LEN};
	u8 bytes[sizeof(value) + 100];
	size_t size = sluice_batch_build_size(&r);
	struct port_iter iter;
	struct sluice_append a = {.src = &iter, .as = SLUICE_APPEND_AS_REPLICA};

	sluice_batch_build(bytes, size, &r);
	sluice_batch_stamp(bytes, offset, sluice_log_leader_epoch(log_));
	port_iter_init(&iter, bytes, size);
	return sluice_log_append(log_, &a);
}

/* A leader compacted what lay between; a power cut comes before the checkpoint does. */
static void sluice_log_append__rolls_in_a_gap(void **state)
{
	s64 recovery_point;

	(void)state;
	begin(1);
	assert_int_equal(append_replica(0), 0);
	assert_int_equal(append_replica(1), 0);
	assert_int_equal(append_replica(7), 0);
	assert_int_equal(sluice_log_segment_count(log_), 2);
	assert_int_equal(sluice_log_flush(log_, &recovery_point), 0);
	assert_int_equal(recovery_point, 8);
	sim_disk_cut_power();
	recover_and_open(0);
	assert_int_equal(sluice_log_end_offset(log_), 8);
	sluice_log_close(log_);
	/* So far that an index could not tell where it is. */
	begin(1);
	assert_int_equal(append_replica(0), 0);
	assert_int_equal(append_replica(1), 0);
	assert_int_equal(append_replica(1LL << 40), 0);
	assert_int_equal(sluice_log_end_offset(log_), (1LL << 40) + 1);
	sluice_log_close(log_);
}

/* The log ends in a gap, as its leader's does, and goes on in another segment. */
static void sluice_log_truncate__into_a_gap_and_roll(void **state)
{
	s64 recovery_point, end_offset;

	(void)state;
	begin(1);
	assert_int_equal(append_replica(0), 0);
	assert_int_equal(append_replica(7), 0);
	assert_int_equal(sluice_log_truncate(log_, 4, err, &end_offset), 0);
	assert_int_equal(end_offset, 4);
	assert_int_equal(append_bytes(2 * VALUE_LEN), 0);
	assert_int_equal(sluice_log_segment_count(log_), 2);
	assert_int_equal(sluice_log_flush(log_, &recovery_point), 0);
	assert_int_equal(recovery_point, 5);
	sim_disk_cut_power();
	recover_and_open(0);
	assert_int_equal(sluice_log_end_offset(log_), 5);
	sluice_log_close(log_);
}

/* What was appended behind the gap is not part of it, in no file as it is. */
static void sluice_log_fetch__over_a_gap_into_the_open_batch(void **state)
{
	const struct sluice_record_out r = {
		.timestamp = TIME_0, .key_len = -1, .value = "v", .value_len = 1};
	struct sluice_append_record a = {.record = &r, .now = TIME_0};
	struct sluice_range range;
	s64 end_offset;

	(void)state;
	begin(1);
	assert_int_equal(append_replica(0), 0);
	assert_int_equal(append_replica(7), 0);
	assert_int_equal(sluice_log_truncate(log_, 4, err, &end_offset), 0);
	assert_int_equal(sluice_log_append_record(log_, &a), 0);
	assert_int_equal(a.offset, 4);
	assert_int_equal(sluice_log_fetch(log_, 2, 1, SLUICE_FETCH_WHOLE_FIRST, &range), 0);
	assert_non_null(range.seg);
	assert_int_equal(range.base_offset, 4);
	sluice_segment_put(range.seg);
	sluice_log_close(log_);
}

/* Transactions behind the recovery point were not looked at: nothing is decided there. */
static void sluice_clean_producers__ends_inside_a_segment(void **state)
{
	struct sluice_clean_producers p;

	(void)state;
	begin(1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(append(), 0);
	assert_int_equal(sluice_log_segment_count(log_), 2);
	assert_int_equal(sluice_log_housekeep(log_, TIME_0), 0);
	for (s64 end = 0; end <= 3; end++) {
		assert_int_equal(sluice_clean_producers(sim_dir(), end, &p, err), 0);
		assert_int_equal(p.end_offset, end);
		sluice_clean_producers_free(&p);
	}
	sluice_log_close(log_);
}

static void flusher(void *ctx)
{
	s64 recovery_point;

	(void)ctx;
	failures += sluice_log_flush(log_, &recovery_point) != 0;
}

/* Its index has no room: what it wrote is cut off, but a sync may have stored it. */
static void failing_appender(void *ctx)
{
	(void)ctx;
	failures += append() == 0;
}

static void sluice_log_append__fails_beside_a_sync_and_a_clean_close(void **state)
{
	(void)state;
	for (u64 seed = 1; seed <= 300; seed++) {
		begin(seed);
		config.segment_bytes = 75000;
		config.index_interval_bytes = 0;
		sluice_log_set_config(log_, &config);
		failures = 0;
		/* The first has no entry; the next one's must then be written. */
		for (int i = 0; i <= SLUICE_INDEX_TAIL_ENTRIES; i++)
			failures += append() != 0;
		sim_fault(SIM_WRITE, ".index", 1, true, -ENOSPC);
		sim_spawn(flusher, NULL);
		sim_spawn(failing_appender, NULL);
		assert_true(sim_run(U32_MAX, 2 + (u32)(seed % 16 * 3)));
		assert_true(sim_fault_hit());
		sim_fault(0, NULL, 0, false, 0);
		assert_int_equal(failures, 0);
		reopen_cleanly();
		check_log(SLUICE_INDEX_TAIL_ENTRIES + 1);
		sluice_log_close(log_);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sluice_log_append__fails_beside_a_sync_and_a_clean_close),
		cmocka_unit_test(sluice_log_append__rolls_in_a_gap),
		cmocka_unit_test(sluice_log_truncate__into_a_gap_and_roll),
		cmocka_unit_test(sluice_log_fetch__over_a_gap_into_the_open_batch),
		cmocka_unit_test(sluice_clean_producers__ends_inside_a_segment),
		cmocka_unit_test(sluice_log_append__fails_behind_a_roll_and_a_clean_close),
		cmocka_unit_test(sluice_log_retain__unsynced_and_cannot_be_renamed),
		cmocka_unit_test(sluice_log_truncate__behind_housekeeping_that_failed),
		cmocka_unit_test(sluice_log_retain__behind_a_snapshot_that_failed),
		cmocka_unit_test(sluice_log_prepare__beside_a_roll),
		cmocka_unit_test(sluice_log_prepare__twice_beside_a_roll),
		cmocka_unit_test(sluice_log_roll__fails_and_leaves_no_segment),
		cmocka_unit_test(sluice_log_recover__after_a_sync_that_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
