// SPDX-License-Identifier: Apache-2.0
/*
 * libsluice, the shared library, over the sockets of a loaded module.
 */
#include <linux/filter.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/sluice.h"
#include "tests/socket/harness.h"
#include "tests/socket/topic.h"
#include "tests/unit/batch_golden.h"

#define QUIET_MS   50
#define PATIENT_MS 20000

static sluice_producer *producer_of(const struct topic *t, int32_t partition)
{
	sluice_producer *p;

	if (sluice_producer_open(t->name, partition, &p))
		die("producer: %s", sluice_strerror());
	return p;
}

static sluice_consumer *consumer_of(const struct topic *t, int32_t partition, int64_t start)
{
	sluice_consumer *c;

	if (sluice_consumer_open(t->name, partition, start, &c))
		die("consumer: %s", sluice_strerror());
	return c;
}

static void send_text(sluice_producer *p, const char *text)
{
	sluice_record r = SLUICE_RECORD_INIT;

	r.value = text;
	r.value_len = strlen(text);
	if (sluice_produce(p, &r, 0, NULL))
		die("produce: %s", sluice_strerror());
}

/* Whole batches go in through a stream socket; the library only reads them. */
static void send_batch(const struct topic *t, const void *batch, size_t len)
{
	struct sockaddr_sluice addr = {.sl_partition = 0};
	sluice_producer *p = producer_of(t, 0);
	int family, fd;
	socklen_t size = sizeof(family);

	getsockopt(sluice_producer_fd(p), SOL_SOCKET, SO_DOMAIN, &family, &size);
	sluice_producer_close(p);
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	addr.sl_family = (sa_family_t)family;
	strcpy(addr.sl_topic, t->name);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    send(fd, batch, len, 0) != (ssize_t)len)
		die("sending a batch: %s", strerror(errno));
	close(fd);
}

