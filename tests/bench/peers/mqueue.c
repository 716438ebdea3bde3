// SPDX-License-Identifier: Apache-2.0
/* A POSIX message queue: one message a call, there is no other. */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "tests/bench/peers/peer.h"
#include "tests/socket/harness.h"

static void mqueue_open(struct channel *c)
{
	struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct mq_attr attr = {.mq_maxmsg = BURST, .mq_msgsize = (long)c->len};
	static int number;
	char name[64];

	snprintf(name, sizeof(name), "/bench-%d-%d", (int)getpid(), number++);
	if (setrlimit(RLIMIT_MSGQUEUE, &unlimited))
		die("RLIMIT_MSGQUEUE: %s", strerror(errno));
	c->out = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attr);
	if (c->out < 0)
		die("mq_open: %s", strerror(errno));
	c->in = c->out;
	mq_unlink(name);
}

static void mqueue_send(struct channel *c, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (mq_send(c->out, (char *)c->buf + i * c->len, c->len, 0))
			die("mq_send: %s", strerror(errno));
}

static unsigned int mqueue_receive(struct channel *c, unsigned int n)
{
	(void)n;
	if (mq_receive(c->in, (char *)c->buf, c->len, NULL) != (ssize_t)c->len)
		die("mq_receive: %s", strerror(errno));
	return 1;
}

static void mqueue_close(struct channel *c)
{
	mq_close(c->out);
}

const struct peer mqueue_peer = {
	.name = "mqueue",
	.open = mqueue_open,
	.send = mqueue_send,
	.receive = mqueue_receive,
	.close = mqueue_close,
};
