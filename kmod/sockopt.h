/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SLUICE_SOCKOPT_H
#define SLUICE_SOCKOPT_H

#include "sock.h"

/** sluice_opt_get() - an option of exactly @size bytes; -EINVAL, -EFAULT. */
int __must_check sluice_opt_get(struct sluice_sock *ssk, void *dst, size_t size,
				sockptr_t optval, unsigned int optlen);

/** sluice_opt_put() - a value of @size bytes into @len bytes of room. */
int __must_check sluice_opt_put(const void *value, int size, char __user *optval,
				int __user *optlen, int len);

/** sluice_opt_array_count() - elements of @size in @optlen bytes, or -errno. */
int __must_check sluice_opt_array_count(struct sluice_sock *ssk, unsigned int optlen, size_t size);

/* sockopt_log.c */
int sluice_opt_set_flush(struct sluice_sock *ssk, sockptr_t optval, unsigned int optlen);
int sluice_opt_get_fetch(struct sluice_sock *ssk, char __user *optval, int len);
int sluice_opt_get_offset_for_time(struct sluice_sock *ssk, char __user *optval,
				   int __user *optlen, int len);
int sluice_opt_get_epoch_end(struct sluice_sock *ssk, char __user *optval, int __user *optlen,
			     int len);
int sluice_opt_get_max_timestamp(struct sluice_sock *ssk, char __user *optval,
				 int __user *optlen, int len);

/**
 * struct sluice_log_query - a partition that a question is about
 * @topic: holds a reference
 * @p: one of its partitions; holds a reference, too, and is entered
 */
struct sluice_log_query {
	struct sluice_topic *topic;
	struct sluice_partition *p;
};

/** sluice_log_query_begin() - -ENOENT, -EACCES; else sluice_log_query_end() must follow */
int __must_check sluice_log_query_begin(struct sluice_sock *ssk, const u8 *topic_id,
					s32 partition, struct sluice_log_query *ret);
void sluice_log_query_end(struct sluice_log_query *q);

/* sockopt_txn.c */
int sluice_opt_get_aborted(struct sluice_sock *ssk, char __user *optval, int __user *optlen,
			   int len);
int sluice_opt_get_active_producers(struct sluice_sock *ssk, char __user *optval,
				    int __user *optlen, int len);

#endif /* SLUICE_SOCKOPT_H */
