// SPDX-License-Identifier: GPL-2.0
/*
 * A data directory that is taken down has each of its partitions sync some files
 * and its directory, hundreds side by side. A file system makes a commit of its
 * journal for nearly each of these. But one sync of all that it has is as good
 * for everybody who waits by then, and costs hardly more than one of them.
 *
 * What it cannot do is to say whose data could not be written. So it counts only
 * if nothing at all went wrong; otherwise each syncs its own file, and hears of it.
 */

#include "group_sync.h"

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stat.h>
#include <linux/wait.h>

/* So few do better by themselves: others may have much to be written. */
#define FEW_SYNCS	4

/* As long as more come, one waits for them, but not longer than that: jiffies. */
#define GATHER_TICKS	(HZ / 4)

/**
 * struct group - those who sync files of one file system
 * @node: in the list of all
 * @sb: the file system; mounted as long as @users is not 0
 * @users: have begun and not ended; protected by the list's lock
 * @ref: the list's, and those who sync
 * @wb_err: of the file system, when the group was made
 * @members: how many sync now
 * @lock: protects what follows
 * @changed: one that synced for all is done
 * @syncing: somebody syncs for all, or waits for more to do so for
 * @failed: one did not end well
 * @begun: number of the last sync that began
 * @done: number of the last one that ended well
 */
struct group {
	struct list_head node;
	struct super_block *sb;
	unsigned int users;
	refcount_t ref;
	errseq_t wb_err;
	atomic_t members;
	spinlock_t lock;
	wait_queue_head_t changed;
	bool syncing;
	bool failed;
	u64 begun;
	u64 done;
};

static DEFINE_SPINLOCK(groups_lock);
static LIST_HEAD(groups);

static struct group *find(const struct super_block *sb)
{
	struct group *g;

	lockdep_assert_held(&groups_lock);
	list_for_each_entry(g, &groups, node)
		if (g->sb == sb)
			return g;
	return NULL;
}

static struct group *get(const struct super_block *sb)
{
	struct group *g;

	/* Mostly there is none: whoever is to be in one comes after its begin. */
	if (list_empty_careful(&groups))
		return NULL;
	spin_lock(&groups_lock);
	g = find(sb);
	if (g)
		refcount_inc(&g->ref);
	spin_unlock(&groups_lock);
	return g;
}

static void put(struct group *g)
{
	if (!refcount_dec_and_test(&g->ref))
		return;
	kfree(g);
}

void sluice_group_sync_begin(struct super_block *sb)
{
	struct group *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	struct group *g;

	spin_lock(&groups_lock);
	g = find(sb);
	if (g) {
		g->users++;
	} else if (new) {
		g = new;
		new = NULL;
		g->sb = sb;
		g->users = 1;
		refcount_set(&g->ref, 1);
		g->wb_err = errseq_sample(&sb->s_wb_err);
		spin_lock_init(&g->lock);
		init_waitqueue_head(&g->changed);
		list_add(&g->node, &groups);
	}
	spin_unlock(&groups_lock);
	kfree(new);
}

void sluice_group_sync_end(struct super_block *sb)
{
	struct group *g;
	bool last = false;

	spin_lock(&groups_lock);
	g = find(sb);
	if (g) {
		last = !--g->users;
		if (last)
			list_del(&g->node);
	}
	spin_unlock(&groups_lock);
	if (last)
		put(g);
}

/*
 * Those whom the last sync held go on all at once, and each comes back after some
 * work. Whoever is the first would otherwise sync for hardly more than himself.
 */
static void gather(struct group *g)
{
	int before, now = atomic_read(&g->members);
	unsigned int tick;

	for (tick = 0; tick < GATHER_TICKS; tick++) {
		before = now;
		schedule_timeout_uninterruptible(1);
		now = atomic_read(&g->members);
		if (now == before)
			break;
	}
}

static int sync_all(struct group *g, struct file *filp)
{
	int err;

	down_read(&g->sb->s_umount);
	/* Nothing is written then, and that is called a success. */
	err = sb_rdonly(g->sb) ? -EROFS : sync_filesystem(g->sb);
	up_read(&g->sb->s_umount);
	if (!err)
		err = errseq_check(&g->sb->s_wb_err, g->wb_err);
	/* So may be a file system that was shut down; but this is not. */
	return err ?: vfs_fsync(filp, 0);
}

/* The lock is held, but not meanwhile. */
static void lead(struct group *g, struct file *filp)
	__releases(&g->lock) __acquires(&g->lock)
{
	u64 nr;
	int err;

	g->syncing = true;
	spin_unlock(&g->lock);
	gather(g);
	spin_lock(&g->lock);
	/* Who comes from here on may have written what this one does not see. */
	nr = ++g->begun;
	spin_unlock(&g->lock);
	err = sync_all(g, filp);
	spin_lock(&g->lock);
	if (err)
		g->failed = true;
	else
		g->done = nr;
	g->syncing = false;
	wake_up_all(&g->changed);
}

static bool is_idle(struct group *g)
{
	return !READ_ONCE(g->syncing);
}

/* False: it is still to be synced. */
static bool sync_together(struct group *g, struct file *filp)
{
	bool synced;
	u64 next;

	spin_lock(&g->lock);
	next = g->begun + 1;
	while (g->done < next && !g->failed) {
		if (!g->syncing) {
			lead(g, filp);
			continue;
		}
		spin_unlock(&g->lock);
		wait_event(g->changed, is_idle(g) || READ_ONCE(g->done) >= next);
		spin_lock(&g->lock);
	}
	synced = g->done >= next;
	spin_unlock(&g->lock);
	return synced;
}

static int sync_in_group(struct group *g, struct file *filp, int datasync)
{
	int err;

	if (atomic_inc_return(&g->members) > FEW_SYNCS && sync_together(g, filp))
		err = file_check_and_advance_wb_err(filp);
	else
		err = vfs_fsync(filp, datasync);
	atomic_dec(&g->members);
	put(g);
	return err;
}

/*
 * XFS looks whether it was shut down before it looks whether anything of the inode
 * is still to be written to its journal (xfs_file_fsync()). A shutdown between the
 * two gives that up, and then there is nothing, and the sync a success. But it is
 * marked as shut down before anything is given up, and fails to tell a file's size.
 */
static int still_there(struct file *filp)
{
	struct kstat stat;

	return vfs_getattr_nosec(&filp->f_path, &stat, STATX_SIZE, AT_STATX_DONT_SYNC);
}

int sluice_group_sync(struct file *filp, int datasync)
{
	struct group *g = get(file_inode(filp)->i_sb);
	int err = g ? sync_in_group(g, filp, datasync) : vfs_fsync(filp, datasync);

	return err ?: still_there(filp);
}
