/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one directory of a simulated machine, and what a power cut leaves of it.
 *
 * Each file has two images: what is read, and what the storage has. A write
 * reaches the second with the next sync that succeeds, or, piece by piece and in
 * any order, by chance. What a sync failed for is marked clean as the kernel
 * does, and reaches it by no later sync. Names change in their order, as with a
 * journal: a sync of the directory makes all of them durable, and a power cut
 * leaves any number of the first ones behind that.
 */
#ifndef TESTS_SIM_DISK_H
#define TESTS_SIM_DISK_H

#include "port.h"

enum sim_op {
	SIM_ALLOC = 1 << 0,
	SIM_OPEN = 1 << 1,
	SIM_CREATE = 1 << 2,
	SIM_READ = 1 << 3,
	SIM_WRITE = 1 << 4,
	SIM_TRUNCATE = 1 << 5,
	SIM_RESERVE = 1 << 6,
	SIM_SYNC = 1 << 7,
	SIM_RENAME = 1 << 8,
	SIM_REMOVE = 1 << 9,
	SIM_LIST = 1 << 10,
	SIM_DIR_SYNC = 1 << 11,
	SIM_ANY = (1 << 12) - 1,
};

/** sim_disk_format() - no files, no faults, room without end. */
void sim_disk_format(void);

/** sim_dir() - the directory; valid until the next power cut. */
struct port_dir *sim_dir(void);

/**
 * sim_disk_cut_power() - only what the storage has is left
 * All that the port gave away, memory and open files, is gone.
 */
void sim_disk_cut_power(void);

/**
 * sim_fault() - let a call fail
 * @ops: SIM_*: those that count
 * @part: and only for files with this in their names; NULL: all
 * @n: the n-th of them fails, 1 is the next; 0: none does
 * @sticky: all that follow it as well
 */
void sim_fault(unsigned int ops, const char *part, u32 n, bool sticky, int err);

/** sim_fault_hit() - has a call failed since, by that or for want of space. */
bool sim_fault_hit(void);

/** sim_disk_limit() - so many bytes are free from now on; U64_MAX: no limit. */
void sim_disk_limit(u64 bytes);

#endif /* TESTS_SIM_DISK_H */
