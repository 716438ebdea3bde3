// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl monitor
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <linux/sluice_netlink.h>
#include "sluice_netlink_names.h"
#include "tools/sluicectl/ctl.h"

static const char *event_name(uint32_t type)
{
	return type <= SLUICE_EVENT_TYPE_MAX ? sluice_event_type_names[type] : "unknown";
}

static int print_json(const struct kern_event *e, int64_t now_ms)
{
	json_t *object =
		json_pack("{sIss}", "time", (json_int_t)now_ms, "event", event_name(e->type));

	if (e->data_dir[0])
		json_object_set_new(object, "data_dir", json_string(e->data_dir));
	if (e->topic[0])
		json_object_set_new(object, "topic", json_string(e->topic));
	if (e->partition >= 0)
		json_object_set_new(object, "partition", json_integer(e->partition));
	if (e->type == SLUICE_EVENT_TYPE_SEGMENT_ROLLED)
		json_object_set_new(object, "base_offset", json_integer(e->base_offset));
	if (e->type == SLUICE_EVENT_TYPE_PARTITION_OFFLINE) {
		json_object_set_new(object, "error", json_integer(e->error));
		json_object_set_new(object, "reason", json_string(e->reason));
	}
	return ctl_print_json(object);
}

static int print_text(const struct kern_event *e, const struct timespec *now)
{
	char when[32];
	struct tm tm;

	localtime_r(&now->tv_sec, &tm);
	strftime(when, sizeof(when), "%H:%M:%S", &tm);
	printf("%s.%03ld %s", when, now->tv_nsec / 1000000, event_name(e->type));
	if (e->data_dir[0])
		printf(" %s", e->data_dir);
	if (e->topic[0])
		printf(" %s", e->topic);
	if (e->partition >= 0)
		printf("-%" PRId32, e->partition);
	if (e->type == SLUICE_EVENT_TYPE_SEGMENT_ROLLED)
		printf(" at %" PRId64, e->base_offset);
	if (e->type == SLUICE_EVENT_TYPE_PARTITION_OFFLINE)
		printf(": %s", e->reason[0] ? e->reason : strerror(e->error));
	putchar('\n');
	return ctl_flush();
}

static int watch(struct ctl *ctl, struct kern *k, int64_t count, int timeout_ms)
{
	struct pollfd ready = {.fd = kern_event_fd(k), .events = POLLIN};
	struct kern_event event;
	struct timespec now;
	int err, status = CTL_OK;

	while (count != 0 && status == CTL_OK && !ctl_interrupted() && !ctl_closed()) {
		err = kern_event_next(k, &event);
		if (err == -EAGAIN) {
			err = poll(&ready, 1, timeout_ms);
			if (err == 0)
				return CTL_OK;
			continue;
		}
		if (err == -ENOBUFS) {
			fprintf(stderr, "sluicectl: some events were lost\n");
			continue;
		}
		if (err)
			return ctl_fail(err, "%s", kern_error(k));
		clock_gettime(CLOCK_REALTIME, &now);
		status = ctl->json ? print_json(&event, now.tv_sec * 1000LL + now.tv_nsec / 1000000)
				   : print_text(&event, &now);
		if (count > 0)
			count--;
	}
	return status;
}

int cmd_monitor(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {CTL_LONG_OPTIONS,
						{"count", required_argument, NULL, 'n'},
						{"timeout", required_argument, NULL, 't'},
						{0}};
	int64_t count = -1, timeout_s = -1;
	struct kern *k;
	int option, status, err;

	while ((option = getopt_long(argc, argv, "n:t:" CTL_SHORT_OPTIONS, options, NULL)) != -1) {
		status = -1;
		if (option == 'n' && !ctl_parse_number(optarg, 1, INT64_MAX, &count))
			return ctl_usage(ctl, "-n takes a number, not '%s'", optarg);
		else if (option == 't' && !ctl_parse_number(optarg, 0, 1000000, &timeout_s))
			return ctl_usage(ctl, "-t takes seconds, not '%s'", optarg);
		else if (option != 'n' && option != 't')
			status = ctl_common_option(ctl, option);
		if (status >= 0)
			return status;
	}
	if (optind < argc)
		return ctl_usage(ctl, "too many arguments");
	status = ctl_kern(&k);
	if (status != CTL_OK)
		return status;
	err = kern_subscribe(k);
	if (err) {
		status = ctl_fail(err, "%s", kern_error(k));
	} else {
		ctl_catch_signals();
		status = watch(ctl, k, count, timeout_s < 0 ? -1 : (int)timeout_s * 1000);
	}
	kern_close(k);
	return status;
}
