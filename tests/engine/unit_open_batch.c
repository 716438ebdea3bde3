// SPDX-License-Identifier: Apache-2.0
#include "engine_test.h"
#include "golden.h"
#include "open_batch.h"

#include <stdlib.h>

#define FIRST_LOG  "00000000000000000000.log"
#define FAULTS_MAX 200

static struct sluice_log_config batch_config(void)
{
	struct sluice_log_config c;

	sluice_log_config_default(&c);
	c.batch_bytes = 1000;
	c.linger_ms = 3600 * 1000;
	return c;
}

static int append_record(struct sluice_log *log, const struct sluice_record_out *r,
			 struct sluice_append_record *a)
{
	*a = (struct sluice_append_record){.record = r, .now = port_now_ms()};
	return sluice_log_append_record(log, a);
}

/* A value of @len bytes, all @fill, from an iterator; must succeed; its offset. */
static s64 append_value(struct sluice_log *log, s64 timestamp, u8 fill, u32 len)
{
	struct sluice_append_record a;
	struct port_iter src;
	u8 *value = malloc(len + 1);
	struct sluice_record_out r = {
		.timestamp = timestamp, .key_len = -1, .value_len = (s32)len, .value_src = &src};

	memset(value, fill, len);
	port_iter_init(&src, value, len);
	assert_int_equal(append_record(log, &r, &a), 0);
	assert_int_equal(a.offset + 1, sluice_log_end_offset(log));
	free(value);
	return a.offset;
}

static void check_file(struct port_dir *dir, const char *name, const u8 *bytes, size_t len)
{
	size_t have;
	u8 *file = file_load(dir, name, &have);

	assert_int_equal(have, len);
	assert_memory_equal(file, bytes, len);
	free(file);
}

static void append_golden_three(struct sluice_log *log)
{
	u8 twos[70];
	const struct sluice_record_out records[] = {
		{TIME_0, "a", 1, "1", 1, NULL, 0, NULL},
		{TIME_0 + 5, "b", 1, twos, sizeof(twos), NULL, 0, NULL},
		{TIME_0 + 3, NULL, -1, "3", 1, NULL, 0, NULL},
	};
	struct sluice_append_record a;

	memset(twos, '2', sizeof(twos));
	for (s64 i = 0; i < 3; i++) {
		assert_int_equal(append_record(log, &records[i], &a), 0);
		assert_int_equal(a.offset, i);
		assert_int_equal(a.lingers, i == 0);
		assert_int_equal(a.new_batch, i == 0);
		assert_int_equal(a.log_append_time, -1);
		assert_false(a.rolled);
		assert_int_equal(sluice_log_end_offset(log), i + 1);
		assert_int_equal(sluice_log_sealed_end(log), 0);
	}
}

static void sluice_log_append_record__golden(void **state)
{
	struct sluice_log_config c = batch_config();
	struct sluice_log *log = log_open(*state, &c);

	append_golden_three(log);
	assert_int_equal(file_size(*state, FIRST_LOG), 0);
	assert_int_equal(sluice_log_seal(log), 0);
	assert_int_equal(sluice_log_sealed_end(log), 3);
	check_file(*state, FIRST_LOG, golden_three, sizeof(golden_three));
	assert_int_equal(sluice_log_size_bytes(log), sizeof(golden_three));
	log_check(log);
	/* Nothing is open: nothing to do. */
	assert_int_equal(sluice_log_seal(log), 0);
	assert_int_equal(file_size(*state, FIRST_LOG), sizeof(golden_three));
	sluice_log_close(log);
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_end_offset(log), 3);
	sluice_log_close(log);
}

static void check_alone(struct port_dir *dir, u32 linger_ms, const struct sluice_record_out *r,
			const u8 *golden, size_t size)
{
	struct sluice_log_config c = batch_config();
	struct sluice_append_record a;
	struct sluice_log *log;

	dir_clear(dir);
	c.linger_ms = linger_ms;
	log = log_open(dir, &c);
	assert_int_equal(append_record(log, r, &a), 0);
	assert_int_equal(a.size, size);
	assert_true(a.new_batch);
	assert_int_equal(a.lingers, linger_ms > 0);
	assert_int_equal(sluice_log_sealed_end(log), linger_ms ? 0 : 1);
	sluice_log_close(log);
	check_file(dir, FIRST_LOG, golden, size);
}

