// SPDX-License-Identifier: Apache-2.0
/* Records chained with MSG_MORE: all of them enter the log, or none. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static struct got got;

static int64_t log_end(const struct topic *t, uint32_t partition)
{
	return topic_partition(t, partition).log_end_offset;
}

static ssize_t send_more(int fd, const char *text)
{
	return send(fd, text, strlen(text), MSG_MORE | MSG_NOSIGNAL);
}

static void chain__all_at_once(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	static const char *const texts[] = {"alone", "one", "two", "three", "alone again"};
	uint64_t batches;

	CHECK_EQ(send_text(in, "alone"), 5);
	batches = topic_partition(&t, 0).append_batches;
	CHECK_EQ(send_more(in, "one"), 3);
	CHECK_EQ(send_more(in, "two"), 3);
	CHECK_EQ(log_end(&t, 0), 1);
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 5);
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(send_text(in, "three"), 5);
	CHECK_EQ(log_end(&t, 0), 4);
	/* One batch, which no reader sees a part of. */
	CHECK_EQ(topic_partition(&t, 0).append_batches, batches + 1);
	CHECK_EQ(send_text(in, "alone again"), 11);
	for (int i = 1; i < 5; i++) {
		CHECK_EQ(receive(out, &got, MSG_DONTWAIT), strlen(texts[i]));
		CHECK(got_text(&got, texts[i]));
		CHECK_EQ(got.info.offset, i);
	}
	close(in);
	close(out);
}

/* Everything that goes with a record goes with it in a chain. */
static void chain__keeps_records(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	const struct header headers[] = {{"a", 1, "xyz", 3}, {"b", 1, NULL, -1}};
	const struct record first = {.key = "k1", .key_len = 2, .value = "", .timestamp = 5000};
	const struct record second = {.headers = headers, .n_headers = 2, .timestamp = 1000};
	static char large[20000];
	const struct record third = {
		.key = "", .value = large, .value_len = sizeof(large), .timestamp = 7000};

	memset(large, 'z', sizeof(large));
	CHECK_EQ(send_record(in, &first, MSG_MORE), 0);
	CHECK_EQ(send_record(in, &second, MSG_MORE), 0);
	CHECK_EQ(send_record(in, &third, 0), sizeof(large));

	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 0);
	CHECK(got.has_key && got.key_len == 2 && !memcmp(got.key, "k1", 2));
	CHECK_EQ(got.info.timestamp, 5000);
	CHECK_EQ(got.info.flags, 0);
	CHECK_EQ(got.n_headers, 0);

	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 0);
	CHECK(!got.has_key);
	CHECK_EQ(got.info.timestamp, 1000);
	CHECK_EQ(got.info.flags, SLUICE_RECORD_NULL_VALUE);
	CHECK_EQ(got.n_headers, 2);
	CHECK(!memcmp(got.headers[0].data, "axyz", 4));
	CHECK_EQ(got.headers[1].value_len, -1);

	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), sizeof(large));
	CHECK(!memcmp(got.value, large, sizeof(large)));
	CHECK(got.has_key && !got.key_len);
	CHECK_EQ(got.info.timestamp, 7000);
	CHECK_EQ(got.info.offset, 2);
	close(in);
	close(out);
}

static void chain__receipts(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	struct sluice_receipt_request request = {.when = SLUICE_RECEIPT_APPENDED, .cookie = 10};
	const struct record r = {.value = "x", .value_len = 1, .receipt = &request};
	struct sluice_event events[4];

	CHECK_EQ(send_text(in, "before"), 6);
	CHECK_EQ(send_record(in, &r, MSG_MORE), 1);
	CHECK_EQ(send_more(in, "without"), 7);
	request.cookie = 11;
	CHECK_EQ(send_record(in, &r, MSG_MORE), 1);
	/* Not before it is in the log. */
	CHECK_ERRNO(read_events(in, events, 4), EAGAIN);
	request.cookie = 12;
	request.when = SLUICE_RECEIPT_DURABLE;
	CHECK_EQ(send_record(in, &r, 0), 1);
	CHECK(wait_event(in, &events[0]));
	CHECK(wait_event(in, &events[1]));
	CHECK(wait_event(in, &events[2]));
	CHECK_ERRNO(read_events(in, events + 3, 1), EAGAIN);
	for (int i = 0; i < 3; i++) {
		static const int offsets[] = {1, 3, 4};

		CHECK_EQ(events[i].cookie, 10 + i);
		CHECK_EQ(events[i].offset, offsets[i]);
		CHECK_EQ(events[i].error, 0);
		CHECK(!memcmp(events[i].topic_id, t.id, sizeof(t.id)));
	}
	CHECK(topic_partition(&t, 0).recovery_point >= 5);
	close(in);
}

