// SPDX-License-Identifier: Apache-2.0
/* How long the records of a socket stay in the open batch, and how many share one. */
#include <string.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define FOREVER_MS 3600000

static struct got got;

/* A topic whose batches stay open until somebody else wants something. */
static struct topic patient_topic(uint32_t partitions)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_LINGER_MS, .linger_ms = FOREVER_MS};

	return topic_new(partitions, &config);
}

static int set_number(int fd, int name, int32_t value)
{
	return set_option(fd, name, &value, sizeof(value));
}

static int32_t get_number(int fd, int name)
{
	int32_t value = -2;

	return get_option(fd, name, &value, sizeof(value)) ? -3 : value;
}

/* Bytes of the log's file: what is open is not in it. */
static uint64_t file_bytes(const struct topic *t, uint32_t partition)
{
	return topic_partition(t, partition).size_bytes;
}

/* Up to 20 s for the file to grow; what it has then. */
static uint64_t wait_file(const struct topic *t)
{
	int64_t end = now_ms() + 20000;

	while (!file_bytes(t, 0) && now_ms() < end)
		usleep(5000);
	return file_bytes(t, 0);
}

/* How many batches hold the log of partition 0, by the counters. */
static uint64_t batches(const struct topic *t)
{
	return topic_partition(t, 0).append_batches;
}

static void option__values(void)
{
	static const int32_t lingers[] = {0, 1, 60000, -1}, sizes[] = {512, 4096, 1 << 20, -1};
	static const int32_t no_lingers[] = {-2, 60001, INT32_MIN, INT32_MAX};
	static const int32_t no_sizes[] = {-2, 0, 511, (1 << 20) + 1};
	int fd = open_socket(SOCK_SEQPACKET), stream = open_socket(SOCK_STREAM);
	int64_t long_value = 1;

	CHECK_EQ(get_number(fd, SLUICE_LINGER), -1);
	CHECK_EQ(get_number(fd, SLUICE_BATCH_BYTES), -1);
	for (int i = 0; i < 4; i++) {
		CHECK(!set_number(fd, SLUICE_LINGER, lingers[i]));
		CHECK_EQ(get_number(fd, SLUICE_LINGER), lingers[i]);
		CHECK(!set_number(fd, SLUICE_BATCH_BYTES, sizes[i]));
		CHECK_EQ(get_number(fd, SLUICE_BATCH_BYTES), sizes[i]);
	}
	for (int i = 0; i < 4; i++) {
		CHECK_ERRNO(set_number(fd, SLUICE_LINGER, no_lingers[i]), EINVAL);
		CHECK(strstr(error_text(fd), "60000"));
		CHECK_ERRNO(set_number(fd, SLUICE_BATCH_BYTES, no_sizes[i]), EINVAL);
		CHECK(strstr(error_text(fd), "1048576"));
	}
	CHECK_EQ(get_number(fd, SLUICE_LINGER), -1);
	for (int name = SLUICE_LINGER; name <= SLUICE_BATCH_BYTES; name++) {
		CHECK_ERRNO(set_option(fd, name, &long_value, sizeof(long_value)), EINVAL);
		CHECK_ERRNO(set_option(fd, name, NULL, sizeof(int32_t)), EFAULT);
		CHECK_ERRNO(set_number(stream, name, 1000), EOPNOTSUPP);
	}
	close(fd);
	close(stream);
}

static void linger__zero_is_at_once(void)
{
	struct topic t = patient_topic(1);
	int in = producer(SOCK_SEQPACKET, &t, 0), other = producer(SOCK_SEQPACKET, &t, 0);
	uint64_t bytes;

	CHECK_EQ(send_text(other, "kept"), 4);
	CHECK_EQ(file_bytes(&t, 0), 0);
	CHECK(!set_number(in, SLUICE_LINGER, 0));
	CHECK_EQ(send_text(in, "a"), 1);
	/* In its order: what was kept went before. */
	bytes = file_bytes(&t, 0);
	CHECK(bytes > 2 * 61);
	CHECK_EQ(send_text(in, "b"), 1);
	CHECK(file_bytes(&t, 0) > bytes + 61);
	CHECK_EQ(batches(&t), 3);
	CHECK(!set_number(in, SLUICE_LINGER, -1));
	bytes = file_bytes(&t, 0);
	CHECK_EQ(send_text(in, "c"), 1);
	CHECK_EQ(file_bytes(&t, 0), bytes);
	close(in);
	close(other);
}

static void linger__first_that_wants_it(void)
{
	struct topic t = patient_topic(1);
	int in = producer(SOCK_SEQPACKET, &t, 0), other = producer(SOCK_SEQPACKET, &t, 0);

	CHECK(!set_number(other, SLUICE_LINGER, 60000));
	CHECK_EQ(send_text(other, "patient"), 7);
	CHECK_EQ(file_bytes(&t, 0), 0);
	CHECK(!set_number(in, SLUICE_LINGER, 50));
	CHECK_EQ(send_text(in, "soon"), 4);
	CHECK(wait_file(&t) > 61 + 11);
	CHECK_EQ(batches(&t), 1);
	close(in);
	close(other);
}

