// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/item.h"

#define PARTITIONS_MAX 100000

/* clang-format off */
const struct config_item config_items[CONFIG_ITEM_COUNT] = {
	[CONFIG_ADVERTISED_LISTENERS] = {
		.key = "advertised.listeners", .type = CONFIG_LIST, .default_value = "",
		.doc = "Where clients are told to connect, as NAME://host:port. Empty: as in "
		       "listeners; and if that names no host, the address that the client "
		       "reached the broker at.",
	},
	[CONFIG_AUTO_CREATE_TOPICS_ENABLE] = {
		.key = "auto.create.topics.enable", .type = CONFIG_BOOLEAN, .default_value = "true",
		.doc = "Create a topic when a client asks for its metadata.",
	},
	[CONFIG_CONNECTIONS_MAX_IDLE_MS] = {
		.key = "connections.max.idle.ms", .type = CONFIG_LONG, .default_value = "600000",
		.min = -1, .max = INT64_MAX / 2,
		.doc = "Close a connection that sent nothing for so long; -1: never.",
	},
	[CONFIG_CONTROLLER_LISTENER_NAMES] = {
		.key = "controller.listener.names", .type = CONFIG_LIST, .default_value = "",
		.doc = "Listeners of Kafka's controller. Those in listeners that are named here "
		       "are not opened: there is no separate controller.",
	},
	[CONFIG_DEFAULT_REPLICATION_FACTOR] = {
		.key = "default.replication.factor", .type = CONFIG_INT, .default_value = "1",
		.min = 1, .max = INT16_MAX,
		.doc = "Replicas of a topic that is created without saying how many.",
	},
	[CONFIG_DELETE_TOPIC_ENABLE] = {
		.key = "delete.topic.enable", .type = CONFIG_BOOLEAN, .default_value = "true",
		.doc = "Whether Kafka clients may delete topics.",
	},
	[CONFIG_FETCH_MAX_BYTES] = {
		.key = "fetch.max.bytes", .type = CONFIG_INT, .default_value = "57671680",
		.min = 1024, .max = INT32_MAX,
		.doc = "Largest answer to a fetch, but for a single larger batch.",
	},
	[CONFIG_GROUP_INITIAL_REBALANCE_DELAY_MS] = {
		.key = "group.initial.rebalance.delay.ms", .type = CONFIG_INT,
		.default_value = "3000", .min = 0, .max = INT32_MAX,
		.doc = "How long the first rebalance of a group waits for more members.",
	},
	[CONFIG_GROUP_MAX_SESSION_TIMEOUT_MS] = {
		.key = "group.max.session.timeout.ms", .type = CONFIG_INT,
		.default_value = "1800000", .min = 0, .max = INT32_MAX,
		.doc = "Longest session timeout that a member of a group may ask for.",
	},
	[CONFIG_GROUP_MAX_SIZE] = {
		.key = "group.max.size", .type = CONFIG_INT, .default_value = "2147483647",
		.min = 1, .max = INT32_MAX,
		.doc = "Members that a group may have.",
	},
	[CONFIG_GROUP_MIN_SESSION_TIMEOUT_MS] = {
		.key = "group.min.session.timeout.ms", .type = CONFIG_INT,
		.default_value = "6000", .min = 0, .max = INT32_MAX,
		.doc = "Shortest session timeout that a member of a group may ask for.",
	},
	[CONFIG_LISTENER_SECURITY_PROTOCOL_MAP] = {
		.key = "listener.security.protocol.map", .type = CONFIG_STRING,
		.default_value = "PLAINTEXT:PLAINTEXT",
		.doc = "Security protocol of each listener's name. Only PLAINTEXT exists so far.",
	},
	[CONFIG_LISTENERS] = {
		.key = "listeners", .type = CONFIG_LIST, .default_value = "PLAINTEXT://:9092",
		.doc = "Where to listen, as NAME://host:port; no host: all addresses.",
	},
	[CONFIG_LOG_CLEANER_BACKOFF_MS] = {
		.key = "log.cleaner.backoff.ms", .type = CONFIG_LONG, .default_value = "15000",
		.min = 0, .max = INT64_MAX,
		.dynamic = true,
		.doc = "How long compaction waits, when it found nothing to do, before it looks "
		       "again, in milliseconds; at least 10.",
	},
	[CONFIG_LOG_CLEANER_DEDUPE_BUFFER_SIZE] = {
		.key = "log.cleaner.dedupe.buffer.size", .type = CONFIG_LONG,
		.default_value = "134217728", .min = 1048576, .max = INT64_MAX,
		.dynamic = true,
		.doc = "Memory in which compaction remembers keys, of all its threads together.",
	},
	[CONFIG_LOG_CLEANER_ENABLE] = {
		.key = "log.cleaner.enable", .type = CONFIG_BOOLEAN, .default_value = "true",
		.doc = "Compact topics that have cleanup.policy compact.",
	},
	[CONFIG_LOG_CLEANER_IO_BUFFER_LOAD_FACTOR] = {
		.key = "log.cleaner.io.buffer.load.factor", .type = CONFIG_DOUBLE,
		.default_value = "0.9", .min = 0,
		.dynamic = true,
		.doc = "How full that memory may become.",
	},
	[CONFIG_LOG_CLEANER_IO_BUFFER_SIZE] = {
		.key = "log.cleaner.io.buffer.size", .type = CONFIG_INT, .default_value = "524288",
		.min = 0, .max = INT32_MAX,
		.dynamic = true,
		.doc = "Bytes that compaction reads and writes at once, of all its threads "
		       "together.",
	},
	[CONFIG_LOG_CLEANER_IO_MAX_BYTES_PER_SECOND] = {
		.key = "log.cleaner.io.max.bytes.per.second", .type = CONFIG_DOUBLE,
		.default_value = "1.7976931348623157E308", .min = 0,
		.dynamic = true,
		.doc = "Bytes that compaction reads and writes in a second at most.",
	},
	[CONFIG_LOG_CLEANER_THREADS] = {
		.key = "log.cleaner.threads", .type = CONFIG_INT, .default_value = "1",
		.min = 0, .max = 1024,
		.doc = "Threads that compact.",
	},
	[CONFIG_LOG_DIRS] = {
		.key = "log.dirs", .old_key = "log.dir", .type = CONFIG_LIST,
		.default_value = "/var/lib/sluice",
		.doc = "The data directory; one.",
	},
	[CONFIG_MAX_CONNECTIONS] = {
		.key = "max.connections", .type = CONFIG_INT, .default_value = "2147483647",
		.min = 0, .max = INT32_MAX,
		.dynamic = true,
		.doc = "Connections that there may be. Further ones wait until one ends.",
	},
	[CONFIG_MAX_CONNECTIONS_PER_IP] = {
		.key = "max.connections.per.ip", .type = CONFIG_INT,
		.default_value = "2147483647", .min = 0, .max = INT32_MAX,
		.dynamic = true,
		.doc = "Connections that one address may have. Further ones are closed.",
	},
	[CONFIG_MAX_CONNECTIONS_PER_IP_OVERRIDES] = {
		.key = "max.connections.per.ip.overrides", .type = CONFIG_STRING,
		.default_value = "",
		.dynamic = true,
		.doc = "The same for single addresses or hosts: 127.0.0.1:200,db.example.org:50. "
		       "Names are looked up when it is set.",
	},
	[CONFIG_MAX_INCREMENTAL_FETCH_SESSION_CACHE_SLOTS] = {
		.key = "max.incremental.fetch.session.cache.slots", .type = CONFIG_INT,
		.default_value = "1000", .min = 0, .max = INT32_MAX,
		.doc = "Consumers whose fetches are remembered, so that they ask and are answered "
		       "only for what changed.",
	},
	[CONFIG_MAX_REQUEST_PARTITION_SIZE_LIMIT] = {
		.key = "max.request.partition.size.limit", .type = CONFIG_INT,
		.default_value = "2000", .min = 1, .max = INT32_MAX,
		.doc = "Partitions that one answer to DescribeTopicPartitions has at most.",
	},
	[CONFIG_NODE_ID] = {
		.key = "node.id", .old_key = "broker.id", .type = CONFIG_INT, .default_value = "1",
		.min = 0, .max = INT32_MAX,
		.doc = "Number of this broker.",
	},
	[CONFIG_NUM_IO_THREADS] = {
		.key = "num.io.threads", .type = CONFIG_INT, .default_value = "0",
		.min = 0, .max = 1024,
		.doc = "Threads that decompress and compress what producers send, where that takes "
		       "long; 0: one for each CPU.",
	},
	[CONFIG_NUM_NETWORK_THREADS] = {
		.key = "num.network.threads", .type = CONFIG_INT, .default_value = "0",
		.min = 0, .max = 1024,
		.doc = "Threads that serve connections; 0: one for each CPU.",
	},
	[CONFIG_NUM_PARTITIONS] = {
		.key = "num.partitions", .type = CONFIG_INT, .default_value = "1",
		.min = 1, .max = PARTITIONS_MAX,
		.doc = "Partitions of a topic that is created without saying how many.",
	},
	[CONFIG_NUM_RECOVERY_THREADS_PER_DATA_DIR] = {
		.key = "num.recovery.threads.per.data.dir", .type = CONFIG_INT,
		.default_value = "0", .min = 0, .max = 1024,
		.doc = "Threads that recover logs after a crash; 0: one for each CPU, at most 16.",
	},
	[CONFIG_OFFSET_METADATA_MAX_BYTES] = {
		.key = "offset.metadata.max.bytes", .type = CONFIG_INT, .default_value = "4096",
		.min = 0, .max = INT32_MAX,
		.doc = "Longest metadata that a client may commit with an offset.",
	},
	[CONFIG_OFFSETS_COMMIT_TIMEOUT_MS] = {
		.key = "offsets.commit.timeout.ms", .type = CONFIG_INT, .default_value = "5000",
		.min = 1, .max = INT32_MAX,
		.doc = "How long a commit of offsets may take to reach the storage.",
	},
	[CONFIG_OFFSETS_RETENTION_CHECK_INTERVAL_MS] = {
		.key = "offsets.retention.check.interval.ms", .type = CONFIG_LONG,
		.default_value = "600000", .min = 1, .max = INT64_MAX / 2,
		.doc = "How often it is looked for committed offsets that are too old.",
	},
	[CONFIG_OFFSETS_RETENTION_MINUTES] = {
		.key = "offsets.retention.minutes", .type = CONFIG_INT, .default_value = "10080",
		.min = 1, .max = INT32_MAX,
		.doc = "How long committed offsets are kept that nobody uses: since the last "
		       "member left the group, or, where there never was one, since the commit.",
	},
	[CONFIG_OFFSETS_TOPIC_NUM_PARTITIONS] = {
		.key = "offsets.topic.num.partitions", .type = CONFIG_INT, .default_value = "50",
		.min = 1, .max = PARTITIONS_MAX,
		.doc = "Partitions of the topic of committed offsets when it is created.",
	},
	[CONFIG_OFFSETS_TOPIC_SEGMENT_BYTES] = {
		.key = "offsets.topic.segment.bytes", .type = CONFIG_INT,
		.default_value = "104857600", .min = 1048576, .max = INT32_MAX,
		.doc = "Size of the segments of that topic when it is created.",
	},
	[CONFIG_PRODUCER_ID_EXPIRATION_MS] = {
		.key = "producer.id.expiration.ms", .type = CONFIG_INT,
		.default_value = "86400000", .min = 1, .max = INT32_MAX,
		.dynamic = true,
		.doc = "How long a log remembers a producer that is silent, in milliseconds.",
	},
	[CONFIG_QUEUED_MAX_REQUEST_BYTES] = {
		.key = "queued.max.request.bytes", .type = CONFIG_LONG, .default_value = "-1",
		.min = -1, .max = INT64_MAX / 2,
		.doc = "Bytes of requests that may be in memory before no further ones are read; "
		       "-1: no limit. Above socket.request.max.bytes, or large requests wait for "
		       "all others.",
	},
	[CONFIG_QUOTA_WINDOW_NUM] = {
		.key = "quota.window.num", .type = CONFIG_INT, .default_value = "11",
		.min = 1, .max = 1000,
		.doc = "Windows of time that a client's rate is taken over, for its quota.",
	},
	[CONFIG_QUOTA_WINDOW_SIZE_SECONDS] = {
		.key = "quota.window.size.seconds", .type = CONFIG_INT, .default_value = "1",
		.min = 1, .max = 3600,
		.doc = "Length of such a window.",
	},
	[CONFIG_SOCKET_LISTEN_BACKLOG_SIZE] = {
		.key = "socket.listen.backlog.size", .type = CONFIG_INT, .default_value = "1024",
		.min = 1, .max = 65535,
		.doc = "Connections that may wait to be accepted.",
	},
	[CONFIG_SOCKET_REQUEST_MAX_BYTES] = {
		.key = "socket.request.max.bytes", .type = CONFIG_INT, .default_value = "104857600",
		.min = 1024, .max = INT32_MAX - 1024,
		.doc = "Largest request; the connection that sends a larger one is closed.",
	},
	[CONFIG_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS] = {
		.key = "transaction.abort.timed.out.transaction.cleanup.interval.ms",
		.type = CONFIG_INT, .default_value = "10000", .min = 1, .max = INT32_MAX,
		.doc = "How often it is looked for transactions that have been open for too long.",
	},
	[CONFIG_TRANSACTION_MAX_TIMEOUT_MS] = {
		.key = "transaction.max.timeout.ms", .type = CONFIG_INT,
		.default_value = "900000", .min = 1, .max = INT32_MAX,
		.doc = "Longest time that a producer may ask for its transactions to be open.",
	},
	[CONFIG_TRANSACTION_REMOVE_EXPIRED_TRANSACTION_CLEANUP_INTERVAL_MS] = {
		.key = "transaction.remove.expired.transaction.cleanup.interval.ms",
		.type = CONFIG_INT, .default_value = "3600000", .min = 1, .max = INT32_MAX,
		.doc = "How often it is looked for transactional ids that are not used any more.",
	},
	[CONFIG_TRANSACTION_STATE_LOG_NUM_PARTITIONS] = {
		.key = "transaction.state.log.num.partitions", .type = CONFIG_INT,
		.default_value = "50", .min = 1, .max = PARTITIONS_MAX,
		.doc = "Partitions of the topic of transactions when it is created.",
	},
	[CONFIG_TRANSACTION_STATE_LOG_SEGMENT_BYTES] = {
		.key = "transaction.state.log.segment.bytes", .type = CONFIG_INT,
		.default_value = "104857600", .min = 1048576, .max = INT32_MAX,
		.doc = "Size of the segments of that topic when it is created.",
	},
	[CONFIG_TRANSACTIONAL_ID_EXPIRATION_MS] = {
		.key = "transactional.id.expiration.ms", .type = CONFIG_INT,
		.default_value = "604800000", .min = 1, .max = INT32_MAX,
		.doc = "How long a transactional id is known that nobody uses.",
	},
};
/* clang-format on */

