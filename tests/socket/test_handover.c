// SPDX-License-Identifier: Apache-2.0
/* A socket handed to another process (SCM_RIGHTS): it goes on where it was. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define NOBODY 65534

static struct got got;

static void hand_over(int through, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {0};
	struct iovec iov = {.iov_base = "f", .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	if (sendmsg(through, &msg, 0) != 1)
		die("sendmsg: %s", strerror(errno));
}

static int take_over(int through)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	int fd;

	if (recvmsg(through, &msg, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&msg))
		_exit(99);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* Run @other with the socket in a process of nobody's; what it exits with. */
static int in_another_process(int fd, int (*other)(int fd))
{
	int pair[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		die("socketpair: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		/* Not what it inherits, but what it is given. */
		close(fd);
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(98);
		_exit(other(take_over(pair[1])));
	}
	hand_over(pair[0], fd);
	close(fd);
	close(pair[0]);
	close(pair[1]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* Two records and nothing else; what it may do was settled when it was bound. */
static int read_on(int fd)
{
	if (receive(fd, &got, 0) != 3 || !got_text(&got, "two") || got.info.offset != 1)
		return 1;
	if (receive(fd, &got, MSG_DONTWAIT) != 5 || !got_text(&got, "three"))
		return 2;
	if (receive(fd, &got, MSG_DONTWAIT) != -1 || errno != EAGAIN)
		return 3;
	return position(fd, SLUICE_PARTITION_ANY) == 3 ? 0 : 4;
}

static struct topic topic;

/* What its own rights do not reach it does not get by this. */
static int ask_for_more(int fd)
{
	struct sluice_assign a = {.addr = address(&topic, 1)};

	if (set_option(fd, SLUICE_ASSIGN, &a, sizeof(a)) != -1 || errno != EACCES)
		return 5;
	return 0;
}

static int end_chain(int fd)
{
	return send(fd, "last", 4, 0) == 4 ? 0 : 1;
}

static int leave(int fd)
{
	(void)fd;
	return 0;
}

static void handover__consumer(void)
{
	int in, out;

	topic = topic_new(2, NULL);
	in = producer(SOCK_SEQPACKET, &topic, 0);
	out = consumer(SOCK_SEQPACKET, &topic, 0, SLUICE_OFFSET_EARLIEST);
	CHECK_EQ(send_text(in, "one"), 3);
	CHECK_EQ(send_text(in, "two"), 3);
	CHECK_EQ(send_text(in, "three"), 5);
	CHECK_EQ(receive(out, &got, 0), 3);
	CHECK_EQ(in_another_process(out, read_on), 0);
	close(in);
}

static void handover__rights(void)
{
	int out;

	topic = topic_new(2, NULL);
	for (uint32_t i = 0; i < 2; i++)
		CHECK(!chmod(topic_path(&topic, i, NULL), 0700));
	out = consumer(SOCK_SEQPACKET, &topic, 0, SLUICE_OFFSET_EARLIEST);
	CHECK_EQ(in_another_process(out, ask_for_more), 0);
}

/* A chain that one process began is ended by another, or is gone with it. */
static void handover__producer(void)
{
	int in;

	topic = topic_new(1, NULL);
	in = producer(SOCK_SEQPACKET, &topic, 0);
	CHECK_EQ(send(in, "first", 5, MSG_MORE), 5);
	CHECK_EQ(in_another_process(in, end_chain), 0);
	CHECK_EQ(topic_partition(&topic, 0).log_end_offset, 2);
	in = producer(SOCK_SEQPACKET, &topic, 0);
	CHECK_EQ(send(in, "first", 5, MSG_MORE), 5);
	CHECK_EQ(in_another_process(in, leave), 0);
	CHECK_EQ(topic_partition(&topic, 0).log_end_offset, 2);
}

static int sockets(void)
{
	struct kern_info info;

	if (kern_info_get(test_kern(), &info))
		die("info: %s", kern_error(test_kern()));
	return (int)info.sockets;
}

/* One that is under way when both ends are closed is closed with them. */
static void handover__never_taken(void)
{
	int before = sockets(), pair[2];
	int fd;

	topic = topic_new(1, NULL);
	fd = consumer(SOCK_SEQPACKET, &topic, 0, SLUICE_OFFSET_EARLIEST);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	hand_over(pair[0], fd);
	close(fd);
	CHECK_EQ(sockets(), before + 1);
	close(pair[0]);
	close(pair[1]);
	for (int i = 0; i < 100 && sockets() != before; i++)
		usleep(50000);
	CHECK_EQ(sockets(), before);
}

static const struct test tests[] = {
	TEST(handover__consumer),
	TEST(handover__rights),
	TEST(handover__producer),
	TEST(handover__never_taken),
};

int main(void)
{
	return run_tests(tests, ARRAY_LEN(tests));
}
