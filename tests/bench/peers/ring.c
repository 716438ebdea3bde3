// SPDX-License-Identifier: Apache-2.0
/*
 * Shared memory: a ring of one writer and one reader. Who finds it empty, or full,
 * sleeps on a futex, and the other one wakes it; nobody who is awake makes a call.
 */
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/bench/peers/peer.h"
#include "tests/socket/harness.h"

#define SLOTS 1024U /* a power of two */

/* Each count only grows, and only one of the two writes it. */
struct ring {
	_Alignas(64) atomic_uint written;
	_Alignas(64) atomic_uint read;
	_Alignas(64) atomic_uint reader_sleeps;
	atomic_uint writer_sleeps;
	_Alignas(64) uint8_t slots[];
};

static void ring_open(struct channel *c)
{
	c->out = c->in = -1;
	c->state = mmap(NULL, sizeof(struct ring) + SLOTS * c->len, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (c->state == MAP_FAILED)
		die("mmap: %s", strerror(errno));
}

/* Until @count is not @seen any more; the other side looks at @sleeps behind its change. */
static void ring_sleep(atomic_uint *count, unsigned int seen, atomic_uint *sleeps)
{
	atomic_store(sleeps, 1);
	while (atomic_load(count) == seen)
		syscall(SYS_futex, count, FUTEX_WAIT, seen, NULL, NULL, 0);
	atomic_store(sleeps, 0);
}

static void ring_wake(atomic_uint *count, atomic_uint *sleeps)
{
	if (atomic_load(sleeps))
		syscall(SYS_futex, count, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void ring_send(struct channel *c, unsigned int n)
{
	struct ring *r = c->state;
	unsigned int written = atomic_load_explicit(&r->written, memory_order_relaxed);

	unsigned int seen;

	/* Shown all at once: a reader that sleeps is woken once. */
	while (seen = atomic_load_explicit(&r->read, memory_order_acquire),
	       written - seen > SLOTS - n)
		ring_sleep(&r->read, seen, &r->writer_sleeps);
	for (unsigned int i = 0; i < n; i++)
		memcpy(r->slots + (written + i) % SLOTS * c->len, c->buf + i * c->len, c->len);
	atomic_store(&r->written, written + n);
	ring_wake(&r->written, &r->reader_sleeps);
}

static unsigned int ring_receive(struct channel *c, unsigned int n)
{
	struct ring *r = c->state;
	unsigned int at = atomic_load_explicit(&r->read, memory_order_relaxed), there;

	if (atomic_load(&r->written) == at)
		ring_sleep(&r->written, at, &r->reader_sleeps);
	there = atomic_load_explicit(&r->written, memory_order_acquire) - at;
	if (there < n)
		n = there;
	for (unsigned int i = 0; i < n; i++)
		memcpy(c->buf + i * c->len, r->slots + (at + i) % SLOTS * c->len, c->len);
	atomic_store(&r->read, at + n);
	ring_wake(&r->read, &r->writer_sleeps);
	return n;
}

static void ring_close(struct channel *c)
{
	munmap(c->state, sizeof(struct ring) + SLOTS * c->len);
}

const struct peer ring_peer = {
	.name = "ring",
	.open = ring_open,
	.send = ring_send,
	.receive = ring_receive,
	.close = ring_close,
};
