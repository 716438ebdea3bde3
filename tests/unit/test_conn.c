// SPDX-License-Identifier: Apache-2.0
/* What a connection promises, whatever the requests are. */
#include "tests/daemon/served.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/core/reactor.h"

static void send_metadata(struct client *c)
{
	struct kafka_metadata_request m;

	kafka_metadata_request_init(&m);
	m.topics.n = -1;
	CLIENT_SEND(c, metadata, KAFKA_API_METADATA, 9, &m);
}

static void receive_metadata(struct client *c, int32_t correlation_id)
{
	struct kafka_metadata_response a;
	struct wire_reader r;

	client_receive_correlation(c, &r, KAFKA_API_METADATA, 9, correlation_id);
	assert_int_equal(kafka_metadata_response_decode(&r, &c->arena, 9, &a), 0);
	assert_int_equal(a.brokers.n, 1);
}

static void requests__are_answered_in_order(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++)
		send_metadata(&client);
	for (int i = 1; i <= 200; i++)
		receive_metadata(&client, i);
}

/* A request that waits holds back those behind it, not those of others. */
static void requests__wait_for_the_one_before(void **state)
{
	struct fetch f;
	struct client other;
	struct wire_reader r;

	(void)state;
	client_create(&client, "t", 1, NULL);
	fetch_init(&f, "t");
	f.m.max_wait_ms = 300;
	CLIENT_SEND(&client, fetch, KAFKA_API_FETCH, 11, &f.m);
	send_metadata(&client);
	client_quiet(&client, 50);
	client_open(&other);
	send_metadata(&other);
	receive_metadata(&other, 1);
	client_close(&other);
	client_receive_correlation(&client, &r, KAFKA_API_FETCH, 11, client.correlation_id - 1);
	receive_metadata(&client, client.correlation_id);
}

static void requests__in_pieces(void **state)
{
	struct kafka_metadata_request m;
	struct wire_writer w;
	struct buf b;
	uint32_t be;

	(void)state;
	kafka_metadata_request_init(&m);
	m.topics.n = -1;
	client_begin(&client, &w, &b, KAFKA_API_METADATA, 9);
	kafka_metadata_request_encode(&w, 9, &m);
	be = htobe32((uint32_t)b.len - 4);
	memcpy(b.data, &be, sizeof(be));
	for (size_t i = 0; i < b.len; i++) {
		assert_int_equal(send(client.fd, b.data + i, 1, 0), 1);
		usleep(500);
	}
	receive_metadata(&client, 1);
	wire_writer_free(&w);
	buf_free(&b);
}

