// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/internal.h"
#include "tests/unit/batch_golden.h"

#define MAX 65536

static const struct {
	const char *name;
	const uint8_t *data;
	size_t len;
} golden[] = {
	{"none", batch_none, sizeof(batch_none)},	{"gzip", batch_gzip, sizeof(batch_gzip)},
	{"snappy", batch_snappy, sizeof(batch_snappy)}, {"lz4", batch_lz4, sizeof(batch_lz4)},
	{"zstd", batch_zstd, sizeof(batch_zstd)},
};

#define N_GOLDEN (sizeof(golden) / sizeof(golden[0]))

static void check_hello(const struct sluice__raw_record *r)
{
	assert_int_equal(r->value_len, 120);
	for (int i = 0; i < 20; i++)
		assert_memory_equal(r->value + i * 6, "hello ", 6);
}

static void check_headers(const struct sluice__raw_record *r)
{
	const uint8_t *pos = r->headers, *key, *value;
	int32_t key_len, value_len;

	assert_int_equal(r->n_headers, 2);
	assert_int_equal(sluice__batch_header(r, &pos, &key, &key_len, &value, &value_len), 0);
	assert_int_equal(key_len, 2);
	assert_memory_equal(key, "h1", 2);
	assert_int_equal(value_len, 2);
	assert_memory_equal(value, "v1", 2);
	assert_int_equal(sluice__batch_header(r, &pos, &key, &key_len, &value, &value_len), 0);
	assert_memory_equal(key, "h2", 2);
	assert_int_equal(value_len, -1);
	assert_null(value);
	assert_ptr_equal(pos, r->end);
}

static void batch_next__reads_every_codec(void **state)
{
	struct sluice__raw_record r;
	struct sluice__batch b = {0};

	(void)state;
	for (size_t i = 0; i < N_GOLDEN; i++) {
		print_message("# %s\n", golden[i].name);
		assert_int_equal(sluice__batch_open(&b, golden[i].data, golden[i].len, MAX), 0);
		assert_int_equal(sluice__batch_next(&b, &r), 1);
		assert_int_equal(r.offset, 100);
		assert_int_equal(r.timestamp, 1700000000000);
		assert_int_equal(r.key_len, 2);
		assert_memory_equal(r.key, "k0", 2);
		check_hello(&r);
		check_headers(&r);
		assert_int_equal(sluice__batch_next(&b, &r), 1);
		assert_int_equal(r.offset, 101);
		assert_int_equal(r.timestamp, 1700000000005);
		assert_int_equal(r.key_len, -1);
		assert_null(r.key);
		assert_int_equal(r.value_len, 0);
		assert_non_null(r.value);
		assert_int_equal(sluice__batch_next(&b, &r), 1);
		assert_int_equal(r.timestamp, 1699999999990);
		assert_int_equal(r.key_len, 0);
		assert_non_null(r.key);
		assert_int_equal(r.value_len, -1);
		assert_int_equal(r.n_headers, 1);
		assert_int_equal(sluice__batch_next(&b, &r), 1);
		assert_int_equal(r.offset, 103);
		assert_int_equal(r.key_len, 4);
		check_hello(&r);
		assert_int_equal(sluice__batch_next(&b, &r), 0);
		assert_int_equal(sluice__batch_next(&b, &r), 0);
	}
	sluice__batch_free(&b);
}

static void batch_next__log_append_time_is_the_batchs(void **state)
{
	struct sluice__batch b = {0};
	struct sluice__raw_record r;
	uint8_t copy[sizeof(batch_none)];

	(void)state;
	memcpy(copy, batch_none, sizeof(copy));
	copy[22] |= 0x08;
	assert_int_equal(sluice__batch_open(&b, copy, sizeof(copy), MAX), 0);
	while (sluice__batch_next(&b, &r) > 0)
		assert_int_equal(r.timestamp, 1700000000007);
	sluice__batch_free(&b);
}

