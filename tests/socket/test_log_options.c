// SPDX-License-Identifier: Apache-2.0
/* Who a socket appends as. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define SOMEBODY 12345

static int append_as(int fd, uint32_t as)
{
	return set_option(fd, SLUICE_APPEND_AS, &as, sizeof(as));
}

static void append_as__who_may(void)
{
	int stream = open_socket(SOCK_STREAM), packet = open_socket(SOCK_SEQPACKET);
	uint32_t as = 77;
	uint64_t wide = 0;
	int status;
	pid_t child;

	CHECK(!get_option(stream, SLUICE_APPEND_AS, &as, sizeof(as)));
	CHECK_EQ(as, SLUICE_AS_CLIENT);
	CHECK_ERRNO(append_as(stream, SLUICE_AS_REPLICA + 1), EINVAL);
	CHECK_ERRNO(set_option(stream, SLUICE_APPEND_AS, &wide, sizeof(wide)), EINVAL);
	CHECK_ERRNO(append_as(packet, SLUICE_AS_REPLICA), EOPNOTSUPP);
	CHECK(!append_as(packet, SLUICE_AS_CLIENT));
	CHECK(!append_as(stream, SLUICE_AS_COORDINATOR));
	CHECK(!get_option(stream, SLUICE_APPEND_AS, &as, sizeof(as)));
	CHECK_EQ(as, SLUICE_AS_COORDINATOR);
	fflush(stdout);
	child = fork();
	if (!child) {
		if (setgid(SOMEBODY) || setuid(SOMEBODY))
			_exit(2);
		if (append_as(stream, SLUICE_AS_REPLICA) != -1 || errno != EPERM)
			_exit(3);
		if (append_as(stream, SLUICE_AS_COORDINATOR) != -1 || errno != EPERM)
			_exit(4);
		/* To be less is everybody's right. */
		_exit(append_as(stream, SLUICE_AS_CLIENT) ? 5 : 0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	close(stream);
	close(packet);
}

/* A follower's batches keep their offsets; a client's must begin at 0. */
static void append_as__replica(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = producer(SOCK_STREAM, &t, 0);
	uint8_t buf[256];
	size_t size = batch_simple(buf, "a", 2);

	put_be64(buf + AT_BASE_OFFSET, 100);
	put_be32(buf + AT_LEADER_EPOCH, 0);
	CHECK_ERRNO(send(fd, buf, size, 0), EINVAL);
	CHECK(!append_as(fd, SLUICE_AS_REPLICA));
	CHECK_EQ(send(fd, buf, size, 0), size);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 102);
	CHECK_ERRNO(send(fd, buf, size, 0), ERANGE);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 102);
	close(fd);
}

/* An ABORT marker: a control batch of one record, whose key is version and type. */
static size_t marker(uint8_t *buf)
{
	static const uint8_t record[] = {
		2 * 16,			  /* length 16 */
		0,	0, 0,		  /* attributes, deltas */
		2 * 4,	0, 0, 0, 0,	  /* key: version 0, type 0 */
		2 * 6,	0, 0, 0, 0, 0, 0, /* value: version 0, coordinator epoch 0 */
		0,			  /* no headers */
	};
	struct batch_header h = BATCH_HEADER_INIT;
	const char *value = "";
	size_t size;

	h.attributes = (1 << 4) | (1 << 5);
	h.producer_id = 7;
	h.producer_epoch = 0;
	batch_encode(buf, &h, &value, 1);
	memcpy(buf + AT_RECORDS, record, sizeof(record));
	size = AT_RECORDS + sizeof(record);
	put_be32(buf + AT_LENGTH, (uint32_t)size - 12);
	batch_fix_crc(buf, size);
	return size;
}

static void append_as__coordinator(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = producer(SOCK_STREAM, &t, 0);
	uint8_t buf[256];
	size_t size = marker(buf);

	CHECK_ERRNO(send(fd, buf, size, 0), EINVAL);
	CHECK(!append_as(fd, SLUICE_AS_COORDINATOR));
	CHECK_EQ(send(fd, buf, size, 0), size);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 1);
	close(fd);
}

static const struct test tests[] = {
	TEST(append_as__who_may),
	TEST(append_as__replica),
	TEST(append_as__coordinator),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
