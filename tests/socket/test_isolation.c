// SPDX-License-Identifier: Apache-2.0
/* SLUICE_ISOLATION: reading only what was committed. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static struct got got;

static int isolate(int fd, uint32_t isolation)
{
	return set_option(fd, SLUICE_ISOLATION, &isolation, sizeof(isolation));
}

static int committed_consumer(const struct topic *t, int64_t start)
{
	int fd = open_socket(SOCK_SEQPACKET);

	if (isolate(fd, SLUICE_READ_COMMITTED))
		die("SLUICE_ISOLATION: %s", error_text(fd));
	if (set_option(fd, SLUICE_START, &start, sizeof(start)) || bind_topic(fd, t, 0))
		die("bind: %s", error_text(fd));
	return fd;
}

/* A socket that may send what a coordinator does, too. */
static int coordinator(const struct topic *t)
{
	int fd = producer(SOCK_STREAM, t, 0);
	uint32_t as = SLUICE_AS_COORDINATOR;

	if (set_option(fd, SLUICE_APPEND_AS, &as, sizeof(as)))
		die("SLUICE_APPEND_AS: %s", error_text(fd));
	return fd;
}

static void must_send(int fd, const uint8_t *buf, size_t size)
{
	if (send(fd, buf, size, 0) != (ssize_t)size)
		die("send: %s", error_text(fd));
}

static void in_transaction(int fd, int64_t producer, int32_t sequence, const char *value)
{
	uint8_t buf[256];

	must_send(fd, buf, batch_transaction(buf, producer, sequence, value));
}

static void end_transaction(int fd, int64_t producer, bool commit)
{
	uint8_t buf[256];

	must_send(fd, buf, batch_marker(buf, producer, commit));
}

static int poll_now(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents;
}

static bool nothing(int fd)
{
	return poll_now(fd) == 0 && receive(fd, &got, MSG_DONTWAIT) == -1 && errno == EAGAIN;
}

static bool receives(int fd, const char *text)
{
	return poll_now(fd) == POLLIN && receive(fd, &got, MSG_DONTWAIT) >= 0 &&
	       got_text(&got, text);
}

static void isolation__of_two_producers(void)
{
	struct topic t = topic_new(1, NULL);
	int in = coordinator(&t), plain = producer(SOCK_SEQPACKET, &t, 0);
	int all = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	int out = committed_consumer(&t, SLUICE_OFFSET_EARLIEST);

	in_transaction(in, 7, 0, "a0");
	in_transaction(in, 8, 0, "b0");
	/* Also what is of no transaction waits for those before it. */
	CHECK_EQ(send_text(plain, "p"), 1);
	in_transaction(in, 7, 1, "a1");
	CHECK(nothing(out));
	end_transaction(in, 7, false);
	CHECK(nothing(out));
	in_transaction(in, 8, 1, "b1");
	CHECK(nothing(out));
	end_transaction(in, 8, true);
	CHECK(receives(out, "b0"));
	CHECK(receives(out, "p"));
	CHECK(receives(out, "b1"));
	CHECK_EQ(got.info.offset, 5);
	CHECK(nothing(out));
	CHECK_EQ(send_text(plain, "q"), 1);
	CHECK(receives(out, "q"));
	in_transaction(in, 7, 2, "c");
	CHECK_EQ(send_text(plain, "r"), 1);
	CHECK(nothing(out));
	end_transaction(in, 7, true);
	CHECK(receives(out, "c"));
	CHECK(receives(out, "r"));
	CHECK(nothing(out));
	for (int i = 0; i < 8; i++) {
		static const char *const texts[] = {"a0", "b0", "p", "a1", "b1", "q", "c", "r"};

		CHECK(receives(all, texts[i]));
	}
	close(in);
	close(plain);
	close(all);
	close(out);
}

