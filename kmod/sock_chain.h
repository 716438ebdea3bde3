/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A chain: records sent with MSG_MORE, which are kept until one without it comes,
 * and then enter the log as one batch: all or none.
 */
#ifndef SLUICE_SOCK_CHAIN_H
#define SLUICE_SOCK_CHAIN_H

#include <linux/list.h>
#include <linux/types.h>

struct sluice_batch;
struct sluice_partition;
struct sluice_receipt;
struct sluice_record_out;
struct sluice_sock;
struct sluice_topic;

/**
 * struct sluice_chain - the records of a chain, encoded; lock_sock() while it is the
 *	socket's, then of whoever took it
 * @topic: holds a reference, which keeps @p
 * @p: the partition that all of them are for
 * @buf: a batch, whose header is written at the end
 * @size: bytes of it that are used
 * @room: bytes that there are
 * @count: records
 * @base_timestamp: of the first record, in milliseconds
 * @max_timestamp: largest of all
 * @receipts: struct sluice_receipt, by event.node; event.ev.offset is the record's
 *	place in the chain
 */
struct sluice_chain {
	struct sluice_topic *topic;
	struct sluice_partition *p;
	u8 *buf;
	u32 size;
	u32 room;
	s32 count;
	s64 base_timestamp;
	s64 max_timestamp;
	struct list_head receipts;
};

/**
 * sluice_chain_add() - put one record at the end of the socket's chain
 * @p: where it goes; the first record decides for all
 * @max_bytes: of the whole batch
 * @receipt: promised to the record, or NULL; the chain's when it returns 0
 * Context: lock_sock() held, the topic of @p held.
 * Return: 0; -EINVAL another partition; -EMSGSIZE; -ENOMEM; -EFAULT the value
 * could not be read. After a failure the chain is as before.
 */
int __must_check sluice_chain_add(struct sluice_sock *ssk, struct sluice_partition *p,
				  const struct sluice_record_out *r, u32 max_bytes,
				  struct sluice_receipt *receipt);

/** sluice_chain_take() - the socket has none any more. Context: lock_sock() held. */
struct sluice_chain *sluice_chain_take(struct sluice_sock *ssk);

/** sluice_chain_finish() - write the header: @buf is a whole batch of @size bytes. */
void sluice_chain_finish(struct sluice_chain *chain);

/** sluice_chain_free() - with the receipts that were not given; NULL is allowed. */
void sluice_chain_free(struct sluice_chain *chain);

#endif /* SLUICE_SOCK_CHAIN_H */
