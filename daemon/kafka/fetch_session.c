// SPDX-License-Identifier: Apache-2.0
/* The rules are those of Kafka's FetchSession.scala. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/kafka/error_code.h"
#include "daemon/kafka/fetch_session.h"

/* Epochs of requests that are not part of a session: the first of one, and the last. */
#define EPOCH_INITIAL 0
#define EPOCH_FINAL   (-1)

/* First version in which topics have ids. */
#define IDS_FROM_VERSION 13

/**
 * struct session_topic - a topic of a session; counted by its partitions
 * @name: if the session has no ids; its bytes follow
 */
struct session_topic {
	struct hnode node;
	struct kafka_uuid id;
	struct kafka_str name;
	uint32_t partitions;
};

/**
 * struct session_partition - what the client asked last, and was told last
 * @link: in the session's order of service
 */
struct session_partition {
	struct hnode node;
	struct list link;
	struct session_topic *topic;
	struct kafka_fetch_request_partition asked;
	int64_t high_watermark;
	int64_t log_start_offset;
};

/**
 * struct session - one client's
 * @privileged: a follower's
 * @old: it was older than FETCH_SESSION_EVICTION_MS when it was used last
 */
struct session {
	struct hnode node;
	int32_t id;
	int32_t epoch;
	bool by_id;
	bool privileged;
	bool old;
	int64_t created_ms;
	int64_t used_ms;
	struct htable topics;
	struct htable partitions;
	struct list order;
};

void fetch_sessions_init(struct fetch_sessions *s, uint32_t slots, uint64_t partitions_max,
			 uint64_t seed)
{
	*s = (struct fetch_sessions){
		.slots = slots,
		.partitions_max = partitions_max,
		.seed = seed,
	};
	htable_init(&s->by_id);
}

static uint64_t topic_hash(bool by_id, const struct kafka_uuid *id, struct kafka_str name)
{
	return by_id ? hash_bytes(0, id->b, sizeof(id->b))
		     : hash_bytes(0, name.p, name.len > 0 ? (size_t)name.len : 0);
}

static struct session_topic *find_topic(const struct session *session, const struct kafka_uuid *id,
					struct kafka_str name)
{
	struct hnode *n = htable_first(&session->topics, topic_hash(session->by_id, id, name));

	for (; n; n = htable_next(n)) {
		struct session_topic *t = hnode_entry(n, struct session_topic, node);

		if (session->by_id ? !memcmp(t->id.b, id->b, sizeof(id->b))
				   : kafka_str_equal(t->name, name))
			return t;
	}
	return NULL;
}

static struct session_topic *get_topic(struct session *session, const struct kafka_uuid *id,
				       struct kafka_str name)
{
	struct session_topic *t = find_topic(session, id, name);
	size_t len = session->by_id || name.len < 0 ? 0 : (size_t)name.len;

	if (t)
		return t;
	t = calloc(1, sizeof(*t) + len);
	if (!t)
		return NULL;
	t->id = *id;
	if (len)
		memcpy(t + 1, name.p, len);
	t->name = (struct kafka_str){(const char *)(t + 1), (int32_t)len};
	if (htable_insert(&session->topics, &t->node, topic_hash(session->by_id, id, name))) {
		free(t);
		return NULL;
	}
	return t;
}

static void put_topic(struct session *session, struct session_topic *t)
{
	if (t->partitions)
		return;
	htable_remove(&session->topics, &t->node);
	free(t);
}

static uint64_t partition_hash(const struct session_topic *t, int32_t partition)
{
	return hash_u64(t->node.hash, (uint64_t)partition);
}

static struct session_partition *find_partition(const struct session *session,
						const struct session_topic *t, int32_t partition)
{
	struct hnode *n = htable_first(&session->partitions, partition_hash(t, partition));

	for (; n; n = htable_next(n)) {
		struct session_partition *p = hnode_entry(n, struct session_partition, node);

		if (p->topic == t && p->asked.partition == partition)
			return p;
	}
	return NULL;
}

static void remove_partition(struct fetch_sessions *s, struct session *session,
			     struct session_partition *p)
{
	htable_remove(&session->partitions, &p->node);
	list_remove(&p->link);
	p->topic->partitions--;
	put_topic(session, p->topic);
	free(p);
	s->partitions--;
}

