// SPDX-License-Identifier: Apache-2.0
/* What is there after a power cut, and whether it goes on from there. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "tests/crash/load.h"
#include "tests/crash/value.h"
#include "tests/socket/harness.h"

/* A tombstone's header says what the value does of others. */
static bool tombstone_is_right(const struct got *got, uint32_t *producer_number, uint32_t *sequence)
{
	char name[KEY_MAX] = "", expected[KEY_MAX];
	int len = got->headers[0].value_len;

	/* Its key is of one byte, and the value follows. */
	if (got->n_headers != 1 || got->headers[0].key_len != 1 || len < 0 || len >= KEY_MAX ||
	    got->headers[0].data[0] != *TOMBSTONE_HEADER)
		return false;
	memcpy(name, got->headers[0].data + 1, (size_t)len);
	return sscanf(name, "%" SCNu32 " %" SCNu32, producer_number, sequence) == 2 &&
	       make_name(*producer_number, *sequence, expected) == (size_t)len &&
	       !strcmp(name, expected) && is_tombstone(*producer_number, *sequence);
}

static bool record_is_right(const struct topic *t, struct got *got, uint32_t *producer_number,
			    uint32_t *sequence)
{
	got->value[got->len] = '\0';
	if (got->info.flags & SLUICE_RECORD_NULL_VALUE)
		return t == &topics[TOPIC_COMPACT] &&
		       tombstone_is_right(got, producer_number, sequence);
	return value_is_right(got->value, (size_t)got->len, producer_number, sequence);
}

static void dump_record(FILE *out, const struct topic *t, int partition, struct got *got)
{
	uint32_t producer_number, sequence;
	char key[KEY_MAX];
	size_t key_len;

	if (!record_is_right(t, got, &producer_number, &sequence))
		die("%s-%d, offset %lld: not a record that was sent: '%.60s'", t->name, partition,
		    (long long)got->info.offset, got->value);
	key_len = make_key(producer_number, sequence, key);
	if (t == &topics[TOPIC_COMPACT] ? got->key_len != key_len || memcmp(got->key, key, key_len)
					: got->has_key)
		die("%s-%d, offset %lld: not the key that was sent", t->name, partition,
		    (long long)got->info.offset);
	fprintf(out, "record %s %d %lld %u %u %s\n", t->name, partition,
		(long long)got->info.offset, producer_number, sequence, got->has_key ? key : "-");
}

static void dump_partition(FILE *out, const struct topic *t, int partition)
{
	static struct got got;
	int fd = consumer(SOCK_SEQPACKET, t, partition, SLUICE_OFFSET_EARLIEST);
	struct sluice_position pos = {.partition = partition};
	uint32_t committed = SLUICE_READ_COMMITTED;

	if (set_option(fd, SLUICE_ISOLATION, &committed, sizeof(committed)))
		die("isolation: %s", error_text(fd));
	while (receive(fd, &got, MSG_DONTWAIT) >= 0)
		dump_record(out, t, partition, &got);
	if (errno != EAGAIN)
		die("%s-%d: %s: %s", t->name, partition, strerror(errno), error_text(fd));
	if (get_option(fd, SLUICE_POSITION, &pos, sizeof(pos)))
		die("position: %s", strerror(errno));
	fprintf(out, "end %s %d %lld %lld\n", t->name, partition, (long long)pos.log_start_offset,
		(long long)pos.log_end_offset);
	close(fd);
}

/* One more record, durable, and received. */
static void go_on(const struct topic *t, int partition)
{
	static struct got got;
	struct sluice_receipt_request request = {.when = SLUICE_RECEIPT_DURABLE};
	uint32_t number = (uint32_t)time(NULL) * 3 + (uint32_t)partition;
	char value[VALUE_MAX + 1], key[KEY_MAX];
	struct record r = {.value = value, .receipt = &request};
	int in = consumer(SOCK_SEQPACKET, t, partition, SLUICE_OFFSET_LATEST);
	int out = producer(SOCK_SEQPACKET, t, partition);
	struct sluice_event ev;

	/* By the clock, so that no two are the same. */
	r.value_len = make_value(0, number, value);
	if (t == &topics[TOPIC_COMPACT]) {
		r.key = key;
		r.key_len = make_key(0, number, key);
	}
	if (send_record(out, &r, 0) < 0)
		die("producing does not go on: %s: %s", strerror(errno), error_text(out));
	if (!wait_event(out, &ev) || ev.error)
		die("producing does not go on: no durable receipt");
	if (receive(in, &got, 0) < 0 || got.info.offset != ev.offset || !got_text(&got, value))
		die("what was produced after the power cut is not received");
	close(in);
	close(out);
}

int dump(const char *path, int n)
{
	FILE *out = fopen(path, "we");

	if (!out)
		die("%s: %s", path, strerror(errno));
	for (int t = 0; t < n; t++)
		for (uint32_t i = 0; i < topics[t].partitions; i++)
			dump_partition(out, &topics[t], (int)i);
	if (fclose(out))
		die("%s: %s", path, strerror(errno));
	for (int t = 0; t < n; t++)
		for (uint32_t i = 0; i < topics[t].partitions; i++)
			go_on(&topics[t], (int)i);
	return 0;
}
