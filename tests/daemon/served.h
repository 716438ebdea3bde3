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

/** struct client - a connection, and what the last answer was decoded into */
struct client {
	int fd;
	int32_t correlation_id;
	struct buf answer;
	struct arena arena;
};

/** client - the connection of a test that needs no more than one */
extern struct client client;

void client_open(struct client *c);
void client_close(struct client *c);

/** client_start - served_start() and a connection of @client; client_stop() ends both */
void client_start(const char *const *overrides);
void client_stop(void);

/* For cmocka: the same with the default settings. */
int client_setup(void **state);
int client_teardown(void **state);

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

/** client_create_with - create a topic of one partition that has one setting of its own */
void client_create_with(struct client *c, const char *name, const char *key, const char *value);

/** make_batch - a batch of one record; free() it */
uint8_t *make_batch(const char *value, size_t value_len, size_t *ret_len);

/** make_transactional - a batch of a transaction; a marker with SLUICE_BATCH_CONTROL */
void make_transactional(uint8_t *batch, size_t len, uint16_t attributes, int64_t producer_id,
			int16_t producer_epoch, int32_t base_sequence);

/** struct produce - a request to append one batch to partition 0; no timeout that is near */
struct produce {
	struct kafka_produce_request_partition partition;
	struct kafka_produce_request_topic topic;
	struct kafka_produce_request m;
};

void produce_init(struct produce *p, const char *topic, int16_t acks, const void *batch,
		  size_t len);

/** client_produce - one batch to partition 0; the error code, and the offset in @ret_offset */
int16_t client_produce(struct client *c, const char *topic, int16_t acks, const void *batch,
		       size_t len, int64_t *ret_offset);

/** struct fetch - a request for 1 MiB of partition 0 from its beginning; it does not wait */
struct fetch {
	struct kafka_fetch_request_partition partition;
	struct kafka_fetch_request_topic topic;
	struct kafka_fetch_request m;
};

void fetch_init(struct fetch *f, const char *topic);

/** client_offset - ListOffsets of partition 0 */
int64_t client_offset(struct client *c, const char *topic, int64_t timestamp, int8_t isolation);

#endif /* TESTS_DAEMON_SERVED_H */
