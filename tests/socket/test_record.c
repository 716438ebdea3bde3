// SPDX-License-Identifier: Apache-2.0
/* Records through SOCK_SEQPACKET: what went in comes out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static struct got got;

static int64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void record__whole(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const struct header headers[] = {
		{"trace", 5, "abc\0def", 7},
		{"none", 4, NULL, -1},
		{"", 0, "", 0},
		{"trace", 5, "again", 5},
	};
	struct record r = {
		.key = "key\0bin",
		.key_len = 7,
		.value = "the value",
		.value_len = 9,
		.headers = headers,
		.n_headers = 4,
		.timestamp = 1234567890123,
	};

	CHECK_EQ(send_record(in, &r, 0), 9);
	CHECK_EQ(receive(out, &got, 0), 9);
	CHECK(got_text(&got, "the value"));
	CHECK(got.flags & MSG_EOR);
	CHECK(!(got.flags & (MSG_TRUNC | MSG_CTRUNC)));
	CHECK(got.has_info && got.has_key);
	CHECK_EQ(got.info.offset, 0);
	CHECK_EQ(got.info.timestamp, 1234567890123);
	CHECK_EQ(got.info.partition, 0);
	CHECK_EQ(got.info.flags, 0);
	CHECK_EQ(got.info.leader_epoch, topic_partition(&t, 0).leader_epoch);
	CHECK(!memcmp(got.info.topic_id, t.id, sizeof(t.id)));
	CHECK_EQ(got.key_len, 7);
	CHECK(!memcmp(got.key, "key\0bin", 7));
	CHECK_EQ(got.n_headers, 4);
	CHECK_EQ(got.headers[0].key_len, 5);
	CHECK_EQ(got.headers[0].value_len, 7);
	CHECK(!memcmp(got.headers[0].data, "traceabc\0def", 12));
	CHECK_EQ(got.headers[1].value_len, -1);
	CHECK_EQ(got.headers[2].key_len, 0);
	CHECK_EQ(got.headers[2].value_len, 0);
	CHECK(!memcmp(got.headers[3].data, "traceagain", 10));
	close(in);
	close(out);
}

static void record__null_and_empty(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct record tombstone = {.key = "k", .key_len = 1};
	struct record empty = {.key = "", .key_len = 0, .value = ""};

	CHECK_EQ(send_record(in, &tombstone, 0), 0);
	CHECK_EQ(send_record(in, &empty, 0), 0);
	CHECK_EQ(send(in, NULL, 0, 0), 0);
	CHECK_EQ(receive(out, &got, 0), 0);
	CHECK(got.has_key && got.key_len == 1);
	CHECK_EQ(got.info.flags, SLUICE_RECORD_NULL_VALUE);
	CHECK_EQ(receive(out, &got, 0), 0);
	CHECK(got.has_key && got.key_len == 0);
	CHECK_EQ(got.info.flags, 0);
	CHECK_EQ(receive(out, &got, 0), 0);
	CHECK(!got.has_key);
	CHECK_EQ(got.info.offset, 2);
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	close(in);
	close(out);
}

static void record__time_is_now(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	int64_t before = wall_ms();

	CHECK_EQ(send_text(in, "x"), 1);
	CHECK_EQ(receive(out, &got, 0), 1);
	CHECK(got.info.timestamp >= before - 100 && got.info.timestamp <= wall_ms() + 100);
	close(in);
	close(out);
}

static void record__log_append_time(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_MESSAGE_TIMESTAMP_TYPE,
					   .message_timestamp_type = 1};
	struct topic t = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct record r = {.value = "x", .value_len = 1, .timestamp = 5};
	int64_t before = wall_ms();

	CHECK_EQ(send_record(in, &r, 0), 1);
	CHECK_EQ(receive(out, &got, 0), 1);
	CHECK_EQ(got.info.flags, SLUICE_RECORD_LOG_APPEND_TIME);
	CHECK(got.info.timestamp >= before - 100);
	close(in);
	close(out);
}

static void record__order_and_offsets(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	char text[32];

	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "record %d", i);
		CHECK(send_text(in, text) > 0);
	}
	for (int i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "record %d", i);
		CHECK(receive(out, &got, 0) > 0);
		CHECK(got_text(&got, text));
		CHECK_EQ(got.info.offset, i);
	}
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(topic_partition(&t, 0).append_records, 500);
	CHECK_EQ(topic_partition(&t, 0).fetches, 500);
	close(in);
	close(out);
}

/* Values and rolls: pages, page borders, several segments. */
static void record__sizes_over_segments(void)
{
	static const size_t sizes[] = {1, 4095, 4096, 4097, 12288, 40000};
	struct kern_topic_config config = {.set = KERN_CONFIG_SEGMENT_BYTES,
					   .segment_bytes = 100000};
	struct topic t = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	static char value[40000];

	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			memset(value, 'a' + round, sizes[i]);
			value[sizes[i] - 1] = (char)('0' + i);
			CHECK_EQ(send(in, value, sizes[i], 0), sizes[i]);
		}
	}
	CHECK(topic_partition(&t, 0).segments > 3);
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			memset(value, 'a' + round, sizes[i]);
			value[sizes[i] - 1] = (char)('0' + i);
			CHECK_EQ(receive(out, &got, 0), sizes[i]);
			CHECK(!memcmp(got.value, value, sizes[i]));
		}
	}
	close(in);
	close(out);
}

