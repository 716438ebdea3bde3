// SPDX-License-Identifier: Apache-2.0
/* Who a socket appends as, and what it is told of a log. */
#include <stdbool.h>
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

static void append_as__coordinator(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = producer(SOCK_STREAM, &t, 0);
	uint8_t buf[256];
	size_t size = batch_marker(buf, 7, false);

	CHECK_ERRNO(send(fd, buf, size, 0), EINVAL);
	CHECK(!append_as(fd, SLUICE_AS_COORDINATOR));
	CHECK_EQ(send(fd, buf, size, 0), size);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 1);
	close(fd);
}

static void must_send(int fd, const uint8_t *buf, size_t size)
{
	if (send(fd, buf, size, 0) != (ssize_t)size)
		die("send: %s", error_text(fd));
}

/* Aborted at 0-1, committed at 2-3, aborted at 4-5, and so on; one open at the end. */
static struct topic transactions(int n)
{
	struct topic t = topic_new(1, NULL);
	int fd = producer(SOCK_STREAM, &t, 0);
	uint8_t buf[256];

	if (append_as(fd, SLUICE_AS_COORDINATOR))
		die("SLUICE_APPEND_AS: %s", error_text(fd));
	for (int i = 0; i < n; i++) {
		must_send(fd, buf, batch_transaction(buf, 7, i, "v"));
		must_send(fd, buf, batch_marker(buf, 7, i % 2));
	}
	must_send(fd, buf, batch_transaction(buf, 8, 0, "v"));
	close(fd);
	return t;
}

#define ROOM 3

union aborted {
	struct sluice_aborted_list list;
	uint8_t room[sizeof(struct sluice_aborted_list) + ROOM * sizeof(struct sluice_aborted)];
};

static union aborted aborted_of(const struct topic *t, int64_t offset, int64_t end_offset)
{
	union aborted a = {.list = {.offset = offset, .end_offset = end_offset}};

	memcpy(a.list.topic_id, t->id, sizeof(a.list.topic_id));
	return a;
}

static void fetch__committed(void)
{
	struct topic t = transactions(10);
	int fd = open_socket(SOCK_SEQPACKET);
	struct sluice_fetch f = {.max_bytes = 1 << 20};
	uint32_t all;

	memcpy(f.topic_id, t.id, sizeof(f.topic_id));
	CHECK(!get_option(fd, SLUICE_FETCH, &f, sizeof(f)));
	CHECK_EQ(f.last_stable_offset, 20);
	CHECK_EQ(f.high_watermark, 21);
	CHECK_EQ(f.end_offset, -1);
	all = f.bytes;
	f.flags = SLUICE_FETCH_COMMITTED;
	CHECK(!get_option(fd, SLUICE_FETCH, &f, sizeof(f)));
	CHECK_EQ(f.error, 0);
	CHECK_EQ(f.end_offset, 20);
	CHECK(f.bytes > 0 && f.bytes < all);
	f.offset = 20;
	CHECK(!get_option(fd, SLUICE_FETCH, &f, sizeof(f)));
	CHECK_EQ(f.error, 0);
	CHECK_EQ(f.bytes, 0);
	close(fd);
}

static void aborted__lists(void)
{
	struct topic t = transactions(10);
	int fd = open_socket(SOCK_SEQPACKET);
	union aborted a = aborted_of(&t, 0, 20);
	socklen_t len = sizeof(a);

	CHECK(!getsockopt(fd, SOL_SLUICE, SLUICE_ABORTED, &a, &len));
	CHECK_EQ(len, sizeof(a));
	CHECK_EQ(a.list.count, 5);
	for (int i = 0; i < ROOM; i++) {
		CHECK_EQ(a.list.txns[i].producer_id, 7);
		CHECK_EQ(a.list.txns[i].first_offset, 4 * i);
		CHECK_EQ(a.list.txns[i].last_offset, 4 * i + 1);
	}
	/* Go on behind the last. */
	a = aborted_of(&t, 10, 20);
	CHECK(!getsockopt(fd, SOL_SLUICE, SLUICE_ABORTED, &a, &len));
	CHECK_EQ(a.list.count, 2);
	CHECK_EQ(len, sizeof(a) - sizeof(struct sluice_aborted));
	CHECK_EQ(a.list.txns[0].first_offset, 12);
	CHECK_EQ(a.list.txns[1].first_offset, 16);
	/* No room: just how many. */
	a = aborted_of(&t, 2, 4);
	CHECK(!get_option(fd, SLUICE_ABORTED, &a, sizeof(a.list)));
	CHECK_EQ(a.list.count, 0);
	a = aborted_of(&t, 0, 5);
	CHECK(!get_option(fd, SLUICE_ABORTED, &a, sizeof(a.list)));
	CHECK_EQ(a.list.count, 2);
	close(fd);
}

