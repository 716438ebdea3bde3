/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * A segment: one .log file, the two indexes beside it, and how much of them
 * is published. Reference counted; the log holds one reference, each reader
 * that works on it another.
 */
#ifndef SLUICE_LOG_SEGMENT_H
#define SLUICE_LOG_SEGMENT_H

#include "log.h"
#include "offset_index.h"
#include "time_index.h"
#include "txn_index.h"

#define SLUICE_SEGMENT_BYTES_MAX	S32_MAX	/* positions in an index are 31 bits */

/**
 * struct sluice_segment - one segment of a log
 * @base_offset: names the files; no batch in it has a smaller offset
 * @published: bytes of the .log file that readers may see; written by the
 *	appender with release
 * @sealed: nothing is added any more; written by the appender with release
 * @max_timestamp: largest of the published batches, -1 if there are none;
 *	written by the appender before @published
 * @max_timestamp_offset: last offset of the batch that has it; the appender's
 * @reserved: end of the space reserved behind @published; the appender's
 * @synced: bytes of the .log file known to be on stable storage; under the
 *	log's flush mutex
 */
struct sluice_segment {
	struct port_ref ref;
	bool sealed;
	s64 base_offset;
	struct port_file *file;
	u64 published;
	struct sluice_offset_index offset_index;
	struct sluice_time_index time_index;
	struct sluice_txn_index txn_index;
	s64 max_timestamp;
	s64 max_timestamp_offset;
	u64 reserved;
	u64 synced;
};

/**
 * sluice_segment_open() - open the files of a segment that exists
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 * Checks sizes and last index entries, reads no batch. All of the file is
 * published, and the segment is not sealed.
 *
 * Returns 0, -EUCLEAN if a file is missing or impossible, or an error of the
 * file system.
 */
int __must_check sluice_segment_open(struct port_dir *dir, s64 base_offset, char *err,
				     struct sluice_segment **ret_seg);

/**
 * sluice_segment_create() - make the files of a new segment
 * The .log file comes last and is what makes a segment: whatever fails before
 * leaves only index files without one, which the next attempt reuses.
 */
int __must_check sluice_segment_create(struct port_dir *dir, s64 base_offset,
				       struct sluice_segment **ret_seg);

/**
 * sluice_segment_check_end() - check a segment against where it must end
 * @end_offset: no batch may have this offset or a larger one
 * What the indexes say is compared, no batch is read.
 */
int __must_check sluice_segment_check_end(const struct sluice_segment *seg, s64 end_offset,
					  char *err);

/**
 * sluice_segment_scan_tail() - walk from the last index entry to the end
 * @ret_end_offset: the offset behind the last batch, or the base offset
 * Sets the largest timestamp. -EUCLEAN if the file does not end with a whole
 * batch.
 */
int __must_check sluice_segment_scan_tail(struct sluice_segment *seg, char *err,
					  s64 *ret_end_offset);

/**
 * sluice_segment_note_timestamp() - a batch with this largest time is there
 * For the appender and the scan at open, which add batches in their order.
 */
void sluice_segment_note_timestamp(struct sluice_segment *seg, const struct sluice_batch *b);

/**
 * sluice_segment_index_due() - does the batch at @position get index entries
 * As in Kafka: when more than the interval lies behind the last entry. So the
 * first batch of a segment never has one.
 */
static inline bool sluice_segment_index_due(const struct sluice_offset_index *index, u64 position,
					    u32 index_interval_bytes)
{
	return position - index->last_position > index_interval_bytes;
}

#endif /* SLUICE_LOG_SEGMENT_H */
