// SPDX-License-Identifier: Apache-2.0
#include "append_source.h"
#include "engine_test.h"
#include "golden.h"

#include <stdlib.h>

static int log_setup(void **state)
{
	struct sluice_log_config c = small_config();

	return fixture_setup(state, &c);
}

static void sluice_log_append__stored_bytes(void **state)
{
	struct fixture *f = *state;
	u8 expected[sizeof(golden_one) + sizeof(golden_three)];
	struct sluice_append a;
	size_t len;
	u8 *bytes;

	assert_int_equal(sluice_log_set_leader_epoch(f->log, 9), 0);
	assert_int_equal(append_bytes(f->log, golden_one, sizeof(golden_one), &a), 0);
	assert_int_equal(a.base_offset, 0);
	assert_int_equal(append_bytes(f->log, golden_three, sizeof(golden_three), &a), 0);
	assert_int_equal(a.base_offset, 1);
	assert_int_equal(a.last_offset, 3);
	assert_int_equal(a.record_count, 3);
	assert_int_equal(a.size, sizeof(golden_three));
	assert_int_equal(a.log_append_time, -1);
	assert_false(a.rolled);

	/* What was sent, but for the fields outside the CRC. */
	memcpy(expected, golden_one, sizeof(golden_one));
	memcpy(expected + sizeof(golden_one), golden_three, sizeof(golden_three));
	put_unaligned_be32(9, expected + 12);
	put_unaligned_be64(1, expected + sizeof(golden_one));
	put_unaligned_be32(9, expected + sizeof(golden_one) + 12);
	bytes = file_load(f->dir, "00000000000000000000.log", &len);
	assert_int_equal(len, sizeof(expected));
	assert_memory_equal(bytes, expected, len);
	free(bytes);
	log_check(f->log);
}

static void sluice_log_append__takes_one_batch(void **state)
{
	struct fixture *f = *state;
	u8 two[sizeof(golden_one) + sizeof(golden_three)];
	struct port_iter iter;
	struct sluice_append a = {.src = &iter};

	memcpy(two, golden_one, sizeof(golden_one));
	memcpy(two + sizeof(golden_one), golden_three, sizeof(golden_three));
	port_iter_init(&iter, two, sizeof(two));
	assert_int_equal(sluice_log_append(f->log, &a), 0);
	assert_int_equal(port_iter_count(&iter), sizeof(golden_three));
	assert_int_equal(sluice_log_append(f->log, &a), 0);
	assert_int_equal(port_iter_count(&iter), 0);
	assert_int_equal(a.base_offset, 1);
}

/* Sizes around what goes into the file with the header. */
static void sluice_log_append__every_size(void **state)
{
	struct fixture *f = *state;
	s64 expected = 0;

	f->config.max_message_bytes = 100000;
	f->config.segment_bytes = 100000;
	sluice_log_set_config(f->log, &f->config);
	for (u32 value_len = 0; value_len < 1100; value_len += 7)
		assert_int_equal(append_spec(f->log, (struct batch_spec){.records = 1,
									 .value_len = value_len}),
				 expected++);
	assert_int_equal(append_spec(f->log, (struct batch_spec){.records = 300, .value_len = 300}),
			 expected);
	log_check(f->log);
}

/* Refused with @expected, and no byte of the directory has changed. */
static void check_refused(struct fixture *f, const void *bytes, size_t len, int expected,
			  const char *why)
{
	s64 end = sluice_log_end_offset(f->log);
	u64 digest = dir_digest(f->dir);
	struct sluice_append a;

	assert_int_equal(append_bytes(f->log, bytes, len, &a), expected);
	assert_string_equal(a.why, why);
	assert_int_equal(sluice_log_end_offset(f->log), end);
	assert_int_equal(dir_digest(f->dir), digest);
	assert_int_equal(sluice_log_failed(f->log), 0);
}

