/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Data directories. One is attached by at most one network namespace of this
 * kernel at a time, for two logs over the same files would destroy each other.
 */
#ifndef SLUICE_DATA_DIR_H
#define SLUICE_DATA_DIR_H

#include <linux/list.h>
#include <linux/types.h>

struct cred;
struct file;
struct net;
struct sluice_net;
struct workqueue_struct;

/**
 * struct sluice_data_dir - an attached directory
 * Everything in it is protected by the namespace's config mutex, except
 * @all_node.
 *
 * @net_node: in sluice_net.data_dirs
 * @all_node: in the list of all attached directories; protected by its mutex
 * @file: the directory; pins its mount
 * @cred: of the process that attached it; files are created and opened with it
 * @flush_wq: syncs of its partitions; a queue of its own, so that a slow disk
 *	cannot hold the syncs of another
 * @maintenance_wq: the same for their housekeeping
 * @topic_count: topics in it
 * @state: enum sluice_data_dir_state
 * @path: as the attaching process named it
 */
struct sluice_data_dir {
	struct list_head net_node;
	struct list_head all_node;
	struct file *file;
	const struct cred *cred;
	struct workqueue_struct *flush_wq;
	struct workqueue_struct *maintenance_wq;
	u32 topic_count;
	int state;
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
 * Context: process; the namespace's config mutex is held.
 * Return: 0; -EBADF, -ENOTDIR, -EOPNOTSUPP (file system), -EACCES, -EROFS,
 * -EEXIST (@path in use), -EBUSY (attached already).
 */
int __must_check sluice_data_dir_attach(struct net *net, u32 fd, const char *path, char *why);

/**
 * sluice_data_dir_detach() - flush and close all of its topics, then let it go
 * Return: 0; -ENOENT; -EBUSY while somebody uses a topic of it; the error of a
 * flush that failed, and then it is detached nevertheless.
 * Context: process; the namespace's config mutex is held.
 */
int __must_check sluice_data_dir_detach(struct net *net, const char *path, char *why);

/** sluice_data_dir_detach_all() - at the end of the namespace or the module. */
void sluice_data_dir_detach_all(struct net *net);

/** sluice_data_dir_find() - by path, or NULL; config mutex held. */
struct sluice_data_dir *sluice_data_dir_find(struct sluice_net *sn, const char *path);

#endif /* SLUICE_DATA_DIR_H */
