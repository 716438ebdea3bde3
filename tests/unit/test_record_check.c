// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "daemon/kafka/error_code.h"
#include "daemon/records/record_check.h"
#include "kmod/log/record.h"
#include "tests/unit/batch_golden.h"

/* Times of the golden batches: base, largest, and those of the four records. */
#define BASE_MS	   INT64_C(1700000000000)
#define LARGEST_MS (BASE_MS + 7)
#define WHOLE	   SLUICE__INFLATED_MAX

static const struct {
	const uint8_t *p;
	size_t len;
} goldens[] = {
	{batch_none, sizeof(batch_none)},     {batch_gzip, sizeof(batch_gzip)},
	{batch_snappy, sizeof(batch_snappy)}, {batch_lz4, sizeof(batch_lz4)},
	{batch_zstd, sizeof(batch_zstd)},
};

/* A topic that asks for nothing, a day after the golden batches were made. */
static const struct record_rules no_rules = {
	.before_max_ms = INT64_MAX,
	.after_max_ms = 3600000,
	.now_ms = BASE_MS + 86400000,
	.size_max = 1048588,
	.target = {.codec = RECORD_CODEC_PRODUCER},
};

static void check_init(struct record_check *c, const void *batch, size_t len)
{
	*c = (struct record_check){.batch = malloc(len), .rules = no_rules};
	memcpy(c->batch, batch, len);
	assert_int_equal(sluice_batch_parse(c->batch, UINT32_MAX, &c->b), 0);
	assert_int_equal(c->b.size, len);
}

static void golden_init(struct record_check *c, int codec)
{
	check_init(c, goldens[codec].p, goldens[codec].len);
}

static void check_free(struct record_check *c)
{
	record_check_free(c);
	free(c->batch);
}

/* Other records, or another header, in a batch of the same codec; its CRC is right. */
static void rebuild(struct record_check *c, const void *records, size_t len)
{
	uint8_t *batch = malloc(SLUICE_BATCH_HEADER_LEN + len);

	memcpy(batch + SLUICE_BATCH_HEADER_LEN, records, len);
	free(c->batch);
	c->batch = batch;
	c->b.size = (uint32_t)(SLUICE_BATCH_HEADER_LEN + len);
	sluice_batch_write_header(c->batch, &c->b);
}

/* The records of a golden batch, opened, changed by the caller, and packed again. */
static void repack(struct record_check *c, int codec, const void *records, size_t len)
{
	struct sluice__bytes packed = {0};

	if (codec == SLUICE_COMPRESSION_NONE) {
		rebuild(c, records, len);
		return;
	}
	assert_int_equal(sluice__compress(codec, records, len, &packed), 0);
	rebuild(c, packed.p, packed.len);
	sluice__bytes_free(&packed);
}

static const uint8_t *plain = batch_none + SLUICE_BATCH_HEADER_LEN;
#define PLAIN_LEN (sizeof(batch_none) - SLUICE_BATCH_HEADER_LEN)

static void run__good_batches_stay_as_they_are(void **state)
{
	(void)state;
	for (int codec = 0; codec < 5; codec++) {
		struct record_check c;

		golden_init(&c, codec);
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_NONE);
		assert_int_equal(c.made.len, 0);
		assert_memory_equal(c.batch, goldens[codec].p, goldens[codec].len);
		check_free(&c);
	}
}

