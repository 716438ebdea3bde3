// SPDX-License-Identifier: Apache-2.0
/*
 * Readers of the open batch beside producers that share it, others that append
 * whole batches behind it, and a flusher that seals it at any moment: each
 * reader sees every record once, in order, as the socket's cursor would. Also
 * built with ThreadSanitizer.
 */
#include "broken.h"
#include "engine_test.h"
#include "open_batch.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define PRODUCERS 3
#define RECORDS	  4000 /* of each producer */
#define BATCHES	  150  /* of the one that appends them, of 3 records each */
#define READERS	  2
#define AHEAD	  100 /* how far producers run before who reads */
#define END	  ((s64)PRODUCERS * RECORDS + (s64)BATCHES * 3)

struct run {
	struct sluice_log *log;
	s64 seen[READERS];
	u32 next_reader;
	u32 next_producer;
	u32 producing;
	int broken;
};

/* A record's value: who sent it, and which of his it is. */
struct stamp {
	u32 producer;
	u32 n;
};

/* So that readers are where the open batch is. */
static void wait_for_readers(struct run *run, s64 offset)
{
	for (int i = 0; i < READERS; i++)
		while (!is_broken(&run->broken) &&
		       __atomic_load_n(&run->seen[i], __ATOMIC_RELAXED) < offset - AHEAD)
			sched_yield();
}

static int produce(struct run *run, u32 producer)
{
	s64 last_offset = -1;

	for (u32 n = 0; n < RECORDS && !is_broken(&run->broken); n++) {
		struct stamp stamp = {producer, n};
		struct port_iter src;
		const struct sluice_record_out r = {.timestamp = TIME_0 + n,
						    .key = "key",
						    .key_len = n % 2 ? 3 : -1,
						    .value_len = sizeof(stamp),
						    .value_src = &src};
		struct sluice_append_record a = {.record = &r, .now = TIME_0};

		port_iter_init(&src, &stamp, sizeof(stamp));
		CHECK(run, sluice_log_append_record(run->log, &a) == 0);
		CHECK(run, a.offset > last_offset);
		CHECK(run, sluice_log_end_offset(run->log) > a.offset);
		last_offset = a.offset;
		wait_for_readers(run, a.offset);
	}
	return 0;
}

