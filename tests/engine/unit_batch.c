// SPDX-License-Identifier: Apache-2.0
#include "engine_test.h"
#include "golden.h"

#include <stdlib.h>

static void sluice_batch_parse__golden(void **state)
{
	struct sluice_batch b;

	(void)state;
	assert_int_equal(sluice_batch_parse(golden_idempotent, U32_MAX, &b), 0);
	assert_int_equal(b.base_offset, 0);
	assert_int_equal(b.size, sizeof(golden_idempotent));
	assert_int_equal(b.leader_epoch, 0);
	assert_int_equal(b.crc, 0xb5665075);
	assert_int_equal(b.attributes, 0);
	assert_int_equal(b.last_offset_delta, 1);
	assert_int_equal(b.base_timestamp, TIME_0);
	assert_int_equal(b.max_timestamp, TIME_0);
	assert_int_equal(b.producer_id, 4711);
	assert_int_equal(b.producer_epoch, 3);
	assert_int_equal(b.base_sequence, S32_MAX);
	assert_int_equal(b.record_count, 2);

	assert_int_equal(sluice_batch_parse(golden_three, U32_MAX, &b), 0);
	assert_int_equal(b.max_timestamp, TIME_0 + 5);
	assert_int_equal(b.producer_id, -1);
	assert_int_equal(b.producer_epoch, -1);
	assert_int_equal(b.base_sequence, -1);

	assert_int_equal(sluice_batch_parse(golden_gzip, U32_MAX, &b), 0);
	assert_int_equal(b.attributes, SLUICE_COMPRESSION_GZIP);
}

static void sluice_batch_parse__size_bounds(void **state)
{
	u8 hdr[SLUICE_BATCH_HEADER_LEN];
	struct sluice_batch b = {.size = 42};

	(void)state;
	memcpy(hdr, golden_one, sizeof(hdr));
	assert_int_equal(sluice_batch_parse(hdr, sizeof(golden_one) - 1, &b), -EMSGSIZE);
	assert_int_equal(b.size, 42);
	assert_int_equal(sluice_batch_parse(hdr, sizeof(golden_one), &b), 0);

	put_unaligned_be32(48, hdr + 8);
	assert_int_equal(sluice_batch_parse(hdr, U32_MAX, &b), -EINVAL);
	put_unaligned_be32(49, hdr + 8);
	assert_int_equal(sluice_batch_parse(hdr, U32_MAX, &b), 0);
	assert_int_equal(b.size, SLUICE_BATCH_HEADER_LEN);
	put_unaligned_be32((u32)-1, hdr + 8);
	assert_int_equal(sluice_batch_parse(hdr, U32_MAX, &b), -EINVAL);
	put_unaligned_be32((u32)S32_MAX, hdr + 8);
	assert_int_equal(sluice_batch_parse(hdr, U32_MAX, &b), -EINVAL);
	put_unaligned_be32((u32)S32_MAX - 12, hdr + 8);
	assert_int_equal(sluice_batch_parse(hdr, U32_MAX, &b), 0);
	assert_int_equal(b.size, S32_MAX);
}

static void sluice_batch_parse__impossible_fields(void **state)
{
	u8 hdr[SLUICE_BATCH_HEADER_LEN];
	struct sluice_batch b;

	(void)state;
	for (int magic = 0; magic < 256; magic++) {
		memcpy(hdr, golden_one, sizeof(hdr));
		hdr[16] = (u8)magic;
		assert_int_equal(sluice_batch_parse(hdr, U32_MAX, &b),
				 magic == 2 ? 0 : -EPROTONOSUPPORT);
	}
	memcpy(hdr, golden_one, sizeof(hdr));
	put_unaligned_be64((u64)-1, hdr);
	assert_int_equal(sluice_batch_parse(hdr, U32_MAX, &b), -EINVAL);
	/* The offset behind the batch must fit, too. */
	put_unaligned_be64((u64)S64_MAX, hdr);
	assert_int_equal(sluice_batch_parse(hdr, U32_MAX, &b), -EINVAL);
	put_unaligned_be64((u64)S64_MAX - 1, hdr);
	assert_int_equal(sluice_batch_parse(hdr, U32_MAX, &b), 0);
	put_unaligned_be64(0, hdr);
	put_unaligned_be32((u32)-1, hdr + 23);
	assert_int_equal(sluice_batch_parse(hdr, U32_MAX, &b), -EINVAL);
	put_unaligned_be32(0, hdr + 23);
	put_unaligned_be32((u32)-1, hdr + 57);
	assert_int_equal(sluice_batch_parse(hdr, U32_MAX, &b), -EINVAL);
}

static struct sluice_batch good_batch(void)
{
	struct sluice_batch b;

	assert_int_equal(sluice_batch_parse(golden_idempotent, U32_MAX, &b), 0);
	return b;
}

static void check_refused(const struct sluice_batch *b, const char *expected)
{
	const char *why = NULL;

	assert_int_equal(sluice_batch_check_produce(b, SLUICE_APPEND_AS_CLIENT, &why), -EINVAL);
	assert_string_equal(why, expected);
}

static void sluice_batch_check_produce__good(void **state)
{
	struct sluice_batch b = good_batch();
	const char *why = NULL;

	(void)state;
	assert_int_equal(sluice_batch_check_produce(&b, SLUICE_APPEND_AS_CLIENT, &why), 0);
	for (u16 codec = 0; codec <= SLUICE_COMPRESSION_ZSTD; codec++) {
		b.attributes = codec;
		assert_int_equal(sluice_batch_check_produce(&b, SLUICE_APPEND_AS_CLIENT, &why), 0);
	}
	assert_null(why);
}

