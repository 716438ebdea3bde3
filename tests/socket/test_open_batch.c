// SPDX-License-Identifier: Apache-2.0
/*
 * The open batch: records sent one by one are received at once, keep their
 * order and their offsets when they go to the file, and are one batch there.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/sluice_format.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static off_t log_size(const struct topic *t)
{
	struct stat st;

	return stat(topic_path(t, 0, "00000000000000000000.log"), &st) ? -1 : st.st_size;
}

static ssize_t send_number(int fd, int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	return send_text(fd, text);
}

/* Receives without waiting; true if it is the record of this offset and number. */
static bool receive_number(int fd, int n, int flags)
{
	static struct got got;
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	return receive(fd, &got, MSG_DONTWAIT | flags) >= 0 && got_text(&got, text) &&
	       got.info.offset == n;
}

static bool receive_numbers(int fd, int from, int to)
{
	for (int n = from; n < to; n++)
		if (!receive_number(fd, n, 0)) {
			note("at record %d", n);
			return false;
		}
	return true;
}

static bool nothing_left(int fd)
{
	static struct got got;

	return receive(fd, &got, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static void open_batch__received_at_once(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const struct header headers[] = {{"h", 1, "v", 1}, {"none", 4, NULL, -1}};
	const struct record full = {.key = "key",
				    .key_len = 3,
				    .value = "value",
				    .value_len = 5,
				    .headers = headers,
				    .n_headers = 2,
				    .timestamp = 1700000000000};
	const struct record tombstone = {
		.key = "key", .key_len = 3, .timestamp = 1700000000000 - 5};
	static struct got got;

	CHECK_EQ(send_record(in, &full, 0), 5);
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 5);
	CHECK(got_text(&got, "value"));
	CHECK_EQ(got.info.offset, 0);
	CHECK_EQ(got.info.timestamp, 1700000000000);
	CHECK_EQ(got.info.leader_epoch, 0);
	CHECK(got.has_key && got.key_len == 3 && !memcmp(got.key, "key", 3));
	CHECK_EQ(got.n_headers, 2);
	CHECK(got.headers[0].value_len == 1 && !memcmp(got.headers[0].data, "hv", 2));
	CHECK_EQ(got.headers[1].value_len, -1);
	CHECK(nothing_left(out));

	CHECK_EQ(send_record(in, &tombstone, 0), 0);
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 0);
	CHECK(got.info.flags & SLUICE_RECORD_NULL_VALUE);
	CHECK_EQ(got.info.offset, 1);
	CHECK_EQ(got.info.timestamp, 1700000000000 - 5);
	CHECK(nothing_left(out));
	close(in);
	close(out);
}

/* The same offsets and records for who reads them later, from the file. */
static void open_batch__same_in_the_file(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int early = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	int late;

	for (int n = 0; n < 500; n++)
		CHECK(send_number(in, n) > 0);
	CHECK(receive_numbers(early, 0, 250));
	CHECK(!flush_topic(in, &t));
	/* What the reader held is gone; it goes on where it stood. */
	CHECK(receive_numbers(early, 250, 500));
	CHECK(nothing_left(early));
	late = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	CHECK(receive_numbers(late, 0, 500));
	CHECK_EQ(topic_partition(&t, 0).append_records, 500);
	close(in);
	close(early);
	close(late);
}

static void open_batch__order_across_seals(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0), bulk = producer(SOCK_STREAM, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	int slow = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	static char large[40000];
	static struct got got;
	uint8_t buf[1024];

	for (int n = 0; n < 400; n++) {
		if (n % 10 == 3) {
			CHECK(send(bulk, buf, batch_simple(buf, "batch", 1), 0) > 0);
		} else if (n % 50 == 7) {
			CHECK_EQ(send(in, large, sizeof(large), 0), sizeof(large));
		} else {
			CHECK(send_number(in, n) > 0);
		}
		if (n % 30 == 11)
			CHECK(!flush_topic(in, &t));
		CHECK(receive(out, &got, MSG_DONTWAIT) >= 0);
		CHECK_EQ(got.info.offset, n);
		if (n % 3 == 0) {
			CHECK(receive(slow, &got, MSG_DONTWAIT) >= 0);
			CHECK_EQ(got.info.offset, n / 3);
		}
	}
	for (int n = 134; n < 400; n++) {
		CHECK(receive(slow, &got, MSG_DONTWAIT) >= 0);
		CHECK_EQ(got.info.offset, n);
	}
	CHECK(nothing_left(slow));
	CHECK(nothing_left(out));
	close(in);
	close(bulk);
	close(out);
	close(slow);
}

