// SPDX-License-Identifier: Apache-2.0
/* Where a consumer starts and stands, and how long it waits. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static struct got got;

/* A topic with 10 records "0" to "9": two batches of three, then single ones. */
static struct topic ten_records(void)
{
	static const char *const texts[] = {"0", "1", "2", "3", "4", "5"};
	struct topic t = topic_new(1, NULL);
	struct batch_header h = BATCH_HEADER_INIT;
	int stream = producer(SOCK_STREAM, &t, 0), in = producer(SOCK_SEQPACKET, &t, 0);
	uint8_t buf[1024];
	size_t len;

	len = batch_encode(buf, &h, texts, 3);
	len += batch_encode(buf + len, &h, texts + 3, 3);
	if (send(stream, buf, len, 0) != (ssize_t)len)
		die("send: %s", error_text(stream));
	for (char c = '6'; c <= '9'; c++)
		if (send(in, &c, 1, 0) != 1)
			die("send: %s", error_text(in));
	close(stream);
	close(in);
	return t;
}

static void start__earliest_latest_offset(void)
{
	struct topic t = ten_records();
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int earliest = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	int latest = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_LATEST);
	int end = consumer(SOCK_SEQPACKET, &t, 0, 10), middle;
	int fresh = open_socket(SOCK_SEQPACKET);

	CHECK_EQ(receive(earliest, &got, 0), 1);
	CHECK_EQ(got.info.offset, 0);
	/* Inside a batch: what lies before is passed over. */
	for (int i = 0; i < 10; i++) {
		middle = consumer(SOCK_SEQPACKET, &t, 0, i);
		CHECK_EQ(receive(middle, &got, 0), 1);
		CHECK_EQ(got.info.offset, i);
		CHECK_EQ(got.value[0], '0' + i);
		close(middle);
	}
	CHECK(!bind_topic(fresh, &t, 0));
	CHECK_ERRNO(receive(latest, &got, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(receive(end, &got, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(receive(fresh, &got, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(send_text(in, "new"), 3);
	CHECK_EQ(receive(latest, &got, MSG_DONTWAIT), 3);
	CHECK_EQ(receive(end, &got, MSG_DONTWAIT), 3);
	CHECK_EQ(receive(fresh, &got, MSG_DONTWAIT), 3);
	CHECK_EQ(got.info.offset, 10);
	close(in);
	close(earliest);
	close(latest);
	close(end);
	close(fresh);
}

static void start__outside(void)
{
	struct topic t = ten_records();
	int fd = open_socket(SOCK_SEQPACKET);
	int64_t start = 11;

	CHECK(!set_option(fd, SLUICE_START, &start, sizeof(start)));
	CHECK_ERRNO(bind_topic(fd, &t, 0), ERANGE);
	CHECK(strstr(error_text(fd), "outside the log"));
	/* The refused bind left nothing behind. */
	start = 9;
	CHECK(!set_option(fd, SLUICE_START, &start, sizeof(start)));
	CHECK(!bind_topic(fd, &t, 0));
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 1);
	CHECK_EQ(got.value[0], '9');
	close(fd);
}

static void seek__anywhere(void)
{
	static const int offsets[] = {9, 0, 4, 2, 10, 5, 3, 10, 1};
	struct topic t = ten_records();
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_LATEST);

	for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
		CHECK(!seek_to(fd, 0, offsets[i]));
		CHECK_EQ(position(fd, 0), offsets[i]);
		if (offsets[i] == 10) {
			CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
			continue;
		}
		CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 1);
		CHECK_EQ(got.value[0], '0' + offsets[i]);
		CHECK_EQ(position(fd, SLUICE_PARTITION_ANY), offsets[i] + 1);
	}
	CHECK(!seek_to(fd, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST));
	CHECK_EQ(position(fd, 0), 0);
	CHECK(!seek_to(fd, 0, SLUICE_OFFSET_LATEST));
	CHECK_EQ(position(fd, 0), 10);
	close(fd);
}

static void seek__refused(void)
{
	struct topic t = ten_records();
	int fd = consumer(SOCK_SEQPACKET, &t, 0, 5);
	struct sluice_seek seek = {.offset = 1, .reserved = 1};

	CHECK_ERRNO(seek_to(fd, 0, 11), ERANGE);
	CHECK_ERRNO(seek_to(fd, 0, -3), EINVAL);
	CHECK_ERRNO(seek_to(fd, 0, INT64_MAX), ERANGE);
	CHECK_ERRNO(seek_to(fd, 0, SLUICE_OFFSET_TIME(SLUICE_TIME_MAX + 1)), EINVAL);
	CHECK_ERRNO(seek_to(fd, 1, 0), ENOENT);
	CHECK_ERRNO(seek_to(fd, SLUICE_PARTITION_ANY, 3), EINVAL);
	CHECK_ERRNO(set_option(fd, SLUICE_SEEK, &seek, sizeof(seek)), EINVAL);
	CHECK_ERRNO(set_option(fd, SLUICE_SEEK, &seek, sizeof(seek) - 1), EINVAL);
	CHECK_EQ(position(fd, 0), 5);
	close(fd);
}

static void position__all_fields(void)
{
	struct topic t = ten_records();
	int fd = consumer(SOCK_SEQPACKET, &t, 0, 5);
	struct sluice_position pos = {.partition = SLUICE_PARTITION_ANY};

	CHECK(!get_option(fd, SLUICE_POSITION, &pos, sizeof(pos)));
	CHECK_EQ(pos.partition, 0);
	CHECK_EQ(pos.offset, 5);
	CHECK_EQ(pos.log_start_offset, 0);
	CHECK_EQ(pos.high_watermark, 10);
	CHECK_EQ(pos.log_end_offset, 10);
	pos.partition = 1;
	CHECK_ERRNO(get_option(fd, SLUICE_POSITION, &pos, sizeof(pos)), ENOENT);
	pos.partition = 0;
	pos.reserved = 1;
	CHECK_ERRNO(get_option(fd, SLUICE_POSITION, &pos, sizeof(pos)), EINVAL);
	close(fd);
}

static void position__of_several(void)
{
	struct topic t = topic_new(3, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 2);
	int fd = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);

	CHECK_EQ(send_text(in, "a"), 1);
	CHECK_EQ(receive(fd, &got, 0), 1);
	CHECK_EQ(position(fd, SLUICE_PARTITION_ANY), -EINVAL);
	CHECK_EQ(position(fd, 0), 0);
	CHECK_EQ(position(fd, 2), 1);
	CHECK(!seek_to(fd, 2, 0));
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 1);
	CHECK(!seek_to(fd, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST));
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 1);
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
	close(in);
	close(fd);
}

