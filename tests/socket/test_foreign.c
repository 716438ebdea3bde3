// SPDX-License-Identifier: Apache-2.0
/*
 * Logs that sluice did not write, or that something else wrote into: control
 * batches, gaps, records that are none.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define CONTROL_TRANSACTIONAL 0x30

static struct got got;
static uint8_t buf[1 << 16];
static size_t len;

/* Add a batch of @n records to the log in buf. */
static uint8_t *add(int64_t base_offset, uint16_t attributes, const char *tag, size_t n)
{
	uint8_t *batch = buf + len;
	size_t size = batch_simple(batch, tag, n);

	put_be64(batch + AT_BASE_OFFSET, (uint64_t)base_offset);
	put_be32(batch + AT_LEADER_EPOCH, 0);
	put_be16(batch + AT_ATTRIBUTES, attributes);
	batch_fix_crc(batch, size);
	len += size;
	return batch;
}

static int poll_now(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents;
}

static void control__is_passed_over(void)
{
	struct topic t;
	int fd;

	len = 0;
	add(0, CONTROL_TRANSACTIONAL, "c", 1);
	add(1, 0, "a", 2);
	add(3, CONTROL_TRANSACTIONAL, "c", 1);
	add(4, CONTROL_TRANSACTIONAL, "c", 1);
	add(5, 0, "b", 1);
	add(6, CONTROL_TRANSACTIONAL, "c", 1);
	t = topic_new_from(buf, len, 0);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 7);
	fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	CHECK_EQ(receive(fd, &got, 0), 2);
	CHECK(got_text(&got, "a0") && got.info.offset == 1);
	CHECK_EQ(receive(fd, &got, 0), 2);
	CHECK_EQ(poll_now(fd), POLLIN);
	CHECK_EQ(receive(fd, &got, 0), 2);
	CHECK(got_text(&got, "b0") && got.info.offset == 5);
	/* What is left is no record: nothing to come for. */
	CHECK_EQ(poll_now(fd), 0);
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(position(fd, 0), 7);
	close(fd);
}

static void control__then_a_record(void)
{
	struct topic t;
	int fd, in;

	len = 0;
	for (int i = 0; i < 200; i++)
		add(i, CONTROL_TRANSACTIONAL, "c", 1);
	t = topic_new_from(buf, len, 0);
	fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	in = producer(SOCK_SEQPACKET, &t, 0);
	CHECK_EQ(poll_now(fd), 0);
	CHECK_EQ(send_text(in, "x"), 1);
	CHECK_EQ(poll_now(fd), POLLIN);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 1);
	CHECK_EQ(got.info.offset, 200);
	close(fd);
	close(in);
}

/* As compaction leaves it: offsets missing between batches and inside. */
static void gaps__between_batches(void)
{
	struct topic t;
	uint8_t *b;
	int fd;

	len = 0;
	add(10, 0, "a", 1);
	b = add(20, 0, "b", 2);
	put_be32(b + AT_LAST_OFFSET_DELTA, 9);
	batch_fix_crc(b, batch_size(b));
	add(100, 0, "c", 1);
	t = topic_new_from(buf, len, 0);
	for (int64_t start = 0; start <= 101; start++) {
		int64_t next = start <= 10 ? 10 : start <= 20 ? 20 : start <= 21 ? 21 : 100;

		fd = consumer(SOCK_SEQPACKET, &t, 0, start);
		if (start == 101)
			CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
		else
			CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 2);
		if (start < 101)
			CHECK_EQ(got.info.offset, next);
		close(fd);
	}
}

/* As Kafka leaves it when it rolls over offsets that were compacted away. */
static void gaps__at_the_end(void)
{
	struct topic t;
	int fd, stream, in;

	len = 0;
	add(0, 0, "a", 1);
	t = topic_new_from(buf, len, 50);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 50);
	fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	stream = consumer(SOCK_STREAM, &t, 0, 30);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 2);
	CHECK_EQ(poll_now(fd), 0);
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(poll_now(stream), 0);
	CHECK_ERRNO(recv(stream, got.value, 1, MSG_DONTWAIT), EAGAIN);
	in = producer(SOCK_SEQPACKET, &t, 0);
	CHECK_EQ(send_text(in, "x"), 1);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 1);
	CHECK_EQ(got.info.offset, 50);
	CHECK_EQ(recv(stream, got.value, 8, MSG_DONTWAIT), 8);
	CHECK_EQ(get_be64((uint8_t *)got.value), 50);
	close(fd);
	close(stream);
	close(in);
}

