// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <lz4frame.h>
#include <snappy-c.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>
#include <linux/sluice_format.h>
#include "lib/internal.h"

#define INPUT_LEN   300000
#define PACKED_ROOM (2 * INPUT_LEN)

static uint8_t input[INPUT_LEN];
static uint8_t packed[PACKED_ROOM];

/* Half zeros, half noise: every codec then has literals and copies. */
static void fill_input(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < INPUT_LEN; i++) {
		x = x * 1664525 + 1013904223;
		input[i] = i % 2000 < 1000 ? 0 : (uint8_t)(x >> 24);
	}
}

static size_t pack_gzip(void)
{
	z_stream z = {.next_in = input,
		      .avail_in = INPUT_LEN,
		      .next_out = packed,
		      .avail_out = PACKED_ROOM};

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return PACKED_ROOM - z.avail_out;
}

static size_t pack(int codec)
{
	size_t len = PACKED_ROOM;

	switch (codec) {
	case SLUICE_COMPRESSION_GZIP: return pack_gzip();
	case SLUICE_COMPRESSION_LZ4:
		return LZ4F_compressFrame(packed, PACKED_ROOM, input, INPUT_LEN, NULL);
	case SLUICE_COMPRESSION_ZSTD:
		return ZSTD_compress(packed, PACKED_ROOM, input, INPUT_LEN, 3);
	}
	assert_int_equal(codec, SLUICE_COMPRESSION_SNAPPY);
	assert_int_equal(snappy_compress((char *)input, INPUT_LEN, (char *)packed, &len),
			 SNAPPY_OK);
	return len;
}

static int setup(void **state)
{
	(void)state;
	fill_input();
	return 0;
}

static void decompress__gives_back_the_input(void **state)
{
	struct sluice__bytes out = {0};

	(void)state;
	for (int codec = SLUICE_COMPRESSION_GZIP; codec <= SLUICE_COMPRESSION_ZSTD; codec++) {
		size_t len = pack(codec);

		assert_int_equal(sluice__decompress(codec, packed, len, 1 << 20, &out), 0);
		assert_int_equal(out.len, INPUT_LEN);
		assert_memory_equal(out.p, input, INPUT_LEN);
	}
	sluice__bytes_free(&out);
}

static void decompress__exactly_the_limit_is_allowed(void **state)
{
	struct sluice__bytes out = {0};

	(void)state;
	for (int codec = SLUICE_COMPRESSION_GZIP; codec <= SLUICE_COMPRESSION_ZSTD; codec++) {
		size_t len = pack(codec);

		assert_int_equal(sluice__decompress(codec, packed, len, INPUT_LEN - 1, &out),
				 -EMSGSIZE);
		assert_true(out.len < INPUT_LEN);
	}
	for (int codec = SLUICE_COMPRESSION_GZIP; codec <= SLUICE_COMPRESSION_ZSTD; codec++) {
		size_t len = pack(codec);

		assert_int_equal(sluice__decompress(codec, packed, len, INPUT_LEN, &out), 0);
		assert_int_equal(out.len, INPUT_LEN);
	}
	sluice__bytes_free(&out);
}

static void decompress__cut_input_is_malformed(void **state)
{
	struct sluice__bytes out = {0};

	(void)state;
	for (int codec = SLUICE_COMPRESSION_GZIP; codec <= SLUICE_COMPRESSION_ZSTD; codec++) {
		size_t len = pack(codec);

		assert_int_equal(sluice__decompress(codec, packed, len - 1, 1 << 20, &out),
				 -EBADMSG);
		assert_int_equal(sluice__decompress(codec, packed, len / 2, 1 << 20, &out),
				 -EBADMSG);
		assert_int_equal(sluice__decompress(codec, packed, 1, 1 << 20, &out), -EBADMSG);
		assert_int_equal(sluice__decompress(codec, packed, 0, 1 << 20, &out), -EBADMSG);
	}
	sluice__bytes_free(&out);
}

static void decompress__gzip_members_follow_each_other(void **state)
{
	struct sluice__bytes out = {0};
	size_t len = pack_gzip();
	uint8_t *twice = malloc(2 * len);

	(void)state;
	memcpy(twice, packed, len);
	memcpy(twice + len, packed, len);
	assert_int_equal(sluice__decompress(SLUICE_COMPRESSION_GZIP, twice, 2 * len, 1 << 20, &out),
			 0);
	assert_int_equal(out.len, 2 * INPUT_LEN);
	assert_memory_equal(out.p + INPUT_LEN, input, INPUT_LEN);
	free(twice);
	sluice__bytes_free(&out);
}

static void decompress__snappy_that_claims_gigabytes_takes_no_memory(void **state)
{
	static const uint8_t claim[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 0x00};
	static const uint8_t modest[] = {0xff, 0xff, 0xff, 0x0f, 0x00};
	struct sluice__bytes out = {0};

	(void)state;
	assert_int_equal(
		sluice__decompress(SLUICE_COMPRESSION_SNAPPY, claim, sizeof(claim), 1 << 20, &out),
		-EBADMSG);
	assert_int_equal(sluice__decompress(SLUICE_COMPRESSION_SNAPPY, modest, sizeof(modest),
					    1 << 30, &out),
			 -EBADMSG);
	assert_true(out.room <= 65536);
	sluice__bytes_free(&out);
}

static void decompress__bomb_is_stopped_at_the_limit(void **state)
{
	uint8_t *zeros = calloc(1, 64 << 20), *bomb = malloc(1 << 20);
	struct sluice__bytes out = {0};
	size_t len;

	(void)state;
	len = ZSTD_compress(bomb, 1 << 20, zeros, 64 << 20, 3);
	assert_false(ZSTD_isError(len));
	assert_true(len < 10000);
	assert_int_equal(sluice__decompress(SLUICE_COMPRESSION_ZSTD, bomb, len, 1 << 20, &out),
			 -EMSGSIZE);
	assert_true(out.room <= 1 << 20);
	sluice__bytes_free(&out);
	free(bomb);
	free(zeros);
}

static void decompress__unknown_codec(void **state)
{
	struct sluice__bytes out = {0};

	(void)state;
	assert_int_equal(sluice__decompress(0, packed, 1, 10, &out), -EPROTONOSUPPORT);
	assert_int_equal(sluice__decompress(5, packed, 1, 10, &out), -EPROTONOSUPPORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decompress__gives_back_the_input),
		cmocka_unit_test(decompress__exactly_the_limit_is_allowed),
		cmocka_unit_test(decompress__cut_input_is_malformed),
		cmocka_unit_test(decompress__gzip_members_follow_each_other),
		cmocka_unit_test(decompress__snappy_that_claims_gigabytes_takes_no_memory),
		cmocka_unit_test(decompress__bomb_is_stopped_at_the_limit),
		cmocka_unit_test(decompress__unknown_codec),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
