// SPDX-License-Identifier: Apache-2.0
#include "engine_test.h"

#include <stdlib.h>

#define BATCH_SIZE   142 /* of three records with 20 bytes each */
#define SEGMENT_SIZE (7 * BATCH_SIZE)

/* Segments with base offsets 0, 21 and 42; the last has three batches. */
static void make_log(struct port_dir *dir)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(dir, &c);

	for (int i = 0; i < 17; i++)
		append_spec(log, (struct batch_spec){
					 .records = 3, .value_len = 20, .timestamp = TIME_0 + i});
	log_close_cleanly(log);
}

static struct sluice_recovery recover_flags(struct port_dir *dir, s64 recovery_point,
					    unsigned int flags)
{
	struct sluice_log_config c = small_config();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;
	struct sluice_log *log;

	assert_int_equal(sluice_log_recover(dir, &c, recovery_point, flags, err, &done), 0);
	log = log_open(dir, &c);
	assert_int_equal(sluice_log_end_offset(log), done.log_end_offset);
	sluice_log_close(log);
	return done;
}

static struct sluice_recovery recover(struct port_dir *dir, s64 recovery_point, bool clean)
{
	return recover_flags(dir, recovery_point, clean ? SLUICE_RECOVER_CLEAN : 0);
}

static void check_log(struct port_dir *dir, s64 expected_end)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(dir, &c);

	assert_int_equal(sluice_log_end_offset(log), expected_end);
	log_check(log);
	append_spec(log, (struct batch_spec){.records = 2, .value_len = 20});
	log_check(log);
	sluice_log_close(log);
}

static void check_done(struct sluice_recovery done, u64 bytes_cut, u32 indexes_rebuilt,
		       u32 segments_removed, s64 log_end_offset)
{
	assert_int_equal(done.bytes_cut, bytes_cut);
	assert_int_equal(done.indexes_rebuilt, indexes_rebuilt);
	assert_int_equal(done.segments_removed, segments_removed);
	assert_int_equal(done.log_end_offset, log_end_offset);
}

static void sluice_log_recover__intact_log_is_left_alone(void **state)
{
	u64 before;

	make_log(*state);
	before = dir_digest(*state);
	check_done(recover(*state, 0, false), 0, 0, 0, 51);
	check_done(recover(*state, 51, false), 0, 0, 0, 51);
	check_done(recover(*state, 0, true), 0, 0, 0, 51);
	assert_int_equal(dir_digest(*state), before);
	check_log(*state, 51);
}

static void sluice_log_recover__empty_directory(void **state)
{
	struct sluice_log_config c = small_config();
	char err[SLUICE_ERROR_TEXT_MAX];
	struct sluice_recovery done;

	assert_int_equal(sluice_log_recover(*state, &c, 0, 0, err, &done), 0);
	check_done(done, 0, 0, 0, 0);
	assert_int_equal(dir_file_count(*state), 0);
}

/* What lies below the recovery point is not read. */
static void sluice_log_recover__reads_from_the_recovery_point(void **state)
{
	struct sluice_recovery all, some, none;

	make_log(*state);
	all = recover(*state, 0, false);
	some = recover(*state, 45, false);
	none = recover(*state, 0, true);
	assert_true(all.bytes_read >= 17 * BATCH_SIZE);
	assert_true(some.bytes_read < 2 * SEGMENT_SIZE);
	assert_true(some.bytes_read >= 2 * BATCH_SIZE);
	assert_int_equal(none.bytes_read, 0);
}

static void truncate_file(struct port_dir *dir, const char *name, u64 size)
{
	struct port_file *file;

	assert_int_equal(port_file_open(dir, name, 0, &file), 0);
	assert_int_equal(port_file_truncate(file, size), 0);
	port_file_close(file);
}

