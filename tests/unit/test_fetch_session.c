// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/kafka/error_code.h"
#include "daemon/kafka/fetch_session.h"

#define PARTS_MAX 8

/**
 * struct ask - a request of one topic and its answer
 * @hw, @start, @bytes, @error: what the log has of each partition
 */
struct ask {
	struct kafka_fetch_request m;
	struct kafka_fetch_request_topic topic;
	struct kafka_fetch_request_partition parts[PARTS_MAX];
	struct kafka_fetch_request_forgotten_topic forgotten;
	int32_t forgotten_parts[PARTS_MAX];
	struct fetch_session_ref ref;
	struct kafka_fetch_response answer;
};

static struct fetch_sessions cache;
static struct arena arena;
static int64_t now_ms;
static int64_t hw[PARTS_MAX], start[PARTS_MAX];
static int32_t bytes[PARTS_MAX];
static int16_t error[PARTS_MAX];

static int setup(void **state)
{
	(void)state;
	fetch_sessions_init(&cache, 3, 20, 42);
	arena_init(&arena, 1 << 20);
	now_ms = 1000000;
	memset(hw, 0, sizeof(hw));
	memset(start, 0, sizeof(start));
	memset(bytes, 0, sizeof(bytes));
	memset(error, 0, sizeof(error));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fetch_sessions_free(&cache);
	assert_int_equal(cache.partitions, 0);
	arena_free(&arena);
	return 0;
}

/* Partitions are the digits of @parts. */
static void ask_init(struct ask *a, int32_t id, int32_t epoch, const char *parts)
{
	memset(a, 0, sizeof(*a));
	kafka_fetch_request_init(&a->m);
	a->m.session_id = id;
	a->m.session_epoch = epoch;
	a->topic.topic = kafka_str_from("t");
	a->topic.partitions.v = a->parts;
	for (; *parts; parts++) {
		struct kafka_fetch_request_partition *p = &a->parts[a->topic.partitions.n++];

		kafka_fetch_request_partition_init(p);
		p->partition = *parts - '0';
	}
	a->m.topics.v = &a->topic;
	a->m.topics.n = a->topic.partitions.n > 0;
}

static void ask_forget(struct ask *a, const char *parts)
{
	a->forgotten.topic = kafka_str_from("t");
	a->forgotten.partitions.v = a->forgotten_parts;
	for (; *parts; parts++)
		a->forgotten_parts[a->forgotten.partitions.n++] = *parts - '0';
	a->m.forgotten_topics_data.v = &a->forgotten;
	a->m.forgotten_topics_data.n = 1;
}

static int16_t begin(struct ask *a, int16_t version)
{
	return fetch_session_begin(&cache, &a->m, version, now_ms, &arena, &a->ref);
}

/* As the log has it. */
static void end(struct ask *a)
{
	kafka_fetch_response_init(&a->answer);
	a->answer.responses.n = a->m.topics.n;
	a->answer.responses.v =
		arena_alloc(&arena, (size_t)a->m.topics.n, sizeof(*a->answer.responses.v));
	for (int32_t i = 0; i < a->m.topics.n; i++) {
		const struct kafka_fetch_request_topic *in = &a->m.topics.v[i];
		struct kafka_fetch_response_topic *out = &a->answer.responses.v[i];

		out->topic = in->topic;
		out->topic_id = in->topic_id;
		out->partitions.n = in->partitions.n;
		out->partitions.v =
			arena_alloc(&arena, (size_t)in->partitions.n, sizeof(*out->partitions.v));
		for (int32_t j = 0; j < in->partitions.n; j++) {
			int32_t at = in->partitions.v[j].partition;
			struct kafka_fetch_response_partition *p = &out->partitions.v[j];

			kafka_fetch_response_partition_init(p);
			p->partition_index = at;
			p->high_watermark = hw[at];
			p->log_start_offset = start[at];
			p->records.len = bytes[at];
			p->error_code = error[at];
		}
	}
	fetch_session_end(&cache, &a->ref, &a->m, &a->answer, now_ms);
}

