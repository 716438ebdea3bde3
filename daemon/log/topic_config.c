// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sluice_netlink.h>
#include "daemon/log/topic_config.h"

#define LONG_MAX_TEXT "9223372036854775807"

/* What a value must be; the range is of numbers, the words of strings and lists. */
struct rule {
	struct topic_config_item item;
	int64_t min, max;
	const char *words; /* space-separated, NULL: any text */
	const char *why;
};

#define ITEM(t, k, d, b, text)             \
	.item = {.key = k,                 \
		 .type = TOPIC_CONFIG_##t, \
		 .default_value = d,       \
		 .broker_key = b,          \
		 .doc = text}
#define AT_LEAST(n) .min = n, .max = INT64_MAX, .why = "it must be a whole number, at least " #n
#define INT_AT_LEAST(n) \
	.min = n, .max = INT32_MAX, .why = "it must be a whole number from " #n " to 2147483647"
#define BETWEEN(a, b) .min = a, .max = b, .why = "it must be a whole number from " #a " to " #b
#define WORDS(text)   .words = text, .why = "it must be one of: " text
#define LIST(text)    .words = text, .why = "it must be a comma-separated list of: " text
#define BOOLEAN	      .words = "true false", .why = "it must be true or false"

/* Below it Kafka refuses segment.bytes (KIP-1030); the engine can do with less. */
#define SEGMENT_BYTES_KAFKA_MIN 1048576

