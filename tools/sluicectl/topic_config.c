// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl topic config
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/log/topic_config.h"
#include "tools/sluicectl/ctl.h"

#define CHANGES_MAX 100

struct alter {
	struct log_dir_setting changes[CHANGES_MAX];
	size_t n;
};

static int add_change(struct ctl *ctl, struct alter *a, char *key, char *value)
{
	if (a->n == CHANGES_MAX)
		return ctl_usage(ctl, "more than %d settings", CHANGES_MAX);
	a->changes[a->n++] = (struct log_dir_setting){.key = key, .value = value};
	return -1;
}

static int parse_option(struct ctl *ctl, struct alter *a, int option)
{
	char *value;

	switch (option) {
	case 'c':
		value = strchr(optarg, '=');
		if (!value || value == optarg)
			return ctl_usage(ctl, "-c takes KEY=VALUE, not '%s'", optarg);
		*value++ = '\0';
		return add_change(ctl, a, optarg, value);
	case 'd': return add_change(ctl, a, optarg, NULL);
	}
	return ctl_common_option(ctl, option);
}

static const char *own_value(const struct log_dir_setting *own, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(own[i].key, key))
			return own[i].value;
	}
	return NULL;
}

/* Every setting that there is, the topic's own marked. */
static int print_settings(struct ctl *ctl, const char *name, const struct log_dir_setting *own,
			  size_t n_own)
{
	static const char *const titles[] = {"SETTING", "VALUE", "FROM"};
	const struct topic_config_item *items;
	struct ctl_table table;
	json_t *settings;
	size_t n;

	items = topic_config_items(&n);
	settings = json_object();
	ctl_table_begin(&table, 3, titles);
	for (size_t i = 0; i < n; i++) {
		const char *mine = own_value(own, n_own, items[i].key);
		const char *value = mine ? mine : items[i].default_value;

		json_object_set_new(settings, items[i].key,
				    json_pack("{sssb}", "value", value, "default", !mine));
		ctl_cell(&table, "%s", items[i].key);
		ctl_cell(&table, "%s", value);
		ctl_cell(&table, "%s", mine ? "topic" : "default");
	}
	if (ctl->json) {
		ctl_table_free(&table);
		return ctl_print_json(json_pack("{ssso}", "topic", name, "settings", settings));
	}
	json_decref(settings);
	return ctl_table_print(&table);
}

static int show(struct ctl *ctl, const char *dir, const char *name)
{
	struct log_dir_setting *own;
	struct log_dir_error err;
	size_t n;
	int status, result = log_dir_topic_settings(dir, name, &own, &n, &err);

	if (result)
		return ctl_fail(result, "%s", err.text);
	status = print_settings(ctl, name, own, n);
	log_dir_settings_free(own, n);
	return status;
}

static int run(struct ctl *ctl, struct kern *k, const char *name, const struct alter *a)
{
	struct log_dir_error err;
	struct kern_topic t;
	int status = CTL_OK, result = kern_topic_get(k, name, &t);

	if (result)
		return ctl_fail(result, "%s", kern_error(k));
	if (a->n) {
		result = log_dir_topic_alter(k, t.data_dir, name, a->changes, a->n, &err);
		if (result)
			status = ctl_fail(result, "%s", err.text);
	}
	/* After a change what was changed is known; JSON tells it all the same. */
	if (status == CTL_OK && (!a->n || ctl->json))
		status = show(ctl, t.data_dir, name);
	free(t.data_dir);
	return status;
}

int cmd_topic_config(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {CTL_LONG_OPTIONS,
						{"config", required_argument, NULL, 'c'},
						{"delete", required_argument, NULL, 'd'},
						{0}};
	struct alter a = {.n = 0};
	struct kern *k;
	int option, status;

	while ((option = getopt_long(argc, argv, "c:d:" CTL_SHORT_OPTIONS, options, NULL)) != -1) {
		status = parse_option(ctl, &a, option);
		if (status >= 0)
			return status;
	}
	if (argc - optind != 1)
		return ctl_usage(ctl, "one topic is needed");
	if (ctl->bootstrap)
		return ctl_usage(ctl, "-b: settings are changed on the broker's own host");
	status = ctl_kern(&k);
	if (status != CTL_OK)
		return status;
	status = run(ctl, k, argv[optind], &a);
	kern_close(k);
	return status;
}