static void sluice_log_append_record__parts(void **state)
{
	const struct sluice_header_out headers[] = {
		{"trace", 5, "\1\2", 2}, {"null", 4, NULL, -1}, {"", 0, "", 0}};
	const struct sluice_record_out one = {TIME_0, "key", 3, "value", 5, NULL, 0, NULL};
	const struct sluice_record_out nulls = {TIME_0, NULL, -1, NULL, -1, NULL, 0, NULL};
	const struct sluice_record_out with_headers = {TIME_0, "", 0, "v", 1, headers, 3, NULL};

	for (u32 linger_ms = 0; linger_ms <= 10000; linger_ms += 10000) {
		check_alone(*state, linger_ms, &one, golden_one, sizeof(golden_one));
		check_alone(*state, linger_ms, &nulls, golden_nulls, sizeof(golden_nulls));
		check_alone(*state, linger_ms, &with_headers, golden_headers,
			    sizeof(golden_headers));
	}
}

static void sluice_open_batch_read__at_once(void **state)
{
	struct sluice_log_config c = batch_config();
	struct sluice_log *log = log_open(*state, &c);
	struct sluice_open_batch *ob;
	struct sluice_record r;

	assert_null(sluice_log_open_batch(log, 0));
	append_spec(log, (struct batch_spec){.records = 5});
	assert_null(sluice_log_open_batch(log, 4));
	append_value(log, TIME_0, 'x', 3);
	assert_null(sluice_log_open_batch(log, 4));
	assert_null(sluice_log_open_batch(log, 6));
	ob = sluice_log_open_batch(log, 5);
	assert_non_null(ob);
	assert_int_equal(ob->base_offset, 5);
	assert_int_equal(sluice_open_batch_read(ob, SLUICE_BATCH_HEADER_LEN, &r), 1);
	assert_int_equal(r.value_len, 3);
	assert_memory_equal(ob->bytes + r.value_pos, "xxx", 3);
	assert_int_equal(sluice_open_batch_read(ob, r.end, &r), 0);

	append_value(log, TIME_0 - 7, 'y', 2);
	assert_int_equal(sluice_open_batch_read(ob, r.end, &r), 1);
	assert_int_equal(r.offset_delta, 1);
	assert_int_equal(r.timestamp_delta, -7);
	assert_memory_equal(ob->bytes + r.value_pos, "yy", 2);

	/* Whoever holds it reads on when it is sealed, and even when the log is gone. */
	assert_int_equal(sluice_log_seal(log), 0);
	assert_null(sluice_log_open_batch(log, 5));
	sluice_log_close(log);
	assert_int_equal(sluice_open_batch_read(ob, SLUICE_BATCH_HEADER_LEN, &r), 1);
	assert_int_equal(sluice_open_batch_read(ob, r.end, &r), 1);
	assert_int_equal(sluice_open_batch_read(ob, r.end, &r), 0);
	sluice_open_batch_put(ob);
}

/* What must come after what is in the open batch, or needs it in the file. */

static void by_append(struct sluice_log *log)
{
	assert_int_equal(append_spec(log, (struct batch_spec){.records = 2}), 2);
}

static void by_flush(struct sluice_log *log)
{
	s64 recovery_point = -1;

	assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
	assert_int_equal(recovery_point, 2);
}

static void by_fetch(struct sluice_log *log)
{
	struct sluice_range range;

	assert_int_equal(sluice_log_fetch(log, 1, 1000, 0, &range), 0);
	assert_int_equal(range.base_offset, 0);
	assert_int_equal(range.bytes, SLUICE_BATCH_HEADER_LEN + 9 + 9);
	sluice_segment_put(range.seg);
}

