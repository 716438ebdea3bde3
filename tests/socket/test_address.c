// SPDX-License-Identifier: Apache-2.0
/* Making sockets, naming topics: socket(2), bind(2), connect(2), getsockname(2). */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define LEN_MIN (offsetof(struct sockaddr_sluice, sl_topic) + 1)

static struct topic topic;

static int bind_addr(int fd, const struct sockaddr_sluice *addr, size_t len)
{
	return bind(fd, (const struct sockaddr *)addr, (socklen_t)len);
}

static int connect_addr(int fd, const struct sockaddr_sluice *addr, size_t len)
{
	return connect(fd, (const struct sockaddr *)addr, (socklen_t)len);
}

static void socket__types(void)
{
	int fd = socket(family(), SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	CHECK(fd >= 0);
	close(fd);
	fd = socket(family(), SOCK_STREAM, 0);
	CHECK(fd >= 0);
	close(fd);
	CHECK_ERRNO(socket(family(), SOCK_DGRAM, 0), ESOCKTNOSUPPORT);
	CHECK_ERRNO(socket(family(), SOCK_RAW, 0), ESOCKTNOSUPPORT);
	CHECK_ERRNO(socket(family(), SOCK_STREAM, 1), EPROTONOSUPPORT);
}

static void socket__refuses_what_a_log_is_not_for(void)
{
	int fd = open_socket(SOCK_SEQPACKET), pair[2];

	CHECK_ERRNO(listen(fd, 1), EOPNOTSUPP);
	CHECK_ERRNO(accept(fd, NULL, NULL), EOPNOTSUPP);
	CHECK_ERRNO(shutdown(fd, SHUT_RDWR), EOPNOTSUPP);
	CHECK_ERRNO(socketpair(family(), SOCK_STREAM, 0, pair), EOPNOTSUPP);
	close(fd);
}

static void bind__length(void)
{
	struct sockaddr_sluice addr = address(&topic, 0);
	int fd = open_socket(SOCK_SEQPACKET);

	CHECK_ERRNO(bind_addr(fd, &addr, 0), EINVAL);
	CHECK_ERRNO(bind_addr(fd, &addr, LEN_MIN - 1), EINVAL);
	CHECK_ERRNO(bind_addr(fd, &addr, sizeof(addr) + 1), EINVAL);
	/* As long as the name, but without its NUL. */
	CHECK_ERRNO(bind_addr(fd, &addr, LEN_MIN - 1 + strlen(topic.name)), EINVAL);
	CHECK(strstr(error_text(fd), "not terminated"));
	CHECK(!bind_addr(fd, &addr, LEN_MIN + strlen(topic.name)));
	close(fd);
}

static void bind__name_without_nul(void)
{
	struct sockaddr_sluice addr = address(&topic, 0);
	int fd = open_socket(SOCK_SEQPACKET);

	memset(addr.sl_topic, 'x', sizeof(addr.sl_topic));
	CHECK_ERRNO(bind_addr(fd, &addr, sizeof(addr)), EINVAL);
	close(fd);
}

static void bind__fields(void)
{
	struct sockaddr_sluice addr = address(&topic, 0);
	int fd = open_socket(SOCK_SEQPACKET);

	addr.sl_family = AF_UNIX;
	CHECK_ERRNO(bind_addr(fd, &addr, sizeof(addr)), EAFNOSUPPORT);
	addr = address(&topic, 0);
	addr.sl_flags = 1;
	CHECK_ERRNO(bind_addr(fd, &addr, sizeof(addr)), EINVAL);
	addr = address(&topic, -2);
	CHECK_ERRNO(bind_addr(fd, &addr, sizeof(addr)), EINVAL);
	addr = address(&topic, 3);
	CHECK_ERRNO(bind_addr(fd, &addr, sizeof(addr)), ENOENT);
	CHECK(strstr(error_text(fd), "no partition 3"));
	addr = address(&topic, 0x7fffffff);
	CHECK_ERRNO(bind_addr(fd, &addr, sizeof(addr)), ENOENT);
	addr = address(&topic, 0);
	strcat(addr.sl_topic, "x");
	CHECK_ERRNO(bind_addr(fd, &addr, sizeof(addr)), ENOENT);
	CHECK(strstr(error_text(fd), "no such topic"));
	close(fd);
}

static void bind__empty_name(void)
{
	struct sockaddr_sluice addr = {.sl_family = family()};
	int fd = open_socket(SOCK_SEQPACKET);

	CHECK_ERRNO(bind_addr(fd, &addr, sizeof(addr)), ENOENT);
	CHECK(!set_option(fd, SLUICE_TOPIC, topic.name, strlen(topic.name)));
	CHECK(!bind_addr(fd, &addr, LEN_MIN));
	close(fd);
}

static void bind__by_id(void)
{
	struct sockaddr_sluice addr = {.sl_family = family(), .sl_partition = 1}, got;
	int fd = open_socket(SOCK_SEQPACKET);
	socklen_t len = sizeof(got);

	memcpy(addr.sl_topic_id, topic.id, sizeof(topic.id));
	addr.sl_topic_id[0] ^= 1;
	CHECK_ERRNO(bind_addr(fd, &addr, sizeof(addr)), ENOENT);
	addr.sl_topic_id[0] ^= 1;
	/* Both given must agree. */
	strcpy(addr.sl_topic, "another");
	CHECK_ERRNO(bind_addr(fd, &addr, sizeof(addr)), ENOENT);
	strcpy(addr.sl_topic, topic.name);
	CHECK(!bind_addr(fd, &addr, sizeof(addr)));
	CHECK(!getsockname(fd, (struct sockaddr *)&got, &len));
	CHECK_EQ(len, sizeof(got));
	CHECK_EQ(got.sl_family, family());
	CHECK_EQ(got.sl_partition, 1);
	CHECK(!strcmp(got.sl_topic, topic.name));
	CHECK(!memcmp(got.sl_topic_id, topic.id, sizeof(topic.id)));
	close(fd);
}

static void bind__twice(void)
{
	int fd = open_socket(SOCK_SEQPACKET);

	CHECK(!bind_topic(fd, &topic, 0));
	CHECK_ERRNO(bind_topic(fd, &topic, 1), EINVAL);
	CHECK(strstr(error_text(fd), "reads something already"));
	close(fd);
}

static void bind__stream_needs_a_partition(void)
{
	int fd = open_socket(SOCK_STREAM);

	CHECK_ERRNO(bind_topic(fd, &topic, SLUICE_PARTITION_ANY), EINVAL);
	CHECK(!bind_topic(fd, &topic, 2));
	close(fd);
}

static void bind__start_at_an_offset_needs_a_partition(void)
{
	int fd = open_socket(SOCK_SEQPACKET);
	int64_t start = 0;

	CHECK(!set_option(fd, SLUICE_START, &start, sizeof(start)));
	CHECK_ERRNO(bind_topic(fd, &topic, SLUICE_PARTITION_ANY), EINVAL);
	CHECK(!bind_topic(fd, &topic, 0));
	close(fd);
}

static void names__longest(void)
{
	struct sockaddr_sluice addr = {.sl_family = family()}, got;
	char name[SLUICE_TOPIC_NAME_MAX + 2], back[300];
	int fd = open_socket(SOCK_SEQPACKET);
	socklen_t len = sizeof(got);
	struct topic t;

	memset(name, 'n', sizeof(name));
	CHECK_ERRNO(set_option(fd, SLUICE_TOPIC, name, sizeof(name)), EINVAL);
	name[SLUICE_TOPIC_NAME_MAX] = 0;
	t = topic_new_named(name, 1, NULL);
	/* With its NUL, and without. */
	CHECK(!set_option(fd, SLUICE_TOPIC, name, SLUICE_TOPIC_NAME_MAX + 1));
	CHECK(!set_option(fd, SLUICE_TOPIC, name, SLUICE_TOPIC_NAME_MAX));
	CHECK(!bind_addr(fd, &addr, sizeof(addr)));
	CHECK(!getsockname(fd, (struct sockaddr *)&got, &len));
	CHECK(!got.sl_topic[0]);
	CHECK(!memcmp(got.sl_topic_id, t.id, sizeof(t.id)));
	len = sizeof(back);
	CHECK(!getsockopt(fd, SOL_SLUICE, SLUICE_TOPIC, back, &len));
	CHECK_EQ(len, SLUICE_TOPIC_NAME_MAX + 1);
	CHECK(!strcmp(back, name));
	close(fd);
	topic_delete(&t);
}

static void names__103_fits_an_address(void)
{
	struct sockaddr_sluice addr = {.sl_family = family()}, got;
	char name[SLUICE_ADDR_TOPIC_MAX + 1];
	int fd = open_socket(SOCK_SEQPACKET);
	socklen_t len = sizeof(got);
	struct topic t;

	memset(name, 'm', sizeof(name));
	name[SLUICE_ADDR_TOPIC_MAX] = 0;
	t = topic_new_named(name, 1, NULL);
	strcpy(addr.sl_topic, name);
	CHECK(!bind_addr(fd, &addr, sizeof(addr)));
	CHECK(!getsockname(fd, (struct sockaddr *)&got, &len));
	CHECK(!strcmp(got.sl_topic, name));
	close(fd);
	topic_delete(&t);
}

static void connect__again_and_dissolve(void)
{
	struct sockaddr_sluice got;
	struct sockaddr unspec = {.sa_family = AF_UNSPEC};
	int fd = open_socket(SOCK_SEQPACKET);
	socklen_t len = sizeof(got);

	CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&got, &len), ENOTCONN);
	CHECK_ERRNO(send_text(fd, "x"), EDESTADDRREQ);
	CHECK(!connect_topic(fd, &topic, 0));
	CHECK(!connect_topic(fd, &topic, SLUICE_PARTITION_ANY));
	CHECK(!getpeername(fd, (struct sockaddr *)&got, &len));
	CHECK_EQ(got.sl_partition, SLUICE_PARTITION_ANY);
	CHECK(!connect(fd, &unspec, sizeof(unspec)));
	CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&got, &len), ENOTCONN);
	CHECK_ERRNO(send_text(fd, "x"), EDESTADDRREQ);
	CHECK_ERRNO(connect(fd, &unspec, 1), EINVAL);
	close(fd);
}

