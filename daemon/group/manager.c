// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "daemon/core/diag.h"
#include "daemon/group/manager.h"
#include "daemon/group/offsets_log.h"

/** struct group_manager - private to its thread while that runs */
struct group_manager {
	struct coordinator_env env;
	const struct broker *broker;
	struct reactor reactor;
	struct coordinator coordinator;
	struct offsets_log log;
	struct timer expire;
	pthread_t thread;
	struct mail drain;
	struct mail stop;
	bool draining;
};

struct image_mail {
	struct mail mail;
	struct image *image;
};

static struct group_manager *manager_of(struct coordinator_env *env)
{
	return list_entry(env, struct group_manager, env);
}

static int64_t env_now_ms(struct coordinator_env *env)
{
	return manager_of(env)->reactor.now_ms;
}

static int64_t env_wall_ms(struct coordinator_env *env)
{
	struct timespec ts;

	(void)env;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A random UUID. */
static void env_unique(struct coordinator_env *env, char ret[37])
{
	uint8_t b[16];
	int at = 0;

	(void)env;
	/* It cannot fail for so few bytes once the machine is up. */
	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		memset(b, 0, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < sizeof(b); i++)
		at += snprintf(ret + at, (size_t)(37 - at), "%s%02x",
			       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
}

static int16_t env_append(struct coordinator_env *env, int32_t partition,
			  const struct group_record *records, size_t n, struct group_write *w)
{
	return offsets_log_append(&manager_of(env)->log, partition, records, n, env_wall_ms(env),
				  w);
}

static void on_expire(struct timer *t)
{
	struct group_manager *gm = list_entry(t, struct group_manager, expire);

	if (!gm->draining)
		coordinator_expire(&gm->coordinator);
	timer_set(&gm->reactor.timers, t,
		  gm->reactor.now_ms + gm->broker->config->offsets_retention_check_ms);
}

int group_manager_open(const struct broker *broker, struct image *image,
		       struct group_manager **ret_gm)
{
	struct group_manager *gm = calloc(1, sizeof(*gm));
	int err = -ENOMEM;

	if (!gm)
		goto err_image;
	gm->broker = broker;
	gm->env = (struct coordinator_env){
		.append = env_append,
		.unique = env_unique,
		.now_ms = env_now_ms,
		.wall_ms = env_wall_ms,
	};
	err = reactor_init(&gm->reactor, gm);
	if (err)
		goto err_free;
	coordinator_init(&gm->coordinator, &gm->env, &broker->config->groups, &gm->reactor.timers);
	err = offsets_log_init(&gm->log, &gm->reactor, &gm->coordinator, broker->family,
			       broker->config->offsets_commit_timeout_ms);
	if (err)
		goto err_reactor;
	gm->expire.fn = on_expire;
	offsets_log_set_image(&gm->log, image);
	*ret_gm = gm;
	return 0;

err_reactor:
	reactor_destroy(&gm->reactor);
err_free:
	free(gm);
err_image:
	image_put(image);
	diag(DIAG_ERROR, "cannot start the group coordinator: %s", strerror(-err));
	return err;
}

void group_manager_close(struct group_manager *gm)
{
	coordinator_stop(&gm->coordinator);
	offsets_log_free(&gm->log);
	coordinator_free(&gm->coordinator);
	reactor_destroy(&gm->reactor);
	free(gm);
}

static void *manager_main(void *arg)
{
	struct group_manager *gm = arg;

	timer_set(&gm->reactor.timers, &gm->expire,
		  monotonic_ms() + gm->broker->config->offsets_retention_check_ms);
	reactor_run(&gm->reactor);
	return NULL;
}

int group_manager_start(struct group_manager *gm)
{
	sigset_t all, before;
	int err;

	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&gm->thread, NULL, manager_main, gm);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

static void deliver_drain(struct mail *m, void *ctx)
{
	struct group_manager *gm = ctx;

	(void)m;
	if (!gm)
		return;
	gm->draining = true;
	reactor_cancel(&gm->log.load);
	timer_cancel(&gm->reactor.timers, &gm->log.retry);
	coordinator_stop(&gm->coordinator);
}

void group_manager_drain(struct group_manager *gm)
{
	gm->drain.deliver = deliver_drain;
	mailbox_post(reactor_mailbox(&gm->reactor), &gm->drain);
}

static void deliver_stop(struct mail *m, void *ctx)
{
	struct group_manager *gm = ctx;

	(void)m;
	if (gm)
		reactor_stop(&gm->reactor);
}

void group_manager_stop(struct group_manager *gm)
{
	gm->stop.deliver = deliver_stop;
	mailbox_post(reactor_mailbox(&gm->reactor), &gm->stop);
	pthread_join(gm->thread, NULL);
}

static void deliver_image(struct mail *m, void *ctx)
{
	struct image_mail *im = list_entry(m, struct image_mail, mail);
	struct group_manager *gm = ctx;

	if (gm && !gm->draining)
		offsets_log_set_image(&gm->log, im->image);
	else
		image_put(im->image);
	free(im);
}

int group_manager_post_image(struct group_manager *gm, struct image *image)
{
	struct image_mail *im = malloc(sizeof(*im));

	if (!im)
		return -ENOMEM;
	im->mail.deliver = deliver_image;
	im->image = image_get(image);
	mailbox_post(reactor_mailbox(&gm->reactor), &im->mail);
	return 0;
}

static void deliver_reply(struct mail *m, void *ctx)
{
	struct group_call *call = list_entry(m, struct group_call, mail);

	/* A worker waits for its calls before it ends, so that it always hears of them. */
	(void)ctx;
	call->reply(call);
}

void group_reply(struct group_call *call)
{
	call->mail.deliver = deliver_reply;
	mailbox_post(call->reply_to, &call->mail);
}

static void deliver_call(struct mail *m, void *ctx)
{
	struct group_call *call = list_entry(m, struct group_call, mail);
	struct group_manager *gm = ctx;

	call->work(&gm->coordinator, call);
}

void group_submit(struct group_manager *gm, struct group_call *call)
{
	call->mail.deliver = deliver_call;
	mailbox_post(reactor_mailbox(&gm->reactor), &call->mail);
}
