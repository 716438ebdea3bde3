/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Filters of consuming sockets. The core keeps the program (SO_ATTACH_FILTER,
 * SO_ATTACH_BPF); this runs it over what a cursor settled on, as the view that
 * linux/sluice.h describes.
 */
#ifndef SLUICE_SOCK_FILTER_H
#define SLUICE_SOCK_FILTER_H

#include "sock.h"

/** sluice_filter_attached() - is there a program; may be called without any lock. */
static inline bool sluice_filter_attached(const struct sluice_sock *ssk)
{
	return rcu_access_pointer(ssk->sk.sk_filter);
}

/**
 * sluice_filter_begin() - make ready for runs of the filter
 * Needs lock_sock(), as all of these. Return: 0, or -ENOMEM.
 */
int __must_check sluice_filter_begin(struct sluice_sock *ssk);

/** sluice_filter_drop_page() - the cursor leaves the file it is in. */
void sluice_filter_drop_page(struct sluice_sock *ssk);

/** sluice_filter_end() - hold no page of a log any longer; the rest is kept. */
void sluice_filter_end(struct sluice_sock *ssk);

/**
 * sluice_filter_read_record() - sluice_record_read() of a cursor's file
 * Between begin and end it finds most records in the page it looked at last.
 */
int __must_check sluice_filter_read_record(struct sluice_cursor *c, u64 pos, u64 end,
					   struct sluice_record *ret_r);

/**
 * sluice_filter_run() - ask the filter about what the cursor settled on
 * A record; on a SOCK_STREAM, or where it is compressed, a batch.
 * Return: 1 it is to be delivered, 0 it is not, or an error of the file.
 */
int __must_check sluice_filter_run(struct sluice_cursor *c);

/** sluice_filter_free() - the socket ends. */
void sluice_filter_free(struct sluice_sock *ssk);

#endif /* SLUICE_SOCK_FILTER_H */
