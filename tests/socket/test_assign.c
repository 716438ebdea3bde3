// SPDX-License-Identifier: Apache-2.0
/* SLUICE_ASSIGN: one consumer of several partitions and topics. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static struct got got;

static int assign(int fd, const struct topic *t, int partition, uint32_t action, int64_t start)
{
	struct sluice_assign a = {.addr = address(t, partition), .action = action, .start = start};

	return set_option(fd, SLUICE_ASSIGN, &a, sizeof(a));
}

static int add(int fd, const struct topic *t, int partition)
{
	return assign(fd, t, partition, SLUICE_ASSIGN_ADD, SLUICE_OFFSET_EARLIEST);
}

static void send_to(const struct topic *t, int partition, const char *text)
{
	int in = producer(SOCK_SEQPACKET, t, partition);

	if (send_text(in, text) != (ssize_t)strlen(text))
		die("send: %s", error_text(in));
	close(in);
}

static bool is_from(const struct topic *t, int partition)
{
	return !memcmp(got.info.topic_id, t->id, sizeof(t->id)) && got.info.partition == partition;
}

static int poll_now(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, 0) < 0 ? -1 : pfd.revents;
}

static int64_t position_in(int fd, const struct topic *t, int partition)
{
	struct sluice_position pos = {.partition = partition};

	memcpy(pos.topic_id, t->id, sizeof(pos.topic_id));
	return get_option(fd, SLUICE_POSITION, &pos, sizeof(pos)) ? -errno : pos.offset;
}

static int seek_in(int fd, const struct topic *t, int partition, int64_t offset)
{
	struct sluice_seek seek = {.offset = offset, .partition = partition};

	memcpy(seek.topic_id, t->id, sizeof(seek.topic_id));
	return set_option(fd, SLUICE_SEEK, &seek, sizeof(seek));
}

/* Two partitions of four, and not the others; without a bind. */
static void assign__some_partitions(void)
{
	struct topic t = topic_new(4, NULL);
	int out = open_socket(SOCK_SEQPACKET);
	int in = producer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY);
	int from[4] = {0};

	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), ENOTCONN);
	CHECK(!add(out, &t, 1));
	CHECK(!add(out, &t, 3));
	for (int i = 0; i < 20; i++) {
		struct record r = {.value = "x", .value_len = 1, .partition = i % 4 + 1};

		CHECK_EQ(send_record(in, &r, 0), 1);
	}
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 1);
		CHECK(got.info.partition == 1 || got.info.partition == 3);
		CHECK_EQ(got.info.offset, from[got.info.partition]);
		from[got.info.partition]++;
	}
	CHECK_EQ(from[1], 5);
	CHECK_EQ(from[3], 5);
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	close(in);
	close(out);
}

/* Beside what was bound, another topic; a slow one is not kept waiting by a fast one. */
static void assign__topics_take_turns(void)
{
	struct topic fast = topic_new(2, NULL), slow = topic_new(1, NULL);
	int out = consumer(SOCK_SEQPACKET, &fast, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);
	int in = producer(SOCK_SEQPACKET, &fast, SLUICE_PARTITION_ANY);
	int slow_seen = 0;

	CHECK(!add(out, &slow, 0));
	for (int i = 0; i < 100; i++) {
		struct record r = {.value = "f", .value_len = 1, .partition = i % 2 + 1};

		CHECK_EQ(send_record(in, &r, 0), 1);
	}
	for (int i = 0; i < 10; i++)
		send_to(&slow, 0, "s");
	for (int i = 0; i < 30; i++) {
		CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 1);
		CHECK(is_from(&slow, 0) || is_from(&fast, 0) || is_from(&fast, 1));
		slow_seen += is_from(&slow, 0);
	}
	CHECK_EQ(slow_seen, 10);
	close(in);
	close(out);
}

