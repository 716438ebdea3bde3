/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mailboxes: the only way one thread hands work to another.
 *
 * A letter is owned by its sender until it is posted, and by the receiver from
 * then on: who may touch what is readable from who holds the letter.
 */
#ifndef SLUICE_CORE_MAILBOX_H
#define SLUICE_CORE_MAILBOX_H

#include <pthread.h>

#include "daemon/core/list.h"

/**
 * struct mail - a letter; part of a bigger struct
 * @link: private
 * @deliver: called in the receiver's thread with the receiver's context; owns
 *	the letter from then on. @ctx is NULL if the receiver shut down without
 *	reading it: free what it holds
 */
struct mail {
	struct list link;
	void (*deliver)(struct mail *m, void *ctx);
};

struct mailbox {
	pthread_mutex_t lock;
	struct list letters;
	int fd;
};

/** mailbox_init - 0 or -errno */
int mailbox_init(struct mailbox *mb);

/** mailbox_destroy - nobody posts any more; undelivered letters get a NULL context */
void mailbox_destroy(struct mailbox *mb);

/** mailbox_fd - readable while there are letters */
static inline int mailbox_fd(const struct mailbox *mb)
{
	return mb->fd;
}

/** mailbox_post - from any thread; cannot fail */
void mailbox_post(struct mailbox *mb, struct mail *m);

/** mailbox_deliver - deliver, in order of posting, all letters that are there now */
void mailbox_deliver(struct mailbox *mb, void *ctx);

#endif /* SLUICE_CORE_MAILBOX_H */
