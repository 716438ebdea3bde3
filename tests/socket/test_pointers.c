// SPDX-License-Identifier: Apache-2.0
/*
 * Memory that is not there, wholly or from the middle of a page on, at every
 * place where the kernel follows a pointer of ours: EFAULT, and nothing lost,
 * nothing appended by half.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define PAGE 4096

static struct got got;

/* The last @len bytes before memory that is not there. */
static char *edge(size_t len)
{
	static char *page;

	if (!page) {
		page = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
		if (page == MAP_FAILED || munmap(page + 2 * PAGE, PAGE))
			die("mmap: %s", strerror(errno));
	}
	return page + 2 * PAGE - len;
}

static char *const hostile[] = {
	NULL,	     (char *)8,	     (char *)0xffffffff80000000UL, (char *)0xffff888000000000UL,
	(char *)-1L, (char *)-4096L, (char *)0x7ffffffff000UL,
};

static void send__hostile(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0), stream = producer(SOCK_STREAM, &t, 0);

	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		struct iovec iov = {.iov_base = "x", .iov_len = 1};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

		CHECK_ERRNO(send(in, hostile[i], 100, 0), EFAULT);
		CHECK_ERRNO(send(stream, hostile[i], 100, 0), EFAULT);
		msg.msg_control = hostile[i];
		msg.msg_controllen = 64;
		CHECK_ERRNO(sendmsg(in, &msg, 0), EFAULT);
		if (!hostile[i])
			continue;
		msg.msg_controllen = 0;
		msg.msg_name = hostile[i];
		msg.msg_namelen = sizeof(struct sockaddr_sluice);
		CHECK_ERRNO(sendmsg(in, &msg, 0), EFAULT);
		CHECK_ERRNO(bind(in, (struct sockaddr *)hostile[i], 128), EFAULT);
		CHECK_ERRNO(connect(in, (struct sockaddr *)hostile[i], 128), EFAULT);
	}
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 0);
	CHECK_EQ(send_text(in, "fine"), 4);
	close(in);
	close(stream);
}

/* The value, or the batch, ends where memory does, at each length. */
static void send__over_the_edge(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0), stream = producer(SOCK_STREAM, &t, 0);
	uint8_t batch[5000];
	struct batch_header h = BATCH_HEADER_INIT;
	static char value[4800];
	const char *values[1] = {value};
	size_t size;

	memset(value, 'v', sizeof(value) - 1);
	size = batch_encode(batch, &h, values, 1);
	for (size_t here = 1; here < size; here += here < 80 ? 1 : 397) {
		memcpy(edge(here), batch, here);
		CHECK_ERRNO(send(in, edge(here), here + 1, 0), EFAULT);
		CHECK_ERRNO(send(stream, edge(here), size, 0), EFAULT);
	}
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 0);
	CHECK_EQ(topic_partition(&t, 0).size_bytes, 0);
	memcpy(edge(size), batch, size);
	CHECK_EQ(send(stream, edge(size), size, 0), size);
	CHECK_EQ(topic_partition(&t, 0).size_bytes, size);
	close(in);
	close(stream);
}

/* A good batch, then one that cannot be read. */
static void send__second_batch_over_the_edge(void)
{
	struct topic t = topic_new(1, NULL);
	int stream = producer(SOCK_STREAM, &t, 0);
	uint8_t batch[256];
	size_t size = batch_simple(batch, "b", 2);

	memcpy(edge(size + 70), batch, size);
	memcpy(edge(70), batch, 70);
	CHECK_EQ(send(stream, edge(size + 70), size * 2, 0), size);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 2);
	close(stream);
}

static void recv__hostile(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	int stream = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct record r = {.key = "key", .key_len = 3, .value = "the value", .value_len = 9};

	CHECK_EQ(send_record(in, &r, 0), 9);
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		char byte[16];
		struct iovec iov = {.iov_base = byte, .iov_len = sizeof(byte)};
		struct msghdr msg = {.msg_iov = &iov,
				     .msg_iovlen = 1,
				     .msg_control = hostile[i],
				     .msg_controllen = 200};

		CHECK_ERRNO(recv(out, hostile[i], 100, MSG_DONTWAIT), EFAULT);
		CHECK_ERRNO(recv(stream, hostile[i], 100, MSG_DONTWAIT), EFAULT);
		if (hostile[i])
			CHECK_ERRNO(recvmsg(out, &msg, MSG_DONTWAIT), EFAULT);
	}
	for (size_t here = 0; here < 9; here++)
		CHECK_ERRNO(recv(out, edge(here), 9, MSG_DONTWAIT), EFAULT);
	/* Nothing was taken by all that. */
	CHECK_EQ(position(out, 0), 0);
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 9);
	CHECK(got_text(&got, "the value"));
	/* A byte stream gives what there is room for. */
	CHECK_EQ(recv(stream, edge(5), 100, MSG_DONTWAIT), 5);
	CHECK_EQ(recv(stream, edge(200), 200, MSG_DONTWAIT), topic_partition(&t, 0).size_bytes - 5);
	close(in);
	close(out);
	close(stream);
}

