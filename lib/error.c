// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "lib/internal.h"

#define TEXT_SIZE 320

static _Thread_local char text[TEXT_SIZE];

int sluice__fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err;
}

int sluice__fail_socket(int fd, int err, const char *what)
{
	char said[200] = "";
	socklen_t len = sizeof(said);

	if (getsockopt(fd, SOL_SLUICE, SLUICE_ERROR_TEXT, said, &len) || len == 0)
		said[0] = '\0';
	said[sizeof(said) - 1] = '\0';
	return sluice__fail(err, "%s: %s", what, said[0] ? said : strerror(-err));
}

SLUICE_API const char *sluice_strerror(void)
{
	return text;
}

SLUICE_API const char *sluice_version(void)
{
	return SLUICE_LIB_VERSION;
}
