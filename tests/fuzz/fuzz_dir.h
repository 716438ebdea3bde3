/* SPDX-License-Identifier: Apache-2.0 */
/* The directory in which a fuzzer has its files, in memory. */
#ifndef TESTS_FUZZ_FUZZ_DIR_H
#define TESTS_FUZZ_FUZZ_DIR_H

#include <stdlib.h>
#include <unistd.h>

#include "port.h"

static char path[] = "/dev/shm/sluice-fuzz-XXXXXX";
static struct port_dir *dir;

/* @clean_up is called in the end, to remove all files and then fuzz_dir_remove(). */
static inline void fuzz_dir_make(void (*clean_up)(void))
{
	/* What is warned of would be thousands of times. */
	port_warn_to(NULL);
	if (!mkdtemp(path))
		abort();
	dir = port_dir_open(path);
	if (!dir)
		abort();
	atexit(clean_up);
}

static inline void fuzz_dir_remove(void)
{
	port_dir_close(dir);
	rmdir(path);
}

#endif /* TESTS_FUZZ_FUZZ_DIR_H */
