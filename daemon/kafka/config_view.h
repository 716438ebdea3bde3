/* SPDX-License-Identifier: Apache-2.0 */
/* Settings as the admin APIs show them: the value in force, and where it comes from. */
#ifndef SLUICE_KAFKA_CONFIG_VIEW_H
#define SLUICE_KAFKA_CONFIG_VIEW_H

#include "daemon/config/live_config.h"
#include "daemon/core/wire.h"
#include "daemon/log/log_dir.h"
#include "daemon/log/topic_config.h"

struct request;

/* Kinds of resources, as the requests number them. */
#define CONFIG_RESOURCE_TOPIC  2
#define CONFIG_RESOURCE_BROKER 4

/* Sources, as DescribeConfigs numbers them. */
#define CONFIG_SOURCE_TOPIC	      1
#define CONFIG_SOURCE_DYNAMIC_BROKER  2
#define CONFIG_SOURCE_DYNAMIC_DEFAULT 3
#define CONFIG_SOURCE_BROKER	      4
#define CONFIG_SOURCE_DEFAULT	      5

/** config_own - a topic's own value for a setting, or NULL */
const char *config_own(const struct log_dir_setting *own, size_t n, const char *key);

/**
 * config_scope_of - which settings a broker resource's name means; none: those of all brokers
 * @describe: Kafka says it in other words then
 * @ret_why: a sentence in @r's arena, if it is no name of this broker: false then
 */
bool config_scope_of(struct request *r, struct kafka_str name, bool describe,
		     enum config_scope *ret, const char **ret_why);

/**
 * config_source_of - where the value of a broker setting comes from
 * @given: the file or the command line has it
 */
int8_t config_source_of(const struct config_layers *l, const char *broker_key, bool given);

/**
 * config_in_force - a topic's value for a setting
 * @own: the topic's own settings
 * @ret_source: CONFIG_SOURCE_*
 */
const char *config_in_force(const struct config_layers *l, const struct topic_config_item *item,
			    const struct log_dir_setting *own, size_t n, int8_t *ret_source);

#endif /* SLUICE_KAFKA_CONFIG_VIEW_H */