static void assign__add_and_remove(void)
{
	struct topic t = topic_new(3, NULL), other = topic_new(1, NULL);
	int out = consumer(SOCK_SEQPACKET, &t, 1, SLUICE_OFFSET_EARLIEST);

	CHECK_ERRNO(add(out, &t, 1), EEXIST);
	CHECK_ERRNO(assign(out, &t, 0, SLUICE_ASSIGN_REMOVE, 0), ENOENT);
	CHECK_ERRNO(assign(out, &other, SLUICE_PARTITION_ANY, SLUICE_ASSIGN_REMOVE, 0), ENOENT);
	send_to(&t, 0, "a");
	send_to(&t, 1, "b");
	send_to(&t, 2, "c");
	CHECK_EQ(receive(out, &got, 0), 1);
	/* The position in what is read already stays. */
	CHECK(!add(out, &t, SLUICE_PARTITION_ANY));
	CHECK_EQ(position_in(out, &t, 1), 1);
	CHECK_EQ(receive(out, &got, 0), 1);
	CHECK_EQ(receive(out, &got, 0), 1);
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	CHECK(!assign(out, &t, 2, SLUICE_ASSIGN_REMOVE, 0));
	send_to(&t, 2, "d");
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(position_in(out, &t, 2), -ENOENT);
	/* Forgotten: it starts where it is told to. */
	CHECK(!assign(out, &t, 2, SLUICE_ASSIGN_ADD, 1));
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 1);
	CHECK(got_text(&got, "d"));
	/* Partitions that are made later are added by adding all again. */
	topic_grow(&t, 4);
	send_to(&t, 3, "e");
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	CHECK(!add(out, &t, SLUICE_PARTITION_ANY));
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 1);
	CHECK(got_text(&got, "e"));
	CHECK(!assign(out, &t, SLUICE_PARTITION_ANY, SLUICE_ASSIGN_REMOVE, 0));
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), ENOTCONN);
	CHECK(!add(out, &other, 0));
	send_to(&other, 0, "o");
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 1);
	close(out);
}

static void assign__pause(void)
{
	struct topic t = topic_new(2, NULL);
	int out = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, out, &event));
	CHECK(!assign(out, &t, 0, SLUICE_ASSIGN_PAUSE, 0));
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	send_to(&t, 0, "a");
	CHECK_EQ(poll_now(out), 0);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	send_to(&t, 1, "b");
	CHECK_EQ(epoll_wait(epoll, &event, 1, 5000), 1);
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 1);
	CHECK(got_text(&got, "b"));
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	/* Going on is news to who waits for an edge. */
	CHECK(!assign(out, &t, 0, SLUICE_ASSIGN_RESUME, 0));
	CHECK_EQ(epoll_wait(epoll, &event, 1, 5000), 1);
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 1);
	CHECK(got_text(&got, "a"));
	/* With a record at hand, and moved while it is paused. */
	send_to(&t, 0, "c");
	CHECK_EQ(receive(out, &got, MSG_PEEK | MSG_DONTWAIT), 1);
	CHECK(!assign(out, &t, SLUICE_PARTITION_ANY, SLUICE_ASSIGN_PAUSE, 0));
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(position_in(out, &t, 0), 1);
	CHECK(!seek_in(out, &t, 0, 0));
	CHECK_EQ(poll_now(out), 0);
	CHECK(!assign(out, &t, SLUICE_PARTITION_ANY, SLUICE_ASSIGN_RESUME, 0));
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 1);
	CHECK(got_text(&got, "a"));
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 1);
	CHECK(got_text(&got, "c"));
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	close(epoll);
	close(out);
}

struct resume {
	int fd;
	const struct topic *topic;
};

static void *resume_later(void *arg)
{
	const struct resume *r = arg;

	usleep(200000);
	if (assign(r->fd, r->topic, 0, SLUICE_ASSIGN_RESUME, 0))
		die("resume: %s", error_text(r->fd));
	return NULL;
}

/* Who sleeps in a receive wakes up for what another thread resumes. */
static void assign__wakes_a_sleeper(void)
{
	struct topic t = topic_new(1, NULL);
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct resume resume = {.fd = out, .topic = &t};
	pthread_t thread;

	send_to(&t, 0, "a");
	CHECK(!assign(out, &t, 0, SLUICE_ASSIGN_PAUSE, 0));
	CHECK(!pthread_create(&thread, NULL, resume_later, &resume));
	CHECK_EQ(receive(out, &got, 0), 1);
	pthread_join(thread, NULL);
	close(out);
}

