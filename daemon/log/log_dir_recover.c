// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "kmod/log/recover.h"
#include "daemon/log/dir_file.h"
#include "daemon/log/log_dir_recover.h"
#include "daemon/log/partition_files.h"
#include "daemon/log/topic_config.h"

/* Of those that nobody asked for. */
#define THREADS_MAX 16
#define PROGRESS_MS 200

/* One partition's recovery. */
struct job {
	struct log_dir_topic *topic;
	uint32_t index;
	int64_t recovery_point;
	struct sluice_recovery done; /* its bytes_read while the job runs, too */
	int result;
	char why[SLUICE_ERROR_TEXT_MAX];
};

struct pool {
	const struct log_dir *d;
	bool clean;
	struct job *jobs;
	unsigned int n_jobs;
	pthread_mutex_t mutex; /* protects what follows */
	pthread_cond_t progressed;
	unsigned int next;
	unsigned int done;
};

static void log_config(const struct log_dir_topic *t, struct sluice_log_config *c)
{
	struct kern_topic_config k = {0};

	for (size_t i = 0; i < t->s.n; i++)
		topic_config_to_kern(t->s.items[i].key, t->s.items[i].value, &k);
	sluice_log_config_default(c);
	if (k.set & KERN_CONFIG_SEGMENT_BYTES)
		c->segment_bytes = k.segment_bytes;
	if (k.set & KERN_CONFIG_MAX_MESSAGE_BYTES)
		c->max_message_bytes = k.max_message_bytes;
	if (k.set & KERN_CONFIG_INDEX_INTERVAL_BYTES)
		c->index_interval_bytes = k.index_interval_bytes;
	if (k.set & KERN_CONFIG_SEGMENT_INDEX_BYTES)
		c->segment_index_bytes = k.segment_index_bytes;
	c->log_append_time = k.message_timestamp_type;
}

/*
 * Epochs that begin behind the end were cut away with their records; the one
 * the topic is opened with begins here, if it is a new one.
 */
static int fit_epochs(int fd, int32_t topic_epoch, int64_t log_end_offset)
{
	struct leader_epoch *epochs, *grown;
	size_t n, kept = 0;
	bool changed;
	int err;

	err = leader_epochs_read(fd, &epochs, &n);
	if (err)
		return err;
	while (kept < n && epochs[kept].start_offset <= log_end_offset)
		kept++;
	changed = kept != n;
	if (!kept || epochs[kept - 1].epoch < topic_epoch) {
		grown = reallocarray(epochs, kept + 1, sizeof(*epochs));
		if (!grown) {
			free(epochs);
			return -ENOMEM;
		}
		epochs = grown;
		epochs[kept].epoch = topic_epoch;
		epochs[kept].start_offset = kept ? log_end_offset : 0;
		kept++;
		changed = true;
	}
	if (changed)
		err = leader_epochs_write(fd, epochs, kept, /* durable= */ true);
	free(epochs);
	return err;
}

static void recover_log(const struct pool *pool, struct job *job, struct port_dir *dir)
{
	unsigned int flags = job->topic->s.adopted ? SLUICE_RECOVER_GAPS : 0;
	struct sluice_log_config c;

	log_config(job->topic, &c);
	job->result = -EAGAIN;
	if (pool->clean)
		job->result = sluice_log_recover(dir, &c, 0, flags | SLUICE_RECOVER_CLEAN, job->why,
						 &job->done);
	/* What was called clean and is not has no recovery point to be believed. */
	if (job->result)
		job->result = sluice_log_recover(dir, &c, pool->clean ? 0 : job->recovery_point,
						 flags, job->why, &job->done);
}

static void recover_partition(const struct pool *pool, struct job *job)
{
	char *path = log_dir_partition_path(pool->d, job->topic->s.topic, job->index);
	struct port_dir *dir;
	int fd;

	snprintf(job->why, sizeof(job->why), "it cannot be opened");
	dir = path ? port_dir_open(path) : NULL;
	if (!dir) {
		job->result = path ? -errno : -ENOMEM;
		free(path);
		return;
	}
	recover_log(pool, job, dir);
	port_dir_close(dir);
	if (!job->result) {
		fd = dir_open(AT_FDCWD, path);
		job->result =
			fd < 0 ? fd
			       : fit_epochs(fd, job->topic->leader_epoch, job->done.log_end_offset);
		if (fd >= 0)
			close(fd);
		if (job->result)
			snprintf(job->why, sizeof(job->why), "leader-epoch-checkpoint");
	}
	free(path);
}

