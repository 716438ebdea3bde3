// SPDX-License-Identifier: GPL-2.0
/* Attaching and detaching data directories. */

#include "data_dir.h"

#include "event.h"
#include "file_io.h"
#include "group_sync.h"
#include "maintenance.h"
#include "netns.h"
#include "topic_admin.h"

#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

/* Every attached directory of every namespace; innermost mutex. */
static DEFINE_MUTEX(all_mutex);
static LIST_HEAD(all_dirs);

static bool is_attached(const struct inode *inode)
{
	const struct sluice_data_dir *dd;

	lockdep_assert_held(&all_mutex);
	list_for_each_entry(dd, &all_dirs, all_node)
		if (file_inode(dd->file) == inode)
			return true;
	return false;
}

static int claim(struct sluice_data_dir *dd)
{
	int err = -EBUSY;

	mutex_lock(&all_mutex);
	if (!is_attached(file_inode(dd->file))) {
		list_add_tail(&dd->all_node, &all_dirs);
		err = 0;
	}
	mutex_unlock(&all_mutex);
	return err;
}

static void unclaim(struct sluice_data_dir *dd)
{
	mutex_lock(&all_mutex);
	list_del(&dd->all_node);
	mutex_unlock(&all_mutex);
}

static void put(struct sluice_data_dir *dd)
{
	if (!refcount_dec_and_test(&dd->ref))
		return;
	mutex_destroy(&dd->mutex);
	kfree(dd);
}

static struct sluice_data_dir *find(struct sluice_net *sn, const char *path)
{
	struct sluice_data_dir *dd;

	lockdep_assert_held(&sn->config_mutex);
	list_for_each_entry(dd, &sn->data_dirs, net_node)
		if (!strcmp(dd->path, path))
			return dd;
	return NULL;
}

void sluice_data_dir_hold(struct sluice_data_dir *dd)
{
	refcount_inc(&dd->ref);
}

int sluice_data_dir_lock_held(struct sluice_data_dir *dd)
{
	int err = mutex_lock_killable(&dd->mutex);

	if (err) {
		put(dd);
		return err;
	}
	/* Who had it before may have detached it. */
	if (!list_empty(&dd->net_node))
		return 0;
	sluice_data_dir_unlock(dd);
	return -ENOENT;
}

struct sluice_data_dir *sluice_data_dir_lock(struct sluice_net *sn, const char *path)
{
	struct sluice_data_dir *dd;
	int err;

	err = mutex_lock_killable(&sn->config_mutex);
	if (err)
		return ERR_PTR(err);
	dd = find(sn, path);
	if (dd)
		sluice_data_dir_hold(dd);
	mutex_unlock(&sn->config_mutex);
	if (!dd)
		return ERR_PTR(-ENOENT);
	err = sluice_data_dir_lock_held(dd);
	return err ? ERR_PTR(err) : dd;
}

void sluice_data_dir_unlock(struct sluice_data_dir *dd)
{
	mutex_unlock(&dd->mutex);
	put(dd);
}

int sluice_data_dir_queues_init(struct sluice_data_dir *dd)
{
	dd->flush_wq = alloc_workqueue("sluice_flush", WQ_UNBOUND, 0);
	if (!dd->flush_wq)
		return -ENOMEM;
	dd->maintenance_wq = alloc_workqueue("sluice_keep", WQ_UNBOUND, 0);
	if (!dd->maintenance_wq)
		goto err_maintenance;
	/* Ahead of what nobody waits for: the segment must be there when a roll comes. */
	dd->prepare_wq = alloc_workqueue("sluice_prepare", WQ_UNBOUND, 0);
	if (!dd->prepare_wq)
		goto err_prepare;
	return 0;

err_prepare:
	destroy_workqueue(dd->maintenance_wq);
err_maintenance:
	destroy_workqueue(dd->flush_wq);
	return -ENOMEM;
}

void sluice_data_dir_queues_destroy(struct sluice_data_dir *dd)
{
	destroy_workqueue(dd->prepare_wq);
	destroy_workqueue(dd->maintenance_wq);
	destroy_workqueue(dd->flush_wq);
}

/* @file is taken over, on success. */
static struct sluice_data_dir *new_data_dir(struct file *file, const char *path)
{
	struct sluice_data_dir *dd;
	int err;

	dd = kzalloc(struct_size(dd, path, strlen(path) + 1), GFP_KERNEL_ACCOUNT);
	if (!dd)
		return ERR_PTR(-ENOMEM);
	err = sluice_data_dir_queues_init(dd);
	if (err) {
		kfree(dd);
		return ERR_PTR(err);
	}
	mutex_init(&dd->mutex);
	refcount_set(&dd->ref, 1);
	INIT_LIST_HEAD(&dd->net_node);
	dd->state = SLUICE_DATA_DIR_STATE_ATTACHED;
	dd->file = file;
	dd->cred = get_current_cred();
	strcpy(dd->path, path);
	return dd;
}

/* With the last use of it; whoever waits for its mutex needs none of that. */
static void close_data_dir(struct sluice_data_dir *dd)
{
	sluice_data_dir_queues_destroy(dd);
	fput(dd->file);
	put_cred(dd->cred);
}

static int publish(struct net *net, struct sluice_data_dir *dd, char *why)
{
	struct sluice_net *sn = sluice_net(net);
	int err;

	err = mutex_lock_killable(&sn->config_mutex);
	if (err)
		return err;
	if (find(sn, dd->path)) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "%s is attached already", dd->path);
		err = -EEXIST;
	} else {
		err = claim(dd);
		if (err)
			strscpy(why, "attached already, by another name or network namespace",
				SLUICE_ERROR_TEXT_MAX);
	}
	if (!err) {
		list_add_tail(&dd->net_node, &sn->data_dirs);
		sluice_maintenance_net_start(sn);
		sn->generation++;
		sluice_event_data_dir(net, SLUICE_EVENT_TYPE_DATA_DIR_ATTACHED, dd->path);
	}
	mutex_unlock(&sn->config_mutex);
	return err;
}