/* What is new in a session was told nothing yet; what is known is asked otherwise now. */
static struct session_partition *ask(struct fetch_sessions *s, struct session *session,
				     const struct kafka_fetch_request_topic *topic,
				     const struct kafka_fetch_request_partition *asked)
{
	struct session_topic *t = get_topic(session, &topic->topic_id, topic->topic);
	struct session_partition *p = t ? find_partition(session, t, asked->partition) : NULL;

	if (!t)
		return NULL;
	if (!p) {
		p = s->partitions < s->partitions_max ? calloc(1, sizeof(*p)) : NULL;
		if (!p)
			goto err_topic;
		p->topic = t;
		p->high_watermark = -1;
		p->log_start_offset = -1;
		if (htable_insert(&session->partitions, &p->node,
				  partition_hash(t, asked->partition)))
			goto err_free;
		list_append(&session->order, &p->link);
		t->partitions++;
		s->partitions++;
	}
	p->asked = *asked;
	return p;

err_free:
	free(p);
err_topic:
	put_topic(session, t);
	return NULL;
}

static struct session *find_session(const struct fetch_sessions *s, int32_t id)
{
	struct hnode *n = htable_first(&s->by_id, hash_u64(0, (uint64_t)id));

	for (; n; n = htable_next(n)) {
		struct session *session = hnode_entry(n, struct session, node);

		if (session->id == id)
			return session;
	}
	return NULL;
}

static void free_session(struct fetch_sessions *s, struct session *session)
{
	while (!list_empty(&session->order))
		remove_partition(s, session,
				 list_entry(session->order.next, struct session_partition, link));
	htable_free(&session->partitions);
	htable_free(&session->topics);
	free(session);
}

static void remove_session(struct fetch_sessions *s, struct session *session)
{
	htable_remove(&s->by_id, &session->node);
	free_session(s, session);
}

static void remove_each(struct hnode *n, void *ctx)
{
	remove_session(ctx, hnode_entry(n, struct session, node));
}

void fetch_sessions_free(struct fetch_sessions *s)
{
	htable_each(&s->by_id, remove_each, s);
	htable_free(&s->by_id);
}

static void touch(struct session *session, int64_t now_ms)
{
	session->used_ms = now_ms;
	session->old = now_ms - session->created_ms > FETCH_SESSION_EVICTION_MS;
}

/**
 * struct eviction - who has to give way to a new session
 * @stalest: the one that was not used for the longest time
 * @least: the least worthy of those that the new one may displace
 */
struct eviction {
	bool privileged;
	struct session *stalest;
	struct session *least;
};

/* Followers before consumers, large before small. */
static bool worth_less(const struct session *a, const struct session *b)
{
	if (a->privileged != b->privileged)
		return b->privileged;
	if (a->partitions.count != b->partitions.count)
		return a->partitions.count < b->partitions.count;
	return a->id < b->id;
}

static void look_at(struct hnode *n, void *ctx)
{
	struct session *session = hnode_entry(n, struct session, node);
	struct eviction *e = ctx;

	if (!e->stalest || session->used_ms < e->stalest->used_ms ||
	    (session->used_ms == e->stalest->used_ms && session->id < e->stalest->id))
		e->stalest = session;
	if (!session->old && (!e->privileged || session->privileged))
		return;
	if (!e->least || worth_less(session, e->least))
		e->least = session;
}

/* Whether there is a place for a session of @n partitions; one is made if it may be. */
static bool has_place(struct fetch_sessions *s, bool privileged, size_t n, int64_t now_ms)
{
	struct eviction e = {.privileged = privileged};

	if (s->by_id.count < s->slots)
		return true;
	htable_each(&s->by_id, look_at, &e);
	if (e.stalest && now_ms - e.stalest->used_ms > FETCH_SESSION_EVICTION_MS) {
		remove_session(s, e.stalest);
		return true;
	}
	if (!e.least || (!privileged && e.least->privileged) ||
	    (privileged == e.least->privileged && n <= e.least->partitions.count))
		return false;
	remove_session(s, e.least);
	return true;
}

static int32_t new_id(struct fetch_sessions *s)
{
	int32_t id;

	do {
		s->seed = hash_u64(s->seed, 1);
		id = (int32_t)(s->seed & INT32_MAX);
	} while (!id || find_session(s, id));
	return id;
}

static int32_t next_epoch(int32_t epoch)
{
	return epoch == INT32_MAX ? 1 : epoch + 1;
}

static int add_asked(struct fetch_sessions *s, struct session *session,
		     const struct kafka_fetch_request *m)
{
	for (int32_t i = 0; i < m->topics.n; i++) {
		const struct kafka_fetch_request_topic *t = &m->topics.v[i];

		for (int32_t j = 0; j < t->partitions.n; j++) {
			if (!ask(s, session, t, &t->partitions.v[j]))
				return -ENOMEM;
		}
	}
	return 0;
}

