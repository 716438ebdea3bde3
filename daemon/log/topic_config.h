/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every topic setting: Kafka's names, types, ranges, defaults (LogConfig.java),
 * and `durability`, which is ours. One table; validation, the defaults that
 * DescribeConfigs shows and the documentation come from it.
 */
#ifndef LOG_TOPIC_CONFIG_H
#define LOG_TOPIC_CONFIG_H

#include <stddef.h>
#include "daemon/kern/kern.h"
#include "daemon/log/log_dir.h"

/* Numbers as DescribeConfigs v3 sends them. */
enum topic_config_type {
	TOPIC_CONFIG_BOOLEAN = 1,
	TOPIC_CONFIG_STRING = 2,
	TOPIC_CONFIG_INT = 3,
	TOPIC_CONFIG_LONG = 5,
	TOPIC_CONFIG_DOUBLE = 6,
	TOPIC_CONFIG_LIST = 7,
};

struct topic_config_item {
	const char *key;
	enum topic_config_type type;
	const char *default_value;
	const char *broker_key; /* the broker setting that gives the default, or NULL */
	const char *doc;
};

/** topic_config_items() - the table; @ret_n entries, sorted by key. */
const struct topic_config_item *topic_config_items(size_t *ret_n);
const struct topic_config_item *topic_config_find(const char *key);

/**
 * topic_config_check() - is the value possible for the key
 * @ret_why: set on failure to a static sentence, e.g. what range it needs
 * Returns 0; -ENOENT unknown key; -EINVAL.
 */
int topic_config_check(const char *key, const char *value, const char **ret_why);

/**
 * topic_config_check_kafka() - the same as a Kafka broker judges it
 * For what comes over Kafka's protocol or from server.properties: segment.bytes
 * is at least 1 MiB. The log itself and sluicectl take less.
 */
int topic_config_check_kafka(const char *key, const char *value, const char **ret_why);

/**
 * topic_config_check_all() - do a topic's settings go together
 * @own: each of them checked; defaults stand for the others
 * Returns 0 or -EINVAL with @ret_why.
 */
int topic_config_check_all(const struct log_dir_setting *own, size_t n, const char **ret_why);

/** topic_config_to_kern() - put a checked value into what the module acts on, if it does. */
void topic_config_to_kern(const char *key, const char *value, struct kern_topic_config *c);

#endif /* LOG_TOPIC_CONFIG_H */
