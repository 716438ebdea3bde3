// SPDX-License-Identifier: Apache-2.0
/* The daemon compacts logs that it has open, with the module's part in userspace. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/core/reactor.h"
#include "daemon/log/log_dir.h"
#include "kmod/log/clean_reader.h"
#include "tests/daemon/served.h"

#define PATIENCE_MS 20000
#define QUIET_MS    300
#define OFFSETS_MAX 200
#define TIME_0	    1700000000000LL
#define BACKOFF	    "log.cleaner.backoff.ms=10"
#define SLOW	    "log.cleaner.io.max.bytes.per.second=2000"

static struct kern *k;

static void start(const char *const *overrides)
{
	served_start(overrides);
	assert_int_equal(kern_open(&k), 0);
}

static int teardown(void **state)
{
	(void)state;
	kern_close(k);
	served_stop();
	return 0;
}

/* Two batches of a record fill a segment. */
static void create(const char *name, const char *policy)
{
	const struct log_dir_setting settings[] = {{"cleanup.policy", policy},
						   {"segment.bytes", "160"},
						   {"min.cleanable.dirty.ratio", "0.01"}};
	struct log_dir_error err;

	if (log_dir_topic_create(k, served_dir(), name, 1, settings, 3, NULL, &err))
		fail_msg("%s", err.text);
}

static void append(const char *topic, char key)
{
	const struct sluice_record_out record = {
		.timestamp = TIME_0, .key = &key, .key_len = 1, .value = "v", .value_len = 1};
	struct sluice_append a = {0};
	struct port_iter iter;
	struct user_topic *t;
	uint8_t batch[200];
	size_t len = sluice_batch_build_size(&record);

	sluice_batch_build(batch, len, &record);
	user_module_lock();
	t = user_topic_by_name(topic);
	assert_non_null(t);
	port_iter_init(&iter, batch, len);
	a.src = &iter;
	assert_int_equal(sluice_log_append(t->partitions[0].log, &a), 0);
	if (a.housekeeping)
		assert_int_equal(sluice_log_housekeep(t->partitions[0].log, port_now_ms()), 0);
	user_module_unlock();
}

static void append_keys(const char *topic, const char *keys)
{
	while (*keys)
		append(topic, *keys++);
}

static char *partition_path(const char *topic)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s-0", served_dir(), topic);
	return path;
}

