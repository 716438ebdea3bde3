// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/dynamic_config.h"

/* More than there are broker settings; a search goes through all. */
#define SETTINGS_MAX 1000

static const char *const scope_names[CONFIG_SCOPES] = {
	[CONFIG_SCOPE_BROKER] = "broker",
	[CONFIG_SCOPE_DEFAULT] = "default",
};

void dynamic_config_free(struct dynamic_config *d)
{
	for (int scope = 0; scope < CONFIG_SCOPES; scope++)
		log_dir_settings_free(d->scopes[scope].items, d->scopes[scope].n);
	*d = (struct dynamic_config){0};
}

int dynamic_config_copy(struct dynamic_config *to, const struct dynamic_config *from)
{
	int err = 0;

	*to = (struct dynamic_config){0};
	for (int scope = 0; scope < CONFIG_SCOPES; scope++) {
		const struct config_settings *s = &from->scopes[scope];

		for (size_t i = 0; !err && i < s->n; i++)
			err = dynamic_config_set(to, (enum config_scope)scope, s->items[i].key,
						 s->items[i].value);
	}
	if (err)
		dynamic_config_free(to);
	return err;
}

static struct log_dir_setting *find(const struct config_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!strcmp(s->items[i].key, key))
			return &s->items[i];
	}
	return NULL;
}

const char *dynamic_config_get(const struct dynamic_config *d, enum config_scope scope,
			       const char *key)
{
	const struct log_dir_setting *item = find(&d->scopes[scope], key);

	return item ? item->value : NULL;
}

static void free_item(struct log_dir_setting *item)
{
	free((char *)item->key);
	free((char *)item->value);
}

static int add(struct config_settings *s, const char *key, char *value)
{
	struct log_dir_setting *more = reallocarray(s->items, s->n + 1, sizeof(*more));
	char *name = strdup(key);

	if (more)
		s->items = more;
	if (!more || !name) {
		free(name);
		return -ENOMEM;
	}
	more[s->n++] = (struct log_dir_setting){.key = name, .value = value};
	return 0;
}

static void take_back(struct config_settings *s, const char *key)
{
	struct log_dir_setting *item = find(s, key);

	if (!item)
		return;
	free_item(item);
	s->n--;
	memmove(item, item + 1, (size_t)(s->items + s->n - item) * sizeof(*item));
}

int dynamic_config_set(struct dynamic_config *d, enum config_scope scope, const char *key,
		       const char *value)
{
	struct config_settings *s = &d->scopes[scope];
	struct log_dir_setting *item = find(s, key);
	char *copy;

	if (!value) {
		take_back(s, key);
		return 0;
	}
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	if (item) {
		free((char *)item->value);
		item->value = copy;
	} else if (add(s, key, copy)) {
		free(copy);
		return -ENOMEM;
	}
	return 0;
}

static int parse_line(char *line, struct dynamic_config *d)
{
	char *key = strchr(line, ':'), *value;

	if (!*line || *line == '#')
		return 0;
	if (!key)
		return -EUCLEAN;
	*key++ = '\0';
	value = strchr(key, '=');
	if (!value || value == key)
		return -EUCLEAN;
	*value++ = '\0';
	for (int scope = 0; scope < CONFIG_SCOPES; scope++) {
		if (strcmp(line, scope_names[scope]))
			continue;
		if (d->scopes[scope].n >= SETTINGS_MAX || find(&d->scopes[scope], key))
			return -EUCLEAN;
		return dynamic_config_set(d, (enum config_scope)scope, key, value);
	}
	return -EUCLEAN;
}

int dynamic_config_parse(const char *text, struct dynamic_config *ret, unsigned int *ret_line)
{
	char *copy = strdup(text), *rest = copy, *line;
	int err = copy ? 0 : -ENOMEM;

	*ret = (struct dynamic_config){0};
	*ret_line = 0;
	while (!err && (line = strsep(&rest, "\n"))) {
		++*ret_line;
		err = parse_line(line, ret);
	}
	free(copy);
	if (err)
		dynamic_config_free(ret);
	return err;
}

char *dynamic_config_format(const struct dynamic_config *d, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	if (!f)
		return NULL;
	fprintf(f, "# Written by sluice.\n");
	for (int scope = 0; scope < CONFIG_SCOPES; scope++) {
		const struct config_settings *s = &d->scopes[scope];

		for (size_t i = 0; i < s->n; i++)
			fprintf(f, "%s:%s=%s\n", scope_names[scope], s->items[i].key,
				s->items[i].value);
	}
	if (!fclose(f))
		return text;
	free(text);
	return NULL;
}
