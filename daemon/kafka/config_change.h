/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client wants changed of a topic's settings, and what that makes of
 * them: KIP-339, and the checks of Kafka's ConfigAdminManager and
 * ConfigurationControlManager.
 */
#ifndef SLUICE_KAFKA_CONFIG_CHANGE_H
#define SLUICE_KAFKA_CONFIG_CHANGE_H

#include "daemon/kafka/request.h"
#include "daemon/log/log_dir.h"

/* As IncrementalAlterConfigs numbers them; the last two are for lists. */
#define CONFIG_SET	0
#define CONFIG_DELETE	1
#define CONFIG_APPEND	2
#define CONFIG_SUBTRACT 3

/** struct config_change - of one setting; points into the request */
struct config_change {
	struct kafka_str name;
	struct kafka_str value;
	int8_t operation;
};

/**
 * struct config_plan - changes as the log's directory takes them
 * @request: in whose arena all lies
 * @replace: take back what no change names
 * @config: of the broker
 * @broker: they are the broker's own settings, not a topic's
 * @own: what the topic, or the broker's scope, has set now
 * @settings: out, @n_settings: for log_dir_alter()
 * @error_code: out, Kafka's, if there is no plan
 * @why: out, a sentence; it may be NULL
 */
struct config_plan {
	struct request *request;
	bool replace;
	const struct config_layers *config;
	bool broker;
	const struct log_dir_setting *own;
	size_t n_own;
	struct log_dir_setting *settings;
	size_t n_settings;
	int16_t error_code;
	const char *why;
};

/** config_plan_make - 0, or -1 with @error_code and @why */
int config_plan_make(struct config_plan *plan, const struct config_change *changes, size_t n);

#endif /* SLUICE_KAFKA_CONFIG_CHANGE_H */
