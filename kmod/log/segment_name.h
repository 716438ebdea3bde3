/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The names of a segment's files, and which segments a directory has. */
#ifndef SLUICE_LOG_SEGMENT_NAME_H
#define SLUICE_LOG_SEGMENT_NAME_H

#include "port.h"

#define SLUICE_SEGMENT_DIGITS		20
#define SLUICE_SEGMENT_NAME_MAX		(SLUICE_SEGMENT_DIGITS + sizeof(".timeindex.deleted"))
#define SLUICE_SEGMENTS_MAX		(1U << 17)	/* of one log */

#define SLUICE_SUFFIX_LOG		".log"
#define SLUICE_SUFFIX_OFFSET_INDEX	".index"
#define SLUICE_SUFFIX_TIME_INDEX	".timeindex"
#define SLUICE_SUFFIX_TXN_INDEX		".txnindex"
#define SLUICE_SUFFIX_SNAPSHOT		".snapshot"

/* Behind one of the above: the file of a segment that was removed, soon unlinked. */
#define SLUICE_SUFFIX_DELETED		".deleted"

/*
 * The same, of compaction: of a new segment that is being written, and of one
 * that is complete and is to take the place of others.
 */
#define SLUICE_SUFFIX_CLEANED		".cleaned"
#define SLUICE_SUFFIX_SWAP		".swap"

/*
 * The same, of what a truncation leaves of a segment, until it takes its place.
 * Not .cleaned: somebody else may be compacting the segment just then.
 */
#define SLUICE_SUFFIX_CUT		".cut"

/*
 * Around one of .log, .index and .timeindex: the next segment, which has no base
 * offset yet, or the active one, if it has not got its name yet. So at most one
 * set of these is there. What such a .log file holds was never acknowledged as
 * durable; its segment begins with the base offset of its first batch.
 */
#define SLUICE_PREPARED_PREFIX		"next"
#define SLUICE_PREPARED_SUFFIX		".prepared"

/** sluice_segment_name() - the 20 digits of @base_offset and @suffix. */
void sluice_segment_name(char name[SLUICE_SEGMENT_NAME_MAX], s64 base_offset,
			 const char *suffix);

/** sluice_segment_prepared_name() - the name before there is a base offset. */
void sluice_segment_prepared_name(char name[SLUICE_SEGMENT_NAME_MAX], const char *suffix);

/** sluice_segment_deleted_name() - what @base_offset and @suffix are renamed to. */
void sluice_segment_deleted_name(char name[SLUICE_SEGMENT_NAME_MAX], s64 base_offset,
				 const char *suffix);

/** sluice_segment_name_parse() - is it such a name; then its base offset. */
bool sluice_segment_name_parse(const char *name, size_t len, const char *suffix,
			       s64 *ret_base_offset);

/**
 * sluice_segment_list_dir() - base offsets of the files with this suffix
 * @ret_offsets: in ascending order; free it with port_free(). NULL if there
 *	are none, and on failure
 * Files with other names are none of the engine's. -EMFILE if there are more
 * than SLUICE_SEGMENTS_MAX.
 */
int __must_check sluice_segment_list_dir(struct port_dir *dir, const char *suffix,
					 s64 **ret_offsets, u32 *ret_count);

/**
 * struct sluice_segment_names - what the names in a directory say
 * @offsets: base offsets of the segments, in ascending order; NULL if there are none
 * @snapshots: offsets of the producer snapshots, in the same way
 * @last_has_txn_index: the last segment has a .txnindex file
 * @deleted: there are files that end in SLUICE_SUFFIX_DELETED
 * @prepared: there is a prepared .log file
 * @unsettled: a name that recovery would finish or remove, one of them; else empty
 */
struct sluice_segment_names {
	s64 *offsets;
	s64 *snapshots;
	u32 count;
	u32 snapshot_count;
	bool last_has_txn_index;
	bool deleted;
	bool prepared;
	char unsettled[SLUICE_SEGMENT_NAME_MAX];
};

/**
 * sluice_segment_names_read() - list a directory once
 * @err: SLUICE_ERROR_TEXT_MAX bytes, set on failure
 * @ret_names: end it with sluice_segment_names_free()
 * Returns 0, -EUCLEAN if a .log file lacks one of its indexes, -EMFILE as above,
 * or an error of the file system.
 */
int __must_check sluice_segment_names_read(struct port_dir *dir, char *err,
					   struct sluice_segment_names *ret_names);
void sluice_segment_names_free(struct sluice_segment_names *names);

#endif /* SLUICE_LOG_SEGMENT_NAME_H */
