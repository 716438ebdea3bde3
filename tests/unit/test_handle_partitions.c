// SPDX-License-Identifier: Apache-2.0
/* CreatePartitions and DescribeTopicPartitions. */
#include "tests/daemon/served.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/log/log_dir.h"

struct grow {
	int16_t version;
	const char *topic;
	int32_t count;
	bool validate_only;
	int32_t n_assignments;
	int32_t broker;
	bool twice;
};

static int16_t grow(const struct grow *g)
{
	struct kafka_create_partitions_request_assignment assignments[4];
	struct kafka_create_partitions_request_topic t[2];
	struct kafka_create_partitions_request m;
	struct kafka_create_partitions_response a;
	int32_t broker = g->broker;

	for (int i = 0; i < 4; i++) {
		assignments[i].broker_ids.v = &broker;
		assignments[i].broker_ids.n = 1;
	}
	kafka_create_partitions_request_topic_init(&t[0]);
	t[0].name = kafka_str_from(g->topic);
	t[0].count = g->count;
	t[0].assignments.v = assignments;
	t[0].assignments.n = g->n_assignments ? g->n_assignments : -1;
	t[1] = t[0];
	kafka_create_partitions_request_init(&m);
	m.topics.v = t;
	m.topics.n = 1 + g->twice;
	m.timeout_ms = 1000;
	m.validate_only = g->validate_only;
	CLIENT_CALL(&client, create_partitions, KAFKA_API_CREATE_PARTITIONS, g->version, &m, &a);
	assert_int_equal(a.results.n, 1 + g->twice);
	assert_true(kafka_str_equal(a.results.v[0].name, t[0].name));
	return a.results.v[0].error_code;
}

static int32_t count_of(const char *topic)
{
	struct kafka_metadata_request_topic t = {.name = kafka_str_from(topic)};
	struct kafka_metadata_request m;
	struct kafka_metadata_response a;

	kafka_metadata_request_init(&m);
	m.allow_auto_topic_creation = false;
	m.topics.v = &t;
	m.topics.n = 1;
	CLIENT_CALL(&client, metadata, KAFKA_API_METADATA, 9, &m, &a);
	return a.topics.v[0].partitions.n;
}

static void create_partitions__more(void **state)
{
	int64_t offset;
	size_t len;
	uint8_t *batch = make_batch("value", 5, &len);

	(void)state;
	client_create(&client, "t", 1, NULL);
	assert_int_equal(client_produce(&client, "t", 1, batch, len, &offset), 0);
	for (int16_t version = 0; version <= 3; version++) {
		assert_int_equal(grow(&(struct grow){.version = version,
						     .topic = "t",
						     .count = 2 + version,
						     .validate_only = false}),
				 0);
		/* Whoever has the answer sees them. */
		assert_int_equal(count_of("t"), 2 + version);
	}
	/* What was there stays there. */
	assert_int_equal(client_produce(&client, "t", 1, batch, len, &offset), 0);
	assert_int_equal(offset, 1);
	assert_int_equal(grow(&(struct grow){.version = 3,
					     .topic = "t",
					     .count = 7,
					     .validate_only = false,
					     .n_assignments = 2,
					     .broker = 1}),
			 0);
	assert_int_equal(count_of("t"), 7);
	free(batch);
}

static void create_partitions__validate_only(void **state)
{
	(void)state;
	client_create(&client, "t", 2, NULL);
	assert_int_equal(
		grow(&(struct grow){.version = 1, .topic = "t", .count = 5, .validate_only = true}),
		0);
	assert_int_equal(count_of("t"), 2);
	assert_int_equal(
		grow(&(struct grow){.version = 1, .topic = "t", .count = 2, .validate_only = true}),
		KAFKA_ERROR_INVALID_PARTITIONS);
}

