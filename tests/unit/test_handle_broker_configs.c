// SPDX-License-Identifier: Apache-2.0
/*
 * The broker's own settings over the protocol: two scopes, changed while it runs
 * (KIP-226), with the answers of Kafka's ConfigAdminManager and ConfigHelper.
 */
#include "tests/daemon/served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/dynamic_config.h"
#include "daemon/kafka/config_change.h"
#include "daemon/kafka/config_view.h"
#include "daemon/log/log_dir.h"

#define TOPIC "orders"

typedef struct kafka_describe_configs_response_config described;

static struct kern *k;
static char why[600];

static int setup(void **state)
{
	static const char *const overrides[] = {"log.flush.interval.messages=77",
						"log.retention.hours=1", NULL};

	(void)state;
	client_start(overrides);
	assert_int_equal(kern_open(&k), 0);
	client_create(&client, TOPIC, 1, NULL);
	return 0;
}

static int teardown(void **state)
{
	kern_close(k);
	return client_teardown(state);
}

static int16_t keep(int16_t code, struct kafka_str message)
{
	snprintf(why, sizeof(why), "%.*s", message.len > 0 ? (int)message.len : 0, message.p);
	return code;
}

static int16_t alter_as(const char *name, const char *key, int8_t operation, const char *value,
			bool validate_only)
{
	struct kafka_incremental_alter_configs_request_config c;
	struct kafka_incremental_alter_configs_request_resource res;
	struct kafka_incremental_alter_configs_request m;
	struct kafka_incremental_alter_configs_response a;

	kafka_incremental_alter_configs_request_config_init(&c);
	c.name = kafka_str_from(key);
	c.config_operation = operation;
	c.value = kafka_str_from(value);
	kafka_incremental_alter_configs_request_resource_init(&res);
	res.resource_type = CONFIG_RESOURCE_BROKER;
	res.resource_name = kafka_str_from(name);
	res.configs.v = &c;
	res.configs.n = 1;
	kafka_incremental_alter_configs_request_init(&m);
	m.resources.v = &res;
	m.resources.n = 1;
	m.validate_only = validate_only;
	CLIENT_CALL(&client, incremental_alter_configs, KAFKA_API_INCREMENTAL_ALTER_CONFIGS, 1, &m,
		    &a);
	assert_int_equal(a.responses.n, 1);
	return keep(a.responses.v[0].error_code, a.responses.v[0].error_message);
}

static int16_t alter(const char *name, const char *key, int8_t operation, const char *value)
{
	return alter_as(name, key, operation, value, false);
}

/* What DescribeConfigs says of one setting, until the next call; NULL: nothing. */
static const described *describe(int8_t type, const char *name, const char *key)
{
	struct kafka_str wanted = kafka_str_from(key);
	struct kafka_describe_configs_request_resource res;
	struct kafka_describe_configs_request m;
	static struct kafka_describe_configs_response a;

	kafka_describe_configs_request_resource_init(&res);
	res.resource_type = type;
	res.resource_name = kafka_str_from(name);
	res.configuration_keys.v = &wanted;
	res.configuration_keys.n = 1;
	kafka_describe_configs_request_init(&m);
	m.include_synonyms = true;
	m.resources.v = &res;
	m.resources.n = 1;
	CLIENT_CALL(&client, describe_configs, KAFKA_API_DESCRIBE_CONFIGS, 4, &m, &a);
	assert_int_equal(a.results.n, 1);
	if (keep(a.results.v[0].error_code, a.results.v[0].error_message))
		return NULL;
	return a.results.v[0].configs.n ? &a.results.v[0].configs.v[0] : NULL;
}

/* "value source: name=value source, ..." */
static const char *shown(const described *d)
{
	static char text[800];
	size_t at;

	if (!d)
		return "nothing";
	at = (size_t)snprintf(text, sizeof(text), "%.*s %d%s:", (int)d->value.len, d->value.p,
			      d->config_source, d->read_only ? " read-only" : "");
	for (int32_t i = 0; i < d->synonyms.n && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, " %.*s=%.*s %d",
				       (int)d->synonyms.v[i].name.len, d->synonyms.v[i].name.p,
				       (int)d->synonyms.v[i].value.len, d->synonyms.v[i].value.p,
				       d->synonyms.v[i].source);
	return text;
}

