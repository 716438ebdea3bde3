/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's fetch sessions: one cache for all workers, since clients change connections. */
#ifndef SLUICE_KAFKA_FETCH_CACHE_H
#define SLUICE_KAFKA_FETCH_CACHE_H

#include "daemon/kafka/fetch_session.h"

struct fetch_cache;

/** fetch_cache_new - @slots: sessions that there may be; NULL: no memory */
struct fetch_cache *fetch_cache_new(uint32_t slots);
void fetch_cache_free(struct fetch_cache *c);

/** fetch_cache_begin, fetch_cache_end - fetch_session_begin() and _end(), from any thread */
int16_t fetch_cache_begin(struct fetch_cache *c, struct kafka_fetch_request *m, int16_t version,
			  int64_t now_ms, struct arena *arena, struct fetch_session_ref *ret_ref);
void fetch_cache_end(struct fetch_cache *c, const struct fetch_session_ref *ref,
		     const struct kafka_fetch_request *m, struct kafka_fetch_response *answer,
		     int64_t now_ms);

#endif /* SLUICE_KAFKA_FETCH_CACHE_H */
