/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* Opening and closing the files of a segment. */
#ifndef SLUICE_LOG_SEGMENT_FILE_H
#define SLUICE_LOG_SEGMENT_FILE_H

#include "segment.h"

/**
 * struct sluice_segment_file - a file of a segment that was opened and checked
 * @behind: in: what stands behind its name as yet, or NULL
 * @kind: SLUICE_FILE_*
 * @size: of a .log file
 * @offset_index: if it is one
 * @time_index: if it is one
 */
struct sluice_segment_file {
	const char *behind;
	unsigned int kind;
	struct port_file *file;
	u64 size;
	u64 inode;
	struct sluice_offset_index offset_index;
	struct sluice_time_index time_index;
};

/**
 * sluice_segment_file_open() - open one file of a segment, and check it
 * @kind: one SLUICE_FILE_*; the .log file comes first, the others are checked
 *	against its size
 * @flags: PORT_RDONLY or 0
 * @end_offset: no index may say this offset or a larger one; S64_MAX if it is
 *	not known
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 * @ret_f: for sluice_segment_file_install(), or close @ret_f->file
 *
 * Returns 0; -ENOENT if it is not there; -EUCLEAN if it is impossible, or not
 * the one that was there before; or an error of the file system.
 */
int __must_check sluice_segment_file_open(struct port_dir *dir, const struct sluice_segment *seg,
					  unsigned int kind, unsigned int flags,
					  s64 end_offset, char *err,
					  struct sluice_segment_file *ret_f);

/**
 * sluice_segment_file_install() - the file is the segment's from now on
 * With segments.lock held, if anybody else can see the segment.
 */
void sluice_segment_file_install(struct sluice_segment *seg, const struct sluice_segment_file *f);

/**
 * sluice_segment_use() - have these files of a segment open
 * @seg: the caller has a reference; as long as he keeps it they stay open
 * @files: SLUICE_FILE_*, the .log file comes in any case
 *
 * Returns 0; -ESTALE if the segment was removed from the log meanwhile and its
 * files with it; -EUCLEAN if a file is missing or damaged, or an error of the file
 * system: which was said by port_warn().
 */
int __must_check sluice_segment_use(struct sluice_log *log, struct sluice_segment *seg,
				    unsigned int files);

/**
 * sluice_segment_max_timestamp() - largest time of a segment, -1 if it has none
 * Returns 0 or as sluice_segment_use().
 */
int __must_check sluice_segment_max_timestamp(struct sluice_log *log, struct sluice_segment *seg,
					      s64 *ret_timestamp);

#define SLUICE_SEGMENT_FILES_MAX	4

/**
 * sluice_segment_take_idle() - take the files of a segment that nobody uses
 * @unused_since: only if it was not used since the last call that asked so
 * @files: SLUICE_SEGMENT_FILES_MAX places; the files to be closed, once the lock
 *	is given back
 * Only of one that is sealed and durable, and that nobody but the list refers
 * to. With segments.lock held. Gives how many files there are to close.
 */
u32 sluice_segment_take_idle(struct sluice_log *log, struct sluice_segment *seg,
			     bool unused_since, struct port_file **files);

#endif /* SLUICE_LOG_SEGMENT_FILE_H */