static void isolation__latest_and_positions(void)
{
	struct topic t = topic_new(1, NULL);
	int in = coordinator(&t), out;
	struct sluice_position pos = {.partition = 0};

	in_transaction(in, 7, 0, "a");
	end_transaction(in, 7, true);
	in_transaction(in, 7, 1, "b");
	in_transaction(in, 7, 2, "c");
	out = committed_consumer(&t, SLUICE_OFFSET_LATEST);
	CHECK(!get_option(out, SLUICE_POSITION, &pos, sizeof(pos)));
	CHECK_EQ(pos.offset, 2);
	CHECK_EQ(pos.last_stable_offset, 2);
	CHECK_EQ(pos.high_watermark, 4);
	CHECK(nothing(out));
	/* Beyond it one may wait, as in Kafka. */
	CHECK(!seek_to(out, 0, 3));
	CHECK(nothing(out));
	end_transaction(in, 7, true);
	CHECK(receives(out, "c"));
	close(in);
	close(out);
}

static void isolation__changed_meanwhile(void)
{
	struct topic t = topic_new(1, NULL);
	int in = coordinator(&t);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	uint32_t isolation = 7;

	CHECK(!get_option(out, SLUICE_ISOLATION, &isolation, sizeof(isolation)));
	CHECK_EQ(isolation, SLUICE_READ_UNCOMMITTED);
	in_transaction(in, 7, 0, "a");
	in_transaction(in, 7, 1, "b");
	in_transaction(in, 7, 2, "c");
	CHECK(receives(out, "a"));
	/* One was found, and is not to be seen any more. */
	CHECK_EQ(receive(out, &got, MSG_PEEK), 1);
	CHECK(!isolate(out, SLUICE_READ_COMMITTED));
	CHECK(!get_option(out, SLUICE_ISOLATION, &isolation, sizeof(isolation)));
	CHECK_EQ(isolation, SLUICE_READ_COMMITTED);
	CHECK(nothing(out));
	CHECK(!isolate(out, SLUICE_READ_UNCOMMITTED));
	CHECK(receives(out, "b"));
	CHECK(!isolate(out, SLUICE_READ_COMMITTED));
	CHECK(nothing(out));
	end_transaction(in, 7, false);
	CHECK(nothing(out));
	CHECK(!isolate(out, SLUICE_READ_UNCOMMITTED));
	CHECK(!seek_to(out, 0, 2));
	CHECK(receives(out, "c"));
	close(in);
	close(out);
}

/* What a stream has begun to read it reads to its end, whatever it says again. */
static void isolation__stream(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_STREAM, &t, 0);
	int out = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	uint8_t batch[256], bytes[256];
	size_t size = batch_simple(batch, "a", 3);

	must_send(in, batch, size);
	CHECK_EQ(recv(out, bytes, 70, MSG_DONTWAIT), 70);
	CHECK(!isolate(out, SLUICE_READ_UNCOMMITTED));
	CHECK_ERRNO(isolate(out, SLUICE_READ_COMMITTED), EOPNOTSUPP);
	CHECK_EQ(recv(out, bytes + 70, sizeof(bytes) - 70, MSG_DONTWAIT), size - 70);
	/* The log has set the epoch, which is before the magic. */
	CHECK(!memcmp(bytes + AT_MAGIC, batch + AT_MAGIC, size - AT_MAGIC));
	close(in);
	close(out);
}

static void isolation__wrong(void)
{
	struct topic t = topic_new(1, NULL);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	int stream = open_socket(SOCK_STREAM);
	uint64_t large = 1;

	CHECK_ERRNO(isolate(out, 2), EINVAL);
	CHECK_ERRNO(set_option(out, SLUICE_ISOLATION, &large, sizeof(large)), EINVAL);
	CHECK_ERRNO(isolate(stream, SLUICE_READ_COMMITTED), EOPNOTSUPP);
	CHECK(!isolate(stream, SLUICE_READ_UNCOMMITTED));
	close(out);
	close(stream);
}

/* The marker that aborted is truncated, and then the transaction is committed. */
static void isolation__truncated(void)
{
	struct topic t = topic_new(1, NULL);
	int in = coordinator(&t), plain = producer(SOCK_SEQPACKET, &t, 0);
	int out = committed_consumer(&t, SLUICE_OFFSET_EARLIEST);

	in_transaction(in, 7, 0, "a");
	end_transaction(in, 7, false);
	CHECK_EQ(send_text(plain, "p"), 1);
	CHECK(receives(out, "p"));
	CHECK(!kern_partition_truncate(test_kern(), t.name, 0, 1));
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), ERANGE);
	CHECK_EQ(position(out, 0), 1);
	CHECK(nothing(out));
	CHECK(!seek_to(out, 0, 0));
	CHECK(nothing(out));
	end_transaction(in, 7, true);
	CHECK(receives(out, "a"));
	CHECK(nothing(out));
	close(in);
	close(plain);
	close(out);
}