/* A topic that lingers for a moment only, and a socket that has it longer. */
static void linger__longer_than_the_topic(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_LINGER_MS, .linger_ms = 1};
	struct topic t = topic_new(1, &config), quick = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0), other = producer(SOCK_SEQPACKET, &quick, 0);

	CHECK(!set_number(in, SLUICE_LINGER, 60000));
	CHECK_EQ(send_text(in, "kept"), 4);
	CHECK_EQ(send_text(other, "x"), 1);
	CHECK(wait_file(&quick));
	CHECK_EQ(file_bytes(&t, 0), 0);
	close(other);
	/* Another's record in the same batch has it written by the topic's time. */
	other = producer(SOCK_SEQPACKET, &t, 0);
	CHECK_EQ(send_text(other, "x"), 1);
	CHECK(wait_file(&t));
	close(in);
	close(other);
}

static void linger__close_writes(void)
{
	struct topic t = patient_topic(3), there = patient_topic(1);
	int in = producer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY);
	struct record r = {.value = "x", .value_len = 1};

	CHECK(!set_number(in, SLUICE_LINGER, 60000));
	for (r.partition = 1; r.partition <= 3; r.partition++)
		CHECK_EQ(send_record(in, &r, 0), 1);
	for (uint32_t i = 0; i < 3; i++)
		CHECK_EQ(file_bytes(&t, i), 0);
	/* As closing does. */
	CHECK(!connect_topic(in, &there, 0));
	for (uint32_t i = 0; i < 3; i++)
		CHECK(file_bytes(&t, i) > 61);
	CHECK_EQ(send_text(in, "x"), 1);
	CHECK_EQ(file_bytes(&there, 0), 0);
	close(in);
	CHECK(file_bytes(&there, 0) > 61);
	/* Without a say of its own a socket leaves the batch to the topic. */
	in = producer(SOCK_SEQPACKET, &t, 0);
	r.partition = 1;
	CHECK_EQ(send_record(in, &r, 0), 1);
	close(in);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 2);
	CHECK(file_bytes(&t, 0) < 2 * 61);
}

/* After the topic went there is nothing left to be written. */
static void linger__close_behind_the_topic(void)
{
	struct topic t = patient_topic(1);
	int in = producer(SOCK_SEQPACKET, &t, 0);

	CHECK(!set_number(in, SLUICE_LINGER, 60000));
	CHECK_EQ(send_text(in, "x"), 1);
	topic_delete(&t);
	CHECK_ERRNO(send_text(in, "x"), ENODEV);
	close(in);
}

static void batch_bytes__smaller_batches(void)
{
	struct topic t = patient_topic(1);
	int in = producer(SOCK_SEQPACKET, &t, 0), other = producer(SOCK_SEQPACKET, &t, 0);
	static char value[400];
	struct record r = {.value = value, .value_len = sizeof(value)};
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);

	CHECK(!set_number(in, SLUICE_BATCH_BYTES, 1024));
	for (int i = 0; i < 8; i++)
		CHECK_EQ(send_record(in, &r, 0), sizeof(value));
	/* Two in each, the last of them still open. */
	CHECK_EQ(batches(&t), 4);
	CHECK_EQ(send_text(other, "fits"), 4);
	CHECK_EQ(batches(&t), 4);
	r.value_len = 1;
	CHECK_EQ(send_record(other, &r, 0), 1);
	CHECK_EQ(batches(&t), 4);
	/* One in each, where there is no room for two. */
	CHECK(!set_number(in, SLUICE_BATCH_BYTES, 512));
	r.value_len = sizeof(value);
	CHECK_EQ(send_record(in, &r, 0), sizeof(value));
	CHECK_EQ(batches(&t), 5);
	CHECK_EQ(send_record(in, &r, 0), sizeof(value));
	CHECK_EQ(batches(&t), 6);
	for (int i = 0; i < 12; i++) {
		CHECK(receive(fd, &got, MSG_DONTWAIT) > 0);
		CHECK_EQ(got.info.offset, i);
	}
	close(in);
	close(other);
	close(fd);
}

static void batch_bytes__larger_batches(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_LINGER_MS | KERN_CONFIG_BATCH_BYTES,
					   .linger_ms = FOREVER_MS,
					   .batch_bytes = 512};
	struct topic t = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	static char value[400];
	struct record r = {.value = value, .value_len = sizeof(value)};

	CHECK_EQ(send_record(in, &r, 0), sizeof(value));
	CHECK_EQ(send_record(in, &r, 0), sizeof(value));
	CHECK_EQ(batches(&t), 2);
	CHECK(!set_number(in, SLUICE_BATCH_BYTES, 1 << 20));
	for (int i = 0; i < 100; i++)
		CHECK_EQ(send_record(in, &r, 0), sizeof(value));
	CHECK_EQ(batches(&t), 3);
	close(in);
}

static const struct test tests[] = {
	TEST(option__values),
	TEST(linger__zero_is_at_once),
	TEST(linger__first_that_wants_it),
	TEST(linger__longer_than_the_topic),
	TEST(linger__close_writes),
	TEST(linger__close_behind_the_topic),
	TEST(batch_bytes__smaller_batches),
	TEST(batch_bytes__larger_batches),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
