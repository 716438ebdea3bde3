// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's half of the port layer: the only file that calls the VFS.
 *
 * Files are read and written through read_iter and write_iter themselves. The
 * right to append was decided when the partition was opened and when the
 * socket was bound to it, so the security hooks of vfs_iter_write(), which
 * would judge the producer's label against a file it never opened, do not
 * apply; and the bracket against freezing, which vfs_iter_write() takes on some
 * kernels and leaves to its caller on others, is the same everywhere.
 *
 * Appends run in the producer's system call. What the process may not do
 * (create with its umask, write while it is being killed, exceed its
 * RLIMIT_FSIZE) must not hurt the log, so creating, writing what the engine
 * itself has to say, and cutting is done by a worker where the caller cannot.
 */

#include "file_io.h"

#include "compat.h"
#include "group_sync.h"
#include "log/log.h"

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/workqueue.h>

#define FILE_MODE 0640

/* File systems that the tests run on. */
static const char *const supported_fs[] = { "ext4", "xfs" };

struct worker_call {
	struct work_struct work;
	void (*fn)(void *arg);
	void *arg;
};

static void worker_call_fn(struct work_struct *work)
{
	struct worker_call *call = container_of(work, struct worker_call, work);

	call->fn(call->arg);
}

/*
 * As wide as a queue can be, and for nobody else: each item waits for a disk,
 * and a disk that does not answer must not hold what others have queued.
 *
 * Neither this queue nor any other whose work goes into a file system is
 * WQ_MEM_RECLAIM: freeing memory waits for none of them, and on a full disk xfs
 * waits in its own queue, which is none either (check_flush_dependency()).
 */
static struct workqueue_struct *io_wq;

int sluice_file_io_init(void)
{
	io_wq = alloc_workqueue("sluice_io", WQ_UNBOUND, WQ_MAX_ACTIVE);
	return io_wq ? 0 : -ENOMEM;
}

void sluice_file_io_exit(void)
{
	destroy_workqueue(io_wq);
}

/* Where no signal, umask or limit of the caller reaches. */
static void call_in_worker(void (*fn)(void *arg), void *arg)
{
	struct worker_call call = {
		.fn = fn,
		.arg = arg,
	};

	/* A worker has none of these; and none must wait for a second one. */
	if (current->flags & PF_WQ_WORKER) {
		fn(arg);
		return;
	}
	INIT_WORK_ONSTACK(&call.work, worker_call_fn);
	queue_work(io_wq, &call.work);
	flush_work(&call.work);
	destroy_work_on_stack(&call.work);
}

/* A port_file is a struct file under another name: it needs nothing more. */
static struct port_file *to_port_file(struct file *filp)
{
	return (struct port_file *)filp;
}

struct file *sluice_file(struct port_file *file)
{
	return (struct file *)file;
}

struct address_space *sluice_file_mapping(struct port_file *file)
{
	return sluice_file(file)->f_mapping;
}

/**
 * struct port_dir - a partition's directory
 * @path: pins it without an open file
 * @cred: files are opened and created with it
 * @name: for diagnostics; what it was called when it was opened
 */
struct port_dir {
	struct path path;
	const struct cred *cred;
	char name[];
};

int sluice_root_check(struct file *root, char *why)
{
	const char *fs = file_inode(root)->i_sb->s_type->name;
	unsigned int i;
	int err;

	if (!S_ISDIR(file_inode(root)->i_mode)) {
		strscpy(why, "not a directory", SLUICE_ERROR_TEXT_MAX);
		return -ENOTDIR;
	}
	for (i = 0; i < ARRAY_SIZE(supported_fs); i++)
		if (!strcmp(fs, supported_fs[i]))
			break;
	if (i == ARRAY_SIZE(supported_fs)) {
		snprintf(why, SLUICE_ERROR_TEXT_MAX,
			 "file system %s is not supported: logs are kept on ext4 or xfs", fs);
		return -EOPNOTSUPP;
	}
	err = mnt_want_write_file(root);
	if (err) {
		strscpy(why, "the file system is read-only", SLUICE_ERROR_TEXT_MAX);
		return err;
	}
	mnt_drop_write_file(root);
	err = file_permission(root, MAY_READ | MAY_WRITE | MAY_EXEC);
	if (err)
		strscpy(why, "no permission to read, write and search the directory",
			SLUICE_ERROR_TEXT_MAX);
	return err;
}

