/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon of one worker in this process, with a data directory of its own, and
 * a client that talks to it over the loopback with the generated codec.
 */
#ifndef TESTS_DAEMON_SERVED_H
#define TESTS_DAEMON_SERVED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/kafka/error_code.h"
#include "daemon/kafka/header.h"
#include "tests/daemon/user_module.h"

/** served_start - @overrides: "key=value" settings, NULL at the end; may be NULL */
void served_start(const char *const *overrides);
void served_stop(void);

/** served_port - where it listens; served_dir - its data directory */
uint16_t served_port(void);
const char *served_dir(void);

/* For cmocka: a daemon with the default settings. */
int served_setup(void **state);
int served_teardown(void **state);

/** struct client - a connection, and what the last answer was decoded into */
struct client {
	int fd;
	int32_t correlation_id;
	struct buf answer;
	struct arena arena;
};

void client_open(struct client *c);
void client_close(struct client *c);

/** client_begin - start a request; encode its message into @w, then client_send() */
void client_begin(struct client *c, struct wire_writer *w, struct buf *b, int16_t key,
		  int16_t version);
void client_send(struct client *c, struct wire_writer *w);

/**
 * client_receive - wait for the answer to the request sent @behind the last one
 * Checks size and header; @r stands at the message then. What is decoded is
 * good until the next call. client_closed(): the daemon closed instead.
 */
void client_receive(struct client *c, struct wire_reader *r, int16_t key, int16_t version);
void client_closed(struct client *c);

/** client_receive_correlation - the same for any request that was sent before */
void client_receive_correlation(struct client *c, struct wire_reader *r, int16_t key,
				int16_t version, int32_t correlation_id);

/** client_quiet - nothing comes for @ms */
void client_quiet(struct client *c, int ms);

/**
 * CLIENT_CALL - send @m, a struct kafka_<api>_request, and decode into @ret
 */
#define CLIENT_CALL(c, api, KEY, version, m, ret)          \
	do {                                               \
		CLIENT_SEND(c, api, KEY, version, m);      \
		CLIENT_RECEIVE(c, api, KEY, version, ret); \
	} while (0)

#define CLIENT_SEND(c, api, KEY, version, m)                   \
	do {                                                   \
		struct wire_writer w_;                         \
		struct buf b_;                                 \
		client_begin(c, &w_, &b_, KEY, version);       \
		kafka_##api##_request_encode(&w_, version, m); \
		client_send(c, &w_);                           \
	} while (0)

#define CLIENT_RECEIVE(c, api, KEY, version, ret)                                               \
	do {                                                                                    \
		struct wire_reader r_;                                                          \
		client_receive(c, &r_, KEY, version);                                           \
		assert_int_equal(kafka_##api##_response_decode(&r_, &(c)->arena, version, ret), \
				 0);                                                            \
	} while (0)

/** client_create - create a topic; its id goes to @ret_id unless that is NULL */
void client_create(struct client *c, const char *name, int32_t partitions,
		   struct kafka_uuid *ret_id);

/** make_batch - a batch of one record; free() it */
uint8_t *make_batch(const char *value, size_t value_len, size_t *ret_len);

/** client_produce - one batch to partition 0; the error code, and the offset in @ret_offset */
int16_t client_produce(struct client *c, const char *topic, int16_t acks, const void *batch,
		       size_t len, int64_t *ret_offset);

#endif /* TESTS_DAEMON_SERVED_H */
