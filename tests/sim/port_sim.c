// SPDX-License-Identifier: Apache-2.0
/* The port of a simulated machine, but for its files: disk.c has those. */
#include "tests/sim/memory.h"

#include <stdarg.h>
#include <stdlib.h>
#include "tests/sim/random.h"

struct memory {
	struct memory *next;
	struct memory **link;
	u8 bytes[];
};

static struct memory *all;
static u32 in_use;
static s64 clock_ms;

void *sim_memory(size_t size)
{
	struct memory *m = calloc(1, sizeof(*m) + size);

	assert(m);
	m->next = all;
	m->link = &all;
	if (all)
		all->link = &m->next;
	all = m;
	in_use++;
	return m->bytes;
}

u32 sim_memory_in_use(void)
{
	return in_use;
}

void sim_memory_drop(void)
{
	while (all)
		port_free(all->bytes);
}

void *port_alloc(size_t size)
{
	return sim_memory_fails() ? NULL : sim_memory(size);
}

void *port_buffer_get(void)
{
	return port_alloc(PORT_BUFFER_BYTES);
}

void port_buffer_put(void *p)
{
	port_free(p);
}

void port_free(const void *p)
{
	struct memory *m;

	if (!p)
		return;
	m = container_of((u8 *)p, struct memory, bytes[0]);
	*m->link = m->next;
	if (m->next)
		m->next->link = m->link;
	in_use--;
	free(m);
}

void sim_clock_set(s64 now_ms)
{
	clock_ms = now_ms;
}

s64 port_now_ms(void)
{
	return clock_ms;
}

u32 port_random_u32(void)
{
	return sim_random(U32_MAX);
}

static FILE *warn_stream;

void port_warn_to(FILE *stream)
{
	warn_stream = stream;
}

void port_warn(const char *fmt, ...)
{
	va_list ap;

	if (!warn_stream)
		return;
	va_start(ap, fmt);
	vfprintf(warn_stream, fmt, ap);
	va_end(ap);
	fputc('\n', warn_stream);
}

size_t port_iter_count(const struct port_iter *iter)
{
	return iter->left;
}

int port_iter_copy(struct port_iter *iter, void *buf, size_t len)
{
	size_t part = min(len, iter->left);

	memcpy(buf, iter->next, part);
	iter->next += part;
	iter->left -= part;
	return part == len ? 0 : -EFAULT;
}

void port_iter_revert(struct port_iter *iter, size_t len)
{
	iter->next -= len;
	iter->left += len;
}

int port_iter_peek(const struct port_iter *iter, void *buf, size_t len)
{
	if (len > iter->left)
		return -EFAULT;
	memcpy(buf, iter->next, len);
	return 0;
}
