// SPDX-License-Identifier: Apache-2.0
/*
 * Filter expressions: what they mean, what is wrong with them, and that the
 * program says the same as an evaluator of its own, which this file has: it
 * makes expressions at random together with the answer for a record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/filter_view.h"
#include <linux/sluice.h>

static uint8_t packet[FILTER_VIEW_MAX];

static bool passes(const sluice_filter *f, const sluice_record *r)
{
	size_t len = filter_view_build(r, packet);

	return filter_program_run(sluice_filter_program(f), packet, len) != 0;
}

/* The program and the library must both say so. */
static void expect(const char *expression, const sluice_record *r, bool expected)
{
	sluice_filter *f;

	if (sluice_filter_compile(expression, &f))
		fail_msg("%s: %s", expression, sluice_strerror());
	assert_null(filter_program_valid(sluice_filter_program(f)));
	if (passes(f, r) != expected || sluice_filter_matches(f, r) != expected)
		fail_msg("%s: program %d, library %d, not %d", expression, passes(f, r),
			 sluice_filter_matches(f, r), expected);
	sluice_filter_free(f);
}

static const sluice_header order_headers[] = {
	{"type", "created", 7}, {"empty", "", 0}, {"none", NULL, 0}, {"type", "paid", 4}};
static const sluice_record order = {.key = "user-17",
				    .key_len = 7,
				    .value = "{\"a\":1}",
				    .value_len = 7,
				    .headers = order_headers,
				    .n_headers = 4,
				    .timestamp = 1700000000000,
				    .offset = 4294967296,
				    .partition = 3};
static const sluice_record nulls = {.timestamp = -5, .offset = 0};
static const sluice_record empty = {.key = "", .value = ""};

static void compile__tests_of_texts(void **state)
{
	(void)state;
	expect("key == \"user-17\"", &order, true);
	expect("key == \"user-1\"", &order, false);
	expect("key == \"user-171\"", &order, false);
	expect("key == 'user-17'", &order, true);
	expect("key != \"user-17\"", &order, false);
	expect("key ^= \"user-\"", &order, true);
	expect("key ^= \"user-17\"", &order, true);
	expect("key ^= \"user-17x\"", &order, false);
	expect("key ^= \"\"", &order, true);
	expect("value ^= \"{\\\"a\\x22\"", &order, true);
	expect("value ^= \"{'\"", &order, false);
	expect("value == '{\"a\":1}'", &order, true);
	expect("key==\"user-17\"and(value^=\"{\")", &order, true);
}

static void compile__null_is_not_empty(void **state)
{
	(void)state;
	expect("key == null", &nulls, true);
	expect("key != null", &nulls, false);
	expect("key == \"\"", &nulls, false);
	expect("key != \"\"", &nulls, true);
	expect("key ^= \"\"", &nulls, false);
	expect("value == null", &nulls, true);
	expect("key == null", &empty, false);
	expect("key == \"\"", &empty, true);
	expect("key ^= \"\"", &empty, true);
	expect("value == null", &empty, false);
	expect("value == \"\"", &empty, true);
}

static void compile__tests_of_headers(void **state)
{
	(void)state;
	expect("header(\"type\") == \"created\"", &order, true);
	/* Any header of the name, and != is the opposite of ==. */
	expect("header(\"type\") == \"paid\"", &order, true);
	expect("header(\"type\") != \"paid\"", &order, false);
	expect("header(\"type\") ^= \"pa\"", &order, true);
	expect("header(\"type\") == \"lost\"", &order, false);
	expect("header(\"typ\") ^= \"\"", &order, false);
	expect("header(\"empty\") == \"\"", &order, true);
	expect("header(\"empty\") == null", &order, false);
	expect("header(\"none\") == null", &order, true);
	expect("header(\"none\") ^= \"\"", &order, false);
	expect("header(\"absent\") == null", &order, true);
	expect("header(\"type\") != null", &order, true);
	expect("header(\"type\") == null", &nulls, true);
	expect("header(\"\") == \"x\"", &order, false);
}

static void compile__numbers_are_signed_and_wide(void **state)
{
	(void)state;
	expect("offset == 4294967296", &order, true);
	expect("offset == 0", &order, false);
	expect("offset >= 4294967296", &order, true);
	expect("offset > 4294967296", &order, false);
	expect("offset > 4294967295", &order, true);
	expect("offset <= 4294967296", &order, true);
	expect("offset < 4294967297", &order, true);
	expect("offset < 4294967296", &order, false);
	expect("offset != 1", &order, true);
	expect("time < 0", &nulls, true);
	expect("time >= -5", &nulls, true);
	expect("time > -5", &nulls, false);
	expect("time >= 0", &nulls, false);
	expect("time < -9223372036854775807", &nulls, false);
	expect("time > 9223372036854775807", &nulls, false);
	expect("partition == 3", &order, true);
	expect("partition > 3", &order, false);
	expect("partition >= 3", &order, true);
	expect("partition >= -1", &order, true);
	expect("partition > 4294967296", &order, false);
	expect("partition == -1", &order, false);
	expect("partition < 4294967296", &order, true);
}

