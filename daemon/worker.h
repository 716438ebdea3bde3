/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: one thread that serves its share of the connections. It shares
 * nothing with the others but what never changes (struct broker) and the
 * metadata image, which it holds a reference to.
 */
#ifndef SLUICE_WORKER_H
#define SLUICE_WORKER_H

#include <pthread.h>

#include "daemon/broker.h"
#include "daemon/core/reactor.h"
#include "daemon/kafka/fetch_purgatory.h"
#include "daemon/kafka/produce_purgatory.h"
#include "daemon/log/data_socket.h"
#include "daemon/log/segment_fd_cache.h"
#include "daemon/metadata/image.h"

struct controller;
struct coordinators;
struct worker;

/** struct worker_listener - a worker's wait for connections of one listener */
struct worker_listener {
	struct reactor_fd io;
	struct worker *worker;
	unsigned int index;
};

/**
 * struct worker - private to its thread while that runs, but for the mailbox of @reactor
 * @image: the newest that arrived; a reference
 * @draining: it stops: no new requests
 * @accepting: it waits for connections of the listeners
 * @accept_pause: set while it does not, because there may be no more connections now
 * @starved: connections whose next request waits for memory, in this order
 * @feed: set while there are any: others may have given memory back
 */
struct worker {
	struct reactor reactor;
	const struct broker *broker;
	struct controller *controller;
	struct coordinators *coordinators;
	struct data_socket *data;
	struct reactor_fd data_io;
	struct image *image;
	struct segment_fd_cache segments;
	struct fetch_purgatory fetches;
	struct produce_purgatory produces;
	struct worker_listener listeners[LISTENERS_MAX];
	struct list conns;
	unsigned int n_conns;
	struct timer accept_pause;
	struct list starved;
	struct timer feed;
	struct timer drain_deadline;
	pthread_t thread;
	struct mail stop;
	bool accepting;
	bool draining;
};

/**
 * worker_init - everything but the thread
 * @image: a reference that the worker takes
 * Returns 0 or -errno.
 */
int worker_init(struct worker *w, const struct broker *broker, struct controller *controller,
		struct coordinators *coordinators, struct image *image);

/** worker_destroy - after worker_join(), or if the thread was never started */
void worker_destroy(struct worker *w);

/** worker_start - start the thread and accept connections; 0 or -errno */
int worker_start(struct worker *w);

/** worker_stop - from any thread, once: answer what is under way and end; does not wait */
void worker_stop(struct worker *w);
void worker_join(struct worker *w);

/** worker_post_image - from any thread: hand over a new image; takes a reference of its own */
int worker_post_image(struct worker *w, struct image *image);

/** worker_read_events - take what the data socket has to say */
void worker_read_events(struct worker *w);

/** worker_conn_gone - for conn.c: one connection less */
void worker_conn_gone(struct worker *w);

#endif /* SLUICE_WORKER_H */
