/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * A cleaned segment being written: <base>.log.cleaned and its indexes. Userspace
 * only.
 */
#ifndef SLUICE_LOG_CLEAN_OUTPUT_H
#define SLUICE_LOG_CLEAN_OUTPUT_H

#include "log.h"
#include "offset_index.h"
#include "producer_state.h"
#include "time_index.h"

/**
 * struct sluice_clean_output - a segment on its way
 * @dir: borrowed
 * @base_offset: of the segment
 * @index_interval_bytes: as the appender's
 * @bytes: of the log file so far, with those in @buffer
 * The rest is private.
 */
struct sluice_clean_output {
	struct port_dir *dir;
	s64 base_offset;
	u32 index_interval_bytes;
	u64 bytes;
	struct port_file *log;
	struct sluice_offset_index offset_index;
	struct sluice_time_index time_index;
	struct port_file *txn_index;
	u32 txn_entries;
	struct sluice_time_entry max_time;
	u8 *buffer;
	u32 buffer_len;
	u32 buffer_size;
};

/**
 * sluice_clean_output_open() - make the files; old ones of that name go
 * @buffer: of @buffer_size bytes; borrowed
 */
int __must_check sluice_clean_output_open(struct sluice_clean_output *o, struct port_dir *dir,
					  s64 base_offset, u32 index_interval_bytes, u8 *buffer,
					  u32 buffer_size);

/**
 * sluice_clean_output_add() - append a batch
 * -EFBIG if positions in it would not fit an index any more.
 */
int __must_check sluice_clean_output_add(struct sluice_clean_output *o,
					 const struct sluice_batch *b, const u8 *bytes);

/** sluice_clean_output_add_aborted() - an entry of the transaction index. */
int __must_check sluice_clean_output_add_aborted(struct sluice_clean_output *o,
						 const struct sluice_aborted_txn *txn);

/** sluice_clean_output_finish() - make it durable and close it */
int __must_check sluice_clean_output_finish(struct sluice_clean_output *o);

/** sluice_clean_output_discard() - close and remove it, whatever its names are now. */
void sluice_clean_output_discard(struct sluice_clean_output *o);

/**
 * sluice_clean_leftovers() - remove what an interrupted compaction left
 * For the log of a directory that is open and healthy, before the first pass of
 * whoever compacts it now, and alone.
 * Returns 0 or an error of the file system.
 */
int __must_check sluice_clean_leftovers(struct port_dir *dir);

#endif /* SLUICE_LOG_CLEAN_OUTPUT_H */
