// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers for the time of one append. Each processor keeps one that is free, for
 * to allocate one costs more than to copy a batch into it: a kernel that zeroes
 * what it allocates writes all of it. One that several appends have taken at a
 * time (they may sleep in it, or move) is allocated and freed as usual.
 *
 * The one kept belongs to nobody's memory cgroup; a task can have one at a time.
 */

#include "port_buffer.h"

#include "log/port.h"

#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>

static DEFINE_PER_CPU(void *, spare);

void *port_buffer_get(void)
{
	/* One instruction, so it does not matter where the task runs before or after it. */
	void *p = this_cpu_xchg(spare, NULL);

	return p ?: kvmalloc(PORT_BUFFER_BYTES, GFP_KERNEL | __GFP_NOWARN);
}

void port_buffer_put(void *p)
{
	if (p && this_cpu_cmpxchg(spare, NULL, p))
		kvfree(p);
}

void sluice_port_buffers_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kvfree(per_cpu(spare, cpu));
		per_cpu(spare, cpu) = NULL;
	}
}
