/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets the n-th changing system call fail, or end the process there. The test
 * is linked with -Wl,--wrap for each of FAIL_SYSCALLS (daemon/kern.mk).
 */
#ifndef TESTS_FAIL_SYSCALLS_H
#define TESTS_FAIL_SYSCALLS_H

#include <stdbool.h>

#define FAIL_SYSCALLS_EXIT 42

enum fail_how {
	FAIL_NOT,
	FAIL_EIO,  /* that one call fails */
	FAIL_FULL, /* of those that need room, that one and all after it: ENOSPC */
	FAIL_EXIT, /* _exit(FAIL_SYSCALLS_EXIT) instead of the call: a crash */
};

/** fail_syscalls_set() - @n counts from 1; calls of all threads count */
void fail_syscalls_set(enum fail_how how, unsigned int n);

/** fail_syscalls_hit() - was there an n-th call since; switches it off */
bool fail_syscalls_hit(void);

/**
 * fail_syscalls_crash_at() - run @action in a child that ends at its n-th changing call
 * Return: false: there is no such call.
 */
bool fail_syscalls_crash_at(unsigned int n, void (*action)(void));

/** fail_syscalls_threads() - how many were started since it was asked last. */
unsigned int fail_syscalls_threads(void);

#endif /* TESTS_FAIL_SYSCALLS_H */
