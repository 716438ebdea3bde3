// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <linux/sluice_netlink.h>

#include "daemon/controller/controller.h"
#include "daemon/controller/topic_codec.h"
#include "daemon/controller/topic_defaults.h"
#include "daemon/core/diag.h"
#include "daemon/core/reactor.h"
#include "daemon/coordinator/manager.h"
#include "daemon/quota/quota_file.h"
#include "daemon/worker.h"

/* How often it is written down up to where the logs are durable; as Kafka does. */
#define CHECKPOINT_MS 60000

/* Producer ids are reserved in blocks, because each reservation is an fsync. */
#define PRODUCER_ID_BLOCK 1000

/**
 * struct controller - private to its thread while that runs
 * @k: for commands; @events: subscribed, for nothing else
 * @stale: topics changed since the image was built
 * @unsettled: topics have not got their settings, or other defaults count since
 * @config: what broker->live has; a reference
 * @next_producer_id, @end_producer_id: what is left of the reserved block
 */
struct controller {
	const struct broker *broker;
	struct kern *k;
	struct kern *events;
	struct reactor reactor;
	struct reactor_fd events_io;
	struct timer checkpoint;
	struct image *image;
	struct quota_table *quotas;
	struct config_layers *config;
	struct coordinators *coordinators;
	struct worker *workers;
	unsigned int n_workers;
	int64_t next_producer_id;
	int64_t end_producer_id;
	pthread_t thread;
	struct mail stop;
	bool stale;
	bool unsettled;
};

static struct diag_limit refresh_limit;
static struct diag_limit checkpoint_limit;
static struct diag_limit event_limit;

/* It was seen, and nobody changed its settings since. */
static bool is_settled(const struct controller *c, const struct kern_topic *t)
{
	const struct image_topic *known = c->image ? image_by_id(c->image, t->id) : NULL;

	return known && kern_config_has(&known->config, &t->config);
}

/* How its batches are stored is in a file, which is read when that may have changed. */
static int read_codec(struct controller *c, bool unsettled, const struct kern_topic *t,
		      struct record_codec *ret)
{
	const struct image_topic *known = c->image ? image_by_id(c->image, t->id) : NULL;

	if (!known || unsettled)
		return topic_codec_read(&c->config->now, t, ret);
	*ret = known->codec;
	return 0;
}

/* Topics get their settings, and @codecs is filled. */
static void settle(struct controller *c, struct kern_topic *topics, struct record_codec *codecs,
		   size_t n)
{
	bool unsettled = c->unsettled;

	c->unsettled = false;
	for (size_t i = 0; i < n; i++) {
		if (read_codec(c, unsettled, &topics[i], &codecs[i]))
			c->unsettled = true;
		if (!unsettled && is_settled(c, &topics[i]))
			continue;
		if (topic_defaults_apply(&c->config->now, c->k, &topics[i]))
			c->unsettled = true;
	}
}

/* Build the image from what the kernel has. On failure the old one stays, and it is tried again. */
static int rebuild_image(struct controller *c)
{
	struct record_codec *codecs;
	struct kern_topic *topics;
	struct image *image;
	size_t n;
	int err = kern_topics(c->k, &topics, &n);

	if (err) {
		diag_limited(&refresh_limit, DIAG_ERROR, "cannot list the topics: %s",
			     kern_error(c->k));
		return err;
	}
	codecs = calloc(n ? n : 1, sizeof(*codecs));
	err = -ENOMEM;
	if (codecs) {
		settle(c, topics, codecs, n);
		err = image_build(topics, codecs, n, &image);
	}
	free(codecs);
	kern_topics_free(topics, n);
	if (err)
		return err;
	image_set_quotas(image, c->quotas);
	image_put(c->image);
	c->image = image;
	c->stale = false;
	return 0;
}

static void refresh(struct controller *c)
{
	if (rebuild_image(c))
		return;
	/* First: who was told of a coordinator's topic by a worker finds the coordinator ready. */
	if (coordinators_post_image(c->coordinators, c->image))
		c->stale = true;
	for (unsigned int i = 0; i < c->n_workers; i++) {
		if (worker_post_image(&c->workers[i], c->image))
			c->stale = true; /* no memory: the next event tries again */
	}
}

