/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel for tests: kern.h over lists in memory. Like the module it refuses
 * to open a topic whose partition directories are not there.
 */
#ifndef TESTS_MOCK_KERN_H
#define TESTS_MOCK_KERN_H

#include "daemon/kern/kern.h"

/** mock_kern_new() - a module with nothing in it; free with kern_close() */
struct kern *mock_kern_new(void);

/** mock_kern_fail() - let the @n-th call from now on fail with @err; 0: none */
void mock_kern_fail(struct kern *k, unsigned int n, int err);

/** mock_kern_refuse() - refuse to create this topic, @times, with @err */
void mock_kern_refuse(struct kern *k, const char *topic, int err, uint32_t times);

/** mock_kern_partition() - the partition that kern_partitions() tells about */
struct kern_partition *mock_kern_partition(struct kern *k, const char *topic, uint32_t index);

/** mock_kern_calls() - changing calls so far, "attach /x; create t 3; ..." */
const char *mock_kern_calls(const struct kern *k);

/** mock_kern_has() - is the topic open, and with how many partitions */
uint32_t mock_kern_has(struct kern *k, const char *topic);

/** mock_kern_clean() - how many partitions were said to have been closed cleanly */
uint32_t mock_kern_clean(const struct kern *k);

/** mock_kern_on_truncate() - called while a log is truncated. */
void mock_kern_on_truncate(struct kern *k, void (*fn)(void));

#endif /* TESTS_MOCK_KERN_H */
