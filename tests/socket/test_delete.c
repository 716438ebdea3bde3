// SPDX-License-Identifier: Apache-2.0
/* Topics that go away under sockets, sockets that change hands. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

static struct got got;

struct waiting {
	int fd;
	int error;
	struct got got;
};

static void *wait_in_recv(void *arg)
{
	struct waiting *w = arg;

	w->error = receive(w->fd, &w->got, 0) < 0 ? errno : 0;
	return NULL;
}

static void *wait_in_poll(void *arg)
{
	struct waiting *w = arg;
	struct pollfd pfd = {.fd = w->fd, .events = POLLIN};

	w->error = poll(&pfd, 1, 20000) == 1 ? pfd.revents : -1;
	return NULL;
}

static void delete__wakes_who_waits(void)
{
	static struct waiting record, stream, polling;
	struct topic t = topic_new(3, NULL);
	pthread_t threads[3];

	record.fd = consumer(SOCK_SEQPACKET, &t, SLUICE_PARTITION_ANY, SLUICE_OFFSET_EARLIEST);
	stream.fd = consumer(SOCK_STREAM, &t, 1, SLUICE_OFFSET_EARLIEST);
	polling.fd = consumer(SOCK_SEQPACKET, &t, 2, SLUICE_OFFSET_EARLIEST);
	CHECK(!pthread_create(&threads[0], NULL, wait_in_recv, &record));
	CHECK(!pthread_create(&threads[1], NULL, wait_in_recv, &stream));
	CHECK(!pthread_create(&threads[2], NULL, wait_in_poll, &polling));
	usleep(200000);
	topic_delete(&t);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(record.error, ENODEV);
	CHECK_EQ(stream.error, ENODEV);
	CHECK_EQ(polling.error, POLLIN | POLLHUP);
	close(record.fd);
	close(stream.fd);
	close(polling.fd);
}

static void delete__afterwards(void)
{
	struct topic t = topic_new(2, NULL);
	int both = producer(SOCK_SEQPACKET, &t, 0), in = producer(SOCK_STREAM, &t, 0), pipe_fds[2];
	int stream = consumer(SOCK_STREAM, &t, 0, SLUICE_OFFSET_EARLIEST);
	struct sluice_flush flush = {.partition = 0};
	struct sockaddr_sluice addr;
	socklen_t len = sizeof(addr);
	uint8_t batch[128];
	size_t size = batch_simple(batch, "b", 1);

	CHECK(!bind_topic(both, &t, SLUICE_PARTITION_ANY));
	CHECK_EQ(send_text(both, "unread"), 6);
	CHECK_EQ(recv(stream, batch + 100, 5, 0), 5);
	CHECK(!pipe2(pipe_fds, O_CLOEXEC));
	topic_delete(&t);
	CHECK_ERRNO(send_text(both, "x"), ENODEV);
	CHECK_ERRNO(send(in, batch, size, 0), ENODEV);
	for (int i = 0; i < 2; i++) {
		CHECK_ERRNO(receive(both, &got, 0), ENODEV);
		CHECK_ERRNO(receive(stream, &got, 0), ENODEV);
		CHECK_ERRNO(splice(stream, NULL, pipe_fds[1], NULL, 10, 0), ENODEV);
	}
	CHECK(strstr(error_text(both), "deleted"));
	CHECK_EQ(position(both, 0), -ENODEV);
	CHECK_ERRNO(seek_to(both, 0, 0), ENODEV);
	CHECK_ERRNO(set_option(both, SLUICE_FLUSH, &flush, sizeof(flush)), ENODEV);
	CHECK(!getsockname(both, (struct sockaddr *)&addr, &len));
	CHECK(!strcmp(addr.sl_topic, t.name));
	CHECK_ERRNO(connect_topic(both, &t, 0), ENOENT);
	close(both);
	close(in);
	close(stream);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

struct churn {
	const struct topic *t;
	atomic_int sent;
};

static void *send_until_gone(void *arg)
{
	struct churn *churn = arg;
	int fd = open_socket(SOCK_SEQPACKET);
	const struct sluice_receipt_request durable = {.when = SLUICE_RECEIPT_DURABLE};
	struct record r = {.value = "x", .value_len = 1};
	struct sluice_event events[16];

	/* It may be gone before this begins. */
	for (int i = 0; i || !connect_topic(fd, churn->t, SLUICE_PARTITION_ANY); i++) {
		r.receipt = i % 16 ? NULL : &durable;
		if (send_record(fd, &r, 0) < 0)
			break;
		atomic_fetch_add(&churn->sent, 1);
		read_events(fd, events, 16);
	}
	close(fd);
	return NULL;
}

