/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every broker setting the daemon acts on: one table, from which values are
 * checked, DescribeConfigs is answered and the manual is written. The settings
 * that are defaults of topics ("log.segment.bytes") are in the table of topic
 * settings, daemon/log/topic_config.h.
 */
#ifndef SLUICE_CONFIG_ITEM_H
#define SLUICE_CONFIG_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers as DescribeConfigs sends them. */
enum config_type {
	CONFIG_BOOLEAN = 1,
	CONFIG_STRING = 2,
	CONFIG_INT = 3,
	CONFIG_LONG = 5,
	CONFIG_DOUBLE = 6,
	CONFIG_LIST = 7,
};

/* Index into the table, sorted by key. */
enum config_id {
	CONFIG_ADVERTISED_LISTENERS,
	CONFIG_AUTO_CREATE_TOPICS_ENABLE,
	CONFIG_CONNECTIONS_MAX_IDLE_MS,
	CONFIG_CONTROLLER_LISTENER_NAMES,
	CONFIG_DEFAULT_REPLICATION_FACTOR,
	CONFIG_DELETE_TOPIC_ENABLE,
	CONFIG_FETCH_MAX_BYTES,
	CONFIG_GROUP_INITIAL_REBALANCE_DELAY_MS,
	CONFIG_GROUP_MAX_SESSION_TIMEOUT_MS,
	CONFIG_GROUP_MAX_SIZE,
	CONFIG_GROUP_MIN_SESSION_TIMEOUT_MS,
	CONFIG_LISTENER_SECURITY_PROTOCOL_MAP,
	CONFIG_LISTENERS,
	CONFIG_LOG_CLEANER_BACKOFF_MS,
	CONFIG_LOG_CLEANER_DEDUPE_BUFFER_SIZE,
	CONFIG_LOG_CLEANER_ENABLE,
	CONFIG_LOG_CLEANER_IO_BUFFER_LOAD_FACTOR,
	CONFIG_LOG_CLEANER_IO_BUFFER_SIZE,
	CONFIG_LOG_CLEANER_IO_MAX_BYTES_PER_SECOND,
	CONFIG_LOG_CLEANER_THREADS,
	CONFIG_LOG_DIRS,
	CONFIG_MAX_CONNECTIONS,
	CONFIG_MAX_CONNECTIONS_PER_IP,
	CONFIG_MAX_CONNECTIONS_PER_IP_OVERRIDES,
	CONFIG_MAX_INCREMENTAL_FETCH_SESSION_CACHE_SLOTS,
	CONFIG_MAX_REQUEST_PARTITION_SIZE_LIMIT,
	CONFIG_NODE_ID,
	CONFIG_NUM_IO_THREADS,
	CONFIG_NUM_NETWORK_THREADS,
	CONFIG_NUM_PARTITIONS,
	CONFIG_NUM_RECOVERY_THREADS_PER_DATA_DIR,
	CONFIG_OFFSET_METADATA_MAX_BYTES,
	CONFIG_OFFSETS_COMMIT_TIMEOUT_MS,
	CONFIG_OFFSETS_RETENTION_CHECK_INTERVAL_MS,
	CONFIG_OFFSETS_RETENTION_MINUTES,
	CONFIG_OFFSETS_TOPIC_NUM_PARTITIONS,
	CONFIG_OFFSETS_TOPIC_SEGMENT_BYTES,
	CONFIG_PRODUCER_ID_EXPIRATION_MS,
	CONFIG_QUEUED_MAX_REQUEST_BYTES,
	CONFIG_QUOTA_WINDOW_NUM,
	CONFIG_QUOTA_WINDOW_SIZE_SECONDS,
	CONFIG_SOCKET_LISTEN_BACKLOG_SIZE,
	CONFIG_SOCKET_REQUEST_MAX_BYTES,
	CONFIG_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS,
	CONFIG_TRANSACTION_MAX_TIMEOUT_MS,
	CONFIG_TRANSACTION_REMOVE_EXPIRED_TRANSACTION_CLEANUP_INTERVAL_MS,
	CONFIG_TRANSACTION_STATE_LOG_NUM_PARTITIONS,
	CONFIG_TRANSACTION_STATE_LOG_SEGMENT_BYTES,
	CONFIG_TRANSACTIONAL_ID_EXPIRATION_MS,
	CONFIG_ITEM_COUNT,
};

/**
 * struct config_item - one setting
 * @key: Kafka's name
 * @old_key: a name it also goes by, or NULL
 * @type: of the value
 * @default_value: as text
 * @min: smallest number, for CONFIG_INT, CONFIG_LONG and CONFIG_DOUBLE
 * @max: largest, for the first two
 * @dynamic: it can be changed while the broker runs
 * @doc: a sentence or two
 */
struct config_item {
	const char *key;
	const char *old_key;
	enum config_type type;
	const char *default_value;
	int64_t min;
	int64_t max;
	bool dynamic;
	const char *doc;
};

extern const struct config_item config_items[CONFIG_ITEM_COUNT];

/** config_item_find - by key or old key; CONFIG_ITEM_COUNT if there is none */
enum config_id config_item_find(const char *key);

/**
 * config_item_check - is the value possible
 * @why: set to what is allowed if it is not; @size bytes
 * Returns 0 or -EINVAL.
 */
int config_item_check(const struct config_item *item, const char *value, char *why, size_t size);

/** config_kafka_key - whether Apache Kafka has such a setting, that does nothing here */
bool config_kafka_key(const char *key);

#endif /* SLUICE_CONFIG_ITEM_H */
