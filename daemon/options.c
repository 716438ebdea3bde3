// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/core/diag.h"
#include "daemon/options.h"

#ifndef SLUICE_VERSION
#define SLUICE_VERSION "0.1.0"
#endif

/* Read if it is there and --config names no other. */
#define CONFIG_PATH "/etc/sluice/server.properties"

enum {
	OPT_CHECK_CONFIG = 256,
	OPT_OVERRIDE,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'},
	{"override", required_argument, NULL, OPT_OVERRIDE},
	{"check-config", no_argument, NULL, OPT_CHECK_CONFIG},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static const char usage[] =
	"Usage: sluiced [--config FILE] [--override KEY=VALUE]...\n"
	"The broker of sluice: Kafka's protocol for the logs of the sluice module.\n"
	"\n"
	"  -c, --config FILE         settings, in the form of Kafka's server.properties\n"
	"                            (default: " CONFIG_PATH ", if there is one)\n"
	"      --override KEY=VALUE  a setting that goes before the file's\n"
	"      --check-config        check the settings and leave\n"
	"  -h, --help                show this text and leave\n"
	"      --version             show the version and leave\n"
	"\n"
	"It reads the settings again at SIGHUP, and stops at SIGTERM and SIGINT; the logs\n"
	"stay attached (sluicectl down).\n";

/** struct choices - what the command line says */
struct choices {
	const char *path;
	bool check_only;
};

static int read_options(int argc, char **argv, struct config *config, struct choices *ret)
{
	struct config_error err;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
		switch (c) {
		case 'c': ret->path = optarg; break;
		case OPT_CHECK_CONFIG: ret->check_only = true; break;
		case OPT_OVERRIDE: break; /* after the file */
		case 'h': fputs(usage, stdout); return 1;
		case OPT_VERSION: puts("sluiced " SLUICE_VERSION); return 1;
		default: fputs("sluiced: --help shows the options\n", stderr); return -EINVAL;
		}
	}
	/* As Kafka's scripts have it: the file without an option's name before it. */
	if (optind < argc && !ret->path)
		ret->path = argv[optind++];
	if (optind < argc) {
		diag(DIAG_ERROR, "%s: what is that? --help shows the options", argv[optind]);
		return -EINVAL;
	}
	if (!ret->path && !access(CONFIG_PATH, R_OK))
		ret->path = CONFIG_PATH;
	if (ret->path && config_load(config, ret->path, &err)) {
		diag(DIAG_ERROR, "%s", err.text);
		return -EINVAL;
	}
	return 0;
}

static int read_overrides(int argc, char **argv, struct config *config)
{
	struct config_error err;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
		if (c == OPT_OVERRIDE && config_override(config, optarg, &err)) {
			diag(DIAG_ERROR, "%s", err.text);
			return -EINVAL;
		}
	}
	return 0;
}

static void name_ignored(const struct config *config)
{
	char line[768];
	size_t at = 0;

	for (unsigned int i = 0; i < config->n_ignored && at < sizeof(line); i++)
		at += (size_t)snprintf(line + at, sizeof(line) - at, "%s%s", i ? ", " : "",
				       config->ignored[i]);
	if (at)
		diag(DIAG_WARNING, "settings of Kafka's without meaning here, ignored: %s", line);
}

static int read_all(int argc, char **argv, struct config *config, struct choices *ret_choices)
{
	struct config_error err;
	int ret = read_options(argc, argv, config, ret_choices);

	if (!ret)
		ret = read_overrides(argc, argv, config);
	if (ret)
		return ret;
	if (config_finish(config, &err)) {
		diag(DIAG_ERROR, "%s%s%s", ret_choices->path ? ret_choices->path : "",
		     ret_choices->path ? ": " : "", err.text);
		return -EINVAL;
	}
	return 0;
}

int options_reload(int argc, char **argv, struct config *config)
{
	struct choices choices = {0};

	return read_all(argc, argv, config, &choices);
}

int options_read(int argc, char **argv, struct config *config)
{
	struct choices choices = {0};
	int ret = read_all(argc, argv, config, &choices);

	if (ret)
		return ret;
	name_ignored(config);
	if (choices.check_only) {
		puts("sluiced: the settings are good");
		return 1;
	}
	return 0;
}