static void check_changed_refused(struct fixture *f, size_t at, u8 value, int expected,
				  const char *why)
{
	u8 bytes[sizeof(golden_three)];

	memcpy(bytes, golden_three, sizeof(bytes));
	bytes[at] = value;
	batch_seal(bytes, sizeof(bytes));
	check_refused(f, bytes, sizeof(bytes), expected, why);
}

static void sluice_log_append__bad_batches(void **state)
{
	struct fixture *f = *state;

	append_spec(f->log, (struct batch_spec){.records = 2});
	check_refused(f, golden_three, 60, -EINVAL, "what was sent is shorter than a batch header");
	check_refused(f, golden_three, 61, -EINVAL, "the batch is longer than what was sent");
	check_refused(f, golden_three, sizeof(golden_three) - 1, -EINVAL,
		      "the batch is longer than what was sent");
	check_changed_refused(f, 16, 1, -EPROTONOSUPPORT, "the magic of the batch is not 2");
	check_changed_refused(f, 8, 0xff, -EINVAL, "a field of the batch header is impossible");
	check_changed_refused(f, 9, 0x10, -EMSGSIZE, "the batch is larger than max.message.bytes");
	check_changed_refused(f, 7, 1, -EINVAL, "the base offset of a producer's batch must be 0");
	check_changed_refused(f, 60, 2, -EINVAL,
			      "the record count is not the last offset delta + 1");
	check_changed_refused(f, 60, 4, -EINVAL,
			      "the record count is not the last offset delta + 1");
	check_changed_refused(f, 22, 0x20, -EINVAL, "a producer may not write control batches");
	append_spec(f->log, (struct batch_spec){.records = 2});
	log_check(f->log);
}

/* Whichever byte under the CRC, or of it, is another than was sent. */
static void sluice_log_append__every_flipped_byte(void **state)
{
	struct fixture *f = *state;
	u8 bytes[sizeof(golden_three)];

	for (size_t i = 17; i < sizeof(bytes); i++) {
		u64 digest = dir_digest(f->dir);
		struct sluice_append a;
		int ret;

		memcpy(bytes, golden_three, sizeof(bytes));
		bytes[i] ^= 0x40;
		ret = append_bytes(f->log, bytes, sizeof(bytes), &a);
		assert_true(ret == -EBADMSG || ret == -EINVAL || ret == -ETIME);
		assert_non_null(a.why);
		assert_int_equal(dir_digest(f->dir), digest);
	}
	assert_int_equal(sluice_log_end_offset(f->log), 0);
}

static void sluice_log_append__bad_crc(void **state)
{
	struct fixture *f = *state;
	const struct batch_spec spec = {.records = 1, .value_len = 600};
	size_t size;
	u8 *bytes = batch_make(&spec, &size);

	append_spec(f->log, (struct batch_spec){.records = 1});
	bytes[size - 1] ^= 1;
	check_refused(f, bytes, size, -EBADMSG, "the CRC of the batch is wrong");
	bytes[size - 1] ^= 1;
	bytes[17] ^= 1;
	check_refused(f, bytes, size, -EBADMSG, "the CRC of the batch is wrong");
	free(bytes);
}

static void sluice_log_append__too_large(void **state)
{
	struct fixture *f = *state;
	struct batch_spec spec = {.records = 1, .value_len = 631};
	struct sluice_append a;
	size_t size;
	u8 *bytes = batch_make(&spec, &size);

	assert_int_equal(size, f->config.max_message_bytes + 1);
	check_refused(f, bytes, size, -EMSGSIZE, "the batch is larger than max.message.bytes");
	f->config.max_message_bytes++;
	sluice_log_set_config(f->log, &f->config);
	assert_int_equal(append_bytes(f->log, bytes, size, &a), 0);
	f->config.segment_bytes = (u32)size - 1;
	sluice_log_set_config(f->log, &f->config);
	check_refused(f, bytes, size, -EMSGSIZE, "the batch is larger than segment.bytes");
	free(bytes);
}

