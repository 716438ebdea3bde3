// SPDX-License-Identifier: Apache-2.0
/*
 * A data directory on a disk that is full: from the first call that needs room on,
 * from the second, and so on. Each operation is done or says what is missing and
 * what to do about it, what was there can be read, and with room it can be done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/log/checkpoint.h"
#include "kmod/log/port.h"
#include "tests/unit/batch_golden.h"
#include "tests/unit/mock_dir.h"

#define CALLS_MAX 200

static const char *const checkpoints[] = {
	"recovery-point-offset-checkpoint",
	"log-start-offset-checkpoint",
	"replication-offset-checkpoint",
	"cleaner-offset-checkpoint",
};

static int up(void)
{
	return log_dir_up(k, path, 0, NULL, NULL, &err);
}

static int down(void)
{
	return log_dir_down(k, path, &err);
}

static int checkpoint(void)
{
	return log_dir_checkpoint(k, path, &err);
}

static int create(void)
{
	return log_dir_topic_create(k, path, "new", 2, NULL, 0, NULL, &err);
}

static int alter(void)
{
	static const struct log_dir_setting change = {"retention.ms", "1000"};

	return log_dir_topic_alter(k, path, "t", &change, 1, &err);
}

static int delete_topic(void)
{
	int result = log_dir_topic_delete(k, path, "t", &err);

	/* Done by the try before, which could not write everything down. */
	return result == -ENOENT ? 0 : result;
}

static int grow(void)
{
	int result = log_dir_topic_grow(k, path, "t", 3, /* validate_only= */ false, &err);

	/* As above: the next start finds them. */
	return result == -EINVAL && strstr(err.text, "3 partitions already") ? 0 : result;
}

static int producer_ids(void)
{
	int64_t first;

	return log_dir_producer_ids(path, 10, &first, &err);
}

static int truncate_log(void)
{
	int64_t end;

	return log_dir_truncate(k, path, "t", 0, 2, &end, &err);
}

/* There is nothing to be done to the log: only the checkpoint needs room. */
static void note(void *ctx, const struct log_dir_compacted *c)
{
	(void)ctx;
	assert_int_equal(c->error, 0);
}

static int compact(void)
{
	const struct log_dir_compaction c = {.partition = -1, .told = note};

	return log_dir_compact(k, path, &c, &err);
}

static void crash(void)
{
	new_kernel();
	/* Recovery has to make it anew. */
	unlinkat(dir_fd, "t-0/00000000000000000000.index", 0);
}

static void take_down(void)
{
	if (down())
		fail_msg("down: %s", err.text);
}

static void nothing(void)
{
}

static const struct action {
	const char *name;
	void (*prepare)(void);
	int (*run)(void);
	uint32_t partitions; /* of the topic, in the end */
} actions[] = {
	{"up", crash, up, 2},
	{"checkpoint", nothing, checkpoint, 2},
	{"down", nothing, down, 2},
	{"create", nothing, create, 2},
	{"alter", nothing, alter, 2},
	{"grow", nothing, grow, 3},
	{"delete", nothing, delete_topic, 0},
	{"producer-ids", nothing, producer_ids, 2},
	{"truncate", nothing, truncate_log, 2},
	{"compact", take_down, compact, 2},
};

/* With a real batch of kafka-python, of four records, as the log of a partition. */
static void make_dir(void)
{
	static const struct log_dir_setting compacted = {"cleanup.policy", "compact,delete"};
	uint8_t batch[sizeof(batch_none)];
	struct kern_partition *p;
	int fd;

	if (up() || log_dir_topic_create(k, path, "t", 2, &compacted, 1, NULL, &err))
		fail_msg("%s", err.text);
	memcpy(batch, batch_none, sizeof(batch));
	memset(batch, 0, 8); /* base offset 0 */
	fd = openat(dir_fd, "t-0/00000000000000000000.log", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0 && write(fd, batch, sizeof(batch)) == (ssize_t)sizeof(batch));
	close(fd);
	p = mock_kern_partition(k, "t", 0);
	p->log_end_offset = 4;
	p->high_watermark = 4;
	p->recovery_point = 4;
	if (checkpoint())
		fail_msg("%s", err.text);
	p->log_start_offset = 1;
	p->high_watermark = 3;
	p->recovery_point = 3;
}

static void check_told(const struct action *a, unsigned int n, int result, bool hit)
{
	/* Coming up it goes on without the topics that it says something of. */
	if (!result && (a->run != up || !err.text[0]))
		return;
	if (!hit || (result && result != -ENOSPC))
		fail_msg("%s, call %u: %d: %s", a->name, n, result, err.text);
	if (!strstr(err.text, "No space left") && !strstr(err.text, "(error 28)"))
		fail_msg("%s, call %u: not told why: %s", a->name, n, err.text);
	if (!strstr(err.text, "make room there first"))
		fail_msg("%s, call %u: not told what to do: %s", a->name, n, err.text);
	if (!strstr(err.text, path) && !strstr(err.text, "topic '") && !strstr(err.text, ".index"))
		fail_msg("%s, call %u: not told where: %s", a->name, n, err.text);
}

static void check_readable(void)
{
	struct checkpoint c;
	unsigned int line;
	char id[64];

	for (size_t i = 0; i < sizeof(checkpoints) / sizeof(checkpoints[0]); i++) {
		assert_int_equal(checkpoint_read(dir_fd, checkpoints[i], &c, &line), 0);
		checkpoint_free(&c);
	}
	assert_int_equal(log_dir_cluster_id(path, id, &err), 0);
}

/* False: there was room for all that needed some. */
static bool try_action(const struct action *a, unsigned int n)
{
	int result;
	bool hit;

	mock_dir_setup(NULL);
	make_dir();
	a->prepare();
	err.text[0] = '\0';
	fail_syscalls_set(FAIL_FULL, n);
	result = a->run();
	hit = fail_syscalls_hit();
	check_told(a, n, result, hit);
	check_readable();

	/* With room again it can be done; a directory that is down stays so. */
	if (result && a->run != down && a->run())
		fail_msg("%s, call %u, again: %s", a->name, n, err.text);
	new_kernel();
	if (up() || err.text[0])
		fail_msg("%s, call %u, then up: %s", a->name, n, err.text);
	assert_int_equal(mock_kern_has(k, "t"), a->partitions);
	if (a->partitions)
		assert_true(temp_exists(dir_fd, "t-0/00000000000000000000.log"));
	mock_dir_teardown(NULL);
	return hit;
}

static void full__whatever_is_done(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		unsigned int n = 1;

		while (n < CALLS_MAX && try_action(&actions[i], n))
			n++;
		assert_true(n > 1 && n < CALLS_MAX);
	}
}

/* A directory that never was one. */
static void full__at_the_first_start(void **state)
{
	unsigned int n = 1;
	bool hit = true;
	int result;

	(void)state;
	for (; hit && n < CALLS_MAX; n++) {
		mock_dir_setup(NULL);
		fail_syscalls_set(FAIL_FULL, n);
		result = up();
		hit = fail_syscalls_hit();
		if (hit)
			assert_int_equal(result, -ENOSPC);
		if (hit)
			assert_non_null(strstr(err.text, "make room there first"));
		if (result && up())
			fail_msg("call %u, then up: %s", n, err.text);
		mock_dir_teardown(NULL);
	}
	assert_true(n > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full__whatever_is_done),
		cmocka_unit_test(full__at_the_first_start),
	};

	/* What it warns of it would warn of hundreds of times. */
	port_warn_to(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