/* Expected partitions from Kafka's own murmur2 (UtilsTest.testMurmur2). */
static void partition__by_key(void)
{
	static const struct {
		const char *key;
		int32_t murmur2;
	} keys[] = {
		{"21", -973932308},
		{"foobar", -790332482},
		{"a-little-bit-long-string", -985981536},
		{"a-little-bit-longer-string", -1486304829},
		{"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
		{"abc", 479470107},
	};
	struct topic t = topic_new(7, NULL);
	int in = producer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY);
	int out = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct record r = {.key = keys[i].key,
				   .key_len = strlen(keys[i].key),
				   .value = "v",
				   .value_len = 1};

		CHECK_EQ(send_record(in, &r, 0), 1);
		CHECK_EQ(receive(out, &got, 0), 1);
		CHECK_EQ(got.info.partition, (keys[i].murmur2 & 0x7fffffff) % 7);
	}
	close(in);
	close(out);
}

static void partition__sticky_without_a_key(void)
{
	struct topic t = topic_new(16, NULL);
	int out = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);
	int first = -1;
	bool differ = false;

	for (int socket = 0; socket < 16; socket++) {
		int in = producer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY), mine = -1;

		for (int i = 0; i < 4; i++) {
			CHECK_EQ(send_text(in, "x"), 1);
			CHECK_EQ(receive(out, &got, 0), 1);
			if (!i)
				mine = got.info.partition;
			CHECK_EQ(got.info.partition, mine);
		}
		if (first < 0)
			first = mine;
		differ |= mine != first;
		close(in);
	}
	/* Sixteen sockets on one of sixteen partitions: one in 10^18. */
	CHECK(differ);
	close(out);
}

static void partition__by_record_and_by_name(void)
{
	struct topic t = topic_new(3, NULL), other = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);
	int out_other = consumer(SOCK_SEQPACKET, &other, 0, SLUICE_OFFSET_EARLIEST);
	struct record r = {.value = "x", .value_len = 1, .partition = 2 + 1};
	struct sockaddr_sluice addr = address(&other, 0);

	CHECK_EQ(send_record(in, &r, 0), 1);
	CHECK_EQ(receive(out, &got, 0), 1);
	CHECK_EQ(got.info.partition, 2);
	r.partition = 3 + 1;
	CHECK_ERRNO(send_record(in, &r, 0), ENOENT);
	/* Addressed, not connected; and a connected one that is addressed. */
	CHECK_EQ(sendto(in, "y", 1, 0, (struct sockaddr *)&addr, sizeof(addr)), 1);
	CHECK_EQ(receive(out_other, &got, 0), 1);
	CHECK(!memcmp(got.info.topic_id, other.id, sizeof(other.id)));
	addr.sl_partition = 1;
	CHECK_ERRNO(sendto(in, "y", 1, 0, (struct sockaddr *)&addr, sizeof(addr)), ENOENT);
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	close(in);
	close(out);
	close(out_other);
}

