/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Recovery of one segment; part of recover.h, userspace only. */
#ifndef SLUICE_LOG_RECOVER_SEGMENT_H
#define SLUICE_LOG_RECOVER_SEGMENT_H

#include "log.h"
#include "producer_state.h"
#include "time_index.h"

/**
 * struct sluice_segment_recovery - what to recover, and what was done
 * @dir: in: borrowed
 * @base_offset: in: names the segment
 * @end_offset: in: no batch may have this offset or a larger one; S64_MAX for
 *	the last segment. Out: the offset behind the last valid batch
 * @recovery_point: in: of batches wholly below it only the header is read
 * @index_interval_bytes: in
 * @chunk: in: borrowed memory of @chunk_size bytes to read into
 * @producers: in: of the batches before; learns from those of the segment. If it
 *	is there the transaction index is made anew, too. NULL: neither
 * @before_cut: in: called before the segment is cut, if it has to be, and the next
 *	one does not go on there; so that
 *	what lies behind goes first, and a recovery that is interrupted and
 *	begun anew finds the same place again. A failure ends the recovery
 * @ctx: in: for @before_cut
 * @size: out: of the .log file now
 * @bytes_read: in: what is read is added there, as it is read
 * @bytes_cut: out
 * @indexes_rebuilt: out: 0 to 3, those that were not as they should be
 * @max_time: out: largest time, and the last offset of the batch that has it;
 *	-1 if there are no batches
 * @created: out: an index file was missing and is there now
 */
struct sluice_segment_recovery {
	struct port_dir *dir;
	s64 base_offset;
	s64 end_offset;
	s64 recovery_point;
	u32 index_interval_bytes;
	u8 *chunk;
	u32 chunk_size;
	struct sluice_producer_state *producers;
	int (*before_cut)(void *ctx, char *err);
	void *ctx;
	u64 size;
	u64 *bytes_read;
	u64 bytes_cut;
	u32 indexes_rebuilt;
	struct sluice_time_entry max_time;
	bool created;
};

/**
 * sluice_segment_recover() - cut a segment at its first bad batch, index the rest
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 * What it changed is durable when it returns, except the names of files.
 */
int __must_check sluice_segment_recover(struct sluice_segment_recovery *r, char *err);

/**
 * sluice_segment_recover_seal() - a segment that was recovered as the last is not
 * @r: as sluice_segment_recover() left it
 * The time index of a sealed segment ends with the segment's largest time.
 */
int __must_check sluice_segment_recover_seal(const struct sluice_segment_recovery *r, char *err);

#endif /* SLUICE_LOG_RECOVER_SEGMENT_H */
