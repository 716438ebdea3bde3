// SPDX-License-Identifier: GPL-2.0
/* Attaching and detaching data directories. */

#include "data_dir.h"

#include "event.h"
#include "file_io.h"
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

struct sluice_data_dir *sluice_data_dir_find(struct sluice_net *sn, const char *path)
{
	struct sluice_data_dir *dd;

	lockdep_assert_held(&sn->config_mutex);
	list_for_each_entry(dd, &sn->data_dirs, net_node)
		if (!strcmp(dd->path, path))
			return dd;
	return NULL;
}

int sluice_data_dir_queues_init(struct sluice_data_dir *dd)
{
	dd->flush_wq = alloc_workqueue("sluice_flush", WQ_UNBOUND, 0);
	if (!dd->flush_wq)
		return -ENOMEM;
	dd->maintenance_wq = alloc_workqueue("sluice_keep", WQ_UNBOUND, 0);
	if (!dd->maintenance_wq)
		goto err_maintenance;
	return 0;

err_maintenance:
	destroy_workqueue(dd->flush_wq);
	return -ENOMEM;
}

void sluice_data_dir_queues_destroy(struct sluice_data_dir *dd)
{
	destroy_workqueue(dd->maintenance_wq);
	destroy_workqueue(dd->flush_wq);
}

int sluice_data_dir_attach(struct net *net, u32 fd, const char *path, char *why)
{
	struct sluice_net *sn = sluice_net(net);
	struct sluice_data_dir *dd;
	struct file *file;
	int err;

	if (path[0] != '/') {
		strscpy(why, "the path of a data directory must be absolute",
			SLUICE_ERROR_TEXT_MAX);
		return -EINVAL;
	}
	if (sluice_data_dir_find(sn, path)) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "%s is attached already", path);
		return -EEXIST;
	}
	file = fget(fd);
	if (!file) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "fd %u is not open, or only a path", fd);
		return -EBADF;
	}
	err = sluice_root_check(file, why);
	if (err)
		goto err_check;
	dd = kzalloc(struct_size(dd, path, strlen(path) + 1), GFP_KERNEL_ACCOUNT);
	if (!dd) {
		err = -ENOMEM;
		goto err_check;
	}
	strcpy(dd->path, path);
	dd->state = SLUICE_DATA_DIR_STATE_ATTACHED;
	dd->file = file;
	err = sluice_data_dir_queues_init(dd);
	if (err)
		goto err_queues;
	err = claim(dd);
	if (err) {
		strscpy(why, "attached already, by another name or in another network namespace",
			SLUICE_ERROR_TEXT_MAX);
		goto err_claim;
	}
	dd->cred = get_current_cred();
	list_add_tail(&dd->net_node, &sn->data_dirs);
	sluice_maintenance_net_start(sn);
	sn->generation++;
	sluice_event_data_dir(net, SLUICE_EVENT_TYPE_DATA_DIR_ATTACHED, path);
	return 0;

err_claim:
	sluice_data_dir_queues_destroy(dd);
err_queues:
	kfree(dd);
err_check:
	fput(file);
	return err;
}

static int detach(struct net *net, struct sluice_data_dir *dd)
{
	struct sluice_net *sn = sluice_net(net);
	struct sluice_topic *t;
	unsigned long serial;
	int err = 0;

	lockdep_assert_held(&sn->config_mutex);
	dd->state = SLUICE_DATA_DIR_STATE_DETACHING;
	xa_for_each(&sn->topics, serial, t) {
		if (t->data_dir == dd)
			err = sluice_topic_remove(net, t) ?: err;
		cond_resched();
	}
	list_del(&dd->net_node);
	sn->generation++;
	unclaim(dd);
	sluice_event_data_dir(net, SLUICE_EVENT_TYPE_DATA_DIR_DETACHED, dd->path);
	/* No partition is left to queue anything; what runs still has its log closed. */
	sluice_data_dir_queues_destroy(dd);
	fput(dd->file);
	put_cred(dd->cred);
	kfree(dd);
	return err;
}

int sluice_data_dir_detach(struct net *net, const char *path, char *why)
{
	struct sluice_net *sn = sluice_net(net);
	struct sluice_data_dir *dd;
	struct sluice_topic *t;
	unsigned long serial;
	int err;

	dd = sluice_data_dir_find(sn, path);
	if (!dd) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX, "%s is not attached", path);
		return -ENOENT;
	}
	xa_for_each(&sn->topics, serial, t) {
		if (t->data_dir == dd && sluice_topic_is_used(t)) {
			snprintf(why, SLUICE_ERROR_TEXT_MAX,
				 "topic %.80s is in use by a socket", t->name);
			return -EBUSY;
		}
	}
	err = detach(net, dd);
	if (err)
		strscpy(why, "detached, but not all is durable: a sync failed; see the kernel log",
			SLUICE_ERROR_TEXT_MAX);
	return err;
}

void sluice_data_dir_detach_all(struct net *net)
{
	struct sluice_net *sn = sluice_net(net);
	struct sluice_data_dir *dd, *next;

	list_for_each_entry_safe(dd, next, &sn->data_dirs, net_node)
		if (detach(net, dd))
			pr_err("%s: not all of it could be made durable\n", dd->path);
	/*
	 * A worker's fput() is deferred, and whoever ended the namespace may
	 * want to unmount next.
	 */
	flush_delayed_fput();
}