static void assign__by_topic_id(void)
{
	struct topic a = topic_new(2, NULL), b = topic_new(2, NULL);
	int out = open_socket(SOCK_SEQPACKET);
	const struct topic none = {.id = {1}};

	for (int i = 0; i < 3; i++) {
		send_to(&a, 1, "a");
		send_to(&b, 1, "b");
	}
	CHECK(!add(out, &a, 1));
	/* The only one needs no name. */
	CHECK_EQ(position(out, SLUICE_PARTITION_ANY), 0);
	CHECK_EQ(position(out, 1), 0);
	CHECK(!add(out, &b, SLUICE_PARTITION_ANY));
	CHECK_EQ(position(out, 1), -ENOENT);
	CHECK_ERRNO(seek_to(out, 1, 0), ENOENT);
	CHECK(!seek_in(out, &a, 1, 2));
	CHECK(!seek_in(out, &b, 1, 1));
	CHECK_EQ(position_in(out, &a, 1), 2);
	CHECK_EQ(position_in(out, &a, SLUICE_PARTITION_ANY), 2);
	CHECK_EQ(position_in(out, &b, SLUICE_PARTITION_ANY), -EINVAL);
	CHECK_EQ(position_in(out, &b, 1), 1);
	CHECK_EQ(position_in(out, &none, 1), -ENOENT);
	CHECK_ERRNO(seek_in(out, &none, 1, 0), ENOENT);
	CHECK_ERRNO(seek_in(out, &none, SLUICE_PARTITION_ANY, SLUICE_OFFSET_LATEST), ENOENT);
	CHECK(!seek_in(out, &b, SLUICE_PARTITION_ANY, SLUICE_OFFSET_LATEST));
	CHECK_EQ(position_in(out, &b, 1), 3);
	CHECK_EQ(position_in(out, &a, 1), 2);
	CHECK(!seek_to(out, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST));
	CHECK_EQ(position_in(out, &b, 1), 0);
	CHECK_EQ(position_in(out, &a, 1), 0);
	close(out);
}

/* One topic of two goes: that is said once, and the other goes on. */
static void assign__topic_deleted(void)
{
	struct topic gone = topic_new(3, NULL), stays = topic_new(1, NULL);
	int out = consumer(SOCK_SEQPACKET, &gone, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);

	CHECK(!add(out, &stays, 0));
	CHECK(!assign(out, &gone, 1, SLUICE_ASSIGN_PAUSE, 0));
	send_to(&gone, 0, "g");
	topic_delete(&gone);
	CHECK_EQ(poll_now(out), POLLIN);
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), ENODEV);
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(poll_now(out), 0);
	CHECK_EQ(position_in(out, &gone, 0), -ENOENT);
	send_to(&stays, 0, "s");
	CHECK_EQ(receive(out, &got, MSG_DONTWAIT), 1);
	topic_delete(&stays);
	CHECK_EQ(poll_now(out), POLLIN | POLLHUP);
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), ENODEV);
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), ENODEV);
	/* And begins again with what is there. */
	stays = topic_new(1, NULL);
	CHECK(!add(out, &stays, 0));
	CHECK_EQ(poll_now(out) & POLLHUP, 0);
	close(out);
}

