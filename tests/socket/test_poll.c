// SPDX-License-Identifier: Apache-2.0
/* poll(2) and epoll(7): never a wake-up lost, never one for nothing. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define RACE_MS 3000

static struct got got;

static int poll_now(int fd, short events)
{
	struct pollfd pfd = {.fd = fd, .events = events};

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents;
}

static void poll__states(void)
{
	struct topic t = topic_new(2, NULL);
	int fd = open_socket(SOCK_SEQPACKET);

	CHECK_EQ(poll_now(fd, POLLIN | POLLOUT), 0);
	CHECK(!connect_topic(fd, &t, 0));
	CHECK_EQ(poll_now(fd, POLLIN | POLLOUT), POLLOUT);
	CHECK(!bind_topic(fd, &t, SLUICE_PARTITION_ANY));
	CHECK_EQ(poll_now(fd, POLLIN | POLLOUT), POLLOUT);
	CHECK_EQ(send_text(fd, "a"), 1);
	CHECK_EQ(send_text(fd, "b"), 1);
	CHECK_EQ(poll_now(fd, POLLIN | POLLOUT | POLLRDNORM), POLLIN | POLLOUT | POLLRDNORM);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 1);
	CHECK_EQ(poll_now(fd, POLLIN), POLLIN);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 1);
	CHECK_EQ(poll_now(fd, POLLIN), 0);
	CHECK(!seek_to(fd, 0, SLUICE_OFFSET_EARLIEST));
	CHECK_EQ(poll_now(fd, POLLIN), POLLIN);
	CHECK(!seek_to(fd, 0, SLUICE_OFFSET_LATEST));
	CHECK_EQ(poll_now(fd, POLLIN), 0);
	close(fd);
}

static void poll__stream_low_water_mark(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	int in = producer(SOCK_STREAM, &t, 0), low;
	uint8_t buf[512];
	size_t size = batch_simple(buf, "r", 1);

	low = (int)size * 2;
	CHECK(!setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low)));
	CHECK_EQ(send(in, buf, size, 0), size);
	CHECK_EQ(poll_now(fd, POLLIN), 0);
	CHECK_EQ(send(in, buf, size, 0), size);
	CHECK_EQ(poll_now(fd, POLLIN), POLLIN);
	CHECK_EQ(recv(fd, buf, sizeof(buf), 0), size * 2);
	close(fd);
	close(in);
}

static void epoll__edge(void)
{
	struct topic t = topic_new(1, NULL);
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	int in = producer(SOCK_SEQPACKET, &t, 0), ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	CHECK_EQ(epoll_wait(ep, &event, 1, 0), 0);
	CHECK_EQ(send_text(in, "a"), 1);
	CHECK_EQ(epoll_wait(ep, &event, 1, 5000), 1);
	/* Not read, nothing new: no edge. A second record: one more. */
	CHECK_EQ(epoll_wait(ep, &event, 1, 0), 0);
	CHECK_EQ(send_text(in, "b"), 1);
	CHECK_EQ(epoll_wait(ep, &event, 1, 5000), 1);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 1);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 1);
	CHECK_EQ(epoll_wait(ep, &event, 1, 0), 0);
	close(ep);
	close(in);
	close(fd);
}

static void epoll__level(void)
{
	struct topic t = topic_new(4, NULL);
	int fd = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);
	int in = producer(SOCK_SEQPACKET, &t, 3), ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN};

	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	CHECK_EQ(send_text(in, "a"), 1);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(epoll_wait(ep, &event, 1, 5000), 1);
	CHECK_EQ(receive(fd, &got, MSG_DONTWAIT), 1);
	CHECK_EQ(epoll_wait(ep, &event, 1, 0), 0);
	close(ep);
	close(in);
	close(fd);
}

struct race {
	int in;
	atomic_int turn; /* records that were received */
	atomic_bool stop;
};

