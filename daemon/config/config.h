/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's configuration: server.properties and --override, checked and in
 * the form that the code uses. Never changed once threads can see it, so that it
 * needs no lock: a change makes another one (daemon/config/live_config.h).
 */
#ifndef SLUICE_CONFIG_CONFIG_H
#define SLUICE_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/config/ip_limits.h"
#include "daemon/config/item.h"
#include "daemon/config/listener_spec.h"

/** struct config_error - a sentence that begins with where the fault is */
struct config_error {
	char text[768];
};

/**
 * struct config_topic_default - what topics get that do not set it themselves
 * @key: name of the topic setting
 * @value: its value
 * @broker_key, @broker_value: how the broker's configuration says it
 * @rank: how precise the broker setting was that gave it: "ms" wins over "minutes" over "hours"
 */
struct config_topic_default {
	const char *key;
	char *value;
	char *broker_key;
	char *broker_value;
	unsigned int rank;
};

/**
 * struct config_cleaner - how logs are compacted: log.cleaner.*
 */
struct config_cleaner {
	bool enable;
	unsigned int threads;
	int64_t backoff_ms;
	uint64_t dedupe_buffer_bytes;
	double load_factor;
	uint32_t io_buffer_bytes;
	double io_max_bytes_per_second;
};

/**
 * struct group_settings - Kafka's broker settings about groups
 * @initial_delay_ms: group.initial.rebalance.delay.ms
 * @offsets_retention_ms: offsets.retention.minutes
 * @session_min_ms, @session_max_ms: group.min.session.timeout.ms, group.max...
 * @size_max: group.max.size
 * @metadata_max: offset.metadata.max.bytes
 */
struct group_settings {
	int64_t initial_delay_ms;
	int64_t offsets_retention_ms;
	int32_t session_min_ms;
	int32_t session_max_ms;
	int32_t size_max;
	int32_t metadata_max;
};

/**
 * struct txn_settings - Kafka's broker settings about transactions
 * @timeout_max_ms: transaction.max.timeout.ms
 * @id_expiration_ms: transactional.id.expiration.ms
 * @abort_check_ms, @expire_check_ms: how often it is looked for what is due
 */
struct txn_settings {
	int32_t timeout_max_ms;
	int64_t id_expiration_ms;
	int64_t abort_check_ms;
	int64_t expire_check_ms;
};

/**
 * struct config - settings in force; everything in it is owned by it
 * @text: value of each item as text; @given: 0 default, 1 by its old name, 2 by its own
 * @topic_defaults: those that were set, @n_topic_defaults
 * @ip_limits: of max.connections.per.ip.overrides, @n_ip_limits
 * @ignored: settings of Kafka's that do nothing here, @n_ignored
 * The rest: typed, valid after config_finish().
 */
struct config {
	char *text[CONFIG_ITEM_COUNT];
	uint8_t given[CONFIG_ITEM_COUNT];
	struct config_topic_default *topic_defaults;
	unsigned int n_topic_defaults;
	struct ip_limit *ip_limits;
	unsigned int n_ip_limits;
	char **ignored;
	unsigned int n_ignored;

	struct listener_spec listeners[LISTENERS_MAX];
	unsigned int n_listeners;
	struct listener_spec advertised[LISTENERS_MAX];
	unsigned int n_advertised;
	const char *log_dir;
	int32_t node_id;
	int32_t num_partitions;
	int32_t describe_partitions_max;
	int16_t default_replication_factor;
	bool auto_create_topics;
	bool delete_topics;
	unsigned int network_threads;
	unsigned int io_threads;
	unsigned int recovery_threads; /* 0: as many as there are CPUs */
	int listen_backlog;
	uint32_t request_max_bytes;
	uint32_t fetch_max_bytes;
	int32_t fetch_session_slots;
	int64_t connections_max_idle_ms;
	int32_t connections_max;
	int32_t connections_max_per_ip;
	int64_t queued_max_bytes;
	unsigned int quota_windows;
	int64_t quota_window_ms;
	int64_t producer_expiration_ms;
	struct config_cleaner cleaner;
	struct group_settings groups;
	struct txn_settings txns;
	int32_t offsets_topic_partitions;
	int32_t txn_topic_partitions;
	int64_t offsets_commit_timeout_ms;
	int64_t offsets_retention_check_ms;
};

/** config_init - the defaults; 0 or -ENOMEM */
int config_init(struct config *c);
void config_free(struct config *c);

/** config_copy - all of a finished one; 0 or -ENOMEM */
int config_copy(struct config *to, const struct config *from);

/**
 * config_set - one setting, before config_finish()
 * @where: what errors begin with, or NULL
 * Returns 0; -EINVAL or -ENOMEM with @err.
 */
int config_set(struct config *c, const char *where, const char *key, const char *value,
	       struct config_error *err);

/** config_load - read a file; 0, or -errno with @err filled, file and line first */
int config_load(struct config *c, const char *path, struct config_error *err);

/** config_parse - the same for @len bytes at @text; @name is what errors call them */
int config_parse(struct config *c, const char *name, const char *text, size_t len,
		 struct config_error *err);

/** config_override - one "key=value" from the command line */
int config_override(struct config *c, const char *assignment, struct config_error *err);

/** config_finish - check what concerns several settings, and fill the typed fields */
int config_finish(struct config *c, struct config_error *err);

/** config_topic_default_given - the same with the broker setting that says so, or NULL */
const struct config_topic_default *config_topic_default_given(const struct config *c,
							      const char *topic_key);

/** config_topic_default - what the broker sets for a topic setting, or NULL */
const char *config_topic_default(const struct config *c, const char *topic_key);

#endif /* SLUICE_CONFIG_CONFIG_H */
