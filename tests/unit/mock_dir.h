/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data directory of one test, over a mock of the kernel.
 */
#ifndef TESTS_MOCK_DIR_H
#define TESTS_MOCK_DIR_H

#include "daemon/log/log_dir.h"
#include "tests/unit/fail_syscalls.h"
#include "tests/unit/mock_kern.h"
#include "tests/unit/temp_dir.h"

/** path, dir_fd - the directory; k - the kernel; err - for what is called with them */
extern const char *path;
extern int dir_fd;
extern struct kern *k;
extern struct log_dir_error err;

/** mock_dir_setup() - for cmocka: an empty directory and an empty kernel */
int mock_dir_setup(void **state);
int mock_dir_teardown(void **state);

/** new_kernel() - a crash: what was open is gone, and the directory not marked as clean */
void new_kernel(void);

#endif /* TESTS_MOCK_DIR_H */
