// SPDX-License-Identifier: Apache-2.0
/*
 * A pipeline of three programs with topics between them; each stage goes at its own
 * pace, and may be started late, or once more from the beginning.
 *
 *	pipeline collect RAW		each line of standard input, "NAME NUMBER"
 *	pipeline transform RAW CLEAN	the name as key, the number as value; drops the rest
 *	pipeline load CLEAN		the sum of each name, printed at the end
 *
 * A record with neither key nor value is the end.
 */
#include <inttypes.h>
#include <sluice.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 32
#define NAMES_MAX    100

static int send(sluice_producer *p, const char *key, const char *value)
{
	sluice_record r = SLUICE_RECORD_INIT;

	r.key = key;
	r.key_len = key ? strlen(key) : 0;
	r.value = value;
	r.value_len = value ? strlen(value) : 0;
	return sluice_produce(p, &r, 0, NULL);
}

/* The next record's value as text; 0 the end, < 0 a failure. */
static int next(sluice_consumer *c, sluice_record *r, char *text, size_t room)
{
	int got = sluice_consume(c, -1, r);

	if (got <= 0 || (!r->key && !r->value))
		return got < 0 ? got : 0;
	snprintf(text, room, "%.*s", (int)r->value_len, r->value ? (const char *)r->value : "");
	return 1;
}

static int collect(sluice_producer *out)
{
	char *line = NULL;
	size_t room = 0;
	int err = 0;

	while (!err && getline(&line, &room, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		err = send(out, NULL, line);
	}
	free(line);
	return err ? err : send(out, NULL, NULL);
}

static int transform(sluice_consumer *in, sluice_producer *out)
{
	char text[200], name[NAME_MAX_LEN + 1], number[24], rest;
	sluice_record r;
	int got, err = 0;

	while (!err && (got = next(in, &r, text, sizeof(text))) > 0) {
		if (sscanf(text, "%32s %20[0-9] %c", name, number, &rest) == 2)
			err = send(out, name, number);
	}
	if (!err)
		err = got;
	return err ? err : send(out, NULL, NULL);
}

static int load(sluice_consumer *in)
{
	static struct {
		char name[NAME_MAX_LEN + 1];
		uint64_t sum;
	} sums[NAMES_MAX];
	size_t n = 0, i;
	sluice_record r;
	char text[24];
	int got;

	while ((got = next(in, &r, text, sizeof(text))) > 0) {
		if (!r.key || r.key_len > NAME_MAX_LEN)
			continue;
		for (i = 0; i < n; i++) {
			if (strlen(sums[i].name) == r.key_len &&
			    !memcmp(sums[i].name, r.key, r.key_len))
				break;
		}
		if (i == NAMES_MAX)
			continue;
		if (i == n)
			memcpy(sums[n++].name, r.key, r.key_len);
		sums[i].sum += strtoull(text, NULL, 10);
	}
	for (i = 0; i < n; i++)
		printf("%s %" PRIu64 "\n", sums[i].name, sums[i].sum);
	return got;
}

int main(int argc, char **argv)
{
	const char *stage = argc > 1 ? argv[1] : "";
	int reads = strcmp(stage, "collect") != 0, writes = strcmp(stage, "load") != 0, err = 0;
	sluice_consumer *in = NULL;
	sluice_producer *out = NULL;

	if (argc != 2 + reads + writes || (reads && writes && strcmp(stage, "transform") != 0)) {
		fprintf(stderr, "usage: pipeline collect RAW | transform RAW CLEAN | load CLEAN\n");
		return 2;
	}
	/* One partition, so that the end comes last. */
	if (reads)
		err = sluice_consumer_open(argv[2], 0, SLUICE_EARLIEST, &in);
	if (!err && writes)
		err = sluice_producer_open(argv[argc - 1], 0, &out);
	if (!err)
		err = !reads ? collect(out) : writes ? transform(in, out) : load(in);
	if (err)
		fprintf(stderr, "pipeline: %s\n", sluice_strerror());
	sluice_consumer_close(in);
	sluice_producer_close(out);
	return err ? 1 : 0;
}
