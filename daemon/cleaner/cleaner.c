// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "daemon/cleaner/cleaner.h"
#include "daemon/cleaner/look.h"
#include "daemon/cleaner/throttle.h"
#include "daemon/core/diag.h"
#include "daemon/core/reactor.h"

#define LOCK_FILE ".sluice/cleaner.lock"

#define BACKOFF_MIN_MS	     10
#define BACKOFF_STEP_MS	     15000
#define MAP_BYTES_MIN	     (1u << 20)
#define IO_BYTES_MIN	     4096
#define MAP_LOAD_PERCENT_MAX 99

static struct diag_limit lock_limit;
static struct diag_limit clean_limit;

/** struct cleaner_thread - @run: what it works on; its own, as @limits and @backoff_ms */
struct cleaner_thread {
	struct cleaner *cleaner;
	struct kern *k;
	struct cleaner_run run;
	struct cleaner_limits limits;
	int64_t backoff_ms;
	pthread_t thread;
};

/**
 * struct cleaner - all of it
 * @data_dir: as the kernel names it
 * @lock_fd: held with flock(2), because two that compact one log would mix
 *	their files; -1: not yet
 * @looking: whoever searches, and around all of @manager and @lock_fd
 * @mutex: around @throttle and @stop; never waits for the disk
 * @woken: when @stop is set
 */
struct cleaner {
	struct live_config *live;
	char *data_dir;
	int lock_fd;
	struct cleaner_manager manager;
	pthread_mutex_t looking;
	struct cleaner_throttle throttle;
	bool stop;
	pthread_mutex_t mutex;
	pthread_cond_t woken;
	struct cleaner_thread *threads;
	unsigned int n_threads;
};

static bool stopped(void *ctx)
{
	struct cleaner *c = ctx;
	bool stop;

	pthread_mutex_lock(&c->mutex);
	stop = c->stop;
	pthread_mutex_unlock(&c->mutex);
	return stop;
}

/* With the mutex, which it gives back meanwhile. Ends early when all is to end. */
static void wait_ms(struct cleaner *c, int64_t ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (!c->stop && pthread_cond_timedwait(&c->woken, &c->mutex, &until) != ETIMEDOUT)
		;
}

static int pace(void *ctx, u64 bytes)
{
	struct cleaner *c = ctx;
	int64_t ms;
	int ret;

	pthread_mutex_lock(&c->mutex);
	while (!c->stop && (ms = cleaner_throttle(&c->throttle, bytes, monotonic_ms()))) {
		wait_ms(c, ms);
		bytes = 0;
	}
	ret = c->stop ? -ECANCELED : 0;
	pthread_mutex_unlock(&c->mutex);
	return ret;
}

