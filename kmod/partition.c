// SPDX-License-Identifier: GPL-2.0
/* The life of a partition, and appending to it. */

#include "partition.h"

#include "data_dir.h"
#include "event.h"
#include "file_io.h"
#include "log/replace.h"
#include "log/truncate.h"
#include "shrinker.h"

#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sluice_netlink.h>

static struct sluice_partition *partition_new(struct sluice_topic *t, u32 index)
{
	struct sluice_partition *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);

	if (!p)
		return NULL;
	p->topic = t;
	p->index = index;
	refcount_set(&p->ref, 1);
	p->state = SLUICE_PARTITION_STATE_ONLINE;
	init_rwsem(&p->users);
	sluice_notify_init(&p->notify);
	sluice_flush_state_init(p);
	sluice_linger_state_init(p);
	sluice_maintenance_state_init(p);
	INIT_LIST_HEAD(&p->shrinker_node);
	return p;
}

int sluice_partition_create(struct sluice_topic *t, u32 index,
			    const struct sluice_log_open_args *args, char *err_text,
			    struct sluice_partition **ret_p)
{
	char name[SLUICE_TOPIC_NAME_MAX + sizeof("-4294967295")];
	struct sluice_partition *p;
	int err;

	p = partition_new(t, index);
	if (!p)
		return -ENOMEM;
	snprintf(name, sizeof(name), "%s-%u", t->name, index);
	p->dir = sluice_dir_open(t->data_dir->file, t->data_dir->cred, name);
	if (IS_ERR(p->dir)) {
		err = PTR_ERR(p->dir);
		snprintf(err_text, SLUICE_ERROR_TEXT_MAX, "cannot open directory %.100s: %pe",
			 name, p->dir);
		goto err_dir;
	}
	err = sluice_log_open(p->dir, &t->config, args, err_text, &p->log);
	if (err)
		goto err_log;
	sluice_log_set_owner(p->log, p);
	p->flush.generation = sluice_log_generation(p->log);
	sluice_shrinker_add(p);
	*ret_p = p;
	return 0;

err_log:
	sluice_dir_close(p->dir);
err_dir:
	kfree(p);
	return err;
}

void sluice_partition_make_dead(struct sluice_partition *p)
{
	/* Before the lock: whoever takes it later refuses new waiters. */
	WRITE_ONCE(p->state, SLUICE_PARTITION_STATE_DEAD);
	sluice_notify_wake(p, -ENODEV);
}

/*
 * Nobody enters a dead partition any more, so the users that the write lock
 * waits for are those of before, and each ends by itself: an append when its
 * bytes are copied, a fetch when it found its range, a sync when the disk
 * answered.
 */
int sluice_partition_drain(struct sluice_partition *p)
{
	s64 recovery_point;
	int err;

	sluice_shrinker_del(p);
	down_write(&p->users);
	err = sluice_log_flush(p->log, &recovery_point);
	if (!err)
		err = sluice_log_flush_indexes(p->log);
	sluice_log_close(p->log);
	p->log = NULL;
	sluice_dir_close(p->dir);
	p->dir = NULL;
	p->flush.drain_err = err;
	up_write(&p->users);
	sluice_flush_drain(p);
	sluice_linger_drain(p);
	sluice_maintenance_drain(p);
	return err;
}

void sluice_partition_hold(struct sluice_partition *p)
{
	refcount_inc(&p->ref);
}

void sluice_partition_put(struct sluice_partition *p)
{
	if (!refcount_dec_and_test(&p->ref))
		return;
	WARN_ON(p->log || !list_empty(&p->notify.waiters));
	kfree(p);
}

int sluice_partition_enter(struct sluice_partition *p)
{
	/* Mostly there is no writer, nor one that waits: then half the instructions do. */
	if (!down_read_trylock(&p->users)) {
		/* The one writer is drain, which may wait for a disk; the state comes before it. */
		smp_rmb();
		if (READ_ONCE(p->state) == SLUICE_PARTITION_STATE_DEAD)
			return -ENODEV;
		down_read(&p->users);
	}
	if (READ_ONCE(p->state) != SLUICE_PARTITION_STATE_DEAD)
		return 0;
	up_read(&p->users);
	return -ENODEV;
}

