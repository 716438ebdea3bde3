/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * What of a log may be cleaned, and how badly it needs it (Kafka's
 * LogCleanerManager and LogToClean). Userspace only.
 */
#ifndef SLUICE_LOG_CLEAN_BOUNDS_H
#define SLUICE_LOG_CLEAN_BOUNDS_H

#include "log.h"

/**
 * struct sluice_clean_bounds - of one log
 * @checkpoint: in: of cleaner-offset-checkpoint; -1 if it has none
 * @log_start_offset, @log_end_offset, @last_stable_offset: in: of the log, from
 *	before its files are looked at
 * @min_compaction_lag_ms: in: min.compaction.lag.ms
 * @max_compaction_lag_ms: in: max.compaction.lag.ms
 * @now_ms: in: wall clock
 * @first_dirty: out: all below it was cleaned before
 * @first_uncleanable: out: base offset of the first segment that must be left
 *	alone: the active one, or the first that has a record that is not stable
 *	or younger than the minimum lag
 * @checkpoint_wrong: out: there was one, and it cannot be; @first_dirty is the
 *	log's start instead
 * @clean_bytes: out: of segments below @first_dirty
 * @cleanable_bytes: out: of those from @first_dirty to @first_uncleanable
 * @delay_ms: out: for so long it has been overdue by the maximum lag; or 0
 */
struct sluice_clean_bounds {
	s64 checkpoint;
	s64 log_start_offset;
	s64 log_end_offset;
	s64 last_stable_offset;
	s64 min_compaction_lag_ms;
	s64 max_compaction_lag_ms;
	s64 now_ms;
	s64 first_dirty;
	s64 first_uncleanable;
	bool checkpoint_wrong;
	u64 clean_bytes;
	u64 cleanable_bytes;
	s64 delay_ms;
};

/**
 * sluice_clean_bounds() - look at the files
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 * The last segment that has a name is taken for the active one. That it may be
 * the one before it, while the active one waits for its name, does no harm.
 * Returns 0 or an error of the file system.
 */
int __must_check sluice_clean_bounds(struct port_dir *dir, struct sluice_clean_bounds *b,
				     char *err);

/** sluice_clean_ratio() - the part of it that is dirty, 0 to 1; 0 if it is empty. */
double sluice_clean_ratio(const struct sluice_clean_bounds *b);

/** sluice_clean_due() - should it be cleaned; @min_ratio: min.cleanable.dirty.ratio */
bool sluice_clean_due(const struct sluice_clean_bounds *b, double min_ratio);

#endif /* SLUICE_LOG_CLEAN_BOUNDS_H */