/* Whether the image is out of date because of it. Our own changes it knows already. */
static bool concerns_image(const struct controller *c, const struct kern_event *ev)
{
	bool known = image_by_id(c->image, ev->topic_id);

	switch (ev->type) {
	case SLUICE_EVENT_TYPE_TOPIC_CREATED: return !known;
	case SLUICE_EVENT_TYPE_TOPIC_DELETED: return known;
	case SLUICE_EVENT_TYPE_DATA_DIR_ATTACHED:
	case SLUICE_EVENT_TYPE_DATA_DIR_DETACHED: return true;
	case SLUICE_EVENT_TYPE_PARTITION_OFFLINE:
		diag_limited(&event_limit, DIAG_ERROR, "partition %s-%d is offline: %s", ev->topic,
			     ev->partition, ev->reason);
		return false;
	default: return false;
	}
}

static void on_events(struct reactor_fd *rfd, uint32_t events)
{
	struct controller *c = list_entry(rfd, struct controller, events_io);
	struct kern_event ev;
	int err;

	(void)events;
	/* All that there are first: many changes at once need one rebuild. */
	while ((err = kern_event_next(c->events, &ev)) != -EAGAIN) {
		if (err == -ENOBUFS) {
			c->stale = true;
		} else if (err) {
			diag_limited(&event_limit, DIAG_ERROR,
				     "cannot read the module's events: %s", kern_error(c->events));
			break;
		} else if (concerns_image(c, &ev)) {
			c->stale = true;
		}
	}
	if (c->stale)
		refresh(c);
}

static void on_checkpoint(struct timer *t)
{
	struct controller *c = list_entry(t, struct controller, checkpoint);
	struct log_dir_error err;

	if (log_dir_checkpoint(c->k, c->broker->config->log_dir, &err))
		diag_limited(&checkpoint_limit, DIAG_WARNING, "%s", err.text);
	if (c->unsettled)
		refresh(c);
	timer_set(&c->reactor.timers, t, c->reactor.now_ms + CHECKPOINT_MS);
}

static int open_events(struct controller *c)
{
	int err = kern_open(&c->events);

	if (err)
		return err;
	err = kern_subscribe(c->events);
	if (!err) {
		c->events_io = (struct reactor_fd){.fd = kern_event_fd(c->events), .fn = on_events};
		err = reactor_add(&c->reactor, &c->events_io, EPOLLIN);
	}
	if (err)
		kern_close(c->events);
	return err;
}

static int read_quotas(struct controller *c)
{
	struct log_dir_error err;
	int ret = quota_file_read(c->broker->config->log_dir, &c->quotas, &err);

	if (ret)
		diag(DIAG_ERROR, "%s", err.text);
	return ret;
}

/* Every topic gets its defaults anew, with the next image. */
static void put_in_force(struct controller *c, struct config_layers *l)
{
	live_config_set(c->broker->live, l);
	config_layers_put(c->config);
	c->config = live_config_get(c->broker->live);
	c->unsettled = true;
	c->stale = true;
}

static int read_config(struct controller *c)
{
	struct dynamic_config dynamic;
	struct config_layers *l;
	struct config_error bad;
	struct log_dir_error err;
	int ret = dynamic_config_read(c->broker->config->log_dir, &dynamic, &err);

	if (ret) {
		diag(DIAG_ERROR, "%s", err.text);
		return ret;
	}
	ret = config_layers_new(c->broker->config, &dynamic, /* strict= */ false, &l, &bad);
	dynamic_config_free(&dynamic);
	if (ret)
		diag(DIAG_ERROR, "%s", bad.text);
	else
		put_in_force(c, l);
	return ret;
}

int controller_open(const struct broker *broker, struct kern *k, struct controller **ret_c)
{
	struct controller *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	if (!c)
		goto err_kern;
	c->broker = broker;
	c->k = k;
	c->checkpoint.fn = on_checkpoint;
	err = reactor_init(&c->reactor, c);
	if (err)
		goto err_free;
	/* First listen, then look: nothing can slip through between. */
	err = open_events(c);
	if (err)
		goto err_reactor;
	err = read_quotas(c);
	if (err)
		goto err_events;
	err = read_config(c);
	if (err)
		goto err_quotas;
	err = rebuild_image(c);
	if (err)
		goto err_config;
	*ret_c = c;
	return 0;

err_config:
	config_layers_put(c->config);
err_quotas:
	quota_table_put(c->quotas);
err_events:
	kern_close(c->events);
err_reactor:
	reactor_destroy(&c->reactor);
err_free:
	free(c);
err_kern:
	kern_close(k);
	diag(DIAG_ERROR, "cannot start the controller: %s", strerror(-err));
	return err;
}

void controller_close(struct controller *c)
{
	reactor_destroy(&c->reactor);
	kern_close(c->events);
	kern_close(c->k);
	image_put(c->image);
	quota_table_put(c->quotas);
	config_layers_put(c->config);
	free(c);
}

