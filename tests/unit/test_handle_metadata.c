// SPDX-License-Identifier: Apache-2.0
/* Metadata, ApiVersions and FindCoordinator: how a client gets to know the broker. */
#include "tests/daemon/served.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/log/log_dir.h"

static void metadata(const char *const *names, int n, bool create, int16_t version,
		     struct kafka_metadata_response *ret)
{
	struct kafka_metadata_request_topic topics[8];
	struct kafka_metadata_request m;

	kafka_metadata_request_init(&m);
	for (int i = 0; i < n; i++) {
		kafka_metadata_request_topic_init(&topics[i]);
		topics[i].name = kafka_str_from(names[i]);
	}
	m.topics.v = topics;
	m.topics.n = n;
	m.allow_auto_topic_creation = create;
	CLIENT_CALL(&client, metadata, KAFKA_API_METADATA, version, &m, ret);
}

static void metadata__names_the_broker(void **state)
{
	struct kafka_metadata_response a;

	(void)state;
	metadata(NULL, -1, false, 9, &a);
	assert_int_equal(a.brokers.n, 1);
	assert_int_equal(a.brokers.v[0].node_id, 1);
	assert_int_equal(a.brokers.v[0].port, served_port());
	assert_true(kafka_str_equal(a.brokers.v[0].host, kafka_str_from("127.0.0.1")));
	assert_int_equal(a.controller_id, 1);
	assert_int_equal(a.cluster_id.len, 22);
	assert_int_equal(a.topics.n, 0);
}

static void metadata__describes_topics(void **state)
{
	struct kafka_metadata_response a;
	struct kafka_uuid id;
	const char *names[] = {"b"};

	(void)state;
	client_create(&client, "a", 1, NULL);
	client_create(&client, "b", 3, &id);
	metadata(NULL, -1, false, 12, &a);
	assert_int_equal(a.topics.n, 2);
	metadata(names, 1, false, 12, &a);
	assert_int_equal(a.topics.n, 1);
	assert_memory_equal(&a.topics.v[0].topic_id, &id, sizeof(id));
	assert_int_equal(a.topics.v[0].topic_authorized_operations, INT32_MIN);
	assert_int_equal(a.topics.v[0].partitions.n, 3);
	for (int i = 0; i < 3; i++) {
		struct kafka_metadata_response_partition *p = &a.topics.v[0].partitions.v[i];

		assert_int_equal(p->partition_index, i);
		assert_int_equal(p->leader_id, 1);
		assert_int_equal(p->leader_epoch, 0);
		assert_int_equal(p->replica_nodes.n, 1);
		assert_int_equal(p->isr_nodes.v[0], 1);
		assert_int_equal(p->offline_replicas.n, 0);
	}
}

static void metadata__no_topics_means_all_only_in_version_0(void **state)
{
	struct kafka_metadata_response a;

	(void)state;
	client_create(&client, "a", 1, NULL);
	metadata(NULL, 0, false, 0, &a);
	assert_int_equal(a.topics.n, 1);
	metadata(NULL, 0, false, 1, &a);
	assert_int_equal(a.topics.n, 0);
}

static void metadata__by_id(void **state)
{
	struct kafka_metadata_request_topic topics[2];
	struct kafka_metadata_request m;
	struct kafka_metadata_response a;

	(void)state;
	kafka_metadata_request_init(&m);
	kafka_metadata_request_topic_init(&topics[0]);
	client_create(&client, "a", 1, &topics[0].topic_id);
	topics[0].name.len = -1;
	topics[1] = topics[0];
	topics[1].topic_id.b[0] ^= 1;
	m.topics.v = topics;
	m.topics.n = 2;
	for (int16_t version = 10; version <= 13; version++) {
		/* Versions 10 and 11 have no null in the answer. */
		CLIENT_CALL(&client, metadata, KAFKA_API_METADATA, version, &m, &a);
		assert_int_equal(a.topics.v[0].error_code, 0);
		assert_true(kafka_str_equal(a.topics.v[0].name, kafka_str_from("a")));
		assert_int_equal(a.topics.v[1].error_code, KAFKA_ERROR_UNKNOWN_TOPIC_ID);
		assert_int_equal(a.topics.v[1].name.len, version < 12 ? 0 : -1);
		assert_int_equal(a.topics.v[1].partitions.n, 0);
	}
}

