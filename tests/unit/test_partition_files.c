// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/log/partition_files.h"
#include "daemon/log/topic_id.h"
#include "tests/unit/temp_dir.h"

#define UNIQUE "0123456789abcdef0123456789abcdef"

static void dir_parse__partitions(void **state)
{
	char topic[SLUICE_TOPIC_NAME_MAX + 1];
	uint32_t index = 0;

	(void)state;
	assert_int_equal(partition_dir_parse("orders-0", topic, &index), PARTITION_DIR_LOG);
	assert_string_equal(topic, "orders");
	assert_int_equal(index, 0);
	assert_int_equal(partition_dir_parse("a-1-99999", topic, &index), PARTITION_DIR_LOG);
	assert_string_equal(topic, "a-1");
	assert_int_equal(index, 99999);
	assert_int_equal(partition_dir_parse("--5", topic, &index), PARTITION_DIR_LOG);
	assert_string_equal(topic, "-");
	assert_int_equal(partition_dir_parse(".x-7", topic, &index), PARTITION_DIR_LOG);
}

static void dir_parse__others(void **state)
{
	static const char *const names[] = {
		"",
		"orders",
		"orders-",
		"orders-00",
		"orders-01",
		"orders-100000",
		"-0",
		"..-0",
		"lost+found",
		"orders--1a",
		"orders-0x",
		"a b-0",
		"a/b-0",
		".sluice",
		"orders-0." UNIQUE "-future",
		"orders-0-delete",
		"orders-0." UNIQUE "-delet",
		"orders." UNIQUE "-delete",
	};
	char topic[SLUICE_TOPIC_NAME_MAX + 1], longest[300];
	uint32_t index;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		print_message("# '%s'\n", names[i]);
		assert_int_equal(partition_dir_parse(names[i], topic, &index), PARTITION_DIR_OTHER);
	}
	memset(longest, 'x', sizeof(longest));
	strcpy(longest + 250, "-0");
	assert_int_equal(partition_dir_parse(longest, topic, &index), PARTITION_DIR_OTHER);
	strcpy(longest + 249, "-0");
	assert_int_equal(partition_dir_parse(longest, topic, &index), PARTITION_DIR_LOG);
}

static void dir_format__deleted_is_recognized_and_fits(void **state)
{
	static const uint8_t unique[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
					   0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
	char name[PARTITION_DIR_NAME_MAX + 1], topic[SLUICE_TOPIC_NAME_MAX + 1];
	char longest[SLUICE_TOPIC_NAME_MAX + 1];
	uint32_t index;

	(void)state;
	partition_dir_format_deleted("orders", 2, unique, name);
	assert_string_equal(name, "orders-2." UNIQUE "-delete");
	assert_int_equal(partition_dir_parse(name, topic, &index), PARTITION_DIR_DELETED);
	memset(longest, 'x', SLUICE_TOPIC_NAME_MAX);
	longest[SLUICE_TOPIC_NAME_MAX] = '\0';
	partition_dir_format_deleted(longest, 99999, unique, name);
	assert_int_equal(strlen(name), 255);
	assert_int_equal(partition_dir_parse(name, topic, &index), PARTITION_DIR_DELETED);
	partition_dir_format(longest, 99999, name);
	assert_int_equal(strlen(name), 255);
	assert_int_equal(partition_dir_parse(name, topic, &index), PARTITION_DIR_LOG);
}

static void metadata__as_kafka_writes_it(void **state)
{
	static const uint8_t id[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	uint8_t back[16];
	int fd;

	(void)state;
	temp_dir_make(&fd);
	assert_int_equal(partition_metadata_read(fd, back), -ENOENT);
	assert_int_equal(partition_metadata_write(fd, id), 0);
	assert_string_equal(temp_file_read(fd, "partition.metadata"),
			    "version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw\n");
	assert_int_equal(partition_metadata_read(fd, back), 0);
	assert_memory_equal(back, id, 16);
	temp_file_write(fd, "partition.metadata", "version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw");
	assert_int_equal(partition_metadata_read(fd, back), 0);
	temp_file_write(fd, "partition.metadata", "");
	assert_int_equal(partition_metadata_read(fd, back), -ENOENT);
	temp_file_write(fd, "partition.metadata", "version: 1\ntopic_id: AAECAwQFBgcICQoLDA0ODw\n");
	assert_int_equal(partition_metadata_read(fd, back), -EBADMSG);
	temp_file_write(fd, "partition.metadata", "version: 0\ntopic_id: AAEC\n");
	assert_int_equal(partition_metadata_read(fd, back), -EBADMSG);
	unlinkat(fd, "partition.metadata", 0);
	assert_int_equal(symlinkat("/etc/passwd", fd, "partition.metadata"), 0);
	assert_int_equal(partition_metadata_read(fd, back), -ELOOP);
	unlinkat(fd, "partition.metadata", 0);
	temp_mkdir(fd, "partition.metadata");
	assert_int_equal(partition_metadata_read(fd, back), -EINVAL);
	temp_dir_remove(fd);
}

static size_t epochs(int fd, const char *text, int32_t *ret_last)
{
	struct leader_epoch *e;
	size_t n;

	temp_file_write(fd, "leader-epoch-checkpoint", text);
	assert_int_equal(leader_epochs_read(fd, &e, &n), 0);
	*ret_last = n ? e[n - 1].epoch : -1;
	free(e);
	return n;
}

static void epochs__read_and_written(void **state)
{
	static const struct leader_epoch two[] = {{0, 0}, {7, 120}};
	struct leader_epoch *e;
	int32_t last;
	size_t n;
	int fd;

	(void)state;
	temp_dir_make(&fd);
	assert_int_equal(leader_epochs_read(fd, &e, &n), 0);
	assert_int_equal(n, 0);
	assert_null(e);
	assert_int_equal(leader_epochs_write(fd, two, 2, true), 0);
	assert_string_equal(temp_file_read(fd, "leader-epoch-checkpoint"), "0\n2\n0 0\n7 120\n");
	assert_int_equal(leader_epochs_read(fd, &e, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(e[1].epoch, 7);
	assert_int_equal(e[1].start_offset, 120);
	free(e);
	assert_int_equal(epochs(fd, "", &last), 0);
	assert_int_equal(epochs(fd, "1\n1\n0 0\n", &last), 0);
	assert_int_equal(epochs(fd, "0\n0\n", &last), 0);
	assert_int_equal(epochs(fd, "0\n99999999\n0 0\n", &last), 0);
	assert_int_equal(epochs(fd, "0\n3\n0 0\n5 10\n4 20\n", &last), 2);
	assert_int_equal(last, 5);
	assert_int_equal(epochs(fd, "0\n2\n0 10\n1 5\n", &last), 1);
	assert_int_equal(epochs(fd, "0\n1\n-1 0\n", &last), 0);
	assert_int_equal(epochs(fd, "0\n1\n4294967296 0\n", &last), 0);
	assert_int_equal(epochs(fd, "0\n2\n0 0\n1 ", &last), 1);
	temp_dir_remove(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dir_parse__partitions),
		cmocka_unit_test(dir_parse__others),
		cmocka_unit_test(dir_format__deleted_is_recognized_and_fits),
		cmocka_unit_test(metadata__as_kafka_writes_it),
		cmocka_unit_test(epochs__read_and_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