/* clang-format off */
static const struct rule rules[] = {
	{ITEM(INT, "batch.bytes", "16384", "log.batch.bytes",
	      "Records that local applications send one by one share a batch of up to so many "
	      "bytes."),
	 BETWEEN(0, 16777216)},
	{ITEM(INT, "batch.linger.ms", "100", "log.batch.linger.ms",
	      "How long such a batch stays open for more records, in milliseconds; 0: each "
	      "record is a batch of its own."),
	 INT_AT_LEAST(0)},
	{ITEM(LIST, "cleanup.policy", "delete", "log.cleanup.policy",
	      "What is done with old segments: delete them, compact them, or both."),
	 LIST("delete compact")},
	{ITEM(INT, "compression.gzip.level", "-1", "compression.gzip.level",
	      "Level for compression.type gzip; -1 is the codec's own."),
	 .min = -1, .max = 9, .why = "it must be -1 or from 1 to 9"},
	{ITEM(INT, "compression.lz4.level", "9", "compression.lz4.level",
	      "Level for compression.type lz4."),
	 BETWEEN(1, 17)},
	{ITEM(STRING, "compression.type", "producer", "compression.type",
	      "How batches are stored; producer keeps them as they were sent."),
	 WORDS("uncompressed zstd lz4 snappy gzip producer")},
	{ITEM(INT, "compression.zstd.level", "3", "compression.zstd.level",
	      "Level for compression.type zstd."),
	 BETWEEN(-131072, 22)},
	{ITEM(LONG, "delete.retention.ms", "86400000", "log.cleaner.delete.retention.ms",
	      "How long a tombstone stays in a compacted log, in milliseconds."),
	 AT_LEAST(0)},
	{ITEM(STRING, "durability", "acks", "durability",
	      "When an answer may be given. acks: acks=all answers from stable storage, "
	      "acks=1 from the page cache; cache: as Kafka, never waits for storage; "
	      "always: every answer waits for storage."),
	 WORDS("acks cache always")},
	{ITEM(LONG, "file.delete.delay.ms", "60000", "log.segment.delete.delay.ms",
	      "How long a file stays after it was removed from the log, in milliseconds."),
	 AT_LEAST(0)},
	{ITEM(LONG, "flush.messages", LONG_MAX_TEXT, "log.flush.interval.messages",
	      "After how many records the log is put on stable storage."),
	 AT_LEAST(1)},
	{ITEM(LONG, "flush.ms", LONG_MAX_TEXT, "log.flush.interval.ms",
	      "After how many milliseconds the log is put on stable storage."),
	 AT_LEAST(0)},
	{ITEM(LIST, "follower.replication.throttled.replicas", "", NULL,
	      "Replicas whose replication is throttled on the followers' side.")},
	{ITEM(INT, "index.interval.bytes", "4096", "log.index.interval.bytes",
	      "After how many bytes of the log its index gets an entry."),
	 INT_AT_LEAST(0)},
	{ITEM(LIST, "leader.replication.throttled.replicas", "", NULL,
	      "Replicas whose replication is throttled on the leader's side.")},
	{ITEM(LONG, "local.retention.bytes", "-2", "log.local.retention.bytes",
	      "Bytes kept here of a partition that is tiered; -2: as retention.bytes."),
	 AT_LEAST(-2)},
	{ITEM(LONG, "local.retention.ms", "-2", "log.local.retention.ms",
	      "How long a tiered partition is kept here; -2: as retention.ms."),
	 AT_LEAST(-2)},
	{ITEM(LONG, "max.compaction.lag.ms", LONG_MAX_TEXT, "log.cleaner.max.compaction.lag.ms",
	      "How long a record may stay uncompacted at most, in milliseconds."),
	 AT_LEAST(1)},
	{ITEM(INT, "max.message.bytes", "1048588", "message.max.bytes",
	      "Largest batch, as it is stored."),
	 INT_AT_LEAST(0)},
	{ITEM(LONG, "message.timestamp.after.max.ms", "3600000",
	      "log.message.timestamp.after.max.ms",
	      "How far a record's time may lie ahead of the broker's, in milliseconds."),
	 AT_LEAST(0)},
	{ITEM(LONG, "message.timestamp.before.max.ms", LONG_MAX_TEXT,
	      "log.message.timestamp.before.max.ms",
	      "How far a record's time may lie behind the broker's, in milliseconds."),
	 AT_LEAST(0)},
	{ITEM(STRING, "message.timestamp.type", "CreateTime", "log.message.timestamp.type",
	      "Whose time a record has: the producer's (CreateTime) or the log's "
	      "(LogAppendTime)."),
	 WORDS("CreateTime LogAppendTime")},
	{ITEM(DOUBLE, "min.cleanable.dirty.ratio", "0.5", "log.cleaner.min.cleanable.ratio",
	      "Share of uncompacted bytes from which a log is compacted."),
	 .why = "it must be a number from 0 to 1"},
	{ITEM(LONG, "min.compaction.lag.ms", "0", "log.cleaner.min.compaction.lag.ms",
	      "How long a record stays uncompacted at least, in milliseconds."),
	 AT_LEAST(0)},
	{ITEM(INT, "min.insync.replicas", "1", "min.insync.replicas",
	      "How many replicas must have a record before acks=all is answered."),
	 INT_AT_LEAST(1)},
	{ITEM(BOOLEAN, "preallocate", "false", "log.preallocate",
	      "Whether a new segment's file gets its full size at once."),
	 BOOLEAN},
	{ITEM(BOOLEAN, "remote.log.copy.disable", "false", NULL,
	      "Whether a tiered partition stops copying to remote storage."),
	 BOOLEAN},
	{ITEM(BOOLEAN, "remote.log.delete.on.disable", "false", NULL,
	      "Whether remote data goes when tiering is turned off."),
	 BOOLEAN},
	{ITEM(BOOLEAN, "remote.storage.enable", "false", NULL,
	      "Whether old segments go to remote storage."),
	 .words = "false", .why = "tiered storage is not there yet: it must be false"},
	{ITEM(LONG, "retention.bytes", "-1", "log.retention.bytes",
	      "Bytes of a partition that are kept; -1: all."),
	 AT_LEAST(-1)},
	{ITEM(LONG, "retention.ms", "604800000", "log.retention.ms",
	      "How long records are kept, in milliseconds; -1: for ever."),
	 AT_LEAST(-1)},
	{ITEM(INT, "segment.bytes", "1073741824", "log.segment.bytes",
	      "Size at which a new segment is begun."),
	 INT_AT_LEAST(64)},
	{ITEM(INT, "segment.index.bytes", "10485760", "log.index.size.max.bytes",
	      "Size at which an index is full and a new segment is begun."),
	 INT_AT_LEAST(4)},
	{ITEM(LONG, "segment.jitter.ms", "0", "log.roll.jitter.ms",
	      "Largest random time taken from segment.ms, in milliseconds."),
	 AT_LEAST(0)},
	{ITEM(LONG, "segment.ms", "604800000", "log.roll.ms",
	      "Age at which a new segment is begun, in milliseconds."),
	 AT_LEAST(1)},
	{ITEM(BOOLEAN, "unclean.leader.election.enable", "false",
	      "unclean.leader.election.enable",
	      "Whether a replica that lacks records may become the leader."),
	 BOOLEAN},
};
/* clang-format on */

