// SPDX-License-Identifier: GPL-2.0
/*
 * One work item for each partition, so that one that waits for its storage does
 * not hold the answers of another; and one queue for each data directory, for a
 * queue runs only so many items at a time, and the disk that is slow must not
 * have them all. The item takes the requests that are there, syncs once, answers
 * them, and goes on as long as more have come meanwhile: what was appended
 * before the sync began is on stable storage after it.
 */

#include "flush.h"

#include "data_dir.h"
#include "partition.h"
#include "trace.h"

#include <linux/completion.h>
#include <linux/sluice_netlink.h>

/* Queue the work; the reference is put at its end. */
static void queue(struct sluice_partition *p)
{
	sluice_partition_hold(p);
	if (!queue_work(p->flush.wq, &p->flush.work))
		sluice_partition_put(p);
}

/*
 * @requests is emptied one by one under the lock, because sluice_flush_wait()
 * may take its own request back at any time, and a truncation those it concerns.
 */
static void answer(struct sluice_flush_state *fs, struct list_head *requests,
		   s64 recovery_point, int err)
{
	struct sluice_durable *d;

	for (;;) {
		spin_lock(&fs->lock);
		d = list_first_entry_or_null(requests, struct sluice_durable, node);
		if (d)
			list_del_init(&d->node);
		spin_unlock(&fs->lock);
		if (!d)
			return;
		/* An offset that was never appended cannot be made durable. */
		d->done(d, err ?: d->offset > recovery_point ? -EINVAL : 0);
		cond_resched();
	}
}

static int flush(struct sluice_partition *p, s64 *ret_recovery_point)
{
	int err;

	*ret_recovery_point = 0;
	down_read(&p->users);
	/* A dead partition is still flushed, until drain has done it for the last time. */
	if (!p->log) {
		*ret_recovery_point = S64_MAX;
		err = p->flush.drain_err;
		goto out;
	}
	err = sluice_log_flush(p->log, ret_recovery_point);
	/* Drain is to find nothing left to wait for: it goes through them one by one. */
	if (!err && READ_ONCE(p->state) == SLUICE_PARTITION_STATE_DEAD)
		err = sluice_log_flush_indexes(p->log);
	atomic64_inc(&p->stats.flushes);
	trace_sluice_flush(p, *ret_recovery_point, err);
	/* Not where nothing was begun: no room for a checkpoint, which comes first. */
	if (err && sluice_log_failed(p->log))
		sluice_partition_set_offline(p, err, "a sync failed");
out:
	up_read(&p->users);
	return err;
}

static void flush_work_fn(struct work_struct *work)
{
	struct sluice_flush_state *fs = container_of(work, struct sluice_flush_state, work);
	struct sluice_partition *p = container_of(fs, struct sluice_partition, flush);
	s64 recovery_point;
	bool more;
	int err;

	spin_lock(&fs->lock);
	list_splice_init(&fs->requests, &fs->flushing);
	spin_unlock(&fs->lock);
	err = flush(p, &recovery_point);
	answer(fs, &fs->flushing, recovery_point, err);

	spin_lock(&fs->lock);
	more = !list_empty(&fs->requests);
	spin_unlock(&fs->lock);
	if (more)
		queue(p);
	sluice_partition_put(p);
}

/* flush.ms has passed since an append; the timer is off until the next one. */
static void due_fn(struct work_struct *work)
{
	struct sluice_flush_state *fs =
		container_of(to_delayed_work(work), struct sluice_flush_state, due);
	struct sluice_partition *p = container_of(fs, struct sluice_partition, flush);

	/* Drain waits for this item, so the partition is there to be held. */
	queue(p);
}

void sluice_flush_state_init(struct sluice_partition *p)
{
	spin_lock_init(&p->flush.lock);
	INIT_LIST_HEAD(&p->flush.requests);
	INIT_LIST_HEAD(&p->flush.flushing);
	INIT_LIST_HEAD(&p->flush.cut);
	INIT_WORK(&p->flush.work, flush_work_fn);
	INIT_DELAYED_WORK(&p->flush.due, due_fn);
	p->flush.wq = p->topic->data_dir->flush_wq;
}

static void take_cut(struct sluice_flush_state *fs, struct list_head *requests, s64 end_offset)
{
	struct sluice_durable *d, *next;

	lockdep_assert_held(&fs->lock);
	list_for_each_entry_safe(d, next, requests, node)
		if (d->offset > end_offset)
			list_move_tail(&d->node, &fs->cut);
}

void sluice_flush_cut(struct sluice_partition *p)
{
	s64 end_offset = sluice_log_end_offset(p->log);
	struct sluice_flush_state *fs = &p->flush;

	spin_lock(&fs->lock);
	fs->generation = sluice_log_generation(p->log);
	take_cut(fs, &fs->requests, end_offset);
	take_cut(fs, &fs->flushing, end_offset);
	spin_unlock(&fs->lock);
}

