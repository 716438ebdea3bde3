/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many bytes of requests may be in memory at once: queued.max.request.bytes.
 * As in Kafka a request gets all of its bytes or waits, and one that finds any
 * left gets all: those that began to be read come to their end.
 */
#ifndef SLUICE_NET_REQUEST_MEMORY_H
#define SLUICE_NET_REQUEST_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** struct request_memory - one for all workers; @left: may be below 0; @limited: or there is no limit */
struct request_memory {
	_Atomic int64_t left;
	bool limited;
};

/** request_memory_init - @max_bytes: 0 or less: no limit */
static inline void request_memory_init(struct request_memory *m, int64_t max_bytes)
{
	atomic_init(&m->left, max_bytes);
	m->limited = max_bytes > 0;
}

/** request_memory_take - @n bytes; false: wait until others have given some back */
static inline bool request_memory_take(struct request_memory *m, uint32_t n)
{
	int64_t left = atomic_load(&m->left);

	if (!m->limited)
		return true;
	do {
		if (left <= 0)
			return false;
	} while (!atomic_compare_exchange_weak(&m->left, &left, left - n));
	return true;
}

/** request_memory_give - back what was taken */
static inline void request_memory_give(struct request_memory *m, uint32_t n)
{
	if (m->limited)
		atomic_fetch_add(&m->left, n);
}

#endif /* SLUICE_NET_REQUEST_MEMORY_H */
