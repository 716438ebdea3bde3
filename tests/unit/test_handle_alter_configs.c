// SPDX-License-Identifier: Apache-2.0
/* AlterConfigs and IncrementalAlterConfigs, with the answers Kafka gives (KIP-339). */
#include "tests/daemon/served.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/kafka/config_change.h"
#include "daemon/kafka/config_view.h"
#include "daemon/log/log_dir.h"

#define TOPIC "orders"

typedef struct kafka_incremental_alter_configs_request_config change;

static struct kern *k;
static char why[600];

static int setup(void **state)
{
	static const char *const overrides[] = {"log.flush.interval.messages=77", NULL};

	(void)state;
	client_start(overrides);
	assert_int_equal(kern_open(&k), 0);
	client_create_with(&client, TOPIC, "retention.ms", "5000");
	return 0;
}

static int teardown(void **state)
{
	kern_close(k);
	return client_teardown(state);
}

/* The topic's own settings, "a=1 b=2 ". */
static const char *own(void)
{
	static char text[400];
	struct log_dir_setting *s;
	struct log_dir_error err;
	size_t n;

	assert_int_equal(log_dir_topic_settings(served_dir(), TOPIC, &s, &n, &err), 0);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		strcat(strcat(text, s[i].key), "=");
		strcat(strcat(text, s[i].value), " ");
	}
	log_dir_settings_free(s, n);
	return text;
}

static struct kern_topic_config in_force(void)
{
	struct kern_topic t;

	assert_int_equal(kern_topic_get(k, TOPIC, &t), 0);
	free(t.data_dir);
	return t.config;
}

static change one(const char *key, int8_t operation, const char *value)
{
	change c;

	kafka_incremental_alter_configs_request_config_init(&c);
	c.name = kafka_str_from(key);
	c.config_operation = operation;
	c.value = kafka_str_from(value);
	return c;
}

static int16_t keep(int16_t code, struct kafka_str message)
{
	size_t len = message.len > 0 ? (size_t)message.len : 0;

	assert_true(len < sizeof(why));
	if (len)
		memcpy(why, message.p, len);
	why[len] = '\0';
	return code;
}

static int16_t alter(int8_t type, const char *name, change *c, int n, bool validate_only)
{
	struct kafka_incremental_alter_configs_request_resource res;
	struct kafka_incremental_alter_configs_request m;
	struct kafka_incremental_alter_configs_response a;

	kafka_incremental_alter_configs_request_resource_init(&res);
	res.resource_type = type;
	res.resource_name = kafka_str_from(name);
	res.configs.v = c;
	res.configs.n = n;
	kafka_incremental_alter_configs_request_init(&m);
	m.resources.v = &res;
	m.resources.n = 1;
	m.validate_only = validate_only;
	CLIENT_CALL(&client, incremental_alter_configs, KAFKA_API_INCREMENTAL_ALTER_CONFIGS, 1, &m,
		    &a);
	assert_int_equal(a.responses.n, 1);
	assert_int_equal(a.responses.v[0].resource_type, type);
	assert_true(kafka_str_equal(a.responses.v[0].resource_name, kafka_str_from(name)));
	return keep(a.responses.v[0].error_code, a.responses.v[0].error_message);
}

static int16_t alter_one(const char *key, int8_t operation, const char *value)
{
	change c = one(key, operation, value);

	return alter(CONFIG_RESOURCE_TOPIC, TOPIC, &c, 1, false);
}

static void incremental__sets_and_takes_back(void **state)
{
	change two[] = {one("retention.bytes", CONFIG_SET, "4000000"),
			one("flush.messages", CONFIG_SET, "9")};

	(void)state;
	assert_int_equal(alter(CONFIG_RESOURCE_TOPIC, TOPIC, two, 2, false), 0);
	assert_string_equal(own(), "retention.ms=5000 retention.bytes=4000000 flush.messages=9 ");
	assert_int_equal(in_force().retention_bytes, 4000000);
	assert_int_equal(in_force().retention_ms, 5000);
	assert_int_equal(in_force().flush_messages, 9);
	/* The broker's own default counts then, not the log's. */
	assert_int_equal(alter_one("flush.messages", CONFIG_DELETE, NULL), 0);
	assert_string_equal(own(), "retention.ms=5000 retention.bytes=4000000 ");
	assert_int_equal(in_force().flush_messages, 77);
	assert_int_equal(alter_one("no.such.setting", CONFIG_DELETE, NULL), 0);
}

