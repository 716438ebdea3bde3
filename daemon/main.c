// SPDX-License-Identifier: Apache-2.0
/*
 * sluiced: the order in which it starts and ends, and nothing else.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "daemon/broker.h"
#include "daemon/cleaner/cleaner.h"
#include "daemon/controller/controller.h"
#include "daemon/core/diag.h"
#include "daemon/core/notify.h"
#include "daemon/coordinator/manager.h"
#include "daemon/kern/kern.h"
#include "daemon/log/log_dir.h"
#include "daemon/options.h"
#include "daemon/worker.h"

/** struct arguments - of the command line, which a reload reads again */
struct arguments {
	int n;
	char **v;
};

static void tell_progress(void *ctx, unsigned int done, unsigned int total, uint64_t bytes_read)
{
	static struct diag_limit limit;

	(void)ctx;
	diag_limited(&limit, DIAG_INFO, "recovering %u of %u partitions, %llu MiB read", done,
		     total, (unsigned long long)(bytes_read >> 20));
}

/* Connect to the module and have it open the logs. */
static int open_logs(struct broker *b, struct kern **ret_k)
{
	const char *path = b->config->log_dir;
	struct log_dir_error err = {{0}};
	struct kern_info info;
	int ret = kern_open(ret_k);

	if (ret == -EAFNOSUPPORT) {
		diag(DIAG_ERROR, "the sluice module is not loaded: run modprobe sluice");
		return ret;
	}
	if (ret) {
		diag(DIAG_ERROR, "cannot talk to the sluice module: %s", strerror(-ret));
		return ret;
	}
	ret = kern_info_get(*ret_k, &info);
	if (ret) {
		diag(DIAG_ERROR, "cannot talk to the sluice module: %s", kern_error(*ret_k));
		goto err_kern;
	}
	b->family = info.family;
	ret = log_dir_up(*ret_k, path, b->config->recovery_threads, tell_progress, NULL, &err);
	if (err.text[0])
		diag(ret ? DIAG_ERROR : DIAG_WARNING, "%s", err.text);
	if (ret)
		goto err_kern;
	ret = log_dir_cluster_id(path, b->cluster_id, &err);
	if (ret) {
		diag(DIAG_ERROR, "%s", err.text);
		goto err_kern;
	}
	return 0;

err_kern:
	kern_close(*ret_k);
	return ret;
}

static int open_listeners(struct broker *b)
{
	const struct config *c = b->config;

	for (unsigned int i = 0; i < c->n_listeners; i++) {
		char why[512];
		int err = listener_open(&c->listeners[i], c->listen_backlog, &b->listeners[i], why,
					sizeof(why));

		if (err) {
			diag(DIAG_ERROR, "%s", why);
			return err;
		}
		b->n_listeners++;
	}
	return 0;
}

static void close_listeners(struct broker *b)
{
	while (b->n_listeners)
		listener_close(&b->listeners[--b->n_listeners]);
}

/* Stop and join the first @n. */
static void stop_workers(struct worker *workers, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		worker_stop(&workers[i]);
	for (unsigned int i = 0; i < n; i++)
		worker_join(&workers[i]);
}

static int init_workers(const struct broker *b, struct controller *c, struct coordinators *cs,
			struct worker *workers)
{
	unsigned int n = b->config->network_threads;

	for (unsigned int i = 0; i < n; i++) {
		int err = worker_init(&workers[i], b, c, cs, controller_image(c));

		if (err) {
			while (i--)
				worker_destroy(&workers[i]);
			return err;
		}
	}
	return 0;
}

static int start_workers(struct worker *workers, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		int err = worker_start(&workers[i]);

		if (err) {
			stop_workers(workers, i);
			return err;
		}
	}
	return 0;
}

static void tell_ready(const struct broker *b)
{
	for (unsigned int i = 0; i < b->n_listeners; i++) {
		const struct listener_spec *s = &b->listeners[i].spec;
		const char *host;
		uint16_t port;

		broker_endpoint(b, i, "*", s->port, &host, &port);
		diag(DIAG_INFO, "ready, Kafka on %s:%u", host, port);
	}
	notify("READY=1");
}