/* Offsets of the records in the files, "0 3 4 "; another text while they change. */
static const char *offsets_of(const char *topic)
{
	static char text[OFFSETS_MAX * 5];
	struct port_dir *dir = port_dir_open(partition_path(topic));
	struct sluice_clean_reader r = {0};
	char err[SLUICE_ERROR_TEXT_MAX];
	struct sluice_batch b;
	const u8 *bytes;
	size_t n = 0;
	s64 *bases;
	u32 count;
	int ret;

	assert_non_null(dir);
	assert_int_equal(sluice_segment_list_dir(dir, ".log", &bases, &count), 0);
	assert_int_equal(sluice_clean_reader_init(&r, 4096), 0);
	text[0] = '\0';
	for (u32 i = 0; i < count; i++) {
		if (sluice_clean_reader_open(&r, dir, bases[i], err))
			continue;
		while ((ret = sluice_clean_reader_next(&r, S64_MAX, &b, &bytes, err)) > 0)
			/* What is left of others only says where a segment ends. */
			if (b.record_count)
				n += (size_t)snprintf(text + n, sizeof(text) - n, "%lld ",
						      (long long)b.base_offset);
		sluice_clean_reader_close(&r);
	}
	sluice_clean_reader_destroy(&r);
	port_free(bases);
	port_dir_close(dir);
	return text;
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void wait_offsets(const char *topic, const char *wanted)
{
	int64_t begin = monotonic_ms();

	while (strcmp(offsets_of(topic), wanted) != 0) {
		if (monotonic_ms() - begin > PATIENCE_MS)
			fail_msg("%s has \"%s\", not \"%s\"", topic, offsets_of(topic), wanted);
		sleep_ms(5);
	}
}

static const char *checkpoint(void)
{
	static char text[500];
	char path[200];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/cleaner-offset-checkpoint", served_dir());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return "none";
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void wait_checkpoint(const char *wanted)
{
	int64_t begin = monotonic_ms();

	while (strcmp(checkpoint(), wanted) != 0) {
		if (monotonic_ms() - begin > PATIENCE_MS)
			fail_msg("the checkpoint is \"%s\", not \"%s\"", checkpoint(), wanted);
		sleep_ms(5);
	}
}

/* How many files of the partition have such an end. */
static int count_files(const char *topic, const char *suffix)
{
	DIR *dir = opendir(partition_path(topic));
	struct dirent *e;
	int n = 0;

	if (!dir)
		return 0;
	while ((e = readdir(dir))) {
		size_t len = strlen(e->d_name), end = strlen(suffix);

		n += len > end && !strcmp(e->d_name + len - end, suffix);
	}
	closedir(dir);
	return n;
}

static void wait_under_way(const char *topic)
{
	int64_t begin = monotonic_ms();

	while (!count_files(topic, ".log.cleaned")) {
		assert_true(monotonic_ms() - begin < PATIENCE_MS);
		sleep_ms(2);
	}
}

static void clean__a_log_that_is_open(void **state)
{
	(void)state;
	start((const char *const[]){BACKOFF, NULL});
	create("keyed", "compact");
	create("kept", "delete");
	append_keys("kept", "aaaaaaa");
	/* Segments from 0, 2, 4 and 6; the last is the active one. */
	append_keys("keyed", "abacbba");
	wait_offsets("keyed", "2 3 5 6 ");
	wait_checkpoint("0\n1\nkeyed 0 6\n");
	assert_int_equal(count_files("keyed", ".cleaned") + count_files("keyed", ".swap"), 0);
	/* From where it got to on; a, of 2, goes for the one of 6. */
	append_keys("keyed", "aab");
	wait_checkpoint("0\n1\nkeyed 0 8\n");
	wait_offsets("keyed", "3 5 7 8 9 ");
	assert_string_equal(offsets_of("kept"), "0 1 2 3 4 5 6 ");
}

/* compact,delete: both. What is below the log's start goes as it would anyway. */
static void clean__topic_that_is_deleted_from_too(void **state)
{
	(void)state;
	start((const char *const[]){BACKOFF, NULL});
	create("both", "compact,delete");
	append_keys("both", "abacbba");
	wait_offsets("both", "2 3 5 6 ");
}

static void set_policy(const char *topic, const char *policy)
{
	const struct log_dir_setting s = {"cleanup.policy", policy};
	struct log_dir_error err;

	if (log_dir_topic_alter(k, served_dir(), topic, &s, 1, &err))
		fail_msg("%s", err.text);
}

static void clean__policy_that_comes_later(void **state)
{
	static const char *const left[] = {"00000000000000000000.log.cleaned",
					   "00000000000000000002.log.swap",
					   "00000000000000000002.index.swap"};
	char path[300];

	(void)state;
	start((const char *const[]){BACKOFF, NULL});
	create("late", "delete");
	append_keys("late", "abacbba");
	/* A daemon that was killed left them; the module does not look at them. */
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", partition_path("late"), left[i]);
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	}
	sleep_ms(QUIET_MS);
	assert_int_equal(count_files("late", ".swap"), 2);
	assert_string_equal(offsets_of("late"), "0 1 2 3 4 5 6 ");
	set_policy("late", "compact");
	wait_offsets("late", "2 3 5 6 ");
	assert_int_equal(count_files("late", ".cleaned") + count_files("late", ".swap"), 0);
}

static void clean__not_if_it_is_off(void **state)
{
	(void)state;
	start((const char *const[]){BACKOFF, "log.cleaner.enable=false", NULL});
	create("keyed", "compact");
	append_keys("keyed", "abacbba");
	sleep_ms(QUIET_MS);
	assert_string_equal(offsets_of("keyed"), "0 1 2 3 4 5 6 ");
	assert_string_equal(checkpoint(), "none");
}

static void clean__many_logs_by_several_threads(void **state)
{
	char name[16];

	(void)state;
	start((const char *const[]){BACKOFF, "log.cleaner.threads=3", NULL});
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		create(name, "compact");
		append_keys(name, "abacbba");
	}
	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		wait_offsets(name, "2 3 5 6 ");
	}
	wait_checkpoint("0\n12\nt0 0 6\nt1 0 6\nt10 0 6\nt11 0 6\nt2 0 6\nt3 0 6\nt4 0 6\nt5 0 6\n"
			"t6 0 6\nt7 0 6\nt8 0 6\nt9 0 6\n");
}