/* Past the header, the module believes nothing of a batch it did not build. */
static void malformed__records(void)
{
	static const struct {
		size_t at;
		uint8_t value;
	} damages[] = {
		{AT_RECORDS, 0x7f},	/* length negative */
		{AT_RECORDS, 0xff},	/* a varint that does not end here */
		{AT_RECORDS, 0x7e},	/* longer than the batch */
		{AT_RECORDS, 0x00},	/* too short for a record */
		{AT_RECORDS + 3, 0x01}, /* offset delta negative */
		{AT_RECORDS + 3, 0x10}, /* offset delta behind the last */
		{AT_RECORDS + 4, 0x40}, /* key longer than the record */
		{AT_RECORDS + 5, 0x40}, /* value longer than the record */
		{AT_RECORDS + 5, 0x03}, /* value length -2 */
	};

	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		struct topic t;
		uint8_t *bad;
		int fd;

		note("record byte %zu is %#x", damages[i].at - AT_RECORDS, damages[i].value);
		len = 0;
		add(0, 0, "a", 1);
		bad = add(1, 0, "bad", 2);
		bad[damages[i].at] = damages[i].value;
		batch_fix_crc(bad, batch_size(bad));
		add(3, 0, "b", 1);
		t = topic_new_from(buf, len, 0);
		fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
		CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 2);
		/* poll(2) may look, but the error is the reader's. */
		CHECK_EQ(poll_now(fd), POLLIN);
		CHECK_EQ(poll_now(fd), POLLIN);
		CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EBADMSG);
		CHECK(strstr(error_text(fd), t.name));
		CHECK_EQ(position(fd, 0), 3);
		CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 2);
		CHECK(got_text(&got, "b0"));
		CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
		close(fd);
		topic_delete(&t);
	}
}

/* Two records: the first is good, the second has a header that is none. */
static void malformed__headers(void)
{
	struct topic t;
	uint8_t *bad;
	int fd;

	len = 0;
	bad = add(0, 0, "r", 2);
	/* The header count is the last byte: one header, but no byte of it. */
	bad[batch_size(bad) - 1] = 0x02;
	batch_fix_crc(bad, batch_size(bad));
	add(2, 0, "b", 1);
	t = topic_new_from(buf, len, 0);
	fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 2);
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EBADMSG);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 2);
	CHECK(got_text(&got, "b0"));
	close(fd);
}

/* Somebody writes zeros over a header of an open log: an error, no panic. */
static void malformed__batch_on_disk(void)
{
	static const uint8_t zeros[61];
	struct topic t;
	int fd, stream, file;

	len = 0;
	add(0, 0, "a", 1);
	add(1, 0, "b", 1);
	t = topic_new_from(buf, len, 0);
	fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	stream = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 2);
	CHECK_EQ(recv(stream, got.value, len / 2, MSG_DONTWAIT), len / 2);
	file = open(topic_path(&t, 0, "00000000000000000000.log"), O_WRONLY | O_CLOEXEC);
	CHECK_EQ(pwrite(file, zeros, sizeof(zeros), (off_t)(len / 2)), sizeof(zeros));
	close(file);
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EIO);
	CHECK_ERRNO(recv(stream, got.value, 10, MSG_DONTWAIT), EIO);
	CHECK_EQ(poll_now(fd), POLLIN);
	/* What is fine can be read still. */
	CHECK(!seek_to(fd, 0, 0));
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 2);
	close(fd);
	close(stream);
}

static const struct test tests[] = {
	TEST(control__is_passed_over),	TEST(control__then_a_record), TEST(gaps__between_batches),
	TEST(gaps__at_the_end),		TEST(malformed__records),     TEST(malformed__headers),
	TEST(malformed__batch_on_disk),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