static void assign__wrong(void)
{
	struct topic t = topic_new(2, NULL);
	int out = open_socket(SOCK_SEQPACKET), stream = open_socket(SOCK_STREAM);
	struct sluice_assign a[2] = {{.addr = address(&t, 0)}, {.addr = address(&t, 7)}};

	CHECK_ERRNO(assign(out, &t, 0, 4, 0), EINVAL);
	CHECK_ERRNO(assign(out, &t, 0, SLUICE_ASSIGN_PAUSE, 1), EINVAL);
	CHECK_ERRNO(assign(out, &t, 0, SLUICE_ASSIGN_ADD, -3), EINVAL);
	CHECK_ERRNO(assign(out, &t, 0, SLUICE_ASSIGN_ADD, 1), ERANGE);
	CHECK_ERRNO(assign(out, &t, SLUICE_PARTITION_ANY, SLUICE_ASSIGN_ADD, 0), EINVAL);
	CHECK_ERRNO(set_option(out, SLUICE_ASSIGN, a, sizeof(a) - 1), EINVAL);
	CHECK_ERRNO(set_option(out, SLUICE_ASSIGN, a, 0), EINVAL);
	CHECK_ERRNO(receive(out, &got, MSG_DONTWAIT), ENOTCONN);
	/* Up to the one that fails. */
	CHECK_ERRNO(set_option(out, SLUICE_ASSIGN, a, sizeof(a)), ENOENT);
	CHECK_EQ(position(out, 0), 0);
	a[0].reserved = 1;
	CHECK_ERRNO(set_option(out, SLUICE_ASSIGN, a, sizeof(a)), EINVAL);
	CHECK_ERRNO(bind_topic(out, &t, 1), EINVAL);
	a[0] = (struct sluice_assign){.addr = address(&t, 1)};
	a[0].addr.sl_flags = 1;
	CHECK_ERRNO(set_option(out, SLUICE_ASSIGN, a, sizeof(a[0])), EINVAL);
	/* A stream is of one partition, and may go from one to another. */
	CHECK_ERRNO(add(stream, &t, SLUICE_PARTITION_ANY), EINVAL);
	CHECK(!add(stream, &t, 0));
	CHECK_ERRNO(add(stream, &t, 1), EINVAL);
	CHECK(!assign(stream, &t, 0, SLUICE_ASSIGN_REMOVE, 0));
	CHECK(!add(stream, &t, 1));
	close(out);
	close(stream);
}

#define THREADS 4
#define ROUNDS	300

static struct topic shared[2];
static int shared_fd;

static void *change_at_random(void *arg)
{
	unsigned int seed = (unsigned int)(size_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		const struct topic *t = &shared[rand_r(&seed) % 2];
		int partition = rand_r(&seed) % 4 - 1;
		uint32_t action = (uint32_t)rand_r(&seed) % 4;
		static _Thread_local struct got mine;

		assign(shared_fd, t, partition, action, action ? 0 : SLUICE_OFFSET_EARLIEST);
		receive(shared_fd, &mine, MSG_DONTWAIT);
		poll_now(shared_fd);
	}
	return NULL;
}

static void *send_at_random(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		send_to(&shared[i % 2], i % 3, "x");
	return arg;
}

/* All at once on one socket, while records come and a topic goes. For the debug kernel. */
static void assign__races(void)
{
	pthread_t threads[THREADS + 1];

	shared[0] = topic_new(3, NULL);
	shared[1] = topic_new(3, NULL);
	shared_fd = open_socket(SOCK_SEQPACKET);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, change_at_random, (void *)(i + 1)));
	CHECK(!pthread_create(&threads[THREADS], NULL, send_at_random, NULL));
	pthread_join(threads[THREADS], NULL);
	topic_delete(&shared[0]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* What is there comes, whatever was done before. */
	assign(shared_fd, &shared[1], SLUICE_PARTITION_ANY, SLUICE_ASSIGN_REMOVE, 0);
	CHECK(!add(shared_fd, &shared[1], SLUICE_PARTITION_ANY));
	for (int n = 0; n < ROUNDS / 2;) {
		ssize_t len = receive(shared_fd, &got, MSG_DONTWAIT);

		int err = errno;

		CHECK(len == 1 || err == ENODEV);
		/* Of the one that went, what a receive had begun with may come first. */
		n += len == 1 && !memcmp(got.info.topic_id, shared[1].id, sizeof(shared[1].id));
	}
	CHECK_ERRNO(receive(shared_fd, &got, MSG_DONTWAIT), EAGAIN);
	close(shared_fd);
}

static const struct test tests[] = {
	TEST(assign__some_partitions), TEST(assign__topics_take_turns),
	TEST(assign__add_and_remove),  TEST(assign__pause),
	TEST(assign__wakes_a_sleeper), TEST(assign__by_topic_id),
	TEST(assign__topic_deleted),   TEST(assign__wrong),
	TEST(assign__races),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