static void compile__times_in_iso_8601(void **state)
{
	(void)state;
	/* 1700000000 is 2023-11-14T22:13:20Z. */
	expect("time == 2023-11-14T22:13:20Z", &order, true);
	expect("time == 2023-11-14T22:13:20", &order, true);
	expect("time == 2023-11-15T00:13:20+02:00", &order, true);
	expect("time == 2023-11-14T20:43:20.000-01:30", &order, true);
	expect("time < 2023-11-14T22:13:20.001", &order, true);
	expect("time > 2023-11-14", &order, true);
	expect("time >= 2023-11-15", &order, false);
	expect("time >= 2023-11-14T22:13 and time < 2023-11-14T22:14", &order, true);
	expect("(time == 1700000000000)", &order, true);
}

static void compile__operators_bind_as_they_should(void **state)
{
	(void)state;
	expect("offset == 1 and offset == 2 or partition == 3", &order, true);
	expect("partition == 3 or offset == 1 and offset == 2", &order, true);
	expect("(partition == 3 or offset == 1) and offset == 2", &order, false);
	expect("not offset == 1 and partition == 3", &order, true);
	expect("not (offset == 1 or partition == 3)", &order, false);
	expect("not not partition == 3", &order, true);
}

static void refused(const char *expression, int err, const char *what)
{
	sluice_filter *f;

	assert_int_equal(sluice_filter_compile(expression, &f), err);
	if (!strstr(sluice_strerror(), what))
		fail_msg("%s: '%s' does not say '%s'", expression, sluice_strerror(), what);
}

static void compile__says_where_it_is_wrong(void **state)
{
	(void)state;
	refused("", -EINVAL, "at character 1:");
	refused("key", -EINVAL, "at character 4: ==, != or ^= is expected");
	refused("key = \"x\"", -EINVAL, "at character 5:");
	refused("key == x", -EINVAL, "at character 8: a text in quotes");
	refused("key == \"x", -EINVAL, "at character 8: the text does not end");
	refused("key == \"\\q\"", -EINVAL, "at character 9: \\ stands before");
	refused("key == \"\\x4\"", -EINVAL, "at character 9: \\ stands before");
	refused("keys == \"x\"", -EINVAL, "at character 1:");
	refused("key == \"x\" value", -EINVAL, "at character 12: 'and', 'or' or the end");
	refused("(key == \"x\"", -EINVAL, "at character 12: ')' is expected");
	refused("header == \"x\"", -EINVAL, "the header's name is expected");
	refused("header(\"a\" == \"x\"", -EINVAL, "')' is expected behind");
	refused("header(\"a\\0b\") == \"x\"", -EINVAL, "no \\0");
	refused("offset ^= 1", -EINVAL, "at character 8: ==, !=, <");
	refused("offset > 12x", -EINVAL, "at character 10: a number");
	refused("offset > 99999999999999999999", -EINVAL, "too large");
	refused("offset > -9223372036854775808", -EINVAL, "too small");
	refused("time > 2023-13-01", -EINVAL, "a time is milliseconds");
	refused("time > 2023-11-14T25:00", -EINVAL, "a time is milliseconds");
	refused("key ^= null", -EINVAL, "a text in quotes");
	refused("not", -EINVAL, "at character 4:");
}

static char *repeated(const char *first, const char *part, int n, const char *last)
{
	size_t len = strlen(first) + strlen(part) * (size_t)n + strlen(last) + 1;
	char *text = calloc(1, len), *end = stpcpy(text, first);

	while (n--)
		end = stpcpy(end, part);
	strcpy(end, last);
	return text;
}

static void compile__refuses_what_is_too_much(void **state)
{
	char *text;

	(void)state;
	text = repeated("key == \"", "x", 256, "\"");
	refused(text, -EINVAL, "at most 255 bytes");
	free(text);
	text = repeated("", "not ", 101, "key == null");
	refused(text, -E2BIG, "inside each other");
	free(text);
	text = repeated("key == null", " or key == null", 600, "");
	refused(text, -E2BIG, "more than 1000 tests");
	free(text);
	text = repeated("header(\"a\") == \"b\"", " or header(\"a\") == \"b\"", 60, "");
	refused(text, -E2BIG, "more than the kernel's 4096 instructions");
	free(text);
}

