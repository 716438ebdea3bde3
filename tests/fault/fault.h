/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Systematic fault injection: each operation is done again and again, with its
 * first allocation in the kernel failing, then its second, and so on, until it
 * needs no more. After each try the log must be as if the operation had either
 * been done or never been begun.
 *
 * A try: prepare, then run with the injection, then check and cleanup without.
 */
#ifndef TESTS_FAULT_FAULT_H
#define TESTS_FAULT_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include "tests/socket/harness.h"
#include "tests/socket/record.h"
#include "tests/socket/topic.h"

#define FAULT_PARTITIONS 2
#define FAULT_FDS	 3

/**
 * struct fault_world - what the tries share
 * @topic: they work on
 * @end: of each of its partitions, by what was acknowledged
 * @config: of the topic
 * @fds: sockets and files of the operation at hand; closed after each try
 * @kern: a netlink client that is not used for checking; closed after each try
 * @sockets: of this namespace before the try; a daemon has some
 * @events: is sent all events, so that making them is among what may fail
 * @injected: an allocation failed in the try at hand
 */
struct fault_world {
	struct topic topic;
	int64_t end[FAULT_PARTITIONS];
	struct kern_topic_config config;
	int fds[FAULT_FDS];
	struct kern *kern;
	struct kern *events;
	uint32_t sockets;
	bool injected;
};

/**
 * struct fault_op - an operation
 * @name: of the test
 * @prepare: everything that is not to fail; may be NULL
 * @run: the operation, one system call if possible; 0 or more, or -errno
 * @check: looks at what came of it, @ret being run's; NULL, or a sentence.
 *	May be NULL: then only that the log is intact is checked
 * @also: an error that is right beside -ENOMEM and -ENOBUFS, or 0. -EIO: the
 *	netlink client's, if the answer, which is allocated when all is over, is
 *	lost
 */
struct fault_op {
	const char *name;
	void (*prepare)(struct fault_world *w);
	int (*run)(struct fault_world *w);
	const char *(*check)(struct fault_world *w, int ret);
	int also;
};

extern const struct fault_op fault_socket_ops[];
extern const size_t fault_n_socket_ops;
extern const struct fault_op fault_log_ops[];
extern const size_t fault_n_log_ops;
extern const struct fault_op fault_netlink_ops[];
extern const size_t fault_n_netlink_ops;

/** fault_world_open() - the topic; dies on failure. */
void fault_world_open(struct fault_world *w);

/** fault_world_renew() - the topic anew. */
void fault_world_renew(struct fault_world *w);

/**
 * fault_world_check() - is the log what was acknowledged, and does it work
 * Appends a record to one of the partitions in turn and reads it back. NULL or
 * a sentence.
 */
const char *fault_world_check(struct fault_world *w);

/** fault_world_send() - one acknowledged record for the operation to find. */
void fault_world_send(struct fault_world *w, int partition);

/**
 * fault_world_check_growth() - exactly @records more than were acknowledged
 * They are acknowledged then. NULL or a sentence.
 */
const char *fault_world_check_growth(struct fault_world *w, int64_t records);

/** fault_world_end_try() - close what the operation opened. */
void fault_world_end_try(struct fault_world *w);

/** fault_inject_begin() - let the @nth allocation of this thread fail. */
void fault_inject_begin(unsigned int nth);

/** fault_inject_end() - stop; was an allocation failed? */
bool fault_inject_end(void);

/** fault_result() - of a system call: what it returned, or -errno. */
int fault_result(long ret);

/** fault_format() - a sentence in memory of its own, until the next. */
const char *fault_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* TESTS_FAULT_FAULT_H */
