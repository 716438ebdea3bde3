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
#include "daemon/coordinator/manager.h"
#include "daemon/coordinator/marker_batch.h"

/* Producer ids that are reserved at once, and how few are left when more are asked for. */
#define ID_BLOCK 1000
#define IDS_LOW	 100

static struct diag_limit id_limit;

struct image_mail {
	struct mail mail;
	struct image *image;
};

static int64_t wall_clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct coordinators *of_groups(struct coordinator_env *env)
{
	return list_entry(env, struct coordinators, group_env);
}

static int64_t group_now_ms(struct coordinator_env *env)
{
	return of_groups(env)->reactor.now_ms;
}

static int64_t group_wall_ms(struct coordinator_env *env)
{
	(void)env;
	return wall_clock_ms();
}

/* A random UUID. */
static void group_unique(struct coordinator_env *env, char ret[37])
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

static int16_t group_append(struct coordinator_env *env, int32_t partition,
			    const struct topic_record *records, size_t n, struct topic_write *w)
{
	return topic_log_append(&of_groups(env)->group_log, partition, records, n, wall_clock_ms(),
				w);
}

static struct coordinators *of_group_reader(struct topic_reader *t)
{
	return list_entry(t, struct coordinators, group_reader);
}

static int group_open(struct topic_reader *t, int32_t n)
{
	return coordinator_open(&of_group_reader(t)->groups, n);
}

static int group_load(struct topic_reader *t, int32_t partition, const struct topic_load *record)
{
	return coordinator_load(&of_group_reader(t)->groups, partition, record);
}

static void group_ended(struct topic_reader *t, int32_t partition, int64_t producer_id, bool commit)
{
	coordinator_ended(&of_group_reader(t)->groups, partition, producer_id, commit);
}

static void group_loaded(struct topic_reader *t, int32_t partition)
{
	coordinator_loaded(&of_group_reader(t)->groups, partition);
}

static void group_close(struct topic_reader *t, int32_t partition)
{
	coordinator_close(&of_group_reader(t)->groups, partition);
}

static void group_reopen(struct topic_reader *t, int32_t partition)
{
	coordinator_reopen(&of_group_reader(t)->groups, partition);
}

static void group_stop(struct topic_reader *t)
{
	coordinator_stop(&of_group_reader(t)->groups);
}

static void group_topic_gone(struct topic_reader *t, struct kafka_str topic)
{
	coordinator_topic_gone(&of_group_reader(t)->groups, topic);
}

static struct coordinators *of_txns(struct txn_env *env)
{
	return list_entry(env, struct coordinators, txn_env);
}

static int64_t txn_now_ms(struct txn_env *env)
{
	return of_txns(env)->reactor.now_ms;
}

static int64_t txn_wall_ms(struct txn_env *env)
{
	(void)env;
	return wall_clock_ms();
}

static int16_t txn_append(struct txn_env *env, int32_t partition,
			  const struct topic_record *records, size_t n, struct topic_write *w)
{
	return topic_log_append(&of_txns(env)->txn_log, partition, records, n, wall_clock_ms(), w);
}

static int txn_mark(struct txn_env *env, struct txn_marker *m)
{
	return coordinators_mark(of_txns(env), m);
}

/* It grows with each takeover of the topic's leader, as in Kafka. */
static int32_t txn_epoch(struct txn_env *env)
{
	const struct image_topic *topic = of_txns(env)->txn_log.topic;

	return topic ? topic->leader_epoch : 0;
}

static void reserve_ids(struct controller *c, struct controller_call *call)
{
	struct producer_ids *ids = list_entry(call, struct producer_ids, call);
	struct log_dir_error err;

	ids->err = controller_producer_ids(c, ID_BLOCK, &ids->first, &err);
	if (ids->err)
		diag_limited(&id_limit, DIAG_ERROR, "cannot reserve producer ids: %s", err.text);
}

static void ids_reserved(struct controller_call *call)
{
	struct producer_ids *ids = list_entry(call, struct producer_ids, call);

	ids->asked = false;
	if (ids->err)
		return;
	ids->next = ids->first;
	ids->end = ids->first + ID_BLOCK;
}

static void ask_for_ids(struct coordinators *cs)
{
	struct producer_ids *ids = &cs->ids;

	if (ids->asked || cs->draining)
		return;
	ids->asked = true;
	ids->call = (struct controller_call){
		.work = reserve_ids,
		.reply = ids_reserved,
		.reply_to = reactor_mailbox(&cs->reactor),
	};
	controller_submit(cs->controller, &ids->call);
}

/* While there is none the client tries again: the controller may be busy with its disk. */
static int16_t txn_producer_id(struct txn_env *env, int64_t *ret_id)
{
	struct coordinators *cs = of_txns(env);
	struct producer_ids *ids = &cs->ids;
	bool have = ids->next < ids->end;

	if (have)
		*ret_id = ids->next++;
	if (ids->end - ids->next < IDS_LOW)
		ask_for_ids(cs);
	return have ? KAFKA_ERROR_NONE : KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS;
}

