// SPDX-License-Identifier: Apache-2.0
#include "engine_test.h"
#include "time_index.h"

static struct sluice_time_index open_index(struct port_dir *dir, const void *bytes, size_t len,
					   int expected, const char *expected_why)
{
	struct sluice_time_index index = {0};
	struct port_file *file;
	const char *why = "";

	file_store(dir, "t", bytes, len);
	assert_int_equal(port_file_open(dir, "t", 0, &file), 0);
	assert_int_equal(sluice_time_index_init(&index, file, &why), expected);
	assert_string_equal(why, expected_why);
	if (expected)
		port_file_close(file);
	return index;
}

static void add(struct sluice_time_index *index, s64 timestamp, u32 relative_offset)
{
	const struct sluice_time_entry e = {timestamp, relative_offset};

	assert_true(sluice_time_index_wants(index, timestamp));
	assert_int_equal(sluice_time_index_write(index, &e), 0);
	sluice_time_index_publish(index, &e);
	assert_false(sluice_time_index_wants(index, timestamp));
}

static void sluice_time_index_init__what_is_impossible(void **state)
{
	struct sluice_time_index index;

	open_index(*state, "\0\0\0\0\0\0\0\5\0\0\0", 11, -EUCLEAN,
		   "the size of the file is impossible");
	open_index(*state, "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\1", 12, -EUCLEAN,
		   "the last entry is impossible");
	open_index(*state, "\0\0\0\0\0\0\0\5\x80\0\0\1", 12, -EUCLEAN,
		   "the last entry is impossible");
	index = open_index(*state, "\0\0\0\0\0\0\1\5\0\0\0\7", 12, 0, "");
	assert_int_equal(index.entries, 1);
	assert_int_equal(index.last.timestamp, 0x105);
	assert_int_equal(index.last.relative_offset, 7);
	port_file_close(index.file);
	index = open_index(*state, "", 0, 0, "");
	assert_int_equal(index.last.timestamp, -1);
	assert_true(sluice_time_index_wants(&index, 0));
	assert_false(sluice_time_index_wants(&index, -1));
	port_file_close(index.file);
}

static void sluice_time_index_write__bytes(void **state)
{
	struct sluice_time_index index = open_index(*state, "", 0, 0, "");
	u8 bytes[12];

	add(&index, 0x0102030405060708LL, 0x090a0b0c);
	assert_int_equal(port_file_read(index.file, 0, bytes, sizeof(bytes)), 12);
	assert_memory_equal(bytes, "\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c", 12);
	port_file_close(index.file);
}

static void sluice_time_index_store__tail(void **state)
{
	struct sluice_time_index index = open_index(*state, "", 0, 0, "");
	struct sluice_index_tail tail = {0};
	struct sluice_time_entry e;

	port_spin_init(&tail.lock);
	add(&index, 1, 1);
	index.tail = &tail;
	for (s64 n = 2; n <= 1 + SLUICE_INDEX_TAIL_ENTRIES; n++) {
		assert_false(sluice_time_index_full(&index));
		add(&index, n, (u32)n * 3);
		assert_int_equal(port_file_size(index.file), 12);
		assert_int_equal(sluice_time_index_lookup(&index, n, &e), 0);
		assert_int_equal(e.relative_offset, n * 3);
		assert_int_equal(sluice_time_index_lookup(&index, 1, &e), 0);
		assert_int_equal(e.relative_offset, 1);
	}
	assert_true(sluice_time_index_full(&index));
	assert_int_equal(sluice_time_index_store(&index), 0);
	assert_int_equal(port_file_size(index.file), 12 * (1 + SLUICE_INDEX_TAIL_ENTRIES));
	add(&index, 100, 300);
	assert_int_equal(sluice_time_index_lookup(&index, 99, &e), 0);
	assert_int_equal(e.timestamp, 1 + SLUICE_INDEX_TAIL_ENTRIES);
	assert_int_equal(sluice_time_index_lookup(&index, 100, &e), 0);
	assert_int_equal(e.relative_offset, 300);
	port_file_close(index.file);
}

static void sluice_time_index_lookup__all(void **state)
{
	struct sluice_time_index index = open_index(*state, "", 0, 0, "");
	struct sluice_time_entry e;

	for (u32 n = 0; n < 100; n++) {
		for (s64 time = -5; time < 10 * n + 20; time++) {
			s64 nr = time < 10 ? 0 : min_t(s64, time / 10, n);

			assert_int_equal(sluice_time_index_lookup(&index, time, &e), 0);
			assert_int_equal(e.timestamp, nr ? nr * 10 : -1);
			assert_int_equal(e.relative_offset, nr * 3);
		}
		add(&index, 10 * (n + 1), 3 * (n + 1));
	}
	assert_int_equal(port_file_truncate(index.file, 0), 0);
	assert_int_equal(sluice_time_index_lookup(&index, 15, &e), -EIO);
	port_file_close(index.file);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_time_index_init__what_is_impossible),
		TEST(sluice_time_index_write__bytes),
		TEST(sluice_time_index_store__tail),
		TEST(sluice_time_index_lookup__all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
