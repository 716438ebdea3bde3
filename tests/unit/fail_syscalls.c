// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/fail_syscalls.h"

static enum fail_how how;
static atomic_uint left;
static atomic_bool hit;

void fail_syscalls_set(enum fail_how new_how, unsigned int n)
{
	how = new_how;
	left = n;
	hit = false;
}

bool fail_syscalls_hit(void)
{
	how = FAIL_NOT;
	return hit;
}

bool fail_syscalls_crash_at(unsigned int n, void (*action)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		fail_syscalls_set(FAIL_EXIT, n);
		action();
		_exit(0);
	}
	assert_true(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != FAIL_SYSCALLS_EXIT)
		fail_msg("crash point %u: status %d", n, WEXITSTATUS(status));
	return WEXITSTATUS(status) == FAIL_SYSCALLS_EXIT;
}

/* From the n-th on, until there is room again. */
static bool finds_no_room(void)
{
	if (left > 1) {
		left--;
		return false;
	}
	hit = true;
	errno = ENOSPC;
	return true;
}

static bool fails(bool needs_room)
{
	if (how == FAIL_FULL)
		return needs_room && finds_no_room();
	if (how == FAIL_NOT || !left || atomic_fetch_sub(&left, 1) != 1)
		return false;
	hit = true;
	if (how == FAIL_EXIT)
		_exit(FAIL_SYSCALLS_EXIT);
	errno = EIO;
	return true;
}

static atomic_uint threads;

unsigned int fail_syscalls_threads(void)
{
	return atomic_exchange(&threads, 0);
}

int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg)
{
	threads++;
	return fails(false) ? EAGAIN : __real_pthread_create(t, a, fn, arg);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	return fails(false) ? -1 : __real_fsync(fd);
}

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	return fails(true) ? -1 : __real_write(fd, buf, len);
}

int __real_mkdirat(int fd, const char *name, mode_t mode);
int __wrap_mkdirat(int fd, const char *name, mode_t mode);
int __wrap_mkdirat(int fd, const char *name, mode_t mode)
{
	return fails(true) ? -1 : __real_mkdirat(fd, name, mode);
}

int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return fails(true) ? -1 : __real_renameat(from_fd, from, to_fd, to);
}

int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags)
{
	return fails(false) ? -1 : __real_unlinkat(fd, name, flags);
}

/* Only those that make a file change anything. */
int __real_openat(int fd, const char *name, int flags, mode_t mode);
int __wrap_openat(int fd, const char *name, int flags, ...);
int __wrap_openat(int fd, const char *name, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if (flags & O_CREAT) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
		if (fails(true))
			return -1;
	}
	return __real_openat(fd, name, flags, mode);
}
