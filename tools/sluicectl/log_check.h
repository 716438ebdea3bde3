/* SPDX-License-Identifier: Apache-2.0 */
/* sluicectl log check: a data directory, or one partition's, verified. */
#ifndef SLUICECTL_LOG_CHECK_H
#define SLUICECTL_LOG_CHECK_H

#include <stdbool.h>
#include <stdint.h>

enum {
	LOG_CHECK_CLEAN,
	LOG_CHECK_FINDINGS,
	LOG_CHECK_CANNOT,
};

/**
 * struct log_check - what to check, and how findings are printed
 * @topic: only this one's partitions, or NULL
 * @online: the directory may be attached: last segments are left out
 */
struct log_check {
	const char *topic;
	bool online;
	bool json;
};

/** log_check_path() - LOG_CHECK_*; why it cannot, it says on stderr */
int log_check_path(const struct log_check *check, const char *path);

#endif /* SLUICECTL_LOG_CHECK_H */
