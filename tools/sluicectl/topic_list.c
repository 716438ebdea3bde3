// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl topic list, sluicectl topic describe
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/log/topic_config.h"
#include "tools/sluicectl/ctl.h"
#include "tools/sluicectl/kafka_client.h"
#include "tools/sluicectl/partition_output.h"

static int compare_topics(const void *a, const void *b)
{
	const struct kern_topic *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static json_t *topic_json(const struct kern_topic *t)
{
	char id_text[32];

	return json_pack("{sssssIsiss}", "topic", t->name, "id", ctl_id_text(t->id, id_text),
			 "partitions", (json_int_t)t->partition_count, "leader_epoch",
			 (int)t->leader_epoch, "data_dir", t->data_dir);
}

static int print_list(struct ctl *ctl, const struct kern_topic *topics, size_t n, bool quiet)
{
	static const char *const titles[] = {"TOPIC", "PARTITIONS", "ID", "DATA DIR"};
	struct ctl_table table;
	char id_text[32];
	json_t *list;

	if (ctl->json) {
		list = json_array();
		for (size_t i = 0; i < n; i++)
			json_array_append_new(list, topic_json(&topics[i]));
		return ctl_print_json(json_pack("{so}", "topics", list));
	}
	if (quiet) {
		for (size_t i = 0; i < n; i++)
			puts(topics[i].name);
		return ctl_flush();
	}
	ctl_table_begin(&table, 4, titles);
	for (size_t i = 0; i < n; i++) {
		ctl_cell(&table, "%s", topics[i].name);
		ctl_cell(&table, "%" PRIu32, topics[i].partition_count);
		ctl_cell(&table, "%s", ctl_id_text(topics[i].id, id_text));
		ctl_cell(&table, "%s", topics[i].data_dir);
	}
	return ctl_table_print(&table);
}

int cmd_topic_list(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG_OPTIONS, {"quiet", no_argument, NULL, 'q'}, {0}};
	struct kern_topic *topics;
	bool quiet = false;
	int option, status, err;
	struct kern *k;
	size_t n;

	while ((option = getopt_long(argc, argv, "q" CTL_SHORT_OPTIONS, options, NULL)) != -1) {
		if (option == 'q') {
			quiet = true;
			continue;
		}
		status = ctl_common_option(ctl, option);
		if (status >= 0)
			return status;
	}
	if (optind < argc)
		return ctl_usage(ctl, "too many arguments");
	if (ctl->bootstrap)
		return kafka_topic_list(ctl, quiet);
	status = ctl_kern(&k);
	if (status != CTL_OK)
		return status;
	err = kern_topics(k, &topics, &n);
	if (err) {
		status = ctl_fail(err, "%s", kern_error(k));
	} else {
		if (n)
			qsort(topics, n, sizeof(*topics), compare_topics);
		status = print_list(ctl, topics, n, quiet);
		kern_topics_free(topics, n);
	}
	kern_close(k);
	return status;
}

struct description {
	struct kern_topic topic;
	struct kern_partition *partitions;
	size_t n_partitions;
	struct log_dir_setting *settings;
	size_t n_settings;
};

static int print_description(struct ctl *ctl, const struct description *d)
{
	json_t *object, *settings;
	char id_text[32];

	if (ctl->json) {
		object = topic_json(&d->topic);
		settings = json_object();
		for (size_t i = 0; i < d->n_settings; i++)
			json_object_set_new(settings, d->settings[i].key,
					    json_string(d->settings[i].value));
		json_object_set_new(object, "settings", settings);
		json_object_set_new(object, "partition_list",
				    partition_list_json(d->partitions, d->n_partitions));
		return ctl_print_json(object);
	}
	printf("topic       %s\nid          %s\npartitions  %" PRIu32 "\ndata dir    %s\n",
	       d->topic.name, ctl_id_text(d->topic.id, id_text), d->topic.partition_count,
	       d->topic.data_dir);
	for (size_t i = 0; i < d->n_settings; i++)
		printf("setting     %s=%s\n", d->settings[i].key, d->settings[i].value);
	putchar('\n');
	return partition_list_print(d->partitions, d->n_partitions, /* with_topic= */ false);
}

static int describe_one(struct ctl *ctl, struct kern *k, const char *name)
{
	struct description d = {0};
	struct log_dir_error why;
	int err, status;

	err = kern_topic_get(k, name, &d.topic);
	if (err == -ENOENT)
		return ctl_fail(err, "there is no topic '%s': 'sluicectl topic list' shows all",
				name);
	if (!err)
		err = kern_partitions(k, name, &d.partitions, &d.n_partitions);
	if (err) {
		status = ctl_fail(err, "%s", kern_error(k));
	} else {
		err = log_dir_topic_settings(d.topic.data_dir, name, &d.settings, &d.n_settings,
					     &why);
		if (err)
			fprintf(stderr, "sluicectl: its settings are not known: %s\n", why.text);
		status = print_description(ctl, &d);
	}
	kern_partitions_free(d.partitions);
	log_dir_settings_free(d.settings, d.n_settings);
	free(d.topic.data_dir);
	return status;
}

int cmd_topic_describe(struct ctl *ctl, int argc, char **argv)
{
	struct kern *k;
	int one, status = ctl_no_options(ctl, argc, argv);

	if (status >= 0)
		return status;
	if (optind == argc)
		return ctl_usage(ctl, "the topic's name is missing");
	if (ctl->bootstrap)
		return kafka_topic_describe(ctl, argv + optind, argc - optind);
	status = ctl_kern(&k);
	if (status != CTL_OK)
		return status;
	for (; optind < argc; optind++) {
		one = describe_one(ctl, k, argv[optind]);
		if (one != CTL_OK)
			status = one;
	}
	kern_close(k);
	return status;
}
