// SPDX-License-Identifier: Apache-2.0
/* Receipts: what became of a record, told by MSG_ERRQUEUE. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define RECEIPTS_MAX 16384

static int poll_now(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents;
}

static ssize_t send_with_receipt(int fd, uint32_t when, uint64_t cookie)
{
	const struct sluice_receipt_request request = {.when = when, .cookie = cookie};
	const struct record r = {.value = "x", .value_len = 1, .receipt = &request};

	return send_record(fd, &r, 0);
}

static void receipt__appended(void)
{
	struct topic t = topic_new(2, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 1);
	struct sluice_event events[4];

	CHECK_ERRNO(read_events(in, events, 4), EAGAIN);
	CHECK_EQ(poll_now(in), 0);
	CHECK_EQ(send_text(in, "no receipt"), 10);
	CHECK_EQ(send_with_receipt(in, SLUICE_RECEIPT_APPENDED, 77), 1);
	CHECK_EQ(send_with_receipt(in, SLUICE_RECEIPT_NONE, 78), 1);
	CHECK_EQ(send_with_receipt(in, SLUICE_RECEIPT_APPENDED, 79), 1);
	CHECK_EQ(poll_now(in), POLLERR);
	CHECK_EQ(read_events(in, events, 4), 2);
	CHECK_EQ(events[0].type, SLUICE_EVENT_RECEIPT);
	CHECK_EQ(events[0].error, 0);
	CHECK_EQ(events[0].cookie, 77);
	CHECK_EQ(events[0].offset, 1);
	CHECK_EQ(events[0].timestamp, -1);
	CHECK_EQ(events[0].log_start_offset, 0);
	CHECK_EQ(events[0].partition, 1);
	CHECK_EQ(events[0].reserved, 0);
	CHECK(!memcmp(events[0].topic_id, t.id, sizeof(t.id)));
	CHECK_EQ(events[1].cookie, 79);
	CHECK_EQ(events[1].offset, 3);
	CHECK_EQ(poll_now(in), 0);
	close(in);
}

static void receipt__durable(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	uint32_t when = SLUICE_RECEIPT_DURABLE;
	struct sluice_event event;
	bool seen[20] = {0};

	CHECK_EQ(send_with_receipt(in, SLUICE_RECEIPT_DURABLE, 5), 1);
	CHECK(wait_event(in, &event));
	CHECK_EQ(event.cookie, 5);
	CHECK_EQ(event.error, 0);
	CHECK_EQ(event.offset, 0);
	CHECK(topic_partition(&t, 0).recovery_point >= 1);
	/* By the socket's default: cookie 0, one for each send. */
	CHECK(!set_option(in, SLUICE_RECEIPTS, &when, sizeof(when)));
	for (int i = 0; i < 20; i++)
		CHECK_EQ(send_text(in, "y"), 1);
	for (int i = 0; i < 20; i++) {
		CHECK(wait_event(in, &event));
		CHECK_EQ(event.error, 0);
		CHECK_EQ(event.cookie, 0);
		CHECK(event.offset > 0 && event.offset <= 20 && !seen[event.offset - 1]);
		seen[event.offset - 1] = true;
	}
	CHECK(topic_partition(&t, 0).recovery_point >= 21);
	close(in);
}

static void receipt__log_append_time(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_MESSAGE_TIMESTAMP_TYPE,
					   .message_timestamp_type = 1};
	struct topic t = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	struct sluice_event event;

	CHECK_EQ(send_with_receipt(in, SLUICE_RECEIPT_APPENDED, 1), 1);
	CHECK_EQ(read_events(in, &event, 1), 1);
	CHECK(event.timestamp > 0);
	close(in);
}

static void receipt__of_batches(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	uint32_t when = SLUICE_RECEIPT_DURABLE;
	struct sluice_event event;
	uint8_t buf[1024];
	size_t size = batch_simple(buf, "a", 3);

	CHECK(!set_option(in, SLUICE_RECEIPTS, &when, sizeof(when)));
	CHECK_EQ(send(in, buf, size, 0), size);
	size += batch_simple(buf + size, "b", 2);
	/* One receipt for a send, with the first offset; all of it is durable. */
	CHECK_EQ(send(in, buf, size, 0), size);
	CHECK(wait_event(in, &event));
	CHECK_EQ(event.offset, 0);
	CHECK(wait_event(in, &event));
	CHECK_EQ(event.offset, 3);
	CHECK(topic_partition(&t, 0).recovery_point >= 8);
	CHECK_ERRNO(read_events(in, &event, 1), EAGAIN);
	close(in);
}

static void receipt__none_for_a_failure(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_MAX_MESSAGE_BYTES,
					   .max_message_bytes = 100};
	struct topic t = topic_new(1, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	uint32_t when = SLUICE_RECEIPT_APPENDED;
	struct sluice_event event;
	char large[200] = {0};

	CHECK(!set_option(in, SLUICE_RECEIPTS, &when, sizeof(when)));
	CHECK_ERRNO(send(in, large, sizeof(large), 0), EMSGSIZE);
	CHECK_ERRNO(send(in, (void *)8, 10, 0), EFAULT);
	CHECK_ERRNO(read_events(in, &event, 1), EAGAIN);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 0);
	close(in);
}