static struct coordinators *of_txn_reader(struct topic_reader *t)
{
	return list_entry(t, struct coordinators, txn_reader);
}

static int txn_reader_open(struct topic_reader *t, int32_t n)
{
	return txn_coordinator_open(&of_txn_reader(t)->txns, n);
}

static int txn_reader_load(struct topic_reader *t, int32_t partition,
			   const struct topic_load *record)
{
	return txn_coordinator_load(&of_txn_reader(t)->txns, partition, record);
}

static void txn_reader_loaded(struct topic_reader *t, int32_t partition)
{
	struct coordinators *cs = of_txn_reader(t);

	/* The first producer will need one soon. */
	if (!cs->ids.end)
		ask_for_ids(cs);
	txn_coordinator_loaded(&cs->txns, partition);
}

static void txn_reader_close(struct topic_reader *t, int32_t partition)
{
	txn_coordinator_close(&of_txn_reader(t)->txns, partition);
}

static void txn_reader_reopen(struct topic_reader *t, int32_t partition)
{
	txn_coordinator_reopen(&of_txn_reader(t)->txns, partition);
}

static void txn_reader_stop(struct topic_reader *t)
{
	txn_coordinator_stop(&of_txn_reader(t)->txns);
}

static void again(struct coordinators *cs, struct timer *t, int64_t ms)
{
	timer_set(&cs->reactor.timers, t, cs->reactor.now_ms + ms);
}

static void on_expire_offsets(struct timer *t)
{
	struct coordinators *cs = list_entry(t, struct coordinators, expire_offsets);

	if (!cs->draining)
		coordinator_expire(&cs->groups);
	again(cs, t, cs->broker->config->offsets_retention_check_ms);
}

static void on_abort_txns(struct timer *t)
{
	struct coordinators *cs = list_entry(t, struct coordinators, abort_txns);

	if (!cs->draining)
		txn_abort_timed_out(&cs->txns);
	again(cs, t, cs->broker->config->txns.abort_check_ms);
}

static void on_expire_txns(struct timer *t)
{
	struct coordinators *cs = list_entry(t, struct coordinators, expire_txns);

	if (!cs->draining)
		txn_expire(&cs->txns);
	again(cs, t, cs->broker->config->txns.expire_check_ms);
}

static void set_environment(struct coordinators *cs)
{
	cs->group_env = (struct coordinator_env){
		.append = group_append,
		.unique = group_unique,
		.now_ms = group_now_ms,
		.wall_ms = group_wall_ms,
	};
	cs->group_reader = (struct topic_reader){
		.open = group_open,
		.load = group_load,
		.ended = group_ended,
		.loaded = group_loaded,
		.close = group_close,
		.reopen = group_reopen,
		.stop = group_stop,
		.topic_gone = group_topic_gone,
	};
	cs->txn_env = (struct txn_env){
		.append = txn_append,
		.mark = txn_mark,
		.epoch = txn_epoch,
		.producer_id = txn_producer_id,
		.now_ms = txn_now_ms,
		.wall_ms = txn_wall_ms,
	};
	cs->txn_reader = (struct topic_reader){
		.open = txn_reader_open,
		.load = txn_reader_load,
		.loaded = txn_reader_loaded,
		.close = txn_reader_close,
		.reopen = txn_reader_reopen,
		.stop = txn_reader_stop,
	};
	cs->expire_offsets.fn = on_expire_offsets;
	cs->abort_txns.fn = on_abort_txns;
	cs->expire_txns.fn = on_expire_txns;
}

int coordinators_open(const struct broker *broker, struct controller *controller,
		      struct image *image, struct coordinators **ret_cs)
{
	struct coordinators *cs = calloc(1, sizeof(*cs));
	int err = -ENOMEM;

	if (!cs)
		goto err_image;
	cs->broker = broker;
	cs->controller = controller;
	set_environment(cs);
	err = reactor_init(&cs->reactor, cs);
	if (err)
		goto err_free;
	err = batch_writer_init(&cs->writer, &cs->reactor, broker->family,
				broker->config->offsets_commit_timeout_ms);
	if (err)
		goto err_reactor;
	coordinator_init(&cs->groups, &cs->group_env, &broker->config->groups, &cs->reactor.timers);
	txn_coordinator_init(&cs->txns, &cs->txn_env, &broker->config->txns, &cs->reactor.timers);
	topic_log_init(&cs->group_log, &cs->writer, &cs->group_reader, OFFSETS_TOPIC);
	topic_log_init(&cs->txn_log, &cs->writer, &cs->txn_reader, TXN_TOPIC);
	topic_log_set_image(&cs->group_log, image_get(image));
	topic_log_set_image(&cs->txn_log, image);
	*ret_cs = cs;
	return 0;

err_reactor:
	reactor_destroy(&cs->reactor);
err_free:
	free(cs);
err_image:
	image_put(image);
	diag(DIAG_ERROR, "cannot start the coordinators: %s", strerror(-err));
	return err;
}

