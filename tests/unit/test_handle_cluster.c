// SPDX-License-Identifier: Apache-2.0
/* What tools ask about the cluster: DescribeCluster, ElectLeaders, reassignments, log dirs. */
#include "tests/daemon/served.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/log/log_dir.h"

static int setup(void **state)
{
	static const char *const overrides[] = {"node.id=7", NULL};

	(void)state;
	client_start(overrides);
	return 0;
}

static void describe_cluster(int16_t version, int8_t endpoint, bool operations,
			     struct kafka_describe_cluster_response *a)
{
	struct kafka_describe_cluster_request m;

	kafka_describe_cluster_request_init(&m);
	m.endpoint_type = endpoint;
	m.include_cluster_authorized_operations = operations;
	CLIENT_CALL(&client, describe_cluster, KAFKA_API_DESCRIBE_CLUSTER, version, &m, a);
}

static void describe_cluster__this_broker(void **state)
{
	struct kafka_describe_cluster_response a;

	(void)state;
	for (int16_t version = 0; version <= 2; version++) {
		describe_cluster(version, 1, version, &a);
		assert_int_equal(a.error_code, 0);
		assert_int_equal(a.controller_id, 7);
		assert_true(a.cluster_id.len > 0);
		assert_int_equal(a.brokers.n, 1);
		assert_int_equal(a.brokers.v[0].broker_id, 7);
		assert_int_equal(a.brokers.v[0].port, served_port());
		assert_false(a.brokers.v[0].is_fenced);
		/* CREATE 5, ALTER 7, DESCRIBE 8, CLUSTER_ACTION 9 ... IDEMPOTENT_WRITE 12 */
		assert_int_equal(a.cluster_authorized_operations, version ? 0x1fa0 : INT32_MIN);
	}
}

static void describe_cluster__other_endpoints(void **state)
{
	struct kafka_describe_cluster_response a;

	(void)state;
	describe_cluster(1, 2, false, &a);
	assert_int_equal(a.error_code, KAFKA_ERROR_MISMATCHED_ENDPOINT_TYPE);
	assert_int_equal(a.brokers.n, 0);
	describe_cluster(2, 9, false, &a);
	assert_int_equal(a.error_code, KAFKA_ERROR_UNSUPPORTED_ENDPOINT_TYPE);
}

static void list_partition_reassignments__none(void **state)
{
	struct kafka_list_partition_reassignments_request m;
	struct kafka_list_partition_reassignments_response a;

	(void)state;
	client_create(&client, "a", 1, NULL);
	kafka_list_partition_reassignments_request_init(&m);
	m.topics.n = -1;
	CLIENT_CALL(&client, list_partition_reassignments, KAFKA_API_LIST_PARTITION_REASSIGNMENTS,
		    0, &m, &a);
	assert_int_equal(a.error_code, 0);
	assert_int_equal(a.topics.n, 0);
}

static void elect(int16_t version, int8_t type, struct kafka_elect_leaders_request_topic *t, int n,
		  struct kafka_elect_leaders_response *a)
{
	struct kafka_elect_leaders_request m;

	kafka_elect_leaders_request_init(&m);
	m.election_type = type;
	m.topic_partitions.v = t;
	m.topic_partitions.n = n;
	CLIENT_CALL(&client, elect_leaders, KAFKA_API_ELECT_LEADERS, version, &m, a);
}

