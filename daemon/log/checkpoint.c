// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/log/checkpoint.h"
#include "daemon/log/dir_file.h"
#include "daemon/log/topic_id.h"

#define CHECKPOINT_BYTES_MAX (256u << 20)
#define LINE_LEN_MAX	     300

/* A topic's name; those added one after the other share it. */
struct checkpoint_name {
	struct checkpoint_name *next;
	char text[];
};

static int compare(const void *a, const void *b)
{
	const struct checkpoint_entry *x = a, *y = b;
	int order = strcmp(x->topic, y->topic);

	return order ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

/* Decimal digits and nothing else; -1 if not, or if it is above @max. */
static int64_t parse_number(const char *s, int64_t max)
{
	int64_t v = 0;

	if (!*s)
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || v > (max - (*s - '0')) / 10)
			return -1;
		v = v * 10 + (*s - '0');
	}
	return v;
}

/* Copies the line at *pos without its end; false if there is none or it is too long. */
static bool next_line(const char *text, size_t len, size_t *pos, char line[LINE_LEN_MAX + 1])
{
	const char *start = text + *pos;
	const char *end;
	size_t n;

	if (*pos >= len)
		return false;
	end = memchr(start, '\n', len - *pos);
	n = end ? (size_t)(end - start) : len - *pos;
	if (n > LINE_LEN_MAX || memchr(start, '\0', n))
		return false;
	memcpy(line, start, n);
	line[n] = '\0';
	*pos += n + (end ? 1 : 0);
	return true;
}

static int parse_entry(char *line, struct checkpoint_entry *e)
{
	char *partition = strchr(line, ' ');
	char *offset = partition ? strchr(partition + 1, ' ') : NULL;
	int64_t index;

	if (!offset)
		return -EINVAL;
	*partition++ = '\0';
	*offset++ = '\0';
	index = parse_number(partition, INT32_MAX);
	e->offset = parse_number(offset, INT64_MAX);
	if (topic_name_why_bad(line) || index < 0 || e->offset < 0)
		return -EINVAL;
	e->topic = line;
	e->partition = (uint32_t)index;
	return 0;
}

static const char *intern(struct checkpoint *c, const char *topic)
{
	size_t size = strlen(topic) + 1;
	struct checkpoint_name *name;

	if (c->n && !strcmp(c->entries[c->n - 1].topic, topic))
		return c->entries[c->n - 1].topic;
	name = malloc(sizeof(*name) + size);
	if (!name)
		return NULL;
	memcpy(name->text, topic, size);
	name->next = c->names;
	c->names = name;
	return name->text;
}