/* CRC-32C, bit by bit: an implementation of its own is the point. */
static uint32_t crc32c(const uint8_t *p, size_t len)
{
	uint32_t crc = ~0u;

	while (len--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static void send_golden(const struct topic *t, const uint8_t *golden, size_t len, size_t spoil)
{
	uint8_t *batch = malloc(len);
	uint32_t crc;

	memcpy(batch, golden, len);
	memset(batch, 0, 8); /* producers send base offset 0 */
	if (spoil)
		batch[spoil] ^= 0xff;
	crc = __builtin_bswap32(crc32c(batch + 21, len - 21));
	memcpy(batch + 17, &crc, sizeof(crc));
	send_batch(t, batch, len);
	free(batch);
}

static void record__comes_out_as_it_went_in(void)
{
	const sluice_header headers[] = {{"a", "1", 1}, {"", NULL, 0}, {"a", "", 0}};
	struct topic t = topic_new(1, NULL);
	sluice_producer *p = producer_of(&t, 0);
	sluice_consumer *c = consumer_of(&t, SLUICE_ANY_PARTITION, SLUICE_EARLIEST);
	sluice_record r = SLUICE_RECORD_INIT, got;
	sluice_receipt receipt;

	r.key = "k";
	r.key_len = 1;
	r.value = "v\0w";
	r.value_len = 3;
	r.headers = headers;
	r.n_headers = 3;
	r.timestamp = 1700000000123;
	CHECK_EQ(sluice_produce(p, &r, 0, &receipt), 0);
	CHECK_EQ(receipt.offset, 0);
	CHECK_EQ(receipt.partition, 0);
	CHECK_EQ(receipt.timestamp, -1);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 0);
	CHECK_EQ(got.partition, 0);
	CHECK_EQ(got.timestamp, 1700000000123);
	CHECK(got.key_len == 1 && !memcmp(got.key, "k", 1));
	CHECK(got.value_len == 3 && !memcmp(got.value, "v\0w", 3));
	CHECK_EQ(got.n_headers, 3);
	CHECK(!strcmp(got.headers[0].key, "a") && got.headers[0].value_len == 1);
	CHECK(!strcmp(got.headers[1].key, "") && !got.headers[1].value);
	CHECK(got.headers[2].value && got.headers[2].value_len == 0);
	CHECK_EQ(sluice_consume(c, QUIET_MS, &got), 0);
	sluice_consumer_close(c);
	sluice_producer_close(p);
}

static void record__null_is_not_empty(void)
{
	struct topic t = topic_new(1, NULL);
	sluice_producer *p = producer_of(&t, 0);
	sluice_consumer *c = consumer_of(&t, 0, SLUICE_EARLIEST);
	sluice_record r = SLUICE_RECORD_INIT, got;

	CHECK_EQ(sluice_produce(p, &r, 0, NULL), 0);
	r.key = "";
	r.value = "";
	CHECK_EQ(sluice_produce(p, &r, 0, NULL), 0);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK(!got.key && !got.value);
	CHECK(got.timestamp > 1700000000000);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK(got.key && got.key_len == 0);
	CHECK(got.value && got.value_len == 0);
	CHECK_EQ(got.n_headers, 0);
	sluice_consumer_close(c);
	sluice_producer_close(p);
}

static void record__larger_than_the_first_buffers(void)
{
	static char value[900000], key[12000], name[3000];
	const sluice_header header = {name, value, 2000};
	struct topic t = topic_new(1, NULL);
	sluice_producer *p = producer_of(&t, 0);
	sluice_consumer *c = consumer_of(&t, 0, SLUICE_EARLIEST);
	sluice_record r = SLUICE_RECORD_INIT, got;

	memset(value, 'v', sizeof(value));
	memset(key, 'k', sizeof(key));
	memset(name, 'n', sizeof(name) - 1);
	send_text(p, "small");
	r.key = key;
	r.key_len = sizeof(key);
	r.value = value;
	r.value_len = sizeof(value);
	r.headers = &header;
	r.n_headers = 1;
	if (sluice_produce(p, &r, 0, NULL))
		die("%s", sluice_strerror());
	send_text(p, "after");
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 1);
	CHECK(got.key_len == sizeof(key) && !memcmp(got.key, key, sizeof(key)));
	CHECK(got.value_len == sizeof(value) && !memcmp(got.value, value, sizeof(value)));
	CHECK_EQ(strlen(got.headers[0].key), sizeof(name) - 1);
	CHECK_EQ(got.headers[0].value_len, 2000);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 2);
	CHECK(got.value_len == 5 && !memcmp(got.value, "after", 5));
	sluice_consumer_close(c);
	sluice_producer_close(p);
}

static void produce__refusals_say_why_and_leave_nothing(void)
{
	static char value[2000];
	struct kern_topic_config config = {.set = KERN_CONFIG_MAX_MESSAGE_BYTES,
					   .max_message_bytes = 1000};
	struct topic t = topic_new(2, &config);
	sluice_producer *p = producer_of(&t, SLUICE_ANY_PARTITION);
	sluice_record r = SLUICE_RECORD_INIT;
	sluice_header header = {NULL, NULL, 0};

	r.value = value;
	r.value_len = sizeof(value);
	CHECK_EQ(sluice_produce(p, &r, 0, NULL), -EMSGSIZE);
	CHECK(strstr(sluice_strerror(), "1000"));
	r.value_len = 1;
	r.partition = 2;
	CHECK_EQ(sluice_produce(p, &r, 0, NULL), -ENOENT);
	CHECK(strstr(sluice_strerror(), "partition 2"));
	r.partition = 0;
	CHECK_EQ(sluice_produce(p, &r, 8, NULL), -EINVAL);
	r.headers = &header;
	r.n_headers = 1;
	CHECK_EQ(sluice_produce(p, &r, 0, NULL), -EINVAL);
	r.n_headers = 0;
	r.value = NULL;
	CHECK_EQ(sluice_produce(p, &r, 0, NULL), -EINVAL);
	sluice_producer_close(p);
	CHECK_EQ(topic_partition(&t, 0).log_end_offset, 0);
	CHECK_EQ(topic_partition(&t, 1).log_end_offset, 0);
}

