/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections there may be, in all and from one address. One for all
 * workers; each call takes its lock for a look-up.
 */
#ifndef SLUICE_NET_CONN_LIMITS_H
#define SLUICE_NET_CONN_LIMITS_H

#include <netinet/in.h>
#include <stdbool.h>

#include "daemon/config/live_config.h"

struct conn_limits;

/** conn_limits_new - @live: outlives it; NULL: no memory */
struct conn_limits *conn_limits_new(struct live_config *live);
void conn_limits_free(struct conn_limits *l);

/**
 * conn_limits_reserve - a place for a connection that is about to be accepted
 * Returns false if there are max.connections. Otherwise conn_limits_enter() or
 * conn_limits_unreserve() follows.
 */
bool conn_limits_reserve(struct conn_limits *l);
void conn_limits_unreserve(struct conn_limits *l);

/**
 * conn_limits_enter - the connection came from @from, an IPv4 address in IPv6's form
 * Returns 0: conn_limits_leave() ends it. -EDQUOT: its address has as many as
 * it may have; -ENOMEM; the place is given back then.
 */
int conn_limits_enter(struct conn_limits *l, const struct in6_addr *from);
void conn_limits_leave(struct conn_limits *l, const struct in6_addr *from);

#endif /* SLUICE_NET_CONN_LIMITS_H */
