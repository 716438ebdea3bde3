// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "tests/sim/fiber.h"

void sim_say(const char *fmt, ...)
{
	static int wanted = -1;
	va_list ap;

	if (wanted < 0)
		wanted = getenv("SIM_VERBOSE") != NULL;
	if (!wanted)
		return;
	fprintf(stderr, "%d: ", sim_self());
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
