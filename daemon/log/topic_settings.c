// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_open.h"
#include "daemon/log/topic_id.h"
#include "daemon/log/topic_settings.h"

#define SETTINGS_BYTES_MAX (1u << 20)
#define ITEMS_MAX	   1000
#define STEM_LEN_MAX	   240
#define STEM_CUT_LEN	   200
#define FILE_NAME_SIZE	   256

#define KEY_TOPIC   "sluice.topic"
#define KEY_ID	    "sluice.topic.id"
#define KEY_COUNT   "sluice.partition.count"
#define KEY_ADOPTED "sluice.adopted"

static const char *const suffixes[] = {
	[TOPIC_CREATING] = ".creating",
	[TOPIC_EXISTS] = ".properties",
	[TOPIC_DELETING] = ".deleting",
};

static uint64_t fnv1a(const char *s)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *s; s++)
		hash = (hash ^ (uint8_t)*s) * 0x100000001b3;
	return hash;
}

/* '~' is in no topic name, so that no other topic's file has a cut name. */
static void file_name(const char *topic, enum topic_stage stage, char name[FILE_NAME_SIZE])
{
	if (strlen(topic) <= STEM_LEN_MAX)
		snprintf(name, FILE_NAME_SIZE, "%s%s", topic, suffixes[stage]);
	else
		snprintf(name, FILE_NAME_SIZE, "%.*s~%016" PRIx64 "%s", STEM_CUT_LEN, topic,
			 fnv1a(topic), suffixes[stage]);
}

int topic_settings_add(struct topic_settings *s, const char *key, const char *value)
{
	struct log_dir_setting *grown = reallocarray(s->items, s->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	s->items = grown;
	grown[s->n].key = strdup(key);
	grown[s->n].value = strdup(value);
	if (!grown[s->n].key || !grown[s->n].value) {
		free((char *)grown[s->n].key);
		free((char *)grown[s->n].value);
		return -ENOMEM;
	}
	s->n++;
	return 0;
}

void log_dir_settings_free(struct log_dir_setting *settings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((char *)settings[i].key);
		free((char *)settings[i].value);
	}
	free(settings);
}

void topic_settings_free(struct topic_settings *s)
{
	log_dir_settings_free(s->items, s->n);
	s->items = NULL;
	s->n = 0;
}

static int parse_count(const char *text, uint32_t *ret)
{
	unsigned long count;
	char *end;

	if (*text < '0' || *text > '9')
		return -EBADMSG;
	errno = 0;
	count = strtoul(text, &end, 10);
	if (errno || *end || count < 1 || count > LOG_DIR_PARTITIONS_MAX)
		return -EBADMSG;
	*ret = (uint32_t)count;
	return 0;
}

static int parse_line(char *line, struct topic_settings *s, unsigned int *seen)
{
	char *value = strchr(line, '=');

	if (!*line || *line == '#')
		return 0;
	if (!value || value == line)
		return -EBADMSG;
	*value++ = '\0';
	if (!strcmp(line, KEY_TOPIC)) {
		if (topic_name_why_bad(value))
			return -EBADMSG;
		strcpy(s->topic, value);
		*seen |= 1;
		return 0;
	}
	if (!strcmp(line, KEY_ID)) {
		*seen |= 2;
		return topic_id_parse(value, s->id) ? -EBADMSG : 0;
	}
	if (!strcmp(line, KEY_COUNT)) {
		*seen |= 4;
		return parse_count(value, &s->partition_count);
	}
	if (!strcmp(line, KEY_ADOPTED)) {
		s->adopted = !strcmp(value, "true");
		return 0;
	}
	return s->n < ITEMS_MAX ? topic_settings_add(s, line, value) : -EBADMSG;
}

int topic_settings_parse(const char *text, size_t len, struct topic_settings *ret,
			 struct log_dir_error *err)
{
	char *copy = strndup(text, len), *rest = copy, *line;
	struct topic_settings s = {0};
	unsigned int seen = 0, number = 0;
	int result;

	if (!copy)
		return log_dir_fail(err, -ENOMEM, "out of memory");
	result = strlen(copy) == len ? 0 : -EBADMSG;
	while (!result && (line = strsep(&rest, "\n"))) {
		number++;
		result = parse_line(line, &s, &seen);
	}
	free(copy);
	if (!result && seen != 7) {
		result = log_dir_fail(err, -EBADMSG,
				      KEY_TOPIC ", " KEY_ID " or " KEY_COUNT " is missing");
	} else if (result) {
		log_dir_fail(err, result, "line %u is not a valid setting", number);
	}
	if (result)
		topic_settings_free(&s);
	else
		*ret = s;
	return result;
}