/* The partitions of an answer, as digits. */
static const char *told(const struct ask *a)
{
	static char text[PARTS_MAX + 1];
	size_t n = 0;

	for (int32_t i = 0; i < a->answer.responses.n; i++) {
		const struct kafka_fetch_response_topic *t = &a->answer.responses.v[i];

		for (int32_t j = 0; j < t->partitions.n; j++)
			text[n++] = (char)('0' + t->partitions.v[j].partition_index);
	}
	text[n] = '\0';
	return text;
}

static int32_t full(const char *parts)
{
	struct ask a;

	ask_init(&a, 0, 0, parts);
	assert_int_equal(begin(&a, 12), KAFKA_ERROR_NONE);
	end(&a);
	assert_string_equal(told(&a), parts);
	return a.answer.session_id;
}

static void incremental(int32_t id, int32_t epoch, const char *parts, const char *forgotten,
			const char *expected)
{
	struct ask a;

	ask_init(&a, id, epoch, parts);
	ask_forget(&a, forgotten);
	assert_int_equal(begin(&a, 12), KAFKA_ERROR_NONE);
	end(&a);
	assert_int_equal(a.answer.error_code, KAFKA_ERROR_NONE);
	assert_int_equal(a.answer.session_id, id);
	assert_string_equal(told(&a), expected);
}

static int16_t refused(int32_t id, int32_t epoch, int16_t version)
{
	struct ask a;

	ask_init(&a, id, epoch, "");
	return begin(&a, version);
}

static void session__tells_what_is_news(void **state)
{
	int32_t id = full("0123");

	(void)state;
	assert_true(id > 0);
	incremental(id, 1, "", "", "");
	hw[1] = 5;
	bytes[1] = 10;
	incremental(id, 2, "", "", "1");
	/* There are records still, though the watermark is known; it has had its turn. */
	bytes[0] = 7;
	incremental(id, 3, "", "", "01");
	bytes[0] = bytes[1] = 0;
	start[2] = 3;
	incremental(id, 4, "", "", "2");
	/* An error is told each time, and its end, too. */
	error[3] = KAFKA_ERROR_KAFKA_STORAGE_ERROR;
	incremental(id, 5, "", "", "3");
	incremental(id, 6, "", "", "3");
	error[3] = 0;
	incremental(id, 7, "", "", "3");
	incremental(id, 8, "", "", "");
	/* What is added was told nothing yet; what is forgotten is not told any more. */
	incremental(id, 9, "4", "", "4");
	hw[4] = 1;
	incremental(id, 10, "", "49", "");
	incremental(id, 11, "4", "", "4");
}

static void session__epochs(void **state)
{
	int32_t id = full("01");
	struct ask a;

	(void)state;
	assert_int_equal(refused(id, 2, 12), KAFKA_ERROR_INVALID_FETCH_SESSION_EPOCH);
	assert_int_equal(refused(id, -2, 12), KAFKA_ERROR_INVALID_FETCH_SESSION_EPOCH);
	assert_int_equal(refused(id, 1, 13), KAFKA_ERROR_FETCH_SESSION_TOPIC_ID_ERROR);
	assert_int_equal(refused(id + 1, 1, 12), KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND);
	assert_int_equal(refused(0, 1, 12), KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND);
	incremental(id, 1, "", "", "");
	assert_int_equal(refused(id, 1, 12), KAFKA_ERROR_INVALID_FETCH_SESSION_EPOCH);
	/* -1 closes it, and is answered whole. */
	ask_init(&a, id, -1, "0");
	assert_int_equal(begin(&a, 12), KAFKA_ERROR_NONE);
	end(&a);
	assert_int_equal(a.answer.session_id, 0);
	assert_string_equal(told(&a), "0");
	assert_int_equal(refused(id, 2, 12), KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND);
	/* So does a new beginning. */
	id = full("01");
	ask_init(&a, id, 0, "1");
	assert_int_equal(begin(&a, 12), KAFKA_ERROR_NONE);
	end(&a);
	assert_true(a.answer.session_id > 0 && a.answer.session_id != id);
	assert_int_equal(refused(id, 1, 12), KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND);
}

/* With nothing left it is gone, and the answer without a session. */
static void session__ends_when_it_is_empty(void **state)
{
	int32_t id = full("01");
	struct ask a;

	(void)state;
	ask_init(&a, id, 1, "");
	ask_forget(&a, "01");
	assert_int_equal(begin(&a, 12), KAFKA_ERROR_NONE);
	end(&a);
	assert_int_equal(a.answer.session_id, 0);
	assert_string_equal(told(&a), "");
	assert_int_equal(refused(id, 2, 12), KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND);
	assert_int_equal(cache.partitions, 0);
}

