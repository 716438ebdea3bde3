// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "daemon/core/mailbox.h"

int mailbox_init(struct mailbox *mb)
{
	mb->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mb->fd < 0)
		return -errno;
	pthread_mutex_init(&mb->lock, NULL);
	list_init(&mb->letters);
	return 0;
}

void mailbox_destroy(struct mailbox *mb)
{
	mailbox_deliver(mb, NULL);
	pthread_mutex_destroy(&mb->lock);
	close(mb->fd);
}

void mailbox_post(struct mailbox *mb, struct mail *m)
{
	const uint64_t one = 1;
	bool first;

	pthread_mutex_lock(&mb->lock);
	first = list_empty(&mb->letters);
	list_append(&mb->letters, &m->link);
	/*
	 * Only the first letter rings: the receiver takes all at once. Inside
	 * the lock, so that it cannot take this letter and lose its bell. The
	 * counter cannot overflow, so that the write cannot fail.
	 */
	if (first && write(mb->fd, &one, sizeof(one)) < 0)
		errno = 0;
	pthread_mutex_unlock(&mb->lock);
}

void mailbox_deliver(struct mailbox *mb, void *ctx)
{
	struct list letters;
	struct list *at;
	uint64_t rung;

	list_init(&letters);
	pthread_mutex_lock(&mb->lock);
	list_move(&letters, &mb->letters);
	if (read(mb->fd, &rung, sizeof(rung)) < 0)
		errno = 0; /* nobody rang: there is no letter either */
	pthread_mutex_unlock(&mb->lock);

	while ((at = list_take(&letters))) {
		struct mail *m = list_entry(at, struct mail, link);

		m->deliver(m, ctx);
	}
}
