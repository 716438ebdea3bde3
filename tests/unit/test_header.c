// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "daemon/kafka/header.h"

#define CORRELATION_ID 0x01020304

/*
 * As kafka-clients 4.3.1 encodes RequestHeaderData and ResponseHeaderData in
 * the versions that its ApiKeys give for the message.
 */
struct golden {
	int16_t key;
	int16_t version;
	const char *client_id;
	const char *request;
	size_t request_len;
	size_t response_len; /* the correlation id, and one byte for tags if there are 5 */
};

#define BYTES(s) s, sizeof(s) - 1

static const struct golden goldens[] = {
	{KAFKA_API_METADATA, 8, "kcat", BYTES("\0\x03\0\x08\x01\x02\x03\x04\0\x04kcat"), 4},
	{KAFKA_API_METADATA, 9, "kcat", BYTES("\0\x03\0\x09\x01\x02\x03\x04\0\x04kcat\0"), 5},
	{KAFKA_API_FETCH, 11, NULL, BYTES("\0\x01\0\x0b\x01\x02\x03\x04\xff\xff"), 4},
	{KAFKA_API_FETCH, 12, NULL, BYTES("\0\x01\0\x0c\x01\x02\x03\x04\xff\xff\0"), 5},
	{KAFKA_API_API_VERSIONS, 3, "admin",
	 BYTES("\0\x12\0\x03\x01\x02\x03\x04\0\x05"
	       "admin\0"),
	 4},
	/* A version that is not served must be readable, too, to be answered. */
	{KAFKA_API_API_VERSIONS, 99, "admin",
	 BYTES("\0\x12\0\x63\x01\x02\x03\x04\0\x05"
	       "admin\0"),
	 4},
};

#define GOLDEN_COUNT (sizeof(goldens) / sizeof(goldens[0]))

static void request_header_decode__reads_kafka_clients(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		const struct golden *g = &goldens[i];
		const struct kafka_api *api = NULL;
		struct kafka_request_header m;
		struct wire_reader r;

		wire_reader_init(&r, g->request, g->request_len);
		assert_int_equal(kafka_request_header_decode(&r, &m, &api), 0);
		assert_int_equal(wire_reader_finish(&r), 0);
		assert_int_equal(api->key, g->key);
		assert_int_equal(m.request_api_version, g->version);
		assert_int_equal(m.correlation_id, CORRELATION_ID);
		assert_true(kafka_str_equal(m.client_id, kafka_str_from(g->client_id)));
	}
}

static void request_header_encode__writes_what_kafka_clients_write(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		const struct golden *g = &goldens[i];
		struct kafka_request_header m;
		struct wire_writer w;
		struct buf b;

		kafka_request_header_init(&m);
		m.request_api_key = g->key;
		m.request_api_version = g->version;
		m.correlation_id = CORRELATION_ID;
		m.client_id = kafka_str_from(g->client_id);
		buf_init(&b, 0);
		wire_writer_init(&w, &b);
		kafka_request_header_encode(&w, &m);
		assert_int_equal(w.err, 0);
		assert_int_equal(b.len, g->request_len);
		assert_memory_equal(b.data, g->request, b.len);
		buf_free(&b);
	}
}

static void response_header__has_tags_in_flexible_versions(void **state)
{
	(void)state;
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		const struct golden *g = &goldens[i];
		const struct kafka_api *api = kafka_api_find(g->key);
		struct kafka_response_header m;
		struct wire_reader r;
		struct wire_writer w;
		struct buf b;

		buf_init(&b, 0);
		wire_writer_init(&w, &b);
		kafka_response_header_encode(&w, api, g->version, CORRELATION_ID);
		assert_int_equal(w.err, 0);
		assert_int_equal(b.len, g->response_len);
		assert_memory_equal(b.data, "\x01\x02\x03\x04\0", b.len);

		wire_reader_init(&r, b.data, b.len);
		assert_int_equal(kafka_response_header_decode(&r, api, g->version, &m), 0);
		assert_int_equal(m.correlation_id, CORRELATION_ID);
		assert_int_equal(wire_reader_finish(&r), 0);
		buf_free(&b);
	}
}

static void request_header_decode__refuses_what_is_cut(void **state)
{
	const struct golden *g = &goldens[1];

	(void)state;
	for (size_t len = 0; len < g->request_len; len++) {
		const struct kafka_api *api = NULL;
		struct kafka_request_header m;
		struct wire_reader r;

		wire_reader_init(&r, g->request, len);
		assert_int_equal(kafka_request_header_decode(&r, &m, &api), -EBADMSG);
	}
}

static void request_header_decode__names_an_unknown_api(void **state)
{
	static const char bytes[] = "\x03\xe7\0\x01\x01\x02\x03\x04\xff\xff";
	const struct kafka_api *api = NULL;
	struct kafka_request_header m;
	struct wire_reader r;

	(void)state;
	wire_reader_init(&r, bytes, sizeof(bytes) - 1);
	assert_int_equal(kafka_request_header_decode(&r, &m, &api), -EOPNOTSUPP);
	assert_null(api);
	assert_int_equal(m.request_api_key, 999);
	assert_int_equal(m.request_api_version, 1);
	assert_int_equal(m.correlation_id, CORRELATION_ID);
}

static void request_header_encode__refuses_an_unknown_api(void **state)
{
	struct kafka_request_header m;
	struct wire_writer w;
	struct buf b;

	(void)state;
	kafka_request_header_init(&m);
	m.request_api_key = 999;
	buf_init(&b, 0);
	wire_writer_init(&w, &b);
	kafka_request_header_encode(&w, &m);
	assert_int_equal(w.err, -EOPNOTSUPP);
	assert_int_equal(b.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_header_decode__reads_kafka_clients),
		cmocka_unit_test(request_header_encode__writes_what_kafka_clients_write),
		cmocka_unit_test(response_header__has_tags_in_flexible_versions),
		cmocka_unit_test(request_header_decode__refuses_what_is_cut),
		cmocka_unit_test(request_header_decode__names_an_unknown_api),
		cmocka_unit_test(request_header_encode__refuses_an_unknown_api),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
