// SPDX-License-Identifier: Apache-2.0
/* Sockets that keep records apart: this family's, and AF_UNIX. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/bench/peers/peer.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define ROOM (4 << 20)

static void prepare(struct channel *c, struct mmsghdr *msgs, struct iovec *iov, unsigned int n)
{
	memset(msgs, 0, n * sizeof(*msgs));
	for (unsigned int i = 0; i < n; i++) {
		iov[i] = (struct iovec){c->buf + i * c->len, c->len};
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

void mmsg_send(struct channel *c, unsigned int n)
{
	struct mmsghdr msgs[BURST];
	struct iovec iov[BURST];
	unsigned int done = 0;

	if (n == 1) {
		if (send(c->out, c->buf, c->len, 0) != (ssize_t)c->len)
			die("%s: send: %s", c->peer->name, strerror(errno));
		return;
	}
	prepare(c, msgs, iov, n);
	while (done < n) {
		int sent = sendmmsg(c->out, msgs + done, n - done, 0);

		if (sent < 0)
			die("%s: sendmmsg: %s", c->peer->name, strerror(errno));
		done += (unsigned int)sent;
	}
}

unsigned int mmsg_receive(struct channel *c, unsigned int n)
{
	struct mmsghdr msgs[BURST];
	struct iovec iov[BURST];
	int got;

	if (n == 1) {
		if (recv(c->in, c->buf, c->len, 0) != (ssize_t)c->len)
			die("%s: recv: %s", c->peer->name, strerror(errno));
		return 1;
	}
	prepare(c, msgs, iov, n);
	got = recvmmsg(c->in, msgs, n, MSG_WAITFORONE, NULL);
	if (got <= 0 || msgs[0].msg_len != c->len)
		die("%s: recvmmsg: %s", c->peer->name, strerror(errno));
	return (unsigned int)got;
}

void fds_close(struct channel *c)
{
	close(c->out);
	close(c->in);
}

/* As many may wait as fit; the system's default is ten. */
static void let_many_wait(void)
{
	int fd = open("/proc/sys/net/unix/max_dgram_qlen", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1024", 4) != 4)
		die("max_dgram_qlen: %s", strerror(errno));
	close(fd);
}

static void unix_open(struct channel *c)
{
	int fds[2], room = ROOM;

	let_many_wait();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		die("socketpair: %s", strerror(errno));
	c->out = fds[0];
	c->in = fds[1];
	if (setsockopt(c->out, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		die("SO_SNDBUFFORCE: %s", strerror(errno));
}

const struct peer unix_peer = {
	.name = "AF_UNIX",
	.open = unix_open,
	.send = mmsg_send,
	.receive = mmsg_receive,
	.close = fds_close,
};

static void sluice_open(struct channel *c)
{
	static struct topic topics[128];
	static unsigned int n;

	if (n == ARRAY_LEN(topics))
		die("too many channels");
	topics[n] = topic_new(1, NULL);
	c->state = &topics[n++];
	c->out = producer(SOCK_SEQPACKET, c->state, 0);
	c->in = consumer(SOCK_SEQPACKET, c->state, 0, SLUICE_OFFSET_EARLIEST);
}

static void sluice_reader(struct channel *c, const struct channel *of)
{
	c->state = of->state;
	c->out = -1;
	c->in = consumer(SOCK_SEQPACKET, c->state, 0, SLUICE_OFFSET_LATEST);
}

const struct peer sluice_peer = {
	.name = "sluice",
	.open = sluice_open,
	.send = mmsg_send,
	.receive = mmsg_receive,
	.reader = sluice_reader,
	.close = fds_close,
};