static void produce__durable_is_durable(void)
{
	struct topic t = topic_new(1, NULL);
	sluice_producer *p = producer_of(&t, 0);
	sluice_record r = SLUICE_RECORD_INIT;
	sluice_receipt receipt;

	send_text(p, "cached");
	r.value = "durable";
	r.value_len = 7;
	CHECK_EQ(sluice_produce(p, &r, SLUICE_DURABLE, &receipt), 0);
	CHECK_EQ(receipt.offset, 1);
	CHECK_EQ(topic_partition(&t, 0).recovery_point, 2);
	send_text(p, "cached");
	CHECK_EQ(sluice_producer_flush(p), 0);
	CHECK_EQ(topic_partition(&t, 0).recovery_point, 3);
	sluice_producer_close(p);
}

static void produce__batching(void)
{
	struct kern_topic_config config = {.set = KERN_CONFIG_LINGER_MS, .linger_ms = 3600000};
	struct topic t = topic_new(1, &config);
	sluice_producer *p = producer_of(&t, 0);

	send_text(p, "x");
	CHECK_EQ(topic_partition(&t, 0).size_bytes, 0);
	CHECK_EQ(sluice_producer_batching(p, 60001, -1), -EINVAL);
	CHECK(strstr(sluice_strerror(), "60000"));
	CHECK_EQ(sluice_producer_batching(p, 0, 511), -EINVAL);
	/* Both or none. */
	send_text(p, "x");
	CHECK_EQ(topic_partition(&t, 0).size_bytes, 0);
	CHECK_EQ(sluice_producer_batching(p, 0, -1), 0);
	send_text(p, "x");
	CHECK_EQ(topic_partition(&t, 0).append_batches, 2);
	CHECK(topic_partition(&t, 0).size_bytes > 0);
	sluice_producer_close(p);
}

static void open__refusals_say_why(void)
{
	struct topic t = topic_new(2, NULL);
	sluice_producer *p;
	sluice_consumer *c;
	char name[300];

	CHECK_EQ(sluice_producer_open("no.such.topic", SLUICE_ANY_PARTITION, &p), -ENOENT);
	CHECK(strstr(sluice_strerror(), "no.such.topic"));
	CHECK_EQ(sluice_consumer_open("no.such.topic", 0, SLUICE_EARLIEST, &c), -ENOENT);
	CHECK_EQ(sluice_producer_open(t.name, 2, &p), -ENOENT);
	CHECK_EQ(sluice_producer_open(t.name, -2, &p), -EINVAL);
	CHECK_EQ(sluice_producer_open("", 0, &p), -EINVAL);
	memset(name, 'x', sizeof(name));
	name[250] = '\0';
	CHECK_EQ(sluice_producer_open(name, 0, &p), -EINVAL);
	CHECK_EQ(sluice_consumer_open(t.name, SLUICE_ANY_PARTITION, 5, &c), -EINVAL);
	CHECK(strstr(sluice_strerror(), "partition"));
	CHECK_EQ(sluice_consumer_open(t.name, 0, -3, &c), -EINVAL);
}

static void open__longest_name(void)
{
	sluice_record got;
	sluice_consumer *c;
	sluice_producer *p;
	struct topic t;
	char name[SLUICE_TOPIC_NAME_MAX + 1];

	memset(name, 'n', SLUICE_TOPIC_NAME_MAX);
	name[SLUICE_TOPIC_NAME_MAX] = '\0';
	t = topic_new_named(name, 1, NULL);
	p = producer_of(&t, SLUICE_ANY_PARTITION);
	send_text(p, "x");
	sluice_producer_close(p);
	c = consumer_of(&t, SLUICE_ANY_PARTITION, SLUICE_EARLIEST);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	sluice_consumer_close(c);
}