/* LogValidator lists every record that is refused; a time that is wrong names the batch. */
static void run__keys_and_times(void **state)
{
	(void)state;
	for (int codec = 0; codec < 5; codec++) {
		struct record_check c;

		golden_init(&c, codec);
		c.rules.keys = true;
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_INVALID_RECORD);
		assert_int_equal(c.n_errors, 1);
		assert_int_equal(c.errors[0].index, 1);
		check_free(&c);

		/* Of times 0, 5, -10 and 7 those that are more than 4 from 3, but for no key. */
		golden_init(&c, codec);
		c.rules.keys = true;
		c.rules.times = true;
		c.rules.now_ms = BASE_MS + 3;
		c.rules.before_max_ms = 4;
		c.rules.after_max_ms = 3;
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_INVALID_TIMESTAMP);
		assert_int_equal(c.n_errors, 3);
		assert_int_equal(c.errors[0].index, 1);
		assert_int_equal(c.errors[1].index, 2);
		assert_int_equal(c.errors[2].index, 3);
		check_free(&c);

		/* Exactly at the bounds is within them. */
		golden_init(&c, codec);
		c.rules.times = true;
		c.rules.now_ms = BASE_MS;
		c.rules.before_max_ms = 10;
		c.rules.after_max_ms = 7;
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_NONE);
		check_free(&c);
	}
}

/* Bounds do not overflow, and -1 is no time. */
static void run__times_at_the_edge(void **state)
{
	static const struct {
		int64_t base;
		int16_t code;
	} cases[] = {
		{-1, 0},
		{-2, KAFKA_ERROR_INVALID_TIMESTAMP},
		{INT64_MIN, KAFKA_ERROR_INVALID_TIMESTAMP},
		{INT64_MAX, KAFKA_ERROR_INVALID_TIMESTAMP},
		{0, KAFKA_ERROR_INVALID_TIMESTAMP},
	};
	struct sluice_record_out r = {.key = "k", .key_len = 1, .value_len = -1};
	uint8_t batch[128];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct record_check c;

		r.timestamp = cases[i].base;
		len = sluice_batch_build_size(&r);
		assert_int_equal(sluice_batch_build(batch, len, &r), 0);
		check_init(&c, batch, len);
		c.rules.times = true;
		c.rules.before_max_ms = 1000;
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, cases[i].code);
		check_free(&c);
	}
}

/* Kafka's message for each: 87 what the records are, -1 what cannot be opened, 2 damage. */
static void run__records_that_are_wrong(void **state)
{
	(void)state;
	for (int codec = 0; codec < 5; codec++) {
		uint8_t records[PLAIN_LEN + 1];
		struct record_check c;

		memcpy(records, plain, PLAIN_LEN);
		records[PLAIN_LEN] = 0;
		golden_init(&c, codec);
		repack(&c, codec, records, PLAIN_LEN + 1);
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_INVALID_RECORD);

		c.code = 0;
		repack(&c, codec, records, PLAIN_LEN - 1);
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_INVALID_RECORD);

		c.code = 0;
		c.b.record_count = 5;
		repack(&c, codec, records, PLAIN_LEN);
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_INVALID_RECORD);
		c.b.record_count = 3;
		c.code = 0;
		repack(&c, codec, records, PLAIN_LEN);
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_INVALID_RECORD);

		/* The key is longer than its record. */
		c.code = 0;
		c.b.record_count = 4;
		records[5] = 0x7e;
		records[0] = 0x10;
		repack(&c, codec, records, PLAIN_LEN);
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_INVALID_RECORD);
		/* What is wrong and damaged may be right when it is sent again. */
		c.code = 0;
		c.b.crc ^= 1;
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_CORRUPT_MESSAGE);
		check_free(&c);
	}
}

static void run__what_cannot_be_decompressed(void **state)
{
	(void)state;
	for (int codec = 1; codec < 5; codec++) {
		struct record_check c;

		golden_init(&c, codec);
		rebuild(&c, "garbage, and nothing else", 25);
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_UNKNOWN_SERVER_ERROR);
		c.code = 0;
		rebuild(&c, goldens[codec].p + SLUICE_BATCH_HEADER_LEN,
			goldens[codec].len - SLUICE_BATCH_HEADER_LEN - 1);
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		/* LZ4 and zstd end with what belongs to their last block, gzip with its trailer. */
		assert_int_equal(c.code, KAFKA_ERROR_UNKNOWN_SERVER_ERROR);
		check_free(&c);
	}
}

