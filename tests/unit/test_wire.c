// SPDX-License-Identifier: Apache-2.0
/* The primitive types; the bytes are those of the protocol guide's definitions. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "daemon/core/wire.h"

/* A string literal as bytes to read, without its NUL. */
#define READER(r, bytes) wire_reader_init(r, bytes, sizeof(bytes) - 1)

static void read__takes_big_endian_integers(void **state)
{
	struct wire_reader r;

	(void)state;
	READER(&r, "\xfe\x02\xff\xfe\x80\x00\x00\x01\xff\xff\xff\xff"
		   "\x80\x00\x00\x00\x00\x00\x00\x02");
	assert_int_equal(wire_read_int8(&r), -2);
	assert_true(wire_read_bool(&r));
	assert_int_equal(wire_read_int16(&r), -2);
	assert_int_equal(wire_read_int32(&r), INT32_MIN + 1);
	assert_true(wire_read_uint32(&r) == UINT32_MAX);
	assert_true(wire_read_int64(&r) == INT64_MIN + 2);
	assert_int_equal(wire_reader_finish(&r), 0);
}

static void read__keeps_the_first_error(void **state)
{
	struct wire_reader r;

	(void)state;
	READER(&r, "\x01\x02\x03");
	assert_int_equal(wire_read_int32(&r), 0);
	assert_int_equal(r.err, -EBADMSG);
	assert_int_equal(wire_read_int8(&r), 0);
	assert_int_equal(wire_reader_left(&r), 0);
	wire_reader_fail(&r, -ENOMEM);
	assert_int_equal(wire_reader_finish(&r), -EBADMSG);
}

static void finish__finds_bytes_left_over(void **state)
{
	struct wire_reader r;

	(void)state;
	READER(&r, "\x01\x02");
	wire_read_int8(&r);
	assert_int_equal(wire_reader_finish(&r), -EBADMSG);
}

struct varint {
	const char *bytes;
	size_t len;
	uint64_t value;
};

static const struct varint varints[] = {
	{"\x00", 1, 0},
	{"\x01", 1, 1},
	{"\x7f", 1, 127},
	{"\x80\x01", 2, 128},
	{"\xff\x7f", 2, 16383},
	{"\x80\x80\x01", 3, 16384},
	{"\xff\xff\xff\xff\x0f", 5, UINT32_MAX},
	{"\x80\x80\x80\x80\x10", 5, UINT64_C(1) << 32},
	{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, UINT64_MAX},
};

static void varint__is_seven_bits_a_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(varints) / sizeof(varints[0]); i++) {
		const struct varint *v = &varints[i];
		/* Zigzag: 0, -1, 1, -2 ... are sent as 0, 1, 2, 3 ... */
		int64_t zigzag =
			(int64_t)(v->value / 2) * (v->value % 2 ? -1 : 1) - (int64_t)(v->value % 2);
		bool fits = v->value <= UINT32_MAX;
		struct wire_reader r;
		struct wire_writer w;
		struct buf b;

		wire_reader_init(&r, v->bytes, v->len);
		assert_true(wire_read_uvarint(&r) == (fits ? v->value : 0));
		assert_int_equal(r.err, fits ? 0 : -EBADMSG);
		wire_reader_init(&r, v->bytes, v->len);
		assert_true(wire_read_varint(&r) == (fits ? zigzag : 0));
		wire_reader_init(&r, v->bytes, v->len);
		assert_true(wire_read_varlong(&r) == zigzag);
		assert_int_equal(wire_reader_finish(&r), 0);

		buf_init(&b, 0);
		wire_writer_init(&w, &b);
		wire_write_varlong(&w, zigzag);
		if (fits) {
			wire_write_varint(&w, (int32_t)zigzag);
			wire_write_uvarint(&w, (uint32_t)v->value);
		}
		assert_int_equal(b.len, v->len * (fits ? 3 : 1));
		for (size_t at = 0; at < b.len; at += v->len)
			assert_memory_equal(b.data + at, v->bytes, v->len);
		buf_free(&b);
	}
}

static void varint__has_an_end(void **state)
{
	static const char *const endless[] = {
		"\xff\xff\xff\xff\x10",	    /* a 33rd bit */
		"\x80\x80\x80\x80\x80\x01", /* a sixth byte */
		"\x80",			    /* cut */
		"",
	};
	struct wire_reader r;

	(void)state;
	for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
		wire_reader_init(&r, endless[i], strlen(endless[i]));
		assert_int_equal(wire_read_uvarint(&r), 0);
		assert_int_equal(r.err, -EBADMSG);
	}
	READER(&r, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
	assert_int_equal(wire_read_varlong(&r), 0);
	assert_int_equal(r.err, -EBADMSG);
}