static void sluice_log_append__log_append_time(void **state)
{
	struct fixture *f = *state;
	const struct batch_spec spec = {.records = 3, .value_len = 200, .timestamp = 5000};
	size_t size;
	u8 *bytes = batch_make(&spec, &size);
	s64 before = port_now_ms();
	struct sluice_range range;
	struct sluice_append a;
	struct sluice_batch b;
	s64 stamped;

	f->config.log_append_time = true;
	f->config.segment_bytes = 100000;
	sluice_log_set_config(f->log, &f->config);
	assert_int_equal(append_bytes(f->log, bytes, size, &a), 0);
	stamped = a.log_append_time;
	assert_true(stamped >= before && stamped <= port_now_ms());

	/* The producer's CRC counts, not the one that the log gives. */
	bytes[size - 1] ^= 1;
	check_refused(f, bytes, size, -EBADMSG, "the CRC of the batch is wrong");
	free(bytes);

	log_check(f->log);
	assert_int_equal(sluice_log_fetch(f->log, 0, 1000, 0, &range), 0);
	assert_int_equal(sluice_log_read_batch(range.file, 0, range.bytes, &b), 0);
	assert_int_equal(b.attributes, SLUICE_BATCH_LOG_APPEND_TIME);
	assert_int_equal(b.max_timestamp, stamped);
	assert_int_equal(b.base_timestamp, 5000);
	sluice_segment_put(range.seg);
}

static struct batch_spec idempotent(s32 sequence, s32 records)
{
	return (struct batch_spec){
		.records = records,
		.producer_id_plus_1 = 100,
		.producer_epoch = 1,
		.base_sequence = sequence,
	};
}

static void sluice_log_append__duplicates(void **state)
{
	struct fixture *f = *state;
	struct batch_spec spec;
	struct sluice_append a;
	u64 digest;
	size_t size;
	u8 *bytes;

	append_spec(f->log, (struct batch_spec){.records = 4});
	append_spec(f->log, idempotent(0, 2));
	append_spec(f->log, idempotent(2, 3));
	digest = dir_digest(f->dir);

	spec = idempotent(0, 2);
	bytes = batch_make(&spec, &size);
	assert_int_equal(append_bytes(f->log, bytes, size, &a), 0);
	assert_true(a.duplicate);
	assert_int_equal(a.base_offset, 4);
	assert_int_equal(a.last_offset, 5);
	assert_int_equal(a.size, size);
	assert_int_equal(a.record_count, 2);
	free(bytes);

	spec = idempotent(6, 1);
	bytes = batch_make(&spec, &size);
	check_refused(f, bytes, size, -EILSEQ, "the sequence is not the next one of this producer");
	free(bytes);

	spec = idempotent(5, 1);
	spec.producer_epoch = 0;
	bytes = batch_make(&spec, &size);
	check_refused(f, bytes, size, -ESTALE, "the producer epoch is an old one");
	free(bytes);
	assert_int_equal(dir_digest(f->dir), digest);
	append_spec(f->log, idempotent(5, 1));
	log_check(f->log);
}

/* A batch that was refused for its CRC was not "sent before". */
static void sluice_log_append__failure_is_not_remembered(void **state)
{
	struct fixture *f = *state;
	const struct batch_spec spec = idempotent(0, 2);
	size_t size;
	u8 *bytes = batch_make(&spec, &size);
	struct sluice_append a;

	bytes[size - 1] ^= 1;
	check_refused(f, bytes, size, -EBADMSG, "the CRC of the batch is wrong");
	bytes[size - 1] ^= 1;
	assert_int_equal(append_bytes(f->log, bytes, size, &a), 0);
	assert_false(a.duplicate);
	free(bytes);
}

/*
 * Kafka checks the CRC before what is under it (UnifiedLog
 * .analyzeAndValidateRecords): a client tries again what came damaged, and
 * gives up what is wrong.
 */