static void partition__all_take_turns(void)
{
	struct topic t = topic_new(3, NULL);
	int in = producer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY);
	int out, seen[3] = {0};

	for (int i = 0; i < 30; i++) {
		struct record r = {.value = "x", .value_len = 1, .partition = i % 3 + 1};

		CHECK_EQ(send_record(in, &r, 0), 1);
	}
	out = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);
	for (int i = 0; i < 30; i++) {
		CHECK_EQ(receive(out, &got, 0), 1);
		CHECK_EQ(got.info.offset, seen[got.info.partition]);
		seen[got.info.partition]++;
		/* No partition is ever more than a turn ahead of another. */
		for (int p = 0; p < 3; p++)
			CHECK(seen[p] >= i / 3 && seen[p] <= i / 3 + 1);
	}
	close(in);
	close(out);
}

static void partition__added_later(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY);
	struct record r = {.value = "x", .value_len = 1, .partition = 1 + 1};

	CHECK_ERRNO(send_record(in, &r, 0), ENOENT);
	topic_grow(&t, 2);
	CHECK_EQ(send_record(in, &r, 0), 1);
	CHECK_EQ(topic_partition(&t, 1).log_end_offset, 1);
	close(in);
}

static void recv__says_where_from(void)
{
	struct topic t = topic_new(2, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 1);
	int out = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);
	struct sockaddr_sluice addr;
	socklen_t len = sizeof(addr);
	char byte;

	CHECK_EQ(send_text(in, "x"), 1);
	CHECK_EQ(recvfrom(out, &byte, 1, 0, (struct sockaddr *)&addr, &len), 1);
	CHECK_EQ(len, sizeof(addr));
	CHECK_EQ(addr.sl_partition, 1);
	CHECK(!strcmp(addr.sl_topic, t.name));
	close(in);
	close(out);
}

/* One message built by hand: level, type, length, content. */
static ssize_t send_cmsg(int fd, int level, int type, const void *data, size_t len, bool twice)
{
	char control[512] __attribute__((aligned(8))) = {0};
	struct iovec iov = {.iov_base = "x", .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};

	for (int i = 0; i < 1 + twice; i++) {
		struct cmsghdr *c = (void *)(control + msg.msg_controllen);

		c->cmsg_level = level;
		c->cmsg_type = type;
		c->cmsg_len = CMSG_LEN(len);
		memcpy(CMSG_DATA(c), data, len);
		msg.msg_controllen += CMSG_SPACE(len);
	}
	return sendmsg(fd, &msg, 0);
}

static void cmsg__wrong(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	struct sluice_record_info good = {.timestamp = -1, .partition = -1}, info = good;
	struct {
		struct sluice_record_header h;
		char data[8];
	} header = {.h = {.key_len = 4, .value_len = 4}};
	struct sluice_receipt_request receipt = {.when = 3};

	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 5, "", 1, false), EINVAL);
	CHECK_ERRNO(send_cmsg(in, SOL_SOCKET, 1, "", 1, false), EINVAL);
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 1, &info, sizeof(info) - 1, false), EINVAL);
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 1, (char[64]){0}, sizeof(info) + 1, false), EINVAL);
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 1, &info, sizeof(info), true), EINVAL);
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 2, "k", 1, true), EINVAL);
	info.reserved = 1;
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 1, &info, sizeof(info), false), EINVAL);
	info = good;
	info.flags = SLUICE_RECORD_BATCH;
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 1, &info, sizeof(info), false), EINVAL);
	info.flags = SLUICE_RECORD_NULL_VALUE; /* but there is data */
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 1, &info, sizeof(info), false), EINVAL);
	info = good;
	info.timestamp = -2;
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 1, &info, sizeof(info), false), EINVAL);
	info = good;
	info.partition = -2;
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 1, &info, sizeof(info), false), EINVAL);
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 3, &header, 7, false), EINVAL);
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 3, &header, 15, false), EINVAL);
	header.h.key_len = 5;
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 3, &header, 16, false), EINVAL);
	header.h.key_len = -1;
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 3, &header, 16, false), EINVAL);
	header.h.key_len = 0x7fffffff;
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 3, &header, 16, false), EINVAL);
	header.h.key_len = 8;
	header.h.value_len = -2;
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 3, &header, 16, false), EINVAL);
	CHECK_ERRNO(send_cmsg(in, SOL_SLUICE, 4, &receipt, sizeof(receipt), false), EINVAL);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 0);
	CHECK_EQ(send_cmsg(in, SOL_SLUICE, 1, &good, sizeof(good), false), 1);
	close(in);
}

