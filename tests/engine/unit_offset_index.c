// SPDX-License-Identifier: Apache-2.0
#include "engine_test.h"
#include "offset_index.h"

static struct sluice_offset_index open_index(struct port_dir *dir, const void *bytes, size_t len,
					     u64 log_size, int expected, const char *expected_why)
{
	struct sluice_offset_index index = {0};
	struct port_file *file;
	const char *why = "";

	file_store(dir, "i", bytes, len);
	assert_int_equal(port_file_open(dir, "i", 0, &file), 0);
	assert_int_equal(sluice_offset_index_init(&index, file, log_size, &why), expected);
	assert_string_equal(why, expected_why);
	if (expected)
		port_file_close(file);
	return index;
}

static void add(struct sluice_offset_index *index, u32 relative_offset, u32 position)
{
	assert_int_equal(sluice_offset_index_write(index, relative_offset, position), 0);
	sluice_offset_index_publish(index, relative_offset, position);
}

static void sluice_offset_index_init__what_is_impossible(void **state)
{
	struct sluice_offset_index index;

	open_index(*state, "\0\0\0\5\0\0\0", 7, 100, -EUCLEAN,
		   "the size of the file is impossible");
	open_index(*state, "\0\0\0\5\0\0\0\x64", 8, 100, -EUCLEAN,
		   "the last entry points outside the log");
	open_index(*state, "\0\0\0\5\0\0\0\0", 8, 100, -EUCLEAN,
		   "the last entry points outside the log");
	open_index(*state, "\x80\0\0\0\0\0\0\1", 8, 100, -EUCLEAN,
		   "the last entry points outside the log");
	index = open_index(*state, "\0\0\0\5\0\0\0\x63", 8, 100, 0, "");
	assert_int_equal(index.entries, 1);
	assert_int_equal(index.last_relative_offset, 5);
	assert_int_equal(index.last_position, 99);
	port_file_close(index.file);
	index = open_index(*state, "", 0, 0, 0, "");
	assert_int_equal(index.entries, 0);
	assert_int_equal(index.last_relative_offset, -1);
	assert_int_equal(index.last_position, 0);
	port_file_close(index.file);
}

static void sluice_offset_index_write__bytes(void **state)
{
	struct sluice_offset_index index = open_index(*state, "", 0, 0, 0, "");
	u8 bytes[16];

	add(&index, 0x01020304, 0x05060708);
	add(&index, 0x01020305, 0x05060709);
	assert_int_equal(port_file_read(index.file, 0, bytes, sizeof(bytes)), 16);
	assert_memory_equal(bytes, "\1\2\3\4\5\6\7\x08\1\2\3\5\5\6\7\x09", 16);
	port_file_close(index.file);
}

/* The newest entries are in memory, and read from there; what is published twice is one write. */
static void sluice_offset_index_store__tail(void **state)
{
	struct sluice_offset_index index = open_index(*state, "", 0, 0, 0, "");
	struct sluice_index_tail tail = {0};
	u32 position;

	port_spin_init(&tail.lock);
	add(&index, 1, 10);
	index.tail = &tail;
	for (u32 n = 2; n <= 1 + SLUICE_INDEX_TAIL_ENTRIES; n++) {
		assert_false(sluice_offset_index_full(&index));
		add(&index, n, 10 * n);
		assert_int_equal(port_file_size(index.file), 8);
		for (u32 offset = 0; offset <= n; offset++) {
			assert_int_equal(sluice_offset_index_lookup(&index, offset, &position), 0);
			assert_int_equal(position, 10 * offset);
		}
		assert_int_equal(sluice_offset_index_above(&index, 10 * n - 15, &position), 0);
		assert_int_equal(position, n - 1);
	}
	assert_true(sluice_offset_index_full(&index));
	assert_int_equal(sluice_offset_index_store(&index), 0);
	assert_false(sluice_offset_index_full(&index));
	assert_int_equal(port_file_size(index.file), 8 * (1 + SLUICE_INDEX_TAIL_ENTRIES));
	/* One that is written and not published is replaced by the next. */
	assert_int_equal(sluice_offset_index_write(&index, 98, 980), 0);
	add(&index, 99, 990);
	for (u32 offset = 0; offset <= 99; offset++) {
		u32 floor = offset == 99 ? 99 : min(offset, 1 + SLUICE_INDEX_TAIL_ENTRIES);

		assert_int_equal(sluice_offset_index_lookup(&index, offset, &position), 0);
		assert_int_equal(position, 10 * floor);
	}
	assert_int_equal(sluice_offset_index_store(&index), 0);
	assert_int_equal(port_file_size(index.file), 8 * (2 + SLUICE_INDEX_TAIL_ENTRIES));
	index.tail = NULL;
	assert_int_equal(sluice_offset_index_lookup(&index, 99, &position), 0);
	assert_int_equal(position, 990);
	port_file_close(index.file);
}