static void batch_open__control_batch_has_no_records(void **state)
{
	struct sluice__batch b = {0};
	struct sluice__raw_record r;
	uint8_t copy[sizeof(batch_none)];

	(void)state;
	memcpy(copy, batch_none, sizeof(copy));
	copy[22] |= 0x20;
	assert_int_equal(sluice__batch_open(&b, copy, sizeof(copy), MAX), 0);
	assert_int_equal(sluice__batch_next(&b, &r), 0);
	sluice__batch_free(&b);
}

static int open_changed(size_t position, uint8_t value)
{
	struct sluice__batch b = {0};
	uint8_t copy[sizeof(batch_none)];
	int err;

	memcpy(copy, batch_none, sizeof(copy));
	copy[position] = value;
	err = sluice__batch_open(&b, copy, sizeof(copy), MAX);
	sluice__batch_free(&b);
	return err;
}

static void batch_open__refuses_a_wrong_header(void **state)
{
	struct sluice__batch b = {0};

	(void)state;
	assert_int_equal(open_changed(0, 0x80), -EBADMSG);  /* negative base offset */
	assert_int_equal(open_changed(11, 0x52), -EBADMSG); /* length one short */
	assert_int_equal(open_changed(16, 1), -EBADMSG);    /* magic */
	assert_int_equal(open_changed(57, 0x80), -EBADMSG); /* negative count */
	assert_int_equal(open_changed(59, 0xff), -EBADMSG); /* more than could fit */
	assert_int_equal(open_changed(22, 5), -EPROTONOSUPPORT);
	assert_int_equal(sluice__batch_open(&b, batch_none, 60, MAX), -EBADMSG);
	assert_int_equal(sluice__batch_open(&b, batch_none, 0, MAX), -EBADMSG);
}

/* Reads all records and headers; what matters is that ASan is content. */
static int walk(const uint8_t *data, size_t len)
{
	const uint8_t *pos, *key, *value;
	struct sluice__batch b = {0};
	struct sluice__raw_record r;
	int32_t key_len, value_len;
	int got = sluice__batch_open(&b, data, len, MAX);

	while (!got && (got = sluice__batch_next(&b, &r)) > 0) {
		pos = r.headers;
		got = 0;
		for (uint32_t i = 0; i < r.n_headers && !got; i++)
			got = sluice__batch_header(&r, &pos, &key, &key_len, &value, &value_len);
	}
	sluice__batch_free(&b);
	return got;
}

static void batch_next__survives_every_changed_byte(void **state)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	uint8_t *copy;
	size_t failed = 0;

	(void)state;
	for (size_t g = 0; g < N_GOLDEN; g++) {
		/* On the heap, so that a read past the end is seen. */
		copy = malloc(golden[g].len);
		for (size_t i = 0; i < golden[g].len; i++) {
			for (size_t v = 0; v < sizeof(values); v++) {
				memcpy(copy, golden[g].data, golden[g].len);
				copy[i] = values[v];
				failed += walk(copy, golden[g].len) < 0;
			}
		}
		free(copy);
	}
	assert_true(failed > 1000);
}

static void batch_next__survives_every_cut(void **state)
{
	uint8_t *copy;
	uint32_t length;

	(void)state;
	for (size_t g = 0; g < N_GOLDEN; g++) {
		for (size_t len = 61; len < golden[g].len; len++) {
			copy = malloc(len);
			memcpy(copy, golden[g].data, len);
			length = __builtin_bswap32((uint32_t)len - 12);
			memcpy(copy + 8, &length, sizeof(length));
			/*
			 * lz4 and snappy may end at a block of a larger frame and then
			 * still lack records; nothing of it may read as whole.
			 */
			assert_true(walk(copy, len) < 0);
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batch_next__reads_every_codec),
		cmocka_unit_test(batch_next__log_append_time_is_the_batchs),
		cmocka_unit_test(batch_open__control_batch_has_no_records),
		cmocka_unit_test(batch_open__refuses_a_wrong_header),
		cmocka_unit_test(batch_next__survives_every_changed_byte),
		cmocka_unit_test(batch_next__survives_every_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
