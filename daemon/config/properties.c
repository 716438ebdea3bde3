// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/properties.h"

struct parser {
	const char *at;
	const char *end;
	unsigned int line;
	struct properties_error *err;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static int fail(struct parser *p, const char *why)
{
	*p->err = (struct properties_error){.line = p->line, .why = why};
	return -EINVAL;
}

static void skip_blanks(struct parser *p)
{
	while (p->at < p->end && is_blank(*p->at))
		p->at++;
}

/* Go behind the end of this line; \r\n is one end. */
static void next_line(struct parser *p)
{
	if (p->at < p->end && *p->at == '\r' && p->end - p->at > 1 && p->at[1] == '\n')
		p->at++;
	if (p->at < p->end)
		p->at++;
	p->line++;
}

static void skip_comment(struct parser *p)
{
	while (p->at < p->end && !is_line_end(*p->at))
		p->at++;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The four digits behind \u; -1 if they are not. */
static int32_t read_hex(struct parser *p)
{
	int32_t v = 0;

	if (p->end - p->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(p->at[i]);

		if (digit < 0)
			return -1;
		v = v * 16 + digit;
	}
	p->at += 4;
	return v;
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* Behind "\u". Java writes a character above U+FFFF as a pair of surrogates. */
static int read_unicode(struct parser *p, char **to)
{
	int32_t c = read_hex(p);

	if (c < 0)
		return fail(p, "\\u needs four hexadecimal digits");
	if (c == 0)
		return fail(p, "\\u0000 cannot be part of a setting");
	if (c >= 0xd800 && c < 0xdc00) {
		int32_t low = -1;

		if (p->end - p->at >= 2 && p->at[0] == '\\' && p->at[1] == 'u') {
			p->at += 2;
			low = read_hex(p);
		}
		if (low < 0xdc00 || low > 0xdfff)
			return fail(p, "a \\u surrogate lacks its second half");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c >= 0xdc00 && c < 0xe000) {
		return fail(p, "a \\u surrogate lacks its first half");
	}
	*to = put_utf8(*to, (uint32_t)c);
	return 0;
}

/* Behind a backslash. What it stands for is never longer than how it is written. */
static int read_escape(struct parser *p, char **to)
{
	char c;

	if (p->at == p->end)
		return 0; /* Java ignores a backslash that ends the file */
	if (is_line_end(*p->at)) {
		next_line(p);
		skip_blanks(p);
		return 0;
	}
	c = *p->at++;
	switch (c) {
	case 'u': return read_unicode(p, to);
	case 't': c = '\t'; break;
	case 'n': c = '\n'; break;
	case 'r': c = '\r'; break;
	case 'f': c = '\f'; break;
	default: break;
	}
	*(*to)++ = c;
	return 0;
}

/* Read a key (up to a separator) or a value (up to the end of the line) into @to. */
static int read_token(struct parser *p, bool key, char *to)
{
	while (p->at < p->end && !is_line_end(*p->at)) {
		char c = *p->at;

		if (key && (c == '=' || c == ':' || is_blank(c)))
			break;
		p->at++;
		if (c == '\0')
			return fail(p, "there is a NUL byte");
		if (c == '\\') {
			int err = read_escape(p, &to);

			if (err)
				return err;
		} else {
			*to++ = c;
		}
	}
	*to = '\0';
	return 0;
}

/* One separator, with blanks around it. */
static void skip_separator(struct parser *p)
{
	skip_blanks(p);
	if (p->at < p->end && (*p->at == '=' || *p->at == ':')) {
		p->at++;
		skip_blanks(p);
	}
}

static int read_pair(struct parser *p, char *key, char *value, properties_fn fn, void *ctx)
{
	unsigned int line = p->line;
	int err = read_token(p, true, key);

	if (err)
		return err;
	skip_separator(p);
	err = read_token(p, false, value);
	if (err)
		return err;
	/* Java keeps them, and then Kafka refuses "9092 " with a puzzling message. */
	for (size_t n = strlen(value); n && is_blank(value[n - 1]); n--)
		value[n - 1] = '\0';
	return fn(ctx, key, value, line);
}

int properties_parse(const char *text, size_t len, properties_fn fn, void *ctx,
		     struct properties_error *err)
{
	struct parser p = {.at = text, .end = text + len, .line = 1, .err = err};
	/* No token is longer than the text. */
	char *key = malloc(len + 1);
	char *value = malloc(len + 1);
	int ret = key && value ? 0 : -ENOMEM;

	while (!ret && p.at < p.end) {
		skip_blanks(&p);
		if (p.at < p.end && (*p.at == '#' || *p.at == '!'))
			skip_comment(&p);
		else if (p.at < p.end && !is_line_end(*p.at))
			ret = read_pair(&p, key, value, fn, ctx);
		if (!ret)
			next_line(&p);
	}
	free(key);
	free(value);
	return ret;
}