/* Against a linear search, with counts around what one read brings. */
static void sluice_offset_index_lookup__all(void **state)
{
	struct sluice_offset_index index = open_index(*state, "", 0, 0, 0, "");
	u32 position;

	for (u32 n = 0; n < 300; n++) {
		for (u32 offset = 0; offset < 10 * n + 20; offset += 1 + n / 16) {
			u32 expected = offset < 10 ? 0 : min(offset / 10, n) * 100;

			assert_int_equal(sluice_offset_index_lookup(&index, offset, &position), 0);
			assert_int_equal(position, expected);
		}
		add(&index, 10 * (n + 1), 100 * (n + 1));
	}
	port_file_close(index.file);
}

static void sluice_offset_index_above__all(void **state)
{
	struct sluice_offset_index index = open_index(*state, "", 0, 0, 0, "");
	u32 offset;

	for (u32 n = 0; n < 100; n++) {
		for (u32 position = 0; position < 100 * n + 200; position += 25) {
			u32 expected = position <= 100 ? 1 : (position + 99) / 100;

			assert_int_equal(sluice_offset_index_above(&index, position, &offset), 0);
			assert_int_equal(offset, expected <= n ? 10 * expected : U32_MAX);
		}
		add(&index, 10 * (n + 1), 100 * (n + 1));
	}
	assert_int_equal(sluice_offset_index_above(&index, 1ULL << 33, &offset), 0);
	assert_int_equal(offset, U32_MAX);
	assert_int_equal(port_file_truncate(index.file, 8), 0);
	assert_int_equal(sluice_offset_index_above(&index, 150, &offset), -EIO);
	port_file_close(index.file);
}

static void sluice_offset_index_lookup__positions_out_of_order(void **state)
{
	struct sluice_offset_index index = open_index(*state, "", 0, 0, 0, "");
	u32 position;

	add(&index, 10, 500);
	add(&index, 20, 400);
	assert_int_equal(sluice_offset_index_lookup(&index, 15, &position), -EUCLEAN);
	assert_int_equal(sluice_offset_index_lookup(&index, 5, &position), 0);
	assert_int_equal(position, 0);
	port_file_close(index.file);
}

static void sluice_offset_index_lookup__file_shorter_than_it_was(void **state)
{
	struct sluice_offset_index index = open_index(*state, "", 0, 0, 0, "");
	u32 position;

	add(&index, 10, 100);
	add(&index, 20, 200);
	assert_int_equal(port_file_truncate(index.file, 8), 0);
	assert_int_equal(sluice_offset_index_lookup(&index, 15, &position), -EIO);
	port_file_close(index.file);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_offset_index_init__what_is_impossible),
		TEST(sluice_offset_index_write__bytes),
		TEST(sluice_offset_index_store__tail),
		TEST(sluice_offset_index_lookup__all),
		TEST(sluice_offset_index_above__all),
		TEST(sluice_offset_index_lookup__positions_out_of_order),
		TEST(sluice_offset_index_lookup__file_shorter_than_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
