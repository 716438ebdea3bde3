/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client's connection: reads requests, has them handled one at a time, in
 * order, and sends the answers. It stays on the worker that accepted it.
 *
 *   READING  waits for a whole request
 *   PARKED   a handler will answer later; nothing is read meanwhile
 *   SENDING  the socket is full; nothing is read meanwhile
 *   CLOSED   waits for its memory to be given back
 */
#ifndef SLUICE_NET_CONN_H
#define SLUICE_NET_CONN_H

#include <netinet/in.h>

#include "daemon/core/reactor.h"
#include "daemon/kafka/frame.h"
#include "daemon/kafka/request.h"
#include "daemon/net/sender.h"

enum conn_state {
	CONN_READING,
	CONN_STARVED,
	CONN_PARKED,
	CONN_MUTED,
	CONN_SENDING,
	CONN_CLOSED,
};

#define CONN_ADDRESS_MAX 48

/**
 * struct conn - a connection; belongs to its worker
 * @link: in the worker's list
 * @hungry: in its list of those that wait for memory, while CONN_STARVED
 * @taken_bytes: of the memory for requests, for the one that is read or at work
 * @from: the client's address, IPv4 in IPv6's form
 * @mute: ends CONN_MUTED, in which a client that is over its quota is not read
 * @progress_ms: when bytes last went in or out
 * @answered: the answer of the parked request, once it is there
 */
struct conn {
	struct reactor_fd io;
	struct reactor_task advance;
	struct reactor_task release;
	struct timer idle;
	struct timer mute;
	struct list link;
	struct list hungry;
	struct worker *worker;
	struct frame_reader frames;
	struct request request;
	struct sender sender;
	struct sender_range *ranges;
	enum conn_state state;
	enum handled answered;
	uint32_t events;
	uint32_t taken_bytes;
	struct in6_addr from;
	int64_t progress_ms;
	char peer[CONN_ADDRESS_MAX + 8];
	char peer_host[CONN_ADDRESS_MAX];
	char local_host[CONN_ADDRESS_MAX];
};

/**
 * conn_open - serve an accepted socket, which is taken whatever happens
 * So is the place that conn_limits_reserve() gave.
 * @listener: index of the listener it came in by
 */
void conn_open(struct worker *w, int fd, unsigned int listener);

/** conn_feed_timer - for the worker: let those go on that memory can be had for */
void conn_feed_timer(struct timer *t);

/**
 * conn_close - end it now
 * @why: for the diagnostics, after "connection from ... closed: "; NULL: nothing to say
 */
void conn_close(struct conn *c, const char *why);

/**
 * conn_drain - the daemon stops: end it unless an answer is under way
 * What waits for data is ended; what was appended, or is being created, is
 * still answered.
 */
void conn_drain(struct conn *c);

#endif /* SLUICE_NET_CONN_H */
