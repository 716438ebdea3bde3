// SPDX-License-Identifier: Apache-2.0
/*
 * Data directories over a mock of the kernel. What is there after an
 * interruption is asked of a new mock: the kernel's memory does not outlive a
 * crash, the files do.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/sluice_netlink.h>
#include "kmod/log/port.h"
#include "tests/unit/batch_golden.h"
#include "tests/unit/mock_dir.h"

#define SETTINGS	 ".sluice/topics/"
#define CRASH_POINTS_MAX 200

static int up(void)
{
	return log_dir_up(k, path, 0, NULL, NULL, &err);
}

static void up_well(void)
{
	if (up() || err.text[0])
		fail_msg("up: %s", err.text);
}

static int create(const char *name, uint32_t count)
{
	return log_dir_topic_create(k, path, name, count, NULL, 0, NULL, &err);
}

static void create_well(const char *name, uint32_t count)
{
	if (create(name, count))
		fail_msg("create: %s", err.text);
}

/* A real batch of kafka-python as the log of a partition. */
static void put_batch(const char *partition)
{
	char name[300];
	uint8_t batch[sizeof(batch_none)];
	int fd;

	memcpy(batch, batch_none, sizeof(batch));
	memset(batch, 0, 8); /* base offset 0 */
	snprintf(name, sizeof(name), "%s/00000000000000000000.log", partition);
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0644);
	assert_true(fd >= 0 && write(fd, batch, sizeof(batch)) == (ssize_t)sizeof(batch));
	close(fd);
}

static void up__makes_an_empty_directory(void **state)
{
	char deep[4200], id[64];

	(void)state;
	snprintf(deep, sizeof(deep), "%s/a/b", path);
	assert_int_equal(log_dir_up(k, deep, 0, NULL, NULL, &err), 0);
	assert_string_equal(mock_kern_calls(k), "attach; ");
	assert_true(temp_exists(dir_fd, "a/b/meta.properties"));
	assert_non_null(strstr(temp_file_read(dir_fd, "a/b/meta.properties"), "\nversion=1\n"));
	assert_int_equal(log_dir_cluster_id(deep, id, &err), 0);
	assert_int_equal(strlen(id), 22);
	assert_int_equal(log_dir_up(k, deep, 0, NULL, NULL, &err), 0);
	assert_string_equal(mock_kern_calls(k), "attach; ");
}

