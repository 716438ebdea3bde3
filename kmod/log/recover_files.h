/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * Recovery of the files of a log as such: which there are, and what an
 * interrupted change of names left behind. Part of recover.h, userspace only.
 */
#ifndef SLUICE_LOG_RECOVER_FILES_H
#define SLUICE_LOG_RECOVER_FILES_H

#include "log.h"
#include "segment_name.h"

/* What a file of a segment is; the log comes first. */
enum {
	RECOVER_LOG,
	RECOVER_OFFSET_INDEX,
	RECOVER_TIME_INDEX,
	RECOVER_TXN_INDEX,
	RECOVER_SNAPSHOT,
	RECOVER_KINDS,
};

extern const char *const recover_suffixes[RECOVER_KINDS];

/* What its name says it is waiting for. */
enum {
	RECOVER_IN_PLACE,
	RECOVER_DELETED,	/* to be unlinked */
	RECOVER_CLEANED,	/* output of a compaction that did not end */
	RECOVER_SWAP,		/* the same, complete, to take the place of others */
	RECOVER_CUT,		/* of a truncation that did not end */
	RECOVER_STATES,
};

struct recover_file {
	s64 base_offset;
	u8 kind;
	u8 state;
};

/**
 * struct recover_files - the files of a directory that belong to a log
 * @files: by state, kind and base offset; free it with port_free()
 * @prepared: there are files of a prepared segment
 */
struct recover_files {
	struct recover_file *files;
	bool prepared;
	u32 count;
	u32 capacity;
};

int __must_check recover_files_list(struct port_dir *dir, struct recover_files *ret_files);

/** recover_files_find() - is there such a file. */
bool recover_files_find(const struct recover_files *f, u8 state, u8 kind, s64 base_offset);

/**
 * recover_files_of() - the files of one state and kind
 * Returns the first; @ret_count of them stand there in ascending order.
 */
const struct recover_file *recover_files_of(const struct recover_files *f, u8 state, u8 kind,
					    u32 *ret_count);

/**
 * recover_names() - finish what was interrupted while names were changed
 * @chunk: memory of @chunk_size bytes to read into
 * @gaps: there may be gaps between segments, which another's compaction left
 * @ret_changed: names were changed: @f is no longer true, and the directory
 *	must be synced
 *
 * As Kafka's LogLoader: .deleted, .cleaned and .cut files go; .swap files take the
 * place of the segments that they were made from. Other than Kafka it looks
 * into them first: if they are not whole, or do not reach to the end of the
 * last segment that they would replace, and those segments are there, then
 * these stay, and the log is compacted another time. What would leave a hole
 * behind it is dropped: its segments were removed by retention.
 */
int __must_check recover_names(struct port_dir *dir, const struct recover_files *f, u8 *chunk,
			       u32 chunk_size, bool gaps, char *err, bool *ret_changed);

#endif /* SLUICE_LOG_RECOVER_FILES_H */
