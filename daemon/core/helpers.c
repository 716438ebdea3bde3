// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "daemon/core/helpers.h"

/**
 * struct helpers - @jobs wait for a thread; @n of them run
 */
struct helpers {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct list jobs;
	bool stop;
	unsigned int n;
	pthread_t threads[];
};

/* NULL: it is time to end. */
static struct helper_job *next_job(struct helpers *h)
{
	struct list *at;

	pthread_mutex_lock(&h->lock);
	while (list_empty(&h->jobs) && !h->stop)
		pthread_cond_wait(&h->more, &h->lock);
	at = list_take(&h->jobs);
	pthread_mutex_unlock(&h->lock);
	return at ? list_entry(at, struct helper_job, mail.link) : NULL;
}

static void deliver_reply(struct mail *m, void *ctx)
{
	struct helper_job *job = list_entry(m, struct helper_job, mail);

	/* A worker waits for its jobs before it ends, so that it always hears of them. */
	(void)ctx;
	job->reply(job);
}

static void *helper_main(void *arg)
{
	struct helpers *h = arg;
	struct helper_job *job;

	while ((job = next_job(h))) {
		job->work(job);
		job->mail.deliver = deliver_reply;
		mailbox_post(job->reply_to, &job->mail);
	}
	return NULL;
}

int helpers_start(unsigned int n, struct helpers **ret_helpers)
{
	struct helpers *h = calloc(1, sizeof(*h) + n * sizeof(h->threads[0]));
	sigset_t all, before;
	int err = 0;

	if (!h)
		return -ENOMEM;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->more, NULL);
	list_init(&h->jobs);
	/* Signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (h->n < n && !err) {
		err = pthread_create(&h->threads[h->n], NULL, helper_main, h);
		h->n += !err;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err) {
		helpers_stop(h);
		return -err;
	}
	*ret_helpers = h;
	return 0;
}

void helpers_stop(struct helpers *h)
{
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_broadcast(&h->more);
	pthread_mutex_unlock(&h->lock);
	for (unsigned int i = 0; i < h->n; i++)
		pthread_join(h->threads[i], NULL);
	pthread_cond_destroy(&h->more);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

void helpers_submit(struct helpers *h, struct helper_job *job)
{
	pthread_mutex_lock(&h->lock);
	list_append(&h->jobs, &job->mail.link);
	pthread_cond_signal(&h->more);
	pthread_mutex_unlock(&h->lock);
}
