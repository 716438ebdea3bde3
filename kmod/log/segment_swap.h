/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * A segment under temporary names that takes the place of others: what
 * truncation and replacement have in common.
 */
#ifndef SLUICE_LOG_SEGMENT_SWAP_H
#define SLUICE_LOG_SEGMENT_SWAP_H

#include "segment.h"
#include "segment_name.h"

/**
 * struct sluice_segment_swap - an exchange of segments
 * @log: structure_mutex is held
 * @suffix: SLUICE_SUFFIX_CUT or SLUICE_SUFFIX_SWAP: what the files of @new
 *	have behind their names
 * @committed: recovery puts @new in place, if the first old one has gone; else
 *	it removes what is not in place
 * @new: the one that comes, with all its files open, and the reference of who
 *	made it
 * @end_offset: behind the last batch of @new, or its base; of a truncation
 * @first: index of the first segment that goes
 * @old_count: how many go
 * @old: room for them; then their references
 */
struct sluice_segment_swap {
	struct sluice_log *log;
	const char *suffix;
	bool committed;
	struct sluice_segment *new;
	s64 end_offset;
	u32 first;
	u32 old_count;
	struct sluice_segment **old;
};

/** sluice_segment_swap_name() - of a file that has @suffix behind its name. */
void sluice_segment_swap_name(char name[SLUICE_SEGMENT_NAME_MAX], s64 base_offset,
			      const char *kind_suffix, const char *suffix);

/**
 * sluice_segment_swap_open() - open what has temporary names, as s->new
 * @flags: PORT_RDONLY or 0
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 * @ret_end_offset: the offset behind its last batch
 * Checks what sluice_segment_open() checks, and the batches behind the last index
 * entry. It is sealed; the caller may change that.
 */
int __must_check sluice_segment_swap_open(struct sluice_segment_swap *s, s64 base_offset,
					  unsigned int flags, char *err, s64 *ret_end_offset);

/**
 * sluice_segment_swap_list() - exchange them in the list of the log
 * @spare: of sluice_segment_list_spare()
 * Needs append_mutex as well.
 */
void sluice_segment_swap_list(struct sluice_segment_swap *s, struct sluice_segment **spare);

/**
 * sluice_segment_swap_names() - exchange them in the directory, and sync it
 * After sluice_segment_swap_list(), with flush_mutex held: nothing in s->new may
 * be acknowledged before. Gives up the references to the old ones. A failure is
 * marked as the log's.
 */
int __must_check sluice_segment_swap_names(struct sluice_segment_swap *s, char *err);

/**
 * sluice_segment_swap_commit() - a compacted segment is to be put in place
 * Its files, complete and on stable storage, have SLUICE_SUFFIX_CLEANED behind
 * their names, and get SLUICE_SUFFIX_SWAP, the .log last: that is there only if
 * all are. From then on recovery may put them in place of what they were made
 * from. So nobody may change that until they are in place or removed.
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 */
int __must_check sluice_segment_swap_commit(struct port_dir *dir, s64 base_offset, char *err);

/**
 * sluice_segment_swap_remove() - remove the files with the temporary names
 * The .log first: without it the others are nothing.
 */
int __must_check sluice_segment_swap_remove(struct sluice_segment_swap *s, s64 base_offset);

#endif /* SLUICE_LOG_SEGMENT_SWAP_H */