/* The process that compacted here before may be on its way out. */
static bool take_lock(struct cleaner *c)
{
	char *path;
	int fd;

	if (c->lock_fd >= 0)
		return true;
	if (asprintf(&path, "%s/" LOCK_FILE, c->data_dir) < 0)
		return false;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB)) {
		c->lock_fd = fd;
	} else {
		diag_limited(&lock_limit, DIAG_WARNING, "no log is compacted: %s: %s", path,
			     errno == EWOULDBLOCK ? "another process compacts here"
						  : strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	free(path);
	return c->lock_fd >= 0;
}

static uint64_t at_least(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Kafka's shares: memory is for all threads together, buffers for reading and for writing. */
static void take_settings(struct cleaner_thread *t, const struct config_cleaner *s)
{
	struct cleaner *c = t->cleaner;
	double load = s->load_factor * 100;

	t->backoff_ms = s->backoff_ms < BACKOFF_MIN_MS ? BACKOFF_MIN_MS
			: s->backoff_ms > INT32_MAX    ? INT32_MAX
						       : s->backoff_ms;
	t->limits = (struct cleaner_limits){
		.map_bytes = at_least(s->dedupe_buffer_bytes / s->threads, MAP_BYTES_MIN),
		.map_load_percent = load < 1			  ? 1
				    : load > MAP_LOAD_PERCENT_MAX ? MAP_LOAD_PERCENT_MAX
								  : (uint32_t)load,
		.io_bytes = (uint32_t)at_least(s->io_buffer_bytes / s->threads / 2, IO_BYTES_MIN),
	};
	pthread_mutex_lock(&c->mutex);
	c->throttle.bytes_per_second =
		s->io_max_bytes_per_second < 1 ? 1 : s->io_max_bytes_per_second;
	pthread_mutex_unlock(&c->mutex);
}

static struct cleaner_entry *choose(struct cleaner_thread *t)
{
	struct cleaner *c = t->cleaner;
	struct config_layers *layers = live_config_get(c->live);
	const struct cleaner_look look = {.config = &layers->now,
					  .data_dir = c->data_dir,
					  .manager = &c->manager,
					  .stopped = stopped,
					  .ctx = c};
	struct cleaner_entry *e = NULL;

	take_settings(t, &layers->now.cleaner);
	pthread_mutex_lock(&c->looking);
	if (!take_lock(c) || cleaner_look(&look, t->k, &e, &t->run))
		e = NULL;
	pthread_mutex_unlock(&c->looking);
	config_layers_put(layers);
	return e;
}

static enum cleaner_outcome outcome_of(int ret)
{
	switch (ret) {
	case 0: return CLEANER_DONE;
	case -EAGAIN: return CLEANER_WAITS;
	case -ESTALE: return CLEANER_CHANGED;
	case -ECANCELED: return CLEANER_STOPPED;
	case -EUCLEAN: return CLEANER_DAMAGED;
	default: return CLEANER_FAILED;
	}
}

static void tell_done(const struct cleaner_run *r, int64_t took_ms)
{
	const struct sluice_clean_stats *s = &r->log.stats;
	double mib = 1024 * 1024;
	double before = (double)s->bytes_before, after = (double)s->bytes_after;

	diag(DIAG_INFO,
	     "compacted log %s-%u, offsets %lld to %lld"
	     ": %.1f MiB in %u segments became %.1f MiB in %u (%.1f%% less), %llu"
	     " records of %llu kept, %.1f s",
	     r->p.topic, r->p.index, r->bounds.first_dirty, (long long)r->log.end_offset,
	     before / mib, s->segments_before, after / mib, s->segments_after,
	     before > 0 ? (before - after) * 100 / before : 0, s->records_kept, s->records_read,
	     (double)took_ms / 1000);
	if (s->records_without_key)
		diag_limited(&clean_limit, DIAG_WARNING,
			     "log %s-%u: %llu records without a key were dropped", r->p.topic,
			     r->p.index, s->records_without_key);
	if (s->batches_malformed)
		diag_limited(&clean_limit, DIAG_WARNING,
			     "log %s-%u: %llu batches cannot be read, they stay", r->p.topic,
			     r->p.index, s->batches_malformed);
}

static void tell(const struct cleaner_run *r, enum cleaner_outcome outcome, size_t uncleanable,
		 int64_t took_ms)
{
	switch (outcome) {
	case CLEANER_DONE: tell_done(r, took_ms); break;
	case CLEANER_WAITS:
	case CLEANER_STOPPED: break;
	case CLEANER_CHANGED:
		diag_limited(&clean_limit, DIAG_INFO, "compaction of log %s-%u was given up: %s",
			     r->p.topic, r->p.index, r->err);
		break;
	case CLEANER_FAILED:
		diag_limited(&clean_limit, DIAG_ERROR,
			     "log %s-%u cannot be compacted: %s; tried again in %d s", r->p.topic,
			     r->p.index, r->err, CLEANER_RETRY_MS / 1000);
		break;
	case CLEANER_DAMAGED: cleaner_run_say_damaged(r, uncleanable); break;
	}
}

/* False: there was nothing to do. */
static bool clean_dirtiest(struct cleaner_thread *t)
{
	struct cleaner *c = t->cleaner;
	struct cleaner_entry *e = choose(t);
	int64_t begin = monotonic_ms();
	enum cleaner_outcome outcome;
	size_t uncleanable;

	if (!e)
		return false;
	t->run.limits = &t->limits;
	t->run.pace = pace;
	t->run.ctx = c;
	outcome = outcome_of(cleaner_run(&t->run));
	pthread_mutex_lock(&c->looking);
	cleaner_manager_done(&c->manager, e, outcome, monotonic_ms(), t->backoff_ms);
	uncleanable = c->manager.uncleanable;
	pthread_mutex_unlock(&c->looking);
	tell(&t->run, outcome, uncleanable, monotonic_ms() - begin);
	return true;
}

/* In steps, because a shorter time may be set meanwhile. */
static void back_off(struct cleaner_thread *t)
{
	struct cleaner *c = t->cleaner;
	int64_t begin = monotonic_ms(), left = t->backoff_ms;

	while (left > 0 && !stopped(c)) {
		struct config_layers *layers;

		pthread_mutex_lock(&c->mutex);
		wait_ms(c, left < BACKOFF_STEP_MS ? left : BACKOFF_STEP_MS);
		pthread_mutex_unlock(&c->mutex);
		layers = live_config_get(c->live);
		take_settings(t, &layers->now.cleaner);
		config_layers_put(layers);
		left = begin + t->backoff_ms - monotonic_ms();
	}
}

static void *thread_main(void *arg)
{
	struct cleaner_thread *t = arg;
	struct cleaner *c = t->cleaner;

	while (!stopped(c)) {
		if (!clean_dirtiest(t))
			back_off(t);
	}
	return NULL;
}

static void stop_threads(struct cleaner *c)
{
	pthread_mutex_lock(&c->mutex);
	c->stop = true;
	pthread_cond_broadcast(&c->woken);
	pthread_mutex_unlock(&c->mutex);
	while (c->n_threads) {
		struct cleaner_thread *t = &c->threads[--c->n_threads];

		pthread_join(t->thread, NULL);
		kern_close(t->k);
	}
}

static int start_thread(struct cleaner *c)
{
	struct cleaner_thread *t = &c->threads[c->n_threads];
	sigset_t all, before;
	int err;

	t->cleaner = c;
	err = kern_open(&t->k);
	if (err)
		return err;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&t->thread, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		kern_close(t->k);
	else
		c->n_threads++;
	return err;
}

static void free_cleaner(struct cleaner *c)
{
	cleaner_manager_destroy(&c->manager);
	pthread_cond_destroy(&c->woken);
	pthread_mutex_destroy(&c->mutex);
	pthread_mutex_destroy(&c->looking);
	if (c->lock_fd >= 0)
		close(c->lock_fd);
	free(c->threads);
	free(c->data_dir);
	free(c);
}

static struct cleaner *make_cleaner(struct live_config *live, const struct config *config)
{
	struct cleaner *c = calloc(1, sizeof(*c));
	pthread_condattr_t attr;

	if (!c)
		return NULL;
	c->live = live;
	c->lock_fd = -1;
	cleaner_manager_init(&c->manager);
	pthread_mutex_init(&c->looking, NULL);
	pthread_mutex_init(&c->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->woken, &attr);
	pthread_condattr_destroy(&attr);
	c->data_dir = realpath(config->log_dir, NULL);
	c->threads = calloc(config->cleaner.threads, sizeof(*c->threads));
	if (c->data_dir && c->threads)
		return c;
	free_cleaner(c);
	return NULL;
}

static int start(struct live_config *live, const struct config *config, struct cleaner **ret_c)
{
	struct cleaner *c;
	int err = 0;

	*ret_c = NULL;
	if (!config->cleaner.enable || !config->cleaner.threads)
		return 0;
	c = make_cleaner(live, config);
	if (!c)
		return -ENOMEM;
	while (!err && c->n_threads < config->cleaner.threads)
		err = start_thread(c);
	if (err)
		cleaner_stop(c);
	else
		*ret_c = c;
	return err;
}

int cleaner_start(struct live_config *live, struct cleaner **ret_c)
{
	struct config_layers *layers = live_config_get(live);
	int err = start(live, &layers->now, ret_c);

	config_layers_put(layers);
	return err;
}

void cleaner_stop(struct cleaner *c)
{
	if (!c)
		return;
	stop_threads(c);
	free_cleaner(c);
}
