// SPDX-License-Identifier: Apache-2.0
/*
 * Fetch sessions as a state machine: clients that ask as they should or not,
 * over logs that grow. A client that did as it should knows of each partition of
 * its session what the log says, whatever was left out of its answers.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/kafka/error_code.h"
#include "daemon/kafka/fetch_session.h"

#define CLIENTS	       4
#define PARTS	       12 /* of two topics */
#define SLOTS	       3
#define PARTITIONS_MAX 20
#define VERSION	       12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct view {
	bool in_session;
	int64_t high_watermark;
	int16_t error;
};

static struct {
	int32_t id;
	int32_t epoch;
	struct view parts[PARTS];
} clients[CLIENTS];

static struct fetch_sessions cache;
static struct arena arena;
static int64_t high_watermarks[PARTS];
static int16_t errors[PARTS];
static int64_t now_ms;

static void must(int holds)
{
	if (!holds)
		abort();
}

static const struct kafka_str names[] = {{"one", 3}, {"two", 3}};

/* A bit for each partition: those of a request, each in a topic element of its own. */
static void add_topics(struct kafka_fetch_request *m, unsigned int bits)
{
	m->topics.v = arena_alloc(&arena, PARTS, sizeof(*m->topics.v));
	must(m->topics.v != NULL);
	for (int i = 0; i < PARTS; i++) {
		struct kafka_fetch_request_topic *t = &m->topics.v[m->topics.n];

		if (!(bits & 1u << i))
			continue;
		t->topic = names[i % 2];
		t->partitions.v = arena_alloc(&arena, 1, sizeof(*t->partitions.v));
		must(t->partitions.v != NULL);
		t->partitions.v[0].partition = i;
		t->partitions.n = 1;
		m->topics.n++;
	}
}

static void add_forgotten(struct kafka_fetch_request *m, unsigned int bits)
{
	m->forgotten_topics_data.v =
		arena_alloc(&arena, PARTS, sizeof(*m->forgotten_topics_data.v));
	must(m->forgotten_topics_data.v != NULL);
	for (int i = 0; i < PARTS; i++) {
		struct kafka_fetch_request_forgotten_topic *t =
			&m->forgotten_topics_data.v[m->forgotten_topics_data.n];

		if (!(bits & 1u << i))
			continue;
		t->topic = names[i % 2];
		t->partitions.v = arena_alloc(&arena, 1, sizeof(*t->partitions.v));
		must(t->partitions.v != NULL);
		t->partitions.v[0] = i;
		t->partitions.n = 1;
		m->forgotten_topics_data.n++;
	}
}

static void fill_answer(const struct kafka_fetch_request *m, struct kafka_fetch_response *a)
{
	kafka_fetch_response_init(a);
	a->responses.n = m->topics.n;
	a->responses.v = arena_alloc(&arena, (size_t)m->topics.n, sizeof(*a->responses.v));
	must(a->responses.v != NULL);
	for (int32_t i = 0; i < m->topics.n; i++) {
		const struct kafka_fetch_request_topic *in = &m->topics.v[i];
		struct kafka_fetch_response_topic *out = &a->responses.v[i];

		out->topic = in->topic;
		out->partitions.n = in->partitions.n;
		out->partitions.v =
			arena_alloc(&arena, (size_t)in->partitions.n, sizeof(*out->partitions.v));
		must(out->partitions.v != NULL);
		for (int32_t j = 0; j < in->partitions.n; j++) {
			struct kafka_fetch_response_partition *p = &out->partitions.v[j];
			int32_t at = in->partitions.v[j].partition;

			must(at >= 0 && at < PARTS && kafka_str_equal(in->topic, names[at % 2]));
			kafka_fetch_response_partition_init(p);
			p->partition_index = at;
			p->error_code = errors[at];
			p->high_watermark = errors[at] ? -1 : high_watermarks[at];
			p->records.len = (int32_t)(high_watermarks[at] % 3 == 2);
		}
	}
}

static void learn(struct view *parts, const struct kafka_fetch_response *a)
{
	for (int32_t i = 0; i < a->responses.n; i++) {
		const struct kafka_fetch_response_topic *t = &a->responses.v[i];

		must(t->partitions.n > 0);
		for (int32_t j = 0; j < t->partitions.n; j++) {
			const struct kafka_fetch_response_partition *p = &t->partitions.v[j];

			must(parts[p->partition_index].in_session);
			parts[p->partition_index].high_watermark = p->high_watermark;
			parts[p->partition_index].error = p->error_code;
		}
	}
}

static void ask(unsigned int who, unsigned int added, unsigned int forgotten, bool whole, bool lies)
{
	struct kafka_fetch_request m;
	struct kafka_fetch_response a;
	struct fetch_session_ref ref;
	struct view *parts = clients[who].parts;
	int16_t code;

	kafka_fetch_request_init(&m);
	m.session_id = whole ? 0 : clients[who].id;
	m.session_epoch = whole ? 0 : clients[who].epoch + lies;
	if (!whole && !clients[who].id)
		return;
	add_topics(&m, added);
	add_forgotten(&m, forgotten);
	code = fetch_session_begin(&cache, &m, VERSION, now_ms, &arena, &ref);
	must(!whole || !code);
	must(!lies || whole || code);
	if (code) {
		clients[who].id = lies ? clients[who].id : 0;
		return;
	}
	fill_answer(&m, &a);
	fetch_session_end(&cache, &ref, &m, &a, now_ms);
	must(!a.error_code && (whole || !a.session_id || a.session_id == clients[who].id));
	clients[who].id = a.session_id;
	clients[who].epoch = whole ? 1 : clients[who].epoch + 1;
	for (int i = 0; i < PARTS; i++) {
		if (whole)
			parts[i].in_session = false;
		if (added & 1u << i)
			parts[i].in_session = true;
		if (!whole && forgotten & 1u << i)
			parts[i].in_session = false;
	}
	learn(parts, &a);
	for (int i = 0; a.session_id && i < PARTS; i++) {
		if (parts[i].in_session)
			must(parts[i].error == errors[i] &&
			     (errors[i] || parts[i].high_watermark == high_watermarks[i]));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	memset(clients, 0, sizeof(clients));
	memset(high_watermarks, 0, sizeof(high_watermarks));
	memset(errors, 0, sizeof(errors));
	now_ms = 0;
	fetch_sessions_init(&cache, SLOTS, PARTITIONS_MAX, len);
	arena_init(&arena, 1 << 20);
	for (; len >= 5; data += 5, len -= 5) {
		unsigned int added = data[1] | (unsigned int)(data[2] & 15) << 8;
		unsigned int forgotten = data[3] | (unsigned int)(data[2] >> 4) << 8;

		now_ms += data[4] * (data[4] & 128 ? 1000 : 1);
		high_watermarks[data[4] % PARTS]++;
		errors[data[3] % PARTS] = data[3] % 5 ? 0 : KAFKA_ERROR_KAFKA_STORAGE_ERROR;
		ask(data[0] % CLIENTS, added, data[0] & 4 ? forgotten : 0, data[0] & 8,
		    (data[0] & 0x70) == 0x70);
		must(cache.by_id.count <= SLOTS && cache.partitions <= PARTITIONS_MAX);
		arena_reset(&arena);
	}
	fetch_sessions_free(&cache);
	must(!cache.partitions);
	arena_free(&arena);
	return 0;
}