static void open_batch__peek_and_seek(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);

	for (int n = 0; n < 20; n++)
		CHECK(send_number(in, n) > 0);
	CHECK(receive_number(out, 0, MSG_PEEK));
	CHECK(receive_numbers(out, 0, 5));
	CHECK(receive_number(out, 5, MSG_PEEK));
	/* Sealed under the peek, and appended behind. */
	CHECK(!flush_topic(in, &t));
	CHECK(send_number(in, 20) > 0);
	CHECK(receive_number(out, 5, MSG_PEEK));
	CHECK(receive_numbers(out, 5, 21));
	CHECK(send_number(in, 21) > 0);
	/* Back into the open batch, the file, and forth. */
	CHECK(!seek_to(out, 0, 20));
	CHECK(receive_numbers(out, 20, 22));
	CHECK(!seek_to(out, 0, 3));
	CHECK(receive_numbers(out, 3, 22));
	CHECK(!seek_to(out, 0, 21));
	CHECK(receive_numbers(out, 21, 22));
	CHECK_EQ(position(out, 0), 22);
	CHECK_ERRNO(seek_to(out, 0, 23), ERANGE);
	close(in);
	close(out);
}

static void open_batch__poll(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0), ep = epoll_create1(EPOLL_CLOEXEC);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
	struct pollfd pfd = {.fd = out, .events = POLLIN};

	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, out, &ev));
	CHECK_EQ(epoll_wait(ep, &ev, 1, 0), 0);
	for (int n = 0; n < 5; n++) {
		CHECK(send_number(in, n) > 0);
		CHECK_EQ(epoll_wait(ep, &ev, 1, 0), 1);
		CHECK_EQ(poll(&pfd, 1, 0), 1);
		CHECK(receive_number(out, n, 0));
		CHECK_EQ(poll(&pfd, 1, 0), 0);
	}
	close(in);
	close(out);
	close(ep);
}

/* It is written when its time ends, though nobody asks for it. */
static void open_batch__lingers(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int64_t until = now_ms() + 20000;

	CHECK(send_number(in, 0) > 0);
	CHECK(send_number(in, 1) > 0);
	while (log_size(&t) <= 0 && now_ms() < until)
		usleep(10000);
	CHECK(log_size(&t) > 0);
	CHECK(topic_partition(&t, 0).recovery_point <= 2);
	close(in);
}

static void open_batch__streams_get_the_batch(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct sluice_batch_header h;
	struct sluice_fetch fetch = {.partition = 0, .max_bytes = 1000};
	uint8_t buf[4096];
	ssize_t len;
	int pipes[2];

	for (int n = 0; n < 3; n++)
		CHECK(send_number(in, n) > 0);
	len = recv(out, buf, sizeof(buf), MSG_DONTWAIT);
	CHECK(len > (ssize_t)sizeof(h));
	memcpy(&h, buf, sizeof(h));
	CHECK_EQ(__builtin_bswap32(h.record_count), 3);
	CHECK_EQ(len, log_size(&t));

	CHECK(send_number(in, 3) > 0);
	memcpy(fetch.topic_id, t.id, sizeof(fetch.topic_id));
	fetch.offset = 3;
	CHECK(!get_option(in, SLUICE_FETCH, &fetch, sizeof(fetch)));
	CHECK_EQ(fetch.error, 0);
	CHECK_EQ(fetch.position, len);
	CHECK_EQ(fetch.position + fetch.bytes, log_size(&t));

	CHECK(send_number(in, 4) > 0);
	CHECK(!pipe(pipes));
	CHECK_EQ(splice(out, NULL, pipes[1], NULL, 65536, 0), log_size(&t) - len);
	close(pipes[0]);
	close(pipes[1]);
	close(in);
	close(out);
}

