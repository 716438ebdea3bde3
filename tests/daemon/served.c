// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/cleaner/cleaner.h"
#include "daemon/controller/controller.h"
#include "daemon/coordinator/manager.h"
#include "daemon/worker.h"
#include "tests/daemon/served.h"

/* A daemon that does not answer in so long never will. */
#define PATIENCE_MS 20000

static struct {
	char dir[64];
	struct config config;
	struct broker broker;
	struct controller *controller;
	struct coordinators *coordinators;
	struct worker worker;
	struct cleaner *cleaner;
	struct kern *k;
} s;

struct client client;

static void override(const char *assignment)
{
	struct config_error err;

	if (config_override(&s.config, assignment, &err))
		fail_msg("%s", err.text);
}

void served_start(const char *const *overrides)
{
	struct log_dir_error lerr = {{0}};
	struct config_error cerr;
	char text[256];

	memset(&s, 0, sizeof(s));
	user_fault = (struct user_fault){0};
	snprintf(s.dir, sizeof(s.dir), "/tmp/sluice-served-XXXXXX");
	assert_non_null(mkdtemp(s.dir));
	assert_int_equal(config_init(&s.config), 0);
	snprintf(text, sizeof(text), "log.dirs=%s", s.dir);
	override(text);
	override("listeners=PLAINTEXT://127.0.0.1:0");
	while (overrides && *overrides)
		override(*overrides++);
	assert_int_equal(config_finish(&s.config, &cerr), 0);
	s.broker.config = &s.config;
	assert_int_equal(broker_limits_open(&s.broker), 0);
	assert_int_equal(listener_open(&s.config.listeners[0], 16, &s.broker.listeners[0], text,
				       sizeof(text)),
			 0);
	s.broker.n_listeners = 1;
	assert_int_equal(kern_open(&s.k), 0);
	assert_int_equal(log_dir_up(s.k, s.dir, 0, NULL, NULL, &lerr), 0);
	assert_int_equal(log_dir_cluster_id(s.dir, s.broker.cluster_id, &lerr), 0);
	assert_int_equal(controller_open(&s.broker, s.k, &s.controller), 0);
	assert_int_equal(coordinators_open(&s.broker, s.controller, controller_image(s.controller),
					   &s.coordinators),
			 0);
	assert_int_equal(worker_init(&s.worker, &s.broker, s.controller, s.coordinators,
				     controller_image(s.controller)),
			 0);
	assert_int_equal(controller_start(s.controller, s.coordinators, &s.worker, 1), 0);
	assert_int_equal(coordinators_start(s.coordinators), 0);
	assert_int_equal(worker_start(&s.worker), 0);
	assert_int_equal(cleaner_start(s.broker.live, &s.cleaner), 0);
}

void served_stop(void)
{
	struct log_dir_error err;
	struct kern *k;
	char command[128];

	cleaner_stop(s.cleaner);
	coordinators_drain(s.coordinators);
	worker_stop(&s.worker);
	worker_join(&s.worker);
	coordinators_stop(s.coordinators);
	controller_stop(s.controller);
	worker_destroy(&s.worker);
	coordinators_close(s.coordinators);
	controller_close(s.controller);
	listener_close(&s.broker.listeners[0]);
	assert_int_equal(kern_open(&k), 0);
	assert_int_equal(log_dir_down(k, s.dir, &err), 0);
	kern_close(k);
	broker_limits_close(&s.broker);
	config_free(&s.config);
	snprintf(command, sizeof(command), "rm -rf %s", s.dir);
	assert_int_equal(system(command), 0);
}

uint16_t served_port(void)
{
	return s.broker.listeners[0].spec.port;
}

const char *served_dir(void)
{
	return s.dir;
}

void client_open(struct client *c)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(served_port()),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};

	*c = (struct client){.fd = socket(AF_INET, SOCK_STREAM, 0)};
	assert_int_equal(connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	buf_init(&c->answer, 0);
	arena_init(&c->arena, 64 << 20);
}

void client_close(struct client *c)
{
	close(c->fd);
	buf_free(&c->answer);
	arena_free(&c->arena);
}

void client_start(const char *const *overrides)
{
	served_start(overrides);
	client_open(&client);
}