/* An open transaction goes: what waited for it is told without another append. */
static void isolation__truncated_to_stable(void)
{
	struct topic t = topic_new(1, NULL);
	int in = coordinator(&t), plain = producer(SOCK_SEQPACKET, &t, 0);
	int out = committed_consumer(&t, SLUICE_OFFSET_EARLIEST);

	CHECK_EQ(send_text(plain, "p"), 1);
	CHECK_EQ(send_text(plain, "q"), 1);
	in_transaction(in, 7, 0, "a");
	CHECK(!kern_partition_truncate(test_kern(), t.name, 0, 2));
	CHECK(receives(out, "p"));
	CHECK(receives(out, "q"));
	CHECK(nothing(out));
	close(in);
	close(plain);
	close(out);
}

#define PRODUCERS 320
#define STEPS	  4000

/* What the log is to have: who wrote each offset, and in which of its transactions. */
static struct {
	int producer; /* -1: a marker */
	int txn;
} entries[STEPS + 3 * PRODUCERS];
static int n_entries;
static bool txn_committed[STEPS + 3 * PRODUCERS];
static int n_txns;
static int txn_of[PRODUCERS], sequences[PRODUCERS];

static void step(int in, int producer, int what)
{
	char value[32];

	if (what) {
		if (txn_of[producer] < 0)
			txn_of[producer] = n_txns++;
		snprintf(value, sizeof(value), "%d", n_entries);
		in_transaction(in, producer, sequences[producer]++, value);
		entries[n_entries].producer = producer;
		entries[n_entries++].txn = txn_of[producer];
	} else if (txn_of[producer] >= 0) {
		bool commit = rand() % 2;

		end_transaction(in, producer, commit);
		txn_committed[txn_of[producer]] = commit;
		txn_of[producer] = -1;
		entries[n_entries++].producer = -1;
	}
}

static int next_visible(int from)
{
	while (from < n_entries &&
	       (entries[from].producer < 0 || !txn_committed[entries[from].txn]))
		from++;
	return from;
}

/* Many at once, and more that were aborted than the kernel looks at in one go. */
static void isolation__model(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_SEGMENT_BYTES,
					   .segment_bytes = 30000};
	struct topic t = topic_new(1, &config);
	int in = coordinator(&t);
	int out = committed_consumer(&t, SLUICE_OFFSET_EARLIEST), at = 0;

	srand(42);
	memset(txn_of, -1, sizeof(txn_of));
	for (int i = 0; i < STEPS; i++)
		step(in, rand() % 8, rand() % 3);
	/* And all that there are side by side. */
	for (int k = 0; k < 2; k++)
		for (int i = 0; i < PRODUCERS; i++)
			step(in, i, 1);
	for (int i = 0; i < PRODUCERS; i++)
		step(in, i, 0);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, n_entries);
	CHECK_EQ(topic_partition(&t, 0).last_stable_offset, n_entries);
	CHECK(topic_partition(&t, 0).segments > 5);
	for (at = next_visible(0); at < n_entries; at = next_visible(at + 1)) {
		CHECK(receive(out, &got, MSG_DONTWAIT) > 0);
		CHECK_EQ(got.info.offset, at);
		got.value[got.len] = '\0';
		CHECK_EQ(atoi(got.value), at);
	}
	CHECK(nothing(out));
	for (int i = 0; i < 300; i++) {
		at = rand() % n_entries;
		CHECK(!seek_to(out, 0, at));
		for (int k = 0; k < 3; k++) {
			at = next_visible(at);
			if (at == n_entries)
				break;
			CHECK(receive(out, &got, MSG_DONTWAIT) > 0);
			CHECK_EQ(got.info.offset, at++);
		}
	}
	close(in);
	close(out);
}

static const struct test tests[] = {
	TEST(isolation__of_two_producers),
	TEST(isolation__latest_and_positions),
	TEST(isolation__changed_meanwhile),
	TEST(isolation__stream),
	TEST(isolation__wrong),
	TEST(isolation__truncated),
	TEST(isolation__truncated_to_stable),
	TEST(isolation__model),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
