/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Recovery of a log after a crash, in userspace, before the module opens it.
 */
#ifndef SLUICE_LOG_RECOVER_H
#define SLUICE_LOG_RECOVER_H

#include "log.h"

/**
 * struct sluice_recovery - what was done
 * @bytes_read: of log files. Grows while the recovery runs: another thread may
 *	READ_ONCE() it
 * @bytes_cut: removed behind the last valid batch
 * @indexes_rebuilt: index files written anew
 * @segments_removed: segments behind the cut, removed whole, and empty ones at
 *	the end that a gap separates from the last batch
 * @log_end_offset: of the log as it is now
 */
struct sluice_recovery {
	u64 bytes_read;
	u64 bytes_cut;
	u32 indexes_rebuilt;
	u32 segments_removed;
	s64 log_end_offset;
};

/*
 * What is known of a log before it is recovered. CLEAN: it was closed cleanly,
 * only sizes and names are checked. GAPS: offsets may be missing between its
 * segments, as compaction leaves it.
 */
#define SLUICE_RECOVER_CLEAN	(1 << 0)
#define SLUICE_RECOVER_GAPS	(1 << 1)

/**
 * sluice_log_recover() - make a log fit for sluice_log_open()
 * @recovery_point: what lies below it was durable and is not read
 * @flags: SLUICE_RECOVER_*
 * @err: SLUICE_ERROR_TEXT_MAX bytes
 *
 * Reads each batch from the recovery point on, checks its CRC, cuts the log at
 * the first that is not valid, and writes the indexes of what it read anew, if
 * they are not as they should be. Of the segment that holds the offset before
 * the recovery point the headers are read as well, because sluice_log_flush()
 * left its indexes to recovery.
 *
 * A power cut may lose the end of a segment at the end of a batch and keep the
 * one behind it. Without SLUICE_RECOVER_GAPS the log ends at such a hole: what
 * is left of it is a prefix of what was appended, and nothing else.
 *
 * A segment that is not read is checked as sluice_log_open() will check it; if
 * that fails, it is read after all. What is then cut from it does not touch
 * the segments behind it.
 *
 * What was interrupted while names were changed is finished or undone first:
 * files that were to be unlinked or were not complete go, compacted segments
 * take the place of those they were made from (recover_files.h). A prepared
 * segment that the log had rolled to gets its name if it goes on where the log
 * ends, and goes if not.
 *
 * An empty directory is a log without segments: log_end_offset 0. Everything
 * that was changed is durable when it returns. Returns 0 or an error of the
 * file system, with @err set; @ret_done then says what was done until then.
 */
int __must_check sluice_log_recover(struct port_dir *dir, const struct sluice_log_config *c,
				    s64 recovery_point, unsigned int flags, char *err,
				    struct sluice_recovery *ret_done);

#endif /* SLUICE_LOG_RECOVER_H */
