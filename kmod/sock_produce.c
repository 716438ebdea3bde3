// SPDX-License-Identifier: GPL-2.0
/*
 * Sending: from a sendmsg(2) to sluice_partition_append().
 *
 * SOCK_SEQPACKET has one record encoded into the open batch. SOCK_STREAM takes
 * batches as they are: the engine writes them from the caller's memory
 * into the page cache, and checks what was stored, not what was given. Records
 * that MSG_MORE chains are gathered in memory (sock_chain.c), and are such a batch
 * in the end.
 */
#include "partition.h"
#include "partitioner.h"
#include "sock_chain.h"
#include "sock_cmsg.h"
#include "sock_event.h"
#include "sock_net.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sluice_netlink.h>
#include <linux/uio.h>

/* What a send may say. The kernel's own flags come with splice(2) into a socket. */
#define SEND_FLAGS	(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR | MSG_MORE | MSG_CMSG_COMPAT | \
			 MSG_BATCH | SEND_FLAGS_SPLICE)
#ifdef MSG_SENDPAGE_NOTLAST
#define SEND_FLAGS_SPLICE (MSG_SENDPAGE_NOTLAST | MSG_SENDPAGE_NOPOLICY | MSG_SPLICE_PAGES)
#else
#define SEND_FLAGS_SPLICE MSG_SPLICE_PAGES
#endif

/*
 * What each record goes through is inlined, for the frames of so many small
 * functions would cost as much as what they do.
 */

/**
 * struct produce - one send on its way
 * @ssk: the socket
 * @req: control messages
 * @target: where to, holds a reference
 * @p: which partition; @target's topic keeps it
 * @receipt: promised, or NULL
 * @bytes: that were appended
 * @first_offset: of what was appended; as the following, set with @bytes
 * @end_offset: behind what was appended
 * @generation: of the log when the first of it was
 * @timestamp: the log's stamp on it, or -1
 */
struct produce {
	struct sluice_sock *ssk;
	struct sluice_send_request req;
	struct sluice_target target;
	struct sluice_partition *p;
	struct sluice_receipt *receipt;
	u64 bytes;
	s64 first_offset;
	s64 end_offset;
	u64 generation;
	s64 timestamp;
};

static u32 choose_partition(const struct produce *pr)
{
	u32 count = sluice_topic_partition_count(pr->target.topic);

	if (pr->req.partition != SLUICE_PARTITION_ANY)
		return pr->req.partition;
	if (!count)
		return 0;
	if (pr->req.key_len >= 0)
		return sluice_partition_for_key(pr->req.key, pr->req.key_len, count);
	return pr->ssk->sticky % count;
}

static __always_inline int find_partition(struct produce *pr)
{
	struct sluice_target *t = &pr->target;
	bool checked;
	u32 index;

	if (t->p && pr->req.partition == SLUICE_PARTITION_ANY) {
		pr->p = t->p;
		return 0;
	}
	index = choose_partition(pr);
	pr->p = sluice_topic_partition_of(t->topic, index);
	if (!pr->p)
		return sluice_sock_fail(pr->ssk, -ENOENT, "%s has no partition %u",
					t->topic->name, index);
	/* A partition added, or chosen instead of the one named, was not asked for. */
	if (t->partition == SLUICE_PARTITION_ANY)
		checked = index < t->permitted;
	else
		checked = index == (u32)t->partition;
	return checked ? 0 : sluice_sock_permission(pr->ssk, pr->p, MAY_WRITE);
}

static __always_inline int find_target(struct produce *pr, struct msghdr *msg)
{
	struct sluice_sock *ssk = pr->ssk;
	int err;

	if (!msg->msg_name) {
		sluice_target_get(ssk, &ssk->out, &pr->target);
		if (unlikely(!pr->target.topic))
			return sluice_sock_fail(ssk, -EDESTADDRREQ,
						"neither connected nor addressed");
		return 0;
	}
	lock_sock(&ssk->sk);
	err = sluice_target_resolve(ssk, msg->msg_name, msg->msg_namelen, MAY_WRITE,
				    &pr->target);
	release_sock(&ssk->sk);
	return err;
}