void sluice_flush_answer_cut(struct sluice_partition *p)
{
	answer(&p->flush, &p->flush.cut, 0, -ESTALE);
}

void sluice_flush_start(struct sluice_partition *p)
{
	queue(p);
}

/* 1: it is in the list; 0 or -errno: the answer is known. */
static int enqueue_locked(struct sluice_partition *p, struct sluice_durable *d)
{
	lockdep_assert_held(&p->flush.lock);
	/* Even if its records stayed: that is no longer known. */
	if (d->generation != p->flush.generation)
		return -ESTALE;
	if (d->offset <= sluice_log_recovery_point(p->log))
		return 0;
	list_add_tail(&d->node, &p->flush.requests);
	return 1;
}

static int enqueue(struct sluice_partition *p, struct sluice_durable *d)
{
	int err = sluice_partition_enter(p);

	if (err)
		return err;
	err = sluice_log_failed(p->log);
	if (err)
		goto out;
	/* Entered, so drain comes after this and answers what is in the list. */
	spin_lock(&p->flush.lock);
	err = enqueue_locked(p, d);
	spin_unlock(&p->flush.lock);
	if (err > 0)
		queue(p);
out:
	sluice_partition_leave(p);
	return err;
}

void sluice_flush_request(struct sluice_partition *p, struct sluice_durable *d)
{
	int err;

	INIT_LIST_HEAD(&d->node);
	err = enqueue(p, d);
	if (err <= 0)
		d->done(d, err);
}

void sluice_flush_drain(struct sluice_partition *p)
{
	/* Appends armed it, and there are none any more. */
	cancel_delayed_work_sync(&p->flush.due);
	/* Nothing is added to the list of a dead partition. */
	answer(&p->flush, &p->flush.requests, S64_MAX, p->flush.drain_err);
	flush_work(&p->flush.work);
}

struct flush_wait {
	struct sluice_durable durable;
	struct completion completion;
	int err;
};

static void flush_wait_done(struct sluice_durable *d, int err)
{
	struct flush_wait *fw = container_of(d, struct flush_wait, durable);

	fw->err = err;
	complete(&fw->completion);
}

/* True if the request will not be answered any more. */
static bool take_back(struct sluice_partition *p, struct sluice_durable *d)
{
	bool taken;

	spin_lock(&p->flush.lock);
	taken = !list_empty(&d->node);
	list_del_init(&d->node);
	spin_unlock(&p->flush.lock);
	return taken;
}

/* @state: what may end the wait: TASK_INTERRUPTIBLE or TASK_KILLABLE. */
static int wait_for(struct sluice_partition *p, s64 offset, u64 generation, unsigned int state)
{
	struct flush_wait fw = {
		.durable.done = flush_wait_done,
		.durable.offset = offset,
		.durable.generation = generation,
	};

	init_completion(&fw.completion);
	sluice_flush_request(p, &fw.durable);
	if (wait_for_completion_state(&fw.completion, state)) {
		if (take_back(p, &fw.durable))
			return -EINTR;
		wait_for_completion(&fw.completion);
	}
	return fw.err;
}

static int wait_for_all(struct sluice_partition *p)
{
	int err = sluice_partition_enter(p);
	u64 generation;
	s64 end_offset;

	if (err)
		return err;
	/* In this order: the end is of this generation or of a later one. */
	generation = sluice_log_generation(p->log);
	end_offset = sluice_log_end_offset(p->log);
	sluice_partition_leave(p);
	return wait_for(p, end_offset, generation, TASK_INTERRUPTIBLE);
}

int sluice_flush_wait(struct sluice_partition *p)
{
	int err;

	/* Truncated meanwhile: what is left is still to be flushed. */
	do {
		err = wait_for_all(p);
	} while (err == -ESTALE);
	return err;
}

void sluice_flush_note_append(struct sluice_partition *p)
{
	s64 flush_ms = READ_ONCE(p->topic->config.flush_ms);

	/* Longer than this it need not be exact, and a timer cannot be. */
	queue_delayed_work(p->flush.wq, &p->flush.due,
			   msecs_to_jiffies(min_t(s64, flush_ms, INT_MAX)));
}

bool sluice_flush_is_due(const struct sluice_partition *p)
{
	s64 unflushed = sluice_log_end_offset(p->log) - sluice_log_recovery_point(p->log);

	return unflushed >= READ_ONCE(p->topic->config.flush_messages);
}

int sluice_flush_appended(struct sluice_partition *p, s64 end_offset, u64 generation)
{
	return wait_for(p, end_offset, generation, TASK_KILLABLE);
}