static void *producer(void *arg)
{
	struct run *run = arg;

	produce(run, __atomic_fetch_add(&run->next_producer, 1, __ATOMIC_SEQ_CST));
	__atomic_sub_fetch(&run->producing, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *batch_producer(void *arg)
{
	struct run *run = arg;

	for (int i = 0; i < BATCHES && !is_broken(&run->broken); i++) {
		struct batch_spec spec = {.records = 3, .value_len = 30};
		struct sluice_append a;
		size_t size;
		u8 *bytes = batch_make(&spec, &size);

		if (append_bytes(run->log, bytes, size, &a))
			note_broken(&run->broken, __LINE__);
		free(bytes);
		sched_yield();
	}
	__atomic_sub_fetch(&run->producing, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *flusher(void *arg)
{
	struct run *run = arg;

	while (__atomic_load_n(&run->producing, __ATOMIC_SEQ_CST)) {
		s64 end = sluice_log_end_offset(run->log), recovery_point, left;

		if (sluice_log_flush(run->log, &recovery_point) || recovery_point < end)
			note_broken(&run->broken, __LINE__);
		if (sluice_log_sealed_end(run->log) < recovery_point)
			note_broken(&run->broken, __LINE__);
		if (sluice_log_linger(run->log, &left))
			note_broken(&run->broken, __LINE__);
		usleep(300);
	}
	return NULL;
}

/**
 * struct view - what one reader has seen
 * @seen: where it is told
 * @offset: next
 * @next: of each producer
 */
struct view {
	s64 *seen;
	s64 offset;
	u32 next[PRODUCERS];
};

static int see(struct run *run, struct view *v, const void *value, s32 len)
{
	struct stamp stamp;

	__atomic_store_n(v->seen, ++v->offset, __ATOMIC_RELAXED);
	if (len != sizeof(stamp))
		return 0;
	memcpy(&stamp, value, sizeof(stamp));
	CHECK(run, stamp.producer < PRODUCERS);
	CHECK(run, stamp.n == v->next[stamp.producer]);
	v->next[stamp.producer]++;
	return 0;
}

/* Until it is read to its end and a later record is somewhere else. */
static int read_open(struct run *run, struct view *v, struct sluice_open_batch *ob)
{
	u64 pos = SLUICE_BATCH_HEADER_LEN;
	struct sluice_record r;

	while (!is_broken(&run->broken) && v->offset < END) {
		/* In this order; see open_batch.h. */
		if (v->offset >= sluice_log_end_offset(run->log)) {
			sched_yield();
			continue;
		}
		if (!sluice_open_batch_read(ob, pos, &r))
			return 0;
		pos = r.end;
		if (ob->base_offset + r.offset_delta < v->offset)
			continue;
		CHECK(run, ob->base_offset + r.offset_delta == v->offset);
		CHECK(run, see(run, v, ob->bytes + r.value_pos, r.value_len) == 0);
	}
	return 0;
}

static int read_batch(struct run *run, struct view *v, const struct sluice_range *range)
{
	u8 value[sizeof(struct stamp)];
	u64 pos = range->position + SLUICE_BATCH_HEADER_LEN;
	struct sluice_batch b;
	struct sluice_record r;

	CHECK(run, sluice_log_read_batch(range->file, range->position,
					 range->position + range->bytes, &b) == 0);
	for (s32 i = 0; i < b.record_count; i++, pos = r.end) {
		CHECK(run, sluice_record_read(range->file, pos, range->position + b.size, &r) == 0);
		if (b.base_offset + r.offset_delta < v->offset)
			continue;
		CHECK(run, b.base_offset + r.offset_delta == v->offset);
		if (r.value_len == sizeof(value))
			CHECK(run, port_file_read(range->file, r.value_pos, value, sizeof(value)) ==
					   sizeof(value));
		CHECK(run, see(run, v, value, r.value_len) == 0);
	}
	return 0;
}

static int read_next(struct run *run, struct view *v)
{
	struct sluice_open_batch *ob;
	struct sluice_range range;
	int ret;

	if (v->offset >= sluice_log_end_offset(run->log)) {
		sched_yield();
		return 0;
	}
	ob = sluice_log_open_batch(run->log, v->offset);
	if (ob) {
		ret = read_open(run, v, ob);
		sluice_open_batch_put(ob);
		return ret;
	}
	CHECK(run, v->offset < sluice_log_sealed_end(run->log));
	CHECK(run, sluice_log_fetch(run->log, v->offset, 1, SLUICE_FETCH_WHOLE_FIRST, &range) == 0);
	CHECK(run, range.seg);
	ret = read_batch(run, v, &range);
	sluice_segment_put(range.seg);
	return ret;
}

static void *reader(void *arg)
{
	struct run *run = arg;
	struct view v = {
		.seen = &run->seen[__atomic_fetch_add(&run->next_reader, 1, __ATOMIC_SEQ_CST)]};

	while (v.offset < END && !is_broken(&run->broken))
		if (read_next(run, &v))
			break;
	for (int i = 0; i < PRODUCERS; i++)
		if (v.next[i] != RECORDS)
			note_broken(&run->broken, __LINE__);
	return NULL;
}

static void readers__see_each_record_once(void **state)
{
	struct sluice_log_config c = small_config();
	struct run run = {.producing = PRODUCERS + 1};
	pthread_t threads[PRODUCERS + READERS + 2];
	size_t n = 0;

	c.segment_bytes = 20000;
	c.max_message_bytes = 5000;
	c.batch_bytes = 2000;
	run.log = log_open(*state, &c);
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[n++], NULL, reader, &run), 0);
	for (int i = 0; i < PRODUCERS; i++)
		assert_int_equal(pthread_create(&threads[n++], NULL, producer, &run), 0);
	assert_int_equal(pthread_create(&threads[n++], NULL, batch_producer, &run), 0);
	assert_int_equal(pthread_create(&threads[n++], NULL, flusher, &run), 0);
	while (n)
		pthread_join(threads[--n], NULL);
	assert_int_equal(run.broken, 0);
	assert_int_equal(sluice_log_end_offset(run.log), END);
	log_check(run.log);
	sluice_log_close(run.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(readers__see_each_record_once, dir_setup,
						dir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