/* What a read of a string gives: its length, or an error. */
static int read_string(const void *bytes, size_t len, bool flexible, bool nullable)
{
	struct wire_reader r;
	struct kafka_str s;

	wire_reader_init(&r, bytes, len);
	s = wire_read_string(&r, flexible, nullable);
	if (r.err) {
		assert_null(s.p);
		assert_in_range(s.len, 0, 0);
		return r.err;
	}
	if (s.len >= 0)
		assert_ptr_equal(s.p + s.len, r.p);
	return s.len;
}

static void read_string__has_two_encodings(void **state)
{
	(void)state;
	assert_int_equal(read_string("\x00\x03"
				     "abc",
				     5, false, false),
			 3);
	assert_int_equal(read_string("\x04"
				     "abc",
				     4, true, false),
			 3);
	assert_int_equal(read_string("\x00\x00", 2, false, false), 0);
	assert_int_equal(read_string("\x01", 1, true, false), 0);
	assert_int_equal(read_string("\xff\xff", 2, false, true), -1);
	assert_int_equal(read_string("\x00", 1, true, true), -1);
	assert_int_equal(read_string("\xff\xff", 2, false, false), -EBADMSG);
	assert_int_equal(read_string("\x00", 1, true, false), -EBADMSG);
	assert_int_equal(read_string("\xff\xfe", 2, false, true), -EBADMSG);
	assert_int_equal(read_string("\x00\x01", 2, false, true), -EBADMSG);
	assert_int_equal(read_string("\x02", 1, true, true), -EBADMSG);
}

static void read_string__is_at_most_32767_bytes(void **state)
{
	size_t size = 40000;
	uint8_t *bytes = calloc(1, size);

	(void)state;
	assert_non_null(bytes);
	memcpy(bytes, "\x80\x80\x02", 3);
	assert_int_equal(read_string(bytes, size, true, false), 32767);
	memcpy(bytes, "\x81\x80\x02", 3);
	assert_int_equal(read_string(bytes, size, true, false), -EBADMSG);
	free(bytes);
}

static void read_bytes__checks_the_length(void **state)
{
	struct wire_reader r;
	struct kafka_bytes b;

	(void)state;
	READER(&r, "\x00\x00\x00\x02zz\x03yy\xff\xff\xff\xff");
	b = wire_read_bytes(&r, false, false);
	assert_int_equal(b.len, 2);
	b = wire_read_bytes(&r, true, false);
	assert_int_equal(b.len, 2);
	assert_memory_equal(b.p, "yy", 2);
	b = wire_read_bytes(&r, false, true);
	assert_int_equal(b.len, -1);
	assert_null(b.p);
	assert_int_equal(wire_reader_finish(&r), 0);

	READER(&r, "\x7f\xff\xff\xffzz");
	b = wire_read_bytes(&r, false, false);
	assert_int_equal(b.len, 0);
	assert_int_equal(r.err, -EBADMSG);
	/* 2^32-1 would be a length of 2^32-2, which no int32 holds. */
	READER(&r, "\xff\xff\xff\xff\x0f");
	wire_read_bytes(&r, true, true);
	assert_int_equal(r.err, -EBADMSG);
}

static void read_array__believes_no_count(void **state)
{
	struct wire_reader r;
	struct arena a;
	int32_t n;

	(void)state;
	arena_init(&a, 1 << 20);
	READER(&r, "\x00\x00\x00\x03"
		   "123456");
	assert_non_null(wire_read_array(&r, &a, false, false, 2, 64, &n));
	assert_int_equal(n, 3);
	arena_free(&a);

	READER(&r, "\x00\x00\x00\x04"
		   "123456");
	assert_null(wire_read_array(&r, &a, false, false, 2, 64, &n));
	assert_int_equal(n, 0);
	assert_int_equal(r.err, -EBADMSG);
	assert_int_equal(a.used_bytes, 0);

	READER(&r, "\x00");
	assert_null(wire_read_array(&r, &a, true, true, 1, 64, &n));
	assert_int_equal(n, -1);
	assert_int_equal(wire_reader_finish(&r), 0);
	arena_free(&a);
}

static void read_primitive_arrays__copy_to_the_arena(void **state)
{
	struct kafka_int32_array ints;
	struct kafka_str_array strings;
	struct wire_reader r;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	READER(&r, "\x03\x00\x00\x00\x05\xff\xff\xff\xff\x00\x00\x00\x01\x00\x01q");
	ints = wire_read_int32_array(&r, &a, true, false);
	assert_int_equal(ints.n, 2);
	assert_int_equal(ints.v[0], 5);
	assert_int_equal(ints.v[1], -1);
	strings = wire_read_str_array(&r, &a, false, false);
	assert_int_equal(strings.n, 1);
	assert_true(kafka_str_equal(strings.v[0], kafka_str_from("q")));
	assert_int_equal(wire_reader_finish(&r), 0);
	arena_free(&a);
}