static void send__flags(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	char byte;

	CHECK_EQ(send(in, "x", 1, MSG_DONTWAIT | MSG_EOR), 1);
	CHECK_ERRNO(send(in, "x", 1, MSG_OOB), EOPNOTSUPP);
	CHECK_ERRNO(send(in, "x", 1, MSG_CONFIRM), EOPNOTSUPP);
	CHECK_ERRNO(recv(out, &byte, 1, MSG_OOB), EOPNOTSUPP);
	CHECK_EQ(recv(out, &byte, 1, MSG_WAITALL), 1);
	close(in);
	close(out);
}

static void send__too_large(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_MAX_MESSAGE_BYTES,
					   .max_message_bytes = 5000};
	struct topic t = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	static char value[1 << 21];
	size_t fits = 0;

	CHECK_ERRNO(send(in, value, sizeof(value), 0), EMSGSIZE);
	CHECK_ERRNO(send(in, value, 5001, 0), EMSGSIZE);
	CHECK_ERRNO(send(in, value, 5000, 0), EMSGSIZE);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 0);
	/* The limit is the batch's: 61 bytes of header and up to 20 of record. */
	for (size_t size = 5000 - 61; size > 5000 - 90 && !fits; size--)
		if (send(in, value, size, 0) == (ssize_t)size)
			fits = size;
	/* length 2, attributes, two deltas, key, value length 2, headers */
	CHECK_EQ(fits, 5000 - 61 - 2 - 1 - 1 - 1 - 1 - 2 - 1);
	CHECK_EQ(receive(out, &got, 0), fits);
	CHECK(!flush_topic(in, &t));
	CHECK_EQ(topic_partition(&t, 0).size_bytes, 5000);
	close(in);
	close(out);
}

static void sendmmsg__several(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct iovec iov[4];
	struct mmsghdr msgs[4] = {0};
	char bytes[4];

	for (int i = 0; i < 4; i++) {
		iov[i] = (struct iovec){.iov_base = "abcd" + i, .iov_len = 1};
		msgs[i].msg_hdr = (struct msghdr){.msg_iov = &iov[i], .msg_iovlen = 1};
	}
	CHECK_EQ(sendmmsg(in, msgs, 4, 0), 4);
	for (int i = 0; i < 4; i++)
		iov[i].iov_base = &bytes[i];
	CHECK_EQ(recvmmsg(out, msgs, 4, MSG_WAITFORONE, NULL), 4);
	CHECK(!memcmp(bytes, "abcd", 4));
	close(in);
	close(out);
}

static void read_write__plain(void)
{
	struct topic t = topic_new(1, NULL);
	int both = producer(SOCK_SEQPACKET, &t, 0);
	char text[8];

	CHECK(!bind_topic(both, &t, 0));
	CHECK_EQ(write(both, "hello", 5), 5);
	CHECK_EQ(read(both, text, sizeof(text)), 5);
	CHECK(!memcmp(text, "hello", 5));
	close(both);
}

static const struct test tests[] = {
	TEST(record__whole),
	TEST(record__null_and_empty),
	TEST(record__time_is_now),
	TEST(record__log_append_time),
	TEST(record__order_and_offsets),
	TEST(record__sizes_over_segments),
	TEST(partition__by_key),
	TEST(partition__sticky_without_a_key),
	TEST(partition__by_record_and_by_name),
	TEST(partition__all_take_turns),
	TEST(partition__added_later),
	TEST(recv__says_where_from),
	TEST(cmsg__wrong),
	TEST(send__flags),
	TEST(send__too_large),
	TEST(sendmmsg__several),
	TEST(read_write__plain),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