static void by_time(struct sluice_log *log)
{
	s64 offset, time;

	assert_int_equal(sluice_log_offset_for_time(log, TIME_0 + 1, &offset, &time), 0);
	assert_int_equal(offset, 1);
	assert_int_equal(time, TIME_0 + 1);
}

static void by_large_record(struct sluice_log *log)
{
	assert_int_equal(append_value(log, TIME_0, 'z', 2000), 2);
}

static void by_request(struct sluice_log *log)
{
	assert_int_equal(sluice_log_seal(log), 0);
}

static void sluice_log_seal__triggers(void **state)
{
	void (*const triggers[])(struct sluice_log *) = {by_append, by_flush,	     by_fetch,
							 by_time,   by_large_record, by_request};

	for (size_t i = 0; i < ARRAY_SIZE(triggers); i++) {
		struct sluice_log_config c = batch_config();
		struct sluice_log *log;
		struct sluice_batch b;
		size_t len;
		u8 *bytes;

		dir_clear(*state);
		log = log_open(*state, &c);
		append_value(log, TIME_0, 'a', 2);
		append_value(log, TIME_0 + 1, 'b', 2);
		assert_int_equal(sluice_log_sealed_end(log), 0);
		triggers[i](log);
		assert_int_equal(sluice_log_sealed_end(log), sluice_log_end_offset(log));
		assert_null(sluice_log_open_batch(log, 0));
		bytes = file_load(*state, FIRST_LOG, &len);
		assert_true(len >= SLUICE_BATCH_HEADER_LEN);
		assert_int_equal(sluice_batch_parse(bytes, U32_MAX, &b), 0);
		assert_int_equal(b.record_count, 2);
		assert_int_equal(b.max_timestamp, TIME_0 + 1);
		free(bytes);
		log_check(log);
		/* The next one opens a batch again. */
		append_value(log, TIME_0, 'c', 2);
		sluice_log_close(log);
		log = log_open(*state, &c);
		log_check(log);
		sluice_log_close(log);
	}
}

static void sluice_log_append_record__leader_epoch(void **state)
{
	struct sluice_log_config c = batch_config();
	struct sluice_log *log = log_open(*state, &c);
	struct sluice_batch b;
	size_t len;
	u8 *bytes;

	append_value(log, TIME_0, 'a', 2);
	assert_int_equal(sluice_log_set_leader_epoch(log, 4), 0);
	append_value(log, TIME_0, 'b', 2);
	assert_int_equal(sluice_log_sealed_end(log), 1);
	sluice_log_close(log);
	bytes = file_load(*state, FIRST_LOG, &len);
	assert_int_equal(sluice_batch_parse(bytes, U32_MAX, &b), 0);
	assert_int_equal(b.leader_epoch, 0);
	assert_int_equal(sluice_batch_parse(bytes + b.size, U32_MAX, &b), 0);
	assert_int_equal(b.leader_epoch, 4);
	assert_int_equal(b.base_offset, 1);
	free(bytes);
}

/* Up to batch_bytes and not beyond; as many batches as that takes. */
static void sluice_log_append_record__full(void **state)
{
	struct sluice_log_config c = batch_config();
	struct sluice_log *log = log_open(*state, &c);
	struct sluice_range range;
	u32 batches = 0;
	s64 offset = 0;

	for (int i = 0; i < 300; i++)
		append_value(log, TIME_0 + i * 10, (u8)i, (u32)i % 90);
	log_check(log);
	while (offset < 300) {
		struct sluice_batch b;

		assert_int_equal(sluice_log_fetch(log, offset, 1, SLUICE_FETCH_WHOLE_FIRST, &range),
				 0);
		assert_int_equal(sluice_log_read_batch(range.file, range.position,
						       range.position + range.bytes, &b),
				 0);
		assert_true(b.size <= c.batch_bytes);
		assert_true(b.size > c.batch_bytes - 100 || offset + b.record_count == 300);
		assert_int_equal(b.producer_id, -1);
		offset += b.record_count;
		batches++;
		sluice_segment_put(range.seg);
	}
	assert_true(batches > 15);
	sluice_log_close(log);
}