#define N_RULES (sizeof(rules) / sizeof(rules[0]))

static struct topic_config_item items[N_RULES];

static void fill_items(void)
{
	for (size_t i = 0; i < N_RULES; i++)
		items[i] = rules[i].item;
}

const struct topic_config_item *topic_config_items(size_t *ret_n)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, fill_items);
	*ret_n = N_RULES;
	return items;
}

static const struct rule *find(const char *key)
{
	size_t low = 0, high = N_RULES, mid;
	int order;

	while (low < high) {
		mid = (low + high) / 2;
		order = strcmp(key, rules[mid].item.key);
		if (!order)
			return &rules[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct topic_config_item *topic_config_find(const char *key)
{
	const struct rule *r = find(key);

	return r ? &r->item : NULL;
}

static bool is_word(const char *words, const char *value, size_t len)
{
	const char *word = words;
	size_t n;

	while (*word) {
		n = strcspn(word, " ");
		if (n == len && !memcmp(word, value, n))
			return true;
		word += n + (word[n] == ' ');
	}
	return false;
}

static bool is_list_of(const char *words, const char *value)
{
	size_t len;

	if (!*value)
		return true;
	for (;;) {
		value += strspn(value, " ");
		len = strcspn(value, ", ");
		if (!is_word(words, value, len))
			return false;
		value += len;
		value += strspn(value, " ");
		if (!*value)
			return true;
		if (*value++ != ',')
			return false;
	}
}

static bool is_number_in(const char *value, int64_t min, int64_t max)
{
	const char *digits = *value == '-' ? value + 1 : value;
	long long v;

	if (!*digits || strspn(digits, "0123456789") != strlen(digits))
		return false;
	errno = 0;
	v = strtoll(value, NULL, 10);
	return !errno && v >= min && v <= max;
}

static bool is_ratio(const char *value)
{
	double v;
	char *end;

	if (!*value || strspn(value, "0123456789.eE+-") != strlen(value))
		return false;
	v = strtod(value, &end);
	return !*end && isfinite(v) && v >= 0 && v <= 1;
}

static bool is_allowed(const struct rule *r, const char *value)
{
	switch (r->item.type) {
	case TOPIC_CONFIG_INT:
	case TOPIC_CONFIG_LONG:
		if (!strcmp(r->item.key, "compression.gzip.level") && !strcmp(value, "0"))
			return false;
		return is_number_in(value, r->min, r->max);
	case TOPIC_CONFIG_DOUBLE: return is_ratio(value);
	case TOPIC_CONFIG_LIST: return !r->words || is_list_of(r->words, value);
	case TOPIC_CONFIG_BOOLEAN:
	case TOPIC_CONFIG_STRING: break;
	}
	return is_word(r->words, value, strlen(value));
}

int topic_config_check(const char *key, const char *value, const char **ret_why)
{
	const struct rule *r = find(key);

	if (!r) {
		*ret_why = "there is no such setting";
		return -ENOENT;
	}
	/* The settings file has one line for each. */
	for (const char *c = value; *c; c++) {
		if ((unsigned char)*c < ' ') {
			*ret_why = "it must not have control characters";
			return -EINVAL;
		}
	}
	if (!is_allowed(r, value)) {
		*ret_why = r->why;
		return -EINVAL;
	}
	return 0;
}

int topic_config_check_kafka(const char *key, const char *value, const char **ret_why)
{
	int err = topic_config_check(key, value, ret_why);

	if (!err && !strcmp(key, "segment.bytes") &&
	    !is_number_in(value, SEGMENT_BYTES_KAFKA_MIN, INT32_MAX)) {
		*ret_why = "it must be a whole number from 1048576 to 2147483647";
		err = -EINVAL;
	}
	return err;
}

static const char *own_or_default(const struct log_dir_setting *own, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(own[i].key, key))
			return own[i].value;
	}
	return find(key)->item.default_value;
}

int topic_config_check_all(const struct log_dir_setting *own, size_t n, const char **ret_why)
{
	long long min = strtoll(own_or_default(own, n, "min.compaction.lag.ms"), NULL, 10);
	long long max = strtoll(own_or_default(own, n, "max.compaction.lag.ms"), NULL, 10);

	if (min <= max)
		return 0;
	*ret_why = "min.compaction.lag.ms is larger than max.compaction.lag.ms";
	return -EINVAL;
}

static uint32_t durability_value(const char *value)
{
	if (!strcmp(value, "cache"))
		return SLUICE_DURABILITY_CACHE;
	return !strcmp(value, "always") ? SLUICE_DURABILITY_ALWAYS : SLUICE_DURABILITY_ACKS;
}

static uint32_t cleanup_value(const char *value)
{
	/* It was checked: a list of these two words. */
	return (strstr(value, "delete") ? KERN_CLEANUP_DELETE : 0) |
	       (strstr(value, "compact") ? KERN_CLEANUP_COMPACT : 0);
}

/* The settings that are numbers there and here. */
static bool number_to_kern(const char *key, const char *value, struct kern_topic_config *c)
{
	int64_t v = strtoll(value, NULL, 10);

#define NUMBER(text, NAME, to)                \
	if (!strcmp(key, text)) {             \
		c->to = (__typeof__(c->to))v; \
		c->set |= KERN_CONFIG_##NAME; \
		return true;                  \
	}
	NUMBER("batch.bytes", BATCH_BYTES, batch_bytes)
	NUMBER("batch.linger.ms", LINGER_MS, linger_ms)
	NUMBER("file.delete.delay.ms", FILE_DELETE_DELAY_MS, file_delete_delay_ms)
	NUMBER("flush.messages", FLUSH_MESSAGES, flush_messages)
	NUMBER("flush.ms", FLUSH_MS, flush_ms)
	NUMBER("index.interval.bytes", INDEX_INTERVAL_BYTES, index_interval_bytes)
	NUMBER("max.message.bytes", MAX_MESSAGE_BYTES, max_message_bytes)
	NUMBER("message.timestamp.after.max.ms", MESSAGE_TIMESTAMP_AFTER_MAX_MS,
	       timestamp_after_max_ms)
	NUMBER("message.timestamp.before.max.ms", MESSAGE_TIMESTAMP_BEFORE_MAX_MS,
	       timestamp_before_max_ms)
	NUMBER("retention.bytes", RETENTION_BYTES, retention_bytes)
	NUMBER("retention.ms", RETENTION_MS, retention_ms)
	NUMBER("segment.bytes", SEGMENT_BYTES, segment_bytes)
	NUMBER("segment.index.bytes", SEGMENT_INDEX_BYTES, segment_index_bytes)
	NUMBER("segment.jitter.ms", SEGMENT_JITTER_MS, segment_jitter_ms)
	NUMBER("segment.ms", SEGMENT_MS, segment_ms)
#undef NUMBER
	return false;
}

void topic_config_to_kern(const char *key, const char *value, struct kern_topic_config *c)
{
	if (number_to_kern(key, value, c))
		return;
	if (!strcmp(key, "message.timestamp.type")) {
		c->message_timestamp_type = !strcmp(value, "LogAppendTime");
		c->set |= KERN_CONFIG_MESSAGE_TIMESTAMP_TYPE;
	} else if (!strcmp(key, "durability")) {
		c->durability = durability_value(value);
		c->set |= KERN_CONFIG_DURABILITY;
	} else if (!strcmp(key, "cleanup.policy")) {
		c->cleanup_policy = cleanup_value(value);
		c->set |= KERN_CONFIG_CLEANUP_POLICY;
	}
}