static void assert_closed(const void *bytes, size_t len)
{
	struct client c;

	client_open(&c);
	assert_int_equal(send(c.fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
	client_closed(&c);
	client_close(&c);
}

static void input__that_is_no_request_closes(void **state)
{
	static const char unknown_api[] = "\0\0\0\12\x7f\x00\0\0\0\0\0\7\xff\xff";
	static const char produce_v2[] = "\0\0\0\12\0\0\0\2\0\0\0\7\xff\xff";
	static const char short_header[] = "\0\0\0\10\0\3\0\11\0\0\0\7";
	static const char long_client[] = "\0\0\0\12\0\3\0\1\0\0\0\7\x7f\xff";
	static const char bad_body[] = "\0\0\0\16\0\3\0\1\0\0\0\7\xff\xff\x7f\xff\xff\xff";

	(void)state;
	assert_closed("GET / HTTP/1.1\r\n\r\n", 18);
	assert_closed("\0\0\0\0", 4);
	assert_closed("\x06\x40\x00\x01", 4); /* one more than 100 MiB */
	assert_closed("\xff\xff\xff\xff", 4);
	assert_closed(unknown_api, sizeof(unknown_api) - 1);
	assert_closed(produce_v2, sizeof(produce_v2) - 1);
	assert_closed(short_header, sizeof(short_header) - 1);
	assert_closed(long_client, sizeof(long_client) - 1);
	assert_closed(bad_body, sizeof(bad_body) - 1);
	/* Others do not notice. */
	send_metadata(&client);
	receive_metadata(&client, 1);
}

static void input__that_ends_early_is_forgotten(void **state)
{
	struct client c;

	(void)state;
	for (size_t len = 0; len < 8; len++) {
		client_open(&c);
		assert_int_equal(send(c.fd, "\0\0\1\0abcdefgh", len, 0), (ssize_t)len);
		shutdown(c.fd, SHUT_WR);
		client_closed(&c);
		client_close(&c);
	}
	send_metadata(&client);
	receive_metadata(&client, 1);
}

static void idle__connections_are_closed(void **state)
{
	const char *const overrides[] = {"connections.max.idle.ms=200", NULL};
	int64_t begin;

	(void)state;
	client_start(overrides);
	begin = monotonic_ms();
	/* Not while something is going on. */
	for (int i = 1; i <= 8; i++) {
		send_metadata(&client);
		receive_metadata(&client, i);
		usleep(50000);
	}
	client_closed(&client);
	assert_true(monotonic_ms() - begin >= 400);
	client_stop();
}

/* Stopping does not wait for clients that only wait for data, and leaves nobody behind. */
static void stop__ends_all_connections(void **state)
{
	struct fetch f;
	struct client clients[10];
	int64_t begin;

	(void)state;
	client_start(NULL);
	client_create(&client, "t", 1, NULL);
	fetch_init(&f, "t");
	f.m.max_wait_ms = 60000;
	for (int i = 0; i < 10; i++) {
		client_open(&clients[i]);
		CLIENT_SEND(&clients[i], fetch, KAFKA_API_FETCH, 11, &f.m);
	}
	client_quiet(&clients[9], 100);
	begin = monotonic_ms();
	served_stop();
	assert_in_range(monotonic_ms() - begin, 0, 4000);
	for (int i = 0; i < 10; i++) {
		client_closed(&clients[i]);
		client_close(&clients[i]);
	}
	client_closed(&client);
	client_close(&client);
}

/* ... but what was appended is still answered. */
static void stop__answers_what_was_appended(void **state)
{
	size_t len;
	uint8_t *batch = make_batch("v", 1, &len);
	struct produce p;
	struct kafka_produce_response a;

	(void)state;
	client_start(NULL);
	client_create(&client, "t", 1, NULL);
	user_fault.hold_durable = true;
	produce_init(&p, "t", -1, batch, len);
	p.m.timeout_ms = 300;
	CLIENT_SEND(&client, produce, KAFKA_API_PRODUCE, 9, &p.m);
	client_quiet(&client, 100);
	served_stop();
	CLIENT_RECEIVE(&client, produce, KAFKA_API_PRODUCE, 9, &a);
	assert_int_equal(a.responses.v[0].partition_responses.v[0].error_code,
			 KAFKA_ERROR_REQUEST_TIMED_OUT);
	client_closed(&client);
	client_close(&client);
	free(batch);
}

/* Whether the daemon answers on a new connection. */
static bool is_served(struct client *c, int ms)
{
	struct pollfd p = {.events = POLLIN};

	client_open(c);
	send_metadata(c);
	p.fd = c->fd;
	if (poll(&p, 1, ms) != 1 || recv(c->fd, &(char){0}, 1, MSG_PEEK) != 1)
		return false;
	receive_metadata(c, 1);
	return true;
}

static void limits__further_connections_wait(void **state)
{
	const char *const overrides[] = {"max.connections=2", NULL};
	struct client c[3];

	(void)state;
	served_start(overrides);
	assert_true(is_served(&c[0], 5000));
	assert_true(is_served(&c[1], 5000));
	assert_false(is_served(&c[2], 300));
	client_close(&c[0]);
	/* It was sent before; now it is answered. */
	receive_metadata(&c[2], 1);
	client_close(&c[1]);
	client_close(&c[2]);
	served_stop();
}

static void limits__of_one_address(void **state)
{
	const char *const overrides[] = {"max.connections.per.ip=1", NULL};
	struct client c[2];

	(void)state;
	served_start(overrides);
	for (int i = 0; i < 3; i++) {
		assert_true(is_served(&c[0], 5000));
		client_open(&c[1]);
		client_closed(&c[1]);
		client_close(&c[1]);
		/* Its place is free again when the daemon has seen the end. */
		client_close(&c[0]);
		usleep(100000);
	}
	served_stop();
}

static void limits__of_an_address_of_its_own(void **state)
{
	const char *const overrides[] = {"max.connections.per.ip=0",
					 "max.connections.per.ip.overrides=10.1.2.3:7, 127.0.0.1:2",
					 NULL};
	struct client c[3];

	(void)state;
	served_start(overrides);
	assert_true(is_served(&c[0], 5000));
	assert_true(is_served(&c[1], 5000));
	client_open(&c[2]);
	client_closed(&c[2]);
	for (int i = 0; i < 3; i++)
		client_close(&c[i]);
	served_stop();
}

/* While one request has all the memory, no other is read; then they go on in order. */
static void memory__requests_wait_for_it(void **state)
{
	const char *const overrides[] = {"queued.max.request.bytes=20", NULL};
	size_t len;
	uint8_t *batch = make_batch("v", 1, &len);
	struct produce p;
	struct kafka_produce_response a;
	struct client others[5];

	(void)state;
	client_start(overrides);
	client_create(&client, "t", 1, NULL);
	user_fault.hold_durable = true;
	produce_init(&p, "t", -1, batch, len);
	CLIENT_SEND(&client, produce, KAFKA_API_PRODUCE, 9, &p.m);
	client_quiet(&client, 100);
	for (int i = 0; i < 5; i++) {
		client_open(&others[i]);
		send_metadata(&others[i]);
	}
	client_quiet(&others[0], 300);
	client_quiet(&others[4], 0);
	/* One that gives up while it waits is forgotten. */
	client_close(&others[2]);
	user_release_durable();
	CLIENT_RECEIVE(&client, produce, KAFKA_API_PRODUCE, 9, &a);
	assert_int_equal(a.responses.v[0].partition_responses.v[0].error_code, 0);
	for (int i = 0; i < 5; i++) {
		if (i == 2)
			continue;
		receive_metadata(&others[i], 1);
		client_close(&others[i]);
	}
	send_metadata(&client);
	receive_metadata(&client, client.correlation_id);
	client_stop();
	free(batch);
}

/* Of AddressSanitizer's runtime; GCC does not install its header. */
size_t __sanitizer_get_current_allocated_bytes(void);

#define IDLE_CONNECTIONS 200
#define IDLE_BYTES_MAX	 32768

/* What an idle connection holds after it has been used. */
static void idle__connections_are_small(void **state)
{
	struct client *c = calloc(IDLE_CONNECTIONS, sizeof(*c));
	size_t before, each;

	(void)state;
	client_start(NULL);
	send_metadata(&client);
	receive_metadata(&client, 1);
	before = __sanitizer_get_current_allocated_bytes();
	for (int i = 0; i < IDLE_CONNECTIONS; i++) {
		client_open(&c[i]);
		send_metadata(&c[i]);
		receive_metadata(&c[i], 1);
		/* The test's own part. */
		buf_free(&c[i].answer);
		arena_free(&c[i].arena);
	}
	each = (__sanitizer_get_current_allocated_bytes() - before) / IDLE_CONNECTIONS;
	print_message("an idle connection: %zu bytes of heap\n", each);
	assert_in_range(each, 100, IDLE_BYTES_MAX);
	for (int i = 0; i < IDLE_CONNECTIONS; i++)
		client_close(&c[i]);
	free(c);
	client_stop();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests__are_answered_in_order),
		TEST(requests__wait_for_the_one_before),
		TEST(requests__in_pieces),
		TEST(input__that_is_no_request_closes),
		TEST(input__that_ends_early_is_forgotten),
		cmocka_unit_test(idle__connections_are_closed),
		cmocka_unit_test(idle__connections_are_small),
		cmocka_unit_test(limits__further_connections_wait),
		cmocka_unit_test(limits__of_one_address),
		cmocka_unit_test(limits__of_an_address_of_its_own),
		cmocka_unit_test(memory__requests_wait_for_it),
		cmocka_unit_test(stop__ends_all_connections),
		cmocka_unit_test(stop__answers_what_was_appended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
