// SPDX-License-Identifier: Apache-2.0
/*
 * What the power-cut test does inside the machine.
 *
 * The topic is crash, or what the environment has as CRASH_TOPIC.
 *
 * usage: crash-load load DIR DISK_DIR ROUND [appended]
 *        crash-load lines PRODUCER FIRST COUNT
 *        crash-load note DIR DISK_DIR PRODUCER LINE
 *        crash-load acks FILE
 *        crash-load dump FILE
 *
 * load produces through sockets without end: each durable receipt is written
 * to a file in DIR, which is outside the machine, and to one in DISK_DIR, which
 * is on the disk of the log (acks.h; -: in none). With `appended` receipts of the page cache
 * are taken for durable: the checker must find that out. lines prints records
 * for another producer, note writes down what that was told, acks prints what is
 * written in a file of DISK_DIR. dump reads the whole topic into FILE, and then
 * sees that producing goes on.
 *
 * A record says whose it is, which one, and how long, and all its bytes follow
 * from that, so that each can be checked whatever happened to the others.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tests/crash/acks.h"
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define PARTITIONS  3
#define PRODUCERS   4 /* half by records, half by batches */
#define PER_ROUND   10
#define WINDOW	    16
#define RECORDS_MAX 12
#define BATCHES_MAX 3
#define VALUE_MAX   4000

static struct topic topic = {.name = "crash", .partitions = PARTITIONS};

/* Small numbers that look random, the same for the same record. */
static uint32_t mix(uint32_t producer, uint32_t sequence)
{
	uint32_t x = producer * 2654435761U ^ (sequence + 1) * 2246822519U;

	x ^= x >> 15;
	x *= 2654435761U;
	return x ^ x >> 13;
}

/* @text: VALUE_MAX + 1 bytes. */
static size_t make_value(uint32_t producer, uint32_t sequence, char *text)
{
	uint32_t m = mix(producer, sequence);
	size_t len = 40 + (m & 7 ? m % 200 : m % (VALUE_MAX - 40));
	size_t n = (size_t)snprintf(text, VALUE_MAX, "r %" PRIu32 " %" PRIu32 " %zu ", producer,
				    sequence, len);

	for (; n < len; n++)
		text[n] = (char)('a' + (m + n * (1 + m % 7)) % 26);
	text[n] = '\0';
	return n;
}

static bool value_is_right(const char *text, size_t len, uint32_t *producer, uint32_t *sequence)
{
	static char expected[VALUE_MAX + 1];

	if (sscanf(text, "r %" SCNu32 " %" SCNu32 " ", producer, sequence) != 2)
		return false;
	return make_value(*producer, *sequence, expected) == len && !memcmp(expected, text, len);
}

/* One producer; a receipt's cookie says what was sent: COOKIE. */
struct load {
	uint32_t producer;
	int fd;
	struct acks acks;
	unsigned int when;
	uint32_t sequence;
	unsigned int waiting;
};

#define COOKIE(first, count) ((uint64_t)(first) << 32 | (count))

static void take_receipts(struct load *l)
{
	struct sluice_event events[WINDOW];
	struct pollfd pfd = {.fd = l->fd};
	char text[WINDOW * ACKS_LINE_MAX];
	size_t len = 0;
	ssize_t n;

	if (poll(&pfd, 1, 60000) != 1)
		die("producer %u: no receipt within a minute", l->producer);
	n = read_events(l->fd, events, WINDOW);
	for (ssize_t i = 0; i < n; i++) {
		const struct sluice_event *ev = &events[i];

		if (ev->error)
			die("producer %u: receipt with error %d", l->producer, ev->error);
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"ack %" PRIu32 " %" PRIu32 " %" PRIu32 " %d %lld\n",
					l->producer, (uint32_t)(ev->cookie >> 32),
					(uint32_t)ev->cookie, ev->partition, (long long)ev->offset);
		l->waiting--;
	}
	if (n < 0 || acks_note(&l->acks, text, len))
		die("producer %u: %s", l->producer, strerror(errno));
}

static void send_counted(struct load *l, struct record *r, uint32_t count)
{
	struct sluice_receipt_request request = {.when = l->when,
						 .cookie = COOKIE(l->sequence, count)};

	while (l->waiting == WINDOW)
		take_receipts(l);
	r->receipt = &request;
	if (send_record(l->fd, r, 0) != (ssize_t)r->value_len)
		die("producer %u: %s: %s", l->producer, strerror(errno), error_text(l->fd));
	l->waiting++;
	l->sequence += count;
	/* Sometimes all of them are waited for: syncs with nothing behind them. */
	while (l->waiting && mix(l->producer, l->sequence) % 20 == 0)
		take_receipts(l);
}

static void load_records(struct load *l)
{
	char value[VALUE_MAX + 1];

	l->fd = producer(SOCK_SEQPACKET, &topic, SLUICE_PARTITION_ANY);
	for (;;) {
		struct record r = {.value = value,
				   .partition = 1 + (int)(l->sequence % PARTITIONS)};

		r.value_len = make_value(l->producer, l->sequence, value);
		send_counted(l, &r, 1);
	}
}

static void load_batches(struct load *l)
{
	static uint8_t buf[BATCHES_MAX * (AT_RECORDS + RECORDS_MAX * (VALUE_MAX + 40))];
	static char values[RECORDS_MAX][VALUE_MAX + 1];
	const char *pointers[RECORDS_MAX];
	struct batch_header h = BATCH_HEADER_INIT;

	l->fd = producer(SOCK_STREAM, &topic, (int)(l->producer % PARTITIONS));
	for (;;) {
		uint32_t batches = 1 + mix(l->producer, l->sequence) % BATCHES_MAX, count = 0;
		struct record r = {.value = buf};

		while (batches--) {
			uint32_t n = 1 + mix(l->producer, l->sequence + count) % RECORDS_MAX;

			for (uint32_t i = 0; i < n; i++, count++) {
				make_value(l->producer, l->sequence + count, values[i]);
				pointers[i] = values[i];
			}
			r.value_len += batch_encode(buf + r.value_len, &h, pointers, n);
		}
		send_counted(l, &r, count);
	}
}