struct image *controller_image(struct controller *c)
{
	return image_get(c->image);
}

static void *controller_main(void *arg)
{
	struct controller *c = arg;

	timer_set(&c->reactor.timers, &c->checkpoint, monotonic_ms() + CHECKPOINT_MS);
	reactor_run(&c->reactor);
	return NULL;
}

int controller_start(struct controller *c, struct coordinators *coordinators,
		     struct worker *workers, unsigned int n)
{
	sigset_t all, before;
	int err;

	c->coordinators = coordinators;
	c->workers = workers;
	c->n_workers = n;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&c->thread, NULL, controller_main, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

static void deliver_stop(struct mail *m, void *ctx)
{
	struct controller *c = ctx;

	(void)m;
	if (c)
		reactor_stop(&c->reactor);
}

void controller_stop(struct controller *c)
{
	c->stop.deliver = deliver_stop;
	mailbox_post(reactor_mailbox(&c->reactor), &c->stop);
	pthread_join(c->thread, NULL);
}

static void deliver_reply(struct mail *m, void *ctx)
{
	struct controller_call *call = list_entry(m, struct controller_call, mail);

	/* A worker waits for its calls before it ends, so that it always hears of them. */
	(void)ctx;
	call->reply(call);
}

static void deliver_call(struct mail *m, void *ctx)
{
	struct controller_call *call = list_entry(m, struct controller_call, mail);
	struct controller *c = ctx;

	call->work(c, call);
	/* The image goes ahead of the reply: who was told that a topic exists finds it. */
	if (c->stale)
		refresh(c);
	call->mail.deliver = deliver_reply;
	mailbox_post(call->reply_to, &call->mail);
}

void controller_submit(struct controller *c, struct controller_call *call)
{
	call->mail.deliver = deliver_call;
	mailbox_post(reactor_mailbox(&c->reactor), &call->mail);
}

const struct image_topic *controller_topic(struct controller *c, const char *name, size_t len)
{
	return image_by_name(c->image, name, len);
}

const struct image_topic *controller_topic_by_id(struct controller *c,
						 const uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	return image_by_id(c->image, id);
}

const struct image_topic *controller_topics(struct controller *c, size_t *ret_n)
{
	return image_topics(c->image, ret_n);
}

int controller_partitions(struct controller *c, const struct image_topic *topic,
			  struct kern_partition **ret_partitions, size_t *ret_n)
{
	return kern_partitions(c->k, topic->name, ret_partitions, ret_n);
}

int controller_topic_create(struct controller *c, const char *name, uint32_t partition_count,
			    const struct log_dir_setting *settings, size_t n_settings,
			    uint8_t ret_id[SLUICE_TOPIC_ID_LEN], struct log_dir_error *err)
{
	int ret = log_dir_topic_create(c->k, c->broker->config->log_dir, name, partition_count,
				       settings, n_settings, ret_id, err);

	if (!ret) {
		c->stale = true;
		diag(DIAG_INFO, "topic %s created with %u partitions", name, partition_count);
	}
	return ret;
}

int controller_topic_grow(struct controller *c, const struct image_topic *topic,
			  uint32_t partition_count, bool validate_only, struct log_dir_error *err)
{
	int ret = log_dir_topic_grow(c->k, topic->data_dir, topic->name, partition_count,
				     validate_only, err);

	if (!ret && !validate_only) {
		c->stale = true;
		diag(DIAG_INFO, "topic %s has %u partitions now", topic->name, partition_count);
	}
	return ret;
}

int controller_topic_policy(struct controller *c, const struct image_topic *topic,
			    uint32_t *ret_policy, struct log_dir_error *err)
{
	struct kern_topic t;
	int ret = kern_topic_get(c->k, topic->name, &t);

	if (ret)
		return log_dir_fail(err, ret, "%s", kern_error(c->k));
	*ret_policy = t.config.cleanup_policy;
	free(t.data_dir);
	return 0;
}

int controller_topic_alter(struct controller *c, const struct log_dir *d, const char *name,
			   const struct log_dir_setting *changes, size_t n_changes,
			   bool validate_only, struct log_dir_error *err)
{
	int ret = log_dir_alter(c->k, d, name, changes, n_changes, validate_only, err);

	if (!ret && !validate_only) {
		c->stale = true;
		for (size_t i = 0; i < n_changes; i++) {
			if (topic_codec_key(changes[i].key))
				c->unsettled = true;
		}
		diag(DIAG_INFO, "topic %s: %zu settings changed", name, n_changes);
	}
	return ret;
}

int controller_internal_topic_create(struct controller *c, const char *name,
				     struct log_dir_error *err)
{
	const struct config *config = c->broker->config;
	bool txns = !strcmp(name, TXN_TOPIC);
	const struct log_dir_setting settings[] = {
		{"cleanup.policy", "compact"},
		{"compression.type", txns ? "uncompressed" : "producer"},
		{"segment.bytes", config->text[txns ? CONFIG_TRANSACTION_STATE_LOG_SEGMENT_BYTES
						    : CONFIG_OFFSETS_TOPIC_SEGMENT_BYTES]},
	};

