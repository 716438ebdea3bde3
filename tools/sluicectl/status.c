// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl status
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sluice_netlink.h>
#include "tools/sluicectl/ctl.h"

struct status {
	struct kern_info info;
	struct kern_data_dir *dirs;
	size_t n_dirs;
	struct kern_partition *partitions;
	size_t n_partitions;
};

static json_t *offline_json(const struct status *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_partitions; i++) {
		const struct kern_partition *p = &s->partitions[i];

		if (p->state != SLUICE_PARTITION_STATE_ONLINE)
			json_array_append_new(list, json_pack("{sssisiss}", "topic", p->topic,
							      "partition", (int)p->index, "error",
							      p->error, "reason", p->reason));
	}
	return list;
}

static int print_json(const struct status *s)
{
	json_t *dirs = json_array();

	for (size_t i = 0; i < s->n_dirs; i++)
		json_array_append_new(dirs, json_pack("{sssI}", "path", s->dirs[i].path, "topics",
						      (json_int_t)s->dirs[i].topics));
	return ctl_print_json(json_pack(
		"{sssIsIsIsIsoso}", "version", s->info.version, "family",
		(json_int_t)s->info.family, "sockets", (json_int_t)s->info.sockets, "topics",
		(json_int_t)s->info.topics, "partitions", (json_int_t)s->info.partitions,
		"data_dirs", dirs, "offline", offline_json(s)));
}

static int print_text(const struct status *s)
{
	size_t n_offline = 0;

	printf("module      %s, address family %" PRIu32 "\n", s->info.version, s->info.family);
	printf("sockets     %" PRIu32 "\n", s->info.sockets);
	printf("topics      %" PRIu32 "\n", s->info.topics);
	printf("partitions  %" PRIu32 "\n", s->info.partitions);
	for (size_t i = 0; i < s->n_dirs; i++)
		printf("data dir    %s, %" PRIu32 " topics\n", s->dirs[i].path, s->dirs[i].topics);
	if (!s->n_dirs)
		printf("data dir    none: 'sluicectl up' attaches one\n");
	for (size_t i = 0; i < s->n_partitions; i++) {
		const struct kern_partition *p = &s->partitions[i];

		if (p->state == SLUICE_PARTITION_STATE_ONLINE)
			continue;
		n_offline++;
		printf("offline     %s-%" PRIu32 ": %s\n", p->topic, p->index,
		       p->reason[0] ? p->reason : strerror(p->error));
	}
	if (n_offline)
		printf("\nRecords of an offline partition can be neither written nor read. When the "
		       "cause is\nmended, 'sluicectl down' and 'sluicectl up' bring it back.\n");
	return ctl_flush();
}

int cmd_status(struct ctl *ctl, int argc, char **argv)
{
	struct status s = {0};
	struct kern *k;
	int err, status = ctl_no_options(ctl, argc, argv);

	if (status >= 0)
		return status;
	if (optind < argc)
		return ctl_usage(ctl, "too many arguments");
	status = ctl_kern(&k);
	if (status != CTL_OK)
		return status;
	err = kern_info_get(k, &s.info);
	if (!err)
		err = kern_data_dirs(k, &s.dirs, &s.n_dirs);
	if (!err)
		err = kern_partitions(k, NULL, &s.partitions, &s.n_partitions);
	if (err)
		status = ctl_fail(err, "%s", kern_error(k));
	else
		status = ctl->json ? print_json(&s) : print_text(&s);
	kern_partitions_free(s.partitions);
	kern_data_dirs_free(s.dirs, s.n_dirs);
	kern_close(k);
	return status;
}
