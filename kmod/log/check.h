/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Checking a log without changing it: everything that is in its files is read
 * and held against everything else. Userspace only.
 */
#ifndef SLUICE_LOG_CHECK_H
#define SLUICE_LOG_CHECK_H

#include "log.h"

/* The log is in use: its last segment is left out, and files may vanish. */
#define SLUICE_CHECK_IN_USE	(1 << 0)

/**
 * struct sluice_check - a check of one log
 * @dir: in: borrowed
 * @flags: in: SLUICE_CHECK_*
 * @found: in: called for each finding: the file, the byte position in it, and a
 *	sentence; of a file with very many findings only for the first and, to
 *	say how many more there are, once behind them
 * @ctx: in: for @found
 * @segments: out
 * @batches: out: that were whole
 * @bytes_read: out: of log files
 */
struct sluice_check {
	struct port_dir *dir;
	unsigned int flags;
	void (*found)(void *ctx, const char *file, u64 position, const char *what);
	void *ctx;
	u32 segments;
	u64 batches;
	u64 bytes_read;
};

/**
 * sluice_log_check() - verify batches, CRCs, order, indexes against batches, snapshots
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 *
 * A batch whose CRC is wrong does not end the check of its segment; one whose
 * header makes no sense does, for nobody knows where the next one begins.
 * Offsets that are missing are no finding: compaction leaves such logs.
 *
 * Returns 0, whatever was found, or an error of the file system.
 */
int __must_check sluice_log_check(struct sluice_check *c, char *err);

#endif /* SLUICE_LOG_CHECK_H */
