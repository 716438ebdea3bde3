/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Data directories. One is attached by at most one network namespace of this
 * kernel at a time, for two logs over the same files would destroy each other.
 */
#ifndef SLUICE_DATA_DIR_H
#define SLUICE_DATA_DIR_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/types.h>

struct cred;
struct file;
struct net;
struct sluice_net;
struct workqueue_struct;

/**
 * struct sluice_data_dir - an attached directory
 *
 * @mutex: held by the one who opens, closes or changes logs of it, or detaches
 *	it, for as long as its disk takes; taken before the config mutex, which
 *	nobody holds while he waits for a disk. What changes under both may be read
 *	under either: the next group, and which topics are in it
 * @net_node: in sluice_net.data_dirs; empty once it is detached
 * @topic_count: topics in it
 * @state: enum sluice_data_dir_state
 *
 * @ref: the namespace's list and those who wait for @mutex
 * @all_node: in the list of all attached directories; protected by its mutex
 * @file: the directory; pins its mount
 * @cred: of the process that attached it; files are created and opened with it
 * @flush_wq: syncs of its partitions; a queue of its own, so that a slow disk
 *	cannot hold the syncs of another
 * @maintenance_wq: the same for their housekeeping
 * @prepare_wq: the same for the segments they will need next
 * @path: as the attaching process named it
 */
struct sluice_data_dir {
	struct mutex mutex;
	struct list_head net_node;
	u32 topic_count;
	int state;
	refcount_t ref;
	struct list_head all_node;
	struct file *file;
	const struct cred *cred;
	struct workqueue_struct *flush_wq;
	struct workqueue_struct *maintenance_wq;
	struct workqueue_struct *prepare_wq;
	char path[];
};

/** sluice_data_dir_queues_init() - make its work queues; 0 or -ENOMEM. */
int __must_check sluice_data_dir_queues_init(struct sluice_data_dir *dd);

/** sluice_data_dir_queues_destroy() - wait for what they still run. */
void sluice_data_dir_queues_destroy(struct sluice_data_dir *dd);

/**
 * sluice_data_dir_attach() - make a directory usable in a namespace
 * @fd: of the current process
 * @path: what to call it; absolute
 * @why: SLUICE_ERROR_TEXT_MAX bytes: on failure, what was wrong
 * Context: process, no locks held.
 * Return: 0; -EBADF, -ENOTDIR, -EOPNOTSUPP (file system), -EACCES, -EROFS,
 * -EEXIST (@path in use), -EBUSY (attached already).
 */
int __must_check sluice_data_dir_attach(struct net *net, u32 fd, const char *path, char *why);

/**
 * sluice_data_dir_detach() - flush and close all of its topics, then let it go
 * Return: 0; -ENOENT; -EINTR if the process is killed before it begins; -EBUSY
 * while somebody uses a topic of it; the error of a flush that failed, and then
 * it is detached nevertheless.
 * Context: process, no locks held.
 */
int __must_check sluice_data_dir_detach(struct net *net, const char *path, char *why);

/** sluice_data_dir_detach_all() - at the end of the namespace or the module. */
void sluice_data_dir_detach_all(struct net *net);

/**
 * sluice_data_dir_lock() - have an attached directory's topics to oneself
 * Return: the directory, and sluice_data_dir_unlock() is owed; ERR_PTR: -ENOENT
 * it is not attached, -EINTR the process is killed.
 * Context: process, no locks held; waits as long as others take for its disk.
 */
struct sluice_data_dir *sluice_data_dir_lock(struct sluice_net *sn, const char *path);

/** sluice_data_dir_hold() - a reference, for sluice_data_dir_lock_held(). */
void sluice_data_dir_hold(struct sluice_data_dir *dd);

/**
 * sluice_data_dir_lock_held() - the same for one to which there is a reference
 * Which is taken over, on failure too.
 */
int __must_check sluice_data_dir_lock_held(struct sluice_data_dir *dd);
void sluice_data_dir_unlock(struct sluice_data_dir *dd);

#endif /* SLUICE_DATA_DIR_H */
