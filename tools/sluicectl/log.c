// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl log dump, sluicectl log check: the command lines.
 */
#include <string.h>
#include "tools/sluicectl/ctl.h"
#include "tools/sluicectl/log_check.h"
#include "tools/sluicectl/log_dump.h"

int cmd_log_dump(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG_OPTIONS, {"records", no_argument, NULL, 'r'}, {0}};
	struct log_dump dump = {0};
	int option, status, one;

	while ((option = getopt_long(argc, argv, "r" CTL_SHORT_OPTIONS, options, NULL)) != -1) {
		if (option == 'r') {
			dump.records = true;
			continue;
		}
		status = ctl_common_option(ctl, option);
		if (status >= 0)
			return status;
	}
	if (optind == argc)
		return ctl_usage(ctl, "a file is missing");
	dump.json = ctl->json;
	for (status = 0; optind < argc && !ctl_closed(); optind++) {
		one = log_dump_path(&dump, argv[optind]);
		status = one > status ? one : status;
	}
	return status;
}

int cmd_log_check(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {CTL_LONG_OPTIONS,
						{"topic", required_argument, NULL, 't'},
						{"online", no_argument, NULL, 'o'},
						{0}};
	struct log_check check = {0};
	int option, status, one;
	char **paths;

	while ((option = getopt_long(argc, argv, "t:" CTL_SHORT_OPTIONS, options, NULL)) != -1) {
		switch (option) {
		case 't': check.topic = optarg; continue;
		case 'o': check.online = true; continue;
		}
		status = ctl_common_option(ctl, option);
		if (status >= 0)
			return status;
	}
	if (argc - optind > 1)
		return ctl_usage(ctl, "one directory at most");
	if (optind < argc)
		ctl->data_dir = argv[optind];
	check.json = ctl->json;
	paths = ctl_default_data_dirs(ctl);
	if (!paths)
		return LOG_CHECK_CANNOT;
	status = 0;
	for (char **path = paths; *path; path++) {
		one = log_check_path(&check, *path);
		status = one > status ? one : status;
	}
	ctl_strings_free(paths);
	return status;
}