static int read_file(int topics_fd, const char *name, struct topic_settings *ret,
		     struct log_dir_error *err)
{
	struct log_dir_error why;
	char *text;
	size_t len;
	int result = dir_file_read(topics_fd, name, SETTINGS_BYTES_MAX, &text, &len);

	if (result)
		return log_dir_fail(err, result, ".sluice/topics/%s: %s", name, strerror(-result));
	result = topic_settings_parse(text, len, ret, &why);
	if (result)
		log_dir_fail(err, result, ".sluice/topics/%s: %s", name, why.text);
	free(text);
	return result;
}

int topic_settings_read(int topics_fd, const char *topic, enum topic_stage stage,
			struct topic_settings *ret, struct log_dir_error *err)
{
	char name[FILE_NAME_SIZE];
	struct topic_settings s;
	int result;

	file_name(topic, stage, name);
	result = read_file(topics_fd, name, &s, err);
	if (result)
		return result;
	if (strcmp(s.topic, topic) != 0) {
		result = log_dir_fail(err, -EBADMSG, ".sluice/topics/%s is the file of topic '%s'",
				      name, s.topic);
		topic_settings_free(&s);
		return result;
	}
	*ret = s;
	return 0;
}

int topic_settings_write(int topics_fd, const struct topic_settings *s, enum topic_stage stage)
{
	char name[FILE_NAME_SIZE], id_text[TOPIC_ID_TEXT_LEN + 1];
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int err;

	if (!f)
		return -ENOMEM;
	topic_id_format(s->id, id_text);
	fprintf(f, "# Written by sluice.\n");
	fprintf(f, KEY_TOPIC "=%s\n" KEY_ID "=%s\n" KEY_COUNT "=%" PRIu32 "\n", s->topic, id_text,
		s->partition_count);
	if (s->adopted)
		fprintf(f, KEY_ADOPTED "=true\n");
	for (size_t i = 0; i < s->n; i++)
		fprintf(f, "%s=%s\n", s->items[i].key, s->items[i].value);
	file_name(s->topic, stage, name);
	err = fclose(f) ? -ENOMEM : dir_file_replace(topics_fd, name, text, len);
	free(text);
	return err;
}

int topic_settings_move(int topics_fd, const char *topic, enum topic_stage from,
			enum topic_stage to)
{
	char old_name[FILE_NAME_SIZE], new_name[FILE_NAME_SIZE];

	file_name(topic, from, old_name);
	file_name(topic, to, new_name);
	if (renameat(topics_fd, old_name, topics_fd, new_name))
		return -errno;
	return dir_sync(topics_fd);
}

int topic_settings_remove(int topics_fd, const char *topic, enum topic_stage stage)
{
	char name[FILE_NAME_SIZE];

	file_name(topic, stage, name);
	return dir_file_remove(topics_fd, name);
}

int topic_settings_exist(int topics_fd, const char *topic, enum topic_stage stage)
{
	char name[FILE_NAME_SIZE];

	file_name(topic, stage, name);
	return dir_file_exists(topics_fd, name);
}

struct walk {
	int topics_fd;
	enum topic_stage stage;
	int (*fn)(void *ctx, struct topic_settings *s);
	int (*bad)(void *ctx, const char *topic, const struct log_dir_error *why);
	void *ctx;
};

static int walk_entry(void *ctx, const char *name, bool is_dir)
{
	struct walk *w = ctx;
	const char *suffix = suffixes[w->stage];
	size_t len = strlen(name), suffix_len = strlen(suffix);
	char topic[FILE_NAME_SIZE], expected[FILE_NAME_SIZE];
	struct topic_settings s;
	struct log_dir_error why;
	int err;

	if (is_dir || len <= suffix_len || strcmp(name + len - suffix_len, suffix) != 0)
		return 0;
	snprintf(topic, sizeof(topic), "%.*s", (int)(len - suffix_len), name);
	err = read_file(w->topics_fd, name, &s, &why);
	if (err)
		return w->bad(w->ctx, topic, &why);
	file_name(s.topic, w->stage, expected);
	if (strcmp(name, expected) != 0) {
		log_dir_fail(&why, -EBADMSG, ".sluice/topics/%s says it is the file of topic '%s'",
			     name, s.topic);
		err = w->bad(w->ctx, topic, &why);
	} else {
		err = w->fn(w->ctx, &s);
	}
	topic_settings_free(&s);
	return err;
}

int topic_settings_each(int topics_fd, enum topic_stage stage,
			int (*fn)(void *ctx, struct topic_settings *s),
			int (*bad)(void *ctx, const char *topic, const struct log_dir_error *why),
			void *ctx)
{
	struct walk w = {.topics_fd = topics_fd, .stage = stage, .fn = fn, .bad = bad, .ctx = ctx};

	return dir_each(topics_fd, walk_entry, &w);
}
