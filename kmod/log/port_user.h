/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The userspace half of port.h: types, locks, the source iterator, and what
 * only userspace has (opening a directory, fault injection).
 */
#ifndef SLUICE_LOG_PORT_USER_H
#define SLUICE_LOG_PORT_USER_H

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __s8 s8;
typedef __u16 u16;
typedef __s16 s16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;

#define U32_MAX	((u32)~0U)
#define S32_MAX	((s32)(U32_MAX >> 1))
#define U64_MAX	((u64)~0ULL)
#define S64_MAX	((s64)(U64_MAX >> 1))
#define S64_MIN	((s64)(-S64_MAX - 1))

#ifndef __must_check
#define __must_check	__attribute__((warn_unused_result))
#endif
#ifndef __printf
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#endif

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#ifndef static_assert
#define static_assert	_Static_assert
#endif

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define min_t(type, a, b) ({				\
	type min_a_ = (a);				\
	type min_b_ = (b);				\
	min_a_ < min_b_ ? min_a_ : min_b_;		\
})
#define max_t(type, a, b) ({				\
	type max_a_ = (a);				\
	type max_b_ = (b);				\
	max_a_ > max_b_ ? max_a_ : max_b_;		\
})
#define min(a, b)	min_t(__typeof__((a) + 0), a, b)
#define max(a, b)	max_t(__typeof__((a) + 0), a, b)

#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)

#define PORT_UNALIGNED(bits)							\
static inline u##bits get_unaligned_be##bits(const void *p)			\
{										\
	u##bits v;								\
										\
	memcpy(&v, p, sizeof(v));						\
	return __builtin_bswap##bits(v);					\
}										\
										\
static inline void put_unaligned_be##bits(u##bits v, void *p)			\
{										\
	v = __builtin_bswap##bits(v);						\
	memcpy(p, &v, sizeof(v));						\
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the accessors below swap bytes without asking"
#endif
PORT_UNALIGNED(16)
PORT_UNALIGNED(32)
PORT_UNALIGNED(64)
#undef PORT_UNALIGNED

#ifdef PORT_SIM
/* Where threads are simulated, so that they meet at chosen places. */
#include "tests/sim/locks.h"
#else
struct port_mutex {
	pthread_mutex_t mutex;
};

static inline void port_mutex_init(struct port_mutex *m)
{
	pthread_mutex_init(&m->mutex, NULL);
}

static inline void port_mutex_destroy(struct port_mutex *m)
{
	pthread_mutex_destroy(&m->mutex);
}

static inline void port_mutex_lock(struct port_mutex *m)
{
	pthread_mutex_lock(&m->mutex);
}

static inline bool __must_check port_mutex_trylock(struct port_mutex *m)
{
	return !pthread_mutex_trylock(&m->mutex);
}

static inline void port_mutex_unlock(struct port_mutex *m)
{
	pthread_mutex_unlock(&m->mutex);
}

/* Cannot tell who holds it, but that nobody does is always found. */
#define port_mutex_assert_held(m)	assert(pthread_mutex_trylock(&(m)->mutex) == EBUSY)

struct port_spin {
	pthread_spinlock_t lock;
};

static inline void port_spin_init(struct port_spin *s)
{
	pthread_spin_init(&s->lock, PTHREAD_PROCESS_PRIVATE);
}

static inline void port_spin_destroy(struct port_spin *s)
{
	pthread_spin_destroy(&s->lock);
}

static inline void port_spin_lock(struct port_spin *s)
{
	pthread_spin_lock(&s->lock);
}

static inline void port_spin_unlock(struct port_spin *s)
{
	pthread_spin_unlock(&s->lock);
}

#define port_spin_assert_held(s)	assert(pthread_spin_trylock(&(s)->lock) == EBUSY)
#endif

#ifndef smp_store_release
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#endif

struct port_ref {
	u32 count;
};

static inline void port_ref_init(struct port_ref *r)
{
	__atomic_store_n(&r->count, 1, __ATOMIC_RELAXED);
}

static inline void port_ref_get(struct port_ref *r)
{
	u32 old = __atomic_fetch_add(&r->count, 1, __ATOMIC_RELAXED);

	assert(old > 0);
	(void)old;
}

static inline bool __must_check port_ref_put(struct port_ref *r)
{
	u32 left = __atomic_sub_fetch(&r->count, 1, __ATOMIC_ACQ_REL);

	assert(left != U32_MAX);
	return left == 0;
}

static inline bool port_ref_only(const struct port_ref *r)
{
	return __atomic_load_n(&r->count, __ATOMIC_ACQUIRE) == 1;
}

/** struct port_iter - a plain buffer, read front to back; borrowed */
struct port_iter {
	const u8 *next;
	size_t left;
};

static inline void port_iter_init(struct port_iter *iter, const void *buf, size_t len)
{
	iter->next = buf;
	iter->left = len;
}

struct port_memory_iter {
	struct port_iter iter;
};

static inline void port_memory_iter_init(struct port_memory_iter *m, const void *buf, size_t len)
{
	port_iter_init(&m->iter, buf, len);
}

struct port_dir;
struct sluice_log;

/**
 * port_dir_open() - open a directory by path
 * Returns the directory, to be freed with port_dir_close(), or NULL with errno.
 */
struct port_dir *port_dir_open(const char *path);
void port_dir_close(struct port_dir *dir);

/** port_warn_to() - where port_warn() writes: stderr unless set; NULL is nowhere. */
void port_warn_to(FILE *stream);

/* The table-driven CRC-32C, whatever the processor can do; for the tests. */
u32 port_crc32c_table(u32 crc, const void *p, size_t len);

static inline void port_trace_append(const struct sluice_log *log, s64 base_offset, s32 records,
				     u32 bytes)
{
	(void)log, (void)base_offset, (void)records, (void)bytes;
}

static inline void port_trace_fetch(const struct sluice_log *log, s64 offset, u64 position,
				    u32 bytes)
{
	(void)log, (void)offset, (void)position, (void)bytes;
}

static inline void port_trace_roll(const struct sluice_log *log, s64 base_offset)
{
	(void)log, (void)base_offset;
}

static inline void port_log_cut(const struct sluice_log *log)
{
	(void)log;
}

#ifdef PORT_FAULT
/**
 * port_fault_set() - let the @n-th call from now on fail, counting from 1
 * @n: 0 lets all succeed
 * @sticky: all calls after it fail too
 * Counted are the port functions that can fail. A write that fails leaves half
 * of its bytes in the file.
 */
void port_fault_set(u32 n, bool sticky);

/** port_fault_left() - how many calls are left until the one that fails. */
u32 port_fault_left(void);

/**
 * port_fault_full() - let the disk be full for some files
 * @part: of their names when they are opened; "" is all, NULL none: there is room
 * @n: the @n-th call that needs room for one of them, counting from 1, is the
 *	first that finds none: -ENOSPC
 * Room is needed for a name that was not there, and for bytes behind those that
 * were written or reserved. Of a write that finds none half may be in the file.
 */
void port_fault_full(const char *part, u32 n);

/** port_fault_hit() - has a call failed since one of the above was called. */
bool port_fault_hit(void);
#endif

#endif /* SLUICE_LOG_PORT_USER_H */
