/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TAP for tests of the kernel's interface. A test is a function; it passes if
 * it returns without a failed CHECK. Programs end with
 *
 *	int main(void) { return run_tests(tests, ARRAY_LEN(tests)); }
 */
#ifndef TESTS_SOCKET_HARNESS_H
#define TESTS_SOCKET_HARNESS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

struct test {
	const char *name;
	void (*run)(void);
};
#define TEST(function)              \
	{                           \
#function, function \
	}
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/** run_tests() - run all, print TAP; the exit status. */
int run_tests(const struct test *tests, size_t n);

/** check_failed() - say what did not hold; the running test has failed. */
void check_failed(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** skip_test() - the running test cannot be done here. */
void skip_test(const char *why);

/** die() - the surroundings are broken: no test can say anything. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/** note() - a line of comment. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A check that fails ends the test's function. */
#define CHECK(what)                                                    \
	do {                                                           \
		errno = 0;                                             \
		if (!(what)) {                                         \
			check_failed(__FILE__, __LINE__, "%s", #what); \
			return;                                        \
		}                                                      \
	} while (0)

/* Two numbers that must be equal; both are shown if not. */
#define CHECK_EQ(what, expected)                                                                  \
	do {                                                                                      \
		errno = 0;                                                                        \
		long long is_ = (long long)(what), should_ = (long long)(expected);               \
		if (is_ != should_) {                                                             \
			check_failed(__FILE__, __LINE__, "%s is %lld, not %s = %lld", #what, is_, \
				     #expected, should_);                                         \
			return;                                                                   \
		}                                                                                 \
	} while (0)

/* A call that must fail with this errno. */
#define CHECK_ERRNO(call, error)                                                             \
	do {                                                                                 \
		errno = 0;                                                                   \
		long long got_ = (long long)(call);                                          \
		if (got_ >= 0 || errno != (error)) {                                         \
			check_failed(__FILE__, __LINE__, "%s returned %lld, not -1 with %s", \
				     #call, got_, #error);                                   \
			return;                                                              \
		}                                                                            \
	} while (0)

#endif /* TESTS_SOCKET_HARNESS_H */