static void elect_leaders__not_needed(void **state)
{
	int32_t partitions[] = {1, 2, -1};
	struct kafka_elect_leaders_request_topic t = {.topic = kafka_str_from("a")};
	struct kafka_elect_leaders_response a;

	(void)state;
	client_create(&client, "a", 2, NULL);
	t.partitions.v = partitions;
	t.partitions.n = 3;
	for (int16_t version = 0; version <= 2; version++) {
		elect(version, 0, &t, 1, &a);
		assert_int_equal(a.error_code, 0);
		assert_int_equal(a.replica_election_results.n, 1);
		assert_int_equal(a.replica_election_results.v[0].partition_result.n, 3);
		assert_int_equal(a.replica_election_results.v[0].partition_result.v[0].error_code,
				 KAFKA_ERROR_ELECTION_NOT_NEEDED);
		for (int i = 1; i < 3; i++)
			assert_int_equal(
				a.replica_election_results.v[0].partition_result.v[i].error_code,
				KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	}
	elect(2, 1, NULL, -1, &a);
	assert_int_equal(a.error_code, 0);
	assert_int_equal(a.replica_election_results.n, 0);
	elect(2, 2, &t, 1, &a);
	assert_int_equal(a.error_code, KAFKA_ERROR_INVALID_REQUEST);
}

static void describe_log_dirs(int16_t version, struct kafka_describe_log_dirs_request_topic *t,
			      int n, struct kafka_describe_log_dirs_response *a)
{
	struct kafka_describe_log_dirs_request m;

	kafka_describe_log_dirs_request_init(&m);
	m.topics.v = t;
	m.topics.n = n;
	CLIENT_CALL(&client, describe_log_dirs, KAFKA_API_DESCRIBE_LOG_DIRS, version, &m, a);
	assert_int_equal(a->error_code, 0);
	assert_int_equal(a->results.n, 1);
	assert_true(kafka_str_equal(a->results.v[0].log_dir, kafka_str_from(served_dir())));
	assert_int_equal(a->results.v[0].error_code, 0);
}

static void describe_log_dirs__all(void **state)
{
	struct kafka_describe_log_dirs_response a;

	(void)state;
	describe_log_dirs(1, NULL, -1, &a);
	assert_int_equal(a.results.v[0].topics.n, 0);
	client_create(&client, "a", 3, NULL);
	client_create(&client, "b", 1, NULL);
	for (int16_t version = 1; version <= 5; version++) {
		describe_log_dirs(version, NULL, -1, &a);
		assert_int_equal(a.results.v[0].topics.n, 2);
		assert_int_equal(a.results.v[0].topics.v[0].partitions.n +
					 a.results.v[0].topics.v[1].partitions.n,
				 4);
		if (version < 4) {
			assert_int_equal(a.results.v[0].total_bytes, -1);
			continue;
		}
		assert_true(a.results.v[0].usable_bytes > 0);
		assert_true(a.results.v[0].total_bytes >= a.results.v[0].usable_bytes);
	}
}

static void describe_log_dirs__some(void **state)
{
	int32_t partitions[] = {2, 7, -1, 2};
	struct kafka_describe_log_dirs_request_topic t[] = {{.topic = kafka_str_from("a")},
							    {.topic = kafka_str_from("missing")},
							    {.topic = kafka_str_from("a")}};
	struct kafka_describe_log_dirs_response a;

	(void)state;
	client_create(&client, "a", 3, NULL);
	for (int i = 0; i < 3; i++) {
		t[i].partitions.v = partitions;
		t[i].partitions.n = 4;
	}
	describe_log_dirs(5, t, 3, &a);
	assert_int_equal(a.results.v[0].topics.n, 1);
	assert_int_equal(a.results.v[0].topics.v[0].partitions.n, 1);
	assert_int_equal(a.results.v[0].topics.v[0].partitions.v[0].partition_index, 2);
	assert_int_equal(a.results.v[0].topics.v[0].partitions.v[0].partition_size, 0);
}

static int16_t move(const char *dir, const char *topic, int32_t partition)
{
	struct kafka_alter_replica_log_dirs_request_topic t = {.name = kafka_str_from(topic),
							       .partitions = {&partition, 1}};
	struct kafka_alter_replica_log_dirs_request_dir d = {.path = kafka_str_from(dir)};
	struct kafka_alter_replica_log_dirs_request m;
	struct kafka_alter_replica_log_dirs_response a;
	int16_t code = -1;

	d.topics.v = &t;
	d.topics.n = 1;
	kafka_alter_replica_log_dirs_request_init(&m);
	m.dirs.v = &d;
	m.dirs.n = 1;
	for (int16_t version = 1; version <= 2; version++) {
		CLIENT_CALL(&client, alter_replica_log_dirs, KAFKA_API_ALTER_REPLICA_LOG_DIRS,
			    version, &m, &a);
		assert_int_equal(a.results.n, 1);
		assert_int_equal(a.results.v[0].partitions.v[0].partition_index, partition);
		code = a.results.v[0].partitions.v[0].error_code;
	}
	return code;
}

static void alter_replica_log_dirs__there_already(void **state)
{
	(void)state;
	client_create(&client, "a", 1, NULL);
	assert_int_equal(move(served_dir(), "a", 0), 0);
	assert_int_equal(move("/elsewhere", "a", 0), KAFKA_ERROR_LOG_DIR_NOT_FOUND);
	assert_int_equal(move(served_dir(), "a", 1), KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(move(served_dir(), "b", 0), KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
}

static int16_t reassign(int32_t partition, int32_t *replicas, int32_t n)
{
	struct kafka_alter_partition_reassignments_request_partition p = {
		.partition_index = partition, .replicas = {replicas, n}};
	struct kafka_alter_partition_reassignments_request_topic t = {.name = kafka_str_from("a")};
	struct kafka_alter_partition_reassignments_request m;
	struct kafka_alter_partition_reassignments_response a;
	int16_t code = -1;

	t.partitions.v = &p;
	t.partitions.n = 1;
	kafka_alter_partition_reassignments_request_init(&m);
	m.topics.v = &t;
	m.topics.n = 1;
	for (int16_t version = 0; version <= 1; version++) {
		CLIENT_CALL(&client, alter_partition_reassignments,
			    KAFKA_API_ALTER_PARTITION_REASSIGNMENTS, version, &m, &a);
		assert_int_equal(a.error_code, 0);
		assert_int_equal(a.responses.n, 1);
		code = a.responses.v[0].partitions.v[0].error_code;
	}
	return code;
}

static void alter_partition_reassignments__this_broker_only(void **state)
{
	int32_t own[] = {7};
	int32_t other[] = {8};
	int32_t two[] = {7, 8};

	(void)state;
	client_create(&client, "a", 1, NULL);
	assert_int_equal(reassign(0, own, 1), 0);
	assert_int_equal(reassign(0, other, 1), KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT);
	assert_int_equal(reassign(0, two, 2), KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT);
	assert_int_equal(reassign(0, own, 0), KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT);
	assert_int_equal(reassign(0, NULL, -1), KAFKA_ERROR_NO_REASSIGNMENT_IN_PROGRESS);
	assert_int_equal(reassign(1, own, 1), KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
}

static void list_resources(int16_t version, int8_t *types, int32_t n,
			   struct kafka_list_config_resources_response *a)
{
	struct kafka_list_config_resources_request m;

	kafka_list_config_resources_request_init(&m);
	m.resource_types.v = types;
	m.resource_types.n = n;
	CLIENT_CALL(&client, list_config_resources, KAFKA_API_LIST_CONFIG_RESOURCES, version, &m,
		    a);
}

static void list_config_resources__topics_and_broker(void **state)
{
	struct kafka_list_config_resources_response a;
	int8_t topic = 2, metrics = 16, unknown = 3;

	(void)state;
	client_create(&client, "a", 1, NULL);
	list_resources(1, NULL, 0, &a);
	assert_int_equal(a.error_code, 0);
	assert_int_equal(a.config_resources.n, 2);
	assert_true(kafka_str_equal(a.config_resources.v[0].resource_name, kafka_str_from("a")));
	assert_int_equal(a.config_resources.v[0].resource_type, 2);
	assert_true(kafka_str_equal(a.config_resources.v[1].resource_name, kafka_str_from("7")));
	assert_int_equal(a.config_resources.v[1].resource_type, 4);
	list_resources(1, &topic, 1, &a);
	assert_int_equal(a.config_resources.n, 1);
	list_resources(1, &metrics, 1, &a);
	assert_int_equal(a.error_code, 0);
	assert_int_equal(a.config_resources.n, 0);
	list_resources(1, &unknown, 1, &a);
	assert_int_equal(a.error_code, KAFKA_ERROR_UNSUPPORTED_VERSION);
	list_resources(0, NULL, 0, &a);
	assert_int_equal(a.error_code, 0);
	assert_int_equal(a.config_resources.n, 0);
}

static int16_t push(struct kafka_uuid id, int32_t subscription, int8_t compression)
{
	struct kafka_push_telemetry_request m;
	struct kafka_push_telemetry_response a;

	kafka_push_telemetry_request_init(&m);
	m.client_instance_id = id;
	m.subscription_id = subscription;
	m.compression_type = compression;
	CLIENT_CALL(&client, push_telemetry, KAFKA_API_PUSH_TELEMETRY, 0, &m, &a);
	return a.error_code;
}

static void telemetry__no_metrics_wanted(void **state)
{
	struct kafka_get_telemetry_subscriptions_request m;
	struct kafka_get_telemetry_subscriptions_response a;
	struct kafka_uuid none = {{0}}, id;
	int32_t subscription;

	(void)state;
	kafka_get_telemetry_subscriptions_request_init(&m);
	CLIENT_CALL(&client, get_telemetry_subscriptions, KAFKA_API_GET_TELEMETRY_SUBSCRIPTIONS, 0,
		    &m, &a);
	assert_int_equal(a.error_code, 0);
	assert_false(kafka_uuid_is_zero(&a.client_instance_id));
	assert_int_equal(a.requested_metrics.n, 0);
	assert_true(a.push_interval_ms > 0);
	id = a.client_instance_id;
	subscription = a.subscription_id;
	m.client_instance_id = id;
	CLIENT_CALL(&client, get_telemetry_subscriptions, KAFKA_API_GET_TELEMETRY_SUBSCRIPTIONS, 0,
		    &m, &a);
	assert_memory_equal(&a.client_instance_id, &id, sizeof(id));
	assert_int_equal(a.subscription_id, subscription);
	assert_int_equal(push(id, subscription, 0), 0);
	assert_int_equal(push(id, subscription, 4), 0);
	assert_int_equal(push(id, subscription, 5), KAFKA_ERROR_UNSUPPORTED_COMPRESSION_TYPE);
	assert_int_equal(push(id, subscription + 1, 0), KAFKA_ERROR_UNKNOWN_SUBSCRIPTION_ID);
	assert_int_equal(push(none, subscription, 0), KAFKA_ERROR_INVALID_REQUEST);
}

static int16_t update_feature(int16_t version, const char *name, int16_t level, int8_t type)
{
	struct kafka_update_features_request_feature_update u;
	struct kafka_update_features_request m;
	struct kafka_update_features_response a;

	kafka_update_features_request_feature_update_init(&u);
	u.feature = kafka_str_from(name);
	u.max_version_level = level;
	u.allow_downgrade = type != 1;
	u.upgrade_type = type;
	kafka_update_features_request_init(&m);
	m.feature_updates.v = &u;
	m.feature_updates.n = 1;
	CLIENT_CALL(&client, update_features, KAFKA_API_UPDATE_FEATURES, version, &m, &a);
	/* Each is named by version 0 and 1, where all went well. */
	assert_int_equal(a.results.n, version < 2 && !a.error_code);
	return a.error_code;
}

static void update_features__one_level(void **state)
{
	(void)state;
	for (int16_t version = 0; version <= 2; version++) {
		assert_int_equal(update_feature(version, "transaction.version", 2, 1), 0);
		assert_int_equal(update_feature(version, "transaction.version", 3, 1),
				 KAFKA_ERROR_INVALID_UPDATE_VERSION);
		assert_int_equal(update_feature(version, "transaction.version", 1, 1),
				 KAFKA_ERROR_INVALID_UPDATE_VERSION);
		assert_int_equal(update_feature(version, "transaction.version", 1, 3),
				 KAFKA_ERROR_FEATURE_UPDATE_FAILED);
		assert_int_equal(update_feature(version, "metadata.version", 7, 1),
				 KAFKA_ERROR_INVALID_UPDATE_VERSION);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(describe_cluster__this_broker),
		TEST(describe_cluster__other_endpoints),
		TEST(list_partition_reassignments__none),
		TEST(elect_leaders__not_needed),
		TEST(describe_log_dirs__all),
		TEST(describe_log_dirs__some),
		TEST(alter_replica_log_dirs__there_already),
		TEST(alter_partition_reassignments__this_broker_only),
		TEST(list_config_resources__topics_and_broker),
		TEST(telemetry__no_metrics_wanted),
		TEST(update_features__one_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