static void tags__keep_the_reader_inside(void **state)
{
	struct wire_reader r;
	struct wire_tags t;

	(void)state;
	READER(&r, "\x02\x01\x04\x00\x00\x00\x09\x05\x01\x07\x55");
	wire_tags_begin(&r, &t);
	assert_true(wire_tags_next(&r, &t));
	assert_int_equal(t.tag, 1);
	assert_int_equal(wire_read_int32(&r), 9);
	assert_true(wire_tags_next(&r, &t));
	assert_int_equal(t.tag, 5);
	wire_tags_skip(&r);
	assert_false(wire_tags_next(&r, &t));
	assert_int_equal(wire_read_int8(&r), 0x55);
	assert_int_equal(wire_reader_finish(&r), 0);

	/* Reading over the end of a field must not reach the next one. */
	READER(&r, "\x01\x01\x02\x00\x00\x00\x09");
	wire_tags_begin(&r, &t);
	assert_true(wire_tags_next(&r, &t));
	assert_int_equal(wire_read_int32(&r), 0);
	assert_false(wire_tags_next(&r, &t));
	assert_int_equal(wire_reader_finish(&r), -EBADMSG);
}

static void tags__of_a_hostile_count_end_soon(void **state)
{
	struct wire_reader r;

	(void)state;
	READER(&r, "\xff\xff\xff\xff\x0f\x00\x00");
	wire_skip_tags(&r);
	assert_int_equal(r.err, -EBADMSG);
}

static void write_string__refuses_what_does_not_fit(void **state)
{
	static char large[32768];
	struct wire_writer w;
	struct buf b;

	(void)state;
	for (int flexible = 0; flexible <= 1; flexible++) {
		buf_init(&b, 0);
		wire_writer_init(&w, &b);
		wire_write_string(&w, flexible, false, (struct kafka_str){large, 32767});
		assert_int_equal(w.err, 0);
		wire_write_string(&w, flexible, false, (struct kafka_str){large, 32768});
		assert_int_equal(w.err, -EMSGSIZE);
		buf_free(&b);

		wire_writer_init(&w, &b);
		wire_write_string(&w, flexible, false, (struct kafka_str){NULL, -1});
		assert_int_equal(w.err, -EINVAL);
		wire_writer_init(&w, &b);
		wire_write_string(&w, flexible, true, (struct kafka_str){NULL, -2});
		assert_int_equal(w.err, -EINVAL);
		buf_free(&b);
	}
}

static void write__keeps_the_first_error(void **state)
{
	struct wire_writer w;
	struct buf b;

	(void)state;
	buf_init(&b, 6);
	wire_writer_init(&w, &b);
	wire_write_int32(&w, 1);
	wire_write_int32(&w, 2);
	wire_write_int8(&w, 3);
	wire_writer_fail(&w, -ENOMEM);
	assert_int_equal(w.err, -EMSGSIZE);
	assert_int_equal(b.len, 4);
	buf_free(&b);
}

static void write_records__without_bytes_makes_a_gap(void **state)
{
	struct kafka_bytes left_out = {NULL, 300}, empty = {NULL, 0}, null = {NULL, -1};
	struct wire_writer w;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	wire_writer_init(&w, &b);
	wire_write_records(&w, true, true, null);
	wire_write_records(&w, true, true, empty);
	wire_write_records(&w, true, true, left_out);
	wire_write_records(&w, false, true, left_out);
	assert_int_equal(w.err, 0);
	assert_int_equal(b.len, 1 + 1 + 2 + 4);
	assert_memory_equal(b.data, "\x00\x01\xad\x02\x00\x00\x01\x2c", 8);
	assert_int_equal(w.gap_count, 2);
	assert_int_equal(w.gap_bytes, 600);
	assert_int_equal(w.gaps[0].position, 4);
	assert_int_equal(w.gaps[0].index, 1);
	assert_int_equal(w.gaps[1].position, 8);
	assert_int_equal(w.gaps[1].index, 2);
	wire_writer_free(&w);
	buf_free(&b);
}

static void gap__array_grows(void **state)
{
	struct wire_writer w;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	wire_writer_init(&w, &b);
	for (uint32_t i = 1; i <= 100; i++)
		wire_writer_gap(&w, i);
	assert_int_equal(w.gap_count, 100);
	assert_int_equal(w.gap_bytes, 5050);
	assert_int_equal(w.gaps[99].len, 100);
	wire_writer_free(&w);
	buf_free(&b);
}

