/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * A segment: one .log file, the indexes beside it, and how much of them is
 * published. Reference counted; the log holds one reference, each reader that
 * works on it another.
 *
 * The files of the active segment are open. Those of a sealed one are opened
 * when somebody needs them, see sluice_segment_use(), and stay open as long as
 * anybody but the log has a reference; then they may be closed at any time.
 */
#ifndef SLUICE_LOG_SEGMENT_H
#define SLUICE_LOG_SEGMENT_H

#include "log.h"
#include "offset_index.h"
#include "time_index.h"
#include "txn_index.h"

#define SLUICE_SEGMENT_BYTES_MAX	S32_MAX	/* positions in an index are 31 bits */

/* The files that every segment has. */
#define SLUICE_FILE_LOG			(1 << 0)
#define SLUICE_FILE_OFFSET_INDEX	(1 << 1)
#define SLUICE_FILE_TIME_INDEX		(1 << 2)
#define SLUICE_FILES_ALWAYS \
	(SLUICE_FILE_LOG | SLUICE_FILE_OFFSET_INDEX | SLUICE_FILE_TIME_INDEX)

/**
 * struct sluice_segment - one segment of a log
 * @open: SLUICE_FILE_* that are open; changed under segments.lock, with release
 * @unnamed: SLUICE_FILE_* that still have their temporary name, see prepare.c;
 *	cleared under the log's names mutex
 * @sealed: nothing is added any more; written by the appender with release
 * @discarded: it is out of the list, and its files may have lost their names
 * @durable: sealed, and all of it is on stable storage; under the flush mutex
 * @counted: in the log's size_bytes or found_bytes; under the structure mutex
 * @used: needed since sluice_log_close_idle() last looked
 * @base_offset: names the files; no batch in it has a smaller offset
 * @inode: of the .log file, so that it is known again; 0 if it was never open
 * @published: bytes of the .log file that readers may see; written by the
 *	appender with release. Of a sealed one not known before its .log file
 *	was first opened
 * @file: the .log file
 * @max_timestamp: largest of the published batches, -1 if there are none;
 *	written by the appender before @published. Of a sealed one not known
 *	before its time index was first opened
 * @max_timestamp_offset: last offset of the batch that has it; the appender's
 * @reserved: end of the space reserved behind @published; the appender's
 * @synced: bytes of the .log file known to be on stable storage; under the
 *	log's flush mutex
 * @next_discarded: the log's list of what waits to be unlinked
 * @unlink_ms: when it is
 */
struct sluice_segment {
	struct port_ref ref;
	u8 open;
	u8 unnamed;
	bool sealed;
	bool discarded;
	bool durable;
	bool counted;
	bool used;
	s64 base_offset;
	u64 inode;
	u64 published;
	struct port_file *file;
	struct sluice_offset_index offset_index;
	struct sluice_time_index time_index;
	struct sluice_txn_index txn_index;
	s64 max_timestamp;
	s64 max_timestamp_offset;
	u64 reserved;
	u64 synced;
	struct sluice_segment *next_discarded;
	s64 unlink_ms;
};

/* A sealed segment is at most so large, however much it indexes. */
static_assert(sizeof(struct sluice_segment) <= 256, "a closed segment is to be small");

#define SLUICE_TIMESTAMP_UNKNOWN	S64_MIN

/**
 * sluice_segment_new() - a segment that was sealed in an earlier life of the log
 * No file is opened. Returns NULL if there is no memory.
 */
struct sluice_segment *__must_check sluice_segment_new(s64 base_offset);

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
 * sluice_segment_create_unnamed() - the same, under the names of what is prepared
 * What stands there is emptied and taken. The caller gives the segment its base
 * offset before anybody else sees it.
 */
int __must_check sluice_segment_create_unnamed(struct port_dir *dir,
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
 * sluice_segment_store_indexes() - write the index entries that are in memory
 * For the appender, with the log's append mutex. What could not be written stays
 * in memory, and may be written later.
 */
int __must_check sluice_segment_store_indexes(struct sluice_segment *seg);

/**
 * sluice_segment_index_room() - have room for an entry in each index
 * As sluice_segment_store_indexes(), if there is none.
 */
int __must_check sluice_segment_index_room(struct sluice_segment *seg);

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
