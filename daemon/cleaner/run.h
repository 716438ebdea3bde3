/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compaction of one log that the module has open, once: its files are read
 * by their names, cleaned into new ones, and the module swaps those in. What
 * the module knows of the log, its generation first of all, tells whether it
 * still is the log that was looked at.
 */
#ifndef SLUICE_CLEANER_RUN_H
#define SLUICE_CLEANER_RUN_H

#include "daemon/log/cleaner_log.h"

/**
 * struct cleaner_run - a log, and what was seen when it was chosen
 * @k: of this thread
 * @data_dir: path of its data directory
 * @p: as the module told before its files were looked at
 * @settings: of its topic
 * @limits: borrowed
 * @bounds: of its files
 * @pace: as in struct sluice_clean, with @ctx
 * @watched_ms: private: when the module was last asked, monotonic
 * @log: out: what was done
 * @err: out: why it ended, if it was not done
 */
struct cleaner_run {
	struct kern *k;
	const char *data_dir;
	struct kern_partition p;
	struct cleaner_settings settings;
	const struct cleaner_limits *limits;
	struct sluice_clean_bounds bounds;
	int (*pace)(void *ctx, u64 bytes);
	void *ctx;
	int64_t watched_ms;
	struct cleaner_log log;
	char err[sizeof(struct log_dir_error)];
};

/**
 * cleaner_run_look() - fill @bounds of a log
 * @r: @data_dir, @p and @settings are set
 * @checkpoint: of cleaner-offset-checkpoint, or -1
 * @leftovers: remove first what an interrupted compaction left
 * Returns 0; -ENOENT its files just went; -EUCLEAN; others, with @err.
 */
int cleaner_run_look(struct cleaner_run *r, int64_t checkpoint, int64_t now_ms, bool leftovers);

/**
 * cleaner_run() - compact it and write the checkpoint
 * Returns 0; -ESTALE the log is not what it was any more; -EUCLEAN a file is
 * damaged; what @pace returned; others. @err says why. What was swapped in
 * before a failure stays, and the checkpoint tells of whole passes.
 */
int cleaner_run(struct cleaner_run *r);

/** cleaner_run_say_damaged() - tell the operator why it is not compacted any more. */
void cleaner_run_say_damaged(const struct cleaner_run *r, size_t uncleanable);

#endif /* SLUICE_CLEANER_RUN_H */
