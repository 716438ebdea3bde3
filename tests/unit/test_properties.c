// SPDX-License-Identifier: Apache-2.0
/* Expected pairs are what java.util.Properties.load() gives, where the format is its. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/config/properties.h"

struct seen {
	char text[512];
	int stop_at;
	int n;
};

static int note(void *ctx, const char *key, const char *value, unsigned int line)
{
	struct seen *s = ctx;
	size_t at = strlen(s->text);

	snprintf(s->text + at, sizeof(s->text) - at, "%u[%s][%s]", line, key, value);
	return ++s->n == s->stop_at ? 42 : 0;
}

static void assert_pairs(const char *text, const char *expected)
{
	struct properties_error err;
	struct seen s = {.n = 0};
	/* A copy that ends where it ends: reading past it is found. */
	char *exact = malloc(strlen(text) + 1);
	size_t len = strlen(text);

	memcpy(exact, text, len);
	exact = realloc(exact, len ? len : 1);
	assert_int_equal(properties_parse(exact, len, note, &s, &err), 0);
	assert_string_equal(s.text, expected);
	free(exact);
}

static void assert_refused(const char *text, size_t len, unsigned int line, const char *why)
{
	struct properties_error err = {0};
	struct seen s = {.n = 0};

	assert_int_equal(properties_parse(text, len, note, &s, &err), -EINVAL);
	assert_int_equal(err.line, line);
	assert_non_null(strstr(err.why, why));
}

static void parse__separators(void **state)
{
	(void)state;
	assert_pairs("", "");
	assert_pairs("a=1\nb:2\nc 3\nd\t=\t4", "1[a][1]2[b][2]3[c][3]4[d][4]");
	assert_pairs("a==1\nb = = 2", "1[a][=1]2[b][= 2]");
	assert_pairs("alone\nempty=\n", "1[alone][]2[empty][]");
	assert_pairs("=novalue", "1[][novalue]");
	assert_pairs("url=PLAINTEXT://:9092", "1[url][PLAINTEXT://:9092]");
	assert_pairs("a=1  \nb=2", "1[a][1]2[b][2]");
}

static void parse__comments_and_blank_lines(void **state)
{
	(void)state;
	assert_pairs("# c\n ! c\n\n\f\na=1#not\n", "5[a][1#not]");
	/* A backslash does not continue a comment. */
	assert_pairs("# c \\\na=1", "2[a][1]");
}

static void parse__line_ends(void **state)
{
	(void)state;
	assert_pairs("a=1\r\nb=2\rc=3\n", "1[a][1]2[b][2]3[c][3]");
}

static void parse__continuation(void **state)
{
	(void)state;
	assert_pairs("a=1,\\\n   2,\\\r\n\t3\nb=4", "1[a][1,2,3]4[b][4]");
	assert_pairs("ke\\\ny=1", "1[key][1]");
	assert_pairs("a=1\\", "1[a][1]");
}

static void parse__escapes(void **state)
{
	(void)state;
	assert_pairs("a\\=b\\:c\\ d=1", "1[a=b:c d][1]");
	assert_pairs("a=\\t\\n\\r\\f\\\\\\q", "1[a][\t\n\r\f\\q]");
	assert_pairs("a=\\u0041\\u00e9\\u20AC\\uD83D\\uDE00",
		     "1[a][A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80]");
}

static void parse__refuses_bad_escapes(void **state)
{
	(void)state;
	assert_refused("a=1\nb=\\u12", 10, 2, "four hexadecimal digits");
	assert_refused("b=\\u12g4", 8, 1, "four hexadecimal digits");
	assert_refused("b=\\u0000", 8, 1, "\\u0000");
	assert_refused("b=\\ud800x", 9, 1, "second half");
	assert_refused("b=\\ud800\\u0041", 14, 1, "second half");
	assert_refused("b=\\udc00", 8, 1, "first half");
	assert_refused("a=1\n\nb=x\0y", 10, 3, "NUL");
}

static void parse__gives_duplicates_in_order(void **state)
{
	(void)state;
	assert_pairs("a=1\na=2", "1[a][1]2[a][2]");
}

static void parse__ends_when_told(void **state)
{
	struct properties_error err;
	struct seen s = {.stop_at = 2};

	(void)state;
	assert_int_equal(properties_parse("a=1\nb=2\nc=3", 11, note, &s, &err), 42);
	assert_string_equal(s.text, "1[a][1]2[b][2]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__separators),
		cmocka_unit_test(parse__comments_and_blank_lines),
		cmocka_unit_test(parse__line_ends),
		cmocka_unit_test(parse__continuation),
		cmocka_unit_test(parse__escapes),
		cmocka_unit_test(parse__refuses_bad_escapes),
		cmocka_unit_test(parse__gives_duplicates_in_order),
		cmocka_unit_test(parse__ends_when_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