static void *work(void *arg)
{
	struct pool *pool = arg;
	struct job *job;

	pthread_mutex_lock(&pool->mutex);
	while (pool->next < pool->n_jobs) {
		job = &pool->jobs[pool->next++];
		pthread_mutex_unlock(&pool->mutex);
		recover_partition(pool, job);
		pthread_mutex_lock(&pool->mutex);
		pool->done++;
		pthread_cond_signal(&pool->progressed);
	}
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

static unsigned int thread_count(unsigned int wanted, unsigned int n_jobs)
{
	cpu_set_t cpus;
	unsigned int n = 1;

	if (wanted)
		return wanted < n_jobs ? wanted : n_jobs;
	if (!sched_getaffinity(0, sizeof(cpus), &cpus))
		n = (unsigned int)CPU_COUNT(&cpus);
	if (n > THREADS_MAX)
		n = THREADS_MAX;
	return n < n_jobs ? n : n_jobs;
}

static uint64_t bytes_read(const struct pool *pool)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < pool->n_jobs; i++)
		sum += READ_ONCE(pool->jobs[i].done.bytes_read);
	return sum;
}

/* The callback is the caller's: it runs in the caller's thread, without the mutex. */
static void watch(struct pool *pool, log_dir_progress_fn progress, void *ctx)
{
	struct timespec next;
	unsigned int done;

	pthread_mutex_lock(&pool->mutex);
	do {
		clock_gettime(CLOCK_REALTIME, &next);
		next.tv_nsec += PROGRESS_MS * 1000000L;
		next.tv_sec += next.tv_nsec / 1000000000L;
		next.tv_nsec %= 1000000000L;
		while (pool->done < pool->n_jobs &&
		       !pthread_cond_timedwait(&pool->progressed, &pool->mutex, &next))
			;
		done = pool->done;
		pthread_mutex_unlock(&pool->mutex);
		if (progress && !pool->clean)
			progress(ctx, done, pool->n_jobs, bytes_read(pool));
		pthread_mutex_lock(&pool->mutex);
	} while (done < pool->n_jobs);
	pthread_mutex_unlock(&pool->mutex);
}

static int run(struct pool *pool, unsigned int n_threads, log_dir_progress_fn progress, void *ctx)
{
	unsigned int wanted = thread_count(n_threads, pool->n_jobs), started = 0;
	pthread_t *threads = calloc(wanted, sizeof(*threads));

	if (!threads)
		return -ENOMEM;
	while (started < wanted && !pthread_create(&threads[started], NULL, work, pool))
		started++;
	if (started)
		watch(pool, progress, ctx);
	for (unsigned int i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return started ? 0 : -EAGAIN;
}

static int make_jobs(struct log_dir_topics *topics, const struct checkpoint *points,
		     struct job **ret_jobs, unsigned int *ret_n)
{
	struct log_dir_topic *t;
	struct job *jobs;
	size_t n = 0;
	int64_t point;

	for (size_t i = 0; i < topics->n; i++)
		n += topics->topics[i].why.text[0] ? 0 : topics->topics[i].s.partition_count;
	jobs = calloc(n + 1, sizeof(*jobs));
	if (!jobs)
		return -ENOMEM;
	n = 0;
	for (size_t i = 0; i < topics->n; i++) {
		t = &topics->topics[i];
		for (uint32_t p = 0; !t->why.text[0] && p < t->s.partition_count; p++) {
			point = checkpoint_find(points, t->s.topic, p);
			jobs[n++] = (struct job){
				.topic = t, .index = p, .recovery_point = point < 0 ? 0 : point};
		}
	}
	*ret_jobs = jobs;
	*ret_n = (unsigned int)n;
	return 0;
}

static int gather(struct pool *pool, struct checkpoint *ends)
{
	struct job *job;
	int err = 0;

	for (unsigned int i = 0; i < pool->n_jobs; i++)
		pool->jobs[i].topic->as_closed = pool->clean;
	for (unsigned int i = 0; !err && i < pool->n_jobs; i++) {
		job = &pool->jobs[i];
		/* What was wrong with it was read. */
		if (job->result || job->done.bytes_read)
			job->topic->as_closed = false;
		if (!job->result)
			err = checkpoint_add(ends, job->topic->s.topic, job->index,
					     job->done.log_end_offset);
		else if (!job->topic->why.text[0])
			log_dir_fail(&job->topic->why, job->result, "partition %" PRIu32 ": %s: %s",
				     job->index, job->why, strerror(-job->result));
	}
	return err;
}

int log_dir_recover(const struct log_dir *d, struct log_dir_topics *topics, bool clean,
		    unsigned int threads, const struct checkpoint *points,
		    log_dir_progress_fn progress, void *ctx, struct checkpoint *ret_ends,
		    struct log_dir_error *err)
{
	struct pool pool = {.d = d, .clean = clean};
	int result;

	*ret_ends = (struct checkpoint){0};
	result = make_jobs(topics, points, &pool.jobs, &pool.n_jobs);
	if (result)
		return log_dir_fail(err, result, "out of memory");
	pthread_mutex_init(&pool.mutex, NULL);
	pthread_cond_init(&pool.progressed, NULL);
	if (pool.n_jobs)
		result = run(&pool, threads, progress, ctx);
	if (!result)
		result = gather(&pool, ret_ends);
	pthread_cond_destroy(&pool.progressed);
	pthread_mutex_destroy(&pool.mutex);
	free(pool.jobs);
	if (result) {
		checkpoint_free(ret_ends);
		log_dir_fail(err, result, "%s: recovery: %s", d->path, strerror(-result));
	}
	return result;
}