static struct kern_topic_config in_force(void)
{
	struct kern_topic t;

	assert_int_equal(kern_topic_get(k, TOPIC, &t), 0);
	free(t.data_dir);
	return t.config;
}

/* "broker:a=1 default:b=2 " of the file. */
static const char *stored(void)
{
	static char text[400];
	struct dynamic_config d;
	struct log_dir_error err;

	assert_int_equal(dynamic_config_read(served_dir(), &d, &err), 0);
	text[0] = '\0';
	for (int scope = 0; scope < CONFIG_SCOPES; scope++) {
		for (size_t i = 0; i < d.scopes[scope].n; i++) {
			strcat(text, scope == CONFIG_SCOPE_BROKER ? "broker:" : "default:");
			strcat(strcat(text, d.scopes[scope].items[i].key), "=");
			strcat(strcat(text, d.scopes[scope].items[i].value), " ");
		}
	}
	dynamic_config_free(&d);
	return text;
}

static void broker__goes_before_default_before_file(void **state)
{
	const char *key = "log.flush.interval.messages";

	(void)state;
	assert_string_equal(shown(describe(CONFIG_RESOURCE_BROKER, "1", key)),
			    "77 4: log.flush.interval.messages=77 4 "
			    "log.flush.interval.messages=9223372036854775807 5");
	assert_int_equal(in_force().flush_messages, 77);
	assert_int_equal(alter("", key, CONFIG_SET, "20"), 0);
	assert_int_equal(in_force().flush_messages, 20);
	assert_int_equal(alter("1", key, CONFIG_SET, "10"), 0);
	assert_int_equal(in_force().flush_messages, 10);
	assert_string_equal(stored(), "broker:log.flush.interval.messages=10 "
				      "default:log.flush.interval.messages=20 ");
	assert_string_equal(
		shown(describe(CONFIG_RESOURCE_BROKER, "1", key)),
		"10 2: log.flush.interval.messages=10 2 log.flush.interval.messages=20 3 "
		"log.flush.interval.messages=77 4 "
		"log.flush.interval.messages=9223372036854775807 5");
	assert_string_equal(shown(describe(CONFIG_RESOURCE_BROKER, "", key)),
			    "20 3: log.flush.interval.messages=20 3");
	assert_string_equal(
		shown(describe(CONFIG_RESOURCE_TOPIC, TOPIC, "flush.messages")),
		"10 2: log.flush.interval.messages=10 2 log.flush.interval.messages=20 3 "
		"log.flush.interval.messages=77 4 "
		"log.flush.interval.messages=9223372036854775807 5");
	assert_int_equal(alter("1", key, CONFIG_DELETE, NULL), 0);
	assert_int_equal(in_force().flush_messages, 20);
	assert_int_equal(alter("", key, CONFIG_DELETE, NULL), 0);
	assert_int_equal(in_force().flush_messages, 77);
	assert_string_equal(stored(), "");
}

/* log.retention.ms goes before log.retention.hours, whichever of them is in the file. */
static void broker__precise_before_coarse(void **state)
{
	(void)state;
	assert_int_equal(in_force().retention_ms, 3600000);
	assert_int_equal(alter("", "log.retention.ms", CONFIG_SET, "5000"), 0);
	assert_int_equal(in_force().retention_ms, 5000);
	assert_int_equal(alter("", "log.retention.ms", CONFIG_DELETE, NULL), 0);
	assert_int_equal(in_force().retention_ms, 3600000);
}

static void broker__topics_own_settings_stay(void **state)
{
	const struct log_dir_setting own = {"flush.messages", "5"};
	struct log_dir_error err;

	(void)state;
	assert_int_equal(log_dir_topic_alter(k, served_dir(), TOPIC, &own, 1, &err), 0);
	assert_int_equal(alter("1", "log.flush.interval.messages", CONFIG_SET, "10"), 0);
	assert_int_equal(in_force().flush_messages, 5);
}

