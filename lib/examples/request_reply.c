// SPDX-License-Identifier: Apache-2.0
/*
 * Requests in one topic, replies in another, told apart by a header.
 *
 *	request_reply serve REQUESTS REPLIES COUNT	says "ready", answers so many
 *	request_reply ask REQUESTS REPLIES TEXT		prints the answer
 *
 * The kernel filters the replies: who asked is not woken for those of others.
 */
#include <ctype.h>
#include <sluice.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 120000

static const sluice_header *find_header(const sluice_record *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		if (!strcmp(r->headers[i].key, name))
			return &r->headers[i];
	}
	return NULL;
}

/* The service: the text in capitals, with the header that the request had. */
static int answer(sluice_producer *p, const sluice_record *request)
{
	const sluice_header *id = find_header(request, "id");
	char *text = malloc(request->value_len + 1);
	sluice_record reply = SLUICE_RECORD_INIT;
	int err;

	if (!id || !text) {
		free(text);
		return 0; /* nobody would know whose answer it is */
	}
	for (size_t i = 0; i < request->value_len; i++)
		text[i] = (char)toupper(((const unsigned char *)request->value)[i]);
	reply.value = text;
	reply.value_len = request->value_len;
	reply.headers = id;
	reply.n_headers = 1;
	err = sluice_produce(p, &reply, 0, NULL);
	free(text);
	return err;
}

static int serve(sluice_consumer *requests, sluice_producer *replies, long count)
{
	sluice_record r;
	int got = 1;

	puts("ready");
	fflush(stdout);
	while (count-- > 0 && (got = sluice_consume(requests, -1, &r)) > 0) {
		got = answer(replies, &r);
		if (got)
			break;
	}
	return got < 0 ? got : 0;
}

static int ask(sluice_producer *requests, sluice_consumer *replies, const char *text)
{
	char id[64], expression[100];
	sluice_header header = {"id", id, 0};
	sluice_record r = SLUICE_RECORD_INIT;
	sluice_filter *filter;
	struct timespec now;
	int err;

	clock_gettime(CLOCK_REALTIME, &now);
	header.value_len = (size_t)snprintf(id, sizeof(id), "%d.%lld.%ld", (int)getpid(),
					    (long long)now.tv_sec, now.tv_nsec);
	snprintf(expression, sizeof(expression), "header(\"id\") == \"%s\"", id);
	err = sluice_filter_compile(expression, &filter);
	if (err)
		return err;
	err = sluice_consumer_filter(replies, filter);
	sluice_filter_free(filter);
	if (err)
		return err;
	r.value = text;
	r.value_len = strlen(text);
	r.headers = &header;
	r.n_headers = 1;
	err = sluice_produce(requests, &r, 0, NULL);
	if (!err)
		err = sluice_consume(replies, PATIENCE_MS, &r);
	if (err == 0)
		puts("no answer came");
	else if (err > 0)
		printf("%.*s\n", (int)r.value_len, (const char *)r.value);
	return err < 0 ? err : 0;
}

int main(int argc, char **argv)
{
	int serves = argc == 5 && !strcmp(argv[1], "serve"), err;
	sluice_consumer *in = NULL;
	sluice_producer *out = NULL;

	if (argc != 5 || (!serves && strcmp(argv[1], "ask") != 0)) {
		fprintf(stderr, "usage: request_reply serve REQUESTS REPLIES COUNT\n"
				"       request_reply ask REQUESTS REPLIES TEXT\n");
		return 2;
	}
	/* Who asks is there before its question is: no answer is missed. */
	err = sluice_consumer_open(argv[serves ? 2 : 3], SLUICE_ANY_PARTITION, SLUICE_LATEST, &in);
	if (!err)
		err = sluice_producer_open(argv[serves ? 3 : 2], SLUICE_ANY_PARTITION, &out);
	if (!err)
		err = serves ? serve(in, out, strtol(argv[4], NULL, 10)) : ask(out, in, argv[4]);
	if (err)
		fprintf(stderr, "request_reply: %s\n", sluice_strerror());
	sluice_consumer_close(in);
	sluice_producer_close(out);
	return err ? 1 : 0;
}
