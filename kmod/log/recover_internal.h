/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* What the files of recovery share (recover.h); userspace only. */
#ifndef SLUICE_LOG_RECOVER_INTERNAL_H
#define SLUICE_LOG_RECOVER_INTERNAL_H

#include "producer_state.h"
#include "recover.h"
#include "recover_files.h"
#include "recover_segment.h"

/* Log files are read in pieces of so many bytes. */
#define RECOVER_CHUNK_SIZE	(1U << 20)

/**
 * struct recovery - a log being recovered
 * @files: those that were there in the beginning
 * @offsets: of the segments; there is room for one more
 * @gaps: offsets that are missing between segments are no hole
 * @first_read: index of the first segment that may hold what is not durable
 * @names_changed: the directory has to be synced
 * @chunk: to read into; there once a segment was read
 * @last_full: index of the last segment, so far, that was not found empty
 * @last_full_end: the offset behind it, or -1 if it was not read
 * @last_read: the segment that was read last
 * @producers: as they are before the segment that is read next; NULL until one is
 * @snapshot_offset: of the newest snapshot that is as it should be, -1 if none is
 */
struct recovery {
	struct port_dir *dir;
	const struct sluice_log_config *config;
	s64 recovery_point;
	struct recover_files files;
	s64 *offsets;
	u32 count;
	bool gaps;
	u32 first_read;
	bool names_changed;
	u8 *chunk;
	u32 last_full;
	s64 last_full_end;
	struct sluice_segment_recovery last_read;
	struct sluice_producer_state *producers;
	s64 snapshot_offset;
	struct sluice_recovery *out;
};

/** recover_chunk() - have the memory to read into; -ENOMEM with @err set. */
int __must_check recover_chunk(struct recovery *r, char *err);

/** recover_one_segment() - the @i-th; part of it, all of it, or nothing is read. */
int __must_check recover_one_segment(struct recovery *r, u32 i, char *err);

/**
 * recover_prepared() - name the segment that was to come next, or remove it
 * If the log had rolled to it before it got its name, it has what goes on where
 * the others end; it is then recovered, too.
 */
int __must_check recover_prepared(struct recovery *r, char *err);

/**
 * recover_producers_begin() - before the first segment is read: the @i-th
 * Loads the newest snapshot up to its beginning, and reads what lies between
 * the two. Damaged snapshots are removed, as are those behind it: all that
 * belong to segments that are read are made anew.
 */
int __must_check recover_producers_begin(struct recovery *r, u32 i, char *err);

/** recover_producers_save() - write the snapshot for @offset, where the state is now. */
int __must_check recover_producers_save(struct recovery *r, s64 offset, char *err);

/**
 * recover_producers_check() - of a log that is not read: is the newest snapshot good
 * A damaged one is replaced, by reading what lies behind an earlier one.
 */
int __must_check recover_producers_check(struct recovery *r, char *err);

/** recover_segment_size() - of its .log file, or -errno with @err set. */
s64 recover_segment_size(struct recovery *r, s64 base_offset, char *err);

#endif /* SLUICE_LOG_RECOVER_INTERNAL_H */
