/* SPDX-License-Identifier: GPL-2.0 */
/* Many syncs of one file system at once, done as one. */
#ifndef SLUICE_GROUP_SYNC_H
#define SLUICE_GROUP_SYNC_H

struct file;
struct super_block;

/**
 * sluice_group_sync_begin() - from now on very many will sync files of @sb
 * Without memory nothing changes. Whoever begins keeps @sb mounted until it ends.
 * Context: process.
 */
void sluice_group_sync_begin(struct super_block *sb);

/** sluice_group_sync_end() - each of the above has one; also for the one without memory. */
void sluice_group_sync_end(struct super_block *sb);

/**
 * sluice_group_sync() - fsync, with those who sync files of the same file system
 * Everything of @filp that was written before is on stable storage if it succeeds,
 * and in a directory every name. Between begin and end it may wait for what anybody
 * wrote to that file system.
 * @datasync: as of vfs_fsync()
 * Context: process; waits for the disk. The caller holds no s_umount and has not
 * begun a write (file_start_write()).
 */
int __must_check sluice_group_sync(struct file *filp, int datasync);

#endif /* SLUICE_GROUP_SYNC_H */