static void open_batch__time(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	struct sluice_offset_for_time oft = {.timestamp = 1700000000002};

	for (int n = 0; n < 5; n++) {
		const struct record r = {
			.value = "x", .value_len = 1, .timestamp = 1700000000000 + n};

		CHECK_EQ(send_record(in, &r, 0), 1);
	}
	memcpy(oft.topic_id, t.id, sizeof(oft.topic_id));
	CHECK(!get_option(in, SLUICE_OFFSET_FOR_TIME, &oft, sizeof(oft)));
	CHECK_EQ(oft.offset, 2);
	CHECK_EQ(oft.timestamp, 1700000000002);
	close(in);
}

/* What was sent is the log's: the sender's end does not matter. */
static void open_batch__sender_is_killed(void)
{
	struct topic t = topic_new(1, NULL);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (!child) {
		int in = producer(SOCK_SEQPACKET, &t, 0);

		for (int n = 0; n < 1000; n++)
			if (send_number(in, n) <= 0)
				_exit(1);
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status));
	CHECK(receive_numbers(out, 0, 1000));
	CHECK(nothing_left(out));
	close(out);
}

static void open_batch__several_senders(void)
{
	struct topic t = topic_new(1, NULL);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	int next[4] = {0}, status;
	static struct got got;

	for (int i = 0; i < 4; i++) {
		pid_t child = fork();

		CHECK(child >= 0);
		if (!child) {
			int in = producer(SOCK_SEQPACKET, &t, 0);

			for (int n = 0; n < 500; n++)
				if (send_number(in, i * 1000 + n) <= 0)
					_exit(1);
			_exit(0);
		}
	}
	/* While they send: blocking, and each sender's records in his order. */
	for (int n = 0; n < 2000; n++) {
		int value;

		CHECK(receive(out, &got, 0) > 0);
		CHECK_EQ(got.info.offset, n);
		got.value[got.len] = 0;
		value = (int)strtol(got.value, NULL, 10);
		CHECK(value / 1000 < 4);
		CHECK_EQ(value % 1000, next[value / 1000]++);
	}
	for (int i = 0; i < 4; i++) {
		CHECK(wait(&status) > 0);
		CHECK_EQ(status, 0);
	}
	CHECK_EQ(topic_partition(&t, 0).append_records, 2000);
	close(out);
}

/* Memory that no page is behind yet, and memory that is none. */
static void open_batch__value_not_at_hand(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	static struct got got;
	char *map = mmap(NULL, 3 * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(map != MAP_FAILED);
	CHECK_EQ(send(in, map + 2000, 5000, 0), 5000);
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 5000);
	CHECK(!got.value[0] && !memcmp(got.value, got.value + 1, 4999));
	CHECK(!munmap(map + 2 * 4096, 4096));
	CHECK_ERRNO(send(in, map + 4096, 5000, 0), EFAULT);
	CHECK(nothing_left(out));
	CHECK(send_number(in, 1) > 0);
	CHECK(receive_number(out, 1, 0));
	munmap(map, 2 * 4096);
	close(in);
	close(out);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(open_batch__received_at_once),
		TEST(open_batch__same_in_the_file),
		TEST(open_batch__order_across_seals),
		TEST(open_batch__peek_and_seek),
		TEST(open_batch__poll),
		TEST(open_batch__lingers),
		TEST(open_batch__streams_get_the_batch),
		TEST(open_batch__time),
		TEST(open_batch__sender_is_killed),
		TEST(open_batch__several_senders),
		TEST(open_batch__value_not_at_hand),
	};

	return run_tests(tests, ARRAY_LEN(tests));
}
