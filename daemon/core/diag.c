// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/core/diag.h"
#include "daemon/core/reactor.h"

#define DIAG_LINE_MAX	  1024
#define DIAG_WINDOW_MS	  10000
#define DIAG_WINDOW_LINES 10

/* The one global state of the daemon: where its lines go. */
static bool to_journal;
static pthread_mutex_t limit_lock = PTHREAD_MUTEX_INITIALIZER;

void diag_init(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	to_journal = stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
		     !fstat(STDERR_FILENO, &st) && st.st_dev == dev && st.st_ino == ino;
}

static void say(enum diag_level level, unsigned int left_out, const char *fmt, va_list args)
{
	char line[DIAG_LINE_MAX];
	const size_t room = sizeof(line) - 1; /* for the newline */
	size_t n = 0;

	if (to_journal)
		n += (size_t)snprintf(line, room, "<%d>", (int)level);
	else
		n += (size_t)snprintf(line, room, "sluiced: ");
	n += (size_t)vsnprintf(line + n, room - n, fmt, args);
	if (n >= room)
		n = room - 1;
	if (left_out) {
		n += (size_t)snprintf(line + n, room - n, " (%u more like it left out)", left_out);
		if (n >= room)
			n = room - 1;
	}
	line[n++] = '\n';
	/* One write, so that lines of several threads do not mix. */
	if (write(STDERR_FILENO, line, n) < 0)
		errno = 0;
}

void diag(enum diag_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(level, 0, fmt, args);
	va_end(args);
}

static bool allowed(struct diag_limit *limit, unsigned int *ret_left_out)
{
	int64_t now = monotonic_ms();
	bool ok;

	pthread_mutex_lock(&limit_lock);
	if (!limit->said || now - limit->window_start_ms >= DIAG_WINDOW_MS) {
		limit->window_start_ms = now;
		limit->said = 0;
	}
	ok = limit->said < DIAG_WINDOW_LINES;
	if (ok) {
		limit->said++;
		*ret_left_out = limit->left_out;
		limit->left_out = 0;
	} else {
		limit->left_out++;
	}
	pthread_mutex_unlock(&limit_lock);
	return ok;
}

void diag_limited(struct diag_limit *limit, enum diag_level level, const char *fmt, ...)
{
	unsigned int left_out;
	va_list args;

	if (!allowed(limit, &left_out))
		return;
	va_start(args, fmt);
	say(level, left_out, fmt, args);
	va_end(args);
}
