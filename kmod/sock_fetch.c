// SPDX-License-Identifier: GPL-2.0
/*
 * Receiving: from a cursor's place in the log to recvmsg(2), and poll(2).
 *
 * Bytes are copied from the page cache, or from the open batch, to the caller
 * under lock_sock(), which keeps the cursor still, but outside
 * sluice_partition_enter(): the segment or the batch is held by a reference, so
 * a slow page of the caller stops no one but itself.
 */
#include "pages.h"
#include "partition.h"
#include "sock_cmsg.h"
#include "sock_event.h"
#include "sock_net.h"

#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#define RECV_FLAGS	(MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL | \
			 MSG_CMSG_CLOEXEC | MSG_CMSG_COMPAT | MSG_WAITFORONE)

/* Is there a reason to stop waiting? Called without lock_sock(), too. */
static bool recv_ready(struct sluice_sock *ssk)
{
	bool ready;

	/* Locked: a cursor on its way to the end of the list is on it, too. */
	spin_lock(&ssk->ready_lock);
	ready = !list_empty(&ssk->ready);
	spin_unlock(&ssk->ready_lock);
	return ready || READ_ONCE(ssk->is_dead);
}

/*
 * Sleep until something may be there. lock_sock() is released meanwhile.
 * Return: 0 look again, -EAGAIN time is up, or what a signal asks for.
 */
