/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Recovery of a log after a crash, in userspace, before the module opens it.
 */
#ifndef SLUICE_LOG_RECOVER_H
#define SLUICE_LOG_RECOVER_H

#include "log.h"

/**
 * struct sluice_recovery - what was done
 * @bytes_read: of log files
 * @bytes_cut: removed behind the last valid batch
 * @indexes_rebuilt: index files written anew
 * @segments_removed: segments behind a broken one, that held nothing valid
 * @log_end_offset: of the log as it is now
 */
struct sluice_recovery {
	u64 bytes_read;
	u64 bytes_cut;
	u32 indexes_rebuilt;
	u32 segments_removed;
	s64 log_end_offset;
};

/**
 * sluice_log_recover() - make a log fit for sluice_log_open()
 * @recovery_point: what lies below it was durable and is not read
 * @clean: it was closed cleanly; only sizes and names are checked
 * @err: SLUICE_ERROR_TEXT_MAX bytes
 *
 * Reads each batch from the recovery point on, checks its CRC, cuts the log at
 * the first that is not valid, and writes the indexes of what it read anew.
 * Everything it changed is durable when it returns.
 */
int __must_check sluice_log_recover(struct port_dir *dir, const struct sluice_log_config *c,
				    s64 recovery_point, bool clean, char *err,
				    struct sluice_recovery *ret);

#endif /* SLUICE_LOG_RECOVER_H */
