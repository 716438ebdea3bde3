// SPDX-License-Identifier: Apache-2.0
/*
 * From the text of a filter expression to its tree, by recursive descent. The
 * nodes are in one array; an operand always comes before what uses it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "lib/filter.h"
#include "lib/internal.h"

/**
 * struct parser - where parsing stands
 * @begin: of the expression
 * @at: the next byte
 * @err: the first error, after which nothing more is looked at
 */
struct parser {
	const char *begin;
	const char *at;
	struct sluice_filter *f;
	int nested;
	int err;
};

static uint16_t fail(struct parser *p, const char *at, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static uint16_t fail(struct parser *p, const char *at, int err, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	if (p->err)
		return 0;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	p->err = sluice__fail(err, "filter, at character %zu: %s", (size_t)(at - p->begin) + 1,
			      what);
	return 0;
}

static void skip_space(struct parser *p)
{
	while (*p->at && strchr(" \t\r\n", *p->at))
		p->at++;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Take a word or a sign, if it is what comes next. */
static bool take(struct parser *p, const char *token)
{
	size_t len = strlen(token);

	skip_space(p);
	if (strncmp(p->at, token, len) != 0 || (is_word(*token) && is_word(p->at[len])))
		return false;
	p->at += len;
	return true;
}

static uint16_t add(struct parser *p, struct filter_node node)
{
	struct sluice_filter *f = p->f;
	struct filter_node *grown;

	if (p->err)
		goto dropped;
	if (f->n_nodes == FILTER_NODES_MAX) {
		fail(p, p->at, -E2BIG, "more than %d tests and operators", FILTER_NODES_MAX);
		goto dropped;
	}
	/* By doubling: the array is full whenever its size is a power of two. */
	if ((f->n_nodes & (f->n_nodes - 1)) == 0) {
		grown = reallocarray(f->nodes, f->n_nodes ? f->n_nodes * 2U : 1, sizeof(node));
		if (!grown) {
			fail(p, p->at, -ENOMEM, "out of memory");
			goto dropped;
		}
		f->nodes = grown;
	}
	f->nodes[f->n_nodes] = node;
	return f->n_nodes++;

dropped:
	free(node.name);
	free(node.text);
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of a quoted text, perhaps escaped; -1 after an error. */
static int take_byte(struct parser *p)
{
	static const char escapes[] = "n\nt\tr\r0\0\\\\\"\"'\'";
	const char *at = p->at;
	int high, low;

	if (*p->at != '\\')
		return (unsigned char)*p->at++;
	p->at++;
	if (*p->at == 'x') {
		high = hex_digit(p->at[1]);
		low = high < 0 ? -1 : hex_digit(p->at[2]);
		if (low >= 0) {
			p->at += 3;
			return high * 16 + low;
		}
	}
	for (size_t i = 0; *p->at && i + 1 < sizeof(escapes); i += 2) {
		if (escapes[i] == *p->at) {
			p->at++;
			return (unsigned char)escapes[i + 1];
		}
	}
	fail(p, at, -EINVAL, "\\ stands before n, t, r, 0, \\, a quote, or x and two hex digits");
	return -1;
}

static struct filter_text *take_text(struct parser *p)
{
	struct filter_text *text;
	const char *start;
	char quote;
	int byte;

	skip_space(p);
	start = p->at;
	quote = *p->at;
	if (quote != '"' && quote != '\'') {
		fail(p, start, -EINVAL, "a text in quotes is expected");
		return NULL;
	}
	text = calloc(1, sizeof(*text));
	if (!text) {
		fail(p, start, -ENOMEM, "out of memory");
		return NULL;
	}
	for (p->at++; *p->at && *p->at != quote;) {
		byte = take_byte(p);
		if (byte < 0)
			goto err_free;
		if (text->len == FILTER_TEXT_MAX) {
			fail(p, start, -EINVAL, "a text has at most %d bytes", FILTER_TEXT_MAX);
			goto err_free;
		}
		text->bytes[text->len++] = (uint8_t)byte;
	}
	if (*p->at) {
		p->at++;
		return text;
	}
	fail(p, start, -EINVAL, "the text does not end: its closing quote is missing");
err_free:
	free(text);
	return NULL;
}

static bool take_digits(struct parser *p, int n, int *ret)
{
	*ret = 0;
	for (; n > 0; n--) {
		if (!isdigit((unsigned char)*p->at))
			return false;
		*ret = *ret * 10 + (*p->at++ - '0');
	}
	return true;
}

static bool take_char(struct parser *p, char c)
{
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

/* Behind the date: [T]hh:mm[:ss[.mmm]][Z|+hh:mm|-hh:mm] */
static bool take_clock(struct parser *p, struct tm *tm, int *ret_ms, int *ret_ahead_min)
{
	int hours, minutes, digit;
	char sign;

	if (!take_digits(p, 2, &tm->tm_hour) || !take_char(p, ':') ||
	    !take_digits(p, 2, &tm->tm_min))
		return false;
	if (take_char(p, ':') && !take_digits(p, 2, &tm->tm_sec))
		return false;
	if (take_char(p, '.')) {
		for (int scale = 100; isdigit((unsigned char)*p->at); scale /= 10) {
			take_digits(p, 1, &digit);
			*ret_ms += digit * scale;
		}
	}
	sign = *p->at;
	if (sign == '+' || sign == '-') {
		p->at++;
		if (!take_digits(p, 2, &hours) || !take_char(p, ':') ||
		    !take_digits(p, 2, &minutes))
			return false;
		*ret_ahead_min = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
	} else {
		take_char(p, 'Z');
	}
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60;
}

/* ISO 8601, in UTC unless it says otherwise; milliseconds since the epoch. */
static bool take_iso(struct parser *p, int64_t *ret)
{
	struct tm tm = {0};
	int year, month, ms = 0, ahead_min = 0;

	if (!take_digits(p, 4, &year) || !take_char(p, '-') || !take_digits(p, 2, &month) ||
	    !take_char(p, '-') || !take_digits(p, 2, &tm.tm_mday))
		return false;
	if (month < 1 || month > 12 || tm.tm_mday < 1 || tm.tm_mday > 31)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	if (take_char(p, 'T') && !take_clock(p, &tm, &ms, &ahead_min))
		return false;
	*ret = ((int64_t)timegm(&tm) - ahead_min * 60) * 1000 + ms;
	return !is_word(*p->at);
}

static int64_t take_number(struct parser *p, bool is_time)
{
	const char *start;
	int64_t v = 0;
	char *end;

	skip_space(p);
	start = p->at;
	errno = 0;
	if (isdigit((unsigned char)*start) || (*start == '-' && isdigit((unsigned char)start[1])))
		v = strtoll(start, &end, 10);
	else
		end = (char *)start;
	if (end == start || errno) {
		fail(p, start, -EINVAL, errno ? "the number is too large" : "a number is expected");
		return 0;
	}
	p->at = end;
	if (is_time && *end == '-') {
		p->at = start;
		if (!take_iso(p, &v))
			fail(p, start, -EINVAL,
			     "a time is milliseconds since 1970, or like 2026-11-23, or like "
			     "2026-11-23T10:00:00Z");
	} else if (is_word(*end)) {
		fail(p, start, -EINVAL, "a number is expected");
	}
	return v;
}

static uint16_t negate(struct parser *p, uint16_t node)
{
	return add(p, (struct filter_node){.kind = FILTER_NOT, .left = node});
}

/* What is behind key, value or header(...). Takes @name. */
static uint16_t text_test(struct parser *p, enum filter_kind kind, struct filter_text *name)
{
	struct filter_node node = {.kind = kind, .name = name};
	bool negated = false;
	uint16_t n;

	if (take(p, "^="))
		node.op = FILTER_PREFIX;
	else if (take(p, "!="))
		negated = true;
	else if (!take(p, "=="))
		fail(p, p->at, -EINVAL, "==, != or ^= is expected");
	if (!p->err && node.op == FILTER_EQUAL && take(p, "null"))
		node.op = FILTER_IS_NULL;
	else if (!p->err)
		node.text = take_text(p);
	n = add(p, node);
	return negated ? negate(p, n) : n;
}

static uint16_t number_test(struct parser *p, enum filter_kind kind)
{
	static const struct {
		const char *sign;
		enum filter_op op;
		bool negated;
		int less; /* >= n is > n - 1 */
	} ops[] = {
		{"==", FILTER_EQUAL, false, 0}, {"!=", FILTER_EQUAL, true, 0},
		{">=", FILTER_ABOVE, false, 1}, {"<=", FILTER_ABOVE, true, 0},
		{">", FILTER_ABOVE, false, 0},	{"<", FILTER_ABOVE, true, 1},
	};
	struct filter_node node = {.kind = kind};
	size_t i = 0;
	uint16_t n;

	while (i < sizeof(ops) / sizeof(ops[0]) && !take(p, ops[i].sign))
		i++;
	if (i == sizeof(ops) / sizeof(ops[0]))
		return fail(p, p->at, -EINVAL, "==, !=, <, <=, > or >= is expected");
	node.op = ops[i].op;
	node.number = take_number(p, kind == FILTER_TIME);
	/* strtoll() gives this for what nobody means; one less would wrap. */
	if (node.number == INT64_MIN)
		return fail(p, p->at, -EINVAL, "the number is too small");
	node.number -= ops[i].less;
	n = add(p, node);
	return ops[i].negated ? negate(p, n) : n;
}

static uint16_t header_test(struct parser *p)
{
	struct filter_text *name;
	const char *at;

	if (!take(p, "("))
		return fail(p, p->at, -EINVAL, "the header's name is expected: header(\"name\")");
	at = p->at;
	name = take_text(p);
	if (name && memchr(name->bytes, '\0', name->len))
		fail(p, at, -EINVAL, "the name of a header has no \\0 in it");
	if (name && !take(p, ")")) {
		fail(p, p->at, -EINVAL, "')' is expected behind the header's name");
		free(name);
		return 0;
	}
	return name ? text_test(p, FILTER_HEADER, name) : 0;
}

static uint16_t parse_or(struct parser *p);

static uint16_t parse_not(struct parser *p)
{
	uint16_t n;

	if (p->err)
		return 0;
	if (p->nested == FILTER_NESTED_MAX)
		return fail(p, p->at, -E2BIG,
			    "more than %d parentheses and 'not' inside each other",
			    FILTER_NESTED_MAX);
	if (take(p, "not")) {
		p->nested++;
		n = negate(p, parse_not(p));
		p->nested--;
		return n;
	}
	if (take(p, "(")) {
		p->nested++;
		n = parse_or(p);
		p->nested--;
		return take(p, ")") ? n : fail(p, p->at, -EINVAL, "')' is expected");
	}
	if (take(p, "key"))
		return text_test(p, FILTER_KEY, NULL);
	if (take(p, "value"))
		return text_test(p, FILTER_VALUE, NULL);
	if (take(p, "header"))
		return header_test(p);
	if (take(p, "offset"))
		return number_test(p, FILTER_OFFSET);
	if (take(p, "time"))
		return number_test(p, FILTER_TIME);
	if (take(p, "partition"))
		return number_test(p, FILTER_PARTITION);
	return fail(p, p->at, -EINVAL,
		    "key, value, header(\"name\"), offset, time, partition, 'not' or '(' is "
		    "expected");
}

static uint16_t parse_and(struct parser *p)
{
	uint16_t left = parse_not(p);

	while (!p->err && take(p, "and")) {
		uint16_t right = parse_not(p);

		left = add(p,
			   (struct filter_node){.kind = FILTER_AND, .left = left, .right = right});
	}
	return left;
}

static uint16_t parse_or(struct parser *p)
{
	uint16_t left = parse_and(p);

	while (!p->err && take(p, "or")) {
		uint16_t right = parse_and(p);

		left = add(p,
			   (struct filter_node){.kind = FILTER_OR, .left = left, .right = right});
	}
	return left;
}

int filter_parse(const char *expression, struct sluice_filter *f)
{
	struct parser p = {.begin = expression, .at = expression, .f = f};

	f->root = parse_or(&p);
	skip_space(&p);
	if (!p.err && *p.at)
		fail(&p, p.at, -EINVAL, "'and', 'or' or the end is expected");
	return p.err;
}
