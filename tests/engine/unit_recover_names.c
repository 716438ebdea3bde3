// SPDX-License-Identifier: Apache-2.0
/* Recovery of what was interrupted while names were changed. */
#include "three_segments.h"

#include <stdlib.h>

/* Segments 0, 21 and 42 of seven, seven and three batches of three records. */
static int setup(void **state)
{
	return three_segments(state, TIME_0, false);
}

static int try_recover(struct port_dir *dir, s64 recovery_point, unsigned int flags,
		       struct sluice_recovery *done)
{
	struct sluice_log_config c = small_config();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	int ret = sluice_log_recover(dir, &c, recovery_point, flags, err, done);

	assert_int_equal(ret == 0, err[0] == '\0');
	return ret;
}

static struct sluice_recovery recover(struct port_dir *dir, s64 recovery_point, unsigned int flags)
{
	struct sluice_recovery done;

	assert_int_equal(try_recover(dir, recovery_point, flags, &done), 0);
	return done;
}

static void rename_file(struct port_dir *dir, const char *from, const char *to)
{
	assert_int_equal(port_file_rename(dir, from, to), 0);
}

/* Batches of the first two segments, by number, as the file @name. */
static void store_batches(struct port_dir *dir, const char *name, const int *batches, size_t n)
{
	u8 *bytes[2], out[14 * BATCH_SIZE];
	size_t len;

	bytes[0] = file_load(dir, FIRST ".log", &len);
	bytes[1] = file_load(dir, SECOND ".log", &len);
	for (size_t i = 0; i < n; i++)
		memcpy(out + i * BATCH_SIZE, bytes[batches[i] / 7] + batches[i] % 7 * BATCH_SIZE,
		       BATCH_SIZE);
	file_store(dir, name, out, n * BATCH_SIZE);
	free(bytes[0]);
	free(bytes[1]);
}

/* The log has just these batches, and whole segments of the others. */
static void check_batches(struct port_dir *dir, const int *batches, size_t n, s64 end_offset)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(dir, &c);
	struct sluice_batch b;
	s64 offset = 0;

	for (size_t i = 0; i < n; i++) {
		struct sluice_range range;

		assert_int_equal(sluice_log_fetch(log, offset, 1, SLUICE_FETCH_WHOLE_FIRST, &range),
				 0);
		assert_non_null(range.seg);
		assert_int_equal(sluice_log_read_batch(range.file, range.position,
						       range.position + range.bytes, &b),
				 0);
		assert_int_equal(b.base_offset, batches[i] * 3);
		assert_int_equal(b.max_timestamp, TIME_0 + batches[i]);
		offset = sluice_batch_last_offset(&b) + 1;
		sluice_segment_put(range.seg);
	}
	assert_int_equal(sluice_log_end_offset(log), end_offset);
	sluice_log_close(log);
}

static void recover_names__removes_deleted_cleaned_and_cut(void **state)
{
	u64 digest = dir_digest(*state);

	file_store(*state, "00000000000000000005.log.deleted", "x", 1);
	file_store(*state, "00000000000000000005.timeindex.deleted", "x", 1);
	file_store(*state, "00000000000000000005.snapshot.deleted", "x", 1);
	file_store(*state, FIRST ".log.cleaned", "x", 1);
	file_store(*state, FIRST ".index.cleaned", "x", 1);
	file_store(*state, FIRST ".txnindex.cleaned", "x", 1);
	file_store(*state, FIRST ".log.cut", "x", 1);
	file_store(*state, FIRST ".timeindex.cut", "x", 1);
	recover(*state, 51, SLUICE_RECOVER_CLEAN);
	assert_int_equal(dir_digest(*state), digest);
	/* Other names are none of ours. */
	file_store(*state, "5.log.deleted", "x", 1);
	file_store(*state, FIRST ".log.cleaned.old", "x", 1);
	digest = dir_digest(*state);
	recover(*state, 51, 0);
	assert_int_equal(dir_digest(*state), digest);
}

static const int compacted[] = {0, 4, 9, 13, 14, 15, 16};

/* The first two segments compacted to one that ends where they do. */
static void store_swap(struct port_dir *dir)
{
	store_batches(dir, FIRST ".log.swap", compacted, 4);
	file_store(dir, FIRST ".index.swap", "", 0);
	file_store(dir, FIRST ".timeindex.swap", "", 0);
}

