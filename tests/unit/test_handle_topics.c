// SPDX-License-Identifier: Apache-2.0
/* CreateTopics, DeleteTopics, DescribeConfigs and InitProducerId: the controller's work. */
#include "tests/daemon/served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct kafka_create_topics_request_topic new_topic(const char *name)
{
	struct kafka_create_topics_request_topic t;

	kafka_create_topics_request_topic_init(&t);
	t.name = kafka_str_from(name);
	t.num_partitions = 1;
	t.replication_factor = 1;
	return t;
}

static void create_all(struct kafka_create_topics_request_topic *t, int n, bool validate_only,
		       struct kafka_create_topics_response *ret)
{
	struct kafka_create_topics_request m;

	kafka_create_topics_request_init(&m);
	m.topics.v = t;
	m.topics.n = n;
	m.validate_only = validate_only;
	CLIENT_CALL(&client, create_topics, KAFKA_API_CREATE_TOPICS, 7, &m, ret);
	assert_int_equal(ret->topics.n, n);
}

static int16_t create(struct kafka_create_topics_request_topic t)
{
	struct kafka_create_topics_response a;

	create_all(&t, 1, false, &a);
	if (a.topics.v[0].error_code)
		assert_true(a.topics.v[0].error_message.len > 0);
	return a.topics.v[0].error_code;
}

static bool partition_exists(const char *name)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", served_dir(), name);
	return !stat(path, &st);
}

static void create__makes_files_and_tells_settings(void **state)
{
	struct kafka_create_topics_request_config configs[] = {
		{kafka_str_from("retention.ms"), kafka_str_from("1000")},
		{kafka_str_from("durability"), kafka_str_from("cache")},
	};
	struct kafka_create_topics_request_topic t = new_topic("orders");
	struct kafka_create_topics_response a;
	bool seen = false;

	(void)state;
	t.num_partitions = 2;
	t.configs.v = configs;
	t.configs.n = 2;
	create_all(&t, 1, false, &a);
	assert_int_equal(a.topics.v[0].error_code, 0);
	assert_int_equal(a.topics.v[0].num_partitions, 2);
	assert_int_equal(a.topics.v[0].replication_factor, 1);
	assert_false(kafka_uuid_is_zero(&a.topics.v[0].topic_id));
	assert_true(partition_exists("orders-1"));
	for (int i = 0; i < a.topics.v[0].configs.n; i++) {
		struct kafka_create_topics_response_config *c = &a.topics.v[0].configs.v[i];

		if (kafka_str_equal(c->name, kafka_str_from("retention.ms"))) {
			assert_true(kafka_str_equal(c->value, kafka_str_from("1000")));
			assert_int_equal(c->config_source, 1);
			seen = true;
		}
	}
	assert_true(seen);
	assert_int_equal(create(new_topic("orders")), KAFKA_ERROR_TOPIC_ALREADY_EXISTS);
}

static void create__defaults(void **state)
{
	struct kafka_create_topics_request_topic t = new_topic("d");
	struct kafka_create_topics_response a;

	(void)state;
	t.num_partitions = -1;
	t.replication_factor = -1;
	create_all(&t, 1, false, &a);
	assert_int_equal(a.topics.v[0].error_code, 0);
	assert_int_equal(a.topics.v[0].num_partitions, 1);
}