/* Jumps over more than 255 instructions, and the longest text. */
static void compile__far_jumps(void **state)
{
	char *text = repeated("key == \"", "x", 255, "\"");
	char *name = repeated("", "x", 255, "");
	sluice_record r = {.key = name, .key_len = 255, .value = ""};
	char all[2000];

	(void)state;
	expect(text, &r, true);
	name[254] = 'y';
	expect(text, &r, false);
	name[0] = 'y';
	expect(text, &r, false);
	snprintf(all, sizeof(all), "not (%s or %s or %s)", text, text, text);
	expect(all, &r, true);
	snprintf(all, sizeof(all), "(%s or %s or %s) or value == \"\"", text, text, text);
	expect(all, &r, true);
	free(text);
	free(name);
}

/* What the program cannot see passes, and the library decides. */
static void matches__decides_what_the_program_cannot(void **state)
{
	sluice_header many[20];
	char *key = repeated("", "k", 40000, "");
	sluice_record long_key = {.key = key, .key_len = 40000, .value = "value", .value_len = 5};
	sluice_record r = {.headers = many, .n_headers = 20};
	sluice_filter *f;

	(void)state;
	for (int i = 0; i < 20; i++)
		many[i] = (sluice_header){"n", i == 19 ? "last" : "other", i == 19 ? 4 : 5};
	assert_int_equal(sluice_filter_compile("header(\"n\") == \"absent\"", &f), 0);
	assert_true(passes(f, &r));
	assert_int_equal(sluice_filter_matches(f, &r), 0);
	r.n_headers = 16;
	assert_false(passes(f, &r));
	sluice_filter_free(f);
	r.n_headers = 20;
	expect("header(\"n\") == \"last\"", &r, true);
	expect("key ^= \"kk\" and offset == 0", &long_key, true);
	expect("key ^= \"kx\"", &long_key, false);
	expect("value == \"value\"", &long_key, true);
	assert_int_equal(sluice_filter_compile("value ^= \"x\"", &f), 0);
	assert_true(passes(f, &long_key));
	assert_int_equal(sluice_filter_matches(f, &long_key), 0);
	/* The value begins before the end of what is seen, and ends behind it. */
	long_key.key_len = SLUICE_FILTER_BYTES_MAX - 1;
	assert_true(passes(f, &long_key));
	long_key.key_len = SLUICE_FILTER_BYTES_MAX - 2;
	assert_false(passes(f, &long_key));
	sluice_filter_free(f);
	free(key);
}

static void program__lets_batches_pass(void **state)
{
	sluice_filter *f;
	size_t len = filter_view_build(&nulls, packet);

	(void)state;
	assert_int_equal(sluice_filter_compile("key == \"x\"", &f), 0);
	assert_int_equal(filter_program_run(sluice_filter_program(f), packet, len), 0);
	packet[offsetof(struct sluice_filter_view, flags) + 3] = SLUICE_RECORD_BATCH;
	assert_int_not_equal(filter_program_run(sluice_filter_program(f), packet, len), 0);
	sluice_filter_free(f);
}

/* Random expressions over random records of a small alphabet, so that they often meet. */

static uint64_t seed = 88172645463325252;

static unsigned int below(unsigned int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned int)(seed >> 33) % n;
}

struct writer {
	char text[8192];
	size_t len;
};

static void say(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct writer *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	w->len += (size_t)vsnprintf(w->text + w->len, sizeof(w->text) - w->len, fmt, ap);
	va_end(ap);
	assert_true(w->len < sizeof(w->text));
}

static const char *random_text(void)
{
	static const char *const texts[] = {"",	    "a",     "b",	 "ab", "abc",
					    "abcd", "abcde", "abcdefgh", "ba"};

	return texts[below(sizeof(texts) / sizeof(texts[0]))];
}

/* "== null", "== text", ... and what it should say of these bytes. */
static bool say_text_test(struct writer *w, const char *bytes, size_t len, bool *ret_negated)
{
	const char *text = random_text();
	size_t n = strlen(text);
	unsigned int op = below(5);

	*ret_negated = op & 1;
	switch (op) {
	case 0: say(w, "== null"); return !bytes;
	case 1: say(w, "!= null"); return !bytes;
	case 2: say(w, "== '%s'", text); return bytes && len == n && !memcmp(bytes, text, n);
	case 3: say(w, "!= '%s'", text); return bytes && len == n && !memcmp(bytes, text, n);
	}
	say(w, "^= '%s'", text);
	return bytes && len >= n && !memcmp(bytes, text, n);
}