static void recover_names__finishes_a_swap(void **state)
{
	store_swap(*state);
	recover(*state, 51, 0);
	check_batches(*state, compacted, 7, 51);
	assert_false(file_exists(*state, SECOND ".log"));
	assert_false(file_exists(*state, SECOND ".index"));
	assert_false(file_exists(*state, FIRST ".log.swap"));
}

static void recover_names__swap_of_a_clean_log(void **state)
{
	store_swap(*state);
	recover(*state, 51, SLUICE_RECOVER_CLEAN);
	check_batches(*state, compacted, 7, 51);
}

/* Whatever is renamed or removed when it ends, the next time it comes to the same. */
static void recover_names__crash_while_a_swap_is_finished(void **state)
{
	struct sluice_recovery done;
	u64 digest;
	void *copy, *goal;
	u32 n = 0;
	int ret;

	assert_int_equal(dir_setup(&copy), 0);
	assert_int_equal(dir_setup(&goal), 0);
	store_swap(*state);
	dir_copy(goal, *state);
	recover(goal, 51, 0);
	digest = dir_digest(goal);
	do {
		dir_copy(copy, *state);
		port_fault_set(++n, true);
		ret = try_recover(copy, 51, 0, &done);
		port_fault_set(0, false);
		if (ret)
			recover(copy, 51, 0);
		assert_int_equal(dir_digest(copy), digest);
		check_batches(copy, compacted, 7, 51);
	} while (ret);
	assert_true(n > 30);
	dir_teardown(&copy);
	dir_teardown(&goal);
}

static void check_undone(struct port_dir *dir, u64 digest)
{
	recover(dir, 51, 0);
	assert_int_equal(dir_digest(dir), digest);
}

static void recover_names__undoes_a_swap_that_is_not_whole(void **state)
{
	u64 digest = dir_digest(*state);
	struct port_file *file;

	/* It ends inside the second segment: another new one was to come. */
	store_batches(*state, FIRST ".log.swap", compacted, 3);
	check_undone(*state, digest);
	/* It was to come. */
	store_swap(*state);
	file_store(*state, "00000000000000000039.log.cleaned", "", 0);
	check_undone(*state, digest);
	/* It is damaged. */
	store_swap(*state);
	assert_int_equal(port_file_open(*state, FIRST ".log.swap", 0, &file), 0);
	assert_int_equal(port_file_write(file, 4 * BATCH_SIZE - 1, "\xff", 1), 0);
	port_file_close(file);
	check_undone(*state, digest);
	file_store(*state, FIRST ".log.swap", "x", 1);
	check_undone(*state, digest);
	/* Indexes alone. */
	file_store(*state, FIRST ".index.swap", "x", 1);
	check_undone(*state, digest);
}

/* Once the first old segment is gone there is no way back. */
static void recover_names__goes_on_where_old_segments_are_gone(void **state)
{
	static const int left[] = {0, 4, 9, 14, 15, 16};

	store_batches(*state, FIRST ".log.swap", left, 3);
	assert_int_equal(port_file_remove(*state, FIRST ".log"), 0);
	recover(*state, 51, 0);
	check_batches(*state, left, 6, 51);
}

/* Retention removed the segments while new ones for them were made. */
static void recover_names__swap_of_segments_that_went(void **state)
{
	struct sluice_recovery done;

	store_batches(*state, FIRST ".log.swap", compacted, 2);
	assert_int_equal(port_file_remove(*state, FIRST ".log"), 0);
	assert_int_equal(port_file_remove(*state, SECOND ".log"), 0);
	done = recover(*state, 15, 0);
	assert_int_equal(done.log_end_offset, 51);
	assert_false(file_exists(*state, FIRST ".log"));
	assert_false(file_exists(*state, FIRST ".log.swap"));
	check_batches(*state, NULL, 0, 51);
}

static void prepare_last(struct port_dir *dir)
{
	rename_file(dir, LAST ".log", "next.log.prepared");
	rename_file(dir, LAST ".index", "next.index.prepared");
	rename_file(dir, LAST ".timeindex", "next.timeindex.prepared");
}

static void sluice_log_recover__names_a_prepared_segment_that_has_batches(void **state)
{
	u64 digest = dir_digest(*state);
	struct sluice_recovery done;

	prepare_last(*state);
	done = recover(*state, 0, 0);
	assert_int_equal(done.log_end_offset, 51);
	assert_int_equal(dir_digest(*state), digest);
	prepare_last(*state);
	done = recover(*state, 42, SLUICE_RECOVER_CLEAN);
	assert_int_equal(done.log_end_offset, 51);
	assert_int_equal(dir_digest(*state), digest);
	/* The indexes were lost. */
	prepare_last(*state);
	assert_int_equal(port_file_remove(*state, "next.index.prepared"), 0);
	assert_int_equal(port_file_remove(*state, "next.timeindex.prepared"), 0);
	recover(*state, 30, 0);
	assert_int_equal(dir_digest(*state), digest);
}