static void receipt__reading(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	struct sluice_event events[8];

	for (uint64_t i = 0; i < 5; i++)
		CHECK_EQ(send_with_receipt(in, SLUICE_RECEIPT_APPENDED, i), 1);
	CHECK_ERRNO(recv(in, events, sizeof(events[0]) - 1, MSG_ERRQUEUE), EINVAL);
	CHECK_ERRNO(recv(in, (void *)8, sizeof(events[0]), MSG_ERRQUEUE), EFAULT);
	/* Only whole ones, and none is lost by a short buffer. */
	CHECK_EQ(recv(in, events, sizeof(events[0]) * 2 + 63, MSG_ERRQUEUE), sizeof(events[0]) * 2);
	CHECK_EQ(events[0].cookie, 0);
	CHECK_EQ(events[1].cookie, 1);
	CHECK_EQ(read_events(in, events, 8), 3);
	CHECK_EQ(events[0].cookie, 2);
	CHECK_EQ(events[2].cookie, 4);
	close(in);
}

static void receipt__too_many(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	struct sluice_event *events = calloc(RECEIPTS_MAX + 1, sizeof(*events));

	CHECK(events);
	for (int i = 0; i < RECEIPTS_MAX; i++)
		CHECK_EQ(send_with_receipt(in, SLUICE_RECEIPT_APPENDED, 1), 1);
	CHECK_ERRNO(send_with_receipt(in, SLUICE_RECEIPT_APPENDED, 1), ENOBUFS);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, RECEIPTS_MAX);
	/* Without one it goes on; and with one once there is room. */
	CHECK_EQ(send_text(in, "x"), 1);
	CHECK_EQ(read_events(in, events, 1), 1);
	CHECK_EQ(send_with_receipt(in, SLUICE_RECEIPT_APPENDED, 2), 1);
	CHECK_EQ(read_events(in, events, RECEIPTS_MAX + 1), RECEIPTS_MAX);
	CHECK_EQ(events[RECEIPTS_MAX - 1].cookie, 2);
	free(events);
	close(in);
}

/* Closed with receipts unread, and with some that the disk still owes. */
static void receipt__close_before(void)
{
	struct topic t = topic_new(1, NULL);

	for (int i = 0; i < 30; i++) {
		int in = producer(SOCK_SEQPACKET, &t, 0);

		CHECK_EQ(send_with_receipt(in, SLUICE_RECEIPT_APPENDED, 1), 1);
		CHECK_EQ(send_with_receipt(in, SLUICE_RECEIPT_DURABLE, 2), 1);
		CHECK_EQ(send_with_receipt(in, SLUICE_RECEIPT_DURABLE, 3), 1);
		close(in);
	}
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 90);
}

static void flush__by_option(void)
{
	struct topic t = topic_new(2, NULL);
	int in = producer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY), other;
	struct sluice_flush flush = {.partition = 0};

	for (int p = 0; p < 2; p++) {
		struct record r = {.value = "x", .value_len = 1, .partition = p + 1};

		CHECK_EQ(send_record(in, &r, 0), 1);
	}
	CHECK(!set_option(in, SLUICE_FLUSH, &flush, sizeof(flush)));
	CHECK_EQ(topic_partition(&t, 0).recovery_point, 1);
	flush.partition = SLUICE_PARTITION_ANY;
	CHECK(!set_option(in, SLUICE_FLUSH, &flush, sizeof(flush)));
	CHECK_EQ(topic_partition(&t, 1).recovery_point, 1);
	flush.partition = 2;
	CHECK_ERRNO(set_option(in, SLUICE_FLUSH, &flush, sizeof(flush)), ENOENT);
	flush.partition = -2;
	CHECK_ERRNO(set_option(in, SLUICE_FLUSH, &flush, sizeof(flush)), EINVAL);
	/* By id, from a socket that is not connected. */
	other = open_socket(SOCK_SEQPACKET);
	flush.partition = 0;
	CHECK_ERRNO(set_option(other, SLUICE_FLUSH, &flush, sizeof(flush)), EDESTADDRREQ);
	memcpy(flush.topic_id, t.id, sizeof(t.id));
	CHECK(!set_option(other, SLUICE_FLUSH, &flush, sizeof(flush)));
	flush.topic_id[3] ^= 1;
	CHECK_ERRNO(set_option(other, SLUICE_FLUSH, &flush, sizeof(flush)), ENOENT);
	close(in);
	close(other);
}

static const struct test tests[] = {
	TEST(receipt__appended),
	TEST(receipt__durable),
	TEST(receipt__log_append_time),
	TEST(receipt__of_batches),
	TEST(receipt__none_for_a_failure),
	TEST(receipt__reading),
	TEST(receipt__too_many),
	TEST(receipt__close_before),
	TEST(flush__by_option),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
