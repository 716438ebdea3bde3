// SPDX-License-Identifier: Apache-2.0
/*
 * sluicectl up, sluicectl down
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "tools/sluicectl/ctl.h"

#define PROGRESS_SECONDS 5

/* On a terminal one line that changes; elsewhere one now and then. */
struct progress {
	bool terminal;
	time_t next;
};

static void show_progress(void *ctx, unsigned int done, unsigned int total, uint64_t bytes_read)
{
	struct progress *p = ctx;
	struct timespec now;
	char size[32];

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!p->terminal && now.tv_sec < p->next && done < total)
		return;
	p->next = now.tv_sec + PROGRESS_SECONDS;
	fprintf(stderr, "%srecovering %u of %u partitions, %s read%s", p->terminal ? "\r" : "",
		done, total, ctl_bytes_text(bytes_read, size),
		done == total || !p->terminal ? "\n" : "");
}

static int up_one(struct ctl *ctl, struct kern *k, const char *path)
{
	struct progress progress = {.terminal = isatty(STDERR_FILENO)};
	struct log_dir_error err;
	struct kern_data_dir *dirs;
	uint32_t topics = 0;
	char *real;
	size_t n;
	int result;

	result = log_dir_up(k, path, 0, show_progress, &progress, &err);
	if (result)
		return ctl_fail(result, "%s", err.text);
	real = realpath(path, NULL);
	if (real && !kern_data_dirs(k, &dirs, &n)) {
		for (size_t i = 0; i < n; i++)
			topics = strcmp(dirs[i].path, real) ? topics : dirs[i].topics;
		kern_data_dirs_free(dirs, n);
	}
	if (ctl->json)
		ctl_print_json(json_pack("{sssiso}", "data_dir", real ? real : path, "topics",
					 (int)topics, "warning",
					 err.text[0] ? json_string(err.text) : json_null()));
	else
		printf("%s is up: %" PRIu32 " topic%s\n", real ? real : path, topics,
		       topics == 1 ? "" : "s");
	free(real);
	if (err.text[0])
		return ctl_fail(-EIO, "%s", err.text);
	return CTL_OK;
}

int cmd_up(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG_OPTIONS, {"module", required_argument, NULL, CTL_OPTION_FIRST_FREE}, {0}};
	const char *module_file = NULL;
	char **paths;
	struct kern *k;
	int option, status = CTL_OK, one;

	while ((option = getopt_long(argc, argv, CTL_SHORT_OPTIONS, options, NULL)) != -1) {
		if (option == CTL_OPTION_FIRST_FREE) {
			module_file = optarg;
			continue;
		}
		status = ctl_common_option(ctl, option);
		if (status >= 0)
			return status;
	}
	if (argc - optind > 1)
		return ctl_usage(ctl, "one directory at most");
	if (optind < argc)
		ctl->data_dir = argv[optind];
	status = ctl_kern_load(module_file, &k);
	if (status != CTL_OK)
		return status;
	paths = ctl_default_data_dirs(ctl);
	for (char **path = paths; path && *path; path++) {
		one = up_one(ctl, k, *path);
		if (one != CTL_OK)
			status = one;
	}
	ctl_strings_free(paths);
	kern_close(k);
	return status;
}

static int down_one(struct ctl *ctl, struct kern *k, const char *path)
{
	struct log_dir_error err;
	int result = log_dir_down(k, path, &err);

	if (result)
		return ctl_fail(result, "%s", err.text);
	if (ctl->json)
		return ctl_print_json(json_pack("{ss}", "data_dir", path));
	printf("%s is down\n", path);
	return CTL_OK;
}

static int down_all(struct ctl *ctl, struct kern *k)
{
	struct kern_data_dir *dirs;
	int err, one, status = CTL_OK;
	size_t n;

	err = kern_data_dirs(k, &dirs, &n);
	if (err)
		return ctl_fail(err, "%s", kern_error(k));
	for (size_t i = 0; i < n; i++) {
		one = down_one(ctl, k, dirs[i].path);
		if (one != CTL_OK)
			status = one;
	}
	kern_data_dirs_free(dirs, n);
	return status;
}

int cmd_down(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		CTL_LONG_OPTIONS, {"unload", no_argument, NULL, 'u'}, {0}};
	bool unload = false;
	struct kern *k;
	int option, status;

	while ((option = getopt_long(argc, argv, "u" CTL_SHORT_OPTIONS, options, NULL)) != -1) {
		if (option == 'u') {
			unload = true;
			continue;
		}
		status = ctl_common_option(ctl, option);
		if (status >= 0)
			return status;
	}
	if (argc - optind > 1)
		return ctl_usage(ctl, "one directory at most");
	status = ctl_kern(&k);
	if (status != CTL_OK)
		return status;
	if (optind < argc)
		status = down_one(ctl, k, argv[optind]);
	else if (ctl->data_dir)
		status = down_one(ctl, k, ctl->data_dir);
	else
		status = down_all(ctl, k);
	kern_close(k);
	return status == CTL_OK && unload ? ctl_module_unload() : status;
}
