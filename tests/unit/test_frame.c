// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/kafka/frame.h"

#define LIMIT 1000000

static void feed(struct frame_reader *f, const void *data, size_t len)
{
	while (len) {
		uint8_t *room;
		size_t some;

		assert_int_equal(frame_room(f, &room, &some), 0);
		assert_true(some > 0);
		if (some > len)
			some = len;
		memcpy(room, data, some);
		frame_filled(f, some);
		data = (const uint8_t *)data + some;
		len -= some;
	}
}

static void assert_next(struct frame_reader *f, const char *expected)
{
	const uint8_t *data;
	size_t len;

	assert_int_equal(frame_next(f, &data, &len), 1);
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(data, expected, len);
}

static int next(const struct frame_reader *f)
{
	const uint8_t *data;
	size_t len;

	return frame_next(f, &data, &len);
}

static void next__cuts_pipelined_requests(void **state)
{
	static const char bytes[] = "\0\0\0\10abcdefgh\0\0\0\11"
				    "123456789\0\0\0\10xy";
	struct frame_reader f;

	(void)state;
	frame_reader_init(&f, LIMIT);
	feed(&f, bytes, sizeof(bytes) - 1);
	assert_next(&f, "abcdefgh");
	frame_used(&f);
	assert_next(&f, "123456789");
	assert_next(&f, "123456789");
	frame_used(&f);
	assert_int_equal(next(&f), 0);
	feed(&f, "zzzzzz", 6);
	assert_next(&f, "xyzzzzzz");
	frame_used(&f);
	assert_null(f.in.data);
	assert_int_equal(next(&f), 0);
	frame_reader_free(&f);
}

static void next__byte_by_byte(void **state)
{
	static const char bytes[] = "\0\0\0\10abcdefgh";
	struct frame_reader f;

	(void)state;
	frame_reader_init(&f, LIMIT);
	for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
		assert_int_equal(next(&f), 0);
		feed(&f, bytes + i, 1);
	}
	assert_next(&f, "abcdefgh");
	frame_reader_free(&f);
}

static void assert_size(const char *size, int expected)
{
	struct frame_reader f;

	frame_reader_init(&f, LIMIT);
	feed(&f, size, 4);
	assert_int_equal(next(&f), expected);
	frame_reader_free(&f);
}

static void next__refuses_sizes(void **state)
{
	(void)state;
	assert_size("\xff\xff\xff\xff", -EBADMSG);
	assert_size("\x80\0\0\0", -EBADMSG);
	assert_size("\0\0\0\0", -EBADMSG);
	assert_size("\0\0\0\7", -EBADMSG);
	assert_size("\0\0\0\10", 0);
	assert_size("\0\x0f\x42\x40", 0); /* LIMIT */
	assert_size("\0\x0f\x42\x41", -EMSGSIZE);
	assert_size("\x7f\xff\xff\xff", -EMSGSIZE);
}

/* Who announces much gets little until it comes. */
static void room__grows_with_what_arrives(void **state)
{
	struct frame_reader f;
	char *piece = calloc(1, 100000);

	(void)state;
	frame_reader_init(&f, 100 << 20);
	feed(&f, "\x06\0\0\0", 4);
	assert_in_range(f.in.cap, 1, 8192);
	feed(&f, piece, 1);
	assert_in_range(f.in.cap, 1, 1 << 20);
	for (int i = 0; i < 40; i++) {
		feed(&f, piece, 100000);
		assert_in_range(f.in.cap, 1, 4 * f.in.len + (1 << 20));
	}
	free(piece);
	frame_reader_free(&f);
}

static void room__keeps_the_rest_of_a_frame(void **state)
{
	struct frame_reader f;
	char big[20000];

	(void)state;
	memset(big, 'q', sizeof(big));
	frame_reader_init(&f, LIMIT);
	feed(&f, "\0\0\0\10abcdefgh\0\0\x4e\x20", 16);
	frame_used(&f);
	feed(&f, big, sizeof(big));
	assert_int_equal(f.in.len - f.start, 4 + sizeof(big));
	assert_int_equal(next(&f), 1);
	frame_reader_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next__cuts_pipelined_requests),
		cmocka_unit_test(next__byte_by_byte),
		cmocka_unit_test(next__refuses_sizes),
		cmocka_unit_test(room__grows_with_what_arrives),
		cmocka_unit_test(room__keeps_the_rest_of_a_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
