/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels, by one name for all of them.
 *
 * Kbuild compiles each test in kmod/compat/ with the kernel's own headers and
 * defines SLUICE_HAVE_<NAME> if it compiles; nothing looks at version numbers.
 */
#ifndef SLUICE_COMPAT_H
#define SLUICE_COMPAT_H

#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>

/* The mapping of ids of a mount has a type of its own since 6.3. */
#ifdef SLUICE_HAVE_MNT_IDMAP
#define SLUICE_RENAME_IDMAP(which)	which##_mnt_idmap
#define sluice_mnt_idmap(mnt)		mnt_idmap(mnt)
#else
#define SLUICE_RENAME_IDMAP(which)	which##_mnt_userns
#define sluice_mnt_idmap(mnt)		mnt_user_ns(mnt)
#endif

/** sluice_lookup_one() - the entry @name, perhaps negative; the directory is locked. */
static inline struct dentry *sluice_lookup_one(const struct path *dir, const char *name)
{
	return lookup_one(sluice_mnt_idmap(dir->mnt), name, dir->dentry, strlen(name));
}

/** sluice_vfs_rename() - within one directory, which is locked. */
static inline int sluice_vfs_rename(const struct path *dir, struct dentry *from,
				    struct dentry *to)
{
	struct renamedata rd = {
		.SLUICE_RENAME_IDMAP(old) = sluice_mnt_idmap(dir->mnt),
		.old_dir = d_inode(dir->dentry),
		.old_dentry = from,
		.SLUICE_RENAME_IDMAP(new) = sluice_mnt_idmap(dir->mnt),
		.new_dir = d_inode(dir->dentry),
		.new_dentry = to,
	};

	return vfs_rename(&rd);
}

/** sluice_vfs_unlink() - the directory is locked. */
static inline int sluice_vfs_unlink(const struct path *dir, struct dentry *dentry)
{
	return vfs_unlink(sluice_mnt_idmap(dir->mnt), d_inode(dir->dentry), dentry, NULL);
}

/**
 * sluice_iter_user_piece() - where @len bytes of user memory lie in one piece
 * Return: their address, not yet checked, or NULL if they do not.
 */
static inline const void __user *sluice_iter_user_piece(const struct iov_iter *iter, size_t len)
{
	/* With a byte left there is a first piece, too. */
	if (!len || iov_iter_count(iter) < len)
		return NULL;
#ifdef SLUICE_HAVE_ITER_IOV_ADDR
	if (user_backed_iter(iter) && iter_iov_len(iter) >= len)
		return iter_iov_addr(iter);
#else
	if (iter_is_iovec(iter) && iter->iov->iov_len - iter->iov_offset >= len)
		return iter->iov->iov_base + iter->iov_offset;
#endif
	return NULL;
}

typedef unsigned long (*sluice_shrinker_fn)(struct shrinker *s, struct shrink_control *sc);

/** sluice_shrinker_new() - register a shrinker; NULL if there is no memory. */
static inline struct shrinker *sluice_shrinker_new(const char *name, sluice_shrinker_fn count,
						   sluice_shrinker_fn scan)
{
	struct shrinker *s;

#ifdef SLUICE_HAVE_SHRINKER_ALLOC
	s = shrinker_alloc(0, "%s", name);
#else
	s = kzalloc(sizeof(*s), GFP_KERNEL);
#endif
	if (!s)
		return NULL;
	s->count_objects = count;
	s->scan_objects = scan;
	s->seeks = DEFAULT_SEEKS;
#ifdef SLUICE_HAVE_SHRINKER_ALLOC
	shrinker_register(s);
#else
	if (register_shrinker(s, "%s", name)) {
		kfree(s);
		return NULL;
	}
#endif
	return s;
}

/** sluice_shrinker_free() - when it returns no callback runs any more. */
static inline void sluice_shrinker_free(struct shrinker *s)
{
#ifdef SLUICE_HAVE_SHRINKER_ALLOC
	shrinker_free(s);
#else
	unregister_shrinker(s);
	kfree(s);
#endif
}

#endif /* SLUICE_COMPAT_H */
