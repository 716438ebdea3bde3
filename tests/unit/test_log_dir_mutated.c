// SPDX-License-Identifier: Apache-2.0
/*
 * A data directory whose own files a bad disk or a hostile hand changed: ids,
 * settings, checkpoints, the mark of a clean stop. Whatever they say, coming up
 * ends, says which file is wrong if something is not opened for it, opens the
 * topics whose files are as they were, and costs no log a byte; and after the
 * next clean stop all is well again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "kmod/log/port.h"
#include "tests/unit/batch_golden.h"
#include "tests/unit/mock_dir.h"

#define MUTATIONS 1500
#define TEXT_MAX  600
#define SECONDS	  50 /* for all of them */

/**
 * struct file - one of the directory's own
 * @topic: the one it is of; NULL: of all
 * @text: as a clean stop left it
 */
static struct file {
	const char *name;
	const char *topic;
	size_t len;
	char text[TEXT_MAX];
} files[] = {
	{.name = "recovery-point-offset-checkpoint"},
	{.name = "log-start-offset-checkpoint"},
	{.name = "replication-offset-checkpoint"},
	{.name = "cleaner-offset-checkpoint"},
	{.name = ".kafka_cleanshutdown"},
	{.name = "orders-0/partition.metadata", .topic = "orders"},
	{.name = "orders-0/leader-epoch-checkpoint", .topic = "orders"},
	{.name = "orders-1/partition.metadata", .topic = "orders"},
	{.name = ".sluice/topics/orders.properties", .topic = "orders"},
	{.name = "users-0/partition.metadata", .topic = "users"},
	{.name = "users-0/leader-epoch-checkpoint", .topic = "users"},
	{.name = ".sluice/topics/users.properties", .topic = "users"},
	{.name = "meta.properties"},
};
#define FILES (sizeof(files) / sizeof(files[0]))

static const char *const logs[] = {
	"orders-0/00000000000000000000.log",
	"orders-1/00000000000000000000.log",
	"users-0/00000000000000000000.log",
};

static uint64_t seed = 0x5eed5eed;

/* The same in every run, so that what fails can be run again. */
static uint32_t number(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

static void store(const char *name, const void *bytes, size_t len)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

/* A real batch of kafka-python, which no recovery cuts. */
static void store_logs(void)
{
	uint8_t batch[sizeof(batch_none)];

	memcpy(batch, batch_none, sizeof(batch));
	memset(batch, 0, 8); /* base offset 0 */
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		store(logs[i], batch, sizeof(batch));
}

static void check_logs(void)
{
	uint8_t want[sizeof(batch_none)], bytes[sizeof(batch_none) + 1];

	memcpy(want, batch_none, sizeof(want));
	memset(want, 0, 8);
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		int fd = openat(dir_fd, logs[i], O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_int_equal(read(fd, bytes, sizeof(bytes)), sizeof(want));
		/* A batch's leader epoch lies outside its CRC, but nobody writes there either. */
		assert_memory_equal(bytes, want, sizeof(want));
		close(fd);
	}
}

static int up(void)
{
	new_kernel();
	return log_dir_up(k, path, 1, NULL, NULL, &err);
}

/* The kernel's logs end behind the batch. */
static void set_ends(void)
{
	static const struct {
		const char *topic;
		uint32_t index;
	} of[] = {{"orders", 0}, {"orders", 1}, {"users", 0}};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		struct kern_partition *p = mock_kern_partition(k, of[i].topic, of[i].index);

		p->log_end_offset = 3;
		p->recovery_point = 3;
		p->high_watermark = 3;
	}
}