/* While a request waits another goes on with its session. */
static void session__overtaken(void **state)
{
	int32_t id = full("01");
	struct ask a;

	(void)state;
	ask_init(&a, id, 1, "");
	assert_int_equal(begin(&a, 12), KAFKA_ERROR_NONE);
	incremental(id, 2, "", "", "");
	end(&a);
	assert_int_equal(a.answer.error_code, KAFKA_ERROR_INVALID_FETCH_SESSION_EPOCH);
	assert_int_equal(a.answer.responses.n, 0);
	/* Or it is closed: then the answer is whole. */
	ask_init(&a, id, 3, "");
	assert_int_equal(begin(&a, 12), KAFKA_ERROR_NONE);
	full("2");
	assert_int_equal(refused(id, -1, 12), KAFKA_ERROR_NONE);
	end(&a);
	assert_int_equal(a.answer.error_code, KAFKA_ERROR_NONE);
	assert_string_equal(told(&a), "01");
}

/* FetchSessionCacheShard.tryEvict. */
static void cache__eviction(void **state)
{
	int32_t one = full("0"), two = full("01"), three = full("012");

	(void)state;
	/* None of them was unused for two minutes, nor is older than that. */
	assert_int_equal(full("01234"), 0);
	now_ms += FETCH_SESSION_EVICTION_MS;
	assert_int_equal(full("01234"), 0);
	now_ms++;
	incremental(two, 1, "", "", "");
	incremental(three, 1, "", "", "");
	/* The first was not used any more. */
	assert_true(full("0") > 0);
	assert_int_equal(refused(one, 1, 12), KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND);
	/* The others are used, but old: the smaller gives way to one that is larger. */
	assert_int_equal(full("01"), 0);
	assert_true(full("567") > 0);
	assert_int_equal(refused(two, 2, 12), KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND);
	assert_int_equal(refused(three, -5, 12), KAFKA_ERROR_INVALID_FETCH_SESSION_EPOCH);
	/* A follower displaces any consumer, and no consumer a follower. */
	struct ask a;

	ask_init(&a, 0, 0, "0");
	a.m.replica_id = 5;
	assert_int_equal(begin(&a, 12), KAFKA_ERROR_NONE);
	end(&a);
	assert_true(a.answer.session_id > 0);
}

static void cache__partitions_are_bounded(void **state)
{
	int32_t id = full("01234567"), other = full("01234567"), third;
	struct ask a;

	(void)state;
	assert_true(id && other);
	assert_int_equal(full("01234"), 0);
	third = full("0123");
	assert_true(third);
	ask_init(&a, third, 1, "4");
	assert_int_equal(begin(&a, 12), KAFKA_ERROR_FETCH_SESSION_ID_NOT_FOUND);
	assert_int_equal(cache.partitions, 16);
}

/* A client over its quota is answered nothing, and has not begun a session, or loses no news. */
static void session__throttled(void **state)
{
	struct ask a;
	int32_t id;

	(void)state;
	ask_init(&a, 0, 0, "01");
	assert_int_equal(begin(&a, 12), KAFKA_ERROR_NONE);
	kafka_fetch_response_init(&a.answer);
	fetch_session_end(&cache, &a.ref, &a.m, &a.answer, now_ms);
	assert_int_equal(a.answer.session_id, 0);
	id = full("01");
	hw[0] = 9;
	ask_init(&a, id, 1, "");
	assert_int_equal(begin(&a, 12), KAFKA_ERROR_NONE);
	kafka_fetch_response_init(&a.answer);
	fetch_session_end(&cache, &a.ref, &a.m, &a.answer, now_ms);
	assert_int_equal(a.answer.session_id, id);
	incremental(id, 2, "", "", "0");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(session__tells_what_is_news),
		TEST(session__epochs),
		TEST(session__ends_when_it_is_empty),
		TEST(session__overtaken),
		TEST(cache__eviction),
		TEST(cache__partitions_are_bounded),
		TEST(session__throttled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