/* A crash may leave any prefix; what is cut is what is not a whole batch. */
static void sluice_log_recover__torn_at_every_byte(void **state)
{
	void *copy;

	assert_int_equal(dir_setup(&copy), 0);
	make_log(*state);
	for (u64 size = 0; size <= 3 * BATCH_SIZE; size++) {
		u64 whole = size / BATCH_SIZE;
		struct sluice_recovery done;

		dir_copy(copy, *state);
		truncate_file(copy, "00000000000000000042.log", size);
		done = recover(copy, 42, false);
		assert_int_equal(done.bytes_cut, size - whole * BATCH_SIZE);
		assert_int_equal(done.log_end_offset, 42 + 3 * whole);
		assert_int_equal(done.segments_removed, 0);
		assert_int_equal(file_size(copy, "00000000000000000042.log"), whole * BATCH_SIZE);
	}
	dir_teardown(&copy);
}

/* The tail may also be as long as it should and hold something else. */
static void sluice_log_recover__torn_tail_of_zeros(void **state)
{
	static const u8 zeros[BATCH_SIZE];
	void *copy;

	assert_int_equal(dir_setup(&copy), 0);
	make_log(*state);
	for (u64 from = 0; from < BATCH_SIZE; from++) {
		struct port_file *file;

		dir_copy(copy, *state);
		assert_int_equal(port_file_open(copy, "00000000000000000042.log", 0, &file), 0);
		assert_int_equal(
			port_file_write(file, 2 * BATCH_SIZE + from, zeros, BATCH_SIZE - from), 0);
		port_file_close(file);
		/* The last byte of a record is 0: the count of its headers. */
		if (from == BATCH_SIZE - 1)
			check_done(recover(copy, 42, false), 0, 0, 0, 51);
		else
			assert_int_equal(recover(copy, 42, false).log_end_offset, 48);
	}
	dir_teardown(&copy);
}

static void flip(struct port_dir *dir, const char *name, u64 position)
{
	struct port_file *file;
	u8 byte;

	assert_int_equal(port_file_open(dir, name, 0, &file), 0);
	assert_int_equal(port_file_read(file, position, &byte, 1), 1);
	byte ^= 0x10;
	assert_int_equal(port_file_write(file, position, &byte, 1), 0);
	port_file_close(file);
}

static void sluice_log_recover__cuts_at_the_first_bad_batch(void **state)
{
	make_log(*state);
	flip(*state, "00000000000000000021.log", 3 * BATCH_SIZE + 100);
	check_done(recover(*state, 0, false), 4 * BATCH_SIZE + 3 * BATCH_SIZE, 2, 1, 30);
	assert_false(file_exists(*state, "00000000000000000042.log"));
	assert_false(file_exists(*state, "00000000000000000042.index"));
	assert_false(file_exists(*state, "00000000000000000042.timeindex"));
	assert_int_equal(file_size(*state, "00000000000000000021.log"), 3 * BATCH_SIZE);
	check_log(*state, 30);
}

static void sluice_log_recover__does_not_look_below_the_recovery_point(void **state)
{
	make_log(*state);
	flip(*state, "00000000000000000021.log", 3 * BATCH_SIZE + 100);
	check_done(recover(*state, 42, false), 0, 0, 0, 51);
	check_done(recover(*state, 0, true), 0, 0, 0, 51);
	/* In the segment of the recovery point, too, only what is above it is verified. */
	check_done(recover(*state, 33, false), 0, 0, 0, 51);
	check_done(recover(*state, 32, false), 4 * BATCH_SIZE + 3 * BATCH_SIZE, 2, 1, 30);
}

static void check_index_rebuilt(struct port_dir *dir, s64 recovery_point, bool clean,
				u64 expected_digest)
{
	assert_int_equal(recover(dir, recovery_point, clean).log_end_offset, 51);
	assert_int_equal(dir_digest(dir), expected_digest);
}

