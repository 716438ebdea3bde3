/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The time index (.timeindex): the largest timestamp of a segment so far, and
 * the last offset of the batch that has it. Timestamps grow from entry to
 * entry. Written, published and read like the offset index.
 */
#ifndef SLUICE_LOG_TIME_INDEX_H
#define SLUICE_LOG_TIME_INDEX_H

#include "index_tail.h"

#define SLUICE_TIME_INDEX_ENTRY	((u32)sizeof(struct sluice_time_index_entry))

/** struct sluice_time_entry - an entry in host order */
struct sluice_time_entry {
	s64 timestamp;
	u32 relative_offset;
};

/**
 * struct sluice_time_index - an open time index
 * @file: owned
 * @tail, @stored: as of the offset index
 * @entries: published with release, acquired by readers
 * @last: the last entry, timestamp -1 if there is none; the appender's
 */
struct sluice_time_index {
	struct port_file *file;
	struct sluice_index_tail *tail;
	u32 entries;
	u32 stored;
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

/** sluice_time_index_write() - as sluice_offset_index_write(). */
int __must_check sluice_time_index_write(struct sluice_time_index *index,
					 const struct sluice_time_entry *e);

/** sluice_time_index_publish() - let readers see the entry just written. */
void sluice_time_index_publish(struct sluice_time_index *index,
			       const struct sluice_time_entry *e);

/** sluice_time_index_full() - has the tail no room for another entry. */
static inline bool sluice_time_index_full(const struct sluice_time_index *index)
{
	return index->entries - index->stored == SLUICE_INDEX_TAIL_ENTRIES;
}

/** sluice_time_index_store() - as sluice_offset_index_store(). */
int __must_check sluice_time_index_store(struct sluice_time_index *index);

/**
 * sluice_time_index_lookup() - where to begin to look for a time
 * @ret_e: the last entry whose timestamp is at most @timestamp; timestamp -1
 *	and offset 0 if there is none
 */
int __must_check sluice_time_index_lookup(const struct sluice_time_index *index, s64 timestamp,
					  struct sluice_time_entry *ret_e);

#endif /* SLUICE_LOG_TIME_INDEX_H */