static void metadata__creates_topics(void **state)
{
	const char *names[] = {"new", "bad/name", "new2", ".", "new"};
	struct kafka_metadata_response a;

	(void)state;
	metadata(names, 5, false, 9, &a);
	assert_int_equal(a.topics.v[0].error_code, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(a.topics.v[1].error_code, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION);
	metadata(names, 5, true, 9, &a);
	assert_int_equal(a.topics.v[0].error_code, 0);
	assert_int_equal(a.topics.v[0].partitions.n, 1);
	assert_int_equal(a.topics.v[1].error_code, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION);
	assert_int_equal(a.topics.v[2].error_code, 0);
	assert_int_equal(a.topics.v[3].error_code, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION);
	assert_int_equal(a.topics.v[4].error_code, 0);
}

static void metadata__creates_only_if_set_so(void **state)
{
	const char *const overrides[] = {"auto.create.topics.enable=false", "num.partitions=4",
					 NULL};
	const char *names[] = {"new"};
	struct kafka_metadata_response a;

	(void)state;
	client_start(overrides);
	metadata(names, 1, true, 9, &a);
	assert_int_equal(a.topics.v[0].error_code, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	client_create(&client, "new", -1, NULL);
	metadata(names, 1, true, 9, &a);
	assert_int_equal(a.topics.v[0].partitions.n, 4);
	client_stop();
}

static void metadata__advertises_what_is_set(void **state)
{
	const char *const overrides[] = {"advertised.listeners=PLAINTEXT://example.org:19092",
					 "node.id=7", NULL};
	struct kafka_metadata_response a;

	(void)state;
	client_start(overrides);
	metadata(NULL, -1, true, 13, &a);
	assert_true(kafka_str_equal(a.brokers.v[0].host, kafka_str_from("example.org")));
	assert_int_equal(a.brokers.v[0].port, 19092);
	assert_int_equal(a.brokers.v[0].node_id, 7);
	client_stop();
}

/* What somebody else creates, without asking the daemon. */
static void metadata__hears_of_others(void **state)
{
	const char *names[] = {"theirs"};
	struct log_dir_error err;
	struct kafka_metadata_response a;
	struct kern *k;
	int tries = 0;

	(void)state;
	assert_int_equal(kern_open(&k), 0);
	assert_int_equal(log_dir_topic_create(k, served_dir(), "theirs", 2, NULL, 0, NULL, &err),
			 0);
	do {
		metadata(names, 1, false, 9, &a);
		assert_true(tries++ < 10000);
	} while (a.topics.v[0].error_code);
	assert_int_equal(a.topics.v[0].partitions.n, 2);
	assert_int_equal(log_dir_topic_delete(k, served_dir(), "theirs", &err), 0);
	do {
		metadata(names, 1, false, 9, &a);
		assert_true(tries++ < 10000);
	} while (!a.topics.v[0].error_code);
	kern_close(k);
}

/* Old clients cannot read that a feature may be off (KAFKA-17492). */
static void check_features(const struct kafka_api_versions_response *a, int16_t version)
{
	assert_int_equal(a->supported_features.n, version >= 4);
	assert_int_equal(a->finalized_features.n, version >= 3);
	if (version < 3)
		return;
	assert_int_equal(a->finalized_features_epoch, 0);
	assert_true(kafka_str_equal(a->finalized_features.v[0].name,
				    kafka_str_from("transaction.version")));
	assert_int_equal(a->finalized_features.v[0].max_version_level, 2);
}

static void check_ranges(const struct kafka_api_versions_response *a)
{
	bool produce = false;

	assert_int_equal(a->api_keys.n, KAFKA_API_COUNT);
	for (int i = 0; i < a->api_keys.n; i++) {
		const struct kafka_api *api = kafka_api_find(a->api_keys.v[i].api_key);

		assert_non_null(api);
		assert_int_equal(a->api_keys.v[i].max_version, api->max);
		if (api->key == KAFKA_API_PRODUCE) {
			/* librdkafka turns compression off otherwise (KAFKA-18659). */
			assert_int_equal(a->api_keys.v[i].min_version, 0);
			produce = true;
		}
	}
	assert_true(produce);
}

static void api_versions__in_each_version(void **state)
{
	struct kafka_api_versions_response a;
	struct kafka_api_versions_request m;

	(void)state;
	kafka_api_versions_request_init(&m);
	m.client_software_name = kafka_str_from("test");
	m.client_software_version = kafka_str_from("1.0-x");
	for (int16_t version = 0; version <= 4; version++) {
		CLIENT_CALL(&client, api_versions, KAFKA_API_API_VERSIONS, version, &m, &a);
		assert_int_equal(a.error_code, 0);
		check_ranges(&a);
		check_features(&a, version);
	}
	m.client_software_name = kafka_str_from("bad name");
	CLIENT_CALL(&client, api_versions, KAFKA_API_API_VERSIONS, 3, &m, &a);
	assert_int_equal(a.error_code, KAFKA_ERROR_INVALID_REQUEST);
}

/* A client from the future gets version 0, whatever its request looks like (KIP-511). */
static void api_versions__unknown_version(void **state)
{
	struct kafka_api_versions_response a;
	struct wire_reader r;
	struct wire_writer w;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	wire_writer_init(&w, &b);
	wire_write_int32(&w, 0);
	wire_write_int16(&w, KAFKA_API_API_VERSIONS);
	wire_write_int16(&w, 99);
	wire_write_int32(&w, 12345);
	client_send(&client, &w);
	client_receive_correlation(&client, &r, KAFKA_API_API_VERSIONS, 0, 12345);
	assert_int_equal(kafka_api_versions_response_decode(&r, &client.arena, 0, &a), 0);
	assert_int_equal(a.error_code, KAFKA_ERROR_UNSUPPORTED_VERSION);
	/* In which version to ask again; no more, for the client will. */
	assert_int_equal(a.api_keys.n, 1);
	assert_int_equal(a.api_keys.v[0].api_key, KAFKA_API_API_VERSIONS);
	assert_int_equal(a.api_keys.v[0].min_version, 0);
	assert_int_equal(a.api_keys.v[0].max_version, 4);
}

static void find_coordinator__is_this_broker(void **state)
{
	struct kafka_find_coordinator_response a;
	struct kafka_find_coordinator_request m;
	struct kafka_str keys[] = {kafka_str_from("g1"), kafka_str_from("g2")};

	(void)state;
	kafka_find_coordinator_request_init(&m);
	m.key = kafka_str_from("g");
	for (int16_t version = 0; version <= 3; version++) {
		CLIENT_CALL(&client, find_coordinator, KAFKA_API_FIND_COORDINATOR, version, &m, &a);
		assert_int_equal(a.error_code, 0);
		assert_int_equal(a.node_id, 1);
		assert_int_equal(a.port, served_port());
	}
	m.coordinator_keys.v = keys;
	m.coordinator_keys.n = 2;
	CLIENT_CALL(&client, find_coordinator, KAFKA_API_FIND_COORDINATOR, 4, &m, &a);
	assert_int_equal(a.coordinators.n, 2);
	assert_true(kafka_str_equal(a.coordinators.v[1].key, keys[1]));
	assert_int_equal(a.coordinators.v[1].node_id, 1);
	m.key_type = 1;
	CLIENT_CALL(&client, find_coordinator, KAFKA_API_FIND_COORDINATOR, 4, &m, &a);
	assert_int_equal(a.coordinators.v[0].error_code, 0);
	assert_int_equal(a.coordinators.v[0].node_id, 1);
	m.key_type = 2;
	CLIENT_CALL(&client, find_coordinator, KAFKA_API_FIND_COORDINATOR, 4, &m, &a);
	assert_int_equal(a.coordinators.v[0].error_code, KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(a.coordinators.v[0].node_id, -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(metadata__names_the_broker),
		TEST(metadata__describes_topics),
		TEST(metadata__no_topics_means_all_only_in_version_0),
		TEST(metadata__by_id),
		TEST(metadata__creates_topics),
		cmocka_unit_test(metadata__creates_only_if_set_so),
		cmocka_unit_test(metadata__advertises_what_is_set),
		TEST(metadata__hears_of_others),
		TEST(api_versions__in_each_version),
		TEST(api_versions__unknown_version),
		TEST(find_coordinator__is_this_broker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
