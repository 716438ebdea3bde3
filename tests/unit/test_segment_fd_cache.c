// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/log/segment_fd_cache.h"

#define KEPT 3

static char dir[] = "/tmp/sluice-fd-cache-XXXXXX";
static struct segment_fd_cache cache;
static struct image_topic topic = {.name = "t", .id = {1}, .partition_count = 1};

static int setup(void **state)
{
	char path[256];

	(void)state;
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	assert_non_null(mkdtemp(dir));
	topic.data_dir = dir;
	snprintf(path, sizeof(path), "%s/t-0", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	for (int i = 0; i < 8; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/t-0/%020d.log", dir, i);
		fd = open(path, O_CREAT | O_WRONLY, 0600);
		assert_int_equal(write(fd, &i, sizeof(i)), sizeof(i));
		close(fd);
	}
	segment_fd_cache_init(&cache, KEPT);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	segment_fd_cache_free(&cache);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *segment_path(int64_t base_offset)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/t-0/%020" PRId64 ".log", dir, base_offset);
	return path;
}

static uint64_t inode_of(int64_t base_offset)
{
	struct stat st;

	assert_int_equal(stat(segment_path(base_offset), &st), 0);
	return st.st_ino;
}

static struct segment_file *get(int64_t base_offset, bool expect_opened)
{
	struct segment_file *f;
	bool opened;
	int content;

	assert_int_equal(segment_file_get(&cache, &topic, 0, base_offset, inode_of(base_offset), &f,
					  &opened),
			 0);
	assert_int_equal(opened, expect_opened);
	assert_int_equal(pread(f->fd, &content, sizeof(content), 0), sizeof(content));
	assert_int_equal(content, base_offset);
	return f;
}

static void get__opens_once(void **state)
{
	struct segment_file *f = get(1, true);

	(void)state;
	assert_ptr_equal(get(1, false), f);
	segment_file_put(&cache, f);
	segment_file_put(&cache, f);
	assert_ptr_equal(get(1, false), f);
	segment_file_put(&cache, f);
}

static void get__says_what_is_missing(void **state)
{
	struct segment_file *f;
	bool opened;

	(void)state;
	assert_int_equal(segment_file_get(&cache, &topic, 0, 99, 1, &f, &opened), -ENOENT);
	assert_int_equal(segment_file_get(&cache, &topic, 1, 1, 1, &f, &opened), -ENOENT);
	assert_int_equal(cache.files.count, 0);
}

/* The name went to another file between the look-up and now. */
static void get__refuses_another_file(void **state)
{
	struct segment_file *f;
	bool opened;

	(void)state;
	assert_int_equal(segment_file_get(&cache, &topic, 0, 1, inode_of(2), &f, &opened), -ESTALE);
	assert_int_equal(cache.files.count, 0);
}

/* What was opened before under the name is not what is wanted now. */
static void get__after_a_replacement(void **state)
{
	struct segment_file *old = get(1, true);
	const int replaced = 1;
	char other[sizeof(dir) + 16];
	int fd, content;

	(void)state;
	snprintf(other, sizeof(other), "%s/other", dir);
	fd = open(other, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, &replaced, sizeof(replaced)), sizeof(replaced));
	close(fd);
	assert_int_equal(rename(other, segment_path(1)), 0);
	segment_file_put(&cache, get(1, true));
	assert_int_equal(cache.files.count, 1);
	segment_file_put(&cache, get(1, false));
	/* Whoever sends from the old one goes on. */
	assert_int_equal(pread(old->fd, &content, sizeof(content), 0), sizeof(content));
	segment_file_put(&cache, old);
	assert_int_equal(cache.files.count, 1);
}

static void put__closes_the_longest_unused(void **state)
{
	(void)state;
	for (int i = 0; i < KEPT; i++)
		segment_file_put(&cache, get(i, true));
	segment_file_put(&cache, get(0, false));
	segment_file_put(&cache, get(5, true));
	assert_int_equal(cache.files.count, KEPT);
	segment_file_put(&cache, get(0, false));
	segment_file_put(&cache, get(2, false));
	segment_file_put(&cache, get(1, true));
}

static void put__keeps_all_that_are_used(void **state)
{
	struct segment_file *f[6];

	(void)state;
	for (int i = 0; i < 6; i++)
		f[i] = get(i, true);
	assert_int_equal(cache.files.count, 6);
	for (int i = 0; i < 6; i++)
		segment_file_put(&cache, f[i]);
	assert_int_equal(cache.files.count, KEPT);
}

static void prune__forgets_topics_that_are_gone(void **state)
{
	struct kern_topic other = {.name = "o", .id = {2}, .partition_count = 1, .data_dir = dir};
	struct kern_topic same = {.name = "t", .id = {1}, .partition_count = 1, .data_dir = dir};
	struct segment_file *used = get(1, true);
	struct image *image;
	int content;

	(void)state;
	segment_file_put(&cache, get(2, true));
	assert_int_equal(image_build(&same, NULL, 1, &image), 0);
	segment_fd_cache_prune(&cache, image);
	image_put(image);
	assert_int_equal(cache.files.count, 2);
	assert_int_equal(image_build(&other, NULL, 1, &image), 0);
	segment_fd_cache_prune(&cache, image);
	image_put(image);
	assert_int_equal(cache.files.count, 0);
	/* Whoever sends from it goes on. */
	assert_int_equal(pread(used->fd, &content, sizeof(content), 0), sizeof(content));
	segment_file_put(&cache, used);
	segment_file_put(&cache, get(1, true));
}

static void forget__opens_anew(void **state)
{
	(void)state;
	segment_file_forget(&cache, get(1, true));
	assert_int_equal(cache.files.count, 0);
	segment_file_put(&cache, get(1, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(get__opens_once, setup, teardown),
		cmocka_unit_test_setup_teardown(get__says_what_is_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(get__refuses_another_file, setup, teardown),
		cmocka_unit_test_setup_teardown(get__after_a_replacement, setup, teardown),
		cmocka_unit_test_setup_teardown(put__closes_the_longest_unused, setup, teardown),
		cmocka_unit_test_setup_teardown(put__keeps_all_that_are_used, setup, teardown),
		cmocka_unit_test_setup_teardown(prune__forgets_topics_that_are_gone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(forget__opens_anew, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