static __always_inline int produce_begin(struct produce *pr, struct sluice_sock *ssk,
					 struct msghdr *msg)
{
	int err;

	pr->ssk = ssk;
	pr->receipt = NULL;
	pr->bytes = 0;
	if (msg->msg_flags & ~SEND_FLAGS)
		return sluice_sock_fail(ssk, -EOPNOTSUPP, "unknown flags %#x of a send",
					msg->msg_flags & ~SEND_FLAGS);
	err = sluice_cmsg_parse(ssk, msg, &pr->req);
	if (err)
		return err;
	err = find_target(pr, msg);
	if (err)
		goto err_request;
	err = find_partition(pr);
	if (err)
		goto err_target;
	if (pr->req.receipt.when == SLUICE_RECEIPT_NONE)
		return 0;
	pr->receipt = sluice_receipt_new(ssk, &pr->req.receipt);
	if (!IS_ERR(pr->receipt))
		return 0;
	err = PTR_ERR(pr->receipt);

err_target:
	sluice_target_put(&pr->target);
err_request:
	sluice_cmsg_release(&pr->req);
	return err;
}

static s64 log_start_offset(struct sluice_partition *p)
{
	s64 offset;

	if (sluice_partition_enter(p))
		return -1;
	offset = sluice_log_start_offset(p->log);
	sluice_partition_leave(p);
	return offset;
}

/* What the topic's durability makes of what was asked for. */
static bool waits_for_storage(const struct sluice_topic *topic, const struct sluice_receipt *r)
{
	switch (READ_ONCE(topic->durability)) {
	case SLUICE_DURABILITY_ALWAYS:
		return true;
	case SLUICE_DURABILITY_CACHE:
		return false;
	default:
		return r->when == SLUICE_RECEIPT_DURABLE;
	}
}

static void give_receipt(struct produce *pr, struct sluice_receipt *r, s64 offset)
{
	struct sluice_event *ev = &r->event.ev;

	ev->offset = offset;
	ev->timestamp = pr->timestamp;
	ev->log_start_offset = log_start_offset(pr->p);
	ev->partition = pr->p->index;
	memcpy(ev->topic_id, pr->target.topic->id, sizeof(ev->topic_id));
	if (waits_for_storage(pr->target.topic, r))
		sluice_receipt_durable(r, pr->p, pr->end_offset, pr->generation);
	else
		sluice_receipt_appended(r);
}

static __always_inline void produce_end(struct produce *pr)
{
	if (pr->receipt && pr->bytes)
		give_receipt(pr, pr->receipt, pr->first_offset);
	else if (pr->receipt)
		sluice_receipt_cancel(pr->receipt);
	if (pr->bytes)
		sluice_count_sent(&pr->ssk->sk, pr->bytes);
	sluice_target_put(&pr->target);
	sluice_cmsg_release(&pr->req);
}

static int append_error(struct produce *pr, int err, const char *why)
{
	return sluice_sock_fail(pr->ssk, err, "%s-%u: %s", pr->target.topic->name, pr->p->index,
				why ?: "the append failed");
}