static void sluice_log_append_record__rolls(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_append_record a;
	struct sluice_log *log;
	int rolls = 0, asks = 0;

	c.batch_bytes = 400;
	c.linger_ms = 1000;
	log = log_open(*state, &c);
	for (int i = 0; i < 100; i++) {
		struct sluice_record_out r = {
			.timestamp = TIME_0, .key_len = -1, .value = "0123456789", .value_len = 10};

		assert_int_equal(append_record(log, &r, &a), 0);
		assert_int_equal(a.offset, i);
		rolls += a.rolled;
		/* For the name of the new segment, and when it is half full for the next one. */
		assert_true(a.housekeeping || !a.rolled);
		asks += a.housekeeping && !a.rolled;
	}
	assert_true(rolls >= 2);
	assert_true(asks >= rolls);
	assert_int_equal(sluice_log_segment_count(log), rolls + 1);
	log_check(log);
	sluice_log_close(log);
	log = log_open(*state, &c);
	log_check(log);
	sluice_log_close(log);
}

static void sluice_log_append_record__too_large(void **state)
{
	struct sluice_log_config c = batch_config();
	u8 *value = calloc(1, 3000);
	struct sluice_record_out r = {
		.timestamp = TIME_0, .key_len = -1, .value = value, .value_len = 3000};
	struct sluice_append_record a;
	struct sluice_log *log;

	c.max_message_bytes = (u32)sluice_batch_build_size(&r);
	log = log_open(*state, &c);
	assert_int_equal(append_record(log, &r, &a), 0);
	assert_int_equal(a.size, c.max_message_bytes);
	assert_true(a.new_batch);
	assert_false(a.lingers);
	assert_int_equal(sluice_log_sealed_end(log), 1);
	c.max_message_bytes--;
	sluice_log_set_config(log, &c);
	assert_int_equal(append_record(log, &r, &a), -EMSGSIZE);
	assert_non_null(a.why);
	assert_int_equal(a.offset, -1);
	c.max_message_bytes = 10000;
	c.segment_bytes = 3000;
	sluice_log_set_config(log, &c);
	assert_int_equal(append_record(log, &r, &a), -EMSGSIZE);
	assert_int_equal(sluice_log_end_offset(log), 1);
	sluice_log_close(log);
	free(value);
}

/* The source ends too early, as a caller's memory may. */
static void sluice_log_append_record__unreadable(void **state)
{
	struct sluice_log_config c = batch_config();
	struct sluice_log *log = log_open(*state, &c);
	struct sluice_append_record a;
	struct port_iter src;
	u8 value[2000] = {0};
	struct sluice_record_out r = {.key_len = -1, .value_src = &src};

	for (int open = 0; open < 2; open++) {
		r.value_len = 10;
		port_iter_init(&src, value, 9);
		assert_int_equal(append_record(log, &r, &a), -EFAULT);
		assert_non_null(a.why);
		r.value_len = 2000;
		port_iter_init(&src, value, 1999);
		assert_int_equal(append_record(log, &r, &a), -EFAULT);
		assert_non_null(a.why);
		assert_int_equal(sluice_log_end_offset(log), open);
		append_value(log, TIME_0, 'a', 3);
	}
	log_check(log);
	sluice_log_close(log);
}

static void sluice_log_append_record__log_append_time(void **state)
{
	struct sluice_log_config c = batch_config();
	struct sluice_record_out r = {.timestamp = 77, .key_len = -1, .value_len = -1};
	struct sluice_append_record a, b;
	s64 before = port_now_ms();
	struct sluice_batch batch;
	struct sluice_log *log;
	size_t len;
	u8 *bytes;

	c.log_append_time = true;
	log = log_open(*state, &c);
	assert_int_equal(append_record(log, &r, &a), 0);
	assert_true(a.log_append_time >= before && a.log_append_time <= port_now_ms());
	assert_int_equal(append_record(log, &r, &b), 0);
	/* One batch, one time: what readers saw stays true when it is sealed. */
	assert_int_equal(b.log_append_time, a.log_append_time);

	c.log_append_time = false;
	sluice_log_set_config(log, &c);
	assert_int_equal(append_record(log, &r, &b), 0);
	assert_int_equal(b.log_append_time, -1);
	assert_int_equal(sluice_log_sealed_end(log), 2);
	sluice_log_close(log);
	bytes = file_load(*state, FIRST_LOG, &len);
	assert_int_equal(sluice_batch_parse(bytes, U32_MAX, &batch), 0);
	assert_int_equal(batch.attributes, SLUICE_BATCH_LOG_APPEND_TIME);
	assert_int_equal(batch.max_timestamp, a.log_append_time);
	assert_int_equal(batch.record_count, 2);
	assert_int_equal(sluice_batch_parse(bytes + batch.size, U32_MAX, &batch), 0);
	assert_int_equal(batch.attributes, 0);
	assert_int_equal(batch.max_timestamp, 77);
	free(bytes);
}