static void create__survives_down_and_up(void **state)
{
	static const struct log_dir_setting settings[] = {{"segment.bytes", "1000"},
							  {"retention.ms", "5"}};
	struct log_dir_setting *back;
	struct kern_topic t;
	uint8_t id[16];
	size_t n;

	(void)state;
	up_well();
	assert_int_equal(log_dir_topic_create(k, path, "orders", 3, settings, 2, id, &err), 0);
	assert_int_equal(kern_topic_get(k, "orders", &t), 0);
	assert_memory_equal(t.id, id, 16);
	assert_int_equal(t.config.set, KERN_CONFIG_SEGMENT_BYTES | KERN_CONFIG_RETENTION_MS);
	assert_int_equal(t.config.segment_bytes, 1000);
	free(t.data_dir);
	assert_false(temp_exists(dir_fd, ".kafka_cleanshutdown"));
	assert_string_equal(temp_file_read(dir_fd, "orders-2/leader-epoch-checkpoint"),
			    "0\n1\n0 0\n");
	assert_int_equal(log_dir_down(k, path, &err), 0);
	assert_true(temp_exists(dir_fd, ".kafka_cleanshutdown"));
	assert_string_equal(temp_file_read(dir_fd, "recovery-point-offset-checkpoint"),
			    "0\n3\norders 0 0\norders 1 0\norders 2 0\n");
	new_kernel();
	up_well();
	assert_string_equal(mock_kern_calls(k), "attach; create orders 3; ");
	assert_int_equal(kern_topic_get(k, "orders", &t), 0);
	assert_memory_equal(t.id, id, 16);
	assert_int_equal(t.config.segment_bytes, 1000);
	free(t.data_dir);
	assert_false(temp_exists(dir_fd, ".kafka_cleanshutdown"));
	assert_int_equal(log_dir_topic_settings(path, "orders", &back, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(back[1].key, "retention.ms");
	log_dir_settings_free(back, n);
}

static int alter(const char *topic, const char *key, const char *value)
{
	const struct log_dir_setting change = {key, value};

	return log_dir_topic_alter(k, path, topic, &change, 1, &err);
}

static struct kern_topic_config config_of(const char *topic)
{
	struct kern_topic t;

	assert_int_equal(kern_topic_get(k, topic, &t), 0);
	free(t.data_dir);
	return t.config;
}

static void alter__stores_and_tells_the_kernel(void **state)
{
	struct log_dir_setting *back;
	size_t n;

	(void)state;
	up_well();
	create_well("orders", 1);
	assert_int_equal(alter("orders", "segment.bytes", "1000"), 0);
	assert_int_equal(alter("orders", "retention.ms", "5"), 0);
	assert_int_equal(alter("orders", "retention.ms", "6"), 0);
	assert_int_equal(alter("orders", "segment.bytes", NULL), 0);
	assert_int_equal(config_of("orders").retention_ms, 6);
	assert_int_equal(config_of("orders").segment_bytes, 1 << 30);
	assert_int_equal(log_dir_topic_settings(path, "orders", &back, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_string_equal(back[0].key, "retention.ms");
	assert_string_equal(back[0].value, "6");
	log_dir_settings_free(back, n);
	/* The next start has it. */
	assert_int_equal(log_dir_down(k, path, &err), 0);
	new_kernel();
	up_well();
	assert_int_equal(config_of("orders").set, KERN_CONFIG_RETENTION_MS);
	assert_int_equal(config_of("orders").retention_ms, 6);
}

static void alter__refusals_change_nothing(void **state)
{
	const struct log_dir_setting lags[] = {{"min.compaction.lag.ms", "6"},
					       {"max.compaction.lag.ms", "5"}};
	char *before;

	(void)state;
	up_well();
	create_well("orders", 1);
	assert_int_equal(alter("orders", "retention.ms", "5"), 0);
	before = strdup(temp_file_read(dir_fd, SETTINGS "/orders.properties"));
	assert_int_equal(alter("orders", "retention.ms", "x"), -EINVAL);
	assert_non_null(strstr(err.text, "retention.ms=x"));
	assert_int_equal(alter("orders", "nope", "1"), -EINVAL);
	assert_int_equal(alter("orders", "nope", NULL), -EINVAL);
	assert_int_equal(log_dir_topic_alter(k, path, "orders", lags, 2, &err), -EINVAL);
	assert_int_equal(alter("nix", "retention.ms", "5"), -ENOENT);
	assert_int_equal(alter("a/b", "retention.ms", "5"), -EINVAL);
	/* The log refuses: nothing is stored. */
	mock_kern_fail(k, 1, -EINVAL);
	assert_int_equal(alter("orders", "segment.bytes", "64"), -EINVAL);
	assert_string_equal(temp_file_read(dir_fd, SETTINGS "/orders.properties"), before);
	free(before);
	assert_int_equal(config_of("orders").retention_ms, 5);
}

static void delete_records__moves_the_start(void **state)
{
	int64_t start = -77;

	(void)state;
	up_well();
	create_well("orders", 2);
	mock_kern_partition(k, "orders", 1)->high_watermark = 100;
	assert_int_equal(log_dir_delete_records(k, "orders", 1, 40, &start, &err), 0);
	assert_int_equal(start, 40);
	/* It does not go back. */
	assert_int_equal(log_dir_delete_records(k, "orders", 1, 30, &start, &err), 0);
	assert_int_equal(start, 40);
	assert_int_equal(log_dir_delete_records(k, "orders", 1, 101, &start, &err), -ERANGE);
	assert_non_null(strstr(err.text, "101"));
	assert_int_equal(log_dir_delete_records(k, "orders", 2, 0, &start, &err), -ENOENT);
	assert_int_equal(log_dir_delete_records(k, "orders", 1, -1, &start, &err), 0);
	assert_int_equal(start, 100);
	/* And is known after the next start. */
	assert_int_equal(log_dir_checkpoint(k, path, &err), 0);
	assert_string_equal(temp_file_read(dir_fd, "log-start-offset-checkpoint"),
			    "0\n1\norders 1 100\n");
}

static void create__refusals_leave_nothing(void **state)
{
	static const struct log_dir_setting unknown[] = {{"nope", "1"}};
	static const struct log_dir_setting bad[] = {{"segment.bytes", "x"}};
	static const struct log_dir_setting twice[] = {{"retention.ms", "1"},
						       {"retention.ms", "2"}};

	(void)state;
	assert_int_equal(create("orders", 1), -ENOENT); /* not attached */
	assert_non_null(strstr(err.text, "sluicectl up"));
	up_well();
	assert_int_equal(create("", 1), -EINVAL);
	assert_int_equal(create("a/b", 1), -EINVAL);
	assert_int_equal(create("orders", 0), -EINVAL);
	assert_int_equal(create("orders", 100001), -EINVAL);
	assert_int_equal(log_dir_topic_create(k, path, "orders", 1, unknown, 1, NULL, &err),
			 -EINVAL);
	assert_int_equal(log_dir_topic_create(k, path, "orders", 1, bad, 1, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "segment.bytes"));
	assert_int_equal(log_dir_topic_create(k, path, "orders", 1, twice, 2, NULL, &err), -EINVAL);
	mock_kern_refuse(k, "orders", -ENOMEM, 1);
	assert_int_equal(create("orders", 2), -ENOMEM);
	assert_int_equal(temp_count(dir_fd, SETTINGS, ""), 2); /* . and .. */
	assert_int_equal(temp_count(dir_fd, ".", "-0"), 0);
	create_well("orders", 2);
	assert_int_equal(create("orders", 2), -EEXIST);
	assert_int_equal(mock_kern_has(k, "orders"), 2);
}

static void create__does_not_take_files_of_a_topic_that_is_not_open(void **state)
{
	(void)state;
	up_well();
	temp_mkdir(dir_fd, "orders-7");
	assert_int_equal(create("orders", 1), -EEXIST);
	assert_true(temp_exists(dir_fd, "orders-7"));
	assert_false(temp_exists(dir_fd, "orders-0"));
}

static void delete__removes_everything(void **state)
{
	(void)state;
	up_well();
	create_well("orders", 2);
	create_well("orders-1", 1);
	temp_file_write(dir_fd, "recovery-point-offset-checkpoint",
			"0\n2\norders 0 900\norders-1 0 5\n");
	assert_int_equal(log_dir_topic_delete(k, path, "orders", &err), 0);
	assert_int_equal(mock_kern_has(k, "orders"), 0);
	assert_false(temp_exists(dir_fd, "orders-0"));
	assert_false(temp_exists(dir_fd, SETTINGS "orders.properties"));
	assert_true(temp_exists(dir_fd, "orders-1-0"));
	assert_int_equal(temp_count(dir_fd, ".", "-delete"), 0);
	assert_string_equal(temp_file_read(dir_fd, "recovery-point-offset-checkpoint"),
			    "0\n1\norders-1 0 5\n");
	assert_int_equal(log_dir_topic_delete(k, path, "orders", &err), -ENOENT);
	assert_non_null(strstr(err.text, "orders"));
	create_well("orders", 1);
}

static void do_create(void)
{
	create("orders", 3);
}

static void do_delete(void)
{
	log_dir_topic_delete(k, path, "orders", &err);
}

static void do_up(void)
{
	up();
}

static void do_down(void)
{
	log_dir_down(k, path, &err);
}

/* Whole or not at all, and nothing lies about that belongs to no topic. */
static void check_whole_or_none(unsigned int n)
{
	uint32_t count;

	new_kernel();
	if (up() || err.text[0])
		fail_msg("crash point %u: %s", n, err.text);
	count = mock_kern_has(k, "orders");
	if (count != 0 && count != 3)
		fail_msg("crash point %u: %u partitions", n, count);
	for (int i = 0; i < 3; i++) {
		char name[32];

		snprintf(name, sizeof(name), "orders-%d", i);
		assert_int_equal(temp_exists(dir_fd, name), count != 0);
	}
	assert_int_equal(temp_exists(dir_fd, SETTINGS "orders.properties"), count != 0);
	assert_int_equal(temp_exists(dir_fd, SETTINGS "orders.creating"), 0);
	assert_int_equal(temp_exists(dir_fd, SETTINGS "orders.deleting"), 0);
	assert_int_equal(temp_count(dir_fd, ".", "-delete"), 0);
	if (count) {
		if (log_dir_topic_delete(k, path, "orders", &err))
			fail_msg("crash point %u: %s", n, err.text);
	}
	create_well("orders", 3);
	assert_int_equal(log_dir_topic_delete(k, path, "orders", &err), 0);
}

static void create__crash_anywhere(void **state)
{
	unsigned int n = 0;

	(void)state;
	up_well();
	while (fail_syscalls_crash_at(++n, do_create) && n < CRASH_POINTS_MAX)
		check_whole_or_none(n);
	assert_true(n > 20);
	assert_true(n < CRASH_POINTS_MAX);
}

static void delete__crash_anywhere(void **state)
{
	unsigned int n = 0;

	(void)state;
	up_well();
	do {
		create_well("orders", 3);
		put_batch("orders-1");
		if (!fail_syscalls_crash_at(++n, do_delete))
			break;
		check_whole_or_none(n);
	} while (n < CRASH_POINTS_MAX);
	assert_true(n > 15);
	assert_true(n < CRASH_POINTS_MAX);
}

static void create__any_call_may_fail(void **state)
{
	unsigned int n = 0, failures = 0;
	int result;
	bool hit;

	(void)state;
	up_well();
	do {
		fail_syscalls_set(FAIL_EIO, ++n);
		result = create("orders", 3);
		hit = fail_syscalls_hit();
		if (result) {
			failures++;
			assert_int_equal(mock_kern_has(k, "orders"), 0);
			assert_int_equal(temp_count(dir_fd, ".", "-0"), 0);
			assert_int_equal(temp_count(dir_fd, SETTINGS, ""), 2);
			assert_true(strlen(err.text) > 10);
		} else {
			assert_int_equal(mock_kern_has(k, "orders"), 3);
			assert_int_equal(log_dir_topic_delete(k, path, "orders", &err), 0);
		}
	} while (hit && n < CRASH_POINTS_MAX);
	assert_true(failures > 15);
	assert_true(n < CRASH_POINTS_MAX);
}

static void create__any_kernel_call_may_fail(void **state)
{
	unsigned int n = 0;
	int result;

	(void)state;
	up_well();
	do {
		mock_kern_fail(k, ++n, -ENOMEM);
		result = create("orders", 2);
		if (result)
			assert_int_equal(temp_count(dir_fd, ".", "-0"), 0);
	} while (result && n < 20);
	assert_int_equal(result, 0);
	assert_true(n > 2);
}

static void up__crash_anywhere(void **state)
{
	unsigned int n = 0;

	(void)state;
	up_well();
	create_well("orders", 3);
	put_batch("orders-1");
	do {
		/* An unclean stop, with a torn tail to be cut. */
		temp_file_write(dir_fd, "orders-0/00000000000000000000.log", "torn");
		new_kernel();
		if (!fail_syscalls_crash_at(++n, do_up))
			break;
	} while (n < CRASH_POINTS_MAX);
	assert_true(n > 5);
	assert_true(n < CRASH_POINTS_MAX);
	up_well();
	assert_int_equal(mock_kern_has(k, "orders"), 3);
	assert_string_equal(temp_file_read(dir_fd, "orders-0/00000000000000000000.log"), "");
	assert_non_null(strstr(temp_file_read(dir_fd, "recovery-point-offset-checkpoint"),
			       "orders 0 0\norders 1 4\norders 2 0\n"));
}

static void down__crash_never_marks_what_is_not_clean(void **state)
{
	unsigned int n = 0;

	(void)state;
	up_well();
	create_well("orders", 1);
	mock_kern_partition(k, "orders", 0)->log_end_offset = 4;
	put_batch("orders-0");
	while (fail_syscalls_crash_at(++n, do_down) && n < CRASH_POINTS_MAX) {
		if (!temp_exists(dir_fd, ".kafka_cleanshutdown"))
			continue;
		assert_string_equal(temp_file_read(dir_fd, "recovery-point-offset-checkpoint"),
				    "0\n1\norders 0 4\n");
		unlinkat(dir_fd, ".kafka_cleanshutdown", 0);
	}
	assert_true(n > 8);
}

static void down__offline_partition_is_not_clean(void **state)
{
	struct kern_partition *p;

	(void)state;
	up_well();
	create_well("orders", 2);
	p = mock_kern_partition(k, "orders", 0);
	p->log_end_offset = 9;
	p->recovery_point = 5;
	p->state = SLUICE_PARTITION_STATE_OFFLINE;
	mock_kern_partition(k, "orders", 1)->log_end_offset = 7;
	assert_int_equal(log_dir_checkpoint(k, path, &err), 0);
	assert_string_equal(temp_file_read(dir_fd, "recovery-point-offset-checkpoint"),
			    "0\n2\norders 0 5\norders 1 0\n");
	assert_int_equal(log_dir_down(k, path, &err), 0);
	assert_string_equal(temp_file_read(dir_fd, "recovery-point-offset-checkpoint"),
			    "0\n2\norders 0 5\norders 1 7\n");
	assert_false(temp_exists(dir_fd, ".kafka_cleanshutdown"));
}

#define RECOVERY_POINTS "recovery-point-offset-checkpoint"
#define LOG_STARTS	"log-start-offset-checkpoint"
#define HIGH_WATERMARKS "replication-offset-checkpoint"

static void checkpoint__writes_what_kafka_has(void **state)
{
	struct kern_partition *p;

	(void)state;
	up_well();
	create_well("t", 2);
	create_well("u", 1);
	p = mock_kern_partition(k, "t", 1);
	p->log_start_offset = 5;
	p->recovery_point = 7;
	p->high_watermark = 8;
	p->log_end_offset = 9;
	assert_int_equal(log_dir_checkpoint(k, path, &err), 0);
	assert_string_equal(temp_file_read(dir_fd, RECOVERY_POINTS), "0\n3\nt 0 0\nt 1 7\nu 0 0\n");
	assert_string_equal(temp_file_read(dir_fd, LOG_STARTS), "0\n1\nt 1 5\n");
	assert_string_equal(temp_file_read(dir_fd, HIGH_WATERMARKS), "0\n3\nt 0 0\nt 1 8\nu 0 0\n");
	assert_int_equal(log_dir_topic_delete(k, path, "t", &err), 0);
	assert_string_equal(temp_file_read(dir_fd, RECOVERY_POINTS), "0\n1\nu 0 0\n");
	assert_string_equal(temp_file_read(dir_fd, LOG_STARTS), "0\n0\n");
	assert_string_equal(temp_file_read(dir_fd, HIGH_WATERMARKS), "0\n1\nu 0 0\n");
	assert_int_equal(log_dir_down(k, path, &err), 0);
}

static void checkpoint__keeps_what_the_kernel_does_not_have(void **state)
{
	(void)state;
	up_well();
	create_well("broken", 1);
	create_well("t", 1);
	mock_kern_partition(k, "broken", 0)->log_start_offset = 5;
	assert_int_equal(log_dir_down(k, path, &err), 0);
	assert_string_equal(temp_file_read(dir_fd, LOG_STARTS), "0\n1\nbroken 0 5\n");
	new_kernel();
	mock_kern_refuse(k, "broken", -EIO, 1);
	assert_int_equal(up(), 0);
	assert_non_null(strstr(err.text, "broken"));
	assert_int_equal(log_dir_checkpoint(k, path, &err), 0);
	assert_string_equal(temp_file_read(dir_fd, LOG_STARTS), "0\n1\nbroken 0 5\n");
}

static void check_handed_over(void)
{
	up_well();
	assert_int_equal(mock_kern_partition(k, "t", 0)->log_start_offset, 0);
	assert_int_equal(mock_kern_partition(k, "t", 0)->recovery_point, 0);
	assert_int_equal(mock_kern_partition(k, "t", 1)->log_start_offset, 2);
	assert_int_equal(mock_kern_partition(k, "t", 1)->recovery_point, 4);
}

static void up__tells_the_kernel_what_is_known_of_the_logs(void **state)
{
	(void)state;
	up_well();
	create_well("t", 2);
	assert_int_equal(log_dir_down(k, path, &err), 0);
	put_batch("t-1"); /* of 4 records */
	temp_file_write(dir_fd, LOG_STARTS, "0\n1\nt 1 2\n");
	/* Not what the file says, but up to where the log was read. */
	temp_file_write(dir_fd, RECOVERY_POINTS, "0\n2\nt 0 7\nt 1 0\n");
	new_kernel();
	check_handed_over();
	/* Its index was made anew, from what was read. */
	assert_int_equal(mock_kern_clean(k), 0);
	/* Not taken down: what is there need not be what was flushed. */
	new_kernel();
	check_handed_over();
	assert_int_equal(mock_kern_clean(k), 0);
	assert_int_equal(log_dir_down(k, path, &err), 0);
	assert_true(temp_exists(dir_fd, ".kafka_cleanshutdown"));
	new_kernel();
	check_handed_over();
	assert_int_equal(mock_kern_clean(k), 2);
	assert_int_equal(log_dir_down(k, path, &err), 0);
	new_kernel();
	/* Nor once names and sizes were looked at: then all of it is read. */
	mock_kern_refuse(k, "t", -EUCLEAN, 2);
	check_handed_over();
	assert_int_equal(mock_kern_clean(k), 0);
}

static void up__damaged_checkpoint_counts_as_missing(void **state)
{
	FILE *warnings = tmpfile();
	char text[1000] = "";

	(void)state;
	up_well();
	create_well("t", 1);
	assert_int_equal(log_dir_down(k, path, &err), 0);
	temp_file_write(dir_fd, RECOVERY_POINTS, "0\n1\nt zero 5\n");
	new_kernel();
	port_warn_to(warnings);
	up_well();
	port_warn_to(NULL);
	rewind(warnings);
	assert_true(fread(text, 1, sizeof(text) - 1, warnings) > 0);
	assert_non_null(strstr(text, "/" RECOVERY_POINTS ": line 3 is malformed"));
	fclose(warnings);
	/* With the next that is written. */
	assert_int_equal(log_dir_checkpoint(k, path, &err), 0);
	assert_string_equal(temp_file_read(dir_fd, RECOVERY_POINTS), "0\n1\nt 0 0\n");
}

struct told {
	unsigned int calls, done, total;
	uint64_t bytes_read;
};

static void note_progress(void *ctx, unsigned int done, unsigned int total, uint64_t bytes_read)
{
	struct told *told = ctx;

	assert_true(done >= told->done && bytes_read >= told->bytes_read);
	*told = (struct told){told->calls + 1, done, total, bytes_read};
}

static void up__tells_how_far_a_recovery_is(void **state)
{
	struct told told = {0};

	(void)state;
	up_well();
	create_well("t", 3);
	put_batch("t-0");
	put_batch("t-2");
	new_kernel();
	assert_int_equal(log_dir_up(k, path, 0, note_progress, &told, &err), 0);
	assert_true(told.calls > 0);
	assert_int_equal(told.done, 3);
	assert_int_equal(told.total, 3);
	assert_int_equal(told.bytes_read, 2 * sizeof(batch_none));
	assert_int_equal(log_dir_down(k, path, &err), 0);
	told.calls = 0;
	assert_int_equal(log_dir_up(k, path, 0, note_progress, &told, &err), 0);
	assert_int_equal(told.calls, 0);
}

static void down__refused_by_the_kernel_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(log_dir_down(k, path, &err), -ENOENT);
	up_well();
	create_well("orders", 1);
	mock_kern_fail(k, 4, -EBUSY);
	assert_int_equal(log_dir_down(k, path, &err), -EBUSY);
	assert_non_null(strstr(err.text, "mock"));
	assert_false(temp_exists(dir_fd, ".kafka_cleanshutdown"));
	assert_int_equal(mock_kern_has(k, "orders"), 1);
}

static void up__adopts_a_directory_of_kafka(void **state)
{
	struct kern_topic t;
	int64_t first;

	(void)state;
	temp_file_write(dir_fd, ".kafka_cleanshutdown", "{\"version\":0,\"brokerEpoch\":12}");
	temp_file_write(dir_fd, "meta.properties", "version=1\ncluster.id=abc\nnode.id=4\n");
	temp_mkdir(dir_fd, "orders-0");
	temp_mkdir(dir_fd, "orders-1");
	temp_mkdir(dir_fd, "orders-3"); /* of another broker's share */
	temp_file_write(dir_fd, "orders-0/partition.metadata",
			"version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw\n");
	temp_file_write(dir_fd, "orders-0/leader-epoch-checkpoint", "0\n2\n0 0\n6 3\n");
	put_batch("orders-0");
	temp_mkdir(dir_fd, "__cluster_metadata-0");
	temp_mkdir(dir_fd, "old-0.0123456789abcdef0123456789abcdef-delete");
	temp_file_write(dir_fd, "old-0.0123456789abcdef0123456789abcdef-delete/x", "");
	temp_mkdir(dir_fd, "lost+found");
	up_well();
	assert_string_equal(mock_kern_calls(k), "attach; create orders 2; ");
	assert_int_equal(kern_topic_get(k, "orders", &t), 0);
	assert_int_equal(t.id[15], 15);
	assert_int_equal(t.leader_epoch, 6);
	free(t.data_dir);
	assert_string_equal(temp_file_read(dir_fd, "orders-1/partition.metadata"),
			    "version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw\n");
	/* A partition without the newest epoch gets it from where it stands. */
	assert_string_equal(temp_file_read(dir_fd, "orders-1/leader-epoch-checkpoint"),
			    "0\n1\n6 0\n");
	assert_true(temp_exists(dir_fd, SETTINGS "orders.properties"));
	assert_true(temp_exists(dir_fd, "__cluster_metadata-0"));
	assert_false(temp_exists(dir_fd, "old-0.0123456789abcdef0123456789abcdef-delete"));
	assert_non_null(strstr(temp_file_read(dir_fd, "meta.properties"), "node.id=4"));
	assert_int_equal(log_dir_producer_ids(path, 1000, &first, &err), 0);
	assert_int_equal(first, INT64_C(1) << 40);
}

static void up__broken_topics_do_not_keep_others_closed(void **state)
{
	(void)state;
	up_well();
	create_well("good", 1);
	create_well("gap", 3);
	create_well("alien", 2);
	create_well("torn", 1);
	assert_int_equal(log_dir_down(k, path, &err), 0);
	assert_int_equal(unlinkat(dir_fd, "gap-1/partition.metadata", 0), 0);
	assert_int_equal(unlinkat(dir_fd, "gap-1/leader-epoch-checkpoint", 0), 0);
	assert_int_equal(unlinkat(dir_fd, "gap-1", AT_REMOVEDIR), 0);
	temp_file_write(dir_fd, "alien-1/partition.metadata",
			"version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw\n");
	temp_file_write(dir_fd, SETTINGS "torn.properties", "sluice.topic=to");
	temp_mkdir(dir_fd, "share-5");
	new_kernel();
	assert_int_equal(up(), 0);
	assert_string_equal(mock_kern_calls(k), "attach; create good 1; ");
	assert_non_null(strstr(err.text, "'alien'"));
	assert_non_null(strstr(err.text, "3 more"));
	/* They are still there, and the stop is not called clean. */
	assert_true(temp_exists(dir_fd, "gap-2"));
	assert_int_equal(log_dir_down(k, path, &err), 0);
	assert_false(temp_exists(dir_fd, ".kafka_cleanshutdown"));
	/* What cannot be opened can be deleted. */
	new_kernel();
	assert_int_equal(up(), 0);
	assert_int_equal(log_dir_topic_delete(k, path, "gap", &err), 0);
	assert_false(temp_exists(dir_fd, "gap-2"));
}

static void up__torn_metadata_of_our_own_is_written_anew(void **state)
{
	(void)state;
	up_well();
	create_well("orders", 2);
	/* Neither file was synced: a power cut leaves them empty. */
	temp_file_write(dir_fd, "orders-0/partition.metadata", "");
	temp_file_write(dir_fd, "orders-1/partition.metadata", "version: 0\ntop");
	temp_file_write(dir_fd, "orders-1/leader-epoch-checkpoint", "");
	new_kernel();
	up_well();
	assert_int_equal(mock_kern_has(k, "orders"), 2);
	assert_non_null(
		strstr(temp_file_read(dir_fd, "orders-1/partition.metadata"), "topic_id: "));
	assert_string_equal(temp_file_read(dir_fd, "orders-1/leader-epoch-checkpoint"),
			    "0\n1\n0 0\n");
}

static void up__clean_mark_that_lies_is_found_out(void **state)
{
	(void)state;
	up_well();
	create_well("orders", 1);
	put_batch("orders-0");
	assert_int_equal(log_dir_down(k, path, &err), 0);
	new_kernel();
	mock_kern_refuse(k, "orders", -EUCLEAN, 2);
	up_well();
	assert_int_equal(mock_kern_has(k, "orders"), 1);
}

/* The kernel looks at it; what it refuses is recovered, and the others do not wait. */
static void up__clean_directory_is_left_to_the_kernel(void **state)
{
	(void)state;
	up_well();
	create_well("a", 2);
	create_well("b", 2);
	create_well("c", 1);
	/* Each gets its files. */
	assert_int_equal(log_dir_down(k, path, &err), 0);
	new_kernel();
	up_well();
	assert_int_equal(log_dir_down(k, path, &err), 0);
	new_kernel();
	up_well();
	assert_string_equal(mock_kern_calls(k), "attach; create a 2; create b 2; create c 1; ");
	assert_int_equal(mock_kern_clean(k), 5);
	assert_int_equal(log_dir_down(k, path, &err), 0);
	temp_file_write(dir_fd, "a-1/00000000000000000000.log.cleaned", "");
	/* So that an epoch is missing in one of its partitions. */
	temp_file_write(dir_fd, "b-1/leader-epoch-checkpoint", "0\n1\n3 0\n");
	new_kernel();
	up_well();
	assert_string_equal(mock_kern_calls(k), "attach; create c 1; create a 2; create b 2; ");
	assert_int_equal(mock_kern_clean(k), 5);
	assert_false(temp_exists(dir_fd, "a-1/00000000000000000000.log.cleaned"));
	assert_string_equal(temp_file_read(dir_fd, "b-0/leader-epoch-checkpoint"),
			    "0\n2\n0 0\n3 0\n");
}

static void up__picks_up_what_is_attached(void **state)
{
	(void)state;
	up_well();
	create_well("orders", 1);
	put_batch("orders-0");
	/* Not a batch: recovery would cut it, but this log is the kernel's. */
	temp_file_write(dir_fd, "orders-0/00000000000000000000.log", "being written");
	up_well();
	assert_string_equal(mock_kern_calls(k), "attach; create orders 1; ");
	assert_string_equal(temp_file_read(dir_fd, "orders-0/00000000000000000000.log"),
			    "being written");
}

static void up__never_touches_what_the_kernel_refuses(void **state)
{
	(void)state;
	up_well();
	create_well("orders", 1);
	temp_file_write(dir_fd, "orders-0/00000000000000000000.log", "another namespace's");
	new_kernel();
	mock_kern_fail(k, 2, -EBUSY);
	assert_int_equal(up(), -EBUSY);
	assert_string_equal(temp_file_read(dir_fd, "orders-0/00000000000000000000.log"),
			    "another namespace's");
}

static void up__failing_detaches_again(void **state)
{
	unsigned int n = 0;
	int result;
	bool hit;

	(void)state;
	up_well();
	create_well("orders", 2);
	do {
		new_kernel();
		fail_syscalls_set(FAIL_EIO, ++n);
		result = up();
		hit = fail_syscalls_hit();
		if (result)
			assert_int_equal(mock_kern_has(k, "orders"), 0);
		if (result && strlen(mock_kern_calls(k)))
			assert_non_null(strstr(mock_kern_calls(k), "detach"));
	} while (hit && n < CRASH_POINTS_MAX);
	assert_int_equal(result, 0);
	assert_int_equal(mock_kern_has(k, "orders"), 2);
}

static void open__a_running_kafka_is_left_alone(void **state)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd;

	(void)state;
	fd = openat(dir_fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &whole), 0);
	assert_int_equal(up(), -EBUSY);
	assert_non_null(strstr(err.text, "Kafka"));
	assert_string_equal(mock_kern_calls(k), "");
	close(fd);
	up_well();
}

static void open__symbolic_links_are_not_followed(void **state)
{
	(void)state;
	up_well();
	assert_int_equal(log_dir_down(k, path, &err), 0);
	temp_mkdir(dir_fd, "elsewhere");
	assert_int_equal(symlinkat("elsewhere", dir_fd, "orders-0"), 0);
	up_well();
	assert_int_equal(mock_kern_has(k, "orders"), 0);
	assert_int_equal(log_dir_down(k, path, &err), 0);
	assert_int_equal(unlinkat(dir_fd, SETTINGS, AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("../elsewhere", dir_fd, ".sluice/topics"), 0);
	assert_true(up() < 0);
}

static void producer_ids__are_never_given_twice(void **state)
{
	int64_t first, before = -1;
	unsigned int n = 0;
	bool hit;

	(void)state;
	up_well();
	assert_int_equal(log_dir_producer_ids(path, 0, &first, &err), -EINVAL);
	do {
		fail_syscalls_set(FAIL_EIO, ++n);
		if (!log_dir_producer_ids(path, 10, &first, &err)) {
			assert_true(first > before);
			before = first + 9;
		}
		hit = fail_syscalls_hit();
	} while (hit);
	assert_true(n > 4);
	temp_file_write(dir_fd, ".sluice/producer-ids", "12x\n");
	assert_int_equal(log_dir_producer_ids(path, 10, &first, &err), -EUCLEAN);
	temp_file_write(dir_fd, ".sluice/producer-ids", "");
	assert_int_equal(log_dir_producer_ids(path, 10, &first, &err), -EUCLEAN);
	temp_file_write(dir_fd, ".sluice/producer-ids", "9223372036854775807\n");
	assert_int_equal(log_dir_producer_ids(path, 10, &first, &err), -EOVERFLOW);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, mock_dir_setup, mock_dir_teardown)
	const struct CMUnitTest tests[] = {
		TEST(up__makes_an_empty_directory),
		TEST(create__survives_down_and_up),
		TEST(create__refusals_leave_nothing),
		TEST(delete_records__moves_the_start),
		TEST(alter__stores_and_tells_the_kernel),
		TEST(alter__refusals_change_nothing),
		TEST(create__does_not_take_files_of_a_topic_that_is_not_open),
		TEST(delete__removes_everything),
		TEST(create__crash_anywhere),
		TEST(delete__crash_anywhere),
		TEST(create__any_call_may_fail),
		TEST(create__any_kernel_call_may_fail),
		TEST(up__crash_anywhere),
		TEST(down__crash_never_marks_what_is_not_clean),
		TEST(down__offline_partition_is_not_clean),
		TEST(checkpoint__writes_what_kafka_has),
		TEST(checkpoint__keeps_what_the_kernel_does_not_have),
		TEST(up__tells_the_kernel_what_is_known_of_the_logs),
		TEST(up__damaged_checkpoint_counts_as_missing),
		TEST(up__tells_how_far_a_recovery_is),
		TEST(down__refused_by_the_kernel_changes_nothing),
		TEST(up__adopts_a_directory_of_kafka),
		TEST(up__broken_topics_do_not_keep_others_closed),
		TEST(up__torn_metadata_of_our_own_is_written_anew),
		TEST(up__clean_mark_that_lies_is_found_out),
		TEST(up__clean_directory_is_left_to_the_kernel),
		TEST(up__picks_up_what_is_attached),
		TEST(up__never_touches_what_the_kernel_refuses),
		TEST(up__failing_detaches_again),
		TEST(open__a_running_kafka_is_left_alone),
		TEST(open__symbolic_links_are_not_followed),
		TEST(producer_ids__are_never_given_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