void client_stop(void)
{
	client_close(&client);
	served_stop();
}

int client_setup(void **state)
{
	(void)state;
	client_start(NULL);
	return 0;
}

int client_teardown(void **state)
{
	(void)state;
	client_stop();
	return 0;
}

void client_begin(struct client *c, struct wire_writer *w, struct buf *b, int16_t key,
		  int16_t version)
{
	struct kafka_request_header header = {
		.request_api_key = key,
		.request_api_version = version,
		.correlation_id = ++c->correlation_id,
		.client_id = kafka_str_from("test"),
	};

	buf_init(b, 0);
	wire_writer_init(w, b);
	wire_write_int32(w, 0);
	kafka_request_header_encode(w, &header);
}

void client_send(struct client *c, struct wire_writer *w)
{
	uint32_t be;
	size_t sent = 0;

	assert_int_equal(w->err, 0);
	be = htobe32((uint32_t)w->buf->len - 4);
	memcpy(w->buf->data, &be, sizeof(be));
	while (sent < w->buf->len) {
		ssize_t n = send(c->fd, w->buf->data + sent, w->buf->len - sent, MSG_NOSIGNAL);

		assert_true(n > 0);
		sent += (size_t)n;
	}
	wire_writer_free(w);
	buf_free(w->buf);
}

static void receive_all(struct client *c, size_t len)
{
	assert_int_equal(buf_reserve(&c->answer, len), 0);
	while (len) {
		ssize_t n = recv(c->fd, c->answer.data + c->answer.len, len, 0);

		if (n <= 0)
			fail_msg("no answer: %s", n ? strerror(errno) : "the daemon closed");
		c->answer.len += (size_t)n;
		len -= (size_t)n;
	}
}

void client_receive_correlation(struct client *c, struct wire_reader *r, int16_t key,
				int16_t version, int32_t correlation_id)
{
	struct kafka_response_header header;
	uint32_t size;

	c->answer.len = 0;
	arena_reset(&c->arena);
	receive_all(c, sizeof(size));
	memcpy(&size, c->answer.data, sizeof(size));
	size = be32toh(size);
	assert_in_range(size, 4, 200 << 20);
	c->answer.len = 0;
	receive_all(c, size);
	wire_reader_init(r, c->answer.data, size);
	assert_int_equal(kafka_response_header_decode(r, kafka_api_find(key), version, &header), 0);
	assert_int_equal(header.correlation_id, correlation_id);
}

void client_receive(struct client *c, struct wire_reader *r, int16_t key, int16_t version)
{
	client_receive_correlation(c, r, key, version, c->correlation_id);
}

void client_closed(struct client *c)
{
	char byte;
	ssize_t n = recv(c->fd, &byte, 1, 0);

	assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
}

void client_quiet(struct client *c, int ms)
{
	struct pollfd p = {.fd = c->fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, ms), 0);
}

static void create(struct client *c, struct kafka_create_topics_request_topic *topic,
		   struct kafka_create_topics_response *ret)
{
	struct kafka_create_topics_request m;

	kafka_create_topics_request_init(&m);
	m.topics.v = topic;
	m.topics.n = 1;
	CLIENT_CALL(c, create_topics, KAFKA_API_CREATE_TOPICS, 7, &m, ret);
	assert_int_equal(ret->topics.n, 1);
	assert_int_equal(ret->topics.v[0].error_code, KAFKA_ERROR_NONE);
}

void client_create(struct client *c, const char *name, int32_t partitions,
		   struct kafka_uuid *ret_id)
{
	struct kafka_create_topics_request_topic topic = {
		.name = kafka_str_from(name),
		.num_partitions = partitions,
		.replication_factor = 1,
	};
	struct kafka_create_topics_response answer;

	create(c, &topic, &answer);
	if (ret_id)
		*ret_id = answer.topics.v[0].topic_id;
}

void client_create_with(struct client *c, const char *name, const char *key, const char *value)
{
	struct kafka_create_topics_request_config config = {kafka_str_from(key),
							    kafka_str_from(value)};
	struct kafka_create_topics_request_topic topic = {
		.name = kafka_str_from(name),
		.num_partitions = 1,
		.replication_factor = 1,
		.configs = {&config, 1},
	};
	struct kafka_create_topics_response answer;

	create(c, &topic, &answer);
}