static void sluice_log_linger__ends(void **state)
{
	struct sluice_log_config c = batch_config();
	struct sluice_log *log;
	s64 left = 0;

	log = log_open(*state, &c);
	assert_int_equal(sluice_log_linger(log, &left), 0);
	assert_int_equal(left, -1);
	append_value(log, TIME_0, 'a', 1);
	assert_int_equal(sluice_log_linger(log, &left), 0);
	assert_true(left > 3500 * 1000 && left <= 3600 * 1000);
	assert_int_equal(sluice_log_sealed_end(log), 0);
	/* A shorter time holds for the batch that is open, too. */
	c.linger_ms = 0;
	sluice_log_set_config(log, &c);
	assert_int_equal(sluice_log_linger(log, &left), 0);
	assert_int_equal(left, -1);
	assert_int_equal(sluice_log_sealed_end(log), 1);
	sluice_log_close(log);
}

/* As append_value(), of one byte, with a batching of its own; how much the log has grown. */
static u32 append_batching(struct sluice_log *log, s32 linger_ms, s32 batch_bytes, s64 now,
			   struct sluice_append_record *a)
{
	const struct sluice_batching batching = {linger_ms, batch_bytes};
	const struct sluice_record_out r = {
		.timestamp = TIME_0, .key_len = -1, .value = "x", .value_len = 1};

	*a = (struct sluice_append_record){.record = &r, .now = now, .batching = &batching};
	assert_int_equal(sluice_log_append_record(log, a), 0);
	return a->size;
}

/* Who wants the batch soonest has it: the host is told, and only then. */
static void sluice_batching__linger(void **state)
{
	struct sluice_log_config c = batch_config();
	struct sluice_append_record a;
	s64 now = port_now_ms(), left;
	struct sluice_log *log;

	log = log_open(*state, &c);
	append_batching(log, 7200 * 1000, -1, now, &a);
	assert_true(a.lingers && a.new_batch);
	assert_int_equal(a.seal_in_ms, 7200 * 1000);
	/* The log's own is an hour, which ends before. */
	append_batching(log, -1, -1, now, &a);
	assert_true(a.lingers && !a.new_batch);
	assert_int_equal(a.seal_in_ms, 3600 * 1000);
	append_batching(log, 60 * 1000, -1, now, &a);
	assert_int_equal(a.seal_in_ms, 60 * 1000);
	append_batching(log, 60 * 1000, -1, now + 1, &a);
	assert_false(a.lingers);
	append_value(log, TIME_0, 'a', 1);
	assert_int_equal(sluice_log_linger(log, &left), 0);
	assert_true(left > 50 * 1000 && left <= 60 * 1000);
	/* The config is changed, but not to a shorter time. */
	c.batch_bytes++;
	sluice_log_set_config(log, &c);
	assert_int_equal(sluice_log_linger(log, &left), 0);
	assert_true(left > 50 * 1000);
	assert_int_equal(sluice_log_sealed_end(log), 0);
	/* By the clock it is over. */
	append_batching(log, 1, -1, now - 1000, &a);
	assert_true(a.lingers);
	assert_int_equal(sluice_log_linger(log, &left), 0);
	assert_int_equal(left, -1);
	assert_int_equal(sluice_log_sealed_end(log), 6);
	sluice_log_close(log);
}

