// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl topic create
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/sluicectl/ctl.h"
#include "tools/sluicectl/kafka_client.h"

#define OPTION_IF_NOT_EXISTS CTL_OPTION_FIRST_FREE
#define SETTINGS_MAX	     100

struct create {
	struct kafka_topic_settings s;
	struct log_dir_setting settings[SETTINGS_MAX];
};

static int add_setting(struct ctl *ctl, struct create *c, char *text)
{
	char *value = strchr(text, '=');

	if (!value || value == text)
		return ctl_usage(ctl, "-c takes KEY=VALUE, not '%s'", text);
	if (c->s.n_settings == SETTINGS_MAX)
		return ctl_usage(ctl, "more than %d settings", SETTINGS_MAX);
	*value++ = '\0';
	c->settings[c->s.n_settings].key = text;
	c->settings[c->s.n_settings++].value = value;
	return -1;
}

static int parse_option(struct ctl *ctl, struct create *c, int option)
{
	switch (option) {
	case 'p':
		if (!ctl_parse_number(optarg, 1, INT32_MAX, &c->s.partition_count))
			return ctl_usage(ctl, "-p takes a number of partitions, not '%s'", optarg);
		return -1;
	case 'r':
		if (!ctl_parse_number(optarg, 1, INT16_MAX, &c->s.replication_factor))
			return ctl_usage(ctl, "-r takes a number of replicas, not '%s'", optarg);
		return -1;
	case 'c': return add_setting(ctl, c, optarg);
	case OPTION_IF_NOT_EXISTS: c->s.if_not_exists = true; return -1;
	}
	return ctl_common_option(ctl, option);
}

static int create_one(struct ctl *ctl, struct kern *k, const char *dir, const char *name,
		      const struct create *c)
{
	uint8_t id[SLUICE_TOPIC_ID_LEN];
	struct log_dir_error err;
	char id_text[32];
	int result;

	result = log_dir_topic_create(k, dir, name, (uint32_t)c->s.partition_count, c->settings,
				      c->s.n_settings, id, &err);
	if (result == -EEXIST && c->s.if_not_exists)
		return CTL_OK;
	if (result)
		return ctl_fail(result, "%s", err.text);
	if (ctl->json)
		return ctl_print_json(json_pack("{sssssI}", "topic", name, "id",
						ctl_id_text(id, id_text), "partitions",
						(json_int_t)c->s.partition_count));
	printf("created topic %s with %lld partition%s\n", name, (long long)c->s.partition_count,
	       c->s.partition_count == 1 ? "" : "s");
	return CTL_OK;
}

static int create_local(struct ctl *ctl, char *const *names, size_t n, const struct create *c)
{
	int status, one;
	struct kern *k;
	char *dir;

	if (c->s.replication_factor > 1)
		return ctl_usage(ctl, "a local topic has one replica: -r needs -b");
	status = ctl_kern(&k);
	if (status != CTL_OK)
		return status;
	status = ctl_attached_data_dir(ctl, k, &dir);
	for (size_t i = 0; status != CTL_NOT_FOUND && dir && i < n; i++) {
		one = create_one(ctl, k, dir, names[i], c);
		if (one != CTL_OK)
			status = one;
	}
	free(dir);
	kern_close(k);
	return status;
}

int cmd_topic_create(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG_OPTIONS,
		{"partitions", required_argument, NULL, 'p'},
		{"replication-factor", required_argument, NULL, 'r'},
		{"config", required_argument, NULL, 'c'},
		{"if-not-exists", no_argument, NULL, OPTION_IF_NOT_EXISTS},
		{0},
	};
	struct create c = {.s = {.partition_count = -1, .replication_factor = -1}};
	int option, status;

	while ((option = getopt_long(argc, argv, "p:r:c:" CTL_SHORT_OPTIONS, options, NULL)) !=
	       -1) {
		status = parse_option(ctl, &c, option);
		if (status >= 0)
			return status;
	}
	if (optind == argc)
		return ctl_usage(ctl, "the topic's name is missing");
	c.s.settings = c.settings;
	if (ctl->bootstrap)
		return kafka_topic_create(ctl, argv + optind, argc - optind, &c.s);
	if (c.s.partition_count < 0)
		c.s.partition_count = 1;
	return create_local(ctl, argv + optind, argc - optind, &c);
}
