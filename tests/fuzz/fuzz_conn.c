// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes into a connection of a whole daemon over the log engine in
 * userspace. The first byte chooses: an odd one puts the rest into the frame of
 * one request, an even one sends it as it is. The connection must end, the
 * daemon must live.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/controller/controller.h"
#include "daemon/coordinator/manager.h"
#include "daemon/net/conn.h"
#include "daemon/worker.h"
#include "tests/daemon/user_module.h"

#define INPUT_MAX 60000 /* what fits the socket at once */
#define PATIENCE  200	/* rounds of up to 50 ms until a connection must have ended */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/sluice-fuzz-XXXXXX";
static struct config config;
static struct broker broker = {.config = &config, .cluster_id = "fuzz"};
static struct controller *controller;
static struct coordinators *coordinators;
static struct worker worker;

/* Files are not what is tested: changing topics always fails (linked with --wrap). */
__typeof__(log_dir_topic_create) __wrap_log_dir_topic_create;
__typeof__(log_dir_topic_delete) __wrap_log_dir_topic_delete;

int __wrap_log_dir_topic_create(struct kern *k, const char *path, const char *name,
				uint32_t partition_count, const struct log_dir_setting *settings,
				size_t n_settings, uint8_t ret_id[SLUICE_TOPIC_ID_LEN],
				struct log_dir_error *err)
{
	(void)k, (void)path, (void)settings, (void)n_settings, (void)ret_id;
	snprintf(err->text, sizeof(err->text), "%u of %.100s: no room", partition_count, name);
	return -ENOSPC;
}

int __wrap_log_dir_topic_delete(struct kern *k, const char *path, const char *name,
				struct log_dir_error *err)
{
	(void)k, (void)path;
	snprintf(err->text, sizeof(err->text), "%.100s stays", name);
	return -EROFS;
}

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

static void clean_up(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		perror(command);
}

static void start(void)
{
	struct kern_topic topic = {.name = "t", .id = {1}, .partition_count = 1, .data_dir = dir};
	struct config_error err;
	char text[128];
	struct kern *k;

	must(mkdtemp(dir), "mkdtemp");
	atexit(clean_up);
	snprintf(text, sizeof(text), "%s/t-0", dir);
	must(!mkdir(text, 0700), "mkdir");
	must(!config_init(&config), "config");
	snprintf(text, sizeof(text), "log.dirs=%s", dir);
	must(!config_override(&config, text, &err) && !config_finish(&config, &err), err.text);
	must(!kern_open(&k) && !kern_topic_create(k, &topic), "topic");
	must(!broker_limits_open(&broker), "limits");
	must(!controller_open(&broker, k, &controller), "controller");
	must(!coordinators_open(&broker, controller, controller_image(controller), &coordinators),
	     "groups");
	must(!worker_init(&worker, &broker, controller, coordinators, controller_image(controller)),
	     "worker");
	must(!controller_start(controller, coordinators, &worker, 1), "controller");
	must(!coordinators_start(coordinators), "groups");
	/* Its lines would drown the fuzzer's. */
	must(freopen("/dev/null", "w", stdout), "stdout");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char sink[65536];
	uint32_t be;
	int pair[2];
	int rounds = 0;

	if (!controller)
		start();
	if (!size || size > INPUT_MAX)
		return 0;
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), "socketpair");
	be = htonl((uint32_t)size - 1);
	if (data[0] & 1)
		must(write(pair[1], &be, sizeof(be)) == sizeof(be), "write");
	must(write(pair[1], data + 1, size - 1) == (ssize_t)size - 1, "write");
	shutdown(pair[1], SHUT_WR);
	conn_open(&worker, pair[0], 0);
	while (worker.n_conns) {
		reactor_round(&worker.reactor, 50);
		while (read(pair[1], sink, sizeof(sink)) > 0)
			continue;
		must(rounds++ < PATIENCE, "the connection does not end");
	}
	must(!worker.produces.waiting.count, "a produce is left behind");
	close(pair[1]);
	return 0;
}
