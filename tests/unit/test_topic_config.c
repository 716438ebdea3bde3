// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <linux/sluice_netlink.h>
#include "daemon/log/topic_config.h"

static int check(const char *key, const char *value)
{
	const char *why = NULL;
	int err = topic_config_check(key, value, &why);

	if (err)
		assert_non_null(why);
	return err;
}

static void items__are_sorted_and_their_defaults_valid(void **state)
{
	const struct topic_config_item *items;
	size_t n;

	(void)state;
	items = topic_config_items(&n);
	assert_true(n >= 30);
	for (size_t i = 0; i < n; i++) {
		print_message("# %s=%s\n", items[i].key, items[i].default_value);
		assert_true(i == 0 || strcmp(items[i - 1].key, items[i].key) < 0);
		assert_int_equal(check(items[i].key, items[i].default_value), 0);
		assert_ptr_equal(topic_config_find(items[i].key)->default_value,
				 items[i].default_value);
		assert_true(strlen(items[i].doc) > 10);
	}
	assert_null(topic_config_find("nope"));
}

/* Defaults of Kafka 4.x (LogConfig.java). */
static void items__defaults_are_kafkas(void **state)
{
	static const char *const expected[][2] = {
		{"cleanup.policy", "delete"},
		{"max.message.bytes", "1048588"},
		{"min.insync.replicas", "1"},
		{"retention.ms", "604800000"},
		{"retention.bytes", "-1"},
		{"segment.bytes", "1073741824"},
		{"segment.index.bytes", "10485760"},
		{"index.interval.bytes", "4096"},
		{"message.timestamp.after.max.ms", "3600000"},
		{"min.cleanable.dirty.ratio", "0.5"},
		{"compression.type", "producer"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_string_equal(topic_config_find(expected[i][0])->default_value,
				    expected[i][1]);
}

static void check__numbers(void **state)
{
	(void)state;
	assert_int_equal(check("retention.ms", "-1"), 0);
	assert_int_equal(check("retention.ms", "-2"), -EINVAL);
	assert_int_equal(check("retention.ms", ""), -EINVAL);
	assert_int_equal(check("retention.ms", "-"), -EINVAL);
	assert_int_equal(check("retention.ms", "1x"), -EINVAL);
	assert_int_equal(check("retention.ms", " 1"), -EINVAL);
	assert_int_equal(check("retention.ms", "+1"), -EINVAL);
	assert_int_equal(check("retention.ms", "9223372036854775807"), 0);
	assert_int_equal(check("retention.ms", "9223372036854775808"), -EINVAL);
	assert_int_equal(check("segment.bytes", "2147483647"), 0);
	assert_int_equal(check("segment.bytes", "2147483648"), -EINVAL);
	assert_int_equal(check("segment.bytes", "63"), -EINVAL);
	assert_int_equal(check("min.insync.replicas", "0"), -EINVAL);
	assert_int_equal(check("compression.gzip.level", "0"), -EINVAL);
	assert_int_equal(check("compression.gzip.level", "-1"), 0);
	assert_int_equal(check("compression.gzip.level", "9"), 0);
	assert_int_equal(check("min.cleanable.dirty.ratio", "0.75"), 0);
	assert_int_equal(check("min.cleanable.dirty.ratio", "1.01"), -EINVAL);
	assert_int_equal(check("min.cleanable.dirty.ratio", "nan"), -EINVAL);
	assert_int_equal(check("min.cleanable.dirty.ratio", ""), -EINVAL);
}

static void check__words(void **state)
{
	(void)state;
	assert_int_equal(check("durability", "always"), 0);
	assert_int_equal(check("durability", "Always"), -EINVAL);
	assert_int_equal(check("durability", ""), -EINVAL);
	assert_int_equal(check("durability", "acks cache"), -EINVAL);
	assert_int_equal(check("message.timestamp.type", "LogAppendTime"), 0);
	assert_int_equal(check("preallocate", "true"), 0);
	assert_int_equal(check("preallocate", "yes"), -EINVAL);
	assert_int_equal(check("remote.storage.enable", "true"), -EINVAL);
	assert_int_equal(check("cleanup.policy", "compact,delete"), 0);
	assert_int_equal(check("cleanup.policy", "compact, delete"), 0);
	assert_int_equal(check("cleanup.policy", ""), 0);
	assert_int_equal(check("cleanup.policy", "compact,"), -EINVAL);
	assert_int_equal(check("cleanup.policy", "compact delete"), -EINVAL);
	assert_int_equal(check("cleanup.policy", "shred"), -EINVAL);
	assert_int_equal(check("leader.replication.throttled.replicas", "0:1,1:2"), 0);
	assert_int_equal(check("leader.replication.throttled.replicas", "0:1\n1:2"), -EINVAL);
}

static void check__unknown_key(void **state)
{
	(void)state;
	assert_int_equal(check("nope", "1"), -ENOENT);
	assert_int_equal(check("", "1"), -ENOENT);
	assert_int_equal(check("sluice.topic", "x"), -ENOENT);
}

static void to_kern__sets_what_the_module_acts_on(void **state)
{
	struct kern_topic_config c = {0};

	(void)state;
	topic_config_to_kern("min.insync.replicas", "5", &c);
	assert_int_equal(c.set, 0);
	topic_config_to_kern("segment.bytes", "2147483647", &c);
	topic_config_to_kern("max.message.bytes", "100", &c);
	topic_config_to_kern("index.interval.bytes", "0", &c);
	topic_config_to_kern("segment.index.bytes", "4000", &c);
	topic_config_to_kern("message.timestamp.type", "LogAppendTime", &c);
	topic_config_to_kern("durability", "always", &c);
	assert_int_equal(
		c.set, KERN_CONFIG_SEGMENT_BYTES | KERN_CONFIG_MAX_MESSAGE_BYTES |
			       KERN_CONFIG_INDEX_INTERVAL_BYTES | KERN_CONFIG_SEGMENT_INDEX_BYTES |
			       KERN_CONFIG_MESSAGE_TIMESTAMP_TYPE | KERN_CONFIG_DURABILITY);
	assert_int_equal(c.segment_bytes, 2147483647);
	assert_int_equal(c.max_message_bytes, 100);
	assert_int_equal(c.index_interval_bytes, 0);
	assert_int_equal(c.segment_index_bytes, 4000);
	assert_int_equal(c.message_timestamp_type, 1);
	assert_int_equal(c.durability, SLUICE_DURABILITY_ALWAYS);
	topic_config_to_kern("message.timestamp.type", "CreateTime", &c);
	topic_config_to_kern("durability", "cache", &c);
	assert_int_equal(c.message_timestamp_type, 0);
	assert_int_equal(c.durability, SLUICE_DURABILITY_CACHE);
	topic_config_to_kern("durability", "acks", &c);
	assert_int_equal(c.durability, SLUICE_DURABILITY_ACKS);
}

/* All that the log acts on; the values tell each apart. */
static void to_kern__numbers_go_to_their_fields(void **state)
{
	struct kern_topic_config c = {0};

	(void)state;
	topic_config_to_kern("segment.ms", "1001", &c);
	topic_config_to_kern("segment.jitter.ms", "1002", &c);
	topic_config_to_kern("message.timestamp.before.max.ms", "9223372036854775807", &c);
	topic_config_to_kern("message.timestamp.after.max.ms", "1003", &c);
	topic_config_to_kern("retention.ms", "-1", &c);
	topic_config_to_kern("retention.bytes", "5000000000", &c);
	topic_config_to_kern("file.delete.delay.ms", "1004", &c);
	topic_config_to_kern("flush.messages", "1005", &c);
	topic_config_to_kern("flush.ms", "1006", &c);
	topic_config_to_kern("batch.bytes", "1007", &c);
	topic_config_to_kern("batch.linger.ms", "1008", &c);
	assert_int_equal(c.segment_ms, 1001);
	assert_int_equal(c.segment_jitter_ms, 1002);
	assert_int_equal(c.timestamp_before_max_ms, INT64_MAX);
	assert_int_equal(c.timestamp_after_max_ms, 1003);
	assert_int_equal(c.retention_ms, -1);
	assert_int_equal(c.retention_bytes, 5000000000);
	assert_int_equal(c.file_delete_delay_ms, 1004);
	assert_int_equal(c.flush_messages, 1005);
	assert_int_equal(c.flush_ms, 1006);
	assert_int_equal(c.batch_bytes, 1007);
	assert_int_equal(c.linger_ms, 1008);
	assert_int_equal(__builtin_popcount(c.set), 11);
}

static uint32_t cleanup(const char *value)
{
	struct kern_topic_config c = {0};

	topic_config_to_kern("cleanup.policy", value, &c);
	assert_int_equal(c.set, KERN_CONFIG_CLEANUP_POLICY);
	return c.cleanup_policy;
}

static void to_kern__cleanup_policy(void **state)
{
	(void)state;
	assert_int_equal(cleanup(""), 0);
	assert_int_equal(cleanup("delete"), KERN_CLEANUP_DELETE);
	assert_int_equal(cleanup("compact"), KERN_CLEANUP_COMPACT);
	assert_int_equal(cleanup("compact, delete"), KERN_CLEANUP_DELETE | KERN_CLEANUP_COMPACT);
}

static void check_kafka__segment_bytes(void **state)
{
	const char *why;

	(void)state;
	assert_int_equal(topic_config_check_kafka("segment.bytes", "1048576", &why), 0);
	assert_int_equal(topic_config_check_kafka("segment.bytes", "1048575", &why), -EINVAL);
	assert_int_equal(check("segment.bytes", "1048575"), 0);
	assert_int_equal(topic_config_check_kafka("retention.ms", "-2", &why), -EINVAL);
	assert_int_equal(topic_config_check_kafka("nope", "1", &why), -ENOENT);
}

static void check_all__compaction_lags(void **state)
{
	struct log_dir_setting own[] = {{"min.compaction.lag.ms", "6"},
					{"max.compaction.lag.ms", "5"}};
	const char *why = NULL;

	(void)state;
	assert_int_equal(topic_config_check_all(own, 2, &why), -EINVAL);
	assert_non_null(why);
	assert_int_equal(topic_config_check_all(own, 1, &why), 0);
	own[0].value = "5";
	assert_int_equal(topic_config_check_all(own, 2, &why), 0);
	assert_int_equal(topic_config_check_all(NULL, 0, &why), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items__are_sorted_and_their_defaults_valid),
		cmocka_unit_test(items__defaults_are_kafkas),
		cmocka_unit_test(check__numbers),
		cmocka_unit_test(check__words),
		cmocka_unit_test(check__unknown_key),
		cmocka_unit_test(to_kern__sets_what_the_module_acts_on),
		cmocka_unit_test(to_kern__numbers_go_to_their_fields),
		cmocka_unit_test(to_kern__cleanup_policy),
		cmocka_unit_test(check_kafka__segment_bytes),
		cmocka_unit_test(check_all__compaction_lags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