static void sluice_batching__alone(void **state)
{
	struct sluice_log_config c = batch_config();
	struct sluice_append_record a;
	s64 now = port_now_ms();
	struct sluice_log *log;

	log = log_open(*state, &c);
	append_value(log, TIME_0, 'a', 1);
	append_batching(log, 0, -1, now, &a);
	assert_true(a.new_batch && !a.lingers);
	/* In this order, both in the file. */
	assert_int_equal(a.offset, 1);
	assert_int_equal(sluice_log_sealed_end(log), 2);
	/* The other way round: it has a batch where the log has none. */
	c.linger_ms = 0;
	sluice_log_set_config(log, &c);
	append_batching(log, 1000, -1, now, &a);
	assert_true(a.lingers);
	append_batching(log, 1000, -1, now, &a);
	assert_int_equal(sluice_log_sealed_end(log), 2);
	append_value(log, TIME_0, 'b', 1);
	assert_int_equal(sluice_log_sealed_end(log), 5);
	sluice_log_close(log);
}

static void sluice_batching__size(void **state)
{
	struct sluice_log_config c = batch_config();
	struct sluice_append_record a;
	s64 now = port_now_ms();
	struct sluice_log *log;
	u32 size, room;

	log = log_open(*state, &c);
	/* A batch of two, of four, and of more than the log's own. */
	size = append_batching(log, -1, -1, now, &a) - SLUICE_BATCH_HEADER_LEN;
	room = SLUICE_BATCH_HEADER_LEN + 2 * size;
	append_batching(log, -1, (s32)room, now, &a);
	assert_false(a.new_batch);
	append_batching(log, -1, (s32)room, now, &a);
	assert_true(a.new_batch);
	assert_int_equal(sluice_log_sealed_end(log), 2);
	/* A larger say does not make room where a smaller one opened the batch. */
	append_batching(log, -1, (s32)(room + 2 * size), now, &a);
	assert_false(a.new_batch);
	append_batching(log, -1, (s32)(room + 2 * size), now, &a);
	assert_true(a.new_batch);
	append_value(log, TIME_0, 'a', 1);
	assert_int_equal(sluice_log_sealed_end(log), 4);
	assert_int_equal(sluice_log_seal(log), 0);
	append_batching(log, -1, 100000, now, &a);
	for (int i = 0; i < 5000; i++) {
		append_batching(log, -1, 100000, now, &a);
		assert_false(a.new_batch);
	}
	/* Too large for what its sender wants: by itself. */
	append_batching(log, -1, SLUICE_BATCH_HEADER_LEN + 1, now, &a);
	assert_true(a.new_batch && !a.lingers);
	assert_int_equal(sluice_log_sealed_end(log), sluice_log_end_offset(log));
	sluice_log_close(log);
}

/* The log ends, and who reads in memory still finds what was acknowledged. */
static void sluice_log_seal__fails(void **state)
{
	struct sluice_log_config c = batch_config();
	struct sluice_log *log = log_open(*state, &c);
	struct sluice_append_record a;
	struct sluice_open_batch *ob;
	struct sluice_range range;
	struct sluice_record r;
	s64 recovery_point = -1;
	const struct sluice_record_out out = {.key_len = -1, .value_len = -1};

	port_warn_to(NULL);
	append_value(log, TIME_0, 'a', 3);
	port_fault_set(1, false);
	assert_int_equal(sluice_log_flush(log, &recovery_point), -EIO);
	port_fault_set(0, false);
	assert_int_equal(recovery_point, -1);
	assert_int_equal(sluice_log_failed(log), -EIO);
	assert_int_equal(sluice_log_end_offset(log), 1);
	assert_int_equal(sluice_log_sealed_end(log), 0);
	assert_int_equal(append_record(log, &out, &a), -EIO);
	assert_int_equal(sluice_log_fetch(log, 0, 100, 0, &range), -EIO);
	assert_int_equal(sluice_log_seal(log), -EIO);
	ob = sluice_log_open_batch(log, 0);
	assert_non_null(ob);
	assert_int_equal(sluice_open_batch_read(ob, SLUICE_BATCH_HEADER_LEN, &r), 1);
	sluice_open_batch_put(ob);
	sluice_log_close(log);
	port_warn_to(stderr);
}