static void check_damage_is_told(struct fixture *f, u32 value_len)
{
	static const size_t positions[] = {22 /* attributes */, 26 /* last offset delta */,
					   35 /* max timestamp */, 53 /* base sequence */,
					   60 /* record count */};
	const struct batch_spec spec = {
		.records = 1, .value_len = value_len, .producer_id_plus_1 = 8, .producer_epoch = 1};
	size_t size;
	u8 *bytes = batch_make(&spec, &size);

	for (size_t i = 0; i < ARRAY_SIZE(positions); i++) {
		bytes[positions[i]] ^= 0x40;
		check_refused(f, bytes, size, -EBADMSG, "the CRC of the batch is wrong");
		bytes[positions[i]] ^= 0x40;
	}
	free(bytes);
}

static void sluice_log_append__damage_comes_before_what_it_looks_like(void **state)
{
	check_damage_is_told(*state, 100);
	check_damage_is_told(*state, 1000);
}

static void sluice_log_append__damage_of_a_large_batch(void **state)
{
	struct fixture *f = *state;

	f->config.segment_bytes = 3 * SLUICE_APPEND_WHOLE_MAX / 2;
	f->config.max_message_bytes = 3 * SLUICE_APPEND_WHOLE_MAX / 2;
	sluice_log_set_config(f->log, &f->config);
	check_damage_is_told(f, SLUICE_APPEND_WHOLE_MAX);
}

static void sluice_log_append__rolls_by_size(void **state)
{
	struct fixture *f = *state;
	const struct batch_spec spec = {.records = 2, .value_len = 100};
	size_t size;
	u8 *bytes = batch_make(&spec, &size);
	struct sluice_append a;

	f->config.segment_bytes = 3 * (u32)size;
	sluice_log_set_config(f->log, &f->config);
	for (s64 i = 0; i < 9; i++) {
		assert_int_equal(append_bytes(f->log, bytes, size, &a), 0);
		assert_int_equal(a.rolled, i == 3 || i == 6);
	}
	assert_int_equal(sluice_log_segment_count(f->log), 3);
	assert_int_equal(file_size(f->dir, "00000000000000000000.log"), 3 * size);
	assert_int_equal(file_size(f->dir, "00000000000000000006.log"), 3 * size);
	assert_int_equal(file_size(f->dir, "00000000000000000012.log"), 3 * size);
	assert_int_equal(sluice_log_size_bytes(f->log), 9 * size);
	log_check(f->log);
	free(bytes);
}

/* The roll stays, as an empty segment at the log end, and serves the next append. */
static void sluice_log_append__failure_after_a_roll(void **state)
{
	struct fixture *f = *state;
	/* So large that it is judged where it is stored. */
	const struct batch_spec spec = {.records = 1, .value_len = SLUICE_APPEND_WHOLE_MAX};
	size_t size;
	u8 *bytes = batch_make(&spec, &size);
	struct sluice_append a;

	f->config.segment_bytes = 3 * SLUICE_APPEND_WHOLE_MAX / 2;
	f->config.max_message_bytes = f->config.segment_bytes;
	sluice_log_set_config(f->log, &f->config);
	append_spec(f->log, spec);
	bytes[size - 1] ^= 1;
	assert_int_equal(append_bytes(f->log, bytes, size, &a), -EBADMSG);
	assert_int_equal(sluice_log_segment_count(f->log), 2);
	assert_int_equal(sluice_log_end_offset(f->log), 1);
	assert_int_equal(file_size(f->dir, "00000000000000000001.log"), 0);
	log_check(f->log);
	sluice_log_close(f->log);
	f->log = log_open(f->dir, &f->config);
	assert_int_equal(sluice_log_end_offset(f->log), 1);

	bytes[size - 1] ^= 1;
	assert_int_equal(append_bytes(f->log, bytes, size, &a), 0);
	assert_int_equal(a.base_offset, 1);
	assert_true(a.rolled);
	assert_int_equal(sluice_log_segment_count(f->log), 2);
	log_check(f->log);
	free(bytes);
}

