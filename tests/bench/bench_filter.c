// SPDX-License-Identifier: Apache-2.0
/*
 * A filter that passes one record of a hundred, beside reading everything and
 * filtering in the application: the same expression in the same program, once
 * given to the kernel and once not. What is read is in the page cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/sluice.h"
#include "tests/bench/measure.h"
#include "tests/socket/batch.h"
#include "tests/socket/harness.h"
#include "tests/socket/record.h"

#define RECORDS	  20000
#define PER_BATCH 100
#define ROUNDS	  5

/* One of a hundred values begins otherwise. */
static void fill(const struct topic *t, size_t value_len)
{
	int fd = producer(SOCK_STREAM, t, 0);
	uint8_t *batch = malloc(61 + PER_BATCH * (value_len + 20));
	char *common = malloc(value_len + 1), *rare = malloc(value_len + 1);
	const char *values[PER_BATCH];
	struct batch_header h = BATCH_HEADER_INIT;

	memset(common, 'c', value_len);
	memset(rare, 'r', value_len);
	common[value_len] = rare[value_len] = '\0';
	for (int i = 0; i < PER_BATCH; i++)
		values[i] = i == PER_BATCH / 2 ? rare : common;
	for (int i = 0; i < RECORDS / PER_BATCH; i++) {
		size_t size = batch_encode(batch, &h, values, PER_BATCH);

		if (send(fd, batch, size, 0) != (ssize_t)size)
			die("send: %s", error_text(fd));
	}
	close(fd);
	free(common);
	free(rare);
	free(batch);
}

/* All records that match; what it took for each record of the log. */
static double read_matching(const struct topic *t, const sluice_filter *f, bool in_kernel)
{
	struct samples rounds = {0};
	sluice_consumer *c;

	if (sluice_consumer_open(t->name, 0, SLUICE_EARLIEST, &c) ||
	    (in_kernel && sluice_consumer_filter(c, f)))
		die("%s", sluice_strerror());
	for (int i = 0; i < ROUNDS; i++) {
		int64_t begin = now();
		sluice_record r;
		int n = 0;

		while (sluice_consume(c, 0, &r) > 0)
			n += in_kernel || sluice_filter_matches(f, &r);
		samples_add(&rounds, now() - begin);
		if (n != RECORDS / PER_BATCH)
			die("%d records match", n);
		if (sluice_seek(c, 0, SLUICE_EARLIEST))
			die("%s", sluice_strerror());
	}
	sluice_consumer_close(c);
	return (double)samples_median(&rounds) / RECORDS;
}

int main(void)
{
	static const size_t value_lens[] = {64, 1024};
	sluice_filter *f;

	if (sluice_filter_compile("value ^= \"rrrrrrrr\"", &f))
		die("%s", sluice_strerror());
	for (size_t i = 0; i < ARRAY_LEN(value_lens); i++) {
		struct topic t = topic_new(1, NULL);
		double reference;
		char what[64];

		fill(&t, value_lens[i]);
		reference = read_matching(&t, f, false);
		snprintf(what, sizeof(what), "filter that passes 1 %%, record of %zu B",
			 value_lens[i]);
		row(what, "ns", read_matching(&t, f, true), reference, 0.2);
		topic_delete(&t);
	}
	sluice_filter_free(f);
	return 0;
}
