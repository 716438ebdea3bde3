// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/quota/quota_table.h"

#define DEFAULT_NAME "<default>"

static void write_name(FILE *f, const char *name)
{
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if (isalnum(c) || (c < 128 && strchr("-._", c)))
			fputc(c, f);
		else
			fprintf(f, "%%%02x", c);
	}
}

static void write_entity(FILE *f, const struct quota_entity *e)
{
	const char *space = "";

	for (int i = 0; i < QUOTA_KINDS; i++) {
		if (!e->names[i].given)
			continue;
		fprintf(f, "%s%s:", space, quota_kind_names[i]);
		if (e->names[i].text)
			write_name(f, e->names[i].text);
		else
			fputs(DEFAULT_NAME, f);
		space = " ";
	}
	for (int i = 0; i < QUOTA_KEYS; i++) {
		if (e->set & (1u << i))
			fprintf(f, " %s=%.17g", quota_key_names[i], e->values[i]);
	}
	fputc('\n', f);
}

char *quota_table_format(const struct quota_table *t, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);
	const struct quota_entity *e;
	size_t n;

	if (!f)
		return NULL;
	e = quota_table_entities(t, &n);
	fprintf(f, "# Written by sluice.\n");
	for (size_t i = 0; i < n; i++)
		write_entity(f, &e[i]);
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; a name that would hold a NUL or has a broken escape is none. */
static int decode_name(char *name)
{
	char *to = name;

	for (; *name; name++) {
		int high, low;

		if (*name != '%') {
			*to++ = *name;
			continue;
		}
		high = digit(name[1]);
		low = high < 0 ? -1 : digit(name[2]);
		if (low < 0 || !(high | low))
			return -EUCLEAN;
		*to++ = (char)(high * 16 + low);
		name += 2;
	}
	*to = '\0';
	return 0;
}

static int parse_name(char *word, struct quota_name names[QUOTA_KINDS])
{
	char *name = strchr(word, ':');

	*name++ = '\0';
	for (int i = 0; i < QUOTA_KINDS; i++) {
		if (strcmp(word, quota_kind_names[i]))
			continue;
		if (names[i].given)
			return -EUCLEAN;
		names[i].given = true;
		names[i].text = strcmp(name, DEFAULT_NAME) ? name : NULL;
		return names[i].text ? decode_name(name) : 0;
	}
	return -EUCLEAN;
}

static int parse_value(char *word, struct quota_table *t,
		       const struct quota_name names[QUOTA_KINDS])
{
	char *text = strchr(word, '='), *end;
	double value;

	if (!text || (!names[QUOTA_USER].given && !names[QUOTA_CLIENT_ID].given))
		return -EUCLEAN;
	*text++ = '\0';
	value = strtod(text, &end);
	if (end == text || *end || !isfinite(value) || value <= 0)
		return -EUCLEAN;
	for (int i = 0; i < QUOTA_KEYS; i++) {
		if (!strcmp(word, quota_key_names[i]))
			return quota_table_set(t, names, (enum quota_key)i, &value);
	}
	return -EUCLEAN;
}

static int parse_line(char *line, struct quota_table *t)
{
	struct quota_name names[QUOTA_KINDS] = {{0}};
	char *word;
	int err = 0;

	if (*line == '#')
		return 0;
	while (!err && (word = strsep(&line, " "))) {
		if (*word)
			err = strchr(word, ':') ? parse_name(word, names)
						: parse_value(word, t, names);
	}
	return err;
}

int quota_table_parse(const char *text, struct quota_table **ret_t, unsigned int *ret_line)
{
	struct quota_table *t = quota_table_new();
	char *copy = strdup(text), *rest = copy, *line;
	int err = t && copy ? 0 : -ENOMEM;

	*ret_line = 0;
	while (!err && (line = strsep(&rest, "\n"))) {
		++*ret_line;
		err = parse_line(line, t);
	}
	free(copy);
	if (err)
		quota_table_put(t);
	else
		*ret_t = t;
	return err;
}