static void aborted__refusals(void)
{
	struct topic t = transactions(2);
	int fd = open_socket(SOCK_SEQPACKET);
	union aborted a = aborted_of(&t, 0, 5);

	CHECK_ERRNO(get_option(fd, SLUICE_ABORTED, &a, sizeof(a)), ERANGE);
	a = aborted_of(&t, -1, 4);
	CHECK_ERRNO(get_option(fd, SLUICE_ABORTED, &a, sizeof(a)), ERANGE);
	a = aborted_of(&t, 3, 2);
	CHECK_ERRNO(get_option(fd, SLUICE_ABORTED, &a, sizeof(a)), EINVAL);
	a = aborted_of(&t, 0, 4);
	CHECK_ERRNO(get_option(fd, SLUICE_ABORTED, &a, sizeof(a) - 1), EINVAL);
	CHECK_ERRNO(get_option(fd, SLUICE_ABORTED, &a, sizeof(a.list) - 1), EINVAL);
	CHECK_ERRNO(get_option(fd, SLUICE_ABORTED, (void *)8, sizeof(a)), EFAULT);
	a.list.count = 1;
	CHECK_ERRNO(get_option(fd, SLUICE_ABORTED, &a, sizeof(a)), EINVAL);
	a = aborted_of(&t, 0, 4);
	a.list.partition = 1;
	CHECK_ERRNO(get_option(fd, SLUICE_ABORTED, &a, sizeof(a)), ENOENT);
	a.list.partition = 0;
	a.list.topic_id[0] ^= 1;
	CHECK_ERRNO(get_option(fd, SLUICE_ABORTED, &a, sizeof(a)), ENOENT);
	close(fd);
}

union producers {
	struct sluice_active_producers list;
	uint8_t room[sizeof(struct sluice_active_producers) +
		     ROOM * sizeof(struct sluice_active_producer)];
};

static union producers producers_of(const struct topic *t)
{
	union producers p = {.list = {.partition = 0}};

	memcpy(p.list.topic_id, t->id, sizeof(p.list.topic_id));
	return p;
}

static void active_producers__lists(void)
{
	struct topic t = transactions(2), empty = topic_new(1, NULL);
	int fd = open_socket(SOCK_SEQPACKET);
	const struct sluice_active_producer *ended, *open;
	union producers p = producers_of(&t);
	socklen_t len = sizeof(p);

	CHECK(!getsockopt(fd, SOL_SLUICE, SLUICE_ACTIVE_PRODUCERS, &p, &len));
	CHECK_EQ(p.list.count, 2);
	CHECK_EQ(len, sizeof(p.list) + 2 * sizeof(p.list.producers[0]));
	ended = &p.list.producers[p.list.producers[0].producer_id == 8];
	open = &p.list.producers[p.list.producers[0].producer_id == 7];
	CHECK_EQ(ended->producer_id, 7);
	CHECK_EQ(ended->producer_epoch, 0);
	CHECK_EQ(ended->last_sequence, 1);
	CHECK_EQ(ended->txn_start_offset, -1);
	CHECK_EQ(ended->coordinator_epoch, 0);
	CHECK_EQ(open->producer_id, 8);
	CHECK_EQ(open->last_sequence, 0);
	CHECK_EQ(open->txn_start_offset, 4);
	CHECK_EQ(open->coordinator_epoch, -1);
	/* Room for one, for none. */
	p = producers_of(&t);
	len = sizeof(p.list) + sizeof(p.list.producers[0]);
	CHECK(!getsockopt(fd, SOL_SLUICE, SLUICE_ACTIVE_PRODUCERS, &p, &len));
	CHECK_EQ(p.list.count, 2);
	CHECK_EQ(len, sizeof(p.list) + sizeof(p.list.producers[0]));
	CHECK_EQ(p.list.producers[1].producer_id, 0);
	p = producers_of(&t);
	CHECK(!get_option(fd, SLUICE_ACTIVE_PRODUCERS, &p, sizeof(p.list)));
	CHECK_EQ(p.list.count, 2);
	p = producers_of(&empty);
	CHECK(!get_option(fd, SLUICE_ACTIVE_PRODUCERS, &p, sizeof(p)));
	CHECK_EQ(p.list.count, 0);
	close(fd);
}

