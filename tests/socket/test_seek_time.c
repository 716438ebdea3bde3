// SPDX-License-Identifier: Apache-2.0
/* A consumer that starts at a time, or is moved there. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define BASE INT64_C(1700000000000)

static struct got got;

/* One record of this time, which is its value, too. */
static void send_at(int fd, int64_t time)
{
	char text[24];
	struct record r = {.value = text, .timestamp = time};

	r.value_len = (size_t)snprintf(text, sizeof(text), "%lld", (long long)(time - BASE));
	if (send_record(fd, &r, 0) < 0)
		die("send: %s", error_text(fd));
}

/* Where a consumer of partition 0 that starts at a time stands. */
static int64_t start_at(const struct topic *t, int64_t time)
{
	int fd = consumer(SOCK_SEQPACKET, t, 0, SLUICE_OFFSET_TIME(time));
	int64_t at = position(fd, 0);

	close(fd);
	return at;
}

/* Times need not grow; what counts is the first that is not smaller. */
static void send_times(int fd)
{
	static const int times[] = {10, 20, 15, 30, 25, 40};

	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		send_at(fd, BASE + times[i]);
}

static void check_times(const struct topic *t)
{
	CHECK_EQ(start_at(t, 0), 0);
	CHECK_EQ(start_at(t, BASE + 10), 0);
	CHECK_EQ(start_at(t, BASE + 11), 1);
	CHECK_EQ(start_at(t, BASE + 15), 1);
	CHECK_EQ(start_at(t, BASE + 20), 1);
	CHECK_EQ(start_at(t, BASE + 21), 3);
	CHECK_EQ(start_at(t, BASE + 25), 3);
	CHECK_EQ(start_at(t, BASE + 31), 5);
	CHECK_EQ(start_at(t, BASE + 40), 5);
	CHECK_EQ(start_at(t, BASE + 41), 6);
	CHECK_EQ(start_at(t, SLUICE_TIME_MAX), 6);
}

static void start__first_not_before(void)
{
	/* In one open batch, in one file, and with each its own batch. */
	struct kern_topic_config config = {.set = KERN_CONFIG_LINGER_MS, .linger_ms = 0};
	struct topic shared = topic_new(1, NULL), alone = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &shared, 0);

	send_times(in);
	check_times(&shared);
	CHECK(!flush_topic(in, &shared));
	check_times(&shared);
	close(in);
	in = producer(SOCK_SEQPACKET, &alone, 0);
	send_times(in);
	check_times(&alone);
	close(in);
}

static void start__over_segments(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_SEGMENT_BYTES | KERN_CONFIG_LINGER_MS,
					   .segment_bytes = 1024,
					   .linger_ms = 0};
	struct topic t = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0);

	for (int i = 0; i < 100; i++)
		send_at(in, BASE + 10 * i);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(start_at(&t, BASE + 10 * i), i);
		CHECK_EQ(start_at(&t, BASE + 10 * i + 1), i + 1);
	}
	close(in);
}

static void start__empty_topic(void)
{
	struct topic t = topic_new(2, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 1);
	int fd = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_TIME(BASE));

	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
	/* At the end means there: what comes is received, whatever its time. */
	send_at(in, BASE - 1000);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 5);
	CHECK(got_text(&got, "-1000"));
	close(in);
	close(fd);
}

static void start__is_told(void)
{
	int fd = open_socket(SOCK_SEQPACKET);
	int64_t start = SLUICE_OFFSET_TIME(BASE), back = 0;

	CHECK(!set_option(fd, SLUICE_START, &start, sizeof(start)));
	CHECK(!get_option(fd, SLUICE_START, &back, sizeof(back)));
	CHECK_EQ(back, start);
	start = SLUICE_OFFSET_TIME(SLUICE_TIME_MAX + 1);
	CHECK_ERRNO(set_option(fd, SLUICE_START, &start, sizeof(start)), EINVAL);
	start = SLUICE_OFFSET_EARLIEST - 1;
	CHECK_ERRNO(set_option(fd, SLUICE_START, &start, sizeof(start)), EINVAL);
	CHECK(strstr(error_text(fd), "cannot be"));
	close(fd);
}

static void seek__each_partition_by_itself(void)
{
	struct topic t = topic_new(3, NULL);
	int fd = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);

	for (int p = 0; p < 2; p++) {
		int in = producer(SOCK_SEQPACKET, &t, p);

		for (int i = 0; i < 10; i++)
			send_at(in, BASE + 10 * i + 50 * p);
		close(in);
	}
	CHECK(!seek_to(fd, SLUICE_PARTITION_ANY, SLUICE_OFFSET_TIME(BASE + 70)));
	CHECK_EQ(position(fd, 0), 7);
	CHECK_EQ(position(fd, 1), 2);
	CHECK_EQ(position(fd, 2), 0);
	CHECK(!seek_to(fd, 0, SLUICE_OFFSET_TIME(BASE + 91)));
	CHECK(!seek_to(fd, 1, SLUICE_OFFSET_TIME(BASE)));
	CHECK_EQ(position(fd, 0), 10);
	CHECK_EQ(position(fd, 1), 0);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 2);
	CHECK(got_text(&got, "50"));
	CHECK_EQ(got.info.partition, 1);
	CHECK_ERRNO(seek_to(fd, 3, SLUICE_OFFSET_TIME(BASE)), ENOENT);
	close(fd);
}

