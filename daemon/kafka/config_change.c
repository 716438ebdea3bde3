// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/kafka/config_change.h"
#include "daemon/kafka/config_view.h"
#include "daemon/kafka/request_text.h"
#include "daemon/worker.h"

#define WHY_MAX 512

/* Each is compared with all before it. */
#define CHANGES_MAX 1000

__attribute__((format(printf, 3, 4))) static int fail(struct config_plan *plan, int16_t code,
						      const char *fmt, ...)
{
	char why[WHY_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	plan->error_code = code;
	plan->why = request_copy_text(plan->request, why);
	return -1;
}

static int add(struct config_plan *plan, const char *key, const char *value)
{
	plan->settings[plan->n_settings++] = (struct log_dir_setting){.key = key, .value = value};
	return 0;
}

/* Whether a comma-separated list has the word. */
static bool has_word(const char *list, const char *word, size_t len)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		if (n == len && !memcmp(list, word, len))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

/* The words of @from that @without does not have, behind what @list has already. */
static void take_words(char *list, const char *from, const char *without)
{
	while (*from) {
		size_t n = strcspn(from, ",");

		if (n && !has_word(without, from, n)) {
			if (*list)
				strcat(list, ",");
			strncat(list, from, n);
		}
		from += n + (from[n] == ',');
	}
}

static int change_list(struct config_plan *plan, const struct topic_config_item *item,
		       int8_t operation, const char *words, const char **ret_value)
{
	int8_t source;
	const char *now = config_in_force(plan->request->worker->broker->config, item, plan->own,
					  plan->n_own, &source);
	char *list = request_alloc(plan->request, strlen(now) + strlen(words) + 2, 1);

	if (!list)
		return fail(plan, KAFKA_ERROR_UNKNOWN_SERVER_ERROR, "out of memory");
	if (operation == CONFIG_APPEND) {
		take_words(list, now, "");
		take_words(list, words, now);
	} else {
		take_words(list, now, words);
	}
	*ret_value = list;
	return 0;
}

static int change_value(struct config_plan *plan, const char *key, int8_t operation,
			const char *value)
{
	const struct topic_config_item *item = topic_config_find(key);
	const char *why = NULL;

	if (!item)
		return fail(plan, KAFKA_ERROR_INVALID_CONFIG, "there is no topic setting %.100s",
			    key);
	if (operation != CONFIG_SET) {
		if (item->type != TOPIC_CONFIG_LIST)
			return fail(plan, KAFKA_ERROR_INVALID_CONFIG,
				    "%s is not a list: nothing can be appended to it or "
				    "subtracted from it",
				    key);
		if (change_list(plan, item, operation, value, &value))
			return -1;
	}
	if (topic_config_check_kafka(key, value, &why))
		return fail(plan, KAFKA_ERROR_INVALID_CONFIG, "%s=%.100s: %s", key, value, why);
	return add(plan, key, value);
}

static int make_one(struct config_plan *plan, const struct config_change *change)
{
	const char *key = request_text(plan->request, change->name);
	const char *value;

	if (!key)
		return fail(plan, KAFKA_ERROR_INVALID_REQUEST, "a setting has no usable name");
	if (change->operation < CONFIG_SET || change->operation > CONFIG_SUBTRACT)
		return fail(plan, KAFKA_ERROR_INVALID_REQUEST, "%.100s: unknown operation %d", key,
			    change->operation);
	/* Of what is not set there is nothing to take back, whatever it is called. */
	if (change->operation == CONFIG_DELETE)
		return config_own(plan->own, plan->n_own, key) ? add(plan, key, NULL) : 0;
	if (change->value.len < 0)
		return fail(plan, KAFKA_ERROR_INVALID_REQUEST, "%.100s has no value", key);
	value = request_text(plan->request, change->value);
	if (!value)
		return fail(plan, KAFKA_ERROR_INVALID_CONFIG, "%.100s has a NUL character in it",
			    key);
	return change_value(plan, key, change->operation, value);
}

static bool is_named(const struct config_change *changes, size_t n, struct kafka_str name)
{
	for (size_t i = 0; i < n; i++) {
		if (kafka_str_equal(changes[i].name, name))
			return true;
	}
	return false;
}

int config_plan_make(struct config_plan *plan, const struct config_change *changes, size_t n)
{
	if (n > CHANGES_MAX)
		return fail(plan, KAFKA_ERROR_INVALID_REQUEST, "more than %d settings of one topic",
			    CHANGES_MAX);
	plan->settings = request_alloc(plan->request, n + plan->n_own, sizeof(*plan->settings));
	if (!plan->settings)
		return fail(plan, KAFKA_ERROR_UNKNOWN_SERVER_ERROR, "out of memory");
	for (size_t i = 0; i < n; i++) {
		if (is_named(changes, i, changes[i].name))
			return fail(plan, KAFKA_ERROR_INVALID_REQUEST,
				    "the request names a setting twice");
		if (make_one(plan, &changes[i]))
			return -1;
	}
	for (size_t i = 0; plan->replace && i < plan->n_own; i++) {
		if (!is_named(changes, n, kafka_str_from(plan->own[i].key)))
			add(plan, plan->own[i].key, NULL);
	}
	return 0;
}
