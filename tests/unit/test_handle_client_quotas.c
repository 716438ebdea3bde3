// SPDX-License-Identifier: Apache-2.0
/* Quotas: set, told, and kept to. The client of these tests is called "test". */
#include "tests/daemon/served.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/core/reactor.h"
#include "daemon/quota/quota_file.h"

struct change {
	const char *types[2];
	const char *names[2]; /* NULL: the default */
	const char *key;
	double value; /* 0: take it back */
	bool validate_only;
};

static int16_t alter(int16_t version, const struct change *c)
{
	struct kafka_alter_client_quotas_request_op op = {
		.key = kafka_str_from(c->key), .value = c->value, .remove = c->value == 0};
	struct kafka_alter_client_quotas_request_entity entity[2];
	struct kafka_alter_client_quotas_request_entry entry;
	struct kafka_alter_client_quotas_request m;
	struct kafka_alter_client_quotas_response a;

	kafka_alter_client_quotas_request_entry_init(&entry);
	entry.entity.v = entity;
	entry.ops.v = &op;
	entry.ops.n = 1;
	for (int i = 0; i < 2 && c->types[i]; i++) {
		entity[i].entity_type = kafka_str_from(c->types[i]);
		entity[i].entity_name = kafka_str_from(c->names[i]);
		entry.entity.n++;
	}
	kafka_alter_client_quotas_request_init(&m);
	m.entries.v = &entry;
	m.entries.n = 1;
	m.validate_only = c->validate_only;
	CLIENT_CALL(&client, alter_client_quotas, KAFKA_API_ALTER_CLIENT_QUOTAS, version, &m, &a);
	assert_int_equal(a.entries.n, 1);
	assert_int_equal(a.entries.v[0].entity.n, entry.entity.n);
	return a.entries.v[0].error_code;
}

struct filter {
	const char *type;
	int8_t match_type;
	const char *match;
	bool strict;
};

static int16_t describe(int16_t version, const struct filter *f, int32_t n,
			struct kafka_describe_client_quotas_response *a)
{
	struct kafka_describe_client_quotas_request_component c[4];
	struct kafka_describe_client_quotas_request m;

	kafka_describe_client_quotas_request_init(&m);
	for (int32_t i = 0; i < n; i++) {
		c[i].entity_type = kafka_str_from(f[i].type);
		c[i].match_type = f[i].match_type;
		c[i].match = kafka_str_from(f[i].match);
		m.strict |= f[i].strict;
	}
	m.components.v = c;
	m.components.n = n;
	CLIENT_CALL(&client, describe_client_quotas, KAFKA_API_DESCRIBE_CLIENT_QUOTAS, version, &m,
		    a);
	return a->error_code;
}

#define CLIENT(name, key_, value_) \
	(&(struct change){         \
		.types = {"client-id"}, .names = {name}, .key = (key_), .value = (value_)})

static void quotas__are_told(void **state)
{
	struct kafka_describe_client_quotas_response a;
	struct quota_table *stored;
	struct log_dir_error err;
	size_t n;

	(void)state;
	assert_int_equal(describe(0, NULL, 0, &a), 0);
	assert_int_equal(a.entries.n, 0);
	assert_int_equal(alter(0, CLIENT("c", "producer_byte_rate", 1024)), 0);
	assert_int_equal(alter(1, CLIENT("c", "request_percentage", 12.5)), 0);
	assert_int_equal(alter(1, CLIENT(NULL, "consumer_byte_rate", 2048)), 0);
	assert_int_equal(alter(1, &(struct change){.types = {"user", "client-id"},
						   .names = {"u", "c"},
						   .key = "producer_byte_rate",
						   .value = 1}),
			 0);
	assert_int_equal(describe(1, NULL, 0, &a), 0);
	assert_int_equal(a.entries.n, 3);
	assert_int_equal(describe(1, &(struct filter){"client-id", 0, "c", true}, 1, &a), 0);
	assert_int_equal(a.entries.n, 1);
	assert_int_equal(a.entries.v[0].entity.n, 1);
	assert_int_equal(a.entries.v[0].values.n, 2);
	assert_true(a.entries.v[0].values.v[0].value == 1024);
	assert_true(a.entries.v[0].values.v[1].value == 12.5);
	assert_int_equal(describe(1, &(struct filter){"client-id", 0, "c", false}, 1, &a), 0);
	assert_int_equal(a.entries.n, 2);
	assert_int_equal(describe(1, &(struct filter){"client-id", 1, NULL, false}, 1, &a), 0);
	assert_int_equal(a.entries.n, 1);
	assert_int_equal(a.entries.v[0].entity.v[0].entity_name.len, -1);
	assert_int_equal(describe(1, &(struct filter){"user", 2, NULL, false}, 1, &a), 0);
	assert_int_equal(a.entries.n, 1);
	assert_int_equal(describe(1, &(struct filter){"ip", 2, NULL, false}, 1, &a), 0);
	assert_int_equal(a.entries.n, 0);
	/* They are there for the next daemon, and go again. */
	assert_int_equal(quota_file_read(served_dir(), &stored, &err), 0);
	quota_table_entities(stored, &n);
	assert_int_equal(n, 3);
	quota_table_put(stored);
	assert_int_equal(alter(1, CLIENT(NULL, "consumer_byte_rate", 0)), 0);
	assert_int_equal(describe(1, &(struct filter){"client-id", 1, NULL, false}, 1, &a), 0);
	assert_int_equal(a.entries.n, 0);
}