void coordinators_close(struct coordinators *cs)
{
	coordinator_stop(&cs->groups);
	txn_coordinator_stop(&cs->txns);
	batch_writer_free(&cs->writer);
	topic_log_free(&cs->group_log);
	topic_log_free(&cs->txn_log);
	coordinator_free(&cs->groups);
	txn_coordinator_free(&cs->txns);
	reactor_destroy(&cs->reactor);
	free(cs);
}

static void *coordinators_main(void *arg)
{
	struct coordinators *cs = arg;
	const struct config *config = cs->broker->config;

	cs->reactor.now_ms = monotonic_ms();
	again(cs, &cs->expire_offsets, config->offsets_retention_check_ms);
	again(cs, &cs->abort_txns, config->txns.abort_check_ms);
	again(cs, &cs->expire_txns, config->txns.expire_check_ms);
	reactor_run(&cs->reactor);
	return NULL;
}

int coordinators_start(struct coordinators *cs)
{
	sigset_t all, before;
	int err;

	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&cs->thread, NULL, coordinators_main, cs);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

/** struct mark_write - a marker on its way. @offsets: to the topic of groups' offsets */
struct mark_write {
	struct batch_write batch;
	struct coordinators *cs;
	struct txn_marker *m;
	bool offsets;
};

static void mark_written(struct batch_write *bw, int err)
{
	struct mark_write *mw = list_entry(bw, struct mark_write, batch);
	struct txn_marker *m = mw->m;

	if (!err && mw->offsets)
		coordinator_ended(&mw->cs->groups, m->place.partition, m->producer_id, m->commit);
	free(mw);
	/* Of a receipt it means that a truncation took the marker: nothing about the producer. */
	m->done(m, err == -ESTALE ? -EIO : err);
}

int coordinators_mark(struct coordinators *cs, struct txn_marker *m)
{
	const struct image_topic *topic =
		image_by_name(cs->txn_log.image, m->place.topic.p, (size_t)m->place.topic.len);
	struct mark_write *mw;
	uint8_t batch[MARKER_BATCH_MAX];
	size_t len;
	int err;

	if (!topic || m->place.partition < 0 || m->place.partition >= topic->partition_count)
		return -ENOENT;
	mw = calloc(1, sizeof(*mw));
	if (!mw)
		return -ENOMEM;
	mw->batch.done = mark_written;
	mw->cs = cs;
	mw->m = m;
	mw->offsets = !strcmp(topic->name, OFFSETS_TOPIC);
	len = marker_batch(m, wall_clock_ms(), batch);
	err = !len ? -EINVAL
		   : batch_writer_append(&cs->writer, topic, m->place.partition, batch, len,
					 &mw->batch);
	if (err)
		free(mw);
	return err;
}

static void deliver_drain(struct mail *m, void *ctx)
{
	struct coordinators *cs = ctx;

	(void)m;
	if (!cs)
		return;
	cs->draining = true;
	topic_log_drain(&cs->group_log);
	topic_log_drain(&cs->txn_log);
	coordinator_stop(&cs->groups);
	txn_coordinator_stop(&cs->txns);
}

void coordinators_drain(struct coordinators *cs)
{
	cs->drain.deliver = deliver_drain;
	mailbox_post(reactor_mailbox(&cs->reactor), &cs->drain);
}

static void deliver_stop(struct mail *m, void *ctx)
{
	struct coordinators *cs = ctx;

	(void)m;
	if (cs)
		reactor_stop(&cs->reactor);
}

void coordinators_stop(struct coordinators *cs)
{
	cs->stop.deliver = deliver_stop;
	mailbox_post(reactor_mailbox(&cs->reactor), &cs->stop);
	pthread_join(cs->thread, NULL);
}

static void deliver_image(struct mail *m, void *ctx)
{
	struct image_mail *im = list_entry(m, struct image_mail, mail);
	struct coordinators *cs = ctx;

	if (cs && !cs->draining) {
		topic_log_set_image(&cs->group_log, image_get(im->image));
		topic_log_set_image(&cs->txn_log, im->image);
	} else {
		image_put(im->image);
	}
	free(im);
}

int coordinators_post_image(struct coordinators *cs, struct image *image)
{
	struct image_mail *im = malloc(sizeof(*im));

	if (!im)
		return -ENOMEM;
	im->mail.deliver = deliver_image;
	im->image = image_get(image);
	mailbox_post(reactor_mailbox(&cs->reactor), &im->mail);
	return 0;
}

static void deliver_reply(struct mail *m, void *ctx)
{
	struct coordinator_call *call = list_entry(m, struct coordinator_call, mail);

	/* A worker waits for its calls before it ends, so that it always hears of them. */
	(void)ctx;
	call->reply(call);
}

void coordinators_reply(struct coordinator_call *call)
{
	call->mail.deliver = deliver_reply;
	mailbox_post(call->reply_to, &call->mail);
}

static void deliver_call(struct mail *m, void *ctx)
{
	struct coordinator_call *call = list_entry(m, struct coordinator_call, mail);
	struct coordinators *cs = ctx;

	call->work(cs, call);
}

void coordinators_submit(struct coordinators *cs, struct coordinator_call *call)
{
	call->mail.deliver = deliver_call;
	mailbox_post(reactor_mailbox(&cs->reactor), &call->mail);
}
