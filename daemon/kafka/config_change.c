// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config/topic_default.h"
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

static int change_list(struct config_plan *plan, const char *now, int8_t operation,
		       const char *words, const char **ret_value)
{
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

/* What the text in @value must be the controller finds when it lays it over the others. */
static int check_broker(struct config_plan *plan, const char *key, const char *value)
{
	struct topic_default d;

	/* It is stored in a line. */
	for (const char *at = value; *at; at++) {
		if ((unsigned char)*at < ' ')
			return fail(plan, KAFKA_ERROR_INVALID_REQUEST,
				    "%.100s has a control character in it", key);
	}
	if (config_dynamic(key))
		return 0;
	if (config_item_find(key) != CONFIG_ITEM_COUNT || topic_default_find(key, &d) ||
	    config_kafka_key(key))
		return fail(plan, KAFKA_ERROR_INVALID_REQUEST,
			    "Cannot update these configs dynamically: [%.100s]", key);
	return fail(plan, KAFKA_ERROR_INVALID_CONFIG, "there is no broker setting %.100s", key);
}

/* The topic setting that @key is, or is the default of. */
static const struct topic_config_item *topic_item(const struct config_plan *plan, const char *key)
{
	struct topic_default d;

	if (!plan->broker)
		return topic_config_find(key);
	return topic_default_find(key, &d) ? topic_config_find(d.topic_key) : NULL;
}

static const char *value_now(const struct config_plan *plan, const char *key,
			     const struct topic_config_item *item)
{
	const char *own = config_own(plan->own, plan->n_own, key);
	int8_t source;

	return own ? own : config_in_force(plan->config, item, NULL, 0, &source);
}

static int change_value(struct config_plan *plan, const char *key, int8_t operation,
			const char *value)
{
	const struct topic_config_item *item = topic_item(plan, key);
	const char *why = NULL;

	if (!plan->broker && !item)
		return fail(plan, KAFKA_ERROR_INVALID_CONFIG, "there is no topic setting %.100s",
			    key);
	if (plan->broker && check_broker(plan, key, value))
		return -1;
	if (operation != CONFIG_SET) {
		if (!item || item->type != TOPIC_CONFIG_LIST)
			return fail(plan, KAFKA_ERROR_INVALID_CONFIG,
				    "%s is not a list: nothing can be appended to it or "
				    "subtracted from it",
				    key);
		if (change_list(plan, value_now(plan, key, item), operation, value, &value))
			return -1;
	}
	if (!plan->broker && topic_config_check_kafka(key, value, &why))
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
		return fail(plan, KAFKA_ERROR_INVALID_REQUEST,
			    "more than %d settings of one resource", CHANGES_MAX);
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