static void assign__at_a_time(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0), fd = open_socket(SOCK_SEQPACKET);
	struct sluice_assign a = {.addr = address(&t, 0), .action = SLUICE_ASSIGN_ADD};

	send_times(in);
	a.start = SLUICE_OFFSET_TIME(SLUICE_TIME_MAX + 1);
	CHECK_ERRNO(set_option(fd, SLUICE_ASSIGN, &a, sizeof(a)), EINVAL);
	a.start = SLUICE_OFFSET_TIME(BASE + 21);
	CHECK(!set_option(fd, SLUICE_ASSIGN, &a, sizeof(a)));
	CHECK_EQ(position(fd, 0), 3);
	/* Only what is added starts anywhere. */
	a.action = SLUICE_ASSIGN_PAUSE;
	CHECK_ERRNO(set_option(fd, SLUICE_ASSIGN, &a, sizeof(a)), EINVAL);
	close(in);
	close(fd);
}

static void start__a_stream_begins_with_its_batch(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_LINGER_MS, .linger_ms = 0};
	struct topic t = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0), fd;
	uint8_t buf[200];

	send_times(in);
	fd = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_TIME(BASE + 21));
	CHECK_EQ(recv(fd, buf, 61, 0), 61);
	CHECK_EQ(get_be64(buf), 3);
	close(in);
	close(fd);
}

/* What is not committed is not found: as Kafka, which then says the end. */
static void start__committed(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0), stream = producer(SOCK_STREAM, &t, 0);
	int fd = open_socket(SOCK_SEQPACKET);
	uint32_t isolation = SLUICE_READ_COMMITTED;
	int64_t start = SLUICE_OFFSET_TIME(BASE + 5);
	uint8_t buf[200];
	size_t size;

	send_at(in, BASE - 1);
	/* Of BASE, as all that is made by batch_*(). */
	size = batch_transaction(buf, 7, 0, "open");
	CHECK_EQ(send(stream, buf, size, 0), size);
	send_at(in, BASE + 10);
	CHECK(!set_option(fd, SLUICE_ISOLATION, &isolation, sizeof(isolation)));
	CHECK(!set_option(fd, SLUICE_START, &start, sizeof(start)));
	CHECK(!bind_topic(fd, &t, 0));
	CHECK_EQ(position(fd, 0), 1);
	isolation = SLUICE_READ_UNCOMMITTED;
	CHECK(!set_option(fd, SLUICE_ISOLATION, &isolation, sizeof(isolation)));
	CHECK(!seek_to(fd, 0, start));
	CHECK_EQ(position(fd, 0), 2);
	close(in);
	close(stream);
	close(fd);
}

static void batch__says_that_it_was_sought(void)
{
	static const char *const values[] = {"not really gzip", "but nobody looks"};
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0), stream = producer(SOCK_STREAM, &t, 0), fd;
	struct batch_header h = BATCH_HEADER_INIT;
	uint8_t buf[300];
	size_t size;

	send_at(in, BASE - 10);
	h.attributes = 1;
	size = batch_encode(buf, &h, values, 2);
	CHECK_EQ(send(stream, buf, size, 0), size);
	CHECK_EQ(send(stream, buf, size, 0), size);
	fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_TIME(BASE - 5));
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(receive(fd, &got, i ? 0 : MSG_PEEK), size);
		CHECK_EQ(got.info.offset, 1);
		CHECK_EQ(got.info.flags, SLUICE_RECORD_BATCH | SLUICE_RECORD_SOUGHT);
		CHECK_EQ(got.info.timestamp, BASE - 5);
	}
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), size);
	CHECK_EQ(got.info.offset, 3);
	CHECK_EQ(got.info.flags, SLUICE_RECORD_BATCH);
	CHECK_EQ(got.info.timestamp, BASE);
	/* Another seek forgets it. */
	CHECK(!seek_to(fd, 0, 1));
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), size);
	CHECK_EQ(got.info.flags, SLUICE_RECORD_BATCH);
	/* A record's own time is what it is. */
	CHECK(!seek_to(fd, 0, SLUICE_OFFSET_TIME(BASE - 10)));
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 3);
	CHECK_EQ(got.info.flags, 0);
	CHECK_EQ(got.info.timestamp, BASE - 10);
	close(in);
	close(stream);
	close(fd);
}

static const struct test tests[] = {
	TEST(start__first_not_before),
	TEST(start__over_segments),
	TEST(start__empty_topic),
	TEST(start__is_told),
	TEST(seek__each_partition_by_itself),
	TEST(assign__at_a_time),
	TEST(start__a_stream_begins_with_its_batch),
	TEST(start__committed),
	TEST(batch__says_that_it_was_sought),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