static void consume__starts_and_seeks(void)
{
	struct topic t = topic_new(1, NULL);
	sluice_producer *p = producer_of(&t, 0);
	sluice_consumer *c;
	sluice_record got;
	sluice_place place;

	for (int i = 0; i < 5; i++)
		send_text(p, "x");
	c = consumer_of(&t, 0, SLUICE_LATEST);
	CHECK_EQ(sluice_consume(c, 0, &got), 0);
	send_text(p, "new");
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 5);
	CHECK_EQ(sluice_seek(c, 0, 2), 0);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 2);
	CHECK_EQ(sluice_position(c, 0, &place), 0);
	CHECK_EQ(place.position, 3);
	CHECK_EQ(place.log_start_offset, 0);
	CHECK_EQ(place.high_watermark, 6);
	CHECK_EQ(place.log_end_offset, 6);
	CHECK_EQ(sluice_seek(c, SLUICE_ANY_PARTITION, SLUICE_EARLIEST), 0);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 0);
	CHECK_EQ(sluice_seek(c, 0, 7), -ERANGE);
	CHECK_EQ(sluice_seek(c, 1, 0), -ENOENT);
	sluice_consumer_close(c);
	c = consumer_of(&t, SLUICE_ANY_PARTITION, 4);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 4);
	sluice_consumer_close(c);
	sluice_producer_close(p);
}

static void consume__several_topics(void)
{
	struct topic a = topic_new(2, NULL), b = topic_new(1, NULL);
	sluice_producer *in_a = producer_of(&a, 1), *in_b = producer_of(&b, 0);
	sluice_consumer *c = consumer_of(&a, 1, SLUICE_EARLIEST);
	sluice_record got;
	sluice_place place;
	int from_b = 0;

	for (int i = 0; i < 3; i++) {
		send_text(in_a, "a");
		send_text(in_b, "b");
	}
	CHECK_EQ(sluice_consumer_add(c, "missing", 0, SLUICE_EARLIEST), -ENOENT);
	CHECK_EQ(sluice_consumer_add(c, a.name, 1, SLUICE_EARLIEST), -EEXIST);
	CHECK_EQ(sluice_consumer_add(c, b.name, 0, 1), 0);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(sluice_consume(c, 0, &got), 1);
		CHECK(!strcmp(got.topic, *(const char *)got.value == 'a' ? a.name : b.name));
		from_b += !strcmp(got.topic, b.name);
	}
	CHECK_EQ(from_b, 2);
	CHECK_EQ(sluice_consume(c, 0, &got), 0);
	CHECK_EQ(sluice_position_in(c, b.name, 0, &place), 0);
	CHECK_EQ(place.position, 3);
	CHECK_EQ(sluice_position_in(c, "missing", 0, &place), -ENOENT);
	CHECK_EQ(sluice_seek_in(c, b.name, 0, 2), 0);
	CHECK_EQ(sluice_position(c, 1, &place), 0);
	CHECK_EQ(place.position, 3);
	CHECK_EQ(sluice_consumer_pause(c, b.name, SLUICE_ANY_PARTITION, 1), 0);
	CHECK_EQ(sluice_consume(c, 0, &got), 0);
	CHECK_EQ(sluice_consumer_pause(c, b.name, 0, 0), 0);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 2);
	CHECK_EQ(sluice_consumer_remove(c, b.name, 0), 0);
	CHECK_EQ(sluice_consumer_remove(c, b.name, 0), -ENOENT);
	send_text(in_b, "b");
	CHECK_EQ(sluice_consume(c, 0, &got), 0);
	CHECK_EQ(sluice_consumer_committed(c, 1), 0);
	send_text(in_a, "x");
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(sluice_position(c, 1, &place), 0);
	CHECK_EQ(place.last_stable_offset, 4);
	sluice_consumer_close(c);
	sluice_producer_close(in_a);
	sluice_producer_close(in_b);
}

