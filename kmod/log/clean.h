/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Compaction: of each key the last record stays (Kafka's LogCleaner). Runs in
 * userspace, on the files of a log that may be open elsewhere, and touches none
 * of them: what is cleaned goes into new files, `<base>.log.cleaned` and its
 * indexes, which take the place of the old ones in one step that whoever has
 * the log open makes (replace.h).
 *
 * A log has a clean part, where no key comes twice, and a dirty one behind it.
 * A pass reads the dirty part and notes the last offset of its keys, as many as
 * there is memory for, then rewrites all segments up to where it got. What it
 * is given must be from one moment, in this order: first the offsets, then the
 * names of the files, which this reads itself. Then the transactions below
 * @first_uncleanable are decided, and the files say how.
 */
#ifndef SLUICE_LOG_CLEAN_H
#define SLUICE_LOG_CLEAN_H

#include "clean_batch.h"
#include "log.h"

/**
 * struct sluice_clean_stats - what a pass did
 * @bytes_read: of log files, by both its walks
 * @bytes_written: of cleaned log files
 * @records_read: by the second walk, but for those of aborted transactions
 * @records_kept: of them
 * @records_without_key: that went for that reason
 * @batches_malformed: whose records cannot be read; they stay as they are
 * @segments_before: that were cleaned
 * @segments_after: that took their place
 * @bytes_before, @bytes_after: of their log files
 * @map_entries: keys in the map
 * @map_room: as many would have fit
 */
struct sluice_clean_stats {
	u64 bytes_read;
	u64 bytes_written;
	u64 records_read;
	u64 records_kept;
	u64 records_without_key;
	u64 batches_malformed;
	u32 segments_before;
	u32 segments_after;
	u64 bytes_before;
	u64 bytes_after;
	u32 map_entries;
	u32 map_room;
};

/**
 * struct sluice_clean - a pass over a log
 * @dir: borrowed
 * @config: segment_bytes, segment_index_bytes, index_interval_bytes count
 * @delete_retention_ms: delete.retention.ms
 * @first_dirty: all below it is clean
 * @first_uncleanable: base offset of the first segment that is left alone; see
 *	clean_bounds.h
 * @recovery_point: all below it is on stable storage; S64_MAX if all is. What is
 *	not is synced first: a record must not go for a newer one of its key that
 *	a power cut may take
 * @now_ms: wall clock
 * @producers: those the log remembers, by id; borrowed
 * @map_bytes, @map_load_percent: see sluice_clean_map_init()
 * @io_bytes: read and written at once; larger batches take more
 * @pace: called with the bytes that were just read or written, or with 0 if it
 *	is only asked whether to go on; may sleep to slow it down. What it
 *	returns, if not 0, ends the pass; it may write to @err. May be NULL
 * @replace: called to swap in the one segment @first_base, whose files have the
 *	suffix .cleaned and are durable, for those from @first_base to @last_base.
 *	Returns 0; -EIO if it failed half way, so that the files of both are left
 *	to recovery; any other error if it changed nothing
 * @ctx: of both
 * @end_offset: out: all below it is clean now; below @first_uncleanable if there
 *	was no memory for all the keys: then another pass goes on from here
 * @stats: out
 */
struct sluice_clean {
	struct port_dir *dir;
	const struct sluice_log_config *config;
	s64 delete_retention_ms;
	s64 first_dirty;
	s64 first_uncleanable;
	s64 recovery_point;
	s64 now_ms;
	const struct sluice_clean_producer *producers;
	u32 producer_count;
	u64 map_bytes;
	u32 map_load_percent;
	u32 io_bytes;
	int (*pace)(void *ctx, u64 bytes);
	int (*replace)(void *ctx, s64 first_base, s64 last_base, char *err);
	void *ctx;
	s64 end_offset;
	struct sluice_clean_stats stats;
};

/**
 * sluice_log_clean() - one pass
 * @err: SLUICE_ERROR_TEXT_MAX bytes, empty unless it fails
 * A segment in which nothing changed stays as it is.
 *
 * Returns 0; -EUCLEAN if a file is damaged; -ENOMEM; what @pace or @replace
 * returned; or an error of the file system. Segments that were replaced before
 * that are clean; the files of the one that was not are removed again.
 */
int __must_check sluice_log_clean(struct sluice_clean *c, char *err);

#endif /* SLUICE_LOG_CLEAN_H */