static void create__refusals(void **state)
{
	struct kafka_create_topics_request_config config = {kafka_str_from("retention.ms"),
							    kafka_str_from("x")};
	struct kafka_create_topics_request_topic t;

	(void)state;
	assert_int_equal(create(new_topic("")), KAFKA_ERROR_INVALID_TOPIC_EXCEPTION);
	assert_int_equal(create(new_topic("a/b")), KAFKA_ERROR_INVALID_TOPIC_EXCEPTION);
	t = new_topic("x");
	t.name = (struct kafka_str){"x\0y", 3};
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_TOPIC_EXCEPTION);
	t = new_topic("x");
	t.num_partitions = 0;
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_PARTITIONS);
	t.num_partitions = 100001;
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_PARTITIONS);
	t = new_topic("x");
	t.replication_factor = 2;
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_REPLICATION_FACTOR);
	t.replication_factor = 0;
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_REPLICATION_FACTOR);
	t = new_topic("x");
	t.configs.v = &config;
	t.configs.n = 1;
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_CONFIG);
	/* Kafka's least (KIP-1030); the log itself would do with less. */
	config = (struct kafka_create_topics_request_config){kafka_str_from("segment.bytes"),
							     kafka_str_from("1048575")};
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_CONFIG);
	config.name = kafka_str_from("no.such");
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_CONFIG);
	config = (struct kafka_create_topics_request_config){kafka_str_from("retention.ms"),
							     kafka_str_from(NULL)};
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_CONFIG);
	assert_false(partition_exists("x-0"));
}

static void create__assignments(void **state)
{
	int32_t here[] = {1}, elsewhere[] = {2}, two[] = {1, 2};
	struct kafka_create_topics_request_assignment a[] = {{0, {here, 1}}, {1, {here, 1}}};
	struct kafka_create_topics_request_topic t = new_topic("assigned");

	(void)state;
	t.num_partitions = -1;
	t.replication_factor = -1;
	t.assignments.v = a;
	t.assignments.n = 2;
	a[1].broker_ids = (struct kafka_int32_array){elsewhere, 1};
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT);
	a[1].broker_ids = (struct kafka_int32_array){two, 2};
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT);
	a[1].broker_ids = (struct kafka_int32_array){here, 0};
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT);
	a[1].broker_ids = (struct kafka_int32_array){here, 1};
	a[1].partition_index = 0;
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT);
	a[1].partition_index = 2;
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT);
	a[1].partition_index = 1;
	t.num_partitions = 2;
	assert_int_equal(create(t), KAFKA_ERROR_INVALID_REQUEST);
	t.num_partitions = -1;
	assert_int_equal(create(t), KAFKA_ERROR_NONE);
	assert_true(partition_exists("assigned-1"));
}