static void *receive_until_gone(void *arg)
{
	struct churn *churn = arg;
	int fd = open_socket(SOCK_SEQPACKET);
	char value[8];

	if (!bind_topic(fd, churn->t, SLUICE_PARTITION_ANY))
		while (recv(fd, value, sizeof(value), 0) >= 0)
			;
	close(fd);
	return NULL;
}

static void delete__under_load(void)
{
	for (int round = 0; round < 10; round++) {
		struct topic t = topic_new(2, NULL);
		struct churn churn = {.t = &t};
		pthread_t threads[4];

		for (int i = 0; i < 4; i++)
			CHECK(!pthread_create(&threads[i], NULL,
					      i % 2 ? receive_until_gone : send_until_gone,
					      &churn));
		while (atomic_load(&churn.sent) < 50)
			usleep(1000);
		topic_delete(&t);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
	}
}

static void close__while_another_thread_waits(void)
{
	static struct waiting w;
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0);
	pthread_t thread;

	w.fd = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	CHECK(!pthread_create(&thread, NULL, wait_in_recv, &w));
	usleep(200000);
	/* The system call holds the socket: it ends as if nothing had been. */
	close(w.fd);
	CHECK_EQ(send_text(in, "late"), 4);
	pthread_join(thread, NULL);
	CHECK_EQ(w.error, 0);
	CHECK(got_text(&w.got, "late"));
	close(in);
}

static int pass_fd(int over, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec iov = {.iov_base = "f", .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	return sendmsg(over, &msg, 0) == 1 ? 0 : -1;
}

static int take_fd(int over)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	char byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	int fd = -1;

	if (recvmsg(over, &msg, MSG_CMSG_CLOEXEC) != 1 || !(c = CMSG_FIRSTHDR(&msg)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

static void fd__passed_to_another_process(void)
{
	struct topic t = topic_new(1, NULL);
	int in = producer(SOCK_SEQPACKET, &t, 0), pair[2], status;
	int out = consumer(SOCK_SEQPACKET, &t, 0, SLUICE_OFFSET_EARLIEST);
	pid_t child;

	CHECK_EQ(send_text(in, "one"), 3);
	CHECK_EQ(send_text(in, "two"), 3);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	fflush(stdout);
	child = fork();
	if (!child) {
		int fd;

		close(out);
		fd = take_fd(pair[1]);
		_exit(!(fd >= 0 && receive(fd, &got, 0) == 3 && got_text(&got, "one")));
	}
	CHECK(!pass_fd(pair[0], out));
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	/* One socket, one place in the log. */
	CHECK_EQ(receive(out, &got, 0), 3);
	CHECK(got_text(&got, "two"));
	/* Left in flight, then thrown away with the channel. */
	CHECK(!pass_fd(pair[0], out));
	close(out);
	close(pair[0]);
	close(pair[1]);
	/* The family itself carries no files. */
	CHECK(pass_fd(in, 0) < 0);
	close(in);
}

static void module__is_busy(void)
{
	int fd = open_socket(SOCK_SEQPACKET);

	CHECK_ERRNO(syscall(SYS_delete_module, "sluice", O_NONBLOCK), EWOULDBLOCK);
	close(fd);
}

static const struct test tests[] = {
	TEST(delete__wakes_who_waits),
	TEST(delete__afterwards),
	TEST(delete__under_load),
	TEST(close__while_another_thread_waits),
	TEST(fd__passed_to_another_process),
	TEST(module__is_busy),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
