// SPDX-License-Identifier: GPL-2.0
/*
 * Sending: from a sendmsg(2) to sluice_partition_append().
 *
 * SOCK_SEQPACKET has one record encoded into the open batch. SOCK_STREAM takes
 * batches as they are: the engine writes them from the caller's memory
 * into the page cache, and checks what was stored, not what was given.
 */
#include "partition.h"
#include "partitioner.h"
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
	pr->receipt = sluice_receipt_new(ssk, pr->req.receipt.cookie);
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
static bool waits_for_storage(const struct produce *pr)
{
	switch (READ_ONCE(pr->target.topic->durability)) {
	case SLUICE_DURABILITY_ALWAYS:
		return true;
	case SLUICE_DURABILITY_CACHE:
		return false;
	default:
		return pr->req.receipt.when == SLUICE_RECEIPT_DURABLE;
	}
}

static void give_receipt(struct produce *pr)
{
	struct sluice_event *ev = &pr->receipt->event.ev;

	ev->offset = pr->first_offset;
	ev->timestamp = pr->timestamp;
	ev->log_start_offset = log_start_offset(pr->p);
	ev->partition = pr->p->index;
	memcpy(ev->topic_id, pr->target.topic->id, sizeof(ev->topic_id));
	if (waits_for_storage(pr))
		sluice_receipt_durable(pr->receipt, pr->p, pr->end_offset, pr->generation);
	else
		sluice_receipt_appended(pr->receipt);
}

static __always_inline void produce_end(struct produce *pr)
{
	if (pr->receipt && pr->bytes)
		give_receipt(pr);
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

/* Append the batch at the front of @iov, which has at least @size bytes. */
static int append_batch(struct produce *pr, struct iov_iter *iov)
{
	size_t before = iov_iter_count(iov);
	struct port_iter src;
	struct sluice_append a = { .src = &src, .as = READ_ONCE(pr->ssk->append_as) };
	size_t used;
	int err;

	port_iter_init(&src, iov);
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

static __always_inline int send_record(struct produce *pr, struct msghdr *msg, size_t len)
{
	u32 max_bytes = min(READ_ONCE(pr->target.topic->config.max_message_bytes),
			    SLUICE_SOCK_RECORD_MAX);
	bool null_value = pr->req.flags & SLUICE_RECORD_NULL_VALUE;
	s64 now = port_now_ms();
	struct port_iter src;
	struct sluice_record_out out = {
		.timestamp = pr->req.timestamp < 0 ? now : pr->req.timestamp,
		.key = pr->req.key,
		.key_len = pr->req.key_len,
		.value_len = null_value ? -1 : (s32)len,
		.headers = pr->req.headers,
		.header_count = pr->req.header_count,
		.value_src = null_value ? NULL : &src,
	};
	struct sluice_append_record a;
	int err;

	if (null_value && len)
		return sluice_sock_fail(pr->ssk, -EINVAL, "a null value has no data");
	if (len > max_bytes)
		return sluice_sock_fail(pr->ssk, -EMSGSIZE, "%zu bytes, the topic takes %u", len,
					max_bytes);
	port_iter_init(&src, &msg->msg_iter);
	/* The engine sets all that comes out. */
	a.record = &out;
	a.now = now;
	a.why = NULL;
	err = sluice_partition_append_record(pr->p, &a);
	if (err)
		return append_error(pr, err, a.why);
	pr->bytes = a.size;
	pr->first_offset = a.offset;
	pr->end_offset = a.offset + 1;
	pr->generation = a.generation;
	pr->timestamp = a.log_append_time;
	return 0;
}

int sluice_sendmsg_record(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct produce pr;
	int err;

	err = produce_begin(&pr, sluice_sk(sock->sk), msg);
	if (err)
		return err;
	err = send_record(&pr, msg, len);
	produce_end(&pr);
	return err ?: len;
}

/* Is there a whole batch at the front? Its size, or -errno. */
static ssize_t peek_batch(struct produce *pr, const struct iov_iter *from)
{
	u32 max_bytes = READ_ONCE(pr->target.topic->config.max_message_bytes);
	u8 hdr[SLUICE_BATCH_HEADER_LEN];
	struct iov_iter it = *from;
	struct sluice_batch b;
	int err;

	if (iov_iter_count(&it) < sizeof(hdr))
		return sluice_sock_fail(pr->ssk, -EINVAL, "the data ends inside a batch header");
	if (!copy_from_iter_full(hdr, sizeof(hdr), &it))
		return -EFAULT;
	err = sluice_batch_parse(hdr, max_bytes, &b);
	if (err == -EMSGSIZE)
		return sluice_sock_fail(pr->ssk, err, "the batch is larger than %u bytes",
					max_bytes);
	if (err)
		return sluice_sock_fail(pr->ssk, -EINVAL, "what was sent is not a batch");
	if (b.size > iov_iter_count(from))
		return sluice_sock_fail(pr->ssk, -EINVAL, "the data ends inside a batch");
	return b.size;
}

int sluice_sendmsg_stream(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sluice_sock *ssk = sluice_sk(sock->sk);
	struct produce pr;
	int err;

	err = produce_begin(&pr, ssk, msg);
	if (err)
		return err;
	if (pr.req.key_len >= 0 || pr.req.header_count || pr.req.flags)
		err = sluice_sock_fail(ssk, -EINVAL, "batches have their keys and headers inside");

	while (!err && pr.bytes < len) {
		ssize_t size = peek_batch(&pr, &msg->msg_iter);

		err = size < 0 ? size : append_batch(&pr, &msg->msg_iter);
		if (err || signal_pending(current))
			break;
	}
	produce_end(&pr);
	return pr.bytes ?: err;
}