/* A record as soon as the last was received: always close to the sleep. */
static void *send_at_once(void *arg)
{
	struct race *race = arg;
	int sent = 0;

	while (!atomic_load(&race->stop)) {
		if (sent > atomic_load(&race->turn)) {
			sched_yield();
			continue;
		}
		if (send_text(race->in, "x") != 1)
			return "send failed";
		sent++;
	}
	return NULL;
}

enum wait_by { BY_RECV, BY_POLL, BY_EPOLL_EDGE };

static bool race_wait(enum wait_by by, int fd, int ep)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	struct epoll_event event;

	switch (by) {
	case BY_POLL: return poll(&pfd, 1, 10000) == 1;
	case BY_EPOLL_EDGE: return epoll_wait(ep, &event, 1, 10000) == 1;
	default: return true;
	}
}

/* A lost wake-up shows as a wait of ten seconds. */
static void race_by(enum wait_by by, const char *name)
{
	struct topic t = topic_new(1, NULL);
	struct race race = {.in = producer(SOCK_SEQPACKET, &t, 0)};
	const struct timeval tv = {.tv_sec = 10};
	int fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	int ep = epoll_create1(EPOLL_CLOEXEC), rounds = 0;
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int64_t end = now_ms() + RACE_MS;
	pthread_t thread;
	void *failure;

	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	CHECK(!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	CHECK(!pthread_create(&thread, NULL, send_at_once, &race));
	while (now_ms() < end) {
		ssize_t n = -1;

		if (!race_wait(by, fd, ep))
			break;
		n = receive(fd, &got, by == BY_RECV ? 0 : MSG_DONTWAIT);
		if (by == BY_EPOLL_EDGE && n < 0 && errno == EAGAIN)
			continue;
		if (n != 1)
			break;
		rounds++;
		atomic_store(&race.turn, rounds);
	}
	atomic_store(&race.stop, true);
	pthread_join(thread, &failure);
	note("%s: %d rounds", name, rounds);
	CHECK(!failure);
	CHECK(now_ms() - end < 5000 && now_ms() >= end);
	close(fd);
	close(ep);
	close(race.in);
}

static void race__recv(void)
{
	race_by(BY_RECV, "recv");
}

static void race__poll(void)
{
	race_by(BY_POLL, "poll");
}

static void race__epoll_edge(void)
{
	race_by(BY_EPOLL_EDGE, "epoll");
}

struct shared {
	int fd;
	atomic_int received;
	int wanted;
};

static void *receive_shared(void *arg)
{
	struct shared *shared = arg;
	char byte;

	while (atomic_load(&shared->received) < shared->wanted) {
		struct pollfd pfd = {.fd = shared->fd, .events = POLLIN};

		if (poll(&pfd, 1, 100) < 0)
			return "poll failed";
		if (recv(shared->fd, &byte, 1, MSG_DONTWAIT) == 1)
			atomic_fetch_add(&shared->received, 1);
		else if (errno != EAGAIN)
			return "recv failed";
	}
	return NULL;
}

/* Four threads on one socket: each record comes once. */
static void race__threads_share_a_socket(void)
{
	struct topic t = topic_new(2, NULL);
	struct shared shared = {
		.fd = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST),
		.wanted = 1000,
	};
	int in = producer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY);
	pthread_t threads[4];
	void *failure;

	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, receive_shared, &shared));
	for (int i = 0; i < 1000; i++) {
		struct record r = {.value = "x", .value_len = 1, .partition = i % 2 + 1};

		CHECK_EQ(send_record(in, &r, 0), 1);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &failure);
		CHECK(!failure);
	}
	CHECK_EQ(atomic_load(&shared.received), 1000);
	CHECK_ERRNO(receive(shared.fd, &got, MSG_DONTWAIT), EAGAIN);
	close(shared.fd);
	close(in);
}

static const struct test tests[] = {
	TEST(poll__states),	TEST(poll__stream_low_water_mark),
	TEST(epoll__edge),	TEST(epoll__level),
	TEST(race__recv),	TEST(race__poll),
	TEST(race__epoll_edge), TEST(race__threads_share_a_socket),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
