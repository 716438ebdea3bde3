// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/kafka/config_view.h"
#include "daemon/kafka/request_text.h"
#include "daemon/worker.h"

const char *config_own(const struct log_dir_setting *own, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(own[i].key, key))
			return own[i].value;
	}
	return NULL;
}

static bool is_int32(struct kafka_str name)
{
	char text[16], *end;
	long v;

	if (name.len >= (int32_t)sizeof(text))
		return false;
	memcpy(text, name.p, (size_t)name.len);
	text[name.len] = '\0';
	v = strtol(text, &end, 10);
	return *text > ' ' && !*end && v >= INT32_MIN && v <= INT32_MAX;
}

bool config_scope_of(struct request *r, struct kafka_str name, bool describe,
		     enum config_scope *ret, const char **ret_why)
{
	int32_t node_id = r->worker->broker->config->node_id;
	int shown = name.len < 100 ? (int)name.len : 100;
	char own_name[16], why[256];

	snprintf(own_name, sizeof(own_name), "%" PRId32, node_id);
	*ret = name.len > 0 ? CONFIG_SCOPE_BROKER : CONFIG_SCOPE_DEFAULT;
	if (name.len <= 0 || kafka_str_equal(name, kafka_str_from(own_name)))
		return true;
	if (is_int32(name))
		snprintf(why, sizeof(why),
			 "Unexpected broker id, expected %" PRId32 "%s, but received %.*s", node_id,
			 describe ? " or empty string" : "", shown, name.p);
	else
		snprintf(why, sizeof(why), "%s id must be an integer, but it is: %.*s",
			 describe ? "Broker" : "Node", shown, name.p);
	*ret_why = request_copy_text(r, why);
	return false;
}

int8_t config_source_of(const struct config_layers *l, const char *broker_key, bool given)
{
	if (dynamic_config_get(&l->dynamic, CONFIG_SCOPE_BROKER, broker_key))
		return CONFIG_SOURCE_DYNAMIC_BROKER;
	if (dynamic_config_get(&l->dynamic, CONFIG_SCOPE_DEFAULT, broker_key))
		return CONFIG_SOURCE_DYNAMIC_DEFAULT;
	return given ? CONFIG_SOURCE_BROKER : CONFIG_SOURCE_DEFAULT;
}

const char *config_in_force(const struct config_layers *l, const struct topic_config_item *item,
			    const struct log_dir_setting *own, size_t n, int8_t *ret_source)
{
	const char *value = config_own(own, n, item->key);

	*ret_source = CONFIG_SOURCE_TOPIC;
	if (value)
		return value;
	*ret_source = CONFIG_SOURCE_DEFAULT;
	if (item->broker_key)
		*ret_source = config_source_of(l, item->broker_key,
					       config_topic_default(&l->base, item->key));
	value = config_topic_default(&l->now, item->key);
	return value ? value : item->default_value;
}