/* @r ends the chain with an error, and nothing of it is ever seen. */
static bool ends_chain(int fd, const struct topic *t, const struct record *r, int flags, int err)
{
	const struct sluice_receipt_request request = {.when = SLUICE_RECEIPT_DURABLE};
	const struct record first = {
		.key = "k", .key_len = 1, .value = "1", .value_len = 1, .receipt = &request};
	struct sluice_event event;
	int64_t end = log_end(t, 0);

	errno = 0;
	if (send_record(fd, &first, MSG_MORE) != 1 || send_record(fd, r, flags) != -1 ||
	    errno != err)
		return false;
	/* The next one is by itself, and the only one that has a receipt. */
	if (send_record(fd, &first, 0) != 1 || log_end(t, 0) != end + 1)
		return false;
	return wait_event(fd, &event) && event.offset == end && read_events(fd, &event, 1) == -1;
}

static void chain__ends_with_an_error(void)
{
	struct kern_topic_config config = {
		.set = KERN_CONFIG_MAX_MESSAGE_BYTES | KERN_CONFIG_CLEANUP_POLICY,
		.max_message_bytes = 500,
		.cleanup_policy = KERN_CLEANUP_COMPACT,
	};
	struct topic t = topic_new(2, &config);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	static char text[600];
	const struct record fits = {.key = "k", .key_len = 1, .value = text, .value_len = 420};
	const struct record other = {
		.key = "k", .key_len = 1, .value = "2", .value_len = 1, .partition = 2};
	const struct record nowhere = {
		.key = "k", .key_len = 1, .value = "2", .value_len = 1, .partition = 3};
	const struct record keyless = {.value = "2", .value_len = 1};
	const struct record pointless = {
		.key = "k", .key_len = 1, .value = (const void *)8, .value_len = 3};
	struct record large = fits;

	/* Alone it fits, but not with the one before it. */
	large.value_len = 425;
	CHECK_EQ(send_record(in, &large, 0), 425);
	CHECK(ends_chain(in, &t, &large, 0, EMSGSIZE));
	large.value_len = 600;
	CHECK(ends_chain(in, &t, &large, MSG_MORE, EMSGSIZE));
	CHECK(ends_chain(in, &t, &other, 0, EINVAL));
	CHECK(ends_chain(in, &t, &nowhere, MSG_MORE, ENOENT));
	CHECK(ends_chain(in, &t, &pointless, MSG_MORE, EFAULT));
	CHECK(ends_chain(in, &t, &pointless, 0, EFAULT));
	CHECK(ends_chain(in, &t, &fits, MSG_OOB, EOPNOTSUPP));
	/* The log refuses the last one, and with it those before. */
	CHECK(ends_chain(in, &t, &keyless, 0, EINVAL));
	CHECK_EQ(log_end(&t, 1), 0);
	close(in);
}

static void chain__by_key(void)
{
	struct topic t = topic_new(8, NULL);
	int in = producer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY);
	/* murmur2 of these, modulo 8: 4 and 6 (from Kafka's UtilsTest.testMurmur2). */
	const struct record one = {.key = "21", .key_len = 2, .value = "v", .value_len = 1};
	const struct record two = {.key = "foobar", .key_len = 6, .value = "v", .value_len = 1};
	uint32_t filled = 0;

	CHECK_EQ(send_record(in, &one, MSG_MORE), 1);
	CHECK_EQ(send_record(in, &one, 0), 1);
	CHECK_EQ(send_record(in, &one, MSG_MORE), 1);
	/* A record is never put where its key does not belong. */
	CHECK_ERRNO(send_record(in, &two, 0), EINVAL);
	for (uint32_t i = 0; i < 8; i++)
		filled += (uint32_t)log_end(&t, i);
	CHECK_EQ(filled, 2);
	close(in);
}

