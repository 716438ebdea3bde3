/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads that compute for the workers what takes too long for a thread that
 * has other connections to serve. Jobs are taken in the order they came.
 */
#ifndef SLUICE_CORE_HELPERS_H
#define SLUICE_CORE_HELPERS_H

#include "daemon/core/mailbox.h"

struct helpers;

/**
 * struct helper_job - part of something bigger, which lives until @reply
 * @work: done by one of the threads
 * @reply: called in the thread that reads the mailbox @reply_to
 * @mail: private
 */
struct helper_job {
	void (*work)(struct helper_job *job);
	void (*reply)(struct helper_job *job);
	struct mailbox *reply_to;
	struct mail mail;
};

/** helpers_start - @n threads; 0 or -errno */
int helpers_start(unsigned int n, struct helpers **ret_helpers);

/** helpers_stop - all jobs were replied to: nobody waits for one any more */
void helpers_stop(struct helpers *h);

/** helpers_submit - from any thread; cannot fail */
void helpers_submit(struct helpers *h, struct helper_job *job);

#endif /* SLUICE_CORE_HELPERS_H */