static void position__of_a_stream(void)
{
	struct topic t = ten_records();
	int fd = consumer(SOCK_STREAM, &t, 0, 4);
	uint8_t buf[200];
	size_t first;

	/* From the start of the batch that holds it. */
	CHECK(recv(fd, buf, 61, 0) == 61);
	CHECK_EQ(get_be64(buf), 3);
	first = batch_size(buf);
	CHECK_EQ(position(fd, 0), 4);
	CHECK_EQ(recv(fd, buf, first - 61, MSG_WAITALL), first - 61);
	CHECK_EQ(position(fd, 0), 6);
	CHECK(!seek_to(fd, 0, 1));
	CHECK_EQ(recv(fd, buf, 8, 0), 8);
	CHECK_EQ(get_be64(buf), 0);
	close(fd);
}

static void wait__nonblocking(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	int stream = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	int64_t begin = now_ms();

	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(receive(stream, &got, MSG_DONTWAIT), EAGAIN);
	CHECK(!fcntl(fd, F_SETFL, O_NONBLOCK));
	CHECK_ERRNO(receive(fd, &got, 0), EAGAIN);
	CHECK(now_ms() - begin < 2000);
	close(fd);
	close(stream);
}

static void wait__timeout(void)
{
	struct topic t = topic_new(1, NULL);
	const struct timeval tv = {.tv_usec = 300000};

	for (int i = 0; i < 2; i++) {
		int fd = consumer(i ? SOCK_STREAM : SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
		int64_t begin = now_ms();

		CHECK(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
		CHECK_ERRNO(receive(fd, &got, 0), EAGAIN);
		CHECK(now_ms() - begin >= 290);
		CHECK(now_ms() - begin < 10000);
		close(fd);
	}
}

static void *send_later(void *arg)
{
	usleep(200000);
	send_text(*(int *)arg, "late");
	return NULL;
}

static void wait__until_sent(void)
{
	struct topic t = topic_new(3, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 1);
	int fd = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);
	int64_t begin = now_ms();
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, send_later, &in));
	CHECK_EQ(receive(fd, &got, 0), 4);
	CHECK(now_ms() - begin >= 190);
	pthread_join(thread, NULL);
	close(in);
	close(fd);
}

static void on_signal(int number)
{
	(void)number;
}

static void wait__signal(void)
{
	struct topic t = topic_new(1, NULL);
	struct sigaction action = {.sa_handler = on_signal};
	const struct timeval tv = {.tv_sec = 100};

	for (int i = 0; i < 4; i++) {
		int fd = consumer(i & 1 ? SOCK_STREAM : SOCK_SEQPACKET, &t, 0,
				  SLUICE_OFFSET_EARLIEST);
		pid_t parent = getpid(), child;

		if (i & 2)
			CHECK(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
		sigaction(SIGPROF, &action, NULL);
		child = fork();
		if (!child) {
			usleep(200000);
			kill(parent, SIGPROF);
			_exit(0);
		}
		CHECK_ERRNO(receive(fd, &got, 0), EINTR);
		waitpid(child, NULL, 0);
		close(fd);
	}
}

static void wait__signal_restarts(void)
{
	struct topic t = topic_new(1, NULL);
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	pid_t parent = getpid(), child;

	sigaction(SIGPROF, &action, NULL);
	child = fork();
	if (!child) {
		usleep(100000);
		kill(parent, SIGPROF);
		usleep(100000);
		_exit(send_text(in, "after") != 5);
	}
	CHECK_EQ(receive(fd, &got, 0), 5);
	waitpid(child, NULL, 0);
	close(in);
	close(fd);
}

static const struct test tests[] = {
	TEST(start__earliest_latest_offset),
	TEST(start__outside),
	TEST(seek__anywhere),
	TEST(seek__refused),
	TEST(position__all_fields),
	TEST(position__of_several),
	TEST(position__of_a_stream),
	TEST(wait__nonblocking),
	TEST(wait__timeout),
	TEST(wait__until_sent),
	TEST(wait__signal),
	TEST(wait__signal_restarts),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
