// SPDX-License-Identifier: Apache-2.0
#include "engine_test.h"

#include <stdlib.h>

#define BATCH_RECORDS 3
#define BATCH_SIZE    142 /* of three records with 20 bytes each */
#define BATCHES	      30

static int log_setup(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log;
	void *dir;

	if (dir_setup(&dir))
		return -1;
	log = log_open(dir, &c);
	for (int i = 0; i < BATCHES; i++)
		append_spec(log, (struct batch_spec){.records = BATCH_RECORDS, .value_len = 20});
	sluice_log_set_owner(log, dir);
	*state = log;
	return 0;
}

static int log_teardown(void **state)
{
	void *dir = sluice_log_owner(*state);

	sluice_log_close(*state);
	return dir_teardown(&dir);
}

/* Seven batches fit the 1000 bytes of a segment. */
static void sluice_log_fetch__every_offset(void **state)
{
	for (s64 offset = 0; offset < BATCHES * BATCH_RECORDS; offset++) {
		s64 batch = offset / BATCH_RECORDS;
		struct sluice_range range;

		assert_int_equal(sluice_log_fetch(*state, offset, 1, 0, &range), 0);
		assert_int_equal(range.segment_base_offset, batch / 7 * 7 * BATCH_RECORDS);
		assert_int_equal(range.position, batch % 7 * BATCH_SIZE);
		assert_int_equal(range.base_offset, batch * BATCH_RECORDS);
		assert_int_equal(range.bytes, 1);
		sluice_segment_put(range.seg);
	}
}

static void check_bytes(struct sluice_log *log, s64 offset, u32 max_bytes, unsigned int flags,
			u32 expected)
{
	struct sluice_range range;

	assert_int_equal(sluice_log_fetch(log, offset, max_bytes, flags, &range), 0);
	assert_int_equal(range.bytes, expected);
	assert_true((range.seg != NULL) == (expected > 0));
	if (range.seg)
		sluice_segment_put(range.seg);
}

static void sluice_log_fetch__bounds(void **state)
{
	check_bytes(*state, 0, U32_MAX, 0, 7 * BATCH_SIZE);
	check_bytes(*state, 3, U32_MAX, 0, 6 * BATCH_SIZE);
	check_bytes(*state, 5, 200, 0, 200);
	check_bytes(*state, 20, U32_MAX, 0, BATCH_SIZE);
	check_bytes(*state, 5, 10, 0, 10);
	check_bytes(*state, 5, 10, SLUICE_FETCH_WHOLE_FIRST, BATCH_SIZE);
	check_bytes(*state, 5, 200, SLUICE_FETCH_WHOLE_FIRST, 200);
	check_bytes(*state, 5, 0, SLUICE_FETCH_WHOLE_FIRST, BATCH_SIZE);
	check_bytes(*state, 5, 0, 0, 0);
	check_bytes(*state, 90, U32_MAX, SLUICE_FETCH_WHOLE_FIRST, 0);
}

static void sluice_log_fetch__outside(void **state)
{
	struct sluice_range range;

	assert_int_equal(sluice_log_fetch(*state, -1, 100, 0, &range), -ERANGE);
	assert_int_equal(sluice_log_fetch(*state, 91, 100, 0, &range), -ERANGE);
	assert_int_equal(sluice_log_fetch(*state, S64_MAX, 100, 0, &range), -ERANGE);
	assert_int_equal(sluice_log_fetch(*state, S64_MIN, 100, 0, &range), -ERANGE);
}

/* A reader that goes on in the segment it holds, as sluice_segment_published() says. */
static void sluice_segment_sealed__then_no_more_comes(void **state)
{
	struct sluice_range range;

	assert_int_equal(sluice_log_fetch(*state, 0, 1, 0, &range), 0);
	assert_true(sluice_segment_sealed(range.seg));
	assert_int_equal(sluice_segment_published(range.seg), 7 * BATCH_SIZE);
	sluice_segment_put(range.seg);

	assert_int_equal(sluice_log_fetch(*state, 89, 1, 0, &range), 0);
	assert_false(sluice_segment_sealed(range.seg));
	assert_int_equal(sluice_segment_published(range.seg), 2 * BATCH_SIZE);
	append_spec(*state, (struct batch_spec){.records = BATCH_RECORDS, .value_len = 20});
	assert_int_equal(sluice_segment_published(range.seg), 3 * BATCH_SIZE);
	sluice_segment_put(range.seg);
}

static void overwrite(struct port_dir *dir, const char *name, u64 position, const void *bytes,
		      size_t len)
{
	struct port_file *file;

	assert_int_equal(port_file_open(dir, name, 0, &file), 0);
	assert_int_equal(port_file_write(file, position, bytes, len), 0);
	port_file_close(file);
}

static void sluice_log_fetch__broken_files(void **state)
{
	struct port_dir *dir = sluice_log_owner(*state);
	struct sluice_range range;

	/* The magic of the second batch: the first can still be found. */
	overwrite(dir, "00000000000000000000.log", BATCH_SIZE + 16, "\7", 1);
	assert_int_equal(sluice_log_fetch(*state, 4, 100, 0, &range), -EIO);
	check_bytes(*state, 2, 100, 0, 100);
	/* An index entry that leads into the middle of a batch. */
	overwrite(dir, "00000000000000000021.index", 0, "\0\0\0\1\0\0\0\5", 8);
	assert_int_equal(sluice_log_fetch(*state, 24, 100, 0, &range), -EIO);
	/* One that leads behind the file. */
	overwrite(dir, "00000000000000000021.index", 0, "\0\0\0\1\0\1\0\0", 8);
	assert_int_equal(sluice_log_fetch(*state, 24, 100, 0, &range), -EIO);
	check_bytes(*state, 84, 100, 0, 100);
}

static void sluice_log_read_batch__bounds(void **state)
{
	struct sluice_range range;
	struct sluice_batch b;

	assert_int_equal(sluice_log_fetch(*state, 0, U32_MAX, 0, &range), 0);
	assert_int_equal(sluice_log_read_batch(range.file, 0, BATCH_SIZE, &b), 0);
	assert_int_equal(b.size, BATCH_SIZE);
	assert_int_equal(sluice_log_read_batch(range.file, 0, BATCH_SIZE - 1, &b), -EIO);
	assert_int_equal(sluice_log_read_batch(range.file, 0, 60, &b), -EIO);
	assert_int_equal(sluice_log_read_batch(range.file, 5, 5, &b), -EIO);
	assert_int_equal(sluice_log_read_batch(range.file, 7, 5, &b), -EIO);
	assert_int_equal(sluice_log_read_batch(range.file, 1, 500, &b), -EIO);
	assert_int_equal(sluice_log_read_batch(range.file, 10000, U64_MAX, &b), -EIO);
	sluice_segment_put(range.seg);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, log_setup, log_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_fetch__every_offset),
		TEST(sluice_log_fetch__bounds),
		TEST(sluice_log_fetch__outside),
		TEST(sluice_segment_sealed__then_no_more_comes),
		TEST(sluice_log_fetch__broken_files),
		TEST(sluice_log_read_batch__bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
