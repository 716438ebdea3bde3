/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broker settings that are defaults of topics: the broker_key of each topic
 * setting, and Kafka's older ones in minutes and hours.
 */
#ifndef SLUICE_CONFIG_TOPIC_DEFAULT_H
#define SLUICE_CONFIG_TOPIC_DEFAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct topic_default - what a broker setting is the default of
 * @topic_key: the topic setting
 * @scale: milliseconds of one unit; 1 if the value is taken as it is
 * @rank: of several settings for the same thing the highest wins
 * @own_name: the one that the topic setting itself names, not an older one
 */
struct topic_default {
	const char *topic_key;
	int64_t scale;
	unsigned int rank;
	bool own_name;
};

/** topic_default_find - whether a broker setting is one */
bool topic_default_find(const char *broker_key, struct topic_default *ret);

/**
 * topic_default_scale - turn hours or minutes into milliseconds
 * @buf: @size bytes for the result
 * @ret_value: @value itself or @buf
 * Returns 0, or -EINVAL with @ret_why, a static sentence.
 */
int topic_default_scale(const struct topic_default *d, const char *value, char *buf, size_t size,
			const char **ret_value, const char **ret_why);

/**
 * topic_default_origin - the broker setting that Kafka takes a default from
 * @item_key, @item_default: broker key and default of the topic setting
 * Some come in hours: log.retention.hours=168 gives retention.ms.
 */
void topic_default_origin(const char *topic_key, const char **item_key, const char **item_default);

/** topic_default_check - is the (scaled) value possible; 0, or -EINVAL with @ret_why */
int topic_default_check(const struct topic_default *d, const char *value, const char **ret_why);

#endif /* SLUICE_CONFIG_TOPIC_DEFAULT_H */
