// SPDX-License-Identifier: Apache-2.0
/* Compaction of a data directory that is down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "kmod/log/batch.h"
#include "tests/unit/mock_dir.h"

#define TIME_0 1700000000000LL

static struct log_dir_compacted told[8];
static unsigned int n_told;

static void note(void *ctx, const struct log_dir_compacted *c)
{
	(void)ctx;
	assert_true(n_told < 8);
	assert_true(!c->error || c->why[0]);
	assert_string_equal(c->topic, "keyed");
	told[n_told++] = *c;
}

static int compact(const char *topic, int64_t partition)
{
	const struct log_dir_compaction c = {.topic = topic, .partition = partition, .told = note};

	n_told = 0;
	return log_dir_compact(k, path, &c, &err);
}

/* A segment with one record of each of the keys. */
static void put_segment(const char *partition, int64_t base_offset, const char *keys)
{
	static const char *const indexes[] = {"index", "timeindex"};
	char name[300];
	int fd;

	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s/%020lld.%s", partition, (long long)base_offset,
			 indexes[i]);
		close(openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	}
	snprintf(name, sizeof(name), "%s/%020lld.log", partition, (long long)base_offset);
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	for (; *keys; keys++) {
		struct sluice_record_out r = {.timestamp = TIME_0,
					      .key = keys,
					      .key_len = 1,
					      .value = "v",
					      .value_len = 1};
		size_t size = sluice_batch_build_size(&r);
		uint8_t batch[200];

		sluice_batch_build(batch, size, &r);
		sluice_batch_stamp(batch, base_offset++, 0);
		assert_int_equal(write(fd, batch, size), size);
	}
	close(fd);
}

static int setup(void **state)
{
	static const struct log_dir_setting compacted[] = {{"cleanup.policy", "compact,delete"}};

	mock_dir_setup(state);
	if (log_dir_up(k, path, 0, NULL, NULL, &err) ||
	    log_dir_topic_create(k, path, "kept", 1, NULL, 0, NULL, &err) ||
	    log_dir_topic_create(k, path, "keyed", 2, compacted, 1, NULL, &err) ||
	    log_dir_down(k, path, &err))
		return -1;
	for (int i = 0; i < 2; i++) {
		const char *partition = i ? "keyed-1" : "keyed-0";

		put_segment(partition, 0, "aab");
		put_segment(partition, 3, "ac");
		put_segment(partition, 5, "a");
	}
	return 0;
}

static void compact__all_that_is_to_be(void **state)
{
	(void)state;
	assert_int_equal(compact(NULL, -1), 0);
	assert_int_equal(n_told, 2);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(told[i].partition, i);
		assert_int_equal(told[i].error, 0);
		assert_int_equal(told[i].passes, 1);
		assert_int_equal(told[i].first_dirty, 0);
		assert_int_equal(told[i].end_offset, 5);
		assert_int_equal(told[i].segments_before, 2);
		assert_int_equal(told[i].segments_after, 1);
		/* Of five batches those of b, a and c are left. */
		assert_int_equal(told[i].bytes_after * 5, told[i].bytes_before * 3);
	}
	assert_true(temp_exists(dir_fd, "keyed-0/00000000000000000000.log"));
	assert_false(temp_exists(dir_fd, "keyed-0/00000000000000000000.log.swap"));
	assert_false(temp_exists(dir_fd, "keyed-0/00000000000000000003.log"));
	assert_true(temp_exists(dir_fd, "keyed-0/00000000000000000005.log"));
	assert_string_equal(temp_file_read(dir_fd, "cleaner-offset-checkpoint"),
			    "0\n2\nkeyed 0 5\nkeyed 1 5\n");

	/* Nothing is dirty any more. */
	assert_int_equal(compact(NULL, -1), 0);
	assert_int_equal(told[0].passes, 0);
	assert_int_equal(told[0].end_offset, 5);
	assert_int_equal(log_dir_up(k, path, 0, NULL, NULL, &err), 0);
	assert_string_equal(err.text, "");
}

static void compact__one_partition(void **state)
{
	(void)state;
	assert_int_equal(compact("keyed", 1), 0);
	assert_int_equal(n_told, 1);
	assert_int_equal(told[0].partition, 1);
	assert_true(temp_exists(dir_fd, "keyed-0/00000000000000000003.log"));
	assert_false(temp_exists(dir_fd, "keyed-1/00000000000000000003.log"));
}

static void compact__refuses(void **state)
{
	(void)state;
	assert_int_equal(compact("kept", -1), -EINVAL);
	assert_non_null(strstr(err.text, "cleanup.policy"));
	assert_int_equal(compact("nobody", -1), -ENOENT);
	assert_int_equal(compact("keyed", 2), -ENOENT);
	assert_int_equal(log_dir_up(k, path, 0, NULL, NULL, &err), 0);
	assert_int_equal(compact(NULL, -1), -EBUSY);
	assert_int_equal(log_dir_down(k, path, &err), 0);
	assert_int_equal(unlinkat(dir_fd, ".kafka_cleanshutdown", 0), 0);
	assert_int_equal(compact(NULL, -1), -EUCLEAN);
	assert_int_equal(n_told, 0);
}

static void compact__one_that_is_damaged_stops_no_other(void **state)
{
	int fd = openat(dir_fd, "keyed-0/00000000000000000003.log", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(pwrite(fd, "x", 1, 70), 1);
	close(fd);
	assert_int_equal(compact(NULL, -1), 0);
	assert_int_equal(n_told, 2);
	assert_int_equal(told[0].error, -EUCLEAN);
	assert_int_equal(told[1].error, 0);
	assert_string_equal(temp_file_read(dir_fd, "cleaner-offset-checkpoint"),
			    "0\n1\nkeyed 1 5\n");
}

static bool stopped(void)
{
	return true;
}

static void compact__can_be_stopped(void **state)
{
	const struct log_dir_compaction c = {.partition = -1, .told = note, .stopped = stopped};

	(void)state;
	n_told = 0;
	assert_int_equal(log_dir_compact(k, path, &c, &err), -ECANCELED);
	assert_int_equal(n_told, 0);
	assert_true(temp_exists(dir_fd, "keyed-0/00000000000000000003.log"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, mock_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(compact__all_that_is_to_be), TEST(compact__one_partition),
		TEST(compact__refuses),		  TEST(compact__one_that_is_damaged_stops_no_other),
		TEST(compact__can_be_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
