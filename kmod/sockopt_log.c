// SPDX-License-Identifier: GPL-2.0
/*
 * Options that ask or tell a partition's log something, whatever the socket is
 * bound to: the broker's way to find what a fetch wants, by topic id.
 */
#include "file_io.h"
#include "flush.h"
#include "partition.h"
#include "sockopt.h"

#include <linux/sched/signal.h>
#include <linux/uaccess.h>

static int flush_partition(struct sluice_sock *ssk, struct sluice_topic *topic, u32 index)
{
	struct sluice_partition *p = sluice_topic_partition(topic, index);
	int err;

	if (!p)
		return sluice_sock_fail(ssk, -ENOENT, "%s has no partition %u", topic->name, index);
	err = sluice_sock_permission(ssk, p, MAY_WRITE);
	if (!err)
		err = sluice_flush_wait(p);
	sluice_partition_put(p);
	return err;
}

int sluice_opt_set_flush(struct sluice_sock *ssk, sockptr_t optval, unsigned int optlen)
{
	struct sluice_target target = {};
	struct sluice_flush flush;
	u32 first, end, i;
	int err;

	err = sluice_opt_get(ssk, &flush, sizeof(flush), optval, optlen);
	if (err)
		return err;
	if (flush.reserved || flush.partition < SLUICE_PARTITION_ANY)
		return sluice_sock_fail(ssk, -EINVAL, "a field of struct sluice_flush is wrong");
	if (memchr_inv(flush.topic_id, 0, sizeof(flush.topic_id))) {
		target.topic = sluice_topic_find_id(sock_net(&ssk->sk), flush.topic_id);
		if (!target.topic)
			return sluice_sock_fail(ssk, -ENOENT, "no topic of that id");
	} else {
		sluice_target_get(ssk, &ssk->out, &target);
		if (!target.topic)
			return sluice_sock_fail(ssk, -EDESTADDRREQ,
						"neither connected nor addressed");
	}

	first = flush.partition == SLUICE_PARTITION_ANY ? 0 : flush.partition;
	end = flush.partition == SLUICE_PARTITION_ANY ?
		sluice_topic_partition_count(target.topic) : first + 1;
	for (i = first; i < end && !err; i++)
		err = flush_partition(ssk, target.topic, i);
	sluice_target_put(&target);
	return err;
}

#define FETCH_FLAGS	(SLUICE_FETCH_MIN_ONE | SLUICE_FETCH_COMMITTED | SLUICE_FETCH_LOG_END)

static bool fetch_flags_valid(u32 flags)
{
	const u32 both = SLUICE_FETCH_COMMITTED | SLUICE_FETCH_LOG_END;

	return !(flags & ~FETCH_FLAGS) && (flags & both) != both;
}

static unsigned int log_fetch_flags(u32 flags)
{
	unsigned int ret = 0;

	if (flags & SLUICE_FETCH_MIN_ONE)
		ret |= SLUICE_FETCH_WHOLE_FIRST;
	if (flags & SLUICE_FETCH_COMMITTED)
		ret |= SLUICE_FETCH_TO_STABLE;
	if (flags & SLUICE_FETCH_LOG_END)
		ret |= SLUICE_FETCH_TO_LOG_END;
	return ret;
}

static int fetch_range(struct sluice_partition *p, struct sluice_fetch *f)
{
	struct sluice_range range;
	int err;

	f->log_start_offset = sluice_log_start_offset(p->log);
	f->log_end_offset = sluice_log_end_offset(p->log);
	f->high_watermark = sluice_log_high_watermark(p->log);
	f->last_stable_offset = sluice_log_last_stable_offset(p->log);
	if (READ_ONCE(p->error))
		return -EIO;
	err = sluice_log_fetch(p->log, f->offset, f->max_bytes, log_fetch_flags(f->flags), &range);
	if (err) {
		sluice_partition_check_log(p);
		return err;
	}

	f->leader_epoch = sluice_log_leader_epoch(p->log);
	f->bytes = range.bytes;
	if (!range.seg)
		return 0;
	/* The caller opens it by its name, which a roll just now may not have given. */
	err = sluice_segment_ensure_named(p->log, range.seg);
	if (err) {
		sluice_segment_put(range.seg);
		return err;
	}
	f->segment_base_offset = range.segment_base_offset;
	f->position = range.position;
	f->end_offset = range.end_offset;
	f->inode = file_inode(sluice_file(range.file))->i_ino;
	sluice_stats_fetch(&p->stats, range.bytes);
	/* The file is found by its name; the reference was for the look-up. */
	sluice_segment_put(range.seg);
	return 0;
}

