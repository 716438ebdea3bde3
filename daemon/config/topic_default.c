// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/topic_default.h"
#include "daemon/log/topic_config.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS	  INT64_C(3600000)

static const struct {
	const char *broker_key;
	struct topic_default d;
	const char *default_value; /* of the one that the topic's default comes from */
} coarse[] = {
	{"log.flush.scheduler.interval.ms", {"flush.ms", 1, 2, false}, "9223372036854775807"},
	{"log.retention.hours", {"retention.ms", HOUR_MS, 1, false}, "168"},
	{"log.retention.minutes", {"retention.ms", MINUTE_MS, 2, false}, NULL},
	{"log.roll.hours", {"segment.ms", HOUR_MS, 1, false}, "168"},
	{"log.roll.jitter.hours", {"segment.jitter.ms", HOUR_MS, 1, false}, "0"},
};

bool topic_default_find(const char *broker_key, struct topic_default *ret)
{
	const struct topic_config_item *items;
	size_t n;

	for (size_t i = 0; i < sizeof(coarse) / sizeof(coarse[0]); i++) {
		if (!strcmp(coarse[i].broker_key, broker_key)) {
			*ret = coarse[i].d;
			return true;
		}
	}
	items = topic_config_items(&n);
	for (size_t i = 0; i < n; i++) {
		if (items[i].broker_key && !strcmp(items[i].broker_key, broker_key)) {
			*ret = (struct topic_default){items[i].key, 1, 3, true};
			return true;
		}
	}
	return false;
}

void topic_default_origin(const char *topic_key, const char **item_key, const char **item_default)
{
	for (size_t i = 0; i < sizeof(coarse) / sizeof(coarse[0]); i++) {
		if (coarse[i].default_value && !strcmp(coarse[i].d.topic_key, topic_key)) {
			*item_key = coarse[i].broker_key;
			*item_default = coarse[i].default_value;
		}
	}
}

int topic_default_scale(const struct topic_default *d, const char *value, char *buf, size_t size,
			const char **ret_value, const char **ret_why)
{
	long long v;
	char *end;

	*ret_value = value;
	if (d->scale == 1)
		return 0;
	errno = 0;
	v = strtoll(value, &end, 10);
	if (errno || end == value || *end || v < -1 || v > INT64_MAX / d->scale) {
		*ret_why = "it must be a number, -1 or more";
		return -EINVAL;
	}
	/* -1 means no limit in every unit. */
	snprintf(buf, size, "%lld", v < 0 ? v : v * (long long)d->scale);
	*ret_value = buf;
	return 0;
}

int topic_default_check(const struct topic_default *d, const char *value, const char **ret_why)
{
	return topic_config_check_kafka(d->topic_key, value, ret_why);
}
