// SPDX-License-Identifier: Apache-2.0
/* A SOCK_STREAM consumer: the bytes of the log's files, by recv(2) and splice(2). */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define SEGMENT_BYTES 60000

static struct got got;
static uint8_t log_bytes[1 << 20];
static size_t log_len;

static const struct kern_topic_config small_segments = {
	.set = KERN_CONFIG_SEGMENT_BYTES,
	.segment_bytes = SEGMENT_BYTES,
};

/* Records of 1 to 20000 bytes, over several segments, all in the files. */
static struct topic filled_topic(int batches)
{
	struct topic t = topic_new(1, &small_segments);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	static char value[20000];

	for (int i = 0; i < batches; i++) {
		size_t size = 1 + (size_t)(i * 977 % (i % 10 ? 300 : 20000));

		memset(value, 'A' + i % 26, size);
		if (send(in, value, size, 0) != (ssize_t)size)
			die("send: %s", error_text(in));
	}
	if (flush_topic(in, &t))
		die("flush: %s", error_text(in));
	close(in);
	return t;
}

static void read_segment(const struct topic *t, uint64_t base)
{
	char name[32];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%020llu.log", (unsigned long long)base);
	fd = open(topic_path(t, 0, name), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while ((n = read(fd, log_bytes + log_len, sizeof(log_bytes) - log_len)) > 0)
		log_len += (size_t)n;
	close(fd);
}

/* All that the topic's .log files hold, in order. */
static void read_log(const struct topic *t)
{
	int64_t end = topic_partition(t, 0).log_end_offset;

	log_len = 0;
	for (int64_t base = 0; base < end; base++)
		read_segment(t, (uint64_t)base);
}

static void stream__recv_gives_the_files(void)
{
	static const size_t sizes[] = {1, 7, 61, 4096, 100000, 3, 50000};
	struct topic t = filled_topic(300);
	int fd = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	static uint8_t buf[100000];
	size_t at = 0;

	read_log(&t);
	CHECK(topic_partition(&t, 0).segments >= 3);
	CHECK_EQ(log_len, topic_partition(&t, 0).size_bytes);
	for (size_t i = 0; at < log_len; i++) {
		ssize_t n = recv(fd, buf, sizes[i % ARRAY_LEN(sizes)], MSG_DONTWAIT);

		CHECK(n > 0);
		CHECK(!memcmp(buf, log_bytes + at, (size_t)n));
		at += (size_t)n;
	}
	CHECK_ERRNO(recv(fd, buf, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(position(fd, 0), 300);
	close(fd);
}

static void stream__waitall(void)
{
	struct topic t = filled_topic(300);
	int fd = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	static uint8_t buf[1 << 20];

	read_log(&t);
	CHECK_EQ(recv(fd, buf, log_len, MSG_WAITALL), log_len);
	CHECK(!memcmp(buf, log_bytes, log_len));
	close(fd);
}

static void stream__recv_is_short_at_the_end(void)
{
	struct topic t = filled_topic(5);
	int fd = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	static uint8_t buf[1 << 17];

	read_log(&t);
	CHECK_EQ(recv(fd, buf, 0, 0), 0);
	CHECK_EQ(recv(fd, buf, sizeof(buf), 0), log_len);
	close(fd);
}

/* Into a pipe and out of it again, until nothing is left. */
static bool splice_all(int fd, int *pipe_fds, size_t step)
{
	static uint8_t buf[1 << 17];
	size_t at = 0;

	while (at < log_len) {
		ssize_t n = splice(fd, NULL, pipe_fds[1], NULL, step, 0);

		if (n <= 0 || read(pipe_fds[0], buf, sizeof(buf)) != n ||
		    memcmp(buf, log_bytes + at, (size_t)n))
			return false;
		at += (size_t)n;
	}
	return at == log_len;
}

static void splice__to_a_pipe(void)
{
	static const size_t steps[] = {1 << 20, 4096, 1000, 65536};
	struct topic t = filled_topic(300);
	int pipe_fds[2];

	read_log(&t);
	CHECK(!pipe2(pipe_fds, O_CLOEXEC));
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int fd = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);

		CHECK(splice_all(fd, pipe_fds, steps[i]));
		CHECK_ERRNO(splice(fd, NULL, pipe_fds[1], NULL, 100, 0), EAGAIN);
		CHECK_EQ(position(fd, 0), 300);
		close(fd);
	}
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void splice__to_a_file(void)
{
	struct topic t = filled_topic(300);
	int fd = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	int file = memfd_create("copy", MFD_CLOEXEC), pipe_fds[2];
	uint8_t *copy;
	ssize_t n;

	read_log(&t);
	CHECK(!pipe2(pipe_fds, O_CLOEXEC));
	while ((n = splice(fd, NULL, pipe_fds[1], NULL, 1 << 16, SPLICE_F_MOVE)) > 0)
		for (ssize_t left = n; left > 0;) {
			ssize_t moved =
				splice(pipe_fds[0], NULL, file, NULL, (size_t)left, SPLICE_F_MOVE);

			CHECK(moved > 0);
			left -= moved;
		}
	CHECK_EQ(n, -1);
	CHECK_ERRNO(splice(fd, NULL, pipe_fds[1], NULL, 1, 0), EAGAIN);
	copy = mmap(NULL, log_len, PROT_READ, MAP_SHARED, file, 0);
	CHECK(copy != MAP_FAILED);
	CHECK_EQ(lseek(file, 0, SEEK_END), log_len);
	CHECK(!memcmp(copy, log_bytes, log_len));
	munmap(copy, log_len);
	close(fd);
	close(file);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* Pages in a pipe are what they were, whatever happens to the log meanwhile. */
static void splice__pages_stay(void)
{
	struct topic t = filled_topic(30);
	int fd = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	int in = producer(SOCK_SEQPACKET, &t, 0), pipe_fds[2];
	static uint8_t buf[1 << 17];
	ssize_t n;

	read_log(&t);
	CHECK(!pipe2(pipe_fds, O_CLOEXEC));
	n = splice(fd, NULL, pipe_fds[1], NULL, 1 << 16, 0);
	CHECK(n > 0);
	for (int i = 0; i < 50; i++)
		CHECK_EQ(send_text(in, "more, in the page that the pipe holds"), 37);
	close(fd);
	close(in);
	topic_delete(&t);
	CHECK_EQ(read(pipe_fds[0], buf, sizeof(buf)), n);
	CHECK(!memcmp(buf, log_bytes, (size_t)n));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* What goes into the pipe's pages from outside never reaches the log. */
static void splice__pages_are_not_written(void)
{
	struct topic t = filled_topic(1);
	int fd = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST), pipe_fds[2];
	size_t before;

	read_log(&t);
	before = log_len;
	CHECK(!pipe2(pipe_fds, O_CLOEXEC));
	/* The pipe's flags were used: CAN_MERGE must not be left over. */
	for (int i = 0; i < 16; i++)
		CHECK_EQ(write(pipe_fds[1], log_bytes, 4096), 4096);
	for (int i = 0; i < 16; i++)
		CHECK_EQ(read(pipe_fds[0], log_bytes, 4096), 4096);
	CHECK(splice(fd, NULL, pipe_fds[1], NULL, 10, 0) == 10);
	CHECK_EQ(write(pipe_fds[1], "OVERWRITTEN", 11), 11);
	read_log(&t);
	CHECK_EQ(log_len, before);
	CHECK(!memmem(log_bytes, log_len, "OVERWRITTEN", 11));
	close(fd);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void splice__full_and_closed_pipe(void)
{
	struct topic t = filled_topic(300);
	int fd = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST), pipe_fds[2];
	static uint8_t buf[1 << 17];
	size_t at = 0;
	ssize_t n;

	read_log(&t);
	CHECK(!pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK));
	/* As much as goes in, then no more, and nothing is lost by that. */
	while ((n = splice(fd, NULL, pipe_fds[1], NULL, 1 << 20, SPLICE_F_NONBLOCK)) > 0)
		at += (size_t)n;
	CHECK(at > 0 && at < log_len);
	CHECK_ERRNO(splice(fd, NULL, pipe_fds[1], NULL, 1 << 20, SPLICE_F_NONBLOCK), EAGAIN);
	for (size_t seen = 0; seen < at;) {
		n = read(pipe_fds[0], buf, sizeof(buf));
		CHECK(n > 0 && !memcmp(buf, log_bytes + seen, (size_t)n));
		seen += (size_t)n;
	}
	n = recv(fd, buf, 100, 0);
	CHECK(n > 0 && !memcmp(buf, log_bytes + at, (size_t)n));
	at += (size_t)n;
	close(pipe_fds[0]);
	CHECK_ERRNO(splice(fd, NULL, pipe_fds[1], NULL, 100, 0), EPIPE);
	n = recv(fd, buf, 100, 0);
	CHECK(n > 0 && !memcmp(buf, log_bytes + at, (size_t)n));
	close(pipe_fds[1]);
	close(fd);
}

static void splice__not_of_records(void)
{
	struct topic t = filled_topic(1);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST), pipe_fds[2];

	CHECK(!pipe2(pipe_fds, O_CLOEXEC));
	CHECK_ERRNO(splice(fd, NULL, pipe_fds[1], NULL, 100, 0), EOPNOTSUPP);
	CHECK_EQ(receive(fd, &got, 0), 1);
	close(fd);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* Into a producer: whole batches, as with send(2). */
static void splice__into_a_producer(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0), pipe_fds[2];
	uint8_t batch[256];
	size_t size = batch_simple(batch, "spliced", 2);

	CHECK(!pipe2(pipe_fds, O_CLOEXEC));
	CHECK_EQ(write(pipe_fds[1], batch, size), size);
	CHECK_EQ(splice(pipe_fds[0], NULL, in, NULL, size, 0), size);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 2);
	close(in);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static const struct test tests[] = {
	TEST(stream__recv_gives_the_files),
	TEST(stream__waitall),
	TEST(stream__recv_is_short_at_the_end),
	TEST(splice__to_a_pipe),
	TEST(splice__to_a_file),
	TEST(splice__pages_stay),
	TEST(splice__pages_are_not_written),
	TEST(splice__full_and_closed_pipe),
	TEST(splice__not_of_records),
	TEST(splice__into_a_producer),
};

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return run_tests(tests, ARRAY_LEN(tests));
}
