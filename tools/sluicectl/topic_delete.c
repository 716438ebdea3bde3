// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl topic delete
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/sluicectl/ctl.h"
#include "tools/sluicectl/kafka_client.h"

#define OPTION_IF_EXISTS CTL_OPTION_FIRST_FREE

/* Where it is open; one that could not be opened is in a default directory. */
static int find_dir(struct ctl *ctl, struct kern *k, const char *name, char **ret_dir)
{
	struct kern_topic t;
	int err = kern_topic_get(k, name, &t);

	if (!err) {
		*ret_dir = t.data_dir;
		return CTL_OK;
	}
	if (err != -ENOENT)
		return ctl_fail(err, "%s", kern_error(k));
	return ctl_attached_data_dir(ctl, k, ret_dir);
}

static int delete_one(struct ctl *ctl, struct kern *k, const char *name, bool if_exists)
{
	struct log_dir_error err;
	int status, result;
	char *dir;

	status = find_dir(ctl, k, name, &dir);
	if (status != CTL_OK)
		return status;
	result = log_dir_topic_delete(k, dir, name, &err);
	free(dir);
	if (result == -ENOENT && if_exists)
		return CTL_OK;
	if (result)
		return ctl_fail(result, "%s", err.text);
	if (ctl->json)
		return ctl_print_json(json_pack("{ss}", "topic", name));
	printf("deleted topic %s\n", name);
	return CTL_OK;
}

int cmd_topic_delete(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG_OPTIONS, {"if-exists", no_argument, NULL, OPTION_IF_EXISTS}, {0}};
	int option, one, status = CTL_OK;
	bool if_exists = false;
	struct kern *k;

	while ((option = getopt_long(argc, argv, CTL_SHORT_OPTIONS, options, NULL)) != -1) {
		if (option == OPTION_IF_EXISTS) {
			if_exists = true;
			continue;
		}
		status = ctl_common_option(ctl, option);
		if (status >= 0)
			return status;
	}
	if (optind == argc)
		return ctl_usage(ctl, "the topic's name is missing");
	if (ctl->bootstrap)
		return kafka_topic_delete(ctl, argv + optind, argc - optind, if_exists);
	status = ctl_kern(&k);
	if (status != CTL_OK)
		return status;
	for (; optind < argc; optind++) {
		one = delete_one(ctl, k, argv[optind], if_exists);
		if (one != CTL_OK)
			status = one;
	}
	kern_close(k);
	return status;
}