static void create_partitions__errors(void **state)
{
	(void)state;
	client_create(&client, "t", 2, NULL);
	assert_int_equal(grow(&(struct grow){.version = 3, .topic = "nix", .count = 5}),
			 KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	assert_int_equal(grow(&(struct grow){.version = 3, .topic = "t", .count = 2}),
			 KAFKA_ERROR_INVALID_PARTITIONS);
	assert_int_equal(grow(&(struct grow){.version = 3, .topic = "t", .count = 1}),
			 KAFKA_ERROR_INVALID_PARTITIONS);
	assert_int_equal(grow(&(struct grow){.version = 3, .topic = "t", .count = -1}),
			 KAFKA_ERROR_INVALID_PARTITIONS);
	assert_int_equal(grow(&(struct grow){.version = 3, .topic = "t", .count = 100001}),
			 KAFKA_ERROR_INVALID_PARTITIONS);
	assert_int_equal(
		grow(&(struct grow){.version = 3, .topic = "t", .count = 3, .twice = true}),
		KAFKA_ERROR_INVALID_REQUEST);
	/* As many assignments as new partitions, and to this broker. */
	assert_int_equal(grow(&(struct grow){.version = 3,
					     .topic = "t",
					     .count = 4,
					     .validate_only = false,
					     .n_assignments = 1,
					     .broker = 1}),
			 KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT);
	assert_int_equal(grow(&(struct grow){.version = 3,
					     .topic = "t",
					     .count = 4,
					     .validate_only = false,
					     .n_assignments = 2,
					     .broker = 9}),
			 KAFKA_ERROR_INVALID_REPLICA_ASSIGNMENT);
	assert_int_equal(count_of("t"), 2);
}

/* A directory that is not ours is in the way. */
static void create_partitions__leaves_files_alone(void **state)
{
	char path[128];
	struct stat st;

	(void)state;
	client_create(&client, "t", 1, NULL);
	snprintf(path, sizeof(path), "%s/t-1", served_dir());
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/t-1/00000000000000000000.log", served_dir());
	assert_int_equal(mknod(path, S_IFREG | 0644, 0), 0);
	assert_int_not_equal(grow(&(struct grow){.version = 3, .topic = "t", .count = 3}), 0);
	assert_int_equal(count_of("t"), 1);
	assert_int_equal(stat(path, &st), 0);
	snprintf(path, sizeof(path), "%s/t-2", served_dir());
	assert_int_equal(stat(path, &st), -1);
}

struct page {
	int32_t limit;
	const char *cursor;
	int32_t partition;
	const char *names[4];
};

static void describe(const struct page *p, struct kafka_describe_topic_partitions_response *a)
{
	struct kafka_describe_topic_partitions_request_topic t[4];
	struct kafka_describe_topic_partitions_request m;

	kafka_describe_topic_partitions_request_init(&m);
	m.topics.v = t;
	while (m.topics.n < 4 && p->names[m.topics.n]) {
		t[m.topics.n].name = kafka_str_from(p->names[m.topics.n]);
		m.topics.n++;
	}
	if (p->limit)
		m.response_partition_limit = p->limit;
	if (p->cursor) {
		m.has_cursor = true;
		m.cursor.topic_name = kafka_str_from(p->cursor);
		m.cursor.partition_index = p->partition;
	}
	CLIENT_CALL(&client, describe_topic_partitions, KAFKA_API_DESCRIBE_TOPIC_PARTITIONS, 0, &m,
		    a);
}

static void assert_topic(const struct kafka_describe_topic_partitions_response *a, int32_t i,
			 const char *name, int32_t first, int32_t n)
{
	assert_true(i < a->topics.n);
	assert_true(kafka_str_equal(a->topics.v[i].name, kafka_str_from(name)));
	assert_int_equal(a->topics.v[i].error_code, 0);
	assert_int_equal(a->topics.v[i].partitions.n, n);
	assert_false(kafka_uuid_is_zero(&a->topics.v[i].topic_id));
	for (int32_t j = 0; j < n; j++) {
		assert_int_equal(a->topics.v[i].partitions.v[j].partition_index, first + j);
		assert_int_equal(a->topics.v[i].partitions.v[j].leader_id, 1);
		assert_int_equal(a->topics.v[i].partitions.v[j].isr_nodes.n, 1);
	}
}

static void assert_cursor(const struct kafka_describe_topic_partitions_response *a,
			  const char *name, int32_t partition)
{
	assert_int_equal(a->has_next_cursor, name != NULL);
	if (!name)
		return;
	assert_true(kafka_str_equal(a->next_cursor.topic_name, kafka_str_from(name)));
	assert_int_equal(a->next_cursor.partition_index, partition);
}

static void describe_topic_partitions__pages(void **state)
{
	struct kafka_describe_topic_partitions_response a;

	(void)state;
	client_create(&client, "b", 3, NULL);
	client_create(&client, "a", 2, NULL);
	client_create(&client, "c", 1, NULL);
	describe(&(struct page){0}, &a);
	assert_int_equal(a.topics.n, 3);
	assert_topic(&a, 0, "a", 0, 2);
	assert_topic(&a, 1, "b", 0, 3);
	assert_topic(&a, 2, "c", 0, 1);
	assert_cursor(&a, NULL, 0);
	/* In the middle of a topic, between two, and to the end. */
	describe(&(struct page){.limit = 3}, &a);
	assert_int_equal(a.topics.n, 2);
	assert_topic(&a, 1, "b", 0, 1);
	assert_cursor(&a, "b", 1);
	describe(&(struct page){.limit = 2, .cursor = "b", .partition = 1}, &a);
	assert_int_equal(a.topics.n, 1);
	assert_topic(&a, 0, "b", 1, 2);
	assert_cursor(&a, "c", 0);
	describe(&(struct page){.limit = 2, .cursor = "c", .partition = 0}, &a);
	assert_topic(&a, 0, "c", 0, 1);
	assert_cursor(&a, NULL, 0);
	/* Where the topic of the cursor has gone the page begins at the next one. */
	describe(&(struct page){.limit = 5, .cursor = "bb", .partition = 7}, &a);
	assert_int_equal(a.topics.n, 1);
	assert_topic(&a, 0, "c", 0, 1);
	/* At least one partition, or no client would come to an end. */
	describe(&(struct page){.limit = -5}, &a);
	assert_int_equal(a.topics.n, 1);
	assert_topic(&a, 0, "a", 0, 1);
	assert_cursor(&a, "a", 1);
}

static void describe_topic_partitions__by_name(void **state)
{
	struct kafka_describe_topic_partitions_response a;

	(void)state;
	client_create(&client, "a", 2, NULL);
	client_create(&client, "b", 1, NULL);
	describe(&(struct page){.names = {"b", "nix", "a", "b"}}, &a);
	assert_int_equal(a.topics.n, 3);
	assert_topic(&a, 0, "a", 0, 2);
	assert_topic(&a, 1, "b", 0, 1);
	assert_int_equal(a.topics.v[2].error_code, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
	describe(&(struct page){.names = {"a b"}}, &a);
	assert_int_equal(a.topics.v[0].error_code, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION);
	describe(&(struct page){.limit = 5, .cursor = "b", .partition = 0, .names = {"a", "b"}},
		 &a);
	assert_int_equal(a.topics.n, 1);
	assert_topic(&a, 0, "b", 0, 1);
	describe(&(struct page){.limit = 5, .cursor = "aa", .partition = 0, .names = {"a", "b"}},
		 &a);
	assert_int_equal(a.topics.n, 2);
	assert_int_equal(a.topics.v[0].error_code, KAFKA_ERROR_INVALID_REQUEST);
	describe(&(struct page){.limit = 5, .cursor = "a", .partition = -1, .names = {"a"}}, &a);
	assert_int_equal(a.topics.v[0].error_code, KAFKA_ERROR_INVALID_REQUEST);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(create_partitions__more),		TEST(create_partitions__validate_only),
		TEST(create_partitions__errors),	TEST(create_partitions__leaves_files_alone),
		TEST(describe_topic_partitions__pages), TEST(describe_topic_partitions__by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