static void forget(struct fetch_sessions *s, struct session *session,
		   const struct kafka_fetch_request *m)
{
	for (int32_t i = 0; i < m->forgotten_topics_data.n; i++) {
		const struct kafka_fetch_request_forgotten_topic *f =
			&m->forgotten_topics_data.v[i];

		for (int32_t j = 0; j < f->partitions.n; j++) {
			/* Anew each time: it goes with its last partition. */
			struct session_topic *t = find_topic(session, &f->topic_id, f->topic);
			struct session_partition *p =
				t ? find_partition(session, t, f->partitions.v[j]) : NULL;

			if (p)
				remove_partition(s, session, p);
		}
	}
}

/* Copies, since the session may change, or go, while the request is at work. */
static int copy_topic(const struct session_topic *t, struct arena *arena,
		      struct kafka_fetch_request_topic *ret)
{
	char *name = arena_alloc(arena, (size_t)t->name.len + 1, 1);

	if (!name)
		return -ENOMEM;
	memcpy(name, t->name.p, (size_t)t->name.len);
	ret->topic = (struct kafka_str){name, t->name.len};
	ret->topic_id = t->id;
	return 0;
}

/* All partitions of the session into the request; neighbours of one topic together. */
static int expand(const struct session *session, struct kafka_fetch_request *m, struct arena *arena)
{
	size_t n = session->partitions.count;
	struct kafka_fetch_request_topic *topics = NULL;
	struct kafka_fetch_request_partition *parts = arena_alloc(arena, n, sizeof(*parts));
	const struct session_topic *last = NULL;
	int32_t runs = 0, at = -1;
	const struct list *l;

	for (l = session->order.next; l != &session->order; l = l->next) {
		const struct session_partition *p = list_entry(l, struct session_partition, link);

		runs += p->topic != last;
		last = p->topic;
	}
	topics = arena_alloc(arena, (size_t)runs, sizeof(*topics));
	if (!parts || !topics)
		return -ENOMEM;
	last = NULL;
	for (l = session->order.next; l != &session->order; l = l->next) {
		const struct session_partition *p = list_entry(l, struct session_partition, link);

		if (p->topic != last) {
			if (copy_topic(p->topic, arena, &topics[++at]))
				return -ENOMEM;
			topics[at].partitions.v = parts;
		}
		last = p->topic;
		*parts++ = p->asked;
		topics[at].partitions.n++;
	}
	m->topics.v = topics;
	m->topics.n = runs;
	return 0;
}

static int16_t go_on(struct fetch_sessions *s, struct session *session,
		     struct kafka_fetch_request *m, int64_t now_ms, struct arena *arena,
		     struct fetch_session_ref *ret_ref)
{
	/* One that cannot grow is at its end; the client begins another, or does without. */
	if (add_asked(s, session, m)) {
		remove_session(s, session);
		return KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND;
	}
	forget(s, session, m);
	if (list_empty(&session->order)) {
		remove_session(s, session);
		m->topics.n = 0;
		return KAFKA_ERROR_NONE;
	}
	touch(session, now_ms);
	session->epoch = next_epoch(session->epoch);
	ret_ref->kind = FETCH_SESSION_INCREMENTAL;
	ret_ref->id = session->id;
	ret_ref->epoch = session->epoch;
	return expand(session, m, arena) ? KAFKA_ERROR_UNKNOWN_SERVER_ERROR : KAFKA_ERROR_NONE;
}

int16_t fetch_session_begin(struct fetch_sessions *s, struct kafka_fetch_request *m,
			    int16_t version, int64_t now_ms, struct arena *arena,
			    struct fetch_session_ref *ret_ref)
{
	struct session *session = m->session_id ? find_session(s, m->session_id) : NULL;

	*ret_ref = (struct fetch_session_ref){.by_id = version >= IDS_FROM_VERSION};
	if (m->session_epoch == EPOCH_INITIAL || m->session_epoch == EPOCH_FINAL) {
		if (session)
			remove_session(s, session);
		if (m->session_epoch == EPOCH_INITIAL)
			ret_ref->kind = FETCH_SESSION_NEW;
		return KAFKA_ERROR_NONE;
	}
	if (!session)
		return KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND;
	if (session->epoch != m->session_epoch)
		return KAFKA_ERROR_INVALID_FETCH_SESSION_EPOCH;
	if (session->by_id != ret_ref->by_id)
		return KAFKA_ERROR_FETCH_SESSION_TOPIC_ID_ERROR;
	return go_on(s, session, m, now_ms, arena, ret_ref);
}

static void tell(struct session_partition *p, const struct kafka_fetch_response_partition *told)
{
	/* So that it is told again when the error is gone. */
	p->high_watermark = told->error_code ? -1 : told->high_watermark;
	p->log_start_offset = told->log_start_offset;
}