static int recv_wait(struct sock *sk, long *timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	if (!*timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(*timeo);
	add_wait_queue(sk_sleep(sk), &wait);
	sk_wait_event(sk, timeo, recv_ready(sluice_sk(sk)), &wait);
	remove_wait_queue(sk_sleep(sk), &wait);
	return 0;
}

static void fill_name(const struct sluice_cursor *c, struct msghdr *msg)
{
	DECLARE_SOCKADDR(struct sockaddr_sluice *, addr, msg->msg_name);

	msg->msg_namelen = 0;
	if (addr)
		msg->msg_namelen = sluice_addr_fill(addr, c->p->topic, c->p->index);
}

/* Deliver the record, or the compressed batch, that the cursor settled on. */
static ssize_t deliver_record(struct sluice_cursor *c, struct msghdr *msg, size_t len, int flags)
{
	const struct sluice_place *at = &c->at;
	u64 pos = at->position;
	u64 size = at->batch.size;
	size_t want, got;
	int err;

	if (!(at->batch.attributes & SLUICE_BATCH_COMPRESSION_MASK)) {
		pos = at->record.value_pos;
		size = max(at->record.value_len, 0);
	}
	want = min_t(u64, len, size);
	got = sluice_cursor_copy(c, pos, want, &msg->msg_iter, &err);
	if (got < want)
		return err ?: -EFAULT;
	err = sluice_cmsg_put_record(c, msg);
	if (err == -EBADMSG)
		return sluice_cursor_skip_batch(c, "malformed header of a record");
	if (err)
		return err;
	fill_name(c, msg);
	msg->msg_flags |= MSG_EOR;
	if (want < size)
		msg->msg_flags |= MSG_TRUNC;
	if (!(flags & MSG_PEEK)) {
		sluice_cursor_count(c, sluice_cursor_record_offset(c), pos, size);
		sluice_cursor_advance_record(c);
	}
	return flags & MSG_TRUNC ? size : want;
}

static int recv_begin(struct sock *sk, int flags)
{
	if (flags & ~RECV_FLAGS)
		return sluice_sock_fail(sluice_sk(sk), -EOPNOTSUPP, "unknown flags %#x",
					flags & ~RECV_FLAGS);
	return 0;
}

int sluice_recvmsg_record(struct socket *sock, struct msghdr *msg, size_t len, int flags)
{
	struct sock *sk = sock->sk;
	struct sluice_sock *ssk = sluice_sk(sk);
	struct sluice_cursor *c;
	ssize_t ret;
	long timeo;

	if (flags & MSG_ERRQUEUE)
		return sluice_events_recv(sk, msg, len);
	ret = recv_begin(sk, flags);
	if (ret)
		return ret;

	lock_sock(sk);
	timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	do {
		ret = sluice_cursor_next(ssk, &c);
		if (ret > 0)
			ret = deliver_record(c, msg, len, flags);
		else if (!ret)
			ret = -EINPROGRESS;
		/* Of a cursor that failed or skipped: said now, not again. */
		if (ret < 0 && c && c->err)
			sluice_cursor_take_error(c);
		if (ret != -EINPROGRESS)
			break;
		ret = recv_wait(sk, &timeo);
	} while (!ret);
	release_sock(sk);

	if (ret > 0)
		sluice_count_received(sk, ret);
	return ret;
}

/* Copy from the batch at hand; what is peeked at ends with it. */
static ssize_t deliver_bytes(struct sluice_cursor *c, struct msghdr *msg, size_t len, int flags)
{
	size_t want = min_t(u64, len, sluice_cursor_batch_end(c) - c->at.read_pos);
	size_t got;
	int err;

	got = sluice_pages_copy(c->file, &c->ra, c->at.read_pos, want, &msg->msg_iter, &err);
	if (!got)
		return err ?: -EFAULT;
	if (!(flags & MSG_PEEK)) {
		sluice_cursor_count(c, c->at.batch.base_offset, c->at.read_pos, got);
		sluice_cursor_advance_bytes(c, got);
	}
	return got;
}

int sluice_recvmsg_stream(struct socket *sock, struct msghdr *msg, size_t len, int flags)
{
	struct sock *sk = sock->sk;
	struct sluice_sock *ssk = sluice_sk(sk);
	size_t copied = 0, target;
	struct sluice_cursor *c;
	ssize_t ret;
	long timeo;

	if (flags & MSG_ERRQUEUE)
		return sluice_events_recv(sk, msg, len);
	ret = recv_begin(sk, flags);
	if (ret)
		return ret;

	lock_sock(sk);
	msg->msg_namelen = 0;
	timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	target = sock_rcvlowat(sk, flags & MSG_WAITALL, min_t(size_t, len, INT_MAX));
	while (copied < len) {
		ret = sluice_cursor_next(ssk, &c);
		if (ret > 0) {
			ret = deliver_bytes(c, msg, len - copied, flags);
			if (ret > 0)
				copied += ret;
			if (ret < 0 || flags & MSG_PEEK)
				break;
			continue;
		}
		/* An error comes after the bytes before it, by itself. */
		if (ret < 0 && !copied)
			sluice_cursor_take_error(c);
		if (ret < 0 || copied >= target)
			break;
		ret = recv_wait(sk, &timeo);
		if (ret)
			break;
	}
	release_sock(sk);

	if (copied)
		sluice_count_received(sk, copied);
	return copied ?: ret;
}

/*
 * What the ready list promises may turn out to be nothing but control batches,
 * or less than SO_RCVLOWAT. A reader that was told to come must not find the
 * door shut, so this looks, and leaves what it found at hand for the reader.
 */
static bool poll_readable(struct sluice_sock *ssk)
{
	struct sock *sk = &ssk->sk;
	struct sluice_cursor *c;
	bool readable;
	int ret;

	if (!recv_ready(ssk))
		return false;
	lock_sock(sk);
	ret = sluice_cursor_next(ssk, &c);
	readable = ret != 0;
	if (ret > 0 && sk->sk_type == SOCK_STREAM && sk->sk_rcvlowat > 1) {
		bool sealed = sluice_segment_sealed(c->seg);
		u64 bytes = sluice_segment_published(c->seg) - c->at.read_pos;

		readable = sealed || bytes >= sk->sk_rcvlowat;
	}
	release_sock(sk);
	return readable;
}

__poll_t sluice_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait)
{
	struct sluice_sock *ssk = sluice_sk(sock->sk);
	__poll_t mask = 0;

	/* The waiter is in the queue before anything is looked at. */
	sock_poll_wait(file, sock, wait);

	if (sluice_events_pending(ssk))
		mask |= EPOLLERR;
	if (READ_ONCE(ssk->is_dead))
		mask |= EPOLLHUP | EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	else if (poll_readable(ssk))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(ssk->out.topic))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}