/* Rebuilt indexes are byte for byte those that the appends wrote. */
static void sluice_log_recover__rebuilds_indexes(void **state)
{
	static const char *const names[] = {
		"00000000000000000000.index", "00000000000000000000.timeindex",
		"00000000000000000021.index", "00000000000000000021.timeindex",
		"00000000000000000042.index", "00000000000000000042.timeindex",
	};
	u64 digest;

	make_log(*state);
	digest = dir_digest(*state);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(port_file_remove(*state, names[i]), 0);
		check_index_rebuilt(*state, 0, false, digest);
		assert_int_equal(port_file_remove(*state, names[i]), 0);
		check_index_rebuilt(*state, 51, false, digest);
		assert_int_equal(port_file_remove(*state, names[i]), 0);
		check_index_rebuilt(*state, 51, true, digest);
		file_store(*state, names[i], "12345", 5);
		check_index_rebuilt(*state, 51, true, digest);
		file_store(*state, names[i],
			   "\xff\xff\xff\xff\xff\xff\xff\xff"
			   "\xff\xff\xff\xff\xff\xff\xff\xff"
			   "\xff\xff\xff\xff\xff\xff\xff\xff",
			   24);
		check_index_rebuilt(*state, 0, false, digest);
		truncate_file(*state, names[i], 0);
		check_index_rebuilt(*state, 0, false, digest);
	}
}

/* The indexes of the segment that a flush left half done, see log_flush.c. */
static void sluice_log_recover__indexes_of_the_segment_before_the_recovery_point(void **state)
{
	u64 digest;

	make_log(*state);
	digest = dir_digest(*state);
	truncate_file(*state, "00000000000000000021.index", 0);
	truncate_file(*state, "00000000000000000021.timeindex", 0);
	check_index_rebuilt(*state, 42, false, digest);
}

static void sluice_log_recover__removes_orphans(void **state)
{
	u64 digest;

	make_log(*state);
	digest = dir_digest(*state);
	file_store(*state, "00000000000000000051.index", "", 0);
	file_store(*state, "00000000000000000051.timeindex", "x", 1);
	check_done(recover(*state, 51, true), 0, 0, 0, 51);
	assert_int_equal(dir_digest(*state), digest);
}

/* An empty segment behind a gap: the end of the one before it was lost. */
static void sluice_log_recover__empty_last_segments(void **state)
{
	u64 digest;

	make_log(*state);
	digest = dir_digest(*state);
	file_store(*state, "00000000000000000060.log", "", 0);
	file_store(*state, "00000000000000000070.log", "", 0);
	check_done(recover(*state, 0, false), 0, 0, 2, 51);
	assert_int_equal(dir_digest(*state), digest);
	file_store(*state, "00000000000000000060.log", "", 0);
	check_done(recover_flags(*state, 0, SLUICE_RECOVER_GAPS), 0, 2, 1, 51);
	assert_int_equal(dir_digest(*state), digest);

	/* What a roll leaves before its first append is as it should be. */
	file_store(*state, "00000000000000000051.log", "", 0);
	file_store(*state, "00000000000000000070.log", "", 0);
	check_done(recover(*state, 0, false), 0, 2, 1, 51);
	assert_true(file_exists(*state, "00000000000000000051.log"));
	check_done(recover(*state, 0, false), 0, 0, 0, 51);
	check_log(*state, 51);
}

/* The second segment loses its last batch, as a whole; its indexes and the third keep theirs. */
static void make_hole(struct port_dir *dir)
{
	size_t len;
	u8 *bytes;

	make_log(dir);
	bytes = file_load(dir, "00000000000000000021.log", &len);
	file_store(dir, "00000000000000000021.log", bytes, len - BATCH_SIZE);
	free(bytes);
}

static void sluice_log_recover__hole_between_segments(void **state)
{
	make_hole(*state);
	check_done(recover(*state, 0, false), 3 * BATCH_SIZE, 2, 1, 39);
	check_log(*state, 39);
}

static void sluice_log_recover__hole_below_the_recovery_point(void **state)
{
	make_hole(*state);
	check_done(recover(*state, 45, false), 0, 2, 0, 51);
}

static void sluice_log_recover__gap_that_compaction_left(void **state)
{
	make_hole(*state);
	check_done(recover_flags(*state, 0, SLUICE_RECOVER_GAPS), 0, 2, 0, 51);
}

/* Where it is not a crash's work the log end stays, and a reader learns it. */
static void sluice_log_recover__empty_last_segment_of_a_clean_log(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_range range;
	struct sluice_log *log;

	make_log(*state);
	file_store(*state, "00000000000000000060.log", "", 0);
	check_done(recover(*state, 51, true), 0, 2, 0, 60);
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_fetch(log, 55, 1000, 0, &range), 0);
	assert_int_equal(range.bytes, 0);
	assert_null(range.seg);
	assert_int_equal(range.base_offset, 60);
	append_spec(log, (struct batch_spec){.records = 1});
	assert_int_equal(sluice_log_fetch(log, 55, 1000, 0, &range), 0);
	assert_int_equal(range.base_offset, 60);
	sluice_segment_put(range.seg);
	sluice_log_close(log);
}