static void chain__gone_with_the_socket(void)
{
	const struct sluice_receipt_request request = {.when = SLUICE_RECEIPT_DURABLE};
	const struct record r = {.value = "x", .value_len = 1, .receipt = &request};
	struct topic t = topic_new(1, NULL);
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	struct sluice_event event;
	int in = producer(SOCK_SEQPACKET, &t, 0);

	CHECK_EQ(send_record(in, &r, MSG_MORE), 1);
	close(in);
	in = producer(SOCK_SEQPACKET, &t, 0);
	CHECK_EQ(send_record(in, &r, MSG_MORE), 1);
	CHECK(!connect_topic(in, &t, 0));
	CHECK_EQ(send_record(in, &r, MSG_MORE), 1);
	CHECK(!connect(in, &none, sizeof(none)));
	CHECK(!connect_topic(in, &t, 0));
	CHECK_EQ(log_end(&t, 0), 0);
	CHECK_EQ(send_text(in, "x"), 1);
	CHECK_EQ(log_end(&t, 0), 1);
	CHECK_ERRNO(read_events(in, &event, 1), EAGAIN);
	/* A topic that goes while a chain is for it. */
	CHECK_EQ(send_record(in, &r, MSG_MORE), 1);
	topic_delete(&t);
	CHECK_ERRNO(send_text(in, "x"), ENODEV);
	CHECK_ERRNO(send_text(in, "x"), ENODEV);
	close(in);
}

#define CHAINS	     200
#define CHAIN_LENGTH 8

static struct topic shared;

static void *send_chains(void *arg)
{
	int in = producer(SOCK_SEQPACKET, &shared, 0);
	char text[16];

	for (int i = 0; i < CHAINS; i++)
		for (int k = 0; k < CHAIN_LENGTH; k++) {
			snprintf(text, sizeof(text), "%s.%d.%d", (const char *)arg, i, k);
			if (send(in, text, strlen(text), k + 1 < CHAIN_LENGTH ? MSG_MORE : 0) < 0)
				die("send: %s", error_text(in));
		}
	close(in);
	return NULL;
}

static void *send_alone(void *arg)
{
	int in = producer(SOCK_SEQPACKET, &shared, 0);

	(void)arg;
	for (int i = 0; i < CHAINS * CHAIN_LENGTH; i++)
		if (send_text(in, "alone") != 5)
			die("send: %s", error_text(in));
	close(in);
	return NULL;
}

/* Whoever else appends, a chain is never interrupted. */
static void chain__of_many(void)
{
	pthread_t threads[3];
	int out, left = 0, records = 3 * CHAINS * CHAIN_LENGTH;
	char expected[16] = "", who[8] = "";

	shared = topic_new(1, NULL);
	out = consumer(SOCK_SEQPACKET, &shared, 0, SLUICE_OFFSET_EARLIEST);
	CHECK(!pthread_create(&threads[0], NULL, send_chains, "a"));
	CHECK(!pthread_create(&threads[1], NULL, send_chains, "b"));
	CHECK(!pthread_create(&threads[2], NULL, send_alone, NULL));
	for (int i = 0; i < records; i++) {
		int chain, k;

		CHECK(receive(out, &got, 0) > 0);
		got.value[got.len] = '\0';
		if (!left && got_text(&got, "alone"))
			continue;
		CHECK_EQ(sscanf(got.value, "%1[ab].%d.%d", who, &chain, &k), 3);
		if (left)
			CHECK(!strncmp(got.value, expected, strlen(expected)));
		else
			left = CHAIN_LENGTH;
		CHECK_EQ(k, CHAIN_LENGTH - left);
		snprintf(expected, sizeof(expected), "%s.%d.", who, chain);
		left--;
	}
	CHECK_EQ(left, 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(log_end(&shared, 0), records);
	close(out);
}

static int shared_fd;

static void *send_by_shared(void *arg)
{
	(void)arg;
	for (int i = 0; i < CHAINS * CHAIN_LENGTH; i++)
		if (send(shared_fd, "x", 1, i % 3 ? MSG_MORE : 0) != 1)
			die("send: %s", error_text(shared_fd));
	return NULL;
}

/* Threads that share a socket share its chain; nothing is lost. */
static void chain__shared_socket(void)
{
	pthread_t threads[2];

	shared = topic_new(1, NULL);
	shared_fd = producer(SOCK_SEQPACKET, &shared, 0);
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&threads[i], NULL, send_by_shared, NULL));
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(send_text(shared_fd, "x"), 1);
	CHECK_EQ(log_end(&shared, 0), 2 * CHAINS * CHAIN_LENGTH + 1);
	close(shared_fd);
}

static const struct test tests[] = {
	TEST(chain__all_at_once), TEST(chain__keeps_records),
	TEST(chain__receipts),	  TEST(chain__ends_with_an_error),
	TEST(chain__by_key),	  TEST(chain__gone_with_the_socket),
	TEST(chain__of_many),	  TEST(chain__shared_socket),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
