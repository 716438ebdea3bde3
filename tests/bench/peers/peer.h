/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ways to hand records from one process of a host to another, all with the same
 * face, so that the same program measures each of them. Each is used as somebody
 * would who knows it: many records a call where it can, and room for many.
 */
#ifndef TESTS_BENCH_PEERS_PEER_H
#define TESTS_BENCH_PEERS_PEER_H

#include <stddef.h>
#include <stdint.h>

#define BURST 64 /* records of one call at most */

struct peer;

/**
 * struct channel - one direction
 * @len: of each record, in bytes
 * @out, @in: file descriptors, where there are any; usable after fork(), too
 * @state: what else the peer needs
 * @buf: BURST records
 */
struct channel {
	const struct peer *peer;
	size_t len;
	int out, in;
	void *state;
	uint8_t *buf;
};

/**
 * struct peer - all calls end the program if anything fails
 * @open: c->len and c->buf are set
 * @send: @n records of c->buf, of 1 to BURST; waits for room
 * @receive: waits for one, and gives how many of up to @n there were
 * @reader: another one that reads the same records from here on, or NULL: of these
 *	each reader takes a channel of its own, to which all is sent again
 */
struct peer {
	const char *name;
	void (*open)(struct channel *c);
	void (*send)(struct channel *c, unsigned int n);
	unsigned int (*receive)(struct channel *c, unsigned int n);
	void (*reader)(struct channel *c, const struct channel *of);
	void (*close)(struct channel *c);
};

extern const struct peer sluice_peer; /* SOCK_SEQPACKET, a record each */
extern const struct peer unix_peer;   /* AF_UNIX, SOCK_SEQPACKET */
extern const struct peer mqueue_peer; /* POSIX message queue */
extern const struct peer pipe_peer;   /* records of one length, so that none is divided */
extern const struct peer ring_peer;   /* shared memory, and a futex to sleep */
extern const struct peer tcp_peer;    /* over loopback */
extern const struct peer file_peer;   /* write(2), pread(2), and inotify to sleep */

/** mmsg_send(), mmsg_receive() - of sockets that keep records apart. */
void mmsg_send(struct channel *c, unsigned int n);
unsigned int mmsg_receive(struct channel *c, unsigned int n);

/** fds_close() - both ends. */
void fds_close(struct channel *c);

#endif /* TESTS_BENCH_PEERS_PEER_H */
