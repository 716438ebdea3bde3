// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/socket/harness.h"

/* Longer than any runner's own limit for a slow kernel. */
#define SECONDS_MAX 880

static bool failed;
static const char *skipped;

void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("# ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("Bail out! ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	exit(1);
}

void check_failed(const char *file, int line, const char *format, ...)
{
	int error = errno;
	va_list args;

	failed = true;
	printf("# %s:%d: ", file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(error ? " (errno: %s)\n" : "\n", strerror(error));
	fflush(stdout);
}

void skip_test(const char *why)
{
	skipped = why;
}

int run_tests(const struct test *tests, size_t n)
{
	bool any_failed = false;

	alarm(SECONDS_MAX);
	printf("TAP version 13\n1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		failed = false;
		skipped = NULL;
		fflush(stdout);
		tests[i].run();
		any_failed |= failed;
		printf("%sok %zu - %s%s%s\n", failed ? "not " : "", i + 1, tests[i].name,
		       skipped ? " # SKIP " : "", skipped ? skipped : "");
	}
	fflush(stdout);
	return any_failed;
}