/* The linker puts this in the place of reallocarray() (daemon/kafka.mk). */
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
static bool no_memory;

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return no_memory ? NULL : __real_reallocarray(p, n, size);
}

static void gap__says_when_there_is_no_memory(void **state)
{
	struct wire_writer w;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	wire_writer_init(&w, &b);
	wire_writer_gap(&w, 1);
	no_memory = true;
	while (w.gap_count < w.gap_cap)
		wire_writer_gap(&w, 1);
	assert_int_equal(w.err, 0);
	wire_writer_gap(&w, 1);
	no_memory = false;
	assert_int_equal(w.err, -ENOMEM);
	assert_int_equal(w.gap_count, w.gap_cap);
	wire_writer_free(&w);
	buf_free(&b);
}

static void tag__gets_its_size_in_front(void **state)
{
	static const uint8_t zeros[200];
	struct wire_writer w;
	struct buf b;
	size_t position;

	(void)state;
	buf_init(&b, 0);
	wire_writer_init(&w, &b);
	position = wire_tag_begin(&w, 3);
	wire_write_int16(&w, 0x1122);
	wire_tag_end(&w, position);
	position = wire_tag_begin(&w, 4);
	wire_write_raw(&w, zeros, sizeof(zeros));
	wire_tag_end(&w, position);
	assert_int_equal(b.len, 4 + 1 + 2 + 200);
	assert_memory_equal(b.data, "\x03\x02\x11\x22\x04\xc8\x01\x00", 8);
	buf_free(&b);
}

static void frame__counts_gaps(void **state)
{
	struct wire_writer w;
	struct wire_frame f;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	wire_writer_init(&w, &b);
	f = wire_frame_begin(&w);
	wire_write_int8(&w, 7);
	wire_frame_end(&w, f);
	f = wire_frame_begin(&w);
	wire_write_int16(&w, 1);
	wire_writer_gap(&w, 1000);
	wire_frame_end(&w, f);
	f = wire_frame_begin(&w);
	wire_frame_end(&w, f);
	assert_int_equal(w.err, 0);
	assert_int_equal(b.len, 15);
	assert_memory_equal(b.data, "\0\0\0\x01\x07\0\0\x03\xea\0\x01\0\0\0\0", 15);

	f = wire_frame_begin(&w);
	wire_writer_gap(&w, INT32_MAX);
	wire_frame_end(&w, f);
	assert_int_equal(w.err, 0);
	wire_writer_gap(&w, 1);
	wire_frame_end(&w, f);
	assert_int_equal(w.err, -EMSGSIZE);
	wire_writer_free(&w);
	buf_free(&b);
}

static void str_equal__tells_null_from_empty(void **state)
{
	(void)state;
	assert_true(kafka_str_equal(kafka_str_from("a"), kafka_str_from("a")));
	assert_false(kafka_str_equal(kafka_str_from("a"), kafka_str_from("b")));
	assert_false(kafka_str_equal(kafka_str_from("a"), kafka_str_from("ab")));
	assert_true(kafka_str_equal(kafka_str_from(NULL), kafka_str_from(NULL)));
	assert_false(kafka_str_equal(kafka_str_from(NULL), kafka_str_from("")));
	assert_true(kafka_str_equal((struct kafka_str){NULL, 0}, kafka_str_from("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read__takes_big_endian_integers),
		cmocka_unit_test(read__keeps_the_first_error),
		cmocka_unit_test(finish__finds_bytes_left_over),
		cmocka_unit_test(varint__is_seven_bits_a_byte),
		cmocka_unit_test(varint__has_an_end),
		cmocka_unit_test(read_string__has_two_encodings),
		cmocka_unit_test(read_string__is_at_most_32767_bytes),
		cmocka_unit_test(read_bytes__checks_the_length),
		cmocka_unit_test(read_array__believes_no_count),
		cmocka_unit_test(read_primitive_arrays__copy_to_the_arena),
		cmocka_unit_test(tags__keep_the_reader_inside),
		cmocka_unit_test(tags__of_a_hostile_count_end_soon),
		cmocka_unit_test(write_string__refuses_what_does_not_fit),
		cmocka_unit_test(write__keeps_the_first_error),
		cmocka_unit_test(write_records__without_bytes_makes_a_gap),
		cmocka_unit_test(gap__array_grows),
		cmocka_unit_test(gap__says_when_there_is_no_memory),
		cmocka_unit_test(tag__gets_its_size_in_front),
		cmocka_unit_test(frame__counts_gaps),
		cmocka_unit_test(str_equal__tells_null_from_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
