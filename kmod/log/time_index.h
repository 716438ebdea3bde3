/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The time index (.timeindex): the largest timestamp of a segment so far, and
 * the last offset of the batch that has it. Timestamps grow from entry to
 * entry. Written, published and read like the offset index.
 */
#ifndef SLUICE_LOG_TIME_INDEX_H
#define SLUICE_LOG_TIME_INDEX_H

#include "port.h"
#include <linux/sluice_format.h>

#define SLUICE_TIME_INDEX_ENTRY	((u32)sizeof(struct sluice_time_index_entry))

/** struct sluice_time_entry - an entry in host order */
struct sluice_time_entry {
	s64 timestamp;
	u32 relative_offset;
};

/**
 * struct sluice_time_index - an open time index
 * @file: owned
 * @entries: published with release, acquired by readers
 * @last: the last entry, timestamp -1 if there is none; the appender's
 */
struct sluice_time_index {
	struct port_file *file;
	u32 entries;
	struct sluice_time_entry last;
};

/** sluice_time_index_init() - as sluice_offset_index_init(). */
int __must_check sluice_time_index_init(struct sluice_time_index *index, struct port_file *file,
					const char **ret_why);

/** sluice_time_index_wants() - is @timestamp above all that is indexed. */
static inline bool sluice_time_index_wants(const struct sluice_time_index *index, s64 timestamp)
{
	return timestamp > index->last.timestamp;
}

/** sluice_time_index_write() - put an entry behind the published ones. */
int __must_check sluice_time_index_write(struct sluice_time_index *index,
					 const struct sluice_time_entry *e);

/** sluice_time_index_publish() - let readers see the entry just written. */
void sluice_time_index_publish(struct sluice_time_index *index,
			       const struct sluice_time_entry *e);

/** sluice_time_index_undo() - cut what was written and not published. */
int __must_check sluice_time_index_undo(struct sluice_time_index *index);

/**
 * sluice_time_index_lookup() - where to begin to look for a time
 * @ret_e: the last entry whose timestamp is at most @timestamp; timestamp -1
 *	and offset 0 if there is none
 */
int __must_check sluice_time_index_lookup(const struct sluice_time_index *index, s64 timestamp,
					  struct sluice_time_entry *ret_e);

#endif /* SLUICE_LOG_TIME_INDEX_H */