static void sluice_log_recover__offsets_of_the_next_segment(void **state)
{
	size_t len;
	u8 *bytes;

	make_log(*state);
	bytes = file_load(*state, "00000000000000000021.log", &len);
	put_unaligned_be64(40, bytes + 6 * BATCH_SIZE);
	file_store(*state, "00000000000000000021.log", bytes, len);
	free(bytes);
	/* The batch would have offsets 40, 41 and 42. */
	check_done(recover(*state, 0, false), 4 * BATCH_SIZE, 2, 1, 39);
}

/* An append failed, was taken back, and the next one rolled; a sync had it half way. */
static void sluice_log_recover__rest_of_a_failed_append(void **state)
{
	size_t len, next_len;
	u8 *bytes, *next;

	make_log(*state);
	bytes = file_load(*state, "00000000000000000000.log", &len);
	next = file_load(*state, "00000000000000000021.log", &next_len);
	bytes = realloc(bytes, len + BATCH_SIZE);
	memcpy(bytes + len, next, BATCH_SIZE);
	file_store(*state, "00000000000000000000.log", bytes, len + BATCH_SIZE);
	check_done(recover(*state, 0, false), BATCH_SIZE, 0, 0, 51);
	assert_int_equal(file_size(*state, "00000000000000000000.log"), len);
	file_store(*state, "00000000000000000000.log", bytes, len + BATCH_SIZE / 2);
	check_done(recover(*state, 0, false), BATCH_SIZE / 2, 0, 0, 51);
	free(bytes);
	free(next);
	check_log(*state, 51);
}

/* Damage below the recovery point that has to be cut does not take what follows. */
static void sluice_log_recover__structural_damage_below_the_recovery_point(void **state)
{
	make_log(*state);
	flip(*state, "00000000000000000000.log", 2 * BATCH_SIZE + 16);
	assert_int_equal(port_file_remove(*state, "00000000000000000000.index"), 0);
	check_done(recover(*state, 51, true), 5 * BATCH_SIZE, 2, 0, 51);
	assert_int_equal(file_size(*state, "00000000000000000000.log"), 2 * BATCH_SIZE);
}

static void sluice_log_recover__again_changes_nothing(void **state)
{
	u64 digest;

	make_log(*state);
	truncate_file(*state, "00000000000000000042.log", 3 * BATCH_SIZE - 1);
	recover(*state, 0, false);
	digest = dir_digest(*state);
	check_done(recover(*state, 0, false), 0, 0, 0, 48);
	assert_int_equal(dir_digest(*state), digest);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_recover__intact_log_is_left_alone),
		TEST(sluice_log_recover__empty_directory),
		TEST(sluice_log_recover__reads_from_the_recovery_point),
		TEST(sluice_log_recover__torn_at_every_byte),
		TEST(sluice_log_recover__torn_tail_of_zeros),
		TEST(sluice_log_recover__cuts_at_the_first_bad_batch),
		TEST(sluice_log_recover__does_not_look_below_the_recovery_point),
		TEST(sluice_log_recover__rebuilds_indexes),
		TEST(sluice_log_recover__indexes_of_the_segment_before_the_recovery_point),
		TEST(sluice_log_recover__removes_orphans),
		TEST(sluice_log_recover__empty_last_segments),
		TEST(sluice_log_recover__hole_between_segments),
		TEST(sluice_log_recover__hole_below_the_recovery_point),
		TEST(sluice_log_recover__gap_that_compaction_left),
		TEST(sluice_log_recover__empty_last_segment_of_a_clean_log),
		TEST(sluice_log_recover__offsets_of_the_next_segment),
		TEST(sluice_log_recover__rest_of_a_failed_append),
		TEST(sluice_log_recover__structural_damage_below_the_recovery_point),
		TEST(sluice_log_recover__again_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
