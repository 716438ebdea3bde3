/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetch sessions (KIP-227): what a consumer fetches is remembered, so that it
 * asks and is answered only for what changed. No clock, no I/O, no lock: the
 * caller holds one, since a session may be used by any connection.
 *
 * A request: fetch_session_begin() puts what the session has into it; when it has
 * its answer, perhaps long after, fetch_session_end() leaves out of that what is no
 * news. Nothing of a session is held between the two: it may be gone by then.
 */
#ifndef SLUICE_KAFKA_FETCH_SESSION_H
#define SLUICE_KAFKA_FETCH_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/core/arena.h"
#include "daemon/core/htable.h"
#include "daemon/core/list.h"
#include "kafka/message.h"

/* A session that was used in so long, or is younger, is only taken for a larger one. */
#define FETCH_SESSION_EVICTION_MS 120000

/** FETCH_SESSION_PARTITIONS_MAX - that all sessions together remember: about 100 MiB */
#define FETCH_SESSION_PARTITIONS_MAX 1000000

/**
 * struct fetch_sessions - the cache
 * @slots: sessions that there may be (max.incremental.fetch.session.cache.slots)
 * @partitions: remembered by all of them
 * @seed: of the next id
 */
struct fetch_sessions {
	struct htable by_id;
	uint32_t slots;
	uint64_t partitions;
	uint64_t partitions_max;
	uint64_t seed;
};

enum fetch_session_kind {
	FETCH_SESSION_NONE,	   /* there is none */
	FETCH_SESSION_NEW,	   /* one begins with this answer */
	FETCH_SESSION_INCREMENTAL, /* the request is part of one */
};

/**
 * struct fetch_session_ref - what a request has to do with a session
 * @epoch: that the session has while it is at work
 */
struct fetch_session_ref {
	enum fetch_session_kind kind;
	int32_t id;
	int32_t epoch;
	bool by_id;
};

/** fetch_sessions_init - @seed: random, so that ids of former lives are not known */
void fetch_sessions_init(struct fetch_sessions *s, uint32_t slots, uint64_t partitions_max,
			 uint64_t seed);
void fetch_sessions_free(struct fetch_sessions *s);

/**
 * fetch_session_begin - find the session of a request
 * @m: an incremental one gets all partitions of the session, in the order in
 *	which they are to be served
 * @version: of the request
 * @arena: for that
 * Returns KAFKA_ERROR_NONE, or the error code that is the answer, without a session:
 * FETCH_SESSION_ID_NOT_FOUND (70), INVALID_FETCH_SESSION_EPOCH (71),
 * FETCH_SESSION_TOPIC_ID_ERROR (106). -1: no memory.
 */
int16_t fetch_session_begin(struct fetch_sessions *s, struct kafka_fetch_request *m,
			    int16_t version, int64_t now_ms, struct arena *arena,
			    struct fetch_session_ref *ret_ref);

/**
 * fetch_session_end - the answer is complete
 * @m: as fetch_session_begin() left it
 * @answer: for all its partitions in this order, with the lengths of records;
 *	gets the session's id, and keeps only what is news. Of no partitions: the
 *	client is throttled
 */
void fetch_session_end(struct fetch_sessions *s, const struct fetch_session_ref *ref,
		       const struct kafka_fetch_request *m, struct kafka_fetch_response *answer,
		       int64_t now_ms);

#endif /* SLUICE_KAFKA_FETCH_SESSION_H */