static void sluice_batch_check_produce__bad(void **state)
{
	struct sluice_batch b = good_batch();

	(void)state;
	b.base_offset = 1;
	check_refused(&b, "the base offset of a producer's batch must be 0");
	b = good_batch();
	b.record_count = 0;
	b.last_offset_delta = 0;
	check_refused(&b, "the batch has no records");
	b = good_batch();
	b.record_count = 3;
	check_refused(&b, "the record count is not the last offset delta + 1");
	b = good_batch();
	b.attributes = SLUICE_BATCH_CONTROL;
	check_refused(&b, "a producer may not write control batches");
	b = good_batch();
	b.base_sequence = -1;
	check_refused(&b, "the batch has a producer id but no sequence");
	b = good_batch();
	b.producer_epoch = -1;
	check_refused(&b, "the batch has a producer id but no producer epoch");
}

static void sluice_batch_check_produce__bad_attributes(void **state)
{
	struct sluice_batch b = good_batch();
	const char *why = NULL;

	(void)state;
	for (u16 codec = SLUICE_COMPRESSION_ZSTD + 1; codec <= 7; codec++) {
		b.attributes = codec;
		check_refused(&b, "the compression type is unknown");
	}
	b.attributes = SLUICE_BATCH_LOG_APPEND_TIME;
	assert_int_equal(sluice_batch_check_produce(&b, SLUICE_APPEND_AS_CLIENT, &why), -ETIME);
	assert_string_equal(why, "a producer may not set LogAppendTime");
	b.attributes = SLUICE_BATCH_DELETE_HORIZON;
	check_refused(&b, "a producer may not set a delete horizon");
	for (int bit = 7; bit < 16; bit++) {
		b.attributes = (u16)(1 << bit);
		check_refused(&b, "the batch has unknown attributes");
	}
}

static void sluice_batch_stamp__lies_outside_the_crc(void **state)
{
	u8 bytes[sizeof(golden_three)];
	struct sluice_batch b;

	(void)state;
	memcpy(bytes, golden_three, sizeof(bytes));
	sluice_batch_stamp(bytes, 0x123456789abcdefLL, 77);
	assert_int_equal(sluice_batch_parse(bytes, U32_MAX, &b), 0);
	assert_int_equal(b.base_offset, 0x123456789abcdefLL);
	assert_int_equal(b.leader_epoch, 77);
	assert_int_equal(sluice_batch_last_offset(&b), 0x123456789abcdefLL + 2);
	assert_int_equal(port_crc32c(0, bytes + 21, sizeof(bytes) - 21), b.crc);
	assert_memory_equal(bytes + 16, golden_three + 16, sizeof(bytes) - 16);
}

/* kafka-python leaves 0 as the leader epoch, Kafka's own clients -1. */
static void check_build(const struct sluice_record_out *r, const u8 *golden, size_t size)
{
	u8 *bytes = malloc(size);

	assert_int_equal(sluice_batch_build_size(r), size);
	sluice_batch_build(bytes, size, r);
	assert_int_equal(get_unaligned_be32(bytes + 12), U32_MAX);
	put_unaligned_be32(0, bytes + 12);
	assert_memory_equal(bytes, golden, size);
	free(bytes);
}

static void sluice_batch_build__golden(void **state)
{
	const struct sluice_header_out headers[] = {
		{"trace", 5, "\1\2", 2},
		{"null", 4, NULL, -1},
		{"", 0, "", 0},
	};
	const struct sluice_record_out one = {TIME_0, "key", 3, "value", 5, NULL, 0, NULL};
	const struct sluice_record_out nulls = {TIME_0, NULL, -1, NULL, -1, NULL, 0, NULL};
	const struct sluice_record_out with_headers = {TIME_0, "", 0, "v", 1, headers, 3, NULL};

	(void)state;
	check_build(&one, golden_one, sizeof(golden_one));
	check_build(&nulls, golden_nulls, sizeof(golden_nulls));
	check_build(&with_headers, golden_headers, sizeof(golden_headers));
}

static void sluice_batch_build__large(void **state)
{
	struct sluice_record_out r = {.timestamp = 5, .key_len = -1, .value_len = 3000000};
	u8 *value = calloc(1, 3000000);
	const char *why = NULL;
	struct sluice_batch b;
	size_t size;
	u8 *bytes;

	(void)state;
	r.value = value;
	size = sluice_batch_build_size(&r);
	bytes = malloc(size);
	sluice_batch_build(bytes, size, &r);
	assert_int_equal(sluice_batch_parse(bytes, U32_MAX, &b), 0);
	assert_int_equal(b.size, size);
	assert_int_equal(sluice_records_check(&b, bytes + 61, size - 61, &why), 0);
	free(bytes);
	free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sluice_batch_parse__golden),
		cmocka_unit_test(sluice_batch_parse__size_bounds),
		cmocka_unit_test(sluice_batch_parse__impossible_fields),
		cmocka_unit_test(sluice_batch_check_produce__good),
		cmocka_unit_test(sluice_batch_check_produce__bad),
		cmocka_unit_test(sluice_batch_check_produce__bad_attributes),
		cmocka_unit_test(sluice_batch_stamp__lies_outside_the_crc),
		cmocka_unit_test(sluice_batch_build__golden),
		cmocka_unit_test(sluice_batch_build__large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