static void produce__chain_is_all_or_nothing(void)
{
	struct topic t = topic_new(1, NULL);
	sluice_producer *p = producer_of(&t, 0);
	sluice_consumer *c = consumer_of(&t, 0, SLUICE_EARLIEST);
	sluice_record r = SLUICE_RECORD_INIT, got;
	sluice_receipt receipt;
	static char large[2 << 20];

	r.value = "x";
	r.value_len = 1;
	CHECK_EQ(sluice_produce(p, &r, SLUICE_MORE, &receipt), -EINVAL);
	CHECK_EQ(sluice_produce(p, &r, SLUICE_MORE | SLUICE_DURABLE, NULL), -EINVAL);
	CHECK_EQ(sluice_produce(p, &r, SLUICE_MORE, NULL), 0);
	r.value = large;
	r.value_len = sizeof(large);
	CHECK_EQ(sluice_produce(p, &r, 0, NULL), -EMSGSIZE);
	r.value_len = 2;
	CHECK_EQ(sluice_produce(p, &r, SLUICE_MORE, NULL), 0);
	CHECK_EQ(sluice_consume(c, 0, &got), 0);
	CHECK_EQ(sluice_produce(p, &r, SLUICE_DURABLE, &receipt), 0);
	CHECK_EQ(receipt.offset, 1);
	CHECK(topic_partition(&t, 0).recovery_point >= 2);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.value_len, 2);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(sluice_consume(c, 0, &got), 0);
	sluice_consumer_close(c);
	sluice_producer_close(p);
}

static void consume__waits_for_a_record(void)
{
	struct topic t = topic_new(3, NULL);
	sluice_consumer *c = consumer_of(&t, SLUICE_ANY_PARTITION, SLUICE_LATEST);
	struct pollfd ready = {.fd = sluice_consumer_fd(c), .events = POLLIN};
	sluice_record got;
	int status;
	pid_t pid;

	CHECK_EQ(poll(&ready, 1, 0), 0);
	for (int timeout_ms = -1; timeout_ms <= PATIENT_MS; timeout_ms += PATIENT_MS + 1) {
		pid = fork();
		if (!pid) {
			usleep(200000);
			send_text(producer_of(&t, 1), "late");
			_exit(0);
		}
		CHECK_EQ(sluice_consume(c, timeout_ms, &got), 1);
		CHECK_EQ(got.partition, 1);
		waitpid(pid, &status, 0);
	}
	sluice_consumer_close(c);
}

static void consume__opens_batches_of_every_codec(void)
{
	struct topic t = topic_new(1, NULL);
	sluice_consumer *c;
	sluice_record got;
	sluice_place place;

	send_golden(&t, batch_gzip, sizeof(batch_gzip), 0);
	send_golden(&t, batch_snappy, sizeof(batch_snappy), 0);
	send_golden(&t, batch_none, sizeof(batch_none), 0);
	send_golden(&t, batch_lz4, sizeof(batch_lz4), 0);
	send_golden(&t, batch_zstd, sizeof(batch_zstd), 0);
	c = consumer_of(&t, 0, SLUICE_EARLIEST);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(sluice_consume(c, 0, &got), 1);
		CHECK_EQ(got.offset, i);
		CHECK_EQ(sluice_position(c, 0, &place), 0);
		CHECK_EQ(place.position, i + 1);
		CHECK_EQ(got.key ? (int)got.key_len : -1, i % 4 == 0   ? 2
							  : i % 4 == 1 ? -1
							  : i % 4 == 2 ? 0
								       : 4);
		CHECK_EQ(got.value ? (int)got.value_len : -1, i % 4 == 1   ? 0
							      : i % 4 == 2 ? -1
									   : 120);
		CHECK_EQ(got.n_headers, i % 4 == 0 ? 2 : i % 4 == 2 ? 1 : 0);
	}
	CHECK_EQ(sluice_consume(c, QUIET_MS, &got), 0);
	/* Into the middle of a batch, back and forth. */
	for (int i = 19; i >= 0; i--) {
		CHECK_EQ(sluice_seek(c, 0, i), 0);
		CHECK_EQ(sluice_consume(c, 0, &got), 1);
		CHECK_EQ(got.offset, i);
	}
	sluice_consumer_close(c);
	c = consumer_of(&t, 0, 18);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 18);
	sluice_consumer_close(c);
}