/* @e->topic is copied. */
static int add(struct checkpoint *c, const struct checkpoint_entry *e)
{
	struct checkpoint_entry *grown;
	const char *topic;

	if (c->n == c->room) {
		grown = reallocarray(c->entries, c->room * 2 + 16, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		c->entries = grown;
		c->room = c->room * 2 + 16;
	}
	topic = intern(c, e->topic);
	if (!topic)
		return -ENOMEM;
	c->entries[c->n] = *e;
	c->entries[c->n++].topic = topic;
	return 0;
}

void checkpoint_sort(struct checkpoint *c)
{
	if (c->n)
		qsort(c->entries, c->n, sizeof(*c->entries), compare);
}

/* The lines behind the first two. */
static int parse_entries(const char *text, size_t len, size_t *pos, struct checkpoint *c,
			 unsigned int *line_nr)
{
	char line[LINE_LEN_MAX + 1];
	struct checkpoint_entry e;
	int err;

	while (next_line(text, len, pos, line)) {
		(*line_nr)++;
		err = parse_entry(line, &e);
		if (!err)
			err = add(c, &e);
		if (err)
			return err;
	}
	if (*pos == len)
		return 0;
	(*line_nr)++;
	return -EINVAL;
}

int checkpoint_parse(const char *text, size_t len, struct checkpoint *ret, unsigned int *ret_line)
{
	char line[LINE_LEN_MAX + 1];
	struct checkpoint c = {0};
	size_t pos = 0;
	int64_t count;
	int err;

	*ret = c;
	*ret_line = 1;
	if (!next_line(text, len, &pos, line) || strcmp(line, "0") != 0)
		return -EINVAL;
	*ret_line = 2;
	if (!next_line(text, len, &pos, line))
		return -EINVAL;
	count = parse_number(line, INT32_MAX);
	if (count < 0)
		return -EINVAL;
	err = parse_entries(text, len, &pos, &c, ret_line);
	if (err)
		goto err_free;
	err = -EINVAL;
	if ((uint64_t)count != c.n) {
		*ret_line = 2;
		goto err_free;
	}
	*ret_line = 0;
	checkpoint_sort(&c);
	for (size_t i = 1; i < c.n; i++) {
		if (!compare(&c.entries[i - 1], &c.entries[i]))
			goto err_free;
	}
	*ret = c;
	return 0;

err_free:
	checkpoint_free(&c);
	return err;
}

int checkpoint_read(int dir_fd, const char *name, struct checkpoint *ret, unsigned int *ret_line)
{
	char *text;
	size_t len;
	int err;

	*ret = (struct checkpoint){0};
	*ret_line = 0;
	err = dir_file_read(dir_fd, name, CHECKPOINT_BYTES_MAX, &text, &len);
	if (err == -EFBIG)
		return -EINVAL;
	if (err)
		return err == -ENOENT ? 0 : err;
	err = checkpoint_parse(text, len, ret, ret_line);
	free(text);
	return err;
}

int checkpoint_write(int dir_fd, const char *name, struct checkpoint *c)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int err;

	if (!f)
		return -ENOMEM;
	checkpoint_sort(c);
	fprintf(f, "0\n%zu\n", c->n);
	for (size_t i = 0; i < c->n; i++)
		fprintf(f, "%s %" PRIu32 " %" PRId64 "\n", c->entries[i].topic,
			c->entries[i].partition, c->entries[i].offset);
	err = ferror(f) ? -ENOMEM : 0;
	if (fclose(f))
		err = -ENOMEM;
	if (!err)
		err = dir_file_replace(dir_fd, name, text, len);
	free(text);
	return err;
}

int64_t checkpoint_find(const struct checkpoint *c, const char *topic, uint32_t partition)
{
	struct checkpoint_entry key = {.topic = topic, .partition = partition};
	const struct checkpoint_entry *e;

	if (!c->n)
		return -1;
	e = bsearch(&key, c->entries, c->n, sizeof(key), compare);
	return e ? e->offset : -1;
}

bool checkpoint_equal(const struct checkpoint *a, const struct checkpoint *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (compare(&a->entries[i], &b->entries[i]) ||
		    a->entries[i].offset != b->entries[i].offset)
			return false;
	}
	return true;
}

int checkpoint_add(struct checkpoint *c, const char *topic, uint32_t partition, int64_t offset)
{
	struct checkpoint_entry e = {.topic = topic, .partition = partition, .offset = offset};

	if (strlen(topic) > SLUICE_TOPIC_NAME_MAX)
		return -ENAMETOOLONG;
	return add(c, &e);
}

int checkpoint_set(struct checkpoint *c, const char *topic, uint32_t partition, int64_t offset)
{
	for (size_t i = 0; i < c->n; i++) {
		if (c->entries[i].partition == partition && !strcmp(c->entries[i].topic, topic)) {
			c->entries[i].offset = offset;
			return 0;
		}
	}
	return checkpoint_add(c, topic, partition, offset);
}

size_t checkpoint_forget(struct checkpoint *c, const char *topic)
{
	size_t kept = 0, before = c->n;

	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->entries[i].topic, topic) != 0)
			c->entries[kept++] = c->entries[i];
	}
	c->n = kept;
	return before - kept;
}

void checkpoint_free(struct checkpoint *c)
{
	struct checkpoint_name *name;

	while ((name = c->names)) {
		c->names = name->next;
		free(name);
	}
	free(c->entries);
	*c = (struct checkpoint){0};
}
