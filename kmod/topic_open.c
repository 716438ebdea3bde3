// SPDX-License-Identifier: GPL-2.0
/*
 * The partitions of a topic are opened side by side, by workers. A worker
 * creates files without a second one's help (file_io.c), which one partition
 * needs for each of its files; and where one waits for the disk another goes on.
 */

#include "topic_open.h"

#include "data_dir.h"
#include "partition.h"

#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

/* They wait for a disk more than for a processor. */
#define OPENERS_MAX	8

/* So few the caller opens by itself; then faults injected into it are met, too. */
#define FEW_PARTITIONS	4

/**
 * struct opening - partitions that are being opened
 * @t: their topic
 * @params: what is known of them
 * @partitions: of the topic, those to be opened NULL
 * @from: the first of those
 * @to: the one behind the last
 * @caller: its death ends it
 * @memcg: what is allocated is charged to the caller's
 * @next: to be taken by the next that is free
 * @lock: protects @err and @why
 * @err: of the first that failed; the others then stop
 * @why: the same in words
 */
struct opening {
	struct sluice_topic *t;
	const struct sluice_topic_params *params;
	struct sluice_partition **partitions;
	u32 from;
	u32 to;
	struct task_struct *caller;
	struct mem_cgroup *memcg;
	atomic_t next;
	spinlock_t lock;
	int err;
	char *why;
};

struct opener {
	struct work_struct work;
	struct opening *o;
};

static s64 offset_of(const struct sluice_topic_offsets *offsets, u32 i)
{
	s64 offset = 0;

	if (offsets->count)
		memcpy(&offset, offsets->values + i * sizeof(offset), sizeof(offset));
	return offset;
}

static int open_one(struct opening *o, u32 index, char *why)
{
	const struct sluice_log_open_args args = {
		.leader_epoch = o->t->leader_epoch,
		.log_start_offset = offset_of(&o->params->log_start_offsets, index - o->from),
		.recovery_point = offset_of(&o->params->recovery_points, index - o->from),
	};

	if (args.log_start_offset < 0 || args.recovery_point < 0) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "an offset of partition %u is negative",
			 index);
		return -EINVAL;
	}
	if (fatal_signal_pending(o->caller)) {
		strscpy(why, "the process was killed", SLUICE_ERROR_TEXT_MAX);
		return -EINTR;
	}
	return sluice_partition_create(o->t, index, &args, why, &o->partitions[index]);
}

static void set_failed(struct opening *o, int err, const char *why)
{
	spin_lock(&o->lock);
	if (!o->err) {
		strscpy(o->why, why, SLUICE_ERROR_TEXT_MAX);
		/* Others look at it without the lock. */
		WRITE_ONCE(o->err, err);
	}
	spin_unlock(&o->lock);
}

static void open_some(struct opening *o)
{
	char why[SLUICE_ERROR_TEXT_MAX] = "";
	u32 index;
	int err;

	/* Each takes one beyond the end at most: the count of partitions is far from wrapping. */
	while (!READ_ONCE(o->err)) {
		index = atomic_fetch_inc(&o->next);
		if (index >= o->to)
			break;
		err = open_one(o, index, why);
		if (err)
			set_failed(o, err, why);
		cond_resched();
	}
}

static void open_fn(struct work_struct *work)
{
	struct opening *o = container_of(work, struct opener, work)->o;
	struct mem_cgroup *old = set_active_memcg(o->memcg);

	open_some(o);
	set_active_memcg(old);
}

static int check_offsets(const struct sluice_topic_offsets *offsets, u32 added, char *why)
{
	if (!offsets->count || offsets->count == added)
		return 0;
	snprintf(why, SLUICE_ERROR_TEXT_MAX, "offsets of %u partitions, and %u are added",
		 offsets->count, added);
	return -EINVAL;
}

static void open_all(struct opening *o)
{
	struct opener openers[OPENERS_MAX];
	u32 i, n = min_t(u32, o->to - o->from, OPENERS_MAX);

	if (n <= FEW_PARTITIONS) {
		open_some(o);
		return;
	}
	for (i = 0; i < n; i++) {
		openers[i].o = o;
		INIT_WORK_ONSTACK(&openers[i].work, open_fn);
		queue_work(o->t->data_dir->maintenance_wq, &openers[i].work);
	}
	for (i = 0; i < n; i++) {
		flush_work(&openers[i].work);
		destroy_work_on_stack(&openers[i].work);
	}
}

int sluice_topic_open_partitions(struct sluice_topic *t, struct sluice_partition **partitions,
				 u32 from, const struct sluice_topic_params *params, char *why)
{
	struct opening o = {
		.t = t,
		.params = params,
		.partitions = partitions,
		.from = from,
		.to = params->partition_count,
		.caller = current,
		.next = ATOMIC_INIT(from),
		.why = why,
	};
	int err;

	err = check_offsets(&params->log_start_offsets, o.to - from, why);
	if (!err)
		err = check_offsets(&params->recovery_points, o.to - from, why);
	if (err)
		return err;
	spin_lock_init(&o.lock);
	o.memcg = get_mem_cgroup_from_mm(current->mm);
	open_all(&o);
	mem_cgroup_put(o.memcg);
	return o.err;
}