void sluice_partition_leave(struct sluice_partition *p)
{
	up_read(&p->users);
}

void sluice_partition_set_offline(struct sluice_partition *p, int err, const char *reason)
{
	lockdep_assert_held(&p->users);
	if (cmpxchg(&p->error, 0, err))
		return;
	WRITE_ONCE(p->reason, reason);
	cmpxchg(&p->state, SLUICE_PARTITION_STATE_ONLINE, SLUICE_PARTITION_STATE_OFFLINE);
	sluice_log_set_failed(p->log, err);
	pr_err("%s: offline: %s (%pe)\n", port_dir_name(p->dir), reason, ERR_PTR(err));
	sluice_event_offline(p);
	sluice_notify_wake(p, -EIO);
}

/* The next two are asked for each record, and hardly any topic sets them. */

static inline void begin_flush_ms(struct sluice_partition *p)
{
	if (READ_ONCE(p->topic->config.flush_ms) != S64_MAX)
		sluice_flush_note_append(p);
}

static inline bool flush_is_due(struct sluice_partition *p)
{
	return READ_ONCE(p->topic->config.flush_messages) != S64_MAX && sluice_flush_is_due(p);
}

static void append_done(struct sluice_partition *p, const struct sluice_append *a)
{
	if (a->duplicate)
		return;
	atomic64_inc(&p->stats.append_batches);
	atomic64_add(a->record_count, &p->stats.append_records);
	atomic64_add(a->size, &p->stats.append_bytes);
	begin_flush_ms(p);
	sluice_notify_wake(p, 0);
	if (a->housekeeping)
		sluice_maintenance_housekeep(p);
	if (a->rolled) {
		atomic64_inc(&p->stats.rolls);
		sluice_event_roll(p, a->base_offset);
	}
}

static void offline_if_failed(struct sluice_partition *p, const char *reason)
{
	int failed = sluice_log_failed(p->log);

	if (failed)
		sluice_partition_set_offline(p, failed, reason);
}

void sluice_partition_check_log(struct sluice_partition *p)
{
	offline_if_failed(p, "an append failed and could not be taken back");
}

static void append_failed(struct sluice_partition *p)
{
	atomic64_inc(&p->stats.refused_batches);
	sluice_partition_check_log(p);
}

/* flush.messages, as in Kafka: the append that makes it so many waits for the sync. */
static int flush_appended(struct sluice_partition *p, s64 end_offset, u64 generation,
			  const char **ret_why)
{
	int err = sluice_flush_appended(p, end_offset, generation);

	/* Who is killed hears no answer; the batch is in the log. */
	if (!err || err == -EINTR)
		return 0;
	if (err == -ESTALE) {
		*ret_why = "appended, but a truncation took it before it was on stable storage";
		/* Of an append -ESTALE is a word about its producer. */
		return -ECANCELED;
	}
	*ret_why = "appended, but the sync that flush.messages asks for failed";
	return err;
}

/* 0: entered, and sluice_partition_leave() is owed. */
static __always_inline int append_enter(struct sluice_partition *p, const char **ret_why)
{
	int err;

	/*
	 * A limit that would be met somewhere inside an append, or by the roll
	 * before it, would fail what is not the producer's.
	 */
	if (rlimit(RLIMIT_FSIZE) < READ_ONCE(p->topic->config.segment_bytes)) {
		*ret_why = "the process may not write files as large as a segment (RLIMIT_FSIZE)";
		return -EFBIG;
	}
	err = sluice_partition_enter(p);
	if (err) {
		*ret_why = "the partition was removed";
		return err;
	}
	if (READ_ONCE(p->state) == SLUICE_PARTITION_STATE_OFFLINE) {
		*ret_why = "the partition is offline";
		sluice_partition_leave(p);
		return -EIO;
	}
	return 0;
}

int sluice_partition_append(struct sluice_partition *p, struct sluice_append *a)
{
	bool flush;
	int err;

	err = append_enter(p, &a->why);
	if (err)
		return err;
	err = sluice_log_append(p->log, a);
	if (err)
		append_failed(p);
	else
		append_done(p, a);
	flush = !err && flush_is_due(p);
	sluice_partition_leave(p);
	return flush ? flush_appended(p, a->last_offset + 1, a->generation, &a->why) : err;
}