static bool is_news(const struct session_partition *p,
		    const struct kafka_fetch_response_partition *told)
{
	return told->records.len > 0 || told->error_code || told->diverging_epoch.epoch >= 0 ||
	       p->high_watermark != told->high_watermark ||
	       p->log_start_offset != told->log_start_offset;
}

static bool is_privileged(const struct kafka_fetch_request *m)
{
	return m->replica_id >= 0 || m->replica_state.replica_id >= 0;
}

static size_t count_asked(const struct kafka_fetch_request *m)
{
	size_t n = 0;

	for (int32_t i = 0; i < m->topics.n; i++)
		n += (size_t)m->topics.v[i].partitions.n;
	return n;
}

static void tell_all(struct session *session, const struct kafka_fetch_response *answer)
{
	for (int32_t i = 0; i < answer->responses.n; i++) {
		const struct kafka_fetch_response_topic *t = &answer->responses.v[i];
		struct session_topic *known = find_topic(session, &t->topic_id, t->topic);

		for (int32_t j = 0; known && j < t->partitions.n; j++) {
			struct session_partition *p =
				find_partition(session, known, t->partitions.v[j].partition_index);

			if (p)
				tell(p, &t->partitions.v[j]);
		}
	}
}

/* Without a place, or memory, there is none, and that is an answer, too. */
static int32_t begin_session(struct fetch_sessions *s, const struct fetch_session_ref *ref,
			     const struct kafka_fetch_request *m,
			     const struct kafka_fetch_response *answer, int64_t now_ms)
{
	size_t n = count_asked(m);
	struct session *session;

	if (n > s->partitions_max - s->partitions || !has_place(s, is_privileged(m), n, now_ms))
		return 0;
	session = calloc(1, sizeof(*session));
	if (!session)
		return 0;
	session->id = new_id(s);
	session->epoch = next_epoch(EPOCH_INITIAL);
	session->by_id = ref->by_id;
	session->privileged = is_privileged(m);
	session->created_ms = now_ms;
	list_init(&session->order);
	htable_init(&session->topics);
	htable_init(&session->partitions);
	if (add_asked(s, session, m) ||
	    htable_insert(&s->by_id, &session->node, hash_u64(0, (uint64_t)session->id))) {
		free_session(s, session);
		return 0;
	}
	touch(session, now_ms);
	tell_all(session, answer);
	return session->id;
}

/* Keep what is news. What was sent records goes to the end: others have their turn first. */
static int32_t keep_news(struct session *session, struct kafka_fetch_response_topic *t)
{
	struct session_topic *known = find_topic(session, &t->topic_id, t->topic);
	int32_t kept = 0;

	for (int32_t j = 0; j < t->partitions.n; j++) {
		const struct kafka_fetch_response_partition *told = &t->partitions.v[j];
		struct session_partition *p =
			known ? find_partition(session, known, told->partition_index) : NULL;
		bool news = !p || is_news(p, told);

		if (p && told->records.len > 0) {
			list_remove(&p->link);
			list_append(&session->order, &p->link);
		}
		if (p)
			tell(p, told);
		if (news)
			t->partitions.v[kept++] = *told;
	}
	return kept;
}

static void end_incremental(struct session *session, struct kafka_fetch_response *answer)
{
	int32_t kept = 0;

	for (int32_t i = 0; i < answer->responses.n; i++) {
		struct kafka_fetch_response_topic *t = &answer->responses.v[i];

		t->partitions.n = keep_news(session, t);
		if (t->partitions.n)
			answer->responses.v[kept++] = *t;
	}
	answer->responses.n = kept;
}

void fetch_session_end(struct fetch_sessions *s, const struct fetch_session_ref *ref,
		       const struct kafka_fetch_request *m, struct kafka_fetch_response *answer,
		       int64_t now_ms)
{
	bool throttled = !answer->responses.n && m->topics.n;
	struct session *session;

	if (ref->kind == FETCH_SESSION_NEW && !throttled)
		answer->session_id = begin_session(s, ref, m, answer, now_ms);
	if (ref->kind != FETCH_SESSION_INCREMENTAL)
		return;
	answer->session_id = ref->id;
	session = find_session(s, ref->id);
	/* Gone meanwhile: the next request will hear of it. */
	if (!session)
		return;
	if (session->epoch == ref->epoch) {
		end_incremental(session, answer);
		return;
	}
	answer->error_code = KAFKA_ERROR_INVALID_FETCH_SESSION_EPOCH;
	answer->responses.n = 0;
}
