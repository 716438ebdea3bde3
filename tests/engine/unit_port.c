// SPDX-License-Identifier: Apache-2.0
/* The userspace host. CRC vectors: RFC 3720, appendix B.4, and the usual check value. */
#include "engine_test.h"

#include <stdlib.h>

static void check_crc(const void *p, size_t len, u32 expected)
{
	assert_int_equal(port_crc32c(0, p, len), expected);
	assert_int_equal(port_crc32c_table(0, p, len), expected);
}

static void crc32c__known_vectors(void **state)
{
	u8 bytes[32];

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	check_crc(bytes, sizeof(bytes), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	check_crc(bytes, sizeof(bytes), 0x62a8ab43);
	for (u8 i = 0; i < 32; i++)
		bytes[i] = i;
	check_crc(bytes, sizeof(bytes), 0x46dd794e);
	for (u8 i = 0; i < 32; i++)
		bytes[i] = 31 - i;
	check_crc(bytes, sizeof(bytes), 0x113fdb5c);
	check_crc("123456789", 9, 0xe3069283);
	check_crc("", 0, 0);
}

static void crc32c__in_parts_and_from_a_file(void **state)
{
	size_t len = 100001;
	u8 *bytes = malloc(len);
	struct port_file *file;
	u32 whole, crc = 0;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (u8)(i * 31 + i / 256);
	whole = port_crc32c_table(0, bytes, len);
	assert_int_equal(port_crc32c(port_crc32c(0, bytes, 13), bytes + 13, len - 13), whole);

	file_store(*state, "f", bytes, len);
	assert_int_equal(port_file_open(*state, "f", 0, &file), 0);
	assert_int_equal(port_file_crc32c(file, 0, len, &crc), 0);
	assert_int_equal(crc, whole);
	assert_int_equal(port_file_crc32c(file, 1, len, &crc), -EIO);
	port_file_close(file);
	free(bytes);
}

static void port_file_open__flags(void **state)
{
	struct port_file *file;

	assert_int_equal(port_file_open(*state, "f", 0, &file), -ENOENT);
	assert_int_equal(port_file_open(*state, "f", PORT_CREATE, &file), 0);
	assert_int_equal(port_file_size(file), 0);
	port_file_close(file);
	assert_int_equal(port_file_open(*state, "f", PORT_CREATE, &file), -EEXIST);
	assert_int_equal(port_file_open(*state, "f", PORT_RDONLY, &file), 0);
	assert_int_equal(port_file_write(file, 0, "x", 1), -EBADF);
	port_file_close(file);
	assert_int_equal(port_file_remove(*state, "f"), 0);
	assert_int_equal(port_file_remove(*state, "f"), 0);
}

static void port_file_read__short_at_the_end(void **state)
{
	struct port_file *file;
	char buf[8];

	file_store(*state, "f", "abc", 3);
	assert_int_equal(port_file_open(*state, "f", 0, &file), 0);
	assert_int_equal(port_file_read(file, 1, buf, sizeof(buf)), 2);
	assert_memory_equal(buf, "bc", 2);
	assert_int_equal(port_file_read(file, 3, buf, sizeof(buf)), 0);
	port_file_close(file);
}

static void port_file_rename__replaces(void **state)
{
	struct port_file *old, *file;
	char buf[8];

	assert_int_equal(port_file_rename(*state, "from", "to"), -ENOENT);
	file_store(*state, "from", "abc", 3);
	file_store(*state, "to", "old", 3);
	assert_int_equal(port_file_open(*state, "to", 0, &old), 0);
	assert_int_equal(port_file_rename(*state, "from", "to"), 0);
	assert_int_equal(port_file_open(*state, "from", 0, &file), -ENOENT);
	assert_int_equal(port_file_open(*state, "to", 0, &file), 0);
	assert_int_equal(port_file_read(file, 0, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "abc", 3);
	assert_int_equal(port_file_read(old, 0, buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "old", 3);
	port_file_close(file);
	port_file_close(old);
}

static void port_file_reserve__keeps_the_size(void **state)
{
	struct port_file *file;
	int ret;

	assert_int_equal(port_file_open(*state, "f", PORT_CREATE, &file), 0);
	ret = port_file_reserve(file, 10, 100000);
	assert_true(ret == 0 || ret == -EOPNOTSUPP);
	assert_int_equal(port_file_size(file), 0);
	assert_int_equal(port_file_write(file, 0, "abc", 3), 0);
	assert_int_equal(port_file_size(file), 3);
	port_file_close(file);
}

static void port_fault__names_and_space(void **state)
{
	struct port_file *file;

	file_store(*state, "f", "abc", 3);
	assert_int_equal(port_file_open(*state, "f", 0, &file), 0);
	port_fault_set(1, false);
	assert_int_equal(port_file_rename(*state, "f", "g"), -EIO);
	port_fault_set(1, false);
	assert_int_equal(port_file_remove(*state, "f"), -EIO);
	port_fault_set(1, false);
	assert_int_equal(port_file_reserve(file, 0, 10), -ENOSPC);
	port_fault_set(0, false);
	assert_int_equal(port_file_rename(*state, "f", "g"), 0);
	port_file_close(file);
}

static void port_random_u32__differs(void **state)
{
	u32 first = port_random_u32(), same = 0;

	(void)state;
	for (int i = 0; i < 8; i++)
		same += port_random_u32() == first;
	assert_in_range(same, 0, 7);
}

static void port_iter_copy__short(void **state)
{
	struct port_iter iter;
	char buf[4];

	(void)state;
	port_iter_init(&iter, "abcde", 5);
	assert_int_equal(port_iter_copy(&iter, buf, 4), 0);
	assert_memory_equal(buf, "abcd", 4);
	assert_int_equal(port_iter_count(&iter), 1);
	assert_int_equal(port_iter_copy(&iter, buf, 2), -EFAULT);
	assert_int_equal(port_iter_count(&iter), 0);
}

static void port_fault_set__fails_the_nth_call(void **state)
{
	void *p;

	(void)state;
	port_fault_set(2, false);
	p = port_alloc(1);
	assert_non_null(p);
	port_free(p);
	assert_false(port_fault_hit());
	p = port_alloc(1);
	assert_null(p);
	assert_true(port_fault_hit());
	p = port_alloc(1);
	assert_non_null(p);
	port_free(p);
	port_fault_set(0, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c__known_vectors),
		cmocka_unit_test_setup_teardown(crc32c__in_parts_and_from_a_file, dir_setup,
						dir_teardown),
		cmocka_unit_test_setup_teardown(port_file_open__flags, dir_setup, dir_teardown),
		cmocka_unit_test_setup_teardown(port_file_read__short_at_the_end, dir_setup,
						dir_teardown),
		cmocka_unit_test_setup_teardown(port_file_rename__replaces, dir_setup,
						dir_teardown),
		cmocka_unit_test_setup_teardown(port_file_reserve__keeps_the_size, dir_setup,
						dir_teardown),
		cmocka_unit_test_setup_teardown(port_fault__names_and_space, dir_setup,
						dir_teardown),
		cmocka_unit_test(port_random_u32__differs),
		cmocka_unit_test(port_iter_copy__short),
		cmocka_unit_test(port_fault_set__fails_the_nth_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