static const char *const kafka_keys[] = {
#define X(key) key,
#include "daemon/config/kafka_keys.def"
#undef X
};

enum config_id config_item_find(const char *key)
{
	enum config_id id;

	for (id = 0; id < CONFIG_ITEM_COUNT; id++) {
		const struct config_item *item = &config_items[id];

		if (!strcmp(item->key, key) || (item->old_key && !strcmp(item->old_key, key)))
			break;
	}
	return id;
}

static int check_number(const struct config_item *item, const char *value, char *why, size_t size)
{
	char *end;
	long long v;

	errno = 0;
	v = strtoll(value, &end, 10);
	if (errno || end == value || *end || v < item->min || v > item->max) {
		snprintf(why, size, "it must be a number from %lld to %lld", (long long)item->min,
			 (long long)item->max);
		return -EINVAL;
	}
	return 0;
}

static int check_double(const struct config_item *item, const char *value, char *why, size_t size)
{
	char *end;
	double v = strtod(value, &end);

	if (end == value || *end || !isfinite(v) || v < (double)item->min) {
		snprintf(why, size, "it must be a number, at least %lld", (long long)item->min);
		return -EINVAL;
	}
	return 0;
}

int config_item_check(const struct config_item *item, const char *value, char *why, size_t size)
{
	switch (item->type) {
	case CONFIG_BOOLEAN:
		if (!strcasecmp(value, "true") || !strcasecmp(value, "false"))
			return 0;
		snprintf(why, size, "it must be true or false");
		return -EINVAL;
	case CONFIG_INT:
	case CONFIG_LONG: return check_number(item, value, why, size);
	case CONFIG_DOUBLE: return check_double(item, value, why, size);
	default: return 0;
	}
}

static int compare_keys(const void *key, const void *entry)
{
	return strcmp(key, *(const char *const *)entry);
}

bool config_kafka_key(const char *key)
{
	/* Settings of one listener: listener.name.<name>.<setting>. */
	if (!strncmp(key, "listener.name.", strlen("listener.name.")))
		return true;
	return bsearch(key, kafka_keys, sizeof(kafka_keys) / sizeof(kafka_keys[0]),
		       sizeof(kafka_keys[0]), compare_keys);
}