static void append_record_done(struct sluice_partition *p, const struct sluice_append_record *a)
{
	if (a->new_batch)
		atomic64_inc(&p->stats.append_batches);
	atomic64_inc(&p->stats.append_records);
	atomic64_add(a->size, &p->stats.append_bytes);
	if (a->lingers)
		sluice_linger_start(p, a->seal_in_ms);
	begin_flush_ms(p);
	sluice_notify_wake(p, 0);
	if (a->housekeeping)
		sluice_maintenance_housekeep(p);
	if (a->rolled) {
		atomic64_inc(&p->stats.rolls);
		sluice_event_roll(p, a->offset);
	}
}

int sluice_partition_append_record(struct sluice_partition *p, struct sluice_append_record *a)
{
	bool flush;
	int err;

	err = append_enter(p, &a->why);
	if (err)
		return err;
	err = sluice_log_append_record(p->log, a);
	if (err)
		append_failed(p);
	else
		append_record_done(p, a);
	flush = !err && flush_is_due(p);
	sluice_partition_leave(p);
	return flush ? flush_appended(p, a->offset + 1, a->generation, &a->why) : err;
}

int sluice_partition_seal(struct sluice_partition *p)
{
	int err = sluice_log_seal(p->log);

	if (err)
		sluice_partition_check_log(p);
	return err;
}

/* Of the engine, for its host: with the locks that truncate.h names. */
void port_log_cut(const struct sluice_log *log)
{
	struct sluice_partition *p = sluice_log_owner(log);

	sluice_flush_cut(p);
	sluice_notify_wake(p, -ESTALE);
}

/* What takes segments away: in a worker, whose death or limits cannot end it half way. */
struct change {
	struct work_struct work;
	struct sluice_partition *p;
	s64 end_offset;
	u64 generation;
	s64 first_base;
	s64 last_base;
	char *why;
	int err;
};

static void truncate_fn(struct work_struct *work)
{
	struct change *c = container_of(work, struct change, work);

	c->err = sluice_log_truncate(c->p->log, c->end_offset, c->why, &c->end_offset);
}

static void replace_fn(struct work_struct *work)
{
	struct change *c = container_of(work, struct change, work);

	c->err = sluice_log_replace(c->p->log, c->generation, c->first_base, c->last_base,
				    c->why);
}

/* The partition stays entered, by who waits here. */
static int do_change(struct change *c, work_func_t fn)
{
	INIT_WORK_ONSTACK(&c->work, fn);
	queue_work(c->p->maintenance.wq, &c->work);
	flush_work(&c->work);
	destroy_work_on_stack(&c->work);
	return c->err;
}

int sluice_partition_truncate(struct sluice_partition *p, s64 offset, char *why)
{
	struct change c = { .p = p, .end_offset = offset, .why = why };
	u64 generation = sluice_log_generation(p->log);
	int err = do_change(&c, truncate_fn);

	sluice_flush_answer_cut(p);
	if (err) {
		offline_if_failed(p, "a truncation failed half-way");
		return err;
	}
	/* From the log end on nothing happens, and nobody is told so. */
	if (sluice_log_generation(p->log) != generation) {
		atomic64_inc(&p->stats.truncations);
		sluice_event_truncated(p, c.end_offset);
		/* What is stable was learnt anew after the cut was told. */
		sluice_notify_wake(p, 0);
		/* What went is to be unlinked one day. */
		sluice_maintenance_housekeep(p);
	}
	return 0;
}

int sluice_partition_replace(struct sluice_partition *p, u64 generation, s64 first_base,
			     s64 last_base, char *why)
{
	struct change c = {
		.p = p,
		.generation = generation,
		.first_base = first_base,
		.last_base = last_base,
		.why = why,
	};
	int err = do_change(&c, replace_fn);

	if (err) {
		offline_if_failed(p, "a replacement of segments failed half-way");
		return err;
	}
	atomic64_inc(&p->stats.replacements);
	sluice_maintenance_housekeep(p);
	return 0;
}

int sluice_partition_permission(struct sluice_partition *p, int mask)
{
	int err = sluice_partition_enter(p);

	if (err)
		return err;
	err = sluice_dir_permission(p->dir, mask);
	sluice_partition_leave(p);
	return err;
}