/* In place Kafka cannot mend an offset; made anew, the batch gets the right ones. */
static void run__offsets_that_are_not_in_order(void **state)
{
	uint8_t records[PLAIN_LEN];

	(void)state;
	memcpy(records, plain, PLAIN_LEN);
	/* The offset of the first record, which follows its length, attributes and time. */
	assert_int_equal(records[4], 0);
	records[4] = 6;
	for (int codec = 0; codec < 5; codec++) {
		struct record_check c;

		golden_init(&c, codec);
		repack(&c, codec, records, PLAIN_LEN);
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, codec ? KAFKA_ERROR_UNKNOWN_SERVER_ERROR
					       : KAFKA_ERROR_INVALID_RECORD);
		c.code = 0;
		c.rules.target.codec = codec ? SLUICE_COMPRESSION_NONE : SLUICE_COMPRESSION_GZIP;
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_NONE);
		assert_true(c.made.len > 0);
		if (codec)
			assert_memory_equal(c.made.p + SLUICE_BATCH_HEADER_LEN, plain, PLAIN_LEN);
		check_free(&c);
	}
}

static void run__stored_in_another_codec(void **state)
{
	(void)state;
	for (int from = 0; from < 5; from++) {
		for (int to = 0; to < 5; to++) {
			struct record_check c, again;
			struct sluice__bytes back = {0};

			golden_init(&c, from);
			c.b.producer_id = 77;
			c.b.producer_epoch = 3;
			c.b.base_sequence = 9;
			c.b.attributes |= SLUICE_BATCH_TRANSACTIONAL;
			sluice_batch_write_header(c.batch, &c.b);
			c.rules.target.codec = to;
			c.rules.target.level = to == SLUICE_COMPRESSION_GZIP ? 9 : 1;
			assert_int_equal(record_check_run(&c, WHOLE), 0);
			assert_int_equal(c.code, KAFKA_ERROR_NONE);
			assert_int_equal(c.made.len > 0, from != to);
			if (from == to) {
				check_free(&c);
				continue;
			}
			check_init(&again, c.made.p, c.made.len);
			assert_int_equal(again.b.attributes, SLUICE_BATCH_TRANSACTIONAL | to);
			assert_int_equal(again.b.producer_id, 77);
			assert_int_equal(again.b.producer_epoch, 3);
			assert_int_equal(again.b.base_sequence, 9);
			assert_int_equal(again.b.record_count, 4);
			assert_int_equal(again.b.last_offset_delta, 3);
			assert_int_equal(again.b.base_timestamp, BASE_MS);
			assert_int_equal(again.b.max_timestamp, LARGEST_MS);
			assert_int_equal(port_crc32c(0, again.batch + SLUICE_BATCH_CRC_START,
						     again.b.size - SLUICE_BATCH_CRC_START),
					 again.b.crc);
			if (to)
				assert_int_equal(
					sluice__decompress(to, c.made.p + SLUICE_BATCH_HEADER_LEN,
							   c.made.len - SLUICE_BATCH_HEADER_LEN,
							   1 << 20, &back),
					0);
			assert_memory_equal(to ? back.p : c.made.p + SLUICE_BATCH_HEADER_LEN, plain,
					    PLAIN_LEN);
			sluice__bytes_free(&back);
			check_free(&again);
			check_free(&c);
		}
	}
}

static void run__made_batch_is_within_the_limit(void **state)
{
	struct record_check c;

	(void)state;
	golden_init(&c, SLUICE_COMPRESSION_GZIP);
	c.rules.target.codec = SLUICE_COMPRESSION_NONE;
	c.rules.size_max = sizeof(batch_none) - 1;
	assert_int_equal(record_check_run(&c, WHOLE), 0);
	assert_int_equal(c.code, KAFKA_ERROR_MESSAGE_TOO_LARGE);
	c.code = 0;
	c.rules.size_max = sizeof(batch_none);
	assert_int_equal(record_check_run(&c, WHOLE), 0);
	assert_int_equal(c.code, KAFKA_ERROR_NONE);
	check_free(&c);
}