struct port_dir *sluice_dir_open(struct file *root, const struct cred *cred, const char *name)
{
	const struct cred *old;
	struct port_dir *dir;
	struct file *filp;

	old = override_creds(cred);
	filp = file_open_root(&root->f_path, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	revert_creds(old);
	if (IS_ERR(filp))
		return ERR_CAST(filp);
	if (file_inode(filp)->i_sb != file_inode(root)->i_sb) {
		dir = ERR_PTR(-EXDEV);
		goto out;
	}
	dir = kzalloc(struct_size(dir, name, strlen(name) + 1), GFP_KERNEL_ACCOUNT);
	if (!dir) {
		dir = ERR_PTR(-ENOMEM);
		goto out;
	}
	dir->path = filp->f_path;
	path_get(&dir->path);
	dir->cred = get_cred(cred);
	strcpy(dir->name, name);
out:
	fput(filp);
	return dir;
}

void sluice_dir_close(struct port_dir *dir)
{
	if (!dir)
		return;
	path_put(&dir->path);
	put_cred(dir->cred);
	kfree(dir);
}

int sluice_dir_permission(struct port_dir *dir, int mask)
{
	return path_permission(&dir->path, mask);
}

const char *port_dir_name(const struct port_dir *dir)
{
	return dir->name;
}

struct list_context {
	struct dir_context ctx;
	int (*fn)(void *ctx, const char *name, size_t len);
	void *fn_ctx;
	int err;
};

static bool list_actor(struct dir_context *ctx, const char *name, int len, loff_t pos, u64 ino,
		       unsigned int type)
{
	struct list_context *lc = container_of(ctx, struct list_context, ctx);

	/* What a file system does not know the type of is judged when opened. */
	if (type != DT_REG && type != DT_UNKNOWN)
		return true;
	if (len <= 0)
		return true;
	lc->err = lc->fn(lc->fn_ctx, name, len);
	return !lc->err;
}

int port_dir_list(struct port_dir *dir, int (*fn)(void *ctx, const char *name, size_t len),
		  void *ctx)
{
	struct list_context lc = {
		.ctx.actor = list_actor,
		.fn = fn,
		.fn_ctx = ctx,
	};
	struct file *filp;
	int err;

	filp = dentry_open(&dir->path, O_RDONLY | O_DIRECTORY, dir->cred);
	if (IS_ERR(filp))
		return PTR_ERR(filp);
	err = iterate_dir(filp, &lc.ctx);
	fput(filp);
	return lc.err ?: err;
}

int port_dir_sync(struct port_dir *dir)
{
	struct file *filp;
	int err;

	filp = dentry_open(&dir->path, O_RDONLY | O_DIRECTORY, dir->cred);
	if (IS_ERR(filp))
		return PTR_ERR(filp);
	err = sluice_group_sync(filp, 0);
	fput(filp);
	return err;
}

/* Both names are in one directory, so only its own lock is taken. */
static int rename_locked(const struct path *dir, const char *from, const char *to)
{
	struct dentry *old, *new;
	int err;

	old = sluice_lookup_one(dir, from);
	if (IS_ERR(old))
		return PTR_ERR(old);
	new = sluice_lookup_one(dir, to);
	if (IS_ERR(new)) {
		err = PTR_ERR(new);
		goto err_new;
	}
	err = d_is_negative(old) ? -ENOENT : sluice_vfs_rename(dir, old, new);
	dput(new);
err_new:
	dput(old);
	return err;
}

static int remove_locked(const struct path *dir, const char *name)
{
	struct dentry *dentry = sluice_lookup_one(dir, name);
	int err;

	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = d_is_negative(dentry) ? 0 : sluice_vfs_unlink(dir, dentry);
	dput(dentry);
	return err;
}

/* @to is NULL to remove @from. */
struct name_args {
	struct port_dir *dir;
	const char *from;
	const char *to;
	int err;
};

static void name_fn(void *arg)
{
	struct name_args *na = arg;
	const struct path *dir = &na->dir->path;
	const struct cred *old;

	na->err = mnt_want_write(dir->mnt);
	if (na->err)
		return;
	old = override_creds(na->dir->cred);
	inode_lock_nested(d_inode(dir->dentry), I_MUTEX_PARENT);
	na->err = na->to ? rename_locked(dir, na->from, na->to) : remove_locked(dir, na->from);
	inode_unlock(d_inode(dir->dentry));
	revert_creds(old);
	mnt_drop_write(dir->mnt);
}

static int change_names(struct port_dir *dir, const char *from, const char *to)
{
	struct name_args na = {
		.dir = dir,
		.from = from,
		.to = to,
	};

	name_fn(&na);
	/* What the caller may not, or what it may not allocate, a worker may. */
	if (na.err == -EINTR || na.err == -ENOMEM)
		call_in_worker(name_fn, &na);
	return na.err;
}

int port_file_rename(struct port_dir *dir, const char *from, const char *to)
{
	return change_names(dir, from, to);
}

int port_file_remove(struct port_dir *dir, const char *name)
{
	return change_names(dir, name, NULL);
}

/*
 * A log's bytes are taken from the page cache by reference, so a file must have
 * them there, and must not be one that a device or a pipe stands behind.
 */
static int check_file(const struct file *filp)
{
	const struct inode *inode = file_inode(filp);

	if (!S_ISREG(inode->i_mode))
		return -EINVAL;
	if (!filp->f_op->read_iter || !filp->f_op->write_iter)
		return -EOPNOTSUPP;
	if (IS_DAX(inode) || filp->f_flags & O_DIRECT || !filp->f_mapping->a_ops->read_folio)
		return -EOPNOTSUPP;
	return 0;
}

static struct file *open_file(struct port_dir *dir, const char *name, int flags)
{
	const struct cred *old = override_creds(dir->cred);
	struct file *filp;

