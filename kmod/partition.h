/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A partition: one log, those who wait for it to grow, and its flusher.
 *
 * Teardown has three steps. sluice_partition_make_dead() takes it out of every
 * lookup and fails what is asked of it from now on; sluice_partition_drain()
 * waits until no append is running and the flusher is idle, and flushes; the
 * last sluice_partition_put() destroys it. Sockets hold references, so a dead
 * partition may live on until they are closed, but touches no file any more:
 * the log is closed by drain.
 */
#ifndef SLUICE_PARTITION_H
#define SLUICE_PARTITION_H

#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/workqueue.h>

#include "flush.h"
#include "linger.h"
#include "maintenance.h"
#include "notify.h"
#include "stats.h"
#include "topic.h"

/**
 * struct sluice_partition - one partition
 * @topic: its topic, until drained; a reference is not needed, for the topic owns partitions
 *	and every holder of a partition got it from a held topic and keeps both
 * @index: in the topic
 * @ref: holders: the topic, sockets, a running flush
 * @state: enum sluice_partition_state, READ_ONCE; only grows
 * @error: errno (negative) that took it offline
 * @reason: the same in words, static, or NULL
 * @users: who uses @log right now; read by sluice_partition_enter(), so that
 *	drain can wait for them before it closes the log
 * @dir: the partition's directory; NULL when drained; @users
 * @log: NULL when drained; @users
 * @notify: waiters
 * @flush: group commit
 * @linger: seals the open batch; drain cancels it
 * @maintenance: housekeeping and retention
 * @shrinker_node: in the shrinker's list while the log is open
 * @stats: counters
 */
struct sluice_partition {
	struct sluice_topic *topic;
	u32 index;
	refcount_t ref;
	int state;
	int error;
	const char *reason;
	struct rw_semaphore users;
	struct port_dir *dir;
	struct sluice_log *log;
	struct sluice_notify notify;
	struct sluice_flush_state flush;
	struct sluice_linger_state linger;
	struct sluice_maintenance_state maintenance;
	struct list_head shrinker_node;
	struct sluice_stats stats;
};

/**
 * sluice_partition_create() - open a partition's directory and its log
 * @t: its topic; data_dir and config are set
 * @args: what is known of the log
 * @err: SLUICE_ERROR_TEXT_MAX bytes: on failure, what was wrong
 * @ret_p: the partition, with one reference, not yet visible to anybody
 * Return: 0 or -errno.
 */
int __must_check sluice_partition_create(struct sluice_topic *t, u32 index,
					 const struct sluice_log_open_args *args, char *err,
					 struct sluice_partition **ret_p);

/** sluice_partition_make_dead() - first step: new uses fail, waiters are told. */
void sluice_partition_make_dead(struct sluice_partition *p);

/**
 * sluice_partition_drain() - second step: flush, then close every file
 * Waits for appends that run, makes what they left durable, and answers every
 * flush request. When it returns nothing uses the log, the directory or the
 * topic any more.
 * Return: 0 or the error of the flush; the partition is drained either way.
 * Context: process, dead.
 */
int sluice_partition_drain(struct sluice_partition *p);

void sluice_partition_hold(struct sluice_partition *p);
void sluice_partition_put(struct sluice_partition *p);

/**
 * sluice_partition_enter() - begin to use p->log
 * Return: 0, then sluice_partition_leave() is owed; -ENODEV if the partition
 * is dead. An offline partition can be entered: what it has can be read.
 * Context: may sleep. Not across a return to userspace or an unbounded wait.
 */
int __must_check sluice_partition_enter(struct sluice_partition *p);
void sluice_partition_leave(struct sluice_partition *p);

/**
 * sluice_partition_append() - append one batch, count it, wake the waiters
 * @p: not entered by the caller: it enters by itself
 * @a: see sluice_log_append()
 * Return: 0 or what sluice_log_append() says; -ENODEV dead. A failure of the
 * file system that leaves the tail uncertain takes the partition offline with
 * an event; later appends are -EIO. -EFBIG if the process may not write files
 * as large as a segment (RLIMIT_FSIZE). If flush.messages makes it wait for a
 * sync that fails, the error of that; -ECANCELED if a truncation came before.
 * Context: process, no locks held.
 */
int __must_check sluice_partition_append(struct sluice_partition *p, struct sluice_append *a);

/**
 * sluice_partition_append_record() - the same for one record, by itself
 * @a: see sluice_log_append_record()
 */
int __must_check sluice_partition_append_record(struct sluice_partition *p,
						struct sluice_append_record *a);

/**
 * sluice_partition_seal() - have everything in the files
 * Return: 0, or what sluice_log_seal() says; the partition is then offline.
 * Context: process, entered.
 */
int __must_check sluice_partition_seal(struct sluice_partition *p);

/**
 * sluice_partition_truncate() - see sluice_log_truncate()
 * Readers above the new end get -ERANGE once and go on there; who waits for the
 * storage of what went gets -ESTALE.
 * @why: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 * Return: what sluice_log_truncate() does; if the log failed it is offline.
 * Goes on to its end, though the process is killed.
 * Context: process, entered.
 */
int __must_check sluice_partition_truncate(struct sluice_partition *p, s64 offset, char *why);

/** sluice_partition_replace() - see sluice_log_replace(); the same otherwise. */
int __must_check sluice_partition_replace(struct sluice_partition *p, u64 generation,
					  s64 first_base, s64 last_base, char *why);

/** sluice_partition_check_log() - if the log has failed, go offline. Context: entered. */
void sluice_partition_check_log(struct sluice_partition *p);

/**
 * sluice_partition_permission() - may the current task use the partition
 * @mask: MAY_READ to consume, MAY_WRITE to produce
 * Return: 0 or -EACCES, by the mode and ACL of the partition's directory and
 * the credentials of current.
 */
int __must_check sluice_partition_permission(struct sluice_partition *p, int mask);

/**
 * sluice_partition_set_offline() - first reason wins; logs and sends an event
 * @err: negative errno
 * @reason: the same in words, static
 * Context: process, entered.
 */
void sluice_partition_set_offline(struct sluice_partition *p, int err, const char *reason);

#endif /* SLUICE_PARTITION_H */
