// SPDX-License-Identifier: GPL-2.0
#include "partition.h"
#include "sock_event.h"
#include "sockopt.h"

#include <linux/capability.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

int sluice_opt_get(struct sluice_sock *ssk, void *dst, size_t size, sockptr_t optval,
		   unsigned int optlen)
{
	if (optlen != size)
		return sluice_sock_fail(ssk, -EINVAL, "the option has %zu bytes, not %u", size,
					optlen);
	return copy_from_sockptr(dst, optval, size) ? -EFAULT : 0;
}

int sluice_opt_array_count(struct sluice_sock *ssk, unsigned int optlen, size_t size)
{
	if (!optlen || optlen % size)
		return sluice_sock_fail(ssk, -EINVAL, "%u bytes are not an array of %zu each",
					optlen, size);
	if (optlen / size > SLUICE_SOCK_ARRAY_MAX)
		return sluice_sock_fail(ssk, -EMSGSIZE, "at most %u elements at once",
					SLUICE_SOCK_ARRAY_MAX);
	return optlen / size;
}

int sluice_opt_put(const void *value, int size, char __user *optval, int __user *optlen, int len)
{
	if (len < size)
		return -EINVAL;
	if (copy_to_user(optval, value, size))
		return -EFAULT;
	return put_user(size, optlen);
}