static void quotas__errors(void **state)
{
	struct kafka_describe_client_quotas_response a;
	struct change only = {.types = {"client-id"},
			      .names = {"c"},
			      .key = "producer_byte_rate",
			      .value = 1,
			      .validate_only = true};

	(void)state;
	assert_int_equal(alter(1, CLIENT("c", "producer_byte_rate", -1)),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter(1, CLIENT("c", "producer_byte_rate", 1.5)),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter(1, CLIENT("c", "speed", 1)), KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter(1, CLIENT("", "producer_byte_rate", 1)),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter(1, &(struct change){.types = {"user", "user"},
						   .names = {"a", "b"},
						   .key = "producer_byte_rate",
						   .value = 1}),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter(1, &(struct change){.key = "producer_byte_rate", .value = 1}),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(alter(1, &only), 0);
	assert_int_equal(describe(1, NULL, 0, &a), 0);
	assert_int_equal(a.entries.n, 0);
	assert_int_equal(describe(1, &(struct filter){"host", 2, NULL, false}, 1, &a),
			 KAFKA_ERROR_UNSUPPORTED_VERSION);
	assert_int_equal(a.entries.n, -1);
	assert_int_equal(describe(1, &(struct filter){"user", 0, NULL, false}, 1, &a),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(describe(1, &(struct filter){"user", 3, NULL, false}, 1, &a),
			 KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(
		describe(1, (struct filter[]){{"user", 2, NULL, false}, {"user", 1, NULL, false}},
			 2, &a),
		KAFKA_ERROR_INVALID_REQUEST);
	assert_int_equal(
		describe(1, (struct filter[]){{"user", 2, NULL, false}, {"ip", 2, NULL, false}}, 2,
			 &a),
		KAFKA_ERROR_INVALID_REQUEST);
}

static void produce(int32_t *ret_throttle_ms)
{
	size_t len;
	char value[1000] = {0};
	uint8_t *batch = make_batch(value, sizeof(value), &len);
	struct produce p;
	struct kafka_produce_response a;

	produce_init(&p, "t", 1, batch, len);
	CLIENT_CALL(&client, produce, KAFKA_API_PRODUCE, 9, &p.m, &a);
	/* What is too much is taken all the same. */
	assert_int_equal(a.responses.v[0].partition_responses.v[0].error_code, 0);
	*ret_throttle_ms = a.throttle_time_ms;
	free(batch);
}

static void quotas__producers_wait(void **state)
{
	struct kafka_describe_client_quotas_response a;
	int32_t throttle_ms;
	int64_t begin;

	(void)state;
	client_create(&client, "t", 1, NULL);
	produce(&throttle_ms);
	assert_int_equal(throttle_ms, 0);
	assert_int_equal(alter(1, CLIENT("test", "producer_byte_rate", 100)), 0);
	/* About 1,100 bytes: a little more than 100 a second over ten. */
	produce(&throttle_ms);
	assert_in_range(throttle_ms, 1, 3000);
	begin = monotonic_ms();
	/* The connection is not heard for so long, whatever is asked. */
	assert_int_equal(describe(1, NULL, 0, &a), 0);
	assert_true(monotonic_ms() - begin >= throttle_ms - 50);
	assert_int_equal(a.throttle_time_ms, 0);
	assert_int_equal(alter(1, CLIENT("test", "producer_byte_rate", 0)), 0);
	produce(&throttle_ms);
	assert_int_equal(throttle_ms, 0);
}

static void fetch(int64_t offset, struct kafka_fetch_response *a)
{
	struct fetch f;

	fetch_init(&f, "t");
	f.partition.fetch_offset = offset;
	CLIENT_CALL(&client, fetch, KAFKA_API_FETCH, 11, &f.m, a);
	assert_int_equal(a->error_code, 0);
}

static void quotas__consumers_wait(void **state)
{
	struct kafka_fetch_response a;
	int32_t throttle_ms;

	(void)state;
	client_create(&client, "t", 1, NULL);
	for (int i = 0; i < 4; i++)
		produce(&throttle_ms);
	assert_int_equal(alter(1, CLIENT(NULL, "consumer_byte_rate", 120)), 0);
	/* As much as the quota lets through at all at once: one batch of the four. */
	fetch(0, &a);
	assert_int_equal(a.throttle_time_ms, 0);
	assert_int_equal(a.responses.n, 1);
	assert_in_range(a.responses.v[0].partitions.v[0].records.len, 1000, 1200);
	fetch(1, &a);
	assert_in_range(a.throttle_time_ms, 1, 11000);
	assert_int_equal(a.responses.n, 0);
	/* What was not sent does not count: after the wait there is room. */
	client_close(&client);
	client_open(&client);
}

static void quotas__time_of_requests(void **state)
{
	struct kafka_describe_client_quotas_response a;
	int32_t throttle_ms = 0;

	(void)state;
	assert_int_equal(alter(1, CLIENT("test", "request_percentage", 1e-6)), 0);
	for (int i = 0; i < 3 && !throttle_ms; i++) {
		assert_int_equal(describe(1, NULL, 0, &a), 0);
		throttle_ms = a.throttle_time_ms;
	}
	/* Never longer than a window. */
	assert_in_range(throttle_ms, 1, 1000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(quotas__are_told),		TEST(quotas__errors),
		TEST(quotas__producers_wait),	TEST(quotas__consumers_wait),
		TEST(quotas__time_of_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
