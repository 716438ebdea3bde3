// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl produce
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/sluice.h"
#include "tools/sluicectl/ctl.h"

#define HEADERS_MAX 100

enum {
	OPTION_LINGER = CTL_OPTION_FIRST_FREE,
	OPTION_BATCH_BYTES,
};

struct produce {
	sluice_producer *producer;
	const char *topic;
	const char *separator;
	int64_t partition;
	sluice_header headers[HEADERS_MAX];
	size_t n_headers;
	unsigned int flags;
	bool empty_is_null;
	int64_t linger_ms; /* -1: the topic's; as the next */
	int64_t batch_bytes;
};

static int add_header(struct ctl *ctl, struct produce *p, char *text)
{
	char *value = strchr(text, '=');

	if (!value || value == text)
		return ctl_usage(ctl, "-H takes NAME=VALUE, not '%s'", text);
	if (p->n_headers == HEADERS_MAX)
		return ctl_usage(ctl, "more than %d headers", HEADERS_MAX);
	*value++ = '\0';
	p->headers[p->n_headers++] =
		(sluice_header){.key = text, .value = value, .value_len = strlen(value)};
	return -1;
}

static int print_receipt(const struct produce *p, const sluice_receipt *receipt)
{
	return ctl_print_json(json_pack("{sssisI}", "topic", p->topic, "partition",
					(int)receipt->partition, "offset",
					(json_int_t)receipt->offset));
}

static int produce_line(struct ctl *ctl, struct produce *p, const char *line, size_t len)
{
	sluice_record r = SLUICE_RECORD_INIT;
	sluice_receipt receipt;
	const char *end;
	int err;

	r.value = line;
	r.value_len = len;
	r.headers = p->headers;
	r.n_headers = p->n_headers;
	end = p->separator ? memmem(line, len, p->separator, strlen(p->separator)) : NULL;
	if (end) {
		r.key = line;
		r.key_len = (size_t)(end - line);
		r.value = end + strlen(p->separator);
		r.value_len = (size_t)(line + len - (const char *)r.value);
	}
	if (!r.value_len && p->empty_is_null)
		r.value = NULL;
	err = sluice_produce(p->producer, &r, p->flags, ctl->json ? &receipt : NULL);
	if (err)
		return ctl_fail(err == -EINVAL ? -EIO : err, "%s: %s", p->topic, sluice_strerror());
	return ctl->json ? print_receipt(p, &receipt) : CTL_OK;
}

static int produce_file(struct ctl *ctl, struct produce *p, FILE *f, const char *name)
{
	int status = CTL_OK;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	errno = 0;
	while (status == CTL_OK && !ctl_interrupted() && (len = getline(&line, &room, f)) >= 0) {
		if (len > 0 && line[len - 1] == '\n')
			len--;
		status = produce_line(ctl, p, line, (size_t)len);
		errno = 0;
	}
	free(line);
	if (status == CTL_OK && ferror(f) && !ctl_interrupted())
		status = ctl_fail(-EIO, "%s: %s", name, strerror(errno));
	return status;
}

static int produce_all(struct ctl *ctl, struct produce *p, char *const *names, size_t n)
{
	int status = CTL_OK;
	FILE *f;

	if (!n)
		return produce_file(ctl, p, stdin, "standard input");
	for (size_t i = 0; status == CTL_OK && i < n; i++) {
		if (!strcmp(names[i], "-")) {
			status = produce_file(ctl, p, stdin, "standard input");
			continue;
		}
		f = fopen(names[i], "re");
		if (!f)
			return ctl_fail(-errno, "%s: %s", names[i], strerror(errno));
		status = produce_file(ctl, p, f, names[i]);
		fclose(f);
	}
	return status;
}

static int parse_option(struct ctl *ctl, struct produce *p, int option)
{
	switch (option) {
	case 'p':
		if (!ctl_parse_number(optarg, 0, INT32_MAX, &p->partition))
			return ctl_usage(ctl, "-p takes the index of a partition, not '%s'",
					 optarg);
		return -1;
	case 'k':
		if (!*optarg)
			return ctl_usage(ctl, "-k takes a separator that is not empty");
		p->separator = optarg;
		return -1;
	case 'H': return add_header(ctl, p, optarg);
	case 'd': p->flags |= SLUICE_DURABLE; return -1;
	case 'Z': p->empty_is_null = true; return -1;
	case OPTION_LINGER:
		if (!ctl_parse_number(optarg, 0, INT32_MAX, &p->linger_ms))
			return ctl_usage(ctl, "--linger takes milliseconds, not '%s'", optarg);
		return -1;
	case OPTION_BATCH_BYTES:
		if (!ctl_parse_number(optarg, 0, INT32_MAX, &p->batch_bytes))
			return ctl_usage(ctl, "--batch-bytes takes bytes, not '%s'", optarg);
		return -1;
	}
	return ctl_common_option(ctl, option);
}

int cmd_produce(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG_OPTIONS,
		{"partition", required_argument, NULL, 'p'},
		{"key", required_argument, NULL, 'k'},
		{"header", required_argument, NULL, 'H'},
		{"durable", no_argument, NULL, 'd'},
		{"null", no_argument, NULL, 'Z'},
		{"linger", required_argument, NULL, OPTION_LINGER},
		{"batch-bytes", required_argument, NULL, OPTION_BATCH_BYTES},
		{0},
	};
	struct produce p = {.partition = SLUICE_ANY_PARTITION, .linger_ms = -1, .batch_bytes = -1};
	int option, status, err;

	while ((option = getopt_long(argc, argv, "p:k:H:dZ" CTL_SHORT_OPTIONS, options, NULL)) !=
	       -1) {
		status = parse_option(ctl, &p, option);
		if (status >= 0)
			return status;
	}
	if (optind == argc)
		return ctl_usage(ctl, "the topic is missing");
	if (ctl->bootstrap)
		return ctl_usage(ctl, "produce is for the local topics: kcat speaks to a broker");
	p.topic = argv[optind++];
	err = sluice_producer_open(p.topic, (int32_t)p.partition, &p.producer);
	if (err)
		return ctl_fail(err, "%s", sluice_strerror());
	if (p.linger_ms >= 0 || p.batch_bytes >= 0)
		err = sluice_producer_batching(p.producer, (int)p.linger_ms, (int)p.batch_bytes);
	if (err) {
		status = ctl_fail(err, "%s", sluice_strerror());
	} else {
		ctl_catch_signals();
		status = produce_all(ctl, &p, argv + optind, argc - optind);
	}
	sluice_producer_close(p.producer);
	/* What was sent stays; that not all was is told the shell's way. */
	return status == CTL_OK && ctl_interrupted() ? 130 : status;
}
