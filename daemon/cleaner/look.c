// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/sluice_netlink.h>

#include "daemon/cleaner/look.h"
#include "daemon/core/diag.h"
#include "daemon/core/reactor.h"
#include "daemon/log/checkpoint.h"
#include "daemon/log/dir_file.h"

static struct diag_limit look_limit;

/*
 * A search under way.
 * @run: of the log that is looked at
 */
struct search {
	const struct cleaner_look *l;
	struct cleaner_run run;
	struct cleaner_run *best;
	struct checkpoint cleaned;
	int64_t wall_ms;
	int64_t now_ms;
};

/* What is damaged counts as missing; it is said when it is replaced. */
static int read_checkpoint(struct search *s)
{
	unsigned int line;
	int fd = dir_open(AT_FDCWD, s->l->data_dir), ret;

	if (fd < 0)
		return fd;
	ret = checkpoint_read(fd, CHECKPOINT_CLEANER, &s->cleaned, &line);
	close(fd);
	return ret == -EINVAL ? 0 : ret;
}

/* The topic's own settings, and behind them what the configuration says. */
static int read_settings(struct search *s, const struct kern_topic *t)
{
	const struct config *c = s->l->config;
	struct log_dir_setting *own, *all;
	struct log_dir_error err;
	size_t n;
	int ret = log_dir_topic_settings(t->data_dir, t->name, &own, &n, &err);

	if (ret)
		return ret;
	all = calloc(n + c->n_topic_defaults + 1, sizeof(*all));
	if (all) {
		if (n)
			memcpy(all, own, n * sizeof(*all));
		for (unsigned int i = 0; i < c->n_topic_defaults; i++)
			all[n + i] = (struct log_dir_setting){.key = c->topic_defaults[i].key,
							      .value = c->topic_defaults[i].value};
		cleaner_settings_init(&s->run.settings, all, n + c->n_topic_defaults);
	}
	free(all);
	log_dir_settings_free(own, n);
	return all ? 0 : -ENOMEM;
}

static void look_at(struct search *s, const struct kern_partition *p)
{
	struct cleaner_manager *m = s->l->manager;
	struct cleaner_entry *e;
	bool new;
	int ret;

	if (p->state != SLUICE_PARTITION_STATE_ONLINE)
		return;
	e = cleaner_manager_see(m, p->topic_id, p->index, p->generation, &new);
	if (!e || !cleaner_entry_ready(e, s->now_ms))
		return;
	/* There is but the active segment, and nothing to be removed: most logs, often. */
	if (p->segments < 2 && !new)
		return;
	s->run.p = *p;
	ret = cleaner_run_look(&s->run,
			       e->distrust ? -1 : checkpoint_find(&s->cleaned, p->topic, p->index),
			       s->wall_ms, new);
	if (ret && ret != -ENOENT) {
		e->in_progress = true;
		cleaner_manager_done(m, e, ret == -EUCLEAN ? CLEANER_DAMAGED : CLEANER_FAILED,
				     s->now_ms, 0);
		if (ret == -EUCLEAN)
			cleaner_run_say_damaged(&s->run, m->uncleanable);
		else
			diag_limited(&look_limit, DIAG_WARNING, "log %s-%u cannot be compacted: %s",
				     p->topic, p->index, s->run.err);
	}
	if (!ret && cleaner_manager_offer(m, e, &s->run.bounds, s->run.settings.min_ratio))
		*s->best = s->run;
}

static int look_at_topic(struct search *s, const struct kern_topic *t)
{
	struct kern_partition *partitions;
	size_t n;
	int ret = read_settings(s, t);

	/* It is being deleted. */
	if (ret == -ENOENT)
		return 0;
	if (!ret)
		ret = kern_partitions(s->run.k, t->name, &partitions, &n);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	for (size_t i = 0; i < n && !s->l->stopped(s->l->ctx); i++) {
		/* One of that name may have been deleted and made again. */
		if (!memcmp(partitions[i].topic_id, t->id, sizeof(t->id)))
			look_at(s, &partitions[i]);
	}
	kern_partitions_free(partitions);
	return 0;
}

static int look_at_all(struct search *s)
{
	struct kern_topic *topics;
	size_t n;
	int ret = read_checkpoint(s);

	if (!ret)
		ret = kern_topics(s->run.k, &topics, &n);
	if (ret)
		return ret;
	for (size_t i = 0; i < n && !ret; i++) {
		if ((topics[i].config.cleanup_policy & KERN_CLEANUP_COMPACT) &&
		    !strcmp(topics[i].data_dir, s->l->data_dir))
			ret = look_at_topic(s, &topics[i]);
	}
	kern_topics_free(topics, n);
	if (!ret && s->l->stopped(s->l->ctx))
		ret = -ECANCELED;
	return ret;
}

int cleaner_look(const struct cleaner_look *l, struct kern *k, struct cleaner_entry **ret_entry,
		 struct cleaner_run *ret_run)
{
	struct search s = {.l = l, .best = ret_run};
	int ret;

	s.run = (struct cleaner_run){.k = k, .data_dir = l->data_dir};
	s.wall_ms = port_now_ms();
	s.now_ms = monotonic_ms();
	*ret_entry = NULL;
	cleaner_manager_begin(l->manager);
	ret = look_at_all(&s);
	checkpoint_free(&s.cleaned);
	if (!ret)
		*ret_entry = cleaner_manager_take(l->manager);
	else if (ret != -ECANCELED)
		diag_limited(&look_limit, DIAG_WARNING, "no log to compact can be found: %s",
			     strerror(-ret));
	return ret;
}