/* Takes @fresh. */
static int put_in_force(const struct broker *b, struct controller *c, struct config *fresh)
{
	struct config_error err;
	char changed[512];

	if (config_keep_static(fresh, b->config, changed, sizeof(changed), &err)) {
		diag(DIAG_ERROR, "%s", err.text);
		config_free(fresh);
		free(fresh);
		return -EINVAL;
	}
	if (changed[0])
		diag(DIAG_WARNING, "these settings count from the next start on: %s", changed);
	return controller_reload(c, fresh);
}

/* What is wrong with the file leaves all as it was. */
static void reload(const struct broker *b, struct controller *c, const struct arguments *args)
{
	struct config *fresh = malloc(sizeof(*fresh));
	int err = -ENOMEM;

	notify_reloading();
	if (fresh && !config_init(fresh)) {
		err = options_reload(args->n, args->v, fresh);
		if (err) {
			config_free(fresh);
			free(fresh);
		} else {
			err = put_in_force(b, c, fresh);
		}
	} else {
		free(fresh);
	}
	if (err)
		diag(DIAG_ERROR, "the configuration stays as it was");
	else
		diag(DIAG_INFO, "the configuration was read again");
	notify("READY=1");
}

static void serve(const struct broker *b, struct controller *c, const sigset_t *signals,
		  const struct arguments *args)
{
	int sig;

	while (!sigwait(signals, &sig) && sig == SIGHUP)
		reload(b, c, args);
	diag(DIAG_INFO, "stopping: %s", strsignal(sig));
	notify("STOPPING=1");
}

/* Serve until a signal to end comes. */
static int run(struct broker *b, struct controller *c, const sigset_t *signals,
	       const struct arguments *args)
{
	unsigned int n = b->config->network_threads;
	struct worker *workers = calloc(n, sizeof(*workers));
	struct coordinators *coordinators;
	struct cleaner *cleaner;
	int err = -ENOMEM;

	if (!workers)
		goto out;
	err = coordinators_open(b, c, controller_image(c), &coordinators);
	if (err)
		goto out;
	err = init_workers(b, c, coordinators, workers);
	if (err)
		goto err_coordinators;
	err = controller_start(c, coordinators, workers, n);
	if (err)
		goto err_workers;
	err = coordinators_start(coordinators);
	if (err)
		goto err_controller;
	err = start_workers(workers, n);
	if (err)
		goto err_manager;
	err = cleaner_start(b->live, &cleaner);
	if (err)
		goto err_started;

	tell_ready(b);
	serve(b, c, signals, args);
	close_listeners(b);
	cleaner_stop(cleaner);
err_started:
	/* First, because workers wait for the answers to their calls. */
	coordinators_drain(coordinators);
	stop_workers(workers, n);
err_manager:
	coordinators_stop(coordinators);
err_controller:
	controller_stop(c);
err_workers:
	while (n--)
		worker_destroy(&workers[n]);
err_coordinators:
	coordinators_close(coordinators);
out:
	free(workers);
	if (err)
		diag(DIAG_ERROR, "cannot start: %s", strerror(-err));
	return err;
}

/* A connection needs a descriptor; what the service manager allows is ours to use. */
static void raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void block_signals(sigset_t *ret_signals)
{
	sigemptyset(ret_signals);
	sigaddset(ret_signals, SIGTERM);
	sigaddset(ret_signals, SIGINT);
	sigaddset(ret_signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, ret_signals, NULL);
	signal(SIGPIPE, SIG_IGN); /* sendfile(2) has no MSG_NOSIGNAL */
}

int main(int argc, char **argv)
{
	struct config config;
	struct broker broker = {.config = &config};
	const struct arguments args = {argc, argv};
	struct controller *controller;
	struct kern *k;
	sigset_t signals;
	int ret;

	diag_init();
	if (config_init(&config))
		return EXIT_FAILURE;
	ret = options_read(argc, argv, &config);
	if (ret)
		goto out_config;
	ret = broker_limits_open(&broker);
	if (ret)
		goto out_config;
	block_signals(&signals);
	raise_fd_limit();
	/* Before the logs, so that a second daemon that was started by mistake ends here. */
	ret = open_listeners(&broker);
	if (ret)
		goto out_listeners;
	ret = open_logs(&broker, &k);
	if (ret)
		goto out_listeners;
	ret = controller_open(&broker, k, &controller);
	if (ret)
		goto out_listeners;
	ret = run(&broker, controller, &signals, &args);
	controller_close(controller);
out_listeners:
	close_listeners(&broker);
	broker_limits_close(&broker);
out_config:
	config_free(&config);
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
