/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The kernel half of port.h: types, locks and the source iterator.
 *
 * The functions of port.h and the port_trace_*() hooks below are implemented
 * by the module, outside kmod/log/.
 */
#ifndef SLUICE_LOG_PORT_KERNEL_H
#define SLUICE_LOG_PORT_KERNEL_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/uio.h>
#include <linux/version.h>
#include <asm/barrier.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

struct port_mutex {
	struct mutex mutex;	/* protects what the engine says at its field */
};

/* Macros, so that lockdep sees one class for each place that initialises. */
#define port_mutex_init(m)	mutex_init(&(m)->mutex)

static inline void port_mutex_destroy(struct port_mutex *m)
{
	mutex_destroy(&m->mutex);
}

static inline void port_mutex_lock(struct port_mutex *m)
{
	mutex_lock(&m->mutex);
}

static inline bool __must_check port_mutex_trylock(struct port_mutex *m)
{
	return mutex_trylock(&m->mutex);
}

static inline void port_mutex_unlock(struct port_mutex *m)
{
	mutex_unlock(&m->mutex);
}

#define port_mutex_assert_held(m)	lockdep_assert_held(&(m)->mutex)

struct port_spin {
	spinlock_t lock;	/* the same */
};

#define port_spin_init(s)	spin_lock_init(&(s)->lock)

static inline void port_spin_destroy(struct port_spin *s)
{
}

static inline void port_spin_lock(struct port_spin *s)
	__acquires(&s->lock)
{
	spin_lock(&s->lock);
}

static inline void port_spin_unlock(struct port_spin *s)
	__releases(&s->lock)
{
	spin_unlock(&s->lock);
}

#define port_spin_assert_held(s)	lockdep_assert_held(&(s)->lock)

struct port_ref {
	refcount_t count;
};

static inline void port_ref_init(struct port_ref *r)
{
	refcount_set(&r->count, 1);
}

static inline void port_ref_get(struct port_ref *r)
{
	refcount_inc(&r->count);
}

static inline bool __must_check port_ref_put(struct port_ref *r)
{
	return refcount_dec_and_test(&r->count);
}

static inline bool port_ref_only(const struct port_ref *r)
{
	/* Acquires what the one who gave his reference back did before. */
	return atomic_read_acquire(&r->count.refs) == 1;
}

/**
 * struct port_iter - the source of an append
 * @iov: borrowed; advanced as far as the engine reads
 */
struct port_iter {
	struct iov_iter *iov;
};

static inline void port_iter_init(struct port_iter *iter, struct iov_iter *iov)
{
	iter->iov = iov;
}

/**
 * struct port_memory_iter - an iterator over kernel memory
 * @iter: to be used
 */
struct port_memory_iter {
	struct port_iter iter;
	struct iov_iter iov;
	struct kvec vec;
};

static inline void port_memory_iter_init(struct port_memory_iter *m, const void *buf, size_t len)
{
	m->vec.iov_base = (void *)buf;
	m->vec.iov_len = len;
	iov_iter_kvec(&m->iov, ITER_SOURCE, &m->vec, 1, len);
	port_iter_init(&m->iter, &m->iov);
}

struct sluice_log;

void port_trace_append(const struct sluice_log *log, s64 base_offset, s32 records, u32 bytes);
void port_trace_fetch(const struct sluice_log *log, s64 offset, u64 position, u32 bytes);
void port_trace_roll(const struct sluice_log *log, s64 base_offset);
void port_log_cut(const struct sluice_log *log);

#endif /* SLUICE_LOG_PORT_KERNEL_H */