static void create__twice_in_one_request(void **state)
{
	struct kafka_create_topics_request_topic t[] = {new_topic("a"), new_topic("b"),
							new_topic("a")};
	struct kafka_create_topics_response a;

	(void)state;
	create_all(t, 3, false, &a);
	assert_int_equal(a.topics.v[0].error_code, KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(a.topics.v[1].error_code, 0);
	assert_int_equal(a.topics.v[2].error_code, KAFKA_ERROR_INVALID_REQUEST);
}

static void create__validate_only(void **state)
{
	struct kafka_create_topics_request_topic t = new_topic("v");
	struct kafka_create_topics_response a;

	(void)state;
	create_all(&t, 1, true, &a);
	assert_int_equal(a.topics.v[0].error_code, 0);
	assert_false(partition_exists("v-0"));
	t.replication_factor = 3;
	create_all(&t, 1, true, &a);
	assert_int_equal(a.topics.v[0].error_code, KAFKA_ERROR_INVALID_REPLICATION_FACTOR);
}

static void create__in_each_version(void **state)
{
	struct kafka_create_topics_response a;
	struct kafka_create_topics_request m;
	char name[] = "version-0";

	(void)state;
	for (int16_t version = 2; version <= 7; version++) {
		struct kafka_create_topics_request_topic t;

		name[8] = (char)('0' + version);
		t = new_topic(name);
		kafka_create_topics_request_init(&m);
		m.topics.v = &t;
		m.topics.n = 1;
		CLIENT_CALL(&client, create_topics, KAFKA_API_CREATE_TOPICS, version, &m, &a);
		assert_int_equal(a.topics.v[0].error_code, 0);
	}
}

static void delete__by_name_and_by_id(void **state)
{
	struct kafka_delete_topics_request_topic t[4];
	struct kafka_delete_topics_request m;
	struct kafka_delete_topics_response a;

	(void)state;
	for (int i = 0; i < 4; i++)
		kafka_delete_topics_request_topic_init(&t[i]);
	client_create(&client, "one", 1, NULL);
	client_create(&client, "two", 1, &t[1].topic_id);
	t[0].name = kafka_str_from("one");
	t[2].name = kafka_str_from("nix");
	t[3].topic_id.b[0] = 1;
	kafka_delete_topics_request_init(&m);
	m.topics.v = t;
	m.topics.n = 4;
	CLIENT_CALL(&client, delete_topics, KAFKA_API_DELETE_TOPICS, 6, &m, &a);
	assert_int_equal(a.responses.v[0].error_code, 0);
	assert_false(kafka_uuid_is_zero(&a.responses.v[0].topic_id));
	assert_int_equal(a.responses.v[1].error_code, 0);
	assert_true(kafka_str_equal(a.responses.v[1].name, kafka_str_from("two")));
	assert_int_equal(a.responses.v[2].error_code, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(a.responses.v[3].error_code, KAFKA_ERROR_UNKNOWN_TOPIC_ID);
	assert_false(partition_exists("one-0"));
	assert_false(partition_exists("two-0"));
	/* Nor is twice. */
	t[0] = t[2];
	m.topics.n = 3;
	CLIENT_CALL(&client, delete_topics, KAFKA_API_DELETE_TOPICS, 6, &m, &a);
	assert_int_equal(a.responses.v[0].error_code, KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(a.responses.v[1].error_code, KAFKA_ERROR_UNKNOWN_TOPIC_ID);
	assert_int_equal(a.responses.v[2].error_code, KAFKA_ERROR_INVALID_REQUEST);
	client_create(&client, "one", 1, &t[1].topic_id);
	t[0].name = kafka_str_from("one");
	m.topics.n = 2;
	CLIENT_CALL(&client, delete_topics, KAFKA_API_DELETE_TOPICS, 6, &m, &a);
	assert_int_equal(a.responses.v[0].error_code, KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(a.responses.v[1].error_code, KAFKA_ERROR_INVALID_REQUEST);
	assert_true(partition_exists("one-0"));
	/* Both, or neither, is no way to name one. */
	t[0].topic_id.b[0] = 1;
	m.topics.n = 1;
	CLIENT_CALL(&client, delete_topics, KAFKA_API_DELETE_TOPICS, 6, &m, &a);
	assert_int_equal(a.responses.v[0].error_code, KAFKA_ERROR_INVALID_REQUEST);
}

static void delete__disabled(void **state)
{
	const char *const overrides[] = {"delete.topic.enable=false", NULL};
	struct kafka_delete_topics_request m;
	struct kafka_delete_topics_response a;
	struct kafka_str name = kafka_str_from("kept");

	(void)state;
	client_start(overrides);
	client_create(&client, "kept", 1, NULL);
	kafka_delete_topics_request_init(&m);
	m.topic_names.v = &name;
	m.topic_names.n = 1;
	CLIENT_CALL(&client, delete_topics, KAFKA_API_DELETE_TOPICS, 4, &m, &a);
	assert_int_equal(a.responses.v[0].error_code, KAFKA_ERROR_TOPIC_DELETION_DISABLED);
	assert_true(partition_exists("kept-0"));
	client_stop();
}

static void describe(int8_t type, const char *name, struct kafka_str_array keys,
		     struct kafka_describe_configs_response *ret)
{
	struct kafka_describe_configs_request_resource resource = {
		.resource_type = type,
		.resource_name = kafka_str_from(name),
		.configuration_keys = keys,
	};
	struct kafka_describe_configs_request m;

	kafka_describe_configs_request_init(&m);
	m.resources.v = &resource;
	m.resources.n = 1;
	m.include_synonyms = true;
	m.include_documentation = true;
	CLIENT_CALL(&client, describe_configs, KAFKA_API_DESCRIBE_CONFIGS, 4, &m, ret);
	assert_int_equal(ret->results.n, 1);
}

static const struct kafka_str_array all_keys = {NULL, -1};

static struct kafka_describe_configs_response_config *
config_of(const struct kafka_describe_configs_response *a, const char *key)
{
	for (int i = 0; i < a->results.v[0].configs.n; i++) {
		if (kafka_str_equal(a->results.v[0].configs.v[i].name, kafka_str_from(key)))
			return &a->results.v[0].configs.v[i];
	}
	fail_msg("%s is not told", key);
	return NULL;
}

static void describe__topic(void **state)
{
	const char *const overrides[] = {"log.retention.hours=1", "log.segment.bytes=1048576",
					 NULL};
	struct kafka_create_topics_request_config own = {kafka_str_from("retention.ms"),
							 kafka_str_from("5000")};
	struct kafka_create_topics_request_topic t = new_topic("t");
	struct kafka_describe_configs_response a;
	struct kafka_describe_configs_response_config *c;
	struct kafka_str key = kafka_str_from("segment.bytes");

	(void)state;
	client_start(overrides);
	t.configs.v = &own;
	t.configs.n = 1;
	assert_int_equal(create(t), 0);
	/* An empty list asks for all, too. */
	describe(2, "t", (struct kafka_str_array){NULL, 0}, &a);
	assert_int_equal(config_of(&a, "remote.log.copy.disable")->synonyms.n, 0);
	describe(2, "t", all_keys, &a);
	assert_int_equal(a.results.v[0].error_code, 0);
	c = config_of(&a, "retention.ms");
	assert_true(kafka_str_equal(c->value, kafka_str_from("5000")));
	assert_int_equal(c->config_source, 1);
	assert_int_equal(c->config_type, 5);
	assert_true(c->documentation.len > 10);
	assert_int_equal(c->synonyms.n, 3);
	assert_int_equal(c->synonyms.v[0].source, 1);
	assert_true(kafka_str_equal(c->synonyms.v[1].name, kafka_str_from("log.retention.hours")));
	assert_true(kafka_str_equal(c->synonyms.v[1].value, kafka_str_from("1")));
	assert_int_equal(c->synonyms.v[1].source, 4);
	assert_true(kafka_str_equal(c->synonyms.v[2].name, kafka_str_from("log.retention.hours")));
	assert_true(kafka_str_equal(c->synonyms.v[2].value, kafka_str_from("168")));
	assert_int_equal(c->synonyms.v[2].source, 5);
	c = config_of(&a, "segment.bytes");
	assert_true(kafka_str_equal(c->value, kafka_str_from("1048576")));
	assert_int_equal(c->config_source, 4);
	assert_false(c->read_only);
	c = config_of(&a, "cleanup.policy");
	assert_true(kafka_str_equal(c->value, kafka_str_from("delete")));
	assert_int_equal(c->config_source, 5);
	/* Only what was asked for. */
	describe(2, "t", (struct kafka_str_array){&key, 1}, &a);
	assert_int_equal(a.results.v[0].configs.n, 1);
	describe(2, "nix", all_keys, &a);
	assert_int_equal(a.results.v[0].error_code, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	describe(2, "a/b", all_keys, &a);
	assert_int_equal(a.results.v[0].error_code, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION);
	client_stop();
}

/* The log acts on the broker's default, and on the topic's own setting before it. */
static void defaults__reach_the_log(void **state)
{
	const char *const overrides[] = {"message.max.bytes=2000", NULL};
	struct kafka_create_topics_request_config own = {kafka_str_from("max.message.bytes"),
							 kafka_str_from("9000")};
	struct kafka_create_topics_request_topic t = new_topic("own");
	char value[4000] = {0};
	size_t len;
	uint8_t *batch = make_batch(value, sizeof(value), &len);

	(void)state;
	client_start(overrides);
	assert_int_equal(create(new_topic("plain")), 0);
	t.configs.v = &own;
	t.configs.n = 1;
	assert_int_equal(create(t), 0);
	assert_int_equal(client_produce(&client, "plain", 1, batch, len, NULL),
			 KAFKA_ERROR_MESSAGE_TOO_LARGE);
	assert_int_equal(client_produce(&client, "own", 1, batch, len, NULL), 0);
	client_stop();
	free(batch);
}

static void describe__broker(void **state)
{
	struct kafka_describe_configs_response a;
	struct kafka_describe_configs_response_config *c;

	(void)state;
	describe(4, "1", all_keys, &a);
	assert_int_equal(a.results.v[0].error_code, 0);
	c = config_of(&a, "log.dirs");
	assert_true(kafka_str_equal(c->value, kafka_str_from(served_dir())));
	assert_int_equal(c->config_source, 4);
	assert_true(c->read_only);
	assert_int_equal(config_of(&a, "num.partitions")->config_source, 5);
	assert_int_equal(config_of(&a, "log.segment.bytes")->config_source, 5);
	describe(4, "", all_keys, &a);
	assert_int_equal(a.results.v[0].error_code, 0);
	assert_int_equal(a.results.v[0].configs.n, 0);
	describe(4, "2", all_keys, &a);
	assert_int_equal(a.results.v[0].error_code, KAFKA_ERROR_INVALID_REQUEST);
	describe(8, "1", all_keys, &a);
	assert_int_equal(a.results.v[0].error_code, KAFKA_ERROR_INVALID_REQUEST);
}

static void init_producer_id__never_twice(void **state)
{
	struct kafka_init_producer_id_request m;
	struct kafka_init_producer_id_response a;
	int64_t last = -1;

	(void)state;
	kafka_init_producer_id_request_init(&m);
	m.transactional_id = kafka_str_from(NULL);
	for (int i = 0; i < 1005; i++) {
		CLIENT_CALL(&client, init_producer_id, KAFKA_API_INIT_PRODUCER_ID, 4, &m, &a);
		assert_int_equal(a.error_code, 0);
		assert_int_equal(a.producer_epoch, 0);
		assert_true(a.producer_id > last);
		last = a.producer_id;
	}
	m.transactional_id = kafka_str_from("tx");
	CLIENT_CALL(&client, init_producer_id, KAFKA_API_INIT_PRODUCER_ID, 4, &m, &a);
	assert_int_equal(a.error_code, KAFKA_ERROR_INVALID_TRANSACTION_TIMEOUT);
	assert_int_equal(a.producer_id, -1);
	m.producer_id = 5;
	CLIENT_CALL(&client, init_producer_id, KAFKA_API_INIT_PRODUCER_ID, 4, &m, &a);
	assert_int_equal(a.error_code, KAFKA_ERROR_INVALID_REQUEST);
}

/* Whoever asks and leaves does no harm. */
static void controller__answers_a_client_that_is_gone(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		char name[] = "gone-00";
		struct kafka_create_topics_request_topic t;
		struct kafka_create_topics_request m;
		struct client c;

		name[5] = (char)('0' + i / 10);
		name[6] = (char)('0' + i % 10);
		t = new_topic(name);
		kafka_create_topics_request_init(&m);
		m.topics.v = &t;
		m.topics.n = 1;
		client_open(&c);
		CLIENT_SEND(&c, create_topics, KAFKA_API_CREATE_TOPICS, 7, &m);
		client_close(&c);
	}
	assert_int_equal(create(new_topic("after")), 0);
	for (int tries = 0; !partition_exists("gone-49-0"); tries++) {
		assert_true(tries < 1000);
		usleep(10000);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(create__makes_files_and_tells_settings),
		TEST(create__defaults),
		TEST(create__refusals),
		TEST(create__assignments),
		TEST(create__twice_in_one_request),
		TEST(create__validate_only),
		TEST(create__in_each_version),
		TEST(delete__by_name_and_by_id),
		cmocka_unit_test(delete__disabled),
		cmocka_unit_test(describe__topic),
		cmocka_unit_test(defaults__reach_the_log),
		TEST(describe__broker),
		TEST(init_producer_id__never_twice),
		TEST(controller__answers_a_client_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
