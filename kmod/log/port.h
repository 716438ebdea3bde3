/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The port layer: all that the log engine needs of its host.
 *
 * The engine (kmod/log/) is compiled twice: by kbuild into sluice.ko, and into
 * libsluice-engine.a for recovery, the tools, the tests and the fuzzers. Each
 * host gives the functions below; nothing else of the engine may know where
 * it runs. All file-system calls of a host are in one file: kmod/file_io.c in
 * the kernel, kmod/log/port_user.c in userspace.
 *
 * Errors are negative errno. Unless it says otherwise a function may sleep and
 * must not be called under a port_spin.
 */
#ifndef SLUICE_LOG_PORT_H
#define SLUICE_LOG_PORT_H

#ifdef __KERNEL__
#include "port_kernel.h"
#else
#include "port_user.h"
#endif

/*
 * From the host's header:
 *
 * types	u8 s8 u16 s16 u32 s32 u64 s64 bool size_t __be16 __be32 __be64
 * bytes	get_unaligned_be16/32/64(p), put_unaligned_be16/32/64(v, p)
 * memory	READ_ONCE WRITE_ONCE smp_load_acquire smp_store_release
 *		container_of ARRAY_SIZE min max min_t max_t likely unlikely
 * struct port_mutex	port_mutex_init/destroy/lock/trylock/unlock,
 *		port_mutex_assert_held
 * struct port_spin	port_spin_init/destroy/lock/unlock, port_spin_assert_held:
 *		short, no sleeping inside
 * struct port_ref	port_ref_init (to 1), port_ref_get,
 *		port_ref_put (true when it was the last), port_ref_only (is there
 *		but one)
 * struct port_iter	a source of bytes that is read once, front to back:
 *		an iov_iter over user memory in the kernel, a plain buffer in
 *		userspace
 * struct port_memory_iter	port_memory_iter_init(m, buf, len) makes &m->iter one
 *		over the engine's own memory
 * __must_check, __printf(a, b)
 * port_trace_append(log, base_offset, records, bytes)
 * port_trace_fetch(log, offset, position, bytes)
 * port_trace_roll(log, base_offset)
 * port_log_cut(log)	the log was truncated and ends where its watermarks say:
 *	 with flush_mutex and append_mutex held, so that whoever waits
 *		for something that went is told before anything takes its place
 */

/**
 * port_alloc() - zeroed memory, any size the engine's own limits allow
 * Returns NULL if there is none. Accounted to the caller's memory cgroup.
 */
void *__must_check port_alloc(size_t size);

void port_free(const void *p);

/** port_now_ms() - wall clock, milliseconds since the epoch. */
s64 port_now_ms(void);

#define PORT_BUFFER_BYTES	(32 * 1024)

/**
 * port_buffer_get() - PORT_BUFFER_BYTES for a short time; NULL if there is no memory
 * Not zeroed: for what is written before it is read. One for a task at a time.
 */
void *__must_check port_buffer_get(void);
void port_buffer_put(void *p);

/*
 * For a large variable that an append sets before it reads it: kernels may zero all
 * that functions have on their stacks, which costs more than many a function does.
 */
#ifdef __CHECKER__
#define PORT_UNSET
#else
#define PORT_UNSET	__attribute__((__uninitialized__))
#endif

/** port_random_u32() - for spreading things in time; not for secrets. */
u32 port_random_u32(void);

/** port_crc32c() - CRC-32C of @len bytes at @p, going on from @crc (0 first). */
u32 port_crc32c(u32 crc, const void *p, size_t len);

/** port_warn() - one line to the host's diagnostics; no newline in @fmt. */
__printf(1, 2) void port_warn(const char *fmt, ...);

/*
 * Directories. A port_dir is one partition's directory, held open; names are
 * plain file names in it.
 */
struct port_dir;

/** port_dir_name() - what diagnostics call the directory; lives as long as it. */
const char *port_dir_name(const struct port_dir *dir);

/**
 * port_dir_list() - call @fn for each regular file, in no order
 * @fn: gets the name, not NUL-terminated; a non-zero return ends the listing
 *	and is returned
 */
int port_dir_list(struct port_dir *dir,
		  int (*fn)(void *ctx, const char *name, size_t len), void *ctx);

/** port_dir_sync() - make created, renamed and removed names durable. */
int port_dir_sync(struct port_dir *dir);

