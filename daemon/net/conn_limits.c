// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/htable.h"
#include "daemon/net/conn_limits.h"

/** struct address - one that has connections */
struct address {
	struct hnode node;
	struct in6_addr addr;
	int32_t n;
};

/**
 * struct conn_limits
 * @lock: protects what follows
 * @n: connections in all
 */
struct conn_limits {
	struct live_config *live;
	pthread_mutex_t lock;
	struct htable addresses;
	int64_t n;
};

struct conn_limits *conn_limits_new(struct live_config *live)
{
	struct conn_limits *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->live = live;
	pthread_mutex_init(&l->lock, NULL);
	htable_init(&l->addresses);
	return l;
}

static void free_address(struct hnode *n, void *ctx)
{
	struct htable *t = ctx;

	htable_remove(t, n);
	free(hnode_entry(n, struct address, node));
}

void conn_limits_free(struct conn_limits *l)
{
	if (!l)
		return;
	htable_each(&l->addresses, free_address, &l->addresses);
	htable_free(&l->addresses);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

bool conn_limits_reserve(struct conn_limits *l)
{
	struct config_layers *layers = live_config_get(l->live);
	bool free_place;

	pthread_mutex_lock(&l->lock);
	free_place = l->n < layers->now.connections_max;
	l->n += free_place;
	pthread_mutex_unlock(&l->lock);
	config_layers_put(layers);
	return free_place;
}

void conn_limits_unreserve(struct conn_limits *l)
{
	pthread_mutex_lock(&l->lock);
	l->n--;
	pthread_mutex_unlock(&l->lock);
}

static struct address *find(const struct conn_limits *l, const struct in6_addr *from)
{
	struct hnode *n = htable_first(&l->addresses, hash_bytes(0, from, sizeof(*from)));

	for (; n; n = htable_next(n)) {
		struct address *a = hnode_entry(n, struct address, node);

		if (!memcmp(&a->addr, from, sizeof(*from)))
			return a;
	}
	return NULL;
}

static struct address *add(struct conn_limits *l, const struct in6_addr *from)
{
	struct address *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->addr = *from;
	if (!htable_insert(&l->addresses, &a->node, hash_bytes(0, from, sizeof(*from))))
		return a;
	free(a);
	return NULL;
}

static int32_t max_of(const struct config *c, const struct in6_addr *from)
{
	for (unsigned int i = 0; i < c->n_ip_limits; i++) {
		if (!memcmp(&c->ip_limits[i].addr, from, sizeof(*from)))
			return c->ip_limits[i].max;
	}
	return c->connections_max_per_ip;
}

int conn_limits_enter(struct conn_limits *l, const struct in6_addr *from)
{
	struct config_layers *layers = live_config_get(l->live);
	struct address *a;
	int err = 0;

	pthread_mutex_lock(&l->lock);
	a = find(l, from);
	if ((a ? a->n : 0) >= max_of(&layers->now, from))
		err = -EDQUOT;
	else if (!a && !(a = add(l, from)))
		err = -ENOMEM;
	if (!err)
		a->n++;
	else
		l->n--;
	pthread_mutex_unlock(&l->lock);
	config_layers_put(layers);
	return err;
}

void conn_limits_leave(struct conn_limits *l, const struct in6_addr *from)
{
	struct address *a;

	pthread_mutex_lock(&l->lock);
	a = find(l, from);
	l->n--;
	if (!--a->n) {
		htable_remove(&l->addresses, &a->node);
		free(a);
	}
	pthread_mutex_unlock(&l->lock);
}