uint8_t *make_batch(const char *value, size_t value_len, size_t *ret_len)
{
	const struct sluice_record_out record = {
		.timestamp = 1700000000000,
		.key_len = -1,
		.value = value,
		.value_len = (s32)value_len,
	};
	uint8_t *batch;

	*ret_len = sluice_batch_build_size(&record);
	batch = malloc(*ret_len);
	sluice_batch_build(batch, *ret_len, &record);
	return batch;
}

void make_transactional(uint8_t *batch, size_t len, uint16_t attributes, int64_t producer_id,
			int16_t producer_epoch, int32_t base_sequence)
{
	struct sluice_batch_header *h = (struct sluice_batch_header *)batch;

	put_unaligned_be16(attributes | SLUICE_BATCH_TRANSACTIONAL, &h->attributes);
	put_unaligned_be64((uint64_t)producer_id, &h->producer_id);
	put_unaligned_be16((uint16_t)producer_epoch, &h->producer_epoch);
	put_unaligned_be32((uint32_t)base_sequence, &h->base_sequence);
	put_unaligned_be32(
		port_crc32c(0, batch + SLUICE_BATCH_CRC_START, len - SLUICE_BATCH_CRC_START),
		&h->crc);
}

void produce_init(struct produce *p, const char *topic, int16_t acks, const void *batch, size_t len)
{
	p->partition = (struct kafka_produce_request_partition){.records = {batch, (int32_t)len}};
	p->topic = (struct kafka_produce_request_topic){
		.name = kafka_str_from(topic),
		.partition_data = {&p->partition, 1},
	};
	kafka_produce_request_init(&p->m);
	p->m.acks = acks;
	p->m.timeout_ms = 30000;
	p->m.topic_data.v = &p->topic;
	p->m.topic_data.n = 1;
}

int16_t client_produce(struct client *c, const char *topic, int16_t acks, const void *batch,
		       size_t len, int64_t *ret_offset)
{
	struct produce p;
	struct kafka_produce_response answer;

	produce_init(&p, topic, acks, batch, len);
	CLIENT_CALL(c, produce, KAFKA_API_PRODUCE, 9, &p.m, &answer);
	assert_int_equal(answer.responses.n, 1);
	assert_int_equal(answer.responses.v[0].partition_responses.n, 1);
	if (ret_offset)
		*ret_offset = answer.responses.v[0].partition_responses.v[0].base_offset;
	return answer.responses.v[0].partition_responses.v[0].error_code;
}

void fetch_init(struct fetch *f, const char *topic)
{
	kafka_fetch_request_partition_init(&f->partition);
	f->partition.partition_max_bytes = 1 << 20;
	kafka_fetch_request_topic_init(&f->topic);
	f->topic.topic = kafka_str_from(topic);
	f->topic.partitions.v = &f->partition;
	f->topic.partitions.n = 1;
	kafka_fetch_request_init(&f->m);
	f->m.topics.v = &f->topic;
	f->m.topics.n = 1;
	f->m.max_wait_ms = 0;
	f->m.min_bytes = 1;
	f->m.max_bytes = 1 << 20;
}

int64_t client_offset(struct client *c, const char *topic, int64_t timestamp, int8_t isolation)
{
	struct kafka_list_offsets_request_partition p = {.current_leader_epoch = -1,
							 .timestamp = timestamp};
	struct kafka_list_offsets_request_topic t = {
		.name = kafka_str_from(topic),
		.partitions = {&p, 1},
	};
	struct kafka_list_offsets_request m;
	struct kafka_list_offsets_response a;

	kafka_list_offsets_request_init(&m);
	m.isolation_level = isolation;
	m.topics.v = &t;
	m.topics.n = 1;
	CLIENT_CALL(c, list_offsets, KAFKA_API_LIST_OFFSETS, 7, &m, &a);
	assert_int_equal(a.topics.v[0].partitions.v[0].error_code, 0);
	return a.topics.v[0].partitions.v[0].offset;
}