/* Records of each batch are of ...000, ...005, ...-10, ...007. */
static void consume__from_a_time(void)
{
	const int64_t base = 1700000000000;
	struct topic t = topic_new(1, NULL);
	sluice_producer *p = producer_of(&t, 0);
	sluice_record r = SLUICE_RECORD_INIT, got;
	sluice_consumer *c;
	sluice_place place;

	r.value = "before";
	r.value_len = 6;
	r.timestamp = base - 100;
	CHECK_EQ(sluice_produce(p, &r, 0, NULL), 0);
	send_golden(&t, batch_zstd, sizeof(batch_zstd), 0);
	send_golden(&t, batch_none, sizeof(batch_none), 0);

	c = consumer_of(&t, SLUICE_ANY_PARTITION, SLUICE_AT(base + 1));
	CHECK_EQ(sluice_position(c, 0, &place), 0);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 2);
	/* Behind the first its time does not matter any more. */
	CHECK_EQ(sluice_position(c, 0, &place), 0);
	CHECK_EQ(place.position, 3);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 3);
	CHECK_EQ(got.timestamp, base - 10);
	CHECK_EQ(sluice_seek(c, SLUICE_ANY_PARTITION, SLUICE_AT(base + 6)), 0);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 4);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 5);
	/* An offset in the batch is exact again, and so is a time in the one behind it. */
	CHECK_EQ(sluice_seek(c, 0, 1), 0);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 1);
	CHECK_EQ(sluice_seek(c, 0, SLUICE_AT(base - 50)), 0);
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 1);
	CHECK_EQ(sluice_seek(c, 0, SLUICE_AT(base + 8)), 0);
	CHECK_EQ(sluice_consume(c, 0, &got), 0);
	CHECK_EQ(sluice_position(c, 0, &place), 0);
	CHECK_EQ(place.position, 9);
	CHECK_EQ(sluice_seek(c, 0, SLUICE_AT(SLUICE_AT_MAX)), 0);
	CHECK_EQ(sluice_seek(c, 0, SLUICE_AT(SLUICE_AT_MAX) + 1), -EINVAL);
	sluice_consumer_close(c);
	CHECK_EQ(sluice_consumer_open(t.name, 0, SLUICE_AT(SLUICE_AT_MAX) + 1, &c), -EINVAL);
	sluice_producer_close(p);
}

/* A batch larger than the first buffers is received twice, the second time as the first. */
static void consume__from_a_time_in_a_large_batch(void)
{
	static uint8_t batch[61 + 100000];
	const int64_t base = 1700000000000;
	struct topic t = topic_new(1, NULL);
	sluice_consumer *c;
	sluice_record got;

	/* Not gzip, so that it cannot be opened: what is told is where it lies. */
	memcpy(batch, batch_gzip, 61);
	batch[8] = 0;
	batch[9] = (uint8_t)((sizeof(batch) - 12) >> 16);
	batch[10] = (uint8_t)((sizeof(batch) - 12) >> 8);
	batch[11] = (uint8_t)(sizeof(batch) - 12);
	send_golden(&t, batch, sizeof(batch), 0);
	send_golden(&t, batch_gzip, sizeof(batch_gzip), 0);
	c = consumer_of(&t, 0, SLUICE_AT(base + 5));
	CHECK_EQ(sluice_consume(c, 0, &got), -EBADMSG);
	CHECK(strstr(sluice_strerror(), "offset 0"));
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 4);
	CHECK_EQ(got.timestamp, base);
	sluice_consumer_close(c);
}

static void consume__skips_a_batch_that_cannot_be_opened(void)
{
	struct topic t = topic_new(1, NULL);
	sluice_consumer *c = consumer_of(&t, 0, SLUICE_EARLIEST);
	sluice_record got;

	send_golden(&t, batch_zstd, sizeof(batch_zstd), 62);
	send_golden(&t, batch_gzip, sizeof(batch_gzip), 0);
	CHECK_EQ(sluice_consume(c, 0, &got), -EBADMSG);
	CHECK(strstr(sluice_strerror(), "offset 0"));
	CHECK_EQ(sluice_consume(c, 0, &got), 1);
	CHECK_EQ(got.offset, 4);
	sluice_consumer_close(c);
}

