/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets. They are opened once and shared by all workers. */
#ifndef SLUICE_NET_LISTENER_H
#define SLUICE_NET_LISTENER_H

#include <stddef.h>

#include "daemon/config/listener_spec.h"

/**
 * struct listener - an open listening socket
 * @fd: not blocking; owned
 * @spec: what was asked for, with the port that it got
 */
struct listener {
	int fd;
	struct listener_spec spec;
};

/**
 * listener_open - open one
 * @why: a sentence with the next step, @size bytes; set on failure
 * Returns 0 or -errno.
 */
int listener_open(const struct listener_spec *spec, int backlog, struct listener *ret_listener,
		  char *why, size_t size);
void listener_close(struct listener *l);

#endif /* SLUICE_NET_LISTENER_H */