static void connect__failure_keeps_the_old_one(void)
{
	struct sockaddr_sluice addr = address(&topic, 7), got;
	int fd = producer(SOCK_SEQPACKET, &topic, 2);
	socklen_t len = sizeof(got);

	CHECK_ERRNO(connect_addr(fd, &addr, sizeof(addr)), ENOENT);
	CHECK(!getpeername(fd, (struct sockaddr *)&got, &len));
	CHECK_EQ(got.sl_partition, 2);
	close(fd);
}

static void getsockname__unbound(void)
{
	struct sockaddr_sluice got;
	int fd = open_socket(SOCK_STREAM);
	socklen_t len = sizeof(got);

	CHECK(!getsockname(fd, (struct sockaddr *)&got, &len));
	CHECK_EQ(len, sizeof(got));
	CHECK_EQ(got.sl_family, family());
	CHECK_EQ(got.sl_partition, SLUICE_PARTITION_ANY);
	CHECK(!got.sl_topic[0]);
	close(fd);
}

static void recv__unbound(void)
{
	char byte;
	int fd = open_socket(SOCK_SEQPACKET);

	CHECK_ERRNO(recv(fd, &byte, 1, 0), ENOTCONN);
	CHECK_ERRNO(seek_to(fd, 0, 0), ENOTCONN);
	CHECK_EQ(position(fd, 0), -ENOTCONN);
	close(fd);
}