static void run__largest_time_is_made_right(void **state)
{
	(void)state;
	for (int codec = 0; codec < 5; codec++) {
		struct record_check c;

		golden_init(&c, codec);
		c.b.max_timestamp = BASE_MS + 1000;
		sluice_batch_write_header(c.batch, &c.b);
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_NONE);
		assert_int_equal(sluice_batch_parse(c.batch, UINT32_MAX, &c.b), 0);
		assert_int_equal(c.b.max_timestamp, LARGEST_MS);
		assert_int_equal(port_crc32c(0, c.batch + SLUICE_BATCH_CRC_START,
					     c.b.size - SLUICE_BATCH_CRC_START),
				 c.b.crc);
		/* A damaged one is not made right by that. */
		c.b.max_timestamp = BASE_MS + 1000;
		sluice_batch_write_header(c.batch, &c.b);
		c.b.crc ^= 1;
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_CORRUPT_MESSAGE);
		check_free(&c);
	}
}

/* One record of 64 MiB of zeros, in a few KiB. */
static void run__a_bomb_takes_no_memory(void **state)
{
	size_t len = 64 << 20;
	uint8_t *records = calloc(1, len);
	struct record_check c;
	size_t n;

	(void)state;
	n = sluice_varint_write(records, (int32_t)len - 4);
	assert_int_equal(n, 4);
	n += 3; /* attributes, time, offset */
	records[n++] = 1;
	assert_int_equal(sluice_varint_write(records + n, (int32_t)(len - n - 4 - 1)), 4);
	for (int codec = 1; codec < 5; codec++) {
		golden_init(&c, codec);
		c.b.record_count = 1;
		c.b.last_offset_delta = 0;
		repack(&c, codec, records, len);
		assert_int_equal(record_check_run(&c, 100000), -EAGAIN);
		assert_int_equal(c.code, 0);
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, 0);
		/* Made anew it would be larger than a batch may be; that ends it early. */
		c.rules.target.codec = SLUICE_COMPRESSION_NONE;
		assert_int_equal(record_check_run(&c, WHOLE), 0);
		assert_int_equal(c.code, KAFKA_ERROR_MESSAGE_TOO_LARGE);
		check_free(&c);
	}
	free(records);
}

static void run__lists_so_many_errors(void **state)
{
	/* A record of nothing: length, attributes, time, offset, no key, no value, no headers. */
	static const uint8_t nothing[] = {12, 0, 0, 0, 1, 1, 0};
	size_t n = 5000;
	uint8_t *records = malloc(n * sizeof(nothing));
	struct record_check c;

	(void)state;
	for (size_t i = 0; i < n; i++)
		memcpy(records + i * sizeof(nothing), nothing, sizeof(nothing));
	golden_init(&c, SLUICE_COMPRESSION_GZIP);
	c.b.record_count = (int32_t)n;
	c.rules.keys = true;
	repack(&c, SLUICE_COMPRESSION_GZIP, records, n * sizeof(nothing));
	assert_int_equal(record_check_run(&c, WHOLE), 0);
	assert_int_equal(c.code, KAFKA_ERROR_INVALID_RECORD);
	assert_int_equal(c.n_errors, RECORD_ERRORS_MAX);
	assert_int_equal(c.errors[RECORD_ERRORS_MAX - 1].index, RECORD_ERRORS_MAX - 1);
	check_free(&c);
	free(records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(run__good_batches_stay_as_they_are),
		cmocka_unit_test(run__keys_and_times),
		cmocka_unit_test(run__times_at_the_edge),
		cmocka_unit_test(run__records_that_are_wrong),
		cmocka_unit_test(run__what_cannot_be_decompressed),
		cmocka_unit_test(run__offsets_that_are_not_in_order),
		cmocka_unit_test(run__stored_in_another_codec),
		cmocka_unit_test(run__made_batch_is_within_the_limit),
		cmocka_unit_test(run__largest_time_is_made_right),
		cmocka_unit_test(run__a_bomb_takes_no_memory),
		cmocka_unit_test(run__lists_so_many_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