static void incremental__lists(void **state)
{
	(void)state;
	/* From the default, which is "delete". */
	assert_int_equal(alter_one("cleanup.policy", CONFIG_APPEND, "compact"), 0);
	assert_string_equal(own(), "retention.ms=5000 cleanup.policy=delete,compact ");
	assert_int_equal(alter_one("cleanup.policy", CONFIG_APPEND, "compact,delete"), 0);
	assert_string_equal(own(), "retention.ms=5000 cleanup.policy=delete,compact ");
	assert_int_equal(alter_one("cleanup.policy", CONFIG_SUBTRACT, "delete"), 0);
	assert_string_equal(own(), "retention.ms=5000 cleanup.policy=compact ");
	assert_int_equal(in_force().cleanup_policy, KERN_CLEANUP_COMPACT);
	assert_int_equal(alter_one("retention.ms", CONFIG_APPEND, "1"), KAFKA_ERROR_INVALID_CONFIG);
	assert_non_null(strstr(why, "not a list"));
}

static void incremental__refused(void **state)
{
	change twice[] = {one("retention.ms", CONFIG_SET, "1"),
			  one("retention.ms", CONFIG_SET, "2")};
	change good_and_bad[] = {one("retention.bytes", CONFIG_SET, "1"),
				 one("retention.ms", CONFIG_SET, "often")};
	change c = one("retention.ms", CONFIG_SET, "1");

	(void)state;
	assert_int_equal(alter_one("retention.ms", CONFIG_SET, NULL), KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter_one("retention.ms", 4, "1"), KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter_one("retention.ms", -1, "1"), KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter_one("no.such.setting", CONFIG_SET, "1"), KAFKA_ERROR_INVALID_CONFIG);
	assert_non_null(strstr(why, "no.such.setting"));
	assert_int_equal(alter(CONFIG_RESOURCE_TOPIC, TOPIC, twice, 2, false),
			 KAFKA_ERROR_INVALID_REQUEST);
	/* All of a topic's changes, or none. */
	assert_int_equal(alter(CONFIG_RESOURCE_TOPIC, TOPIC, good_and_bad, 2, false),
			 KAFKA_ERROR_INVALID_CONFIG);
	assert_non_null(strstr(why, "retention.ms=often"));
	assert_int_equal(alter(CONFIG_RESOURCE_TOPIC, "missing", &c, 1, false),
			 KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(alter(CONFIG_RESOURCE_TOPIC, "not/a/topic", &c, 1, false),
			 KAFKA_ERROR_INVALID_TOPIC_EXCEPTION);
	assert_int_equal(alter(CONFIG_RESOURCE_BROKER, "7777", &c, 1, false),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter(CONFIG_RESOURCE_BROKER, "", &c, 1, false),
			 KAFKA_ERROR_INVALID_CONFIG);
	assert_int_equal(alter(CONFIG_RESOURCE_BROKER, "", NULL, 0, false), 0);
	assert_int_equal(alter(99, "x", &c, 1, false), KAFKA_ERROR_INVALID_REQUEST);
	assert_string_equal(own(), "retention.ms=5000 ");
}

static void incremental__more_than_anybody_needs(void **state)
{
	static change c[1001];

	(void)state;
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		c[i] = one("x", CONFIG_DELETE, NULL);
	assert_int_equal(alter(CONFIG_RESOURCE_TOPIC, TOPIC, c, 1001, false),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_non_null(strstr(why, "more than 1000"));
}

static void incremental__validate_only(void **state)
{
	change good = one("retention.ms", CONFIG_SET, "6000");
	change bad = one("retention.ms", CONFIG_SET, "-5");

	(void)state;
	assert_int_equal(alter(CONFIG_RESOURCE_TOPIC, TOPIC, &good, 1, true), 0);
	assert_int_equal(alter(CONFIG_RESOURCE_TOPIC, TOPIC, &bad, 1, true),
			 KAFKA_ERROR_INVALID_CONFIG);
	assert_string_equal(own(), "retention.ms=5000 ");
	assert_int_equal(in_force().retention_ms, 5000);
}

static void incremental__resource_named_twice(void **state)
{
	struct kafka_incremental_alter_configs_request_resource res[3];
	struct kafka_incremental_alter_configs_request m;
	struct kafka_incremental_alter_configs_response a;
	change c = one("retention.ms", CONFIG_SET, "1");

	(void)state;
	for (int i = 0; i < 3; i++) {
		kafka_incremental_alter_configs_request_resource_init(&res[i]);
		res[i].resource_type = i == 1 ? CONFIG_RESOURCE_BROKER : CONFIG_RESOURCE_TOPIC;
		res[i].resource_name = kafka_str_from(i == 1 ? "" : TOPIC);
		res[i].configs.v = &c;
		res[i].configs.n = i == 1 ? 0 : 1;
	}
	kafka_incremental_alter_configs_request_init(&m);
	m.resources.v = res;
	m.resources.n = 3;
	CLIENT_CALL(&client, incremental_alter_configs, KAFKA_API_INCREMENTAL_ALTER_CONFIGS, 0, &m,
		    &a);
	assert_int_equal(a.responses.n, 3);
	assert_int_equal(a.responses.v[0].error_code, KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(a.responses.v[1].error_code, 0);
	assert_int_equal(a.responses.v[2].error_code, KAFKA_ERROR_INVALID_REQUEST);
	assert_string_equal(own(), "retention.ms=5000 ");
}

static void alter__replaces_all(void **state)
{
	struct kafka_alter_configs_request_config c;
	struct kafka_alter_configs_request_resource res;
	struct kafka_alter_configs_request m;
	struct kafka_alter_configs_response a;

	(void)state;
	kafka_alter_configs_request_config_init(&c);
	c.name = kafka_str_from("retention.bytes");
	c.value = kafka_str_from("9000000");
	kafka_alter_configs_request_resource_init(&res);
	res.resource_type = CONFIG_RESOURCE_TOPIC;
	res.resource_name = kafka_str_from(TOPIC);
	res.configs.v = &c;
	res.configs.n = 1;
	kafka_alter_configs_request_init(&m);
	m.resources.v = &res;
	m.resources.n = 1;
	CLIENT_CALL(&client, alter_configs, KAFKA_API_ALTER_CONFIGS, 2, &m, &a);
	assert_int_equal(a.responses.n, 1);
	assert_int_equal(a.responses.v[0].error_code, 0);
	assert_string_equal(own(), "retention.bytes=9000000 ");
	assert_int_equal(in_force().retention_bytes, 9000000);
	/* A week, the default of log.retention.hours. */
	assert_int_equal(in_force().retention_ms, 604800000);
	c.value = kafka_str_from(NULL);
	CLIENT_CALL(&client, alter_configs, KAFKA_API_ALTER_CONFIGS, 0, &m, &a);
	assert_int_equal(a.responses.v[0].error_code, KAFKA_ERROR_INVALID_REQUEST);
	assert_string_equal(own(), "retention.bytes=9000000 ");
	/* No name: brokers have something in common then, topics not. */
	res.resource_name = kafka_str_from("");
	c.value = kafka_str_from("1");
	CLIENT_CALL(&client, alter_configs, KAFKA_API_ALTER_CONFIGS, 2, &m, &a);
	assert_int_equal(a.responses.v[0].error_code, KAFKA_ERROR_INVALID_REQUEST);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(incremental__sets_and_takes_back),
		TEST(incremental__lists),
		TEST(incremental__refused),
		TEST(incremental__more_than_anybody_needs),
		TEST(incremental__validate_only),
		TEST(incremental__resource_named_twice),
		TEST(alter__replaces_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
