// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/htable.h"
#include "daemon/quota/quota_usage.h"

/* So many before it is looked for those that use nothing any more. */
#define SWEEP_MIN 1024

/**
 * struct meter - the use of one quota
 * @who: user, a NUL, and client
 * @window: number of the newest window, counted from the beginning of time
 * @amounts: of the last windows, a ring
 */
struct meter {
	struct hnode node;
	enum quota_key key;
	unsigned int by;
	size_t who_len;
	char *who;
	int64_t window;
	double amounts[];
};

struct quota_usage {
	pthread_mutex_t lock;
	struct htable meters;
	unsigned int windows;
	int64_t window_ms;
	size_t sweep_at;
};

struct quota_usage *quota_usage_new(unsigned int windows, int64_t window_ms)
{
	struct quota_usage *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	pthread_mutex_init(&u->lock, NULL);
	htable_init(&u->meters);
	u->windows = windows;
	u->window_ms = window_ms;
	u->sweep_at = SWEEP_MIN;
	return u;
}

static void drop(struct quota_usage *u, struct meter *m)
{
	htable_remove(&u->meters, &m->node);
	free(m->who);
	free(m);
}

static void drop_any(struct hnode *n, void *ctx)
{
	drop(ctx, hnode_entry(n, struct meter, node));
}

void quota_usage_free(struct quota_usage *u)
{
	if (!u)
		return;
	htable_each(&u->meters, drop_any, u);
	htable_free(&u->meters);
	pthread_mutex_destroy(&u->lock);
	free(u);
}

int64_t quota_usage_window_ms(const struct quota_usage *u)
{
	return (u->windows > 1 ? u->windows - 1 : 1) * u->window_ms;
}

struct sweep {
	struct quota_usage *u;
	int64_t window;
};

/* One that used nothing in all windows is as good as none. */
static void drop_old(struct hnode *n, void *ctx)
{
	struct meter *m = hnode_entry(n, struct meter, node);
	const struct sweep *s = ctx;

	if (m->window + (int64_t)s->u->windows <= s->window)
		drop(s->u, m);
}

static struct meter *add(struct quota_usage *u, const struct quota_use *use, const char *who,
			 size_t who_len, uint64_t hash, int64_t window)
{
	struct sweep s = {.u = u, .window = window};
	struct meter *m = calloc(1, sizeof(*m) + u->windows * sizeof(m->amounts[0]));

	if (!m)
		return NULL;
	m->key = use->key;
	m->by = use->match.by;
	m->window = window;
	m->who_len = who_len;
	m->who = malloc(who_len);
	if (m->who)
		memcpy(m->who, who, who_len);
	if (u->meters.count >= u->sweep_at) {
		htable_each(&u->meters, drop_old, &s);
		u->sweep_at = u->meters.count * 2 > SWEEP_MIN ? u->meters.count * 2 : SWEEP_MIN;
	}
	if (m->who && !htable_insert(&u->meters, &m->node, hash))
		return m;
	free(m->who);
	free(m);
	return NULL;
}

/* Who shares the quota, as bytes; @who has room for both names and a NUL. */
static size_t format_who(const struct quota_use *use, char *who)
{
	size_t len = 0;

	if (use->match.by & (1u << QUOTA_USER) && use->user.len > 0) {
		memcpy(who, use->user.p, (size_t)use->user.len);
		len = (size_t)use->user.len;
	}
	who[len++] = '\0';
	if (use->match.by & (1u << QUOTA_CLIENT_ID) && use->client.len > 0) {
		memcpy(who + len, use->client.p, (size_t)use->client.len);
		len += (size_t)use->client.len;
	}
	return len;
}

static struct meter *find(struct quota_usage *u, const struct quota_use *use, int64_t window)
{
	char who[2 * INT16_MAX + 1];
	size_t len = format_who(use, who);
	uint64_t hash = hash_bytes(hash_u64((uint64_t)use->key, use->match.by), who, len);
	struct hnode *n = htable_first(&u->meters, hash);

	for (; n; n = htable_next(n)) {
		struct meter *m = hnode_entry(n, struct meter, node);

		if (m->key == use->key && m->by == use->match.by && m->who_len == len &&
		    !memcmp(m->who, who, len))
			return m;
	}
	return add(u, use, who, len, hash, window);
}

/* Forget what is older than all windows. */
static void go_on(const struct quota_usage *u, struct meter *m, int64_t window)
{
	int64_t steps = window - m->window;

	if (steps > (int64_t)u->windows)
		steps = u->windows;
	for (int64_t i = 0; i < steps; i++)
		m->amounts[(window - i) % u->windows] = 0;
	if (window > m->window)
		m->window = window;
}

int64_t quota_usage_record(struct quota_usage *u, const struct quota_use *use, int64_t now_ms)
{
	int64_t window = now_ms / u->window_ms;
	/* The oldest window began so long ago; never less than all but one of them. */
	double elapsed_ms = (double)(quota_usage_window_ms(u) + now_ms % u->window_ms);
	double bound = use->match.value, sum = 0, rate;
	int64_t wait_ms = 0;
	struct meter *m;

	pthread_mutex_lock(&u->lock);
	m = find(u, use, window);
	if (m) {
		go_on(u, m, window);
		m->amounts[window % u->windows] += use->amount;
		for (unsigned int i = 0; i < u->windows; i++)
			sum += m->amounts[i];
		rate = sum * 1000 / elapsed_ms;
		if (rate > bound)
			wait_ms = llround((rate - bound) / bound * elapsed_ms);
		if (wait_ms && use->if_allowed)
			m->amounts[window % u->windows] -= use->amount;
	}
	pthread_mutex_unlock(&u->lock);
	return wait_ms;
}