/*
 * A record, with each port call failing in turn. @prepare leaves the log as it
 * is to be; the record goes into a batch that is open, or opens one.
 */
struct scenario {
	void (*prepare)(struct sluice_log *log);
	u32 value_len;
	s64 sealed;
};

static void check_fault(struct port_dir *dir, const struct scenario *s, u32 n, bool *hit)
{
	struct sluice_log_config c = small_config();
	struct sluice_append_record a;
	struct sluice_log *log;
	struct port_iter src;
	u8 value[600];
	struct sluice_record_out r = {.timestamp = TIME_0,
				      .key_len = -1,
				      .value_len = (s32)s->value_len,
				      .value_src = &src};
	s64 end;
	int ret;

	c.batch_bytes = 400;
	dir_clear(dir);
	log = log_open(dir, &c);
	s->prepare(log);
	end = sluice_log_end_offset(log);
	memset(value, 'v', sizeof(value));
	port_iter_init(&src, value, s->value_len);
	port_fault_set(n, false);
	ret = append_record(log, &r, &a);
	*hit = port_fault_hit();
	port_fault_set(0, false);
	assert_true(*hit || !ret);
	if (ret)
		assert_non_null(a.why);
	assert_int_equal(sluice_log_end_offset(log), end + !ret);
	if (!sluice_log_failed(log)) {
		log_check(log);
		append_value(log, TIME_0, 'w', 10);
		log_check(log);
		sluice_log_close(log);
		log = log_open(dir, &c);
		assert_int_equal(sluice_log_end_offset(log), end + !ret + 1);
		log_check(log);
	} else {
		/* Only a batch that could not be sealed may end it. */
		assert_int_equal(ret, -EIO);
		assert_int_equal(sluice_log_sealed_end(log), s->sealed);
	}
	sluice_log_close(log);
}

static void run_faults(struct port_dir *dir, struct scenario s)
{
	bool hit = true;
	u32 n;

	port_warn_to(NULL);
	for (n = 1; hit && n < FAULTS_MAX; n++)
		check_fault(dir, &s, n, &hit);
	port_warn_to(stderr);
	assert_true(n > 1 && n < FAULTS_MAX);
}

static void prepare_nothing(struct sluice_log *log)
{
	(void)log;
}

static void prepare_open(struct sluice_log *log)
{
	append_value(log, TIME_0, 'o', 300);
}

/* Nearly full, so that the next batch rolls. */
static void prepare_roll(struct sluice_log *log)
{
	append_spec(log, (struct batch_spec){.records = 1, .value_len = 600});
	append_value(log, TIME_0, 'o', 150);
}

static void sluice_log_append_record__faults(void **state)
{
	run_faults(*state, (struct scenario){prepare_nothing, 20, 0});
	run_faults(*state, (struct scenario){prepare_nothing, 600, 0});
	run_faults(*state, (struct scenario){prepare_open, 20, 0});
	run_faults(*state, (struct scenario){prepare_open, 200, 0});
	run_faults(*state, (struct scenario){prepare_open, 600, 0});
	run_faults(*state, (struct scenario){prepare_roll, 200, 1});
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_append_record__golden),
		TEST(sluice_log_append_record__parts),
		TEST(sluice_open_batch_read__at_once),
		TEST(sluice_log_seal__triggers),
		TEST(sluice_log_append_record__leader_epoch),
		TEST(sluice_log_append_record__full),
		TEST(sluice_log_append_record__rolls),
		TEST(sluice_log_append_record__too_large),
		TEST(sluice_log_append_record__unreadable),
		TEST(sluice_log_append_record__log_append_time),
		TEST(sluice_log_linger__ends),
		TEST(sluice_batching__linger),
		TEST(sluice_batching__alone),
		TEST(sluice_batching__size),
		TEST(sluice_log_seal__fails),
		TEST(sluice_log_append_record__faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
