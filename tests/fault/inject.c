// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/fault/fault.h"

static int fail_nth_fd = -1;

static void write_fail_nth(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	if (fail_nth_fd < 0)
		fail_nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth_fd < 0 || pwrite(fail_nth_fd, text, (size_t)len, 0) != len)
		die("this kernel cannot inject faults: fail-nth: %s", strerror(errno));
}

void fault_inject_begin(unsigned int nth)
{
	write_fail_nth(nth);
}

bool fault_inject_end(void)
{
	char text[16] = "";

	if (pread(fail_nth_fd, text, sizeof(text) - 1, 0) <= 0)
		die("fail-nth: %s", strerror(errno));
	write_fail_nth(0);
	return atoi(text) == 0;
}

int fault_result(long ret)
{
	return ret < 0 ? -errno : (int)ret;
}

const char *fault_format(const char *format, ...)
{
	static char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return text;
}
