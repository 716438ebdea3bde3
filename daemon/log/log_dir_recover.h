/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery of many partitions at once, each by the log engine.
 */
#ifndef LOG_LOG_DIR_RECOVER_H
#define LOG_LOG_DIR_RECOVER_H

#include "daemon/log/checkpoint.h"
#include "daemon/log/log_dir_scan.h"

/**
 * log_dir_recover() - make the logs of all topics fit to be opened
 * @clean: the last stop was clean: only names and sizes are looked at, unless
 *	that finds something wrong
 * @threads: see log_dir_up()
 * @points: recovery points; a partition without one is read whole
 * @ret_ends: the log ends, to be written as the new recovery points
 * A topic with a log that cannot be recovered gets its @why.
 */
int log_dir_recover(const struct log_dir *d, struct log_dir_topics *topics, bool clean,
		    unsigned int threads, const struct checkpoint *points,
		    log_dir_progress_fn progress, void *ctx, struct checkpoint *ret_ends,
		    struct log_dir_error *err);

#endif /* LOG_LOG_DIR_RECOVER_H */
