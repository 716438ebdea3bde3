// SPDX-License-Identifier: Apache-2.0
/*
 * Changing the settings of a topic that exists. The settings file is replaced
 * as a whole, so that a crash leaves the old settings or the new ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/log/log_dir_open.h"
#include "daemon/log/topic_config.h"
#include "daemon/log/topic_id.h"
#include "daemon/log/topic_settings.h"

static void forget(struct topic_settings *s, const char *key)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->items[i].key, key) != 0) {
			s->items[kept++] = s->items[i];
			continue;
		}
		free((char *)s->items[i].key);
		free((char *)s->items[i].value);
	}
	s->n = kept;
}

static bool has(const struct topic_settings *s, const char *key)
{
	for (size_t i = 0; i < s->n; i++) {
		if (!strcmp(s->items[i].key, key))
			return true;
	}
	return false;
}

/* One change, in the settings and in what the log is to be told. */
static int apply_one(struct topic_settings *s, const struct log_dir_setting *change,
		     struct kern_topic_config *config, struct log_dir_error *err)
{
	const struct topic_config_item *item = topic_config_find(change->key);
	const char *why = "there is no such setting";

	/* What a newer sluice wrote can be taken back all the same. */
	if (!change->value && !item && !has(s, change->key))
		return log_dir_fail(err, -EINVAL, "%.100s: %s", change->key, why);
	if (change->value && topic_config_check(change->key, change->value, &why))
		return log_dir_fail(err, -EINVAL, "%.100s=%.100s: %s", change->key, change->value,
				    why);
	forget(s, change->key);
	if (item)
		topic_config_to_kern(item->key, change->value ? change->value : item->default_value,
				     config);
	if (change->value && topic_settings_add(s, change->key, change->value))
		return log_dir_fail(err, -ENOMEM, "out of memory");
	return 0;
}

static int apply(struct topic_settings *s, const struct log_dir_setting *changes, size_t n,
		 struct kern_topic_config *config, struct log_dir_error *err)
{
	const char *why;
	int result;

	for (size_t i = 0; i < n; i++) {
		result = apply_one(s, &changes[i], config, err);
		if (result)
			return result;
	}
	if (topic_config_check_all(s->items, s->n, &why))
		return log_dir_fail(err, -EINVAL, "%s", why);
	return 0;
}

static int tell_kernel(struct kern *k, const struct topic_settings *s,
		       const struct kern_topic_config *config, struct log_dir_error *err)
{
	struct kern_topic t = {.leader_epoch = -1, .config = *config};
	int result;

	if (!config->set)
		return 0;
	memcpy(t.id, s->id, sizeof(t.id));
	result = kern_topic_set(k, &t);
	if (!result || result == -ENOENT)
		return 0;
	return log_dir_fail(err, result, "topic '%s': %s", s->topic, kern_error(k));
}

int log_dir_alter(struct kern *k, const struct log_dir *d, const char *name,
		  const struct log_dir_setting *changes, size_t n_changes, bool validate_only,
		  struct log_dir_error *err)
{
	struct kern_topic_config config = {0};
	struct topic_settings s;
	int result = topic_settings_read(d->topics_fd, name, TOPIC_EXISTS, &s, err);

	if (result == -ENOENT)
		return log_dir_fail(err, result, "there is no topic '%s' in %s", name, d->path);
	if (result)
		return result;
	result = apply(&s, changes, n_changes, &config, err);
	/* The log first: it may refuse values that each by itself are possible. */
	if (!result && !validate_only)
		result = tell_kernel(k, &s, &config, err);
	if (!result && !validate_only) {
		result = topic_settings_write(d->topics_fd, &s, TOPIC_EXISTS);
		if (result)
			log_dir_fail(err, result,
				     "topic '%s': the settings are in force, but cannot be stored "
				     "for the next start: %s",
				     name, strerror(-result));
	}
	topic_settings_free(&s);
	return result;
}

int log_dir_topic_alter(struct kern *k, const char *path, const char *name,
			const struct log_dir_setting *changes, size_t n_changes,
			struct log_dir_error *err)
{
	const char *why = topic_name_why_bad(name);
	struct log_dir d;
	int result;

	if (why)
		return log_dir_fail(err, -EINVAL, "%s", why);
	result = log_dir_open(path, /* make= */ false, &d, err);
	if (result)
		return result;
	result = log_dir_alter(k, &d, name, changes, n_changes, /* validate_only= */ false, err);
	log_dir_close(&d);
	return result;
}