static void sluice_log_append__rolls_when_an_index_is_full(void **state)
{
	struct fixture *f = *state;

	f->config.segment_bytes = 1000000;
	f->config.index_interval_bytes = 0;
	f->config.segment_index_bytes = 40; /* 5 offset entries */
	sluice_log_set_config(f->log, &f->config);
	/* The same time: one entry of the time index is enough. */
	for (int i = 0; i < 7; i++)
		append_spec(f->log, (struct batch_spec){.records = 1});
	assert_int_equal(sluice_log_segment_count(f->log), 2);
	assert_int_equal(file_size(f->dir, "00000000000000000000.index"), 40);
	assert_int_equal(file_size(f->dir, "00000000000000000000.timeindex"), 12);
	/* Growing times fill the time index first: 3 entries, the last kept for the roll. */
	for (s64 i = 0; i < 4; i++)
		append_spec(f->log, (struct batch_spec){.records = 1, .timestamp = TIME_0 + 1 + i});
	assert_int_equal(sluice_log_segment_count(f->log), 3);
	assert_int_equal(file_size(f->dir, "00000000000000000006.timeindex"), 24);
	log_check(f->log);
}

/* Segment.append of Kafka: an entry once more than the interval lies behind the last. */
static void sluice_log_append__index_entries(void **state)
{
	struct fixture *f = *state;
	size_t len;
	u8 *bytes;

	f->config.index_interval_bytes = 199;
	sluice_log_set_config(f->log, &f->config);
	/* Seven batches of 100 bytes; times 0, -1, +5, +3, +9, +9, +2. */
	static const s64 times[] = {0, -1, 5, 3, 9, 9, 2};
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		append_spec(f->log, (struct batch_spec){.records = 1,
							.value_len = 32,
							.timestamp = TIME_0 + times[i]});
	assert_int_equal(file_size(f->dir, "00000000000000000000.log"), 700);
	/* In memory until a write of them is worth it, or the log is closed. */
	assert_int_equal(file_size(f->dir, "00000000000000000000.index"), 0);
	assert_int_equal(file_size(f->dir, "00000000000000000000.timeindex"), 0);
	assert_int_equal(sluice_log_flush_indexes(f->log), 0);
	bytes = file_load(f->dir, "00000000000000000000.index", &len);
	assert_int_equal(len, 24);
	assert_memory_equal(bytes, "\0\0\0\2\0\0\0\xc8\0\0\0\4\0\0\1\x90\0\0\0\6\0\0\2\x58", 24);
	free(bytes);
	bytes = file_load(f->dir, "00000000000000000000.timeindex", &len);
	assert_int_equal(len, 24);
	assert_int_equal(get_unaligned_be64(bytes), TIME_0 + 5);
	assert_int_equal(get_unaligned_be32(bytes + 8), 2);
	assert_int_equal(get_unaligned_be64(bytes + 12), TIME_0 + 9);
	assert_int_equal(get_unaligned_be32(bytes + 20), 4);
	free(bytes);
}

static void sluice_log_append__no_more_offsets(void **state)
{
	struct fixture *f = *state;
	const struct batch_spec spec = {.records = 3};
	size_t size;
	u8 *bytes = batch_make(&spec, &size);

	sluice_log_close(f->log);
	dir_clear(f->dir);
	file_store(f->dir, "09223372036854775804.log", "", 0);
	file_store(f->dir, "09223372036854775804.index", "", 0);
	file_store(f->dir, "09223372036854775804.timeindex", "", 0);
	f->log = log_open(f->dir, &f->config);
	append_spec(f->log, (struct batch_spec){.records = 2});
	check_refused(f, bytes, size, -EOVERFLOW, "the log has no more offsets");
	free(bytes);
}