static void open_acks(struct acks *acks, const char *dir, const char *disk_dir, uint32_t producer)
{
	char path[4096], disk_path[4096];

	snprintf(path, sizeof(path), "%s/acks.%u", dir, producer);
	snprintf(disk_path, sizeof(disk_path), "%s/acks.%u", disk_dir, producer);
	if (!strcmp(disk_dir, "-")) {
		acks_open(acks, path, NULL);
		return;
	}
	acks_make(disk_path);
	acks_open(acks, path, disk_path);
}

static int load(const char *dir, const char *disk_dir, int round, unsigned int when)
{
	int status;

	for (int i = 0; i < PRODUCERS; i++) {
		struct load l = {.producer = (uint32_t)(round * PER_ROUND + i), .when = when};

		if (fork())
			continue;
		open_acks(&l.acks, dir, disk_dir, l.producer);
		if (i % 2)
			load_batches(&l);
		else
			load_records(&l);
	}
	/* None ends by itself but by a failure. */
	wait(&status);
	return 1;
}

static int lines(uint32_t producer, uint32_t first, uint32_t count)
{
	char value[VALUE_MAX + 1];

	for (uint32_t i = 0; i < count; i++) {
		make_value(producer, first + i, value);
		puts(value);
	}
	return 0;
}

static void dump_partition(FILE *out, int partition)
{
	static struct got got;
	int fd = consumer(SOCK_SEQPACKET, &topic, partition, SLUICE_OFFSET_EARLIEST);
	struct sluice_position pos = {.partition = partition};
	uint32_t producer, sequence;

	while (receive(fd, &got, MSG_DONTWAIT) >= 0) {
		got.value[got.len] = '\0';
		if (!value_is_right(got.value, (size_t)got.len, &producer, &sequence))
			die("partition %d, offset %lld: not a record that was sent: '%.60s'",
			    partition, (long long)got.info.offset, got.value);
		fprintf(out, "record %d %lld %u %u\n", partition, (long long)got.info.offset,
			producer, sequence);
	}
	if (errno != EAGAIN)
		die("partition %d: %s: %s", partition, strerror(errno), error_text(fd));
	if (get_option(fd, SLUICE_POSITION, &pos, sizeof(pos)))
		die("position: %s", strerror(errno));
	fprintf(out, "end %d %lld %lld\n", partition, (long long)pos.log_start_offset,
		(long long)pos.log_end_offset);
	close(fd);
}

/* One more record, durable, and received. */
static void go_on(int partition)
{
	static struct got got;
	struct sluice_receipt_request request = {.when = SLUICE_RECEIPT_DURABLE};
	char value[VALUE_MAX + 1];
	struct record r = {.value = value, .receipt = &request};
	int in = consumer(SOCK_SEQPACKET, &topic, partition, SLUICE_OFFSET_LATEST);
	int out = producer(SOCK_SEQPACKET, &topic, partition);
	struct sluice_event ev;

	/* By the clock, so that no two are the same. */
	r.value_len = make_value(0, (uint32_t)time(NULL) * PARTITIONS + (uint32_t)partition, value);
	if (send_record(out, &r, 0) < 0)
		die("producing does not go on: %s: %s", strerror(errno), error_text(out));
	if (!wait_event(out, &ev) || ev.error)
		die("producing does not go on: no durable receipt");
	if (receive(in, &got, 0) < 0 || got.info.offset != ev.offset || !got_text(&got, value))
		die("what was produced after the power cut is not received");
	close(in);
	close(out);
}

static int dump(const char *path)
{
	FILE *out = fopen(path, "we");

	if (!out)
		die("%s: %s", path, strerror(errno));
	for (int i = 0; i < PARTITIONS; i++)
		dump_partition(out, i);
	if (fclose(out))
		die("%s: %s", path, strerror(errno));
	for (int i = 0; i < PARTITIONS; i++)
		go_on(i);
	return 0;
}

static int note_line(const char *dir, const char *disk_dir, uint32_t producer, const char *line)
{
	char text[ACKS_LINE_MAX];
	struct acks acks;
	int len = snprintf(text, sizeof(text), "%s\n", line);

	open_acks(&acks, dir, disk_dir, producer);
	if (acks_note(&acks, text, (size_t)len))
		die("%s: %s", line, strerror(errno));
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = getenv("CRASH_TOPIC");

	if (name)
		snprintf(topic.name, sizeof(topic.name), "%s", name);
	if (argc >= 5 && !strcmp(argv[1], "load"))
		return load(argv[2], argv[3], atoi(argv[4]),
			    argc > 5 ? SLUICE_RECEIPT_APPENDED : SLUICE_RECEIPT_DURABLE);
	if (argc == 6 && !strcmp(argv[1], "note"))
		return note_line(argv[2], argv[3], (uint32_t)atoi(argv[4]), argv[5]);
	if (argc == 3 && !strcmp(argv[1], "acks")) {
		acks_print(argv[2]);
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "lines"))
		return lines((uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]),
			     (uint32_t)atoi(argv[4]));
	if (argc == 3 && !strcmp(argv[1], "dump"))
		return dump(argv[2]);
	fprintf(stderr, "usage: crash-load load|lines|note|acks|dump ...\n");
	return 2;
}
