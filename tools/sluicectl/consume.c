// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl consume
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "tools/sluicectl/filter_bpf.h"
#include "tools/sluicectl/record_format.h"

enum {
	OPTION_FROM_BEGINNING = CTL_OPTION_FIRST_FREE,
	OPTION_FROM_TIME,
	OPTION_FILTER,
	OPTION_FILTER_BPF,
};

struct consume {
	sluice_consumer *consumer;
	const char *topic;
	const char *format;
	int64_t partition;
	int64_t start;
	int64_t count;	   /* -1: no end */
	int64_t timeout_s; /* -1: none */
	bool exit_at_end;
	sluice_filter *filter;
	const char *filter_bpf;
};

static int print_record(struct ctl *ctl, const struct consume *c, const sluice_record *r)
{
	if (ctl->json) {
		json_t *object = record_json(c->topic, r);

		if (!object)
			return ctl_fail(-ENOMEM, "out of memory");
		json_dumpf(object, stdout, JSON_COMPACT);
		json_decref(object);
		putchar('\n');
	} else {
		record_format_print(c->format, c->topic, r);
	}
	/* A full disk or a closed pipe shows here; the rest is flushed when it is quiet. */
	return ferror(stdout) ? ctl_flush() : CTL_OK;
}

/* A record that is there is taken at once; before waiting, what was printed goes out. */
static int next_record(const struct consume *c, sluice_record *r)
{
	int timeout_ms = c->timeout_s < 0 ? -1 : (int)c->timeout_s * 1000;
	int got = sluice_consume(c->consumer, 0, r);

	if (got || c->exit_at_end)
		return got;
	if (ctl_flush() != CTL_OK)
		return -EIO;
	if (ctl_closed() || ctl_interrupted())
		return 0;
	return sluice_consume(c->consumer, timeout_ms, r);
}

static int consume_all(struct ctl *ctl, struct consume *c)
{
	int got, status = CTL_OK, worst = CTL_OK;
	sluice_record r;

	while (c->count != 0 && status == CTL_OK && !ctl_interrupted() && !ctl_closed()) {
		got = next_record(c, &r);
		if (got == 0 || got == -EINTR)
			break;
		if (got == -ERANGE || got == -EBADMSG || got == -EMSGSIZE) {
			/* The consumer went on behind it: so do we. */
			worst = ctl_fail(got, "%s: %s", c->topic, sluice_strerror());
			continue;
		}
		if (got < 0) {
			status = ctl_fail(got, "%s: %s", c->topic, sluice_strerror());
			break;
		}
		status = print_record(ctl, c, &r);
		if (c->count > 0)
			c->count--;
	}
	if (ctl_flush() != CTL_OK)
		status = CTL_FAILED;
	return status == CTL_OK ? worst : status;
}

static bool parse_offset(const char *text, int64_t *ret)
{
	if (!strcmp(text, "earliest") || !strcmp(text, "beginning"))
		*ret = SLUICE_EARLIEST;
	else if (!strcmp(text, "latest") || !strcmp(text, "end"))
		*ret = SLUICE_LATEST;
	else
		return ctl_parse_number(text, 0, INT64_MAX, ret);
	return true;
}

/* As "90s" or "2h": so long ago. */
static bool parse_ago(const char *text, int64_t *ret_ms)
{
	static const char units[] = "smhd";
	static const int64_t unit_ms[] = {1000, 60000, 3600000, 86400000};
	size_t digits = strspn(text, "0123456789");
	const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
	char number[12];
	struct timespec now;
	int64_t n;

	if (!digits || digits >= sizeof(number) || !unit || text[digits + 1])
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	if (!ctl_parse_number(number, 0, INT32_MAX, &n))
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	*ret_ms = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000 - n * unit_ms[unit - units];
	return true;
}

/* As "2026-11-23T20:00:00", local or with a Z; the time of day may be missing. */
static bool parse_date(const char *text, int64_t *ret_ms)
{
	static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
					      "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(text, formats[i], &tm);

		if (!end || (*end && strcmp(end, "Z") != 0))
			continue;
		*ret_ms = (*end ? timegm(&tm) : mktime(&tm)) * INT64_C(1000);
		return true;
	}
	return false;
}

static bool parse_time(const char *text, int64_t *ret)
{
	int64_t ms;

	if (!ctl_parse_number(text, 0, SLUICE_AT_MAX, &ms) && !parse_ago(text, &ms) &&
	    !parse_date(text, &ms))
		return false;
	/* No record is older than the epoch. */
	*ret = SLUICE_AT(ms < 0 ? 0 : ms);
	return true;
}

