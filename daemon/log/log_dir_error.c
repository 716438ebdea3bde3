// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "daemon/log/log_dir_open.h"

int log_dir_fail(struct log_dir_error *err, int code, const char *fmt, ...)
{
	static const char next_step[] = ": make room there first";
	va_list ap;
	size_t len;

	if (!err)
		return code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	if ((code == -ENOSPC || code == -EDQUOT) && len + sizeof(next_step) <= sizeof(err->text))
		memcpy(err->text + len, next_step, sizeof(next_step));
	return code;
}