static void broker__lists(void **state)
{
	(void)state;
	assert_int_equal(alter("1", "log.cleanup.policy", CONFIG_APPEND, "compact"), 0);
	assert_string_equal(stored(), "broker:log.cleanup.policy=delete,compact ");
	assert_int_equal(alter("1", "log.cleanup.policy", CONFIG_SUBTRACT, "delete"), 0);
	assert_int_equal(in_force().cleanup_policy, KERN_CLEANUP_COMPACT);
	assert_int_equal(alter("1", "max.connections", CONFIG_APPEND, "1"),
			 KAFKA_ERROR_INVALID_CONFIG);
}

static void broker__refused(void **state)
{
	(void)state;
	assert_int_equal(alter("1", "num.partitions", CONFIG_SET, "3"),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_string_equal(why, "Cannot update these configs dynamically: [num.partitions]");
	/* As in Kafka, those in hours are of the file. */
	assert_int_equal(alter("1", "log.retention.hours", CONFIG_SET, "3"),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter("1", "no.such.setting", CONFIG_SET, "3"),
			 KAFKA_ERROR_INVALID_CONFIG);
	assert_int_equal(alter("1", "log.retention.ms", CONFIG_SET, "often"),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_non_null(strstr(why, "log.retention.ms=often: "));
	assert_int_equal(alter("1", "max.connections", CONFIG_SET, "1\ndefault:x=1"),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter("1", "max.connections", CONFIG_SET, NULL),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter("7", "max.connections", CONFIG_SET, "1"),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_string_equal(why, "Unexpected broker id, expected 1, but received 7");
	assert_int_equal(alter("me", "max.connections", CONFIG_SET, "1"),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_string_equal(why, "Node id must be an integer, but it is: me");
	assert_null(describe(CONFIG_RESOURCE_BROKER, "7", "max.connections"));
	assert_string_equal(why,
			    "Unexpected broker id, expected 1 or empty string, but received 7");
	assert_int_equal(alter_as("1", "max.connections", CONFIG_SET, "9", true), 0);
	assert_int_equal(alter_as("1", "max.connections", CONFIG_SET, "-9", true),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_string_equal(stored(), "");
	assert_string_equal(shown(describe(CONFIG_RESOURCE_BROKER, "1", "num.partitions")),
			    "1 5 read-only: num.partitions=1 5");
}

static void broker__connections_at_once(void **state)
{
	struct client more;

	(void)state;
	assert_int_equal(alter("", "max.connections.per.ip", CONFIG_SET, "1"), 0);
	client_open(&more);
	client_closed(&more);
	client_close(&more);
	assert_int_equal(alter("1", "max.connections.per.ip.overrides", CONFIG_SET, "127.0.0.1:2"),
			 0);
	client_open(&more);
	client_create(&more, "second", 1, NULL);
	client_close(&more);
}

static void broker__alter_replaces_the_scope(void **state)
{
	struct kafka_alter_configs_request_config c;
	struct kafka_alter_configs_request_resource res;
	struct kafka_alter_configs_request m;
	struct kafka_alter_configs_response a;

	(void)state;
	assert_int_equal(alter("", "max.connections", CONFIG_SET, "100"), 0);
	assert_int_equal(alter("1", "max.connections", CONFIG_SET, "200"), 0);
	kafka_alter_configs_request_config_init(&c);
	c.name = kafka_str_from("log.retention.bytes");
	c.value = kafka_str_from("9000000");
	kafka_alter_configs_request_resource_init(&res);
	res.resource_type = CONFIG_RESOURCE_BROKER;
	res.resource_name = kafka_str_from("1");
	res.configs.v = &c;
	res.configs.n = 1;
	kafka_alter_configs_request_init(&m);
	m.resources.v = &res;
	m.resources.n = 1;
	CLIENT_CALL(&client, alter_configs, KAFKA_API_ALTER_CONFIGS, 2, &m, &a);
	assert_int_equal(a.responses.v[0].error_code, 0);
	assert_string_equal(stored(),
			    "broker:log.retention.bytes=9000000 default:max.connections=100 ");
	assert_int_equal(in_force().retention_bytes, 9000000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(broker__goes_before_default_before_file),
		TEST(broker__precise_before_coarse),
		TEST(broker__topics_own_settings_stay),
		TEST(broker__lists),
		TEST(broker__refused),
		TEST(broker__connections_at_once),
		TEST(broker__alter_replaces_the_scope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