/* The segment before was read as if it were the last, and is none. */
static void sluice_log_recover__seals_the_segment_before_a_prepared_one(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log;
	u64 digest;

	dir_clear(*state);
	/* Six batches: the last of them has no entry until the roll makes one. */
	c.segment_bytes = 900;
	log = log_open(*state, &c);
	for (int i = 0; i < 8; i++)
		append_spec(log, (struct batch_spec){
					 .records = 3, .value_len = 20, .timestamp = TIME_0 + i});
	log_close_cleanly(log);
	assert_int_equal(file_size(*state, FIRST ".timeindex"), 3 * 12);
	digest = dir_digest(*state);
	rename_file(*state, "00000000000000000018.log", "next.log.prepared");
	rename_file(*state, "00000000000000000018.index", "next.index.prepared");
	rename_file(*state, "00000000000000000018.timeindex", "next.timeindex.prepared");
	recover(*state, 0, 0);
	assert_int_equal(dir_digest(*state), digest);
}

static void sluice_log_recover__prepared_segment_with_a_torn_batch(void **state)
{
	struct port_file *file;

	prepare_last(*state);
	assert_int_equal(port_file_open(*state, "next.log.prepared", 0, &file), 0);
	assert_int_equal(port_file_truncate(file, 2 * BATCH_SIZE + 70), 0);
	port_file_close(file);
	assert_int_equal(recover(*state, 30, 0).log_end_offset, 48);
	assert_int_equal(file_size(*state, LAST ".log"), 2 * BATCH_SIZE);
}

static void sluice_log_recover__removes_a_prepared_segment_that_has_none(void **state)
{
	u64 digest = dir_digest(*state);

	file_store(*state, "next.log.prepared", "", 0);
	file_store(*state, "next.index.prepared", "", 0);
	file_store(*state, "next.timeindex.prepared", "", 0);
	recover(*state, 51, SLUICE_RECOVER_CLEAN);
	assert_int_equal(dir_digest(*state), digest);
	file_store(*state, "next.log.prepared", "some bytes that are no batch", 28);
	recover(*state, 51, 0);
	assert_int_equal(dir_digest(*state), digest);
	file_store(*state, "next.index.prepared", "", 0);
	recover(*state, 51, 0);
	assert_int_equal(dir_digest(*state), digest);
}

/* The end of the segment before it was lost: what it has does not go on there. */
static void sluice_log_recover__removes_a_prepared_segment_behind_a_gap(void **state)
{
	struct port_file *file;

	prepare_last(*state);
	assert_int_equal(port_file_open(*state, SECOND ".log", 0, &file), 0);
	assert_int_equal(port_file_truncate(file, 6 * BATCH_SIZE), 0);
	port_file_close(file);
	assert_int_equal(recover(*state, 30, 0).log_end_offset, 39);
	assert_false(file_exists(*state, "next.log.prepared"));
	assert_false(file_exists(*state, LAST ".log"));
	/* Nor may it claim offsets that others have. */
	store_batches(*state, "next.log.prepared", (const int[]){8}, 1);
	assert_int_equal(recover(*state, 0, 0).log_end_offset, 39);
	assert_false(file_exists(*state, "next.log.prepared"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(recover_names__removes_deleted_cleaned_and_cut),
		TEST(recover_names__finishes_a_swap),
		TEST(recover_names__swap_of_a_clean_log),
		TEST(recover_names__crash_while_a_swap_is_finished),
		TEST(recover_names__undoes_a_swap_that_is_not_whole),
		TEST(recover_names__goes_on_where_old_segments_are_gone),
		TEST(recover_names__swap_of_segments_that_went),
		TEST(sluice_log_recover__names_a_prepared_segment_that_has_batches),
		TEST(sluice_log_recover__seals_the_segment_before_a_prepared_one),
		TEST(sluice_log_recover__prepared_segment_with_a_torn_batch),
		TEST(sluice_log_recover__removes_a_prepared_segment_that_has_none),
		TEST(sluice_log_recover__removes_a_prepared_segment_behind_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
