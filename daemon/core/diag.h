/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: lines for the operator, on standard error or in the journal.
 * ("Log" always means the partition log here.) No other file prints.
 */
#ifndef SLUICE_CORE_DIAG_H
#define SLUICE_CORE_DIAG_H

#include <stdint.h>

/* Numbers are syslog's, which the journal understands. */
enum diag_level {
	DIAG_ERROR = 3,
	DIAG_WARNING = 4,
	DIAG_INFO = 6,
};

/** diag_init - look whether standard error is the journal, which wants a level before the line */
void diag_init(void);

/** diag - one line, without a newline in @fmt; from any thread */
__attribute__((format(printf, 2, 3))) void diag(enum diag_level level, const char *fmt, ...);

/**
 * struct diag_limit - bounds what one cause may say; a static of the place that says it
 * Zero it to begin with. Shared by all threads.
 */
struct diag_limit {
	int64_t window_start_ms;
	unsigned int said;
	unsigned int left_out;
};

/**
 * diag_limited - like diag(), but at most 10 lines in 10 seconds for each @limit
 * The next line that is said tells how many were not.
 */
__attribute__((format(printf, 3, 4))) void
diag_limited(struct diag_limit *limit, enum diag_level level, const char *fmt, ...);

#endif /* SLUICE_CORE_DIAG_H */
