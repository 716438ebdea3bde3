// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "daemon/kafka/config_view.h"

const char *config_own(const struct log_dir_setting *own, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(own[i].key, key))
			return own[i].value;
	}
	return NULL;
}

const char *config_in_force(const struct config *c, const struct topic_config_item *item,
			    const struct log_dir_setting *own, size_t n, int8_t *ret_source)
{
	const char *value = config_own(own, n, item->key);

	*ret_source = CONFIG_SOURCE_TOPIC;
	if (value)
		return value;
	value = config_topic_default(c, item->key);
	*ret_source = value ? CONFIG_SOURCE_BROKER : CONFIG_SOURCE_DEFAULT;
	return value ? value : item->default_value;
}