/* The kernel decides about single records, the library about those in batches. */
static void consumer_filter__chooses_records(void)
{
	struct topic t = topic_new(1, NULL);
	sluice_producer *p = producer_of(&t, 0);
	sluice_consumer *c = consumer_of(&t, 0, SLUICE_EARLIEST);
	sluice_filter *f;
	sluice_place place;
	sluice_record r;

	CHECK_EQ(sluice_filter_compile("value ^= \"pass\" or key == \"k0\"", &f), 0);
	CHECK_EQ(sluice_consumer_filter(c, f), 0);
	send_text(p, "rejected");
	send_text(p, "passes");
	send_golden(&t, batch_zstd, sizeof(batch_zstd), 0);
	send_text(p, "rejected, too");
	CHECK_EQ(sluice_consume(c, 0, &r), 1);
	CHECK_EQ(r.offset, 1);
	CHECK_EQ(sluice_consume(c, 0, &r), 1);
	CHECK_EQ(r.offset, 2);
	CHECK(r.key_len == 2 && !memcmp(r.key, "k0", 2));
	CHECK_EQ(sluice_consume(c, QUIET_MS, &r), 0);
	CHECK_EQ(sluice_position(c, 0, &place), 0);
	CHECK_EQ(place.position, place.high_watermark);
	/* The kernel does as it should, not the library alone. */
	CHECK_EQ(sluice_consumer_filter(c, NULL), 0);
	CHECK_EQ(setsockopt(sluice_consumer_fd(c), SOL_SOCKET, SO_ATTACH_FILTER,
			    sluice_filter_program(f), sizeof(struct sock_fprog)),
		 0);
	CHECK_EQ(sluice_seek(c, 0, 0), 0);
	CHECK_EQ(sluice_consume(c, 0, &r), 1);
	CHECK_EQ(r.offset, 1);
	sluice_filter_free(f);
	CHECK_EQ(sluice_consumer_filter(c, NULL), 0);
	CHECK_EQ(sluice_seek(c, 0, 0), 0);
	CHECK_EQ(sluice_consume(c, 0, &r), 1);
	CHECK_EQ(r.offset, 0);
	CHECK_EQ(sluice_consumer_filter(c, NULL), 0);
	sluice_consumer_close(c);
	sluice_producer_close(p);
}

static void consume__deleted_topic_ends_it(void)
{
	struct topic t = topic_new(1, NULL);
	sluice_consumer *c = consumer_of(&t, 0, SLUICE_EARLIEST);
	sluice_record got;

	topic_delete(&t);
	CHECK_EQ(sluice_consume(c, PATIENT_MS, &got), -ENODEV);
	CHECK(strlen(sluice_strerror()) > 5);
	sluice_consumer_close(c);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(record__comes_out_as_it_went_in),
		TEST(record__null_is_not_empty),
		TEST(record__larger_than_the_first_buffers),
		TEST(produce__refusals_say_why_and_leave_nothing),
		TEST(produce__durable_is_durable),
		TEST(produce__batching),
		TEST(open__refusals_say_why),
		TEST(open__longest_name),
		TEST(consume__starts_and_seeks),
		TEST(consume__several_topics),
		TEST(produce__chain_is_all_or_nothing),
		TEST(consume__waits_for_a_record),
		TEST(consume__opens_batches_of_every_codec),
		TEST(consume__from_a_time),
		TEST(consume__from_a_time_in_a_large_batch),
		TEST(consume__skips_a_batch_that_cannot_be_opened),
		TEST(consumer_filter__chooses_records),
		TEST(consume__deleted_topic_ends_it),
	};

	return run_tests(tests, ARRAY_LEN(tests));
}