static int set_topic(struct sluice_sock *ssk, sockptr_t optval, unsigned int optlen)
{
	char name[SLUICE_TOPIC_NAME_MAX + 1] = {};
	char *copy;
	size_t len;

	if (!optlen || optlen > sizeof(name))
		return sluice_sock_fail(ssk, -EINVAL, "a topic's name has 1 to %u bytes",
					SLUICE_TOPIC_NAME_MAX);
	if (copy_from_sockptr(name, optval, optlen))
		return -EFAULT;
	len = strnlen(name, sizeof(name));
	/* One NUL at the end is welcome, none inside. */
	if (!len || len > SLUICE_TOPIC_NAME_MAX || len + 1 < optlen)
		return sluice_sock_fail(ssk, -EINVAL, "a topic's name has 1 to %u bytes, no NUL",
					SLUICE_TOPIC_NAME_MAX);
	copy = kstrdup(name, GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	lock_sock(&ssk->sk);
	swap(ssk->topic_name, copy);
	release_sock(&ssk->sk);
	kfree(copy);
	return 0;
}

static int set_start(struct sluice_sock *ssk, sockptr_t optval, unsigned int optlen)
{
	s64 start;
	int err;

	err = sluice_opt_get(ssk, &start, sizeof(start), optval, optlen);
	if (err)
		return err;
	if (!sluice_offset_valid(start))
		return sluice_sock_fail(ssk, -EINVAL, "offset %lld cannot be", start);
	lock_sock(&ssk->sk);
	ssk->start = start;
	release_sock(&ssk->sk);
	return 0;
}

static int set_receipts(struct sluice_sock *ssk, sockptr_t optval, unsigned int optlen)
{
	u32 when;
	int err;

	err = sluice_opt_get(ssk, &when, sizeof(when), optval, optlen);
	if (err)
		return err;
	if (when > SLUICE_RECEIPT_DURABLE)
		return sluice_sock_fail(ssk, -EINVAL, "receipts %u cannot be", when);
	WRITE_ONCE(ssk->receipts, when);
	return 0;
}

/* A number from @min to @max, or -1: what the topic says. */
static int set_batching(struct sluice_sock *ssk, s32 *field, s32 min, s32 max, sockptr_t optval,
			unsigned int optlen)
{
	s32 value;
	int err;

	err = sluice_opt_get(ssk, &value, sizeof(value), optval, optlen);
	if (err)
		return err;
	if (ssk->sk.sk_type == SOCK_STREAM)
		return sluice_sock_fail(ssk, -EOPNOTSUPP, "a SOCK_STREAM has batches of its own");
	if (value != -1 && (value < min || value > max))
		return sluice_sock_fail(ssk, -EINVAL, "%d is not between %d and %d, nor -1", value,
					min, max);
	WRITE_ONCE(*field, value);
	return 0;
}

/*
 * What a coordinator or a replica sends is believed more than what a client
 * sends, so that saying to be one needs the right to administer the logs.
 */
static int set_append_as(struct sluice_sock *ssk, sockptr_t optval, unsigned int optlen)
{
	u32 as;
	int err;

	err = sluice_opt_get(ssk, &as, sizeof(as), optval, optlen);
	if (err)
		return err;
	if (as > SLUICE_AS_REPLICA)
		return sluice_sock_fail(ssk, -EINVAL, "nobody appends as %u", as);
	if (as != SLUICE_AS_CLIENT && ssk->sk.sk_type != SOCK_STREAM)
		return sluice_sock_fail(ssk, -EOPNOTSUPP, "only a SOCK_STREAM has batches");
	if (as != SLUICE_AS_CLIENT && !ns_capable(sock_net(&ssk->sk)->user_ns, CAP_NET_ADMIN))
		return sluice_sock_fail(ssk, -EPERM, "only with CAP_NET_ADMIN");
	WRITE_ONCE(ssk->append_as, as);
	return 0;
}

/* The cursor of a topic's partition, or of its only one; else ERR_PTR, with error text. */
static struct sluice_cursor *find_cursor(struct sluice_sock *ssk, const u8 *topic_id,
					 s32 partition)
{
	struct sluice_cursor *c = sluice_cursor_topic_first(ssk, topic_id);
	struct sluice_cursor *next = c ? sluice_cursor_next_of(c) : NULL;
	int err = 0;

	if (READ_ONCE(ssk->is_dead))
		err = sluice_sock_fail(ssk, -ENODEV, "the topic was deleted");
	else if (!ssk->cursor_count)
		err = sluice_sock_fail(ssk, -ENOTCONN, "the socket reads nothing");
	else if (!c)
		err = sluice_sock_fail(ssk, -ENOENT, "the socket does not read this topic");
	else if (partition == SLUICE_PARTITION_ANY && next && next->topic == c->topic)
		err = sluice_sock_fail(ssk, -EINVAL, "name one of the partitions");
	if (err)
		return ERR_PTR(err);
	if (partition == SLUICE_PARTITION_ANY)
		return c;
	c = sluice_cursor_find(ssk, c->topic, partition);
	if (c)
		return c;
	return ERR_PTR(sluice_sock_fail(ssk, -ENOENT, "the socket does not read partition %d",
					partition));
}

static int seek_all(struct sluice_sock *ssk, const struct sluice_seek *seek)
{
	bool any_topic = !memchr_inv(seek->topic_id, 0, sizeof(seek->topic_id));
	struct sluice_cursor *c;
	int err = -ENOENT;

	if (seek->offset >= 0)
		return sluice_sock_fail(ssk, -EINVAL, "to seek to an offset, name the partition");
	if (!ssk->cursor_count)
		return sluice_sock_fail(ssk, -ENOTCONN, "the socket reads nothing");
	for (c = sluice_cursor_first(ssk); c; c = sluice_cursor_next_of(c)) {
		if (!any_topic && memcmp(c->topic->id, seek->topic_id, sizeof(seek->topic_id)))
			continue;
		err = sluice_cursor_seek(c, seek->offset);
		if (err)
			return err;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return err ? sluice_sock_fail(ssk, err, "the socket does not read this topic") : 0;
}

static int seek_locked(struct sluice_sock *ssk, const struct sluice_seek *seek)
{
	struct sluice_cursor *c;

	if (seek->partition == SLUICE_PARTITION_ANY)
		return seek_all(ssk, seek);
	c = find_cursor(ssk, seek->topic_id, seek->partition);
	return IS_ERR(c) ? PTR_ERR(c) : sluice_cursor_seek(c, seek->offset);
}

static int set_seek(struct sluice_sock *ssk, sockptr_t optval, unsigned int optlen)
{
	struct sluice_seek seek;
	int err;

	err = sluice_opt_get(ssk, &seek, sizeof(seek), optval, optlen);
	if (err)
		return err;
	if (seek.reserved || !sluice_offset_valid(seek.offset) ||
	    seek.partition < SLUICE_PARTITION_ANY)
		return sluice_sock_fail(ssk, -EINVAL, "a field of struct sluice_seek is wrong");
	lock_sock(&ssk->sk);
	err = seek_locked(ssk, &seek);
	/* For who waits on the socket meanwhile. */
	if (!err)
		ssk->sk.sk_data_ready(&ssk->sk);
	release_sock(&ssk->sk);
	return err;
}

/*
 * For an option that is an array of what fits @element: those before one that fails
 * are done.
 */
static int set_each(struct sluice_sock *ssk, sockptr_t optval, unsigned int optlen, void *element,
		    size_t size, int (*set)(struct sluice_sock *ssk, const void *element))
{
	int count, i, err;

	count = sluice_opt_array_count(ssk, optlen, size);
	if (count < 0)
		return count;
	for (i = 0; i < count; i++) {
		if (copy_from_sockptr_offset(element, optval, i * size, size))
			return -EFAULT;
		lock_sock(&ssk->sk);
		err = set(ssk, element);
		release_sock(&ssk->sk);
		if (err)
			return err;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int watch_one(struct sluice_sock *ssk, const void *element)
{
	return sluice_watch_set(ssk, element);
}

static int set_watch(struct sluice_sock *ssk, sockptr_t optval, unsigned int optlen)
{
	struct sluice_watch watch;

	return set_each(ssk, optval, optlen, &watch, sizeof(watch), watch_one);
}

static int assign_one(struct sluice_sock *ssk, const void *element)
{
	return sluice_assign(ssk, element);
}

static int set_assign(struct sluice_sock *ssk, sockptr_t optval, unsigned int optlen)
{
	struct sluice_assign req;

	return set_each(ssk, optval, optlen, &req, sizeof(req), assign_one);
}

static int set_isolation(struct sluice_sock *ssk, sockptr_t optval, unsigned int optlen)
{
	u32 isolation;
	int err;

	err = sluice_opt_get(ssk, &isolation, sizeof(isolation), optval, optlen);
	if (err)
		return err;
	lock_sock(&ssk->sk);
	err = sluice_sock_set_isolation(ssk, isolation);
	release_sock(&ssk->sk);
	return err;
}

int sluice_setsockopt(struct socket *sock, int level, int optname, sockptr_t optval,
		      unsigned int optlen)
{
	struct sluice_sock *ssk = sluice_sk(sock->sk);

	if (level != SOL_SLUICE)
		return -ENOPROTOOPT;
	switch (optname) {
	case SLUICE_TOPIC:
		return set_topic(ssk, optval, optlen);
	case SLUICE_START:
		return set_start(ssk, optval, optlen);
	case SLUICE_SEEK:
		return set_seek(ssk, optval, optlen);
	case SLUICE_RECEIPTS:
		return set_receipts(ssk, optval, optlen);
	case SLUICE_APPEND_AS:
		return set_append_as(ssk, optval, optlen);
	case SLUICE_LINGER:
		return set_batching(ssk, &ssk->batching.linger_ms, 0, SLUICE_LINGER_MAX, optval,
				    optlen);
	case SLUICE_BATCH_BYTES:
		return set_batching(ssk, &ssk->batching.batch_bytes, SLUICE_BATCH_BYTES_MIN,
				    SLUICE_BATCH_BYTES_MAX, optval, optlen);
	case SLUICE_WATCH:
		return set_watch(ssk, optval, optlen);
	case SLUICE_FLUSH:
		return sluice_opt_set_flush(ssk, optval, optlen);
	case SLUICE_ASSIGN:
		return set_assign(ssk, optval, optlen);
	case SLUICE_ISOLATION:
		return set_isolation(ssk, optval, optlen);
	default:
		return -ENOPROTOOPT;
	}
}

/* Give text, cut to what the caller has room for, with its NUL. */
static int put_text(const char *text, char __user *optval, int __user *optlen, int len)
{
	int n = strlen(text) + 1;

	if (len < 1)
		return -EINVAL;
	if (n > len)
		n = len;
	if (copy_to_user(optval, text, n - 1) || put_user('\0', optval + n - 1))
		return -EFAULT;
	return put_user(n, optlen);
}

static int get_topic(struct sluice_sock *ssk, char __user *optval, int __user *optlen, int len)
{
	char name[SLUICE_TOPIC_NAME_MAX + 1] = "";

	/* What was set; or else the topic in use, whose name may fit no address. */
	lock_sock(&ssk->sk);
	if (ssk->topic_name)
		strscpy(name, ssk->topic_name, sizeof(name));
	else if (ssk->in.topic)
		strscpy(name, ssk->in.topic->name, sizeof(name));
	else if (ssk->out.topic)
		strscpy(name, ssk->out.topic->name, sizeof(name));
	release_sock(&ssk->sk);
	return put_text(name, optval, optlen, len);
}

static int get_error_text(struct sluice_sock *ssk, char __user *optval, int __user *optlen, int len)
{
	char text[SLUICE_ERROR_TEXT_MAX];

	spin_lock(&ssk->text_lock);
	strscpy(text, ssk->error_text, sizeof(text));
	spin_unlock(&ssk->text_lock);
	return put_text(text, optval, optlen, len);
}

static int get_start(struct sluice_sock *ssk, char __user *optval, int __user *optlen, int len)
{
	s64 start;

	lock_sock(&ssk->sk);
	start = ssk->start;
	release_sock(&ssk->sk);
	return sluice_opt_put(&start, sizeof(start), optval, optlen, len);
}

static int position_locked(struct sluice_sock *ssk, struct sluice_position *pos)
{
	struct sluice_cursor *c;
	int err;

	c = find_cursor(ssk, pos->topic_id, pos->partition);
	if (IS_ERR(c))
		return PTR_ERR(c);
	err = sluice_partition_enter(c->p);
	if (err)
		return sluice_sock_fail(ssk, err, "the topic was deleted");
	memcpy(pos->topic_id, c->topic->id, sizeof(pos->topic_id));
	pos->partition = c->p->index;
	pos->offset = c->at.next_offset;
	pos->log_start_offset = sluice_log_start_offset(c->p->log);
	pos->high_watermark = sluice_log_high_watermark(c->p->log);
	pos->log_end_offset = sluice_log_end_offset(c->p->log);
	pos->last_stable_offset = sluice_log_last_stable_offset(c->p->log);
	sluice_partition_leave(c->p);
	return 0;
}

static int get_position(struct sluice_sock *ssk, char __user *optval, int __user *optlen, int len)
{
	struct sluice_position pos;
	int err;

	if (len != sizeof(pos))
		return sluice_sock_fail(ssk, -EINVAL, "the option has %zu bytes, not %d",
					sizeof(pos), len);
	if (copy_from_user(&pos, optval, sizeof(pos)))
		return -EFAULT;
	if (pos.reserved || pos.partition < SLUICE_PARTITION_ANY)
		return sluice_sock_fail(ssk, -EINVAL, "a field of struct sluice_position is wrong");
	lock_sock(&ssk->sk);
	err = position_locked(ssk, &pos);
	release_sock(&ssk->sk);
	if (err)
		return err;
	return sluice_opt_put(&pos, sizeof(pos), optval, optlen, len);
}

int sluice_getsockopt(struct socket *sock, int level, int optname, char __user *optval,
		      int __user *optlen)
{
	struct sluice_sock *ssk = sluice_sk(sock->sk);
	u32 value;
	int len;

	if (level != SOL_SLUICE)
		return -ENOPROTOOPT;
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	switch (optname) {
	case SLUICE_TOPIC:
		return get_topic(ssk, optval, optlen, len);
	case SLUICE_START:
		return get_start(ssk, optval, optlen, len);
	case SLUICE_POSITION:
		return get_position(ssk, optval, optlen, len);
	case SLUICE_RECEIPTS:
		value = READ_ONCE(ssk->receipts);
		return sluice_opt_put(&value, sizeof(value), optval, optlen, len);
	case SLUICE_APPEND_AS:
		value = READ_ONCE(ssk->append_as);
		return sluice_opt_put(&value, sizeof(value), optval, optlen, len);
	case SLUICE_LINGER:
		value = READ_ONCE(ssk->batching.linger_ms);
		return sluice_opt_put(&value, sizeof(value), optval, optlen, len);
	case SLUICE_BATCH_BYTES:
		value = READ_ONCE(ssk->batching.batch_bytes);
		return sluice_opt_put(&value, sizeof(value), optval, optlen, len);
	case SLUICE_ISOLATION:
		value = READ_ONCE(ssk->read_committed) ? SLUICE_READ_COMMITTED :
							 SLUICE_READ_UNCOMMITTED;
		return sluice_opt_put(&value, sizeof(value), optval, optlen, len);
	case SLUICE_FETCH:
		return sluice_opt_get_fetch(ssk, optval, len);
	case SLUICE_ERROR_TEXT:
		return get_error_text(ssk, optval, optlen, len);
	case SLUICE_OFFSET_FOR_TIME:
		return sluice_opt_get_offset_for_time(ssk, optval, optlen, len);
	case SLUICE_EPOCH_END:
		return sluice_opt_get_epoch_end(ssk, optval, optlen, len);
	case SLUICE_MAX_TIMESTAMP:
		return sluice_opt_get_max_timestamp(ssk, optval, optlen, len);
	case SLUICE_ABORTED:
		return sluice_opt_get_aborted(ssk, optval, optlen, len);
	case SLUICE_ACTIVE_PRODUCERS:
		return sluice_opt_get_active_producers(ssk, optval, optlen, len);
	default:
		return -ENOPROTOOPT;
	}
}