static void sluice_log_append__failed_log(void **state)
{
	struct fixture *f = *state;
	struct sluice_append a;

	append_spec(f->log, (struct batch_spec){.records = 1});
	sluice_log_set_failed(f->log, -EROFS);
	sluice_log_set_failed(f->log, -ENOSPC);
	assert_int_equal(sluice_log_failed(f->log), -EROFS);
	assert_int_equal(append_bytes(f->log, golden_one, sizeof(golden_one), &a), -EIO);
	assert_string_equal(a.why, "the log failed earlier and takes no more appends");
	log_check(f->log);
}

static void sluice_log_set_leader_epoch__only_up(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sluice_log_set_leader_epoch(f->log, 5), 0);
	assert_int_equal(sluice_log_set_leader_epoch(f->log, 5), 0);
	assert_int_equal(sluice_log_set_leader_epoch(f->log, 4), -ESTALE);
	assert_int_equal(sluice_log_leader_epoch(f->log), 5);
}

static void sluice_log_set_owner__is_given_back(void **state)
{
	struct fixture *f = *state;

	assert_null(sluice_log_owner(f->log));
	sluice_log_set_owner(f->log, f);
	assert_ptr_equal(sluice_log_owner(f->log), f);
}

static void check_config(struct sluice_log_config c, const char *expected)
{
	const char *why = NULL;

	assert_int_equal(sluice_log_config_check(&c, &why), expected ? -EINVAL : 0);
	if (expected)
		assert_string_equal(why, expected);
}

static void sluice_log_config_check__bounds(void **state)
{
	struct sluice_log_config c, d;

	(void)state;
	sluice_log_config_default(&d);
	/* LogConfig.java, TopicConfig.java: the documented defaults. */
	assert_int_equal(d.segment_bytes, 1073741824);
	assert_int_equal(d.max_message_bytes, 1048588);
	assert_int_equal(d.index_interval_bytes, 4096);
	assert_int_equal(d.segment_index_bytes, 10485760);
	assert_false(d.log_append_time);
	check_config(d, NULL);
	c = d;
	c.segment_bytes = 60;
	check_config(c, "segment.bytes is too small for a batch");
	c.segment_bytes = 2147483648U;
	check_config(c, "segment.bytes is larger than 2147483647");
	c = d;
	c.max_message_bytes = 2147483648U;
	check_config(c, "max.message.bytes is larger than 2147483647");
	c = d;
	c.index_interval_bytes = 2147483648U;
	check_config(c, "index.interval.bytes is larger than 2147483647");
	c = d;
	c.segment_index_bytes = 3;
	check_config(c, "segment.index.bytes is smaller than 4");
	c.segment_index_bytes = 2147483648U;
	check_config(c, "segment.index.bytes is larger than 2147483647");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, log_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_append__stored_bytes),
		TEST(sluice_log_append__takes_one_batch),
		TEST(sluice_log_append__every_size),
		TEST(sluice_log_append__bad_batches),
		TEST(sluice_log_append__every_flipped_byte),
		TEST(sluice_log_append__bad_crc),
		TEST(sluice_log_append__too_large),
		TEST(sluice_log_append__log_append_time),
		TEST(sluice_log_append__duplicates),
		TEST(sluice_log_append__failure_is_not_remembered),
		TEST(sluice_log_append__damage_comes_before_what_it_looks_like),
		TEST(sluice_log_append__damage_of_a_large_batch),
		TEST(sluice_log_append__rolls_by_size),
		TEST(sluice_log_append__failure_after_a_roll),
		TEST(sluice_log_append__rolls_when_an_index_is_full),
		TEST(sluice_log_append__index_entries),
		TEST(sluice_log_append__no_more_offsets),
		TEST(sluice_log_append__failed_log),
		TEST(sluice_log_set_leader_epoch__only_up),
		TEST(sluice_log_set_owner__is_given_back),
		cmocka_unit_test(sluice_log_config_check__bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