/* Append the batch at the front of @iov. */
static inline int append_batch(struct produce *pr, struct iov_iter *iov)
{
	size_t before = iov_iter_count(iov);
	struct port_iter src;
	struct sluice_append a PORT_UNSET;
	size_t used;
	int err;

	port_iter_init(&src, iov);
	/* The engine sets all that comes out. */
	a.src = &src;
	a.as = READ_ONCE(pr->ssk->append_as);
	a.transaction_version = 0;
	a.why = NULL;
	err = sluice_partition_append(pr->p, &a);
	if (err) {
		append_error(pr, err, a.why);
		/* To a socket both are a header that is wrong. */
		return err == -EPROTONOSUPPORT ? -EINVAL : err;
	}
	/* A duplicate is not read to its end, but it was sent. */
	used = before - iov_iter_count(iov);
	if (used < a.size)
		iov_iter_advance(iov, a.size - used);
	if (!pr->bytes) {
		pr->first_offset = a.base_offset;
		pr->generation = a.generation;
	}
	pr->bytes += a.size;
	pr->end_offset = a.last_offset + 1;
	pr->timestamp = a.log_append_time;
	return 0;
}

/* The record of @msg, whose value @src is to be the source of. */
static __always_inline int make_record(struct produce *pr, struct msghdr *msg, size_t len, s64 now,
				       struct port_iter *src, struct sluice_record_out *ret)
{
	u32 max_bytes = min(READ_ONCE(pr->target.topic->config.max_message_bytes),
			    SLUICE_SOCK_RECORD_MAX);
	bool null_value = pr->req.flags & SLUICE_RECORD_NULL_VALUE;

	if (null_value && len)
		return sluice_sock_fail(pr->ssk, -EINVAL, "a null value has no data");
	if (len > max_bytes)
		return sluice_sock_fail(pr->ssk, -EMSGSIZE, "%zu bytes, the topic takes %u", len,
					max_bytes);
	port_iter_init(src, &msg->msg_iter);
	*ret = (struct sluice_record_out){
		.timestamp = pr->req.timestamp < 0 ? now : pr->req.timestamp,
		.key = pr->req.key,
		.key_len = pr->req.key_len,
		.value_len = null_value ? -1 : (s32)len,
		.headers = pr->req.headers,
		.header_count = pr->req.header_count,
		.value_src = null_value ? NULL : src,
	};
	return 0;
}

static __always_inline int send_record(struct produce *pr, struct msghdr *msg, size_t len)
{
	struct sluice_batching batching = {
		.linger_ms = READ_ONCE(pr->ssk->batching.linger_ms),
		.batch_bytes = READ_ONCE(pr->ssk->batching.batch_bytes),
	};
	struct sluice_append_record a PORT_UNSET;
	struct sluice_record_out out PORT_UNSET;
	s64 now = port_now_ms();
	struct port_iter src;
	int err;

	err = make_record(pr, msg, len, now, &src, &out);
	if (err)
		return err;
	/* The engine sets all that comes out. */
	a.record = &out;
	a.now = now;
	a.batching = batching.linger_ms < 0 && batching.batch_bytes < 0 ? NULL : &batching;
	a.why = NULL;
	err = sluice_partition_append_record(pr->p, &a);
	if (err)
		return append_error(pr, err, a.why);
	/* The engine mostly copies without taking, and sendmmsg(2) looks at what is left. */
	if (msg->msg_flags & MSG_BATCH)
		iov_iter_advance(&msg->msg_iter, iov_iter_count(&msg->msg_iter));
	pr->bytes = a.size;
	pr->first_offset = a.offset;
	pr->end_offset = a.offset + 1;
	pr->generation = a.generation;
	pr->timestamp = a.log_append_time;
	return 0;
}

/* Append a whole chain, and give the receipts that its records were promised. */
static int append_chain(struct produce *pr, struct sluice_chain *chain)
{
	struct sluice_receipt *r, *next;
	struct iov_iter iov;
	struct kvec vec;
	int err;

	sluice_chain_finish(chain);
	vec.iov_base = chain->buf;
	vec.iov_len = chain->size;
	iov_iter_kvec(&iov, ITER_SOURCE, &vec, 1, chain->size);
	err = append_batch(pr, &iov);
	if (err)
		return err;
	list_for_each_entry_safe(r, next, &chain->receipts, event.node) {
		list_del_init(&r->event.node);
		give_receipt(pr, r, pr->first_offset + r->event.ev.offset);
	}
	return 0;
}