/**
 * port_file_rename() - give a file another name in its directory
 * Replaces what is called @to, atomically; whoever has the replaced file open
 * goes on with it. -ENOENT if there is no @from.
 */
int __must_check port_file_rename(struct port_dir *dir, const char *from, const char *to);

/** port_file_remove() - unlink @name; 0 if it was not there. */
int __must_check port_file_remove(struct port_dir *dir, const char *name);

/*
 * Files. Only regular files that can be read and written; a port_file is
 * opened once and kept, so that no write-back error is missed.
 */
struct port_file;

#define PORT_CREATE	(1 << 0)	/* must not exist: -EEXIST */
#define PORT_RDONLY	(1 << 1)

/** port_file_open() - open @name in @dir; PTR in @ret_file, 0 or -errno. */
int __must_check port_file_open(struct port_dir *dir, const char *name, unsigned int flags,
				struct port_file **ret_file);
void port_file_close(struct port_file *file);

s64 port_file_size(struct port_file *file);

/** port_file_inode() - the number by which the file is known again. */
u64 port_file_inode(struct port_file *file);

/** port_file_mtime_ms() - when it was last written; milliseconds since the epoch. */
s64 port_file_mtime_ms(struct port_file *file);

/**
 * port_file_read() - read at a position
 * Returns the bytes read: less than @len only at the end of the file.
 */
ssize_t __must_check port_file_read(struct port_file *file, u64 pos, void *buf, size_t len);

/** port_file_write() - write all of it at a position, or fail. */
int __must_check port_file_write(struct port_file *file, u64 pos, const void *buf, size_t len);

/**
 * port_file_write_iter() - write @len bytes taken from @iter, or fail
 * On failure the file may hold some of them past its old size, and @iter is
 * where it got to. -EFAULT if the source cannot be read.
 */
int __must_check port_file_write_iter(struct port_file *file, u64 pos, struct port_iter *iter,
				      size_t len);

/**
 * port_file_crc32c() - CRC of stored bytes
 * Reads what the file holds (in the kernel, in the page cache itself), never
 * what was handed to a write. -EIO if the file ends before @pos + @len.
 */
int __must_check port_file_crc32c(struct port_file *file, u64 pos, size_t len, u32 *crc);

/**
 * port_file_patches() - is it cheap to change a few bytes of what was just written
 * Where it is not, what is to be changed is better copied and changed before.
 */
bool port_file_patches(struct port_file *file);

/**
 * port_file_patch() - change the first bytes of what was just written
 * @pos: where that begins; it is the end of the file, and nobody reads it yet
 * @head: to be stored there, @head_len bytes
 * @len: of all that was written
 * @crc: goes on with what is stored behind @head, as port_file_crc32c() would
 */
int __must_check port_file_patch(struct port_file *file, u64 pos, const void *head,
				 size_t head_len, size_t len, u32 *crc);

int __must_check port_file_truncate(struct port_file *file, u64 size);

/**
 * port_file_reserve() - have the space for @len bytes at @pos, size unchanged
 * A write of them does not fail later for want of space. -EOPNOTSUPP where the
 * file system cannot promise it: go on without.
 */
int __must_check port_file_reserve(struct port_file *file, u64 pos, u64 len);

/** port_file_sync() - data to stable storage. A failure is final for the log. */
int __must_check port_file_sync(struct port_file *file);

/**
 * port_file_refresh() - let what is read from now on be what the storage has
 * Syncs the file and drops it from the page cache: after a sync that failed the
 * cache may hold, as clean, what never got to the storage, and no later sync
 * writes it. Userspace only.
 */
int __must_check port_file_refresh(struct port_file *file);

/* Iterators. */
size_t port_iter_count(const struct port_iter *iter);

/** port_iter_copy() - take the next @len bytes; -EFAULT and short if it cannot. */
int __must_check port_iter_copy(struct port_iter *iter, void *buf, size_t len);

/** port_iter_revert() - give back the last @len bytes that were taken. */
void port_iter_revert(struct port_iter *iter, size_t len);

/**
 * port_iter_peek() - copy the next @len bytes, but do not take them
 * Never waits for the source: -EFAULT if some of it is not at hand.
 */
int __must_check port_iter_peek(const struct port_iter *iter, void *buf, size_t len);

#endif /* SLUICE_LOG_PORT_H */