	filp = file_open_root(&dir->path, name, flags | O_NOFOLLOW | O_LARGEFILE, FILE_MODE);
	revert_creds(old);
	return filp;
}

struct create_args {
	struct port_dir *dir;
	const char *name;
	struct file *filp;
};

static void create_fn(void *arg)
{
	struct create_args *ca = arg;

	ca->filp = open_file(ca->dir, ca->name, O_RDWR | O_CREAT | O_EXCL);
}

/* In a worker: the caller's umask must not decide who can read a segment. */
static struct file *create_file(struct port_dir *dir, const char *name)
{
	struct create_args ca = {
		.dir = dir,
		.name = name,
	};

	call_in_worker(create_fn, &ca);
	return ca.filp;
}

static atomic_long_t open_files;

unsigned long sluice_open_files(void)
{
	return atomic_long_read(&open_files);
}

int port_file_open(struct port_dir *dir, const char *name, unsigned int flags,
		   struct port_file **ret_file)
{
	struct file *filp;
	int err;

	if (flags & PORT_CREATE)
		filp = create_file(dir, name);
	else
		filp = open_file(dir, name, flags & PORT_RDONLY ? O_RDONLY : O_RDWR);
	if (IS_ERR(filp))
		return PTR_ERR(filp);
	err = check_file(filp);
	if (err) {
		fput(filp);
		return err;
	}
	atomic_long_inc(&open_files);
	*ret_file = to_port_file(filp);
	return 0;
}

void port_file_close(struct port_file *file)
{
	if (!file)
		return;
	atomic_long_dec(&open_files);
	fput(sluice_file(file));
}

s64 port_file_size(struct port_file *file)
{
	return i_size_read(file_inode(sluice_file(file)));
}

u64 port_file_inode(struct port_file *file)
{
	return file_inode(sluice_file(file))->i_ino;
}

s64 port_file_mtime_ms(struct port_file *file)
{
	struct kstat stat;

	if (vfs_getattr(&sluice_file(file)->f_path, &stat, STATX_MTIME, AT_STATX_SYNC_AS_STAT))
		return 0;
	return stat.mtime.tv_sec * MSEC_PER_SEC + stat.mtime.tv_nsec / NSEC_PER_MSEC;
}

ssize_t port_file_read(struct port_file *file, u64 pos, void *buf, size_t len)
{
	struct file *filp = sluice_file(file);
	struct kvec kvec = { .iov_base = buf, .iov_len = len };
	struct iov_iter iter;
	struct kiocb kiocb;
	ssize_t n;

	if (len > MAX_RW_COUNT || pos > LLONG_MAX - len)
		return -EINVAL;
	iov_iter_kvec(&iter, ITER_DEST, &kvec, 1, len);
	init_sync_kiocb(&kiocb, filp);
	kiocb.ki_pos = pos;
	while (iov_iter_count(&iter)) {
		n = filp->f_op->read_iter(&kiocb, &iter);
		if (n < 0)
			return n;
		if (!n)
			break;
	}
	return len - iov_iter_count(&iter);
}

static int write_all(struct file *filp, u64 pos, struct iov_iter *iter)
{
	struct kiocb kiocb;
	ssize_t n;
	int err = 0;

	if (pos > LLONG_MAX - iov_iter_count(iter))
		return -EFBIG;
	init_sync_kiocb(&kiocb, filp);
	kiocb.ki_pos = pos;
	file_start_write(filp);
	while (iov_iter_count(iter)) {
		n = filp->f_op->write_iter(&kiocb, iter);
		if (n <= 0) {
			err = n ?: -EFAULT;
			break;
		}
	}
	file_end_write(filp);
	return err;
}

static int write_buf(struct file *filp, u64 pos, const void *buf, size_t len)
{
	struct kvec kvec = { .iov_base = (void *)buf, .iov_len = len };
	struct iov_iter iter;

	iov_iter_kvec(&iter, ITER_SOURCE, &kvec, 1, len);
	return write_all(filp, pos, &iter);
}

struct write_args {
	struct file *filp;
	u64 pos;
	const void *buf;
	size_t len;
	int err;
};

static void write_fn(void *arg)
{
	struct write_args *wa = arg;

	wa->err = write_buf(wa->filp, wa->pos, wa->buf, wa->len);
}

static int write_in_worker(struct file *filp, u64 pos, const void *buf, size_t len)
{
	struct write_args wa = {
		.filp = filp,
		.pos = pos,
		.buf = buf,
		.len = len,
	};

	call_in_worker(write_fn, &wa);
	return wa.err;
}

int port_file_write(struct port_file *file, u64 pos, const void *buf, size_t len)
{
	struct file *filp = sluice_file(file);
	int err;

	if (len > MAX_RW_COUNT)
		return -EINVAL;
	err = write_buf(filp, pos, buf, len);
	/*
	 * A producer that is killed, or limited, must not leave half an index,
	 * nor an open batch that cannot be sealed.
	 */
	if (err == -EINTR || err == -EFBIG || err == -ENOMEM)
		err = write_in_worker(filp, pos, buf, len);
	return err;
}

int port_file_write_iter(struct port_file *file, u64 pos, struct port_iter *iter, size_t len)
{
	size_t rest;
	int err;

	if (len > MAX_RW_COUNT)
		return -EINVAL;
	if (iov_iter_count(iter->iov) < len)
		return -EFAULT;
	rest = iov_iter_count(iter->iov) - len;
	iov_iter_truncate(iter->iov, len);
	err = write_all(sluice_file(file), pos, iter->iov);
	iov_iter_reexpand(iter->iov, iov_iter_count(iter->iov) + rest);
	return err;
}

/* What was just written is there; only what was evicted meanwhile is read. */
static struct folio *get_uptodate_folio(struct file *filp, pgoff_t index)
{
	struct folio *folio = filemap_get_folio(filp->f_mapping, index);