static bool say_header_test(struct writer *w, const sluice_record *r)
{
	const char *name = random_text();
	struct writer test = {.len = 0};
	bool any = false, negated = false, is_null;
	uint64_t again = seed;

	say(w, "header(\"%s\") ", name);
	is_null = (say_text_test(&test, NULL, 0, &negated), strstr(test.text, "null") != NULL);
	for (size_t i = 0; i < r->n_headers; i++) {
		const sluice_header *h = &r->headers[i];
		bool holds;

		/* The same test again, of this value. */
		seed = again;
		test.len = 0;
		holds = say_text_test(&test, h->value, h->value_len, &negated);
		if (!strcmp(h->key, name) && (is_null ? !holds : holds))
			any = true;
	}
	say(w, "%s", test.text);
	return (is_null ? !any : any) != negated;
}

static bool say_number_test(struct writer *w, int64_t v)
{
	static const int64_t near[] = {0, 1, -1, 2, INT64_C(1) << 32, -(INT64_C(1) << 32)};
	int64_t n = (int64_t)((uint64_t)v + (uint64_t)near[below(6)]);

	if (n < -INT64_MAX + 10)
		n = 0;
	switch (below(6)) {
	case 0: say(w, "== %" PRId64, n); return v == n;
	case 1: say(w, "!= %" PRId64, n); return v != n;
	case 2: say(w, "< %" PRId64, n); return v < n;
	case 3: say(w, "<= %" PRId64, n); return v <= n;
	case 4: say(w, "> %" PRId64, n); return v > n;
	}
	say(w, ">= %" PRId64, n);
	return v >= n;
}

static bool say_expression(struct writer *w, const sluice_record *r, int depth)
{
	bool left, right, negated;

	switch (below(depth ? 9 : 6)) {
	case 0:
		say(w, "key ");
		left = say_text_test(w, r->key, r->key_len, &negated);
		break;
	case 1:
		say(w, "value ");
		left = say_text_test(w, r->value, r->value_len, &negated);
		break;
	case 2: return say_header_test(w, r);
	case 3: say(w, "offset "); return say_number_test(w, r->offset);
	case 4: say(w, "time "); return say_number_test(w, r->timestamp);
	case 5: say(w, "partition "); return say_number_test(w, r->partition);
	case 6:
		say(w, "not (");
		left = say_expression(w, r, depth - 1);
		say(w, ")");
		return !left;
	default:
		negated = below(2);
		say(w, "(");
		left = say_expression(w, r, depth - 1);
		say(w, negated ? " or " : " and ");
		right = say_expression(w, r, depth - 1);
		say(w, ")");
		return negated ? left || right : left && right;
	}
	return left != negated;
}

static void random_record(sluice_record *r, sluice_header *headers)
{
	static const int64_t numbers[] = {0, 1, 5, -1, INT64_MAX - 9, INT64_C(1) << 32, 0xffffffff};

	*r = (sluice_record){.headers = headers, .n_headers = below(5)};
	r->key = below(4) ? random_text() : NULL;
	r->key_len = r->key ? strlen(r->key) : 0;
	r->value = below(4) ? random_text() : NULL;
	r->value_len = r->value ? strlen(r->value) : 0;
	r->offset = numbers[below(7)];
	r->timestamp = numbers[below(7)];
	r->partition = (int32_t)below(4);
	for (size_t i = 0; i < r->n_headers; i++) {
		headers[i].key = random_text();
		headers[i].value = below(4) ? random_text() : NULL;
		headers[i].value_len = headers[i].value ? strlen(headers[i].value) : 0;
	}
}

static void compile__agrees_with_another_evaluator(void **state)
{
	int said[2] = {0};

	(void)state;
	for (int i = 0; i < 20000; i++) {
		sluice_header headers[5];
		struct writer w = {.len = 0};
		sluice_record r;
		sluice_filter *f;
		bool expected;

		random_record(&r, headers);
		expected = say_expression(&w, &r, (int)below(4));
		if (sluice_filter_compile(w.text, &f) == -E2BIG)
			continue;
		sluice_filter_free(f);
		expect(w.text, &r, expected);
		said[expected]++;
	}
	print_message("# %d matched, %d did not\n", said[1], said[0]);
	assert_true(said[0] > 4000 && said[1] > 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compile__tests_of_texts),
		cmocka_unit_test(compile__null_is_not_empty),
		cmocka_unit_test(compile__tests_of_headers),
		cmocka_unit_test(compile__numbers_are_signed_and_wide),
		cmocka_unit_test(compile__times_in_iso_8601),
		cmocka_unit_test(compile__operators_bind_as_they_should),
		cmocka_unit_test(compile__says_where_it_is_wrong),
		cmocka_unit_test(compile__refuses_what_is_too_much),
		cmocka_unit_test(compile__far_jumps),
		cmocka_unit_test(matches__decides_what_the_program_cannot),
		cmocka_unit_test(program__lets_batches_pass),
		cmocka_unit_test(compile__agrees_with_another_evaluator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