	return controller_topic_create(
		c, name,
		(uint32_t)(txns ? config->txn_topic_partitions : config->offsets_topic_partitions),
		settings, sizeof(settings) / sizeof(settings[0]), NULL, err);
}

int controller_topic_delete(struct controller *c, const struct image_topic *topic,
			    struct log_dir_error *err)
{
	int ret = log_dir_topic_delete(c->k, topic->data_dir, topic->name, err);

	if (!ret) {
		c->stale = true;
		diag(DIAG_INFO, "topic %s deleted", topic->name);
	}
	return ret;
}

int controller_delete_records(struct controller *c, const struct image_topic *topic,
			      uint32_t partition, int64_t offset, int64_t *ret_start,
			      struct log_dir_error *err)
{
	int ret = log_dir_delete_records(c->k, topic->name, partition, offset, ret_start, err);

	if (!ret)
		diag(DIAG_INFO, "partition %s-%u begins at %lld", topic->name, partition,
		     (long long)*ret_start);
	return ret;
}

const struct quota_table *controller_quotas(struct controller *c)
{
	return c->quotas;
}

int controller_quotas_set(struct controller *c, struct quota_table *quotas,
			  struct log_dir_error *err)
{
	int ret = quota_file_write(c->broker->config->log_dir, quotas, err);

	if (ret) {
		quota_table_put(quotas);
		return ret;
	}
	quota_table_put(c->quotas);
	c->quotas = quotas;
	c->stale = true;
	return 0;
}

const struct config_layers *controller_config(struct controller *c)
{
	return c->config;
}

int controller_config_set(struct controller *c, const struct dynamic_config *dynamic,
			  bool validate_only, struct log_dir_error *err)
{
	struct config_layers *l;
	struct config_error bad;
	int ret = config_layers_new(&c->config->base, dynamic, /* strict= */ true, &l, &bad);

	if (ret)
		return log_dir_fail(err, ret, "%s", bad.text);
	if (!validate_only)
		ret = dynamic_config_write(c->broker->config->log_dir, dynamic, err);
	if (ret || validate_only) {
		config_layers_put(l);
		return ret;
	}
	put_in_force(c, l);
	return 0;
}

/** struct reload - a letter: @base is owned by it */
struct reload {
	struct mail mail;
	struct config *base;
};

static void deliver_reload(struct mail *m, void *ctx)
{
	struct reload *r = list_entry(m, struct reload, mail);
	struct controller *c = ctx;
	struct config_layers *l;
	struct config_error bad;

	if (c && config_layers_new(r->base, &c->config->dynamic, /* strict= */ false, &l, &bad)) {
		diag(DIAG_ERROR, "the configuration stays as it was: %s", bad.text);
	} else if (c) {
		put_in_force(c, l);
		refresh(c);
	}
	config_free(r->base);
	free(r->base);
	free(r);
}

int controller_reload(struct controller *c, struct config *base)
{
	struct reload *r = malloc(sizeof(*r));

	if (!r) {
		config_free(base);
		free(base);
		return -ENOMEM;
	}
	r->mail.deliver = deliver_reload;
	r->base = base;
	mailbox_post(reactor_mailbox(&c->reactor), &r->mail);
	return 0;
}

int controller_producer_ids(struct controller *c, int64_t n, int64_t *ret_first,
			    struct log_dir_error *err)
{
	return log_dir_producer_ids(c->broker->config->log_dir, n, ret_first, err);
}

int controller_producer_id(struct controller *c, int64_t *ret_id, struct log_dir_error *err)
{
	if (c->next_producer_id == c->end_producer_id) {
		int64_t first;
		int ret = controller_producer_ids(c, PRODUCER_ID_BLOCK, &first, err);

		if (ret)
			return ret;
		c->next_producer_id = first;
		c->end_producer_id = first + PRODUCER_ID_BLOCK;
	}
	*ret_id = c->next_producer_id++;
	return 0;
}