	if (IS_ERR_OR_NULL(folio))
		return read_mapping_folio(filp->f_mapping, index, filp);
	if (folio_test_uptodate(folio))
		return folio;
	folio_put(folio);
	return read_mapping_folio(filp->f_mapping, index, filp);
}

/* Nobody else runs on the processor meanwhile. A power of two, not below a page. */
#define CRC_PIECE	SZ_64K

static u32 folio_crc32c(u32 crc, struct folio *folio, size_t offset, size_t len)
{
	while (len) {
		size_t piece = IS_ENABLED(CONFIG_HIGHMEM) ? PAGE_SIZE : CRC_PIECE;
		size_t n = min(len, piece - offset % piece);
		void *p = kmap_local_folio(folio, offset);

		crc = port_crc32c(crc, p, n);
		kunmap_local(p);
		offset += n;
		len -= n;
	}
	return crc;
}

int port_file_crc32c(struct port_file *file, u64 pos, size_t len, u32 *crc)
{
	struct file *filp = sluice_file(file);
	u64 size = port_file_size(file);

	if (pos > size || len > size - pos)
		return -EIO;
	while (len) {
		struct folio *folio = get_uptodate_folio(filp, pos >> PAGE_SHIFT);
		size_t offset, n;

		if (IS_ERR(folio))
			return PTR_ERR(folio);
		offset = offset_in_folio(folio, pos);
		n = min_t(size_t, len, folio_size(folio) - offset);
		*crc = folio_crc32c(*crc, folio, offset, n);
		folio_put(folio);
		pos += n;
		len -= n;
		cond_resched();
	}
	return 0;
}

bool port_file_patches(struct port_file *file)
{
	/*
	 * Not only for the number of folios: such a file system does not journal
	 * data, so that what is dirty in the page cache is all there is of it.
	 */
	return mapping_large_folio_support(sluice_file(file)->f_mapping);
}

/*
 * As a store through a mapping would do it. While a folio is locked, dirty and not
 * being written, it has its blocks, and nothing of it is on its way to the disk.
 */
static bool patch_folio(struct address_space *mapping, struct folio *folio, size_t offset,
			const void *buf, size_t len)
{
	bool patched = false;
	void *p;

	if (offset_in_page(offset) + len > PAGE_SIZE || !folio_trylock(folio))
		return false;
	if (folio->mapping == mapping && folio_test_uptodate(folio) && folio_test_dirty(folio) &&
	    !folio_test_writeback(folio)) {
		p = kmap_local_folio(folio, offset);
		memcpy(p, buf, len);
		kunmap_local(p);
		flush_dcache_folio(folio);
		/* Of several blocks some may be clean. */
		if (folio_size(folio) > i_blocksize(mapping->host))
			folio_mark_dirty(folio);
		patched = true;
	}
	folio_unlock(folio);
	return patched;
}

int port_file_patch(struct port_file *file, u64 pos, const void *head, size_t head_len, size_t len,
		    u32 *crc)
{
	struct address_space *mapping = sluice_file(file)->f_mapping;
	u64 done = pos + head_len;
	bool patched = false;
	struct folio *folio;
	int err = 0;

	if (port_file_patches(file)) {
		folio = get_uptodate_folio(sluice_file(file), pos >> PAGE_SHIFT);
		if (IS_ERR(folio))
			return PTR_ERR(folio);
		patched = patch_folio(mapping, folio, offset_in_folio(folio, pos), head, head_len);
		if (patched) {
			/* The folio may end with the head. */
			size_t offset = offset_in_folio(folio, pos) + head_len;
			size_t n = min_t(u64, len - head_len, folio_size(folio) - offset);

			*crc = folio_crc32c(*crc, folio, offset, n);
			done += n;
		}
		folio_put(folio);
	}
	if (!patched)
		err = port_file_write(file, pos, head, head_len);
	if (err || done == pos + len)
		return err;
	return port_file_crc32c(file, done, pos + len - done, crc);
}

static int truncate_file(struct file *filp, u64 size)
{
	const struct cred *old = override_creds(filp->f_cred);
	int err;

	err = vfs_truncate(&filp->f_path, size);
	revert_creds(old);
	return err;
}

struct truncate_args {
	struct file *filp;
	u64 size;
	int err;
};

static void truncate_fn(void *arg)
{
	struct truncate_args *ta = arg;

	ta->err = truncate_file(ta->filp, ta->size);
}

int port_file_truncate(struct port_file *file, u64 size)
{
	struct truncate_args ta = {
		.filp = sluice_file(file),
		.size = size,
	};

	truncate_fn(&ta);
	/*
	 * A tail that cannot be cut ends the log. xfs zeroes what follows in
	 * the last block for it, which fails if the caller is being killed, or
	 * if its memory cgroup is at its limit.
	 */
	if (ta.err)
		call_in_worker(truncate_fn, &ta);
	return ta.err;
}

struct reserve_args {
	struct file *filp;
	u64 pos;
	u64 len;
	int err;
};

/* With the credentials of who opened the file, whoever appends. */
static void reserve_fn(void *arg)
{
	struct reserve_args *ra = arg;
	const struct cred *old = override_creds(ra->filp->f_cred);

	ra->err = vfs_fallocate(ra->filp, FALLOC_FL_KEEP_SIZE, ra->pos, ra->len);
	revert_creds(old);
}

int port_file_reserve(struct port_file *file, u64 pos, u64 len)
{
	struct reserve_args ra = {
		.filp = sluice_file(file),
		.pos = pos,
		.len = len,
	};

	if (pos > LLONG_MAX || len > LLONG_MAX - pos)
		return -EFBIG;
	reserve_fn(&ra);
	/* ENOMEM may be the limit of the caller's memory cgroup. */
	if (ra.err == -EINTR || ra.err == -ENOMEM)
		call_in_worker(reserve_fn, &ra);
	return ra.err;
}

int port_file_sync(struct port_file *file)
{
	return sluice_group_sync(sluice_file(file), 1);
}