static void fetch_one(struct sluice_sock *ssk, struct sluice_fetch *f)
{
	struct sluice_partition *p;
	struct sluice_topic *topic;

	f->segment_base_offset = -1;
	f->position = -1;
	f->bytes = 0;
	f->leader_epoch = -1;
	f->log_start_offset = -1;
	f->high_watermark = -1;
	f->last_stable_offset = -1;
	f->log_end_offset = -1;
	f->inode = 0;
	f->end_offset = -1;
	if (!fetch_flags_valid(f->flags)) {
		f->error = -EINVAL;
		return;
	}
	f->error = sluice_partition_find(ssk, f->topic_id, f->partition, MAY_READ, &topic, &p);
	if (f->error)
		return;
	if (!sluice_partition_enter(p)) {
		f->error = fetch_range(p, f);
		sluice_partition_leave(p);
	} else {
		/* Deleted between the look-up and here: as if never found. */
		f->error = -ENOENT;
	}
	sluice_partition_put(p);
	sluice_topic_put(topic);
}

int sluice_opt_get_fetch(struct sluice_sock *ssk, char __user *optval, int len)
{
	struct sluice_fetch f;
	int count, i;

	count = sluice_opt_array_count(ssk, len, sizeof(f));
	if (count < 0)
		return count;
	for (i = 0; i < count; i++) {
		char __user *at = optval + i * sizeof(f);

		if (copy_from_user(&f, at, sizeof(f)))
			return -EFAULT;
		fetch_one(ssk, &f);
		if (copy_to_user(at, &f, sizeof(f)))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

int sluice_log_query_begin(struct sluice_sock *ssk, const u8 *topic_id, s32 partition,
			   struct sluice_log_query *ret)
{
	int err;

	err = sluice_partition_find(ssk, topic_id, partition, MAY_READ, &ret->topic, &ret->p);
	if (err)
		return err;
	err = sluice_partition_enter(ret->p);
	if (!err)
		return 0;
	sluice_partition_put(ret->p);
	sluice_topic_put(ret->topic);
	return sluice_sock_fail(ssk, -ENOENT, "the topic was deleted");
}

void sluice_log_query_end(struct sluice_log_query *q)
{
	sluice_partition_leave(q->p);
	sluice_partition_put(q->p);
	sluice_topic_put(q->topic);
}

static int get_time(struct sluice_sock *ssk, char __user *optval, int __user *optlen, int len,
		    bool largest)
{
	struct sluice_offset_for_time oft;
	struct sluice_log_query q;
	int err;

	if (len != sizeof(oft))
		return sluice_sock_fail(ssk, -EINVAL, "the option has %zu bytes, not %d",
					sizeof(oft), len);
	if (copy_from_user(&oft, optval, sizeof(oft)))
		return -EFAULT;
	if (oft.reserved)
		return sluice_sock_fail(ssk, -EINVAL, "a reserved field is set");
	err = sluice_log_query_begin(ssk, oft.topic_id, oft.partition, &q);
	if (err)
		return err;
	if (largest)
		err = sluice_log_max_timestamp(q.p->log, &oft.offset, &oft.timestamp);
	else
		err = sluice_log_offset_for_time(q.p->log, oft.timestamp, &oft.offset,
						 &oft.timestamp);
	if (err) {
		sluice_sock_fail(ssk, err, "the time index of %s-%u cannot be read",
				 q.topic->name, q.p->index);
		sluice_partition_check_log(q.p);
	}
	sluice_log_query_end(&q);
	return err ?: sluice_opt_put(&oft, sizeof(oft), optval, optlen, len);
}

int sluice_opt_get_offset_for_time(struct sluice_sock *ssk, char __user *optval,
				   int __user *optlen, int len)
{
	return get_time(ssk, optval, optlen, len, false);
}

int sluice_opt_get_max_timestamp(struct sluice_sock *ssk, char __user *optval,
				 int __user *optlen, int len)
{
	return get_time(ssk, optval, optlen, len, true);
}

int sluice_opt_get_epoch_end(struct sluice_sock *ssk, char __user *optval, int __user *optlen,
			     int len)
{
	struct sluice_epoch_end end;
	struct sluice_log_query q;
	int err;

	if (len != sizeof(end))
		return sluice_sock_fail(ssk, -EINVAL, "the option has %zu bytes, not %d",
					sizeof(end), len);
	if (copy_from_user(&end, optval, sizeof(end)))
		return -EFAULT;
	err = sluice_log_query_begin(ssk, end.topic_id, end.partition, &q);
	if (err)
		return err;
	sluice_log_epoch_end(q.p->log, end.leader_epoch, &end.leader_epoch, &end.end_offset);
	sluice_log_query_end(&q);
	return sluice_opt_put(&end, sizeof(end), optval, optlen, len);
}
