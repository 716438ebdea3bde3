// SPDX-License-Identifier: Apache-2.0
/*
 * Every path that unwinds: each call is made again and again, with its first,
 * second, ... allocation failing, until it needs no more. It must succeed or
 * fail with ENOMEM and the like, leave nothing behind, and work afterwards.
 * Only on a kernel with fault injection.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define FAULTS_MAX 200

static struct topic topic;
static struct got got;
static int fail_nth = -1;
static int fd;

static bool write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);
	bool fine = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

	if (file >= 0)
		close(file);
	return fine;
}

static bool set_up(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/fail-nth", syscall(SYS_gettid));
	fail_nth = open(path, O_RDWR | O_CLOEXEC);
	return fail_nth >= 0 && write_file("/sys/kernel/debug/failslab/verbose", "0") &&
	       write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") &&
	       write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0") &&
	       write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N") &&
	       write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
}

/* Returns false once the call made fewer than @n allocations. */
static bool injected(int n, int (*call)(void), int *ret_result)
{
	char text[16] = "";

	snprintf(text, sizeof(text), "%d", n);
	if (pwrite(fail_nth, text, strlen(text), 0) != (ssize_t)strlen(text))
		die("fail-nth: %s", strerror(errno));
	*ret_result = call() < 0 ? -errno : 0;
	memset(text, 0, sizeof(text));
	if (pread(fail_nth, text, sizeof(text) - 1, 0) < 0 || pwrite(fail_nth, "0", 1, 0) != 1)
		die("fail-nth: %s", strerror(errno));
	return atoi(text) == 0;
}

static bool is_expected(int result)
{
	return !result || result == -ENOMEM || result == -ENOBUFS || result == -EFAULT ||
	       result == -EIO || result == -EAGAIN || result == -ENFILE;
}

/* @prepare and @finish are not failed; @finish may be NULL. */
static int with_faults(void (*prepare)(void), int (*call)(void), void (*finish)(void))
{
	int n, result;
	bool more;

	for (n = 1; n < FAULTS_MAX; n++) {
		if (prepare)
			prepare();
		more = injected(n, call, &result);
		if (!is_expected(result))
			note("fault %d: %s", n, strerror(-result));
		if (finish)
			finish();
		if (!is_expected(result))
			return -1;
		if (!more)
			break;
	}
	note("%d faults", n - 1);
	return n < FAULTS_MAX && !result ? 0 : -1;
}

static void open_record(void)
{
	fd = open_socket(SOCK_SEQPACKET);
}

static void open_connected(void)
{
	fd = producer(SOCK_SEQPACKET, &topic, SLUICE_PARTITION_ANY);
}

static void open_bound(void)
{
	int in = producer(SOCK_SEQPACKET, &topic, 0);
	const struct header header = {"h", 1, "v", 1};
	const struct record r = {.key = "k",
				 .key_len = 1,
				 .value = "v",
				 .value_len = 1,
				 .headers = &header,
				 .n_headers = 1};

	fd = consumer(SOCK_SEQPACKET, &topic, 0, SLUICE_OFFSET_LATEST);
	if (send_record(in, &r, 0) != 1)
		die("send: %s", strerror(errno));
	close(in);
}

static void close_fd(void)
{
	close(fd);
}

static int call_socket(void)
{
	int s = socket(family(), SOCK_STREAM, 0);

	if (s >= 0)
		close(s);
	return s;
}

static int call_bind(void)
{
	return bind_topic(fd, &topic, SLUICE_PARTITION_ANY);
}

static int call_connect(void)
{
	return connect_topic(fd, &topic, SLUICE_PARTITION_ANY);
}

static int call_send(void)
{
	const struct sluice_receipt_request receipt = {.when = SLUICE_RECEIPT_DURABLE};
	const struct header header = {"h", 1, "v", 1};
	const struct record r = {.key = "k",
				 .key_len = 1,
				 .value = "v",
				 .value_len = 1,
				 .headers = &header,
				 .n_headers = 1,
				 .receipt = &receipt};

	return send_record(fd, &r, 0) == 1 ? 0 : -1;
}

/* Twice, so that the second fails with a chain there. */
static int call_chain(void)
{
	const struct sluice_receipt_request receipt = {.when = SLUICE_RECEIPT_DURABLE};
	static char value[6000];
	const struct record r = {
		.value = value, .value_len = sizeof(value), .receipt = &receipt, .partition = 2};

	for (int i = 0; i < 2; i++)
		if (send_record(fd, &r, i ? 0 : MSG_MORE) != sizeof(value))
			return -1;
	return 0;
}

static int call_recv(void)
{
	return receive(fd, &got, MSG_DONTWAIT) == 1 ? 0 : -1;
}

/* Several cursors, of which none or all are there in the end. */
static int call_assign(void)
{
	struct sluice_assign a = {.addr = address(&topic, SLUICE_PARTITION_ANY),
				  .start = SLUICE_OFFSET_EARLIEST};

	return set_option(fd, SLUICE_ASSIGN, &a, sizeof(a));
}

static int call_options(void)
{
	struct sluice_watch w = {.partition = 1, .offset = 1000000};
	struct sluice_fetch f = {.max_bytes = 100};

	memcpy(w.topic_id, topic.id, sizeof(w.topic_id));
	memcpy(f.topic_id, topic.id, sizeof(f.topic_id));
	return set_option(fd, SLUICE_TOPIC, topic.name, strlen(topic.name)) ||
			       set_option(fd, SLUICE_WATCH, &w, sizeof(w)) ||
			       get_option(fd, SLUICE_FETCH, &f, sizeof(f))
		       ? -1
		       : 0;
}

static void fault__socket(void)
{
	CHECK(!with_faults(NULL, call_socket, NULL));
}

static void fault__bind(void)
{
	CHECK(!with_faults(open_record, call_bind, close_fd));
}

static void fault__connect(void)
{
	CHECK(!with_faults(open_record, call_connect, close_fd));
}

static void fault__send(void)
{
	CHECK(!with_faults(open_connected, call_send, close_fd));
	CHECK_EQ(topic_partition(&topic, 0).error, 0);
}

/* What fails has put nothing into the log, and what does not both. */
static void fault__chain(void)
{
	CHECK(!with_faults(open_connected, call_chain, close_fd));
	CHECK_EQ(topic_partition(&topic, 1).error, 0);
	CHECK_EQ(topic_partition(&topic, 1).log_end_offset % 2, 0);
}

static void fault__recv(void)
{
	CHECK(!with_faults(open_bound, call_recv, close_fd));
}

static void fault__assign(void)
{
	CHECK(!with_faults(open_record, call_assign, close_fd));
}

static void fault__options(void)
{
	CHECK(!with_faults(open_record, call_options, close_fd));
}

static const struct test tests[] = {
	TEST(fault__socket), TEST(fault__bind), TEST(fault__connect), TEST(fault__send),
	TEST(fault__chain),  TEST(fault__recv), TEST(fault__assign),  TEST(fault__options),
};

int main(void)
{
	if (!set_up()) {
		printf("TAP version 13\n1..0 # SKIP this kernel cannot inject faults\n");
		return 77;
	}
	topic = topic_new(3, NULL);
	/* Read once, and not under faults. */
	family();
	return run_tests(tests, ARRAY_LEN(tests));
}
