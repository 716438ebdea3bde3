// SPDX-License-Identifier: GPL-2.0
#include "sock_chain.h"

#include "log/record.h"
#include "partition.h"
#include "sock.h"
#include "sock_event.h"

#include <linux/mm.h>
#include <linux/slab.h>

#define CHAIN_ROOM_MIN	4096U

static struct sluice_chain *chain_new(struct sluice_partition *p)
{
	struct sluice_chain *chain = kzalloc(sizeof(*chain), GFP_KERNEL_ACCOUNT);

	if (!chain)
		return NULL;
	refcount_inc(&p->topic->ref);
	chain->topic = p->topic;
	chain->p = p;
	chain->size = SLUICE_BATCH_HEADER_LEN;
	INIT_LIST_HEAD(&chain->receipts);
	return chain;
}

static int chain_reserve(struct sluice_chain *chain, u32 size, u32 max_bytes)
{
	u32 room = clamp(2 * chain->room, CHAIN_ROOM_MIN, max_bytes);
	u8 *buf;

	if (size <= chain->room)
		return 0;
	room = max(room, size);
	buf = kvmalloc(room, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	if (chain->buf)
		memcpy(buf, chain->buf, chain->size);
	kvfree(chain->buf);
	chain->buf = buf;
	chain->room = room;
	return 0;
}

static int chain_write(struct sluice_sock *ssk, struct sluice_chain *chain,
		       const struct sluice_record_out *r, u32 max_bytes)
{
	s64 base = chain->count ? chain->base_timestamp : r->timestamp;
	struct sluice_record_size size = { .parts = sluice_record_parts_size(r) };
	s64 delta;
	int err;

	if (check_sub_overflow(r->timestamp, base, &delta))
		return sluice_sock_fail(ssk, -EINVAL, "the times of a chain are too far apart");
	sluice_record_size_at(&size, delta, chain->count);
	if (chain->size > max_bytes || size.whole > max_bytes - chain->size)
		return sluice_sock_fail(ssk, -EMSGSIZE,
					"a chain of %d records is larger than %u bytes",
					chain->count + 1, max_bytes);
	err = chain_reserve(chain, chain->size + size.whole, max_bytes);
	if (!err)
		err = sluice_record_write(chain->buf + chain->size, r, &size, delta, chain->count,
					  true);
	if (err)
		return err;
	chain->base_timestamp = base;
	chain->max_timestamp = chain->count ? max(chain->max_timestamp, r->timestamp) :
					      r->timestamp;
	chain->size += size.whole;
	chain->count++;
	return 0;
}

int sluice_chain_add(struct sluice_sock *ssk, struct sluice_partition *p,
		     const struct sluice_record_out *r, u32 max_bytes,
		     struct sluice_receipt *receipt)
{
	struct sluice_chain *chain = ssk->chain;
	int err;

	sock_owned_by_me(&ssk->sk);
	if (chain && chain->p != p)
		return sluice_sock_fail(ssk, -EINVAL,
					"a chain goes to one partition, %s-%u, not to %s-%u",
					chain->topic->name, chain->p->index, p->topic->name,
					p->index);
	if (!chain)
		chain = chain_new(p);
	if (!chain)
		return -ENOMEM;
	err = chain_write(ssk, chain, r, max_bytes);
	if (err) {
		if (!ssk->chain)
			sluice_chain_free(chain);
		return err;
	}
	if (receipt) {
		receipt->event.ev.offset = chain->count - 1;
		list_add_tail(&receipt->event.node, &chain->receipts);
	}
	WRITE_ONCE(ssk->chain, chain);
	return 0;
}

struct sluice_chain *sluice_chain_take(struct sluice_sock *ssk)
{
	struct sluice_chain *chain = ssk->chain;

	sock_owned_by_me(&ssk->sk);
	WRITE_ONCE(ssk->chain, NULL);
	return chain;
}

void sluice_chain_finish(struct sluice_chain *chain)
{
	struct sluice_batch b = {
		.size = chain->size,
		.leader_epoch = -1,
		.attributes = SLUICE_COMPRESSION_NONE,
		.last_offset_delta = chain->count - 1,
		.base_timestamp = chain->base_timestamp,
		.max_timestamp = chain->max_timestamp,
		.producer_id = -1,
		.producer_epoch = -1,
		.base_sequence = -1,
		.record_count = chain->count,
	};

	sluice_batch_write_header(chain->buf, &b);
}

void sluice_chain_free(struct sluice_chain *chain)
{
	struct sluice_receipt *r, *next;

	if (!chain)
		return;
	list_for_each_entry_safe(r, next, &chain->receipts, event.node) {
		list_del_init(&r->event.node);
		sluice_receipt_cancel(r);
	}
	kvfree(chain->buf);
	sluice_topic_put(chain->topic);
	kfree(chain);
}