static int parse_option(struct ctl *ctl, struct consume *c, int option)
{
	const char *why;

	switch (option) {
	case 'p':
		if (!ctl_parse_number(optarg, 0, INT32_MAX, &c->partition))
			return ctl_usage(ctl, "-p takes the index of a partition, not '%s'",
					 optarg);
		return -1;
	case 'o':
		if (!parse_offset(optarg, &c->start))
			return ctl_usage(ctl,
					 "-o takes an offset, 'earliest' or 'latest', not '%s'",
					 optarg);
		return -1;
	case 'n':
		if (!ctl_parse_number(optarg, 0, INT64_MAX, &c->count))
			return ctl_usage(ctl, "-n takes a number of records, not '%s'", optarg);
		return -1;
	case 't':
		if (!ctl_parse_number(optarg, 0, 1000000, &c->timeout_s))
			return ctl_usage(ctl, "-t takes seconds, not '%s'", optarg);
		return -1;
	case 'f':
		why = record_format_check(optarg);
		if (why)
			return ctl_usage(ctl, "-f '%s': %s", optarg, why);
		c->format = optarg;
		return -1;
	case 'e': c->exit_at_end = true; return -1;
	case OPTION_FILTER:
		sluice_filter_free(c->filter);
		c->filter = NULL;
		if (sluice_filter_compile(optarg, &c->filter))
			return ctl_usage(ctl, "%s", sluice_strerror());
		return -1;
	case OPTION_FILTER_BPF: c->filter_bpf = optarg; return -1;
	case OPTION_FROM_TIME:
		if (!parse_time(optarg, &c->start))
			return ctl_usage(ctl,
					 "--from-time takes milliseconds since the epoch, a date "
					 "such as 2026-11-23T20:00:00Z, or how long ago, such as "
					 "90s, 10m, 2h or 1d, not '%s'",
					 optarg);
		return -1;
	case OPTION_FROM_BEGINNING: c->start = SLUICE_EARLIEST; return -1;
	}
	return ctl_common_option(ctl, option);
}

static int open_consumer(struct consume *c)
{
	int err = sluice_consumer_open(c->topic, (int32_t)c->partition, c->start, &c->consumer);

	if (!err && c->filter)
		err = sluice_consumer_filter(c->consumer, c->filter);
	if (err)
		return ctl_fail(err, "%s", sluice_strerror());
	if (c->filter_bpf)
		return filter_bpf_attach(c->filter_bpf, sluice_consumer_fd(c->consumer));
	return CTL_OK;
}

int cmd_consume(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG_OPTIONS,
		{"partition", required_argument, NULL, 'p'},
		{"offset", required_argument, NULL, 'o'},
		{"count", required_argument, NULL, 'n'},
		{"timeout", required_argument, NULL, 't'},
		{"format", required_argument, NULL, 'f'},
		{"exit", no_argument, NULL, 'e'},
		{"filter", required_argument, NULL, OPTION_FILTER},
		{"filter-bpf", required_argument, NULL, OPTION_FILTER_BPF},
		{"from-beginning", no_argument, NULL, OPTION_FROM_BEGINNING},
		{"from-time", required_argument, NULL, OPTION_FROM_TIME},
		{0},
	};
	struct consume c = {.format = "%v\\n",
			    .partition = SLUICE_ANY_PARTITION,
			    .start = SLUICE_LATEST,
			    .count = -1,
			    .timeout_s = -1};
	int option, status;

	while ((option = getopt_long(argc, argv, "p:o:n:t:f:e" CTL_SHORT_OPTIONS, options, NULL)) !=
	       -1) {
		status = parse_option(ctl, &c, option);
		if (status >= 0)
			return status;
	}
	if (argc - optind != 1)
		return ctl_usage(ctl, "one topic is needed");
	if (ctl->bootstrap)
		return ctl_usage(ctl, "consume is for the local topics: kcat speaks to a broker");
	if (c.filter && c.filter_bpf)
		return ctl_usage(ctl, "--filter and --filter-bpf do not go together");
	c.topic = argv[optind];
	status = open_consumer(&c);
	if (status == CTL_OK) {
		ctl_catch_signals();
		status = consume_all(ctl, &c);
	}
	sluice_consumer_close(c.consumer);
	sluice_filter_free(c.filter);
	return status;
}