static void setup_directory(void)
{
	static const struct log_dir_setting setting = {"retention.ms", "5000"};

	if (up() || log_dir_topic_create(k, path, "orders", 2, &setting, 1, NULL, &err) ||
	    log_dir_topic_create(k, path, "users", 1, NULL, 0, NULL, &err))
		fail_msg("%s", err.text);
	store_logs();
	if (up())
		fail_msg("%s", err.text);
	set_ends();
	mock_kern_partition(k, "orders", 1)->log_start_offset = 1;
	if (log_dir_down(k, path, &err))
		fail_msg("%s", err.text);
	temp_file_write(dir_fd, "cleaner-offset-checkpoint", "0\n2\norders 0 3\nusers 0 2\n");
	for (size_t i = 0; i < FILES; i++) {
		const char *text = temp_file_read(dir_fd, files[i].name);

		if (!text || strlen(text) >= TEXT_MAX)
			fail_msg("%s is missing", files[i].name);
		files[i].len = strlen(text);
		memcpy(files[i].text, text, files[i].len);
	}
}

static void restore(void)
{
	for (size_t i = 0; i < FILES; i++)
		store(files[i].name, files[i].text, files[i].len);
	store_logs();
}

/* In the digits, mostly; some of what comes of it is as good as what was there. */
static void mutate(const struct file *f)
{
	size_t at = f->len ? number((uint32_t)f->len) : 0, len = f->len;
	char text[2 * TEXT_MAX];

	memcpy(text, f->text, f->len);
	switch (number(8)) {
	case 0: unlinkat(dir_fd, f->name, 0); return;
	case 1: len = at; break;
	case 2: memset(text + at, number(2) ? '9' : 0, len - at < 19 ? len - at : 19); break;
	case 3:
		for (uint32_t i = 0; len && i < 1 + number(8); i++)
			text[number((uint32_t)len)] = (char)number(256);
		break;
	case 4:
		/* A line twice, or a longer number. */
		memmove(text + at + len, text + at, len - at);
		memcpy(text + at, f->text, len);
		len *= 2;
		break;
	case 5: text[at] = (char)('0' + number(10)); break;
	case 6: text[at] = "-\n \0=."[number(6)]; break;
	default: text[at] ^= (char)(1u << number(8));
	}
	store(f->name, text, f->len ? len : at);
}

static bool says_where(void)
{
	for (size_t i = 0; i < FILES; i++) {
		const char *slash = strrchr(files[i].name, '/');

		if (strstr(err.text, slash ? slash + 1 : files[i].name))
			return true;
	}
	/* Or the topic. */
	return strstr(err.text, "orders") || strstr(err.text, "users");
}

static void up_with(const struct file *a, const struct file *b)
{
	int result = up();

	if (result || err.text[0]) {
		if (!says_where())
			fail_msg("this does not say where it is: %s", err.text);
	}
	check_logs();
	if (result)
		return;
	if (a->topic && b->topic && strcmp(a->topic, "orders") && strcmp(b->topic, "orders"))
		assert_int_equal(mock_kern_has(k, "orders"), 2);
	if (a->topic && b->topic && strcmp(a->topic, "users") && strcmp(b->topic, "users"))
		assert_int_equal(mock_kern_has(k, "users"), 1);
}

static void up__mutated_files_of_the_directory(void **state)
{
	unsigned int refused = 0, told = 0;

	(void)state;
	setup_directory();
	alarm(SECONDS);
	for (int i = 0; i < MUTATIONS; i++) {
		const struct file *a = &files[number(FILES)], *b = &files[number(FILES)];

		restore();
		mutate(a);
		if (b != a && number(2))
			mutate(b);
		else
			b = a;
		up_with(a, b);
		refused += mock_kern_calls(k)[0] == '\0';
		told += err.text[0] != '\0';
	}
	alarm(0);
	/* Some, or the mutations are none. */
	assert_true(told > MUTATIONS / 20 && refused < MUTATIONS / 2);
	restore();
	if (up() || err.text[0])
		fail_msg("%s", err.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(up__mutated_files_of_the_directory, mock_dir_setup,
						mock_dir_teardown),
	};

	/* What it warns of it would warn of thousands of times. */
	port_warn_to(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