static void options__values(void)
{
	int fd = open_socket(SOCK_SEQPACKET);
	int64_t start = -3, got = 0;
	uint32_t receipts = 3;

	CHECK_ERRNO(set_option(fd, SLUICE_START, &start, sizeof(start)), EINVAL);
	CHECK_ERRNO(set_option(fd, SLUICE_START, &start, 4), EINVAL);
	CHECK(!get_option(fd, SLUICE_START, &got, sizeof(got)));
	CHECK_EQ(got, SLUICE_OFFSET_LATEST);
	CHECK_ERRNO(get_option(fd, SLUICE_START, &got, 4), EINVAL);
	CHECK_ERRNO(set_option(fd, SLUICE_RECEIPTS, &receipts, sizeof(receipts)), EINVAL);
	receipts = SLUICE_RECEIPT_DURABLE;
	CHECK(!set_option(fd, SLUICE_RECEIPTS, &receipts, sizeof(receipts)));
	receipts = 0;
	CHECK(!get_option(fd, SLUICE_RECEIPTS, &receipts, sizeof(receipts)));
	CHECK_EQ(receipts, SLUICE_RECEIPT_DURABLE);
	CHECK_ERRNO(set_option(fd, 99, &receipts, sizeof(receipts)), ENOPROTOOPT);
	CHECK_ERRNO(get_option(fd, 99, &receipts, sizeof(receipts)), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fd, 399, SLUICE_START, &start, 8), ENOPROTOOPT);
	CHECK_ERRNO(set_option(fd, SLUICE_TOPIC, "", 0), EINVAL);
	CHECK_ERRNO(set_option(fd, SLUICE_TOPIC, "a\0b", 4), EINVAL);
	close(fd);
}

static const struct test tests[] = {
	TEST(socket__types),
	TEST(socket__refuses_what_a_log_is_not_for),
	TEST(bind__length),
	TEST(bind__name_without_nul),
	TEST(bind__fields),
	TEST(bind__empty_name),
	TEST(bind__by_id),
	TEST(bind__twice),
	TEST(bind__stream_needs_a_partition),
	TEST(bind__start_at_an_offset_needs_a_partition),
	TEST(names__longest),
	TEST(names__103_fits_an_address),
	TEST(connect__again_and_dissolve),
	TEST(connect__failure_keeps_the_old_one),
	TEST(getsockname__unbound),
	TEST(recv__unbound),
	TEST(options__values),
};

int main(void)
{
	topic = topic_new(3, NULL);
	return run_tests(tests, ARRAY_LEN(tests));
}