static void active_producers__refusals(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = open_socket(SOCK_SEQPACKET);
	union producers p = producers_of(&t);

	CHECK_ERRNO(get_option(fd, SLUICE_ACTIVE_PRODUCERS, &p, sizeof(p) - 1), EINVAL);
	CHECK_ERRNO(get_option(fd, SLUICE_ACTIVE_PRODUCERS, &p, sizeof(p.list) - 1), EINVAL);
	CHECK_ERRNO(get_option(fd, SLUICE_ACTIVE_PRODUCERS, (void *)8, sizeof(p)), EFAULT);
	p.list.count = 1;
	CHECK_ERRNO(get_option(fd, SLUICE_ACTIVE_PRODUCERS, &p, sizeof(p)), EINVAL);
	p = producers_of(&t);
	p.list.partition = 1;
	CHECK_ERRNO(get_option(fd, SLUICE_ACTIVE_PRODUCERS, &p, sizeof(p)), ENOENT);
	p = producers_of(&t);
	p.list.topic_id[0] ^= 1;
	CHECK_ERRNO(get_option(fd, SLUICE_ACTIVE_PRODUCERS, &p, sizeof(p)), ENOENT);
	close(fd);
}

static struct sluice_epoch_end epoch_end(const struct topic *t, int fd, int epoch)
{
	struct sluice_epoch_end end = {.leader_epoch = epoch, .end_offset = -77};

	memcpy(end.topic_id, t->id, sizeof(end.topic_id));
	if (get_option(fd, SLUICE_EPOCH_END, &end, sizeof(end)))
		end.end_offset = -errno;
	return end;
}

static void epoch_end__finds(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = producer(SOCK_STREAM, &t, 0);
	struct kern_topic set = {.leader_epoch = 3};
	uint8_t buf[256];
	size_t size = batch_simple(buf, "a", 2);

	memcpy(set.id, t.id, sizeof(set.id));
	must_send(fd, buf, size);
	CHECK(!kern_topic_set(test_kern(), &set));
	must_send(fd, buf, size);
	CHECK_EQ(epoch_end(&t, fd, 0).leader_epoch, 0);
	CHECK_EQ(epoch_end(&t, fd, 0).end_offset, 2);
	CHECK_EQ(epoch_end(&t, fd, 2).leader_epoch, 0);
	CHECK_EQ(epoch_end(&t, fd, 2).end_offset, 2);
	CHECK_EQ(epoch_end(&t, fd, 3).leader_epoch, 3);
	CHECK_EQ(epoch_end(&t, fd, 3).end_offset, 4);
	CHECK_EQ(epoch_end(&t, fd, 4).leader_epoch, -1);
	CHECK_EQ(epoch_end(&t, fd, 4).end_offset, -1);
	t.id[0] ^= 1;
	CHECK_EQ(epoch_end(&t, fd, 0).end_offset, -ENOENT);
	close(fd);
}

static void max_timestamp__finds(void)
{
	static const uint64_t times[] = {1000, 5000, 3000, 5000, 2000};
	struct sluice_offset_for_time q = {0};
	struct topic t = topic_new(1, NULL);
	int fd = producer(SOCK_STREAM, &t, 0);
	uint8_t buf[256];
	size_t size = batch_simple(buf, "a", 1);

	memcpy(q.topic_id, t.id, sizeof(q.topic_id));
	CHECK(!get_option(fd, SLUICE_MAX_TIMESTAMP, &q, sizeof(q)));
	CHECK_EQ(q.offset, -1);
	CHECK_EQ(q.timestamp, -1);
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		put_be64(buf + AT_BASE_TIMESTAMP, times[i]);
		put_be64(buf + AT_MAX_TIMESTAMP, times[i]);
		batch_fix_crc(buf, size);
		must_send(fd, buf, size);
	}
	CHECK(!get_option(fd, SLUICE_MAX_TIMESTAMP, &q, sizeof(q)));
	CHECK_EQ(q.offset, 1);
	CHECK_EQ(q.timestamp, 5000);
	q.reserved = 1;
	CHECK_ERRNO(get_option(fd, SLUICE_MAX_TIMESTAMP, &q, sizeof(q)), EINVAL);
	CHECK_ERRNO(get_option(fd, SLUICE_MAX_TIMESTAMP, &q, sizeof(q) - 1), EINVAL);
	close(fd);
}

static const struct test tests[] = {
	TEST(append_as__who_may),	  TEST(append_as__replica),   TEST(append_as__coordinator),
	TEST(fetch__committed),		  TEST(aborted__lists),	      TEST(aborted__refusals),
	TEST(epoch_end__finds),		  TEST(max_timestamp__finds), TEST(active_producers__lists),
	TEST(active_producers__refusals),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
