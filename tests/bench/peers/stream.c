// SPDX-License-Identifier: Apache-2.0
/*
 * Ways that know of bytes only: records have one length, and as many as fit go in a
 * call.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>
#include "tests/bench/peers/peer.h"
#include "tests/socket/harness.h"

#define ROOM (1 << 20)

static void stream_send(struct channel *c, unsigned int n)
{
	size_t len = n * c->len, done = 0;

	while (done < len) {
		ssize_t sent = write(c->out, c->buf + done, len - done);

		if (sent < 0)
			die("%s: write: %s", c->peer->name, strerror(errno));
		done += (size_t)sent;
	}
}

/* Of a record that came in part the rest is on its way. */
static unsigned int stream_receive(struct channel *c, unsigned int n)
{
	size_t got = 0;

	do {
		ssize_t len = read(c->in, c->buf + got, n * c->len - got);

		if (len <= 0)
			die("%s: read: %s", c->peer->name, strerror(errno));
		got += (size_t)len;
	} while (got % c->len);
	return (unsigned int)(got / c->len);
}

static void pipe_open(struct channel *c)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) || fcntl(fds[1], F_SETPIPE_SZ, ROOM) < 0)
		die("pipe: %s", strerror(errno));
	c->in = fds[0];
	c->out = fds[1];
}

const struct peer pipe_peer = {
	.name = "pipe",
	.open = pipe_open,
	.send = stream_send,
	.receive = stream_receive,
	.close = fds_close,
};

static void tcp_open(struct channel *c)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	socklen_t len = sizeof(a);

	c->out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || c->out < 0 || bind(listener, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(listener, 1) || getsockname(listener, (struct sockaddr *)&a, &len) ||
	    connect(c->out, (struct sockaddr *)&a, sizeof(a)))
		die("TCP: %s", strerror(errno));
	c->in = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (c->in < 0 || setsockopt(c->out, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)))
		die("TCP: %s", strerror(errno));
	close(listener);
}

const struct peer tcp_peer = {
	.name = "TCP",
	.open = tcp_open,
	.send = stream_send,
	.receive = stream_receive,
	.close = fds_close,
};

/* A file that is written to at its end and read from behind, and where it was read. */
struct file_log {
	char path[64];
	off_t position;
	int changes;
};

static void file_open(struct channel *c)
{
	static int number;
	struct file_log *f = calloc(1, sizeof(*f));

	if (!f)
		die("no memory");
	snprintf(f->path, sizeof(f->path), "/data/bench-%d-%d", (int)getpid(), number++);
	c->out = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	c->in = open(f->path, O_RDONLY | O_CLOEXEC);
	f->changes = inotify_init1(IN_CLOEXEC);
	if (c->out < 0 || c->in < 0 || f->changes < 0 ||
	    inotify_add_watch(f->changes, f->path, IN_MODIFY) < 0)
		die("%s: %s", f->path, strerror(errno));
	c->state = f;
}

static unsigned int file_receive(struct channel *c, unsigned int n)
{
	struct file_log *f = c->state;
	char events[4096];
	ssize_t got;

	for (;;) {
		got = pread(c->in, c->buf, n * c->len, f->position);
		if (got < 0)
			die("%s: %s", f->path, strerror(errno));
		if (got >= (ssize_t)c->len)
			break;
		/* What was told already may have been read: then it is looked again. */
		if (read(f->changes, events, sizeof(events)) < 0)
			die("inotify: %s", strerror(errno));
	}
	n = (unsigned int)((size_t)got / c->len);
	f->position += (off_t)(n * c->len);
	return n;
}

static void file_close(struct channel *c)
{
	struct file_log *f = c->state;

	fds_close(c);
	close(f->changes);
	unlink(f->path);
	free(f);
}

const struct peer file_peer = {
	.name = "file",
	.open = file_open,
	.send = stream_send,
	.receive = file_receive,
	.close = file_close,
};
