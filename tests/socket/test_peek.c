// SPDX-License-Identifier: Apache-2.0
/* MSG_PEEK, MSG_TRUNC, MSG_CTRUNC: what does not fit, and what stays. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static struct got got;

static void peek__leaves_the_record(void)
{
	struct topic t = topic_new(2, NULL);
	int in = producer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY);
	int fd = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);

	for (int i = 0; i < 4; i++) {
		struct record r = {.value = "abcd" + i,
				   .value_len = 1,
				   .partition = i % 2 + 1,
				   .key = "key",
				   .key_len = 3};

		CHECK_EQ(send_record(in, &r, 0), 1);
	}
	for (int i = 0; i < 4; i++) {
		struct sluice_record_info info;
		char value;

		/* The same one, however often one looks. */
		CHECK_EQ(receive(fd, &got, MSG_PEEK | MSG_DONTWAIT), 1);
		info = got.info;
		value = got.value[0];
		CHECK_EQ(receive(fd, &got, MSG_PEEK | MSG_DONTWAIT), 1);
		CHECK(!memcmp(&info, &got.info, sizeof(info)));
		CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 1);
		CHECK(!memcmp(&info, &got.info, sizeof(info)));
		CHECK_EQ(got.value[0], value);
		CHECK(got.has_key && !memcmp(got.key, "key", 3));
	}
	CHECK_ERRNO(receive(fd, &got, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	close(in);
	close(fd);
}

static void peek__stream(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	int fd = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	uint8_t buf[1024], seen[1024];
	size_t one = batch_simple(buf, "a", 3), two = batch_simple(buf + one, "b", 2);

	CHECK_EQ(send(in, buf, one + two, 0), one + two);
	/* As much as is wanted, but not past the batch at hand. */
	CHECK_EQ(recv(fd, seen, 10, MSG_PEEK), 10);
	CHECK_EQ(recv(fd, seen, sizeof(seen), MSG_PEEK), one);
	CHECK_EQ(position(fd, 0), 0);
	CHECK_EQ(recv(fd, seen, 20, 0), 20);
	CHECK_EQ(recv(fd, seen, sizeof(seen), MSG_PEEK), one - 20);
	CHECK_EQ(recv(fd, seen, sizeof(seen), 0), one + two - 20);
	CHECK_ERRNO(recv(fd, seen, sizeof(seen), MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	close(in);
	close(fd);
}

static void trunc__value(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);

	for (int i = 0; i < 4; i++)
		CHECK_EQ(send_text(in, "0123456789"), 10);
	CHECK_EQ(receive_sized(fd, &got, 0, 4, 1000), 4);
	CHECK(got_text(&got, "0123"));
	CHECK(got.flags & MSG_TRUNC);
	CHECK(got.has_info);
	/* With MSG_TRUNC: the real length; the rest is gone all the same. */
	CHECK_EQ(receive_sized(fd, &got, MSG_TRUNC, 4, 1000), 10);
	CHECK_EQ(got.info.offset, 1);
	CHECK_EQ(receive_sized(fd, &got, MSG_PEEK | MSG_TRUNC, 0, 1000), 10);
	CHECK_EQ(receive_sized(fd, &got, 0, 10, 1000), 10);
	CHECK(!(got.flags & MSG_TRUNC));
	CHECK_EQ(got.info.offset, 2);
	CHECK_EQ(receive_sized(fd, &got, 0, 0, 1000), 0);
	CHECK(got.flags & MSG_TRUNC);
	CHECK_ERRNO(receive(fd, &got, MSG_DONTWAIT), EAGAIN);
	close(in);
	close(fd);
}

static void ctrunc__control_data(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const struct header header = {"name", 4, "value", 5};
	const struct record r = {.key = "0123456789abcdef",
				 .key_len = 16,
				 .value = "v",
				 .value_len = 1,
				 .headers = &header,
				 .n_headers = 1};
	const size_t info = CMSG_SPACE(sizeof(struct sluice_record_info));

	CHECK_EQ(send_record(in, &r, 0), 1);
	CHECK_EQ(receive_sized(fd, &got, MSG_PEEK, 10, 0), 1);
	CHECK(got.flags & MSG_CTRUNC && !got.has_info);
	CHECK_EQ(receive_sized(fd, &got, MSG_PEEK, 10, info), 1);
	CHECK(got.flags & MSG_CTRUNC && got.has_info && !got.has_key);
	/* Part of the key, as of any control message. */
	CHECK_EQ(receive_sized(fd, &got, MSG_PEEK, 10, info + CMSG_LEN(5)), 1);
	CHECK(got.flags & MSG_CTRUNC && got.has_key);
	CHECK_EQ(got.key_len, 5);
	CHECK(!memcmp(got.key, "01234", 5));
	CHECK_EQ(receive_sized(fd, &got, MSG_PEEK, 10, info + CMSG_SPACE(16)), 1);
	CHECK(got.flags & MSG_CTRUNC && got.key_len == 16 && !got.n_headers);
	CHECK_EQ(receive_sized(fd, &got, 0, 10, info + CMSG_SPACE(16) + CMSG_SPACE(8 + 9)), 1);
	CHECK(!(got.flags & MSG_CTRUNC) && got.n_headers == 1);
	close(in);
	close(fd);
}

/* Control data as large as sendmsg(2) takes it (net.core.optmem_max). */
static void ctrunc__large_key(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	static char key[16000];
	struct record r = {.key = key, .key_len = sizeof(key), .value = "v", .value_len = 1};

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (char)(i * 7);
	CHECK_EQ(send_record(in, &r, 0), 1);
	CHECK_EQ(receive(fd, &got, 0), 1);
	CHECK_EQ(got.key_len, sizeof(key));
	CHECK(!memcmp(got.key, key, sizeof(key)));
	close(in);
	close(fd);
}

static void ctrunc__many_headers(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct header headers[GOT_HEADERS_MAX];
	struct record r = {
		.value = "v", .value_len = 1, .headers = headers, .n_headers = GOT_HEADERS_MAX};

	for (int i = 0; i < GOT_HEADERS_MAX; i++)
		headers[i] = (struct header){
			.key = "name", .key_len = i % 5, .value = "value", .value_len = i % 7 - 1};
	CHECK_EQ(send_record(in, &r, 0), 1);
	CHECK_EQ(receive(fd, &got, 0), 1);
	CHECK_EQ(got.n_headers, GOT_HEADERS_MAX);
	for (int i = 0; i < GOT_HEADERS_MAX; i++) {
		CHECK_EQ(got.headers[i].key_len, i % 5);
		CHECK_EQ(got.headers[i].value_len, i % 7 - 1);
		CHECK(!memcmp(got.headers[i].data, "name", (size_t)(i % 5)));
		if (i % 7 > 1)
			CHECK(!memcmp(got.headers[i].data + i % 5, "value", (size_t)(i % 7 - 1)));
	}
	close(in);
	close(fd);
}

static const struct test tests[] = {
	TEST(peek__leaves_the_record), TEST(peek__stream),	TEST(trunc__value),
	TEST(ctrunc__control_data),    TEST(ctrunc__large_key), TEST(ctrunc__many_headers),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