/* It is left alone, however dirty it is, and holds no other up. */
static void clean__damaged_log(void **state)
{
	char path[300];
	int fd;

	(void)state;
	start((const char *const[]){BACKOFF, NULL});
	create("bad", "delete");
	append_keys("bad", "aaaaaaaaaa");
	snprintf(path, sizeof(path), "%s/00000000000000000002.log", partition_path("bad"));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, 70), 1);
	close(fd);
	set_policy("bad", "compact");
	create("good", "compact");
	append_keys("good", "abacbba");
	wait_offsets("good", "2 3 5 6 ");
	wait_checkpoint("0\n1\ngood 0 6\n");
	assert_int_equal(count_files("bad", ".log"), 5);
	assert_int_equal(count_files("bad", ".cleaned") + count_files("bad", ".swap"), 0);
}

static const char many[] = "abcdefghijabcdefghijabcdefghijabcdefghij";

/* 20 segments of many[], and somebody is at them. */
static void begin_slowly(const char *topic, const char *policy)
{
	create(topic, "delete");
	append_keys(topic, many);
	set_policy(topic, policy);
	wait_under_way(topic);
}

static void abort__truncation(void **state)
{
	(void)state;
	start((const char *const[]){BACKOFF, SLOW, NULL});
	begin_slowly("cut", "compact");
	assert_int_equal(kern_partition_truncate(k, "cut", 0, 8), 0);
	/* What takes the place of what was cut must not be touched by what was read of that. */
	append_keys("cut", "zyxzzy");
	wait_checkpoint("0\n1\ncut 0 12\n");
	wait_offsets("cut", "0 1 2 3 4 5 6 7 9 10 11 12 13 ");
	assert_int_equal(count_files("cut", ".cleaned") + count_files("cut", ".swap"), 0);
}

static void abort__deletion(void **state)
{
	struct log_dir_error err;
	int64_t begin;

	(void)state;
	start((const char *const[]){BACKOFF, SLOW, NULL});
	begin_slowly("gone", "compact");
	if (log_dir_topic_delete(k, served_dir(), "gone", &err))
		fail_msg("%s", err.text);
	create("gone", "compact");
	append_keys("gone", "abacbba");
	wait_checkpoint("0\n1\ngone 0 6\n");
	wait_offsets("gone", "2 3 5 6 ");
	begin = monotonic_ms();
	while (count_files("gone", ".cleaned") + count_files("gone", ".swap"))
		assert_true(monotonic_ms() - begin < PATIENCE_MS);
}

/* Retention takes away what is being compacted. */
static void abort__segments_that_go(void **state)
{
	struct user_topic *t;
	u64 freed;

	(void)state;
	start((const char *const[]){BACKOFF, SLOW, NULL});
	begin_slowly("short", "compact,delete");
	user_module_lock();
	t = user_topic_by_name("short");
	assert_int_equal(sluice_log_set_start_offset(t->partitions[0].log, 34), 0);
	assert_int_equal(sluice_log_retain(t->partitions[0].log, TIME_0, &freed), 0);
	user_module_unlock();
	append_keys("short", "aaa");
	wait_checkpoint("0\n1\nshort 0 42\n");
	wait_offsets("short", "34 35 36 37 38 39 41 42 ");
}

static void abort__the_end_of_the_daemon(void **state)
{
	int64_t begin;

	start((const char *const[]){BACKOFF, "log.cleaner.io.max.bytes.per.second=1", NULL});
	create("slow", "compact");
	append_keys("slow", many);
	sleep_ms(QUIET_MS);
	begin = monotonic_ms();
	teardown(state);
	assert_true(monotonic_ms() - begin < 5000);
}

#define TEST(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clean__a_log_that_is_open),
		TEST(clean__topic_that_is_deleted_from_too),
		TEST(clean__policy_that_comes_later),
		TEST(clean__not_if_it_is_off),
		TEST(clean__many_logs_by_several_threads),
		TEST(clean__damaged_log),
		TEST(abort__truncation),
		TEST(abort__deletion),
		TEST(abort__segments_that_go),
		cmocka_unit_test(abort__the_end_of_the_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