static void recv__control_over_the_edge(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const struct header header = {"h", 1, "v", 1};
	struct record r = {.key = "key",
			   .key_len = 3,
			   .value = "the value",
			   .value_len = 9,
			   .headers = &header,
			   .n_headers = 1};

	CHECK_EQ(send_record(in, &r, 0), 9);
	for (size_t here = 0; here < 120; here += 8) {
		char value[16];
		struct iovec iov = {.iov_base = value, .iov_len = sizeof(value)};
		struct msghdr msg = {.msg_iov = &iov,
				     .msg_iovlen = 1,
				     .msg_control = edge(here),
				     .msg_controllen = 4096};

		CHECK_ERRNO(recvmsg(out, &msg, MSG_DONTWAIT), EFAULT);
	}
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 9);
	CHECK(got.has_key && got.n_headers == 1);
	close(in);
	close(out);
}

static void options__hostile(void)
{
	static const int set[] = {SLUICE_TOPIC, SLUICE_START, SLUICE_SEEK,  SLUICE_RECEIPTS,
				  SLUICE_WATCH, SLUICE_FLUSH, SLUICE_ASSIGN};
	static const size_t set_size[] = {10,
					  8,
					  sizeof(struct sluice_seek),
					  4,
					  sizeof(struct sluice_watch),
					  sizeof(struct sluice_flush),
					  sizeof(struct sluice_assign)};
	static const int get[] = {SLUICE_TOPIC,		 SLUICE_START, SLUICE_POSITION,
				  SLUICE_RECEIPTS,	 SLUICE_FETCH, SLUICE_ERROR_TEXT,
				  SLUICE_OFFSET_FOR_TIME};
	static const size_t get_size[] = {10,
					  8,
					  sizeof(struct sluice_position),
					  4,
					  sizeof(struct sluice_fetch),
					  10,
					  sizeof(struct sluice_offset_for_time)};
	struct topic t = topic_new(1, NULL);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);

	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		for (size_t o = 0; o < ARRAY_LEN(set); o++)
			CHECK_ERRNO(set_option(fd, set[o], hostile[i], set_size[o]), EFAULT);
		for (size_t o = 0; o < ARRAY_LEN(get); o++) {
			CHECK_ERRNO(get_option(fd, get[o], hostile[i], get_size[o]), EFAULT);
			CHECK_ERRNO(getsockopt(fd, SOL_SLUICE, get[o], edge(8),
					       (socklen_t *)hostile[i]),
				    EFAULT);
		}
	}
	for (size_t o = 0; o < ARRAY_LEN(set); o++)
		CHECK_ERRNO(set_option(fd, set[o], edge(set_size[o] - 1), set_size[o]), EFAULT);
	/* The name of the topic is longer than the memory. */
	CHECK_ERRNO(get_option(fd, SLUICE_TOPIC, edge(2), 5), EFAULT);
	for (size_t o = 1; o < ARRAY_LEN(get) - 2; o++) {
		memset(edge(200), 0, 200);
		CHECK_ERRNO(get_option(fd, get[o], edge(get_size[o] - 1), get_size[o]), EFAULT);
	}
	close(fd);
}

static void options__negative_length(void)
{
	int fd = open_socket(SOCK_SEQPACKET);
	char buf[16];
	socklen_t len = (socklen_t)-1;

	CHECK_ERRNO(setsockopt(fd, SOL_SLUICE, SLUICE_TOPIC, buf, len), EINVAL);
	CHECK_ERRNO(getsockopt(fd, SOL_SLUICE, SLUICE_TOPIC, buf, &len), EINVAL);
	len = 0;
	CHECK_ERRNO(getsockopt(fd, SOL_SLUICE, SLUICE_TOPIC, buf, &len), EINVAL);
	close(fd);
}

/* The caller's own memory changes while it is sent: what is stored is checked. */
static void send__from_a_mapping_of_the_log(void)
{
	struct topic t = topic_new(1, NULL);
	int stream = producer(SOCK_STREAM, &t, 0), file;
	uint8_t batch[256];
	size_t size = batch_simple(batch, "b", 2);
	char *map;
	FILE *f;

	CHECK_EQ(send(stream, batch, size, 0), size);
	f = fopen(topic_path(&t, 0, "00000000000000000000.log"), "re");
	CHECK(f);
	file = fileno(f);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
	CHECK(map != MAP_FAILED);
	/* From the page it is written to; stored batches have offsets, new ones none. */
	CHECK_EQ(send(stream, map, size, 0), size);
	CHECK_ERRNO(send(stream, map + size, size, 0), EINVAL);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 4);
	munmap(map, PAGE);
	fclose(f);
	close(stream);
}

static const struct test tests[] = {
	TEST(send__hostile),
	TEST(send__over_the_edge),
	TEST(send__second_batch_over_the_edge),
	TEST(recv__hostile),
	TEST(recv__control_over_the_edge),
	TEST(options__hostile),
	TEST(options__negative_length),
	TEST(send__from_a_mapping_of_the_log),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
