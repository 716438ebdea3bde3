// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "daemon/kafka/fetch_cache.h"

struct fetch_cache {
	pthread_mutex_t lock;
	struct fetch_sessions sessions;
};

struct fetch_cache *fetch_cache_new(uint32_t slots)
{
	struct fetch_cache *c = malloc(sizeof(*c));
	uint64_t seed;

	if (!c)
		return NULL;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	fetch_sessions_init(&c->sessions, slots, FETCH_SESSION_PARTITIONS_MAX, seed);
	return c;
}

void fetch_cache_free(struct fetch_cache *c)
{
	if (!c)
		return;
	fetch_sessions_free(&c->sessions);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

int16_t fetch_cache_begin(struct fetch_cache *c, struct kafka_fetch_request *m, int16_t version,
			  int64_t now_ms, struct arena *arena, struct fetch_session_ref *ret_ref)
{
	int16_t code;

	pthread_mutex_lock(&c->lock);
	code = fetch_session_begin(&c->sessions, m, version, now_ms, arena, ret_ref);
	pthread_mutex_unlock(&c->lock);
	return code;
}

void fetch_cache_end(struct fetch_cache *c, const struct fetch_session_ref *ref,
		     const struct kafka_fetch_request *m, struct kafka_fetch_response *answer,
		     int64_t now_ms)
{
	/* Most consumers that want no session never get here with anything to do. */
	if (ref->kind == FETCH_SESSION_NONE)
		return;
	pthread_mutex_lock(&c->lock);
	fetch_session_end(&c->sessions, ref, m, answer, now_ms);
	pthread_mutex_unlock(&c->lock);
}