/* One record of a chain. What fails ends the chain, and none of it is appended. */
static noinline int send_chained(struct produce *pr, struct msghdr *msg, size_t len)
{
	struct sluice_topic *topic = pr->target.topic;
	u32 max_bytes = min(READ_ONCE(topic->config.max_message_bytes), SLUICE_SOCK_RECORD_MAX);
	struct sluice_chain *chain = NULL;
	struct sluice_record_out out;
	struct port_iter src;
	int err;

	lock_sock(&pr->ssk->sk);
	err = make_record(pr, msg, len, port_now_ms(), &src, &out);
	if (!err)
		err = sluice_chain_add(pr->ssk, pr->p, &out, max_bytes, pr->receipt);
	if (!err)
		pr->receipt = NULL;
	if (err || !(msg->msg_flags & MSG_MORE))
		chain = sluice_chain_take(pr->ssk);
	release_sock(&pr->ssk->sk);

	/* Nobody else knows it now. */
	if (!err && chain)
		err = append_chain(pr, chain);
	sluice_chain_free(chain);
	return err;
}

/*
 * Does the record belong to a chain? What splice(2) says of more to come is not the
 * caller's word.
 */
static inline bool is_chained(struct sluice_sock *ssk, const struct msghdr *msg)
{
	return (msg->msg_flags & (MSG_MORE | SEND_FLAGS_SPLICE)) == MSG_MORE ||
	       unlikely(READ_ONCE(ssk->chain));
}

static void end_chain(struct sluice_sock *ssk)
{
	struct sluice_chain *chain;

	lock_sock(&ssk->sk);
	chain = sluice_chain_take(ssk);
	release_sock(&ssk->sk);
	sluice_chain_free(chain);
}

int sluice_sendmsg_record(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sluice_sock *ssk = sluice_sk(sock->sk);
	struct produce pr PORT_UNSET;
	int err;

	err = produce_begin(&pr, ssk, msg);
	if (err) {
		if (READ_ONCE(ssk->chain))
			end_chain(ssk);
		return err;
	}
	if (is_chained(ssk, msg))
		err = send_chained(&pr, msg, len);
	else
		err = send_record(&pr, msg, len);
	produce_end(&pr);
	return err ?: len;
}

void sluice_target_seal(struct sluice_sock *ssk, const struct sluice_target *t)
{
	u32 i, end;

	/* The topic's own time is short enough to be waited for by nobody. */
	if (!t->topic || READ_ONCE(ssk->batching.linger_ms) < 0)
		return;
	i = t->partition == SLUICE_PARTITION_ANY ? 0 : t->partition;
	end = t->partition == SLUICE_PARTITION_ANY ? sluice_topic_partition_count(t->topic) : i + 1;
	for (; i < end; i++) {
		struct sluice_partition *p = sluice_topic_partition_of(t->topic, i);

		/* What is gone was written when it went. */
		if (p && !sluice_partition_enter(p)) {
			if (sluice_partition_seal(p))
				sluice_sock_fail(ssk, -EIO, "%s-%u went offline", t->topic->name,
						 p->index);
			sluice_partition_leave(p);
		}
		cond_resched();
	}
}

int sluice_sendmsg_stream(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sluice_sock *ssk = sluice_sk(sock->sk);
	struct produce pr PORT_UNSET;
	int err;

	err = produce_begin(&pr, ssk, msg);
	if (err)
		return err;
	if (pr.req.key_len >= 0 || pr.req.header_count || pr.req.flags)
		err = sluice_sock_fail(ssk, -EINVAL, "batches have their keys and headers inside");

	while (!err && pr.bytes < len) {
		err = append_batch(&pr, &msg->msg_iter);
		if (signal_pending(current))
			break;
	}
	produce_end(&pr);
	return pr.bytes ?: err;
}
