/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a simulated machine: it ends with a power cut. */
#ifndef TESTS_SIM_MEMORY_H
#define TESTS_SIM_MEMORY_H

#include "port.h"

/** sim_memory() - for the port itself, and port_free(); never NULL, no fault counts it. */
void *sim_memory(size_t size);

/** sim_memory_fails() - is there to be none; disk.h has the faults. */
bool sim_memory_fails(void);

/** sim_memory_drop() - all of it is gone. */
void sim_memory_drop(void);

/** sim_memory_in_use() - pieces that were not given back; open files are such, too. */
u32 sim_memory_in_use(void);

/** sim_clock_set() - what port_now_ms() says. */
void sim_clock_set(s64 now_ms);

#endif /* TESTS_SIM_MEMORY_H */
