// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/sluice_format.h>
#include "lib/codec.h"

#define INPUT_LEN 300000

static uint8_t input[INPUT_LEN];

/* Half zeros, half noise: every codec then has literals and copies. */
static int setup(void **state)
{
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i < INPUT_LEN; i++) {
		x = x * 1664525 + 1013904223;
		input[i] = i % 2000 < 1000 ? 0 : (uint8_t)(x >> 24);
	}
	return 0;
}

static void check(int codec, const uint8_t *data, size_t len)
{
	struct sluice__bytes packed = {0}, back = {0};

	assert_int_equal(sluice__compress(codec, data, len, &packed), 0);
	assert_int_equal(sluice__decompress(codec, packed.p, packed.len, INPUT_LEN, &back), 0);
	assert_int_equal(back.len, len);
	if (len)
		assert_memory_equal(back.p, data, len);
	sluice__bytes_free(&packed);
	sluice__bytes_free(&back);
}

static void compress__is_undone_by_decompress(void **state)
{
	static const size_t lens[] = {0, 1, 7, 32767, 32768, 32769, 65536, 65537, INPUT_LEN};

	(void)state;
	for (int codec = SLUICE_COMPRESSION_GZIP; codec <= SLUICE_COMPRESSION_ZSTD; codec++) {
		for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
			check(codec, input + (lens[i] == INPUT_LEN ? 0 : 999), lens[i]);
	}
}

static void compress__makes_it_smaller_and_reuses_the_buffer(void **state)
{
	struct sluice__bytes packed = {0};
	size_t first;

	(void)state;
	for (int codec = SLUICE_COMPRESSION_GZIP; codec <= SLUICE_COMPRESSION_ZSTD; codec++) {
		assert_int_equal(sluice__compress(codec, input, INPUT_LEN, &packed), 0);
		first = packed.len;
		assert_true(first < INPUT_LEN * 6 / 10);
		assert_int_equal(sluice__compress(codec, input, INPUT_LEN, &packed), 0);
		assert_int_equal(packed.len, first);
	}
	sluice__bytes_free(&packed);
}

/* KafkaLZ4BlockInputStream: version 1, independent blocks (FLG), 64 KiB (BD). */
static void compress__lz4_frame_is_one_that_java_reads(void **state)
{
	struct sluice__bytes packed = {0};

	(void)state;
	assert_int_equal(sluice__compress(SLUICE_COMPRESSION_LZ4, input, INPUT_LEN, &packed), 0);
	assert_memory_equal(packed.p, "\x04\x22\x4d\x18", 4);
	assert_int_equal(packed.p[4] >> 6, 1);
	assert_int_equal(packed.p[4] & 0x20, 0x20);
	assert_int_equal(packed.p[5], 4 << 4);
	sluice__bytes_free(&packed);
}

/* SnappyOutputStream: magic, version 1, compatible with 1, then a block's length. */
static void compress__snappy_has_xerials_header(void **state)
{
	struct sluice__bytes packed = {0};

	(void)state;
	assert_int_equal(sluice__compress(SLUICE_COMPRESSION_SNAPPY, input, 10, &packed), 0);
	assert_memory_equal(packed.p, "\x82SNAPPY\0\0\0\0\1\0\0\0\1\0\0\0", 19);
	assert_int_equal(packed.p[19], packed.len - 20);
	sluice__bytes_free(&packed);
}

static void compress__no_such_codec(void **state)
{
	struct sluice__bytes packed = {0};

	(void)state;
	assert_int_equal(sluice__compress(0, input, 10, &packed), -EPROTONOSUPPORT);
	assert_int_equal(sluice__compress(5, input, 10, &packed), -EPROTONOSUPPORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compress__is_undone_by_decompress),
		cmocka_unit_test(compress__makes_it_smaller_and_reuses_the_buffer),
		cmocka_unit_test(compress__lz4_frame_is_one_that_java_reads),
		cmocka_unit_test(compress__snappy_has_xerials_header),
		cmocka_unit_test(compress__no_such_codec),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