int sluice_data_dir_attach(struct net *net, u32 fd, const char *path, char *why)
{
	struct sluice_data_dir *dd;
	struct file *file;
	int err;

	if (path[0] != '/') {
		strscpy(why, "the path of a data directory must be absolute",
			SLUICE_ERROR_TEXT_MAX);
		return -EINVAL;
	}
	file = fget(fd);
	if (!file) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "fd %u is not open, or only a path", fd);
		return -EBADF;
	}
	/* Waits where the file system does. */
	err = sluice_root_check(file, why);
	if (err)
		goto err_check;
	dd = new_data_dir(file, path);
	if (IS_ERR(dd)) {
		err = PTR_ERR(dd);
		goto err_check;
	}
	err = publish(net, dd, why);
	if (!err)
		return 0;
	close_data_dir(dd);
	put(dd);
	return err;

err_check:
	fput(file);
	return err;
}

/* The next topic that is in it; it stays there as long as @dd is locked. */
static struct sluice_topic *next_topic(struct sluice_net *sn, const struct sluice_data_dir *dd,
				       unsigned long *serial)
{
	struct sluice_topic *t;

	mutex_lock(&sn->config_mutex);
	xa_for_each_start(&sn->topics, *serial, t, *serial)
		if (t->data_dir == dd)
			break;
	mutex_unlock(&sn->config_mutex);
	return t;
}

/* All of them before one is drained: a disk serves many syncs at once as fast as one. */
static void stop_topics(struct sluice_net *sn, const struct sluice_data_dir *dd)
{
	unsigned long serial;
	struct sluice_topic *t;

	for (serial = 0; (t = next_topic(sn, dd, &serial)); serial++)
		sluice_topic_stop(t);
}

/* @dd is locked, and no other thread begins to use it: its state says so. */
static int detach(struct net *net, struct sluice_data_dir *dd)
{
	struct super_block *sb = file_inode(dd->file)->i_sb;
	struct sluice_net *sn = sluice_net(net);
	unsigned long serial = 0;
	struct sluice_topic *t;
	int err = 0;

	lockdep_assert_held(&dd->mutex);
	sluice_group_sync_begin(sb);
	stop_topics(sn, dd);
	while ((t = next_topic(sn, dd, &serial))) {
		err = sluice_topic_remove(net, t) ?: err;
		cond_resched();
	}
	sluice_group_sync_end(sb);
	mutex_lock(&sn->config_mutex);
	list_del_init(&dd->net_node);
	sn->generation++;
	mutex_unlock(&sn->config_mutex);
	unclaim(dd);
	sluice_event_data_dir(net, SLUICE_EVENT_TYPE_DATA_DIR_DETACHED, dd->path);
	/* No partition is left to queue anything; what runs still has its log closed. */
	close_data_dir(dd);
	/* The list's reference; whoever locked it has another. */
	put(dd);
	return err;
}

static int begin_detach(struct sluice_net *sn, struct sluice_data_dir *dd, char *why)
{
	struct sluice_topic *t;
	unsigned long serial;
	int err;

	err = mutex_lock_killable(&sn->config_mutex);
	if (err)
		return err;
	xa_for_each(&sn->topics, serial, t) {
		if (t->data_dir == dd && sluice_topic_is_used(t)) {
			snprintf(why, SLUICE_ERROR_TEXT_MAX,
				 "topic %.80s is in use by a socket", t->name);
			err = -EBUSY;
			break;
		}
	}
	if (!err)
		dd->state = SLUICE_DATA_DIR_STATE_DETACHING;
	mutex_unlock(&sn->config_mutex);
	return err;
}

int sluice_data_dir_detach(struct net *net, const char *path, char *why)
{
	struct sluice_net *sn = sluice_net(net);
	struct sluice_data_dir *dd;
	int err;

	dd = sluice_data_dir_lock(sn, path);
	if (IS_ERR(dd)) {
		if (PTR_ERR(dd) == -ENOENT)
			snprintf(why, SLUICE_ERROR_TEXT_MAX, "%s is not attached", path);
		return PTR_ERR(dd);
	}
	err = begin_detach(sn, dd, why);
	if (!err) {
		err = detach(net, dd);
		if (err)
			strscpy(why, "detached, but not all is durable: see the kernel log",
				SLUICE_ERROR_TEXT_MAX);
	}
	sluice_data_dir_unlock(dd);
	return err;
}

static struct sluice_data_dir *lock_first(struct sluice_net *sn)
{
	struct sluice_data_dir *dd;

	mutex_lock(&sn->config_mutex);
	dd = list_first_entry_or_null(&sn->data_dirs, struct sluice_data_dir, net_node);
	if (dd)
		sluice_data_dir_hold(dd);
	mutex_unlock(&sn->config_mutex);
	if (dd)
		mutex_lock(&dd->mutex);
	return dd;
}

void sluice_data_dir_detach_all(struct net *net)
{
	struct sluice_net *sn = sluice_net(net);
	struct sluice_data_dir *dd;

	while ((dd = lock_first(sn))) {
		if (detach(net, dd))
			pr_err("%s: not all of it could be made durable\n", dd->path);
		sluice_data_dir_unlock(dd);
	}
	/*
	 * A worker's fput() is deferred, and whoever ended the namespace may
	 * want to unmount next.
	 */
	flush_delayed_fput();
}
