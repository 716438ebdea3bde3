// SPDX-License-Identifier: Apache-2.0
/* The producers: those that begin anew after a power cut, and those that go on. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/crash/load.h"
#include "tests/crash/value.h"
#include "tests/socket/harness.h"

struct topic topics[TOPICS] = {
	[TOPIC_PLAIN] = {.name = "crash", .partitions = 3},
	[TOPIC_COMPACT] = {.name = "crash-compact", .partitions = 1},
	[TOPIC_RETAIN] = {.name = "crash-retain", .partitions = 2},
	[TOPIC_CUT] = {.name = "crash-cut", .partitions = 1},
	[TOPIC_TXN] = {.name = "crash-txn", .partitions = 2},
};

/* Records go to all partitions in turns, batches to one. */
static const struct role {
	int topic;
	bool batches;
	int partition;
} roles[ROLES] = {
	{TOPIC_PLAIN, false, 0},  {TOPIC_PLAIN, true, 1},    {TOPIC_PLAIN, false, 0},
	{TOPIC_PLAIN, true, 0},	  {TOPIC_COMPACT, false, 0}, {TOPIC_COMPACT, false, 0},
	{TOPIC_RETAIN, false, 0}, {TOPIC_RETAIN, true, 0},   {TOPIC_RETAIN, true, 1},
	{TOPIC_CUT, true, 0},	  {TOPIC_CUT, true, 0},
};

static void send_plain(struct load *l)
{
	char value[VALUE_MAX + 1];
	struct record r = {.value = value,
			   .partition = 1 + (int)(l->sequence % l->topic->partitions)};

	r.value_len = make_value(l->producer, l->sequence, value);
	load_send(l, &r, 1);
}

static void send_keyed(struct load *l)
{
	char value[VALUE_MAX + 1], key[KEY_MAX], name[KEY_MAX];
	struct header h = {.key = TOMBSTONE_HEADER, .key_len = 1, .value = name};
	struct record r = {.key = key};

	r.key_len = make_key(l->producer, l->sequence, key);
	if (is_tombstone(l->producer, l->sequence)) {
		h.value_len = (int)make_name(l->producer, l->sequence, name);
		r.headers = &h;
		r.n_headers = 1;
	} else {
		r.value = value;
		r.value_len = make_value(l->producer, l->sequence, value);
	}
	load_send(l, &r, 1);
}

static void produce_records(struct load *l)
{
	l->fd = producer(SOCK_SEQPACKET, l->topic, SLUICE_PARTITION_ANY);
	for (;;) {
		if (l->topic == &topics[TOPIC_COMPACT])
			send_keyed(l);
		else
			send_plain(l);
	}
}

static void produce_batches(struct load *l, int partition)
{
	uint32_t counts[BATCHES_MAX];

	l->fd = producer(SOCK_STREAM, l->topic, partition);
	for (;;) {
		/* Where records go, all of a send have offsets in a row. */
		unsigned int n = l->topic != &topics[TOPIC_PLAIN]
					 ? 1
					 : 1 + mix(l->producer, l->sequence) % BATCHES_MAX;

		for (unsigned int b = 0; b < n; b++)
			counts[b] = 1 + mix(l->producer, l->sequence * 3 + b) % BATCH_RECORDS;
		load_batches(l, counts, n, NULL);
	}
}

void produce(struct load *l, const char *dir, const char *disk_dir, unsigned int role)
{
	const struct role *r = &roles[role];

	l->topic = &topics[r->topic];
	l->acked = &l->shared->acked[role];
	l->window = WINDOW;
	l->stale_is_fine = r->topic == TOPIC_CUT;
	open_acks(l, dir, disk_dir);
	if (r->batches)
		produce_batches(l, r->partition);
	else
		produce_records(l);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

struct numbers {
	uint32_t *at;
	size_t n;
};

/* First records of the sends that were acknowledged. */
static struct numbers read_acks(const char *dir, uint32_t producer_number)
{
	struct numbers acked = {0};
	char path[4096], line[256];
	uint32_t first, count, sent, seen;
	long long offset;
	FILE *f;

	snprintf(path, sizeof(path), "%s/acks.%" PRIu32, dir, producer_number);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line,
			   "ack %*s %*u %" SCNu32 " %" SCNu32 " %*d %lld %" SCNu32 " %" SCNu32,
			   &first, &count, &offset, &sent, &seen) != 5)
			continue;
		acked.at = reallocarray(acked.at, acked.n + 1, sizeof(*acked.at));
		if (!acked.at)
			die("no memory");
		acked.at[acked.n++] = first;
	}
	if (f)
		fclose(f);
	if (acked.n)
		qsort(acked.at, acked.n, sizeof(*acked.at), by_number);
	return acked;
}

/* The same batches each time, or what is sent again would be something else. */
static uint32_t batch_records(const struct load *l, uint32_t first)
{
	return 1 + mix(l->producer + 7, first) % BATCH_RECORDS;
}

void produce_on(struct load *l, const char *dir, const char *disk_dir, unsigned int index,
		unsigned int more)
{
	const int64_t producer_id = ((int64_t)1 << 40) + index;
	struct numbers acked;
	uint32_t count;

	l->topic = &topics[TOPIC_PLAIN];
	l->acked = &l->shared->acked[ROLES + index];
	l->producer = CONTINUING_ID + index;
	/* So many batches of a producer a log remembers. */
	l->window = 5;
	acked = read_acks(dir, l->producer);
	while (acked.n && bsearch(&l->sequence, acked.at, acked.n, sizeof(*acked.at), by_number))
		l->sequence += batch_records(l, l->sequence);
	free(acked.at);
	l->fd = producer(SOCK_STREAM, l->topic, (int)(index * 2 % l->topic->partitions));
	open_acks(l, dir, disk_dir);
	/* What was written last may have no end. */
	if (acks_note(&l->acks, "\n", 1))
		die("producer %u: %s", l->producer, strerror(errno));
	for (unsigned int i = 0; !more || i < more; i++) {
		count = batch_records(l, l->sequence);
		load_batches(l, &count, 1, &producer_id);
	}
	load_wait(l);
}
