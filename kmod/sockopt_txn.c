// SPDX-License-Identifier: GPL-2.0
/*
 * Options that list what a partition's log knows of transactions and of who writes
 * them: for brokers, by topic id.
 */
#include "log/producer_state.h"
#include "partition.h"
#include "sockopt.h"

#include <linux/uaccess.h>

/* Room for one answer; who needs more asks for the rest. */
#define ABORTED_MAX	4096

/* Into the room behind the list, and then the list says how many there are. */
static int put_aborted(struct sluice_aborted_list *list, const struct sluice_aborted_txn *txns,
		       u32 n, char __user *optval, int __user *optlen)
{
	struct sluice_aborted_list __user *to = (void __user *)optval;
	u32 i;

	for (i = 0; i < n; i++) {
		struct sluice_aborted a = {
			.producer_id = txns[i].producer_id,
			.first_offset = txns[i].first_offset,
			.last_offset = txns[i].last_offset,
		};

		if (copy_to_user(&to->txns[i], &a, sizeof(a)))
			return -EFAULT;
	}
	if (copy_to_user(to, list, sizeof(*list)) ||
	    put_user((int)struct_size(list, txns, n), optlen))
		return -EFAULT;
	return 0;
}

static int find_aborted(struct sluice_sock *ssk, struct sluice_aborted_list *list,
			struct sluice_aborted_txn *txns, u32 room)
{
	struct sluice_log_query q;
	int err;

	err = sluice_log_query_begin(ssk, list->topic_id, list->partition, &q);
	if (err)
		return err;
	if (list->end_offset > sluice_log_last_stable_offset(q.p->log))
		err = -ERANGE;
	else
		err = sluice_log_aborted(q.p->log, list->offset, list->end_offset, txns, room,
					 &list->count);
	if (err == -ERANGE) {
		sluice_sock_fail(ssk, err,
				 "the range is not between log start and last stable offset");
	} else if (err) {
		sluice_sock_fail(ssk, err, "aborted transactions of %s-%u cannot be read",
				 q.topic->name, q.p->index);
		sluice_partition_check_log(q.p);
	}
	sluice_log_query_end(&q);
	return err;
}

int sluice_opt_get_aborted(struct sluice_sock *ssk, char __user *optval, int __user *optlen,
			   int len)
{
	struct sluice_aborted_txn *txns;
	struct sluice_aborted_list list;
	u32 room;
	int err;

	if (len < (int)sizeof(list) || (len - sizeof(list)) % sizeof(list.txns[0]))
		return sluice_sock_fail(ssk, -EINVAL,
					"%d bytes are no list of aborted transactions", len);
	if (copy_from_user(&list, optval, sizeof(list)))
		return -EFAULT;
	if (list.count || list.end_offset < list.offset)
		return sluice_sock_fail(ssk, -EINVAL,
					"a field of struct sluice_aborted_list is wrong");
	room = min_t(u32, (len - sizeof(list)) / sizeof(list.txns[0]), ABORTED_MAX);
	txns = kvmalloc_array(room, sizeof(*txns), GFP_KERNEL_ACCOUNT);
	if (!txns)
		return -ENOMEM;
	err = find_aborted(ssk, &list, txns, room);
	if (!err)
		err = put_aborted(&list, txns, min(list.count, room), optval, optlen);
	kvfree(txns);
	return err;
}

/**
 * struct producer_list - what is gathered while the log stands still
 * @producers: of @room elements
 * @room: as many as the caller can take
 * @count: how many producers there are, which may be more
 */
struct producer_list {
	struct sluice_active_producer *producers;
	u32 room;
	u32 count;
};

static int gather_producer(void *ctx, const struct sluice_producer_entry *e)
{
	struct producer_list *list = ctx;

	if (list->count < list->room)
		list->producers[list->count] = (struct sluice_active_producer){
			.producer_id = e->id,
			.last_timestamp = e->last_timestamp,
			.txn_start_offset = e->txn_first_offset,
			.last_sequence = e->last.last_sequence,
			.producer_epoch = e->epoch,
			.coordinator_epoch = e->coordinator_epoch,
		};
	list->count++;
	return 0;
}

static int gather_producers(struct sluice_sock *ssk, const struct sluice_active_producers *ap,
			    struct producer_list *list)
{
	struct sluice_log_query q;
	int err;

	err = sluice_log_query_begin(ssk, ap->topic_id, ap->partition, &q);
	if (err)
		return err;
	sluice_log_each_producer(q.p->log, gather_producer, list);
	sluice_log_query_end(&q);
	return 0;
}

static int put_producers(struct sluice_active_producers *ap, const struct producer_list *list,
			 char __user *optval, int __user *optlen)
{
	struct sluice_active_producers __user *to = (void __user *)optval;
	u32 n = min(list->count, list->room);

	ap->count = list->count;
	if (copy_to_user(to->producers, list->producers, n * sizeof(*list->producers)) ||
	    copy_to_user(to, ap, sizeof(*ap)) ||
	    put_user((int)struct_size(ap, producers, n), optlen))
		return -EFAULT;
	return 0;
}

int sluice_opt_get_active_producers(struct sluice_sock *ssk, char __user *optval,
				    int __user *optlen, int len)
{
	struct sluice_active_producers ap;
	struct producer_list list = {};
	int err;

	if (len < (int)sizeof(ap) || (len - sizeof(ap)) % sizeof(ap.producers[0]))
		return sluice_sock_fail(ssk, -EINVAL, "%d bytes are no list of producers", len);
	if (copy_from_user(&ap, optval, sizeof(ap)))
		return -EFAULT;
	if (ap.count)
		return sluice_sock_fail(ssk, -EINVAL,
					"a field of struct sluice_active_producers is wrong");
	list.room = min_t(u32, (len - sizeof(ap)) / sizeof(ap.producers[0]),
			  SLUICE_PRODUCERS_MAX);
	/* Not to user memory at once: that may fault, and appends wait meanwhile. */
	list.producers = kvmalloc_array(list.room, sizeof(*list.producers), GFP_KERNEL_ACCOUNT);
	if (!list.producers)
		return -ENOMEM;
	err = gather_producers(ssk, &ap, &list);
	if (!err)
		err = put_producers(&ap, &list, optval, optlen);
	kvfree(list.producers);
	return err;
}
