/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * The segments of a log, ordered by base offset. Readers find one under a spin
 * lock and get a reference; only the holder of the log's append mutex changes
 * the list.
 */
#ifndef SLUICE_LOG_SEGMENT_LIST_H
#define SLUICE_LOG_SEGMENT_LIST_H

#include "segment.h"

/**
 * struct sluice_segment_list - the segments of a log
 * @lock: protects all below; held for a binary search at most
 * @items: each with a reference; the first @head places are of segments that
 *	were removed
 * @count: how many there are, from @head on
 */
struct sluice_segment_list {
	struct port_spin lock;
	struct sluice_segment **items;
	u32 head;
	u32 count;
	u32 capacity;
};

void sluice_segment_list_init(struct sluice_segment_list *list);

/** sluice_segment_list_destroy() - give all references back. */
void sluice_segment_list_destroy(struct sluice_segment_list *list);

/** sluice_segment_list_reserve() - make the next add succeed; 0 or -ENOMEM. */
int __must_check sluice_segment_list_reserve(struct sluice_segment_list *list);

/** sluice_segment_list_add() - append a segment; takes over the reference. */
void sluice_segment_list_add(struct sluice_segment_list *list, struct sluice_segment *seg);

/**
 * sluice_segment_list_remove_first() - take the first segment out
 * The list is not empty. The caller gets the list's reference.
 */
struct sluice_segment *__must_check
sluice_segment_list_remove_first(struct sluice_segment_list *list);

/**
 * sluice_segment_list_spare() - make the next replace succeed
 * @new_count: how many will come
 * Returns what to give to it, or NULL if there is no memory.
 */
struct sluice_segment **__must_check
sluice_segment_list_spare(const struct sluice_segment_list *list, u32 new_count);

/**
 * sluice_segment_list_replace() - put a run of segments in the place of another
 * @spare: taken over; the list has not grown since it was made
 * @first: index of the first segment that goes
 * @old: @old_count places; set to the segments that go, with the list's references
 * @new: the segments that come, in the order of their base offsets, which lie
 *	between those of the neighbours; their references are taken over
 * A reader sees the old run or the new one, whole.
 */
void sluice_segment_list_replace(struct sluice_segment_list *list, struct sluice_segment **spare,
				 u32 first, u32 old_count, struct sluice_segment **old,
				 u32 new_count, struct sluice_segment *const *new);

u32 sluice_segment_list_count(struct sluice_segment_list *list);

/** sluice_segment_list_rank() - how many have a base offset of at most @offset. */
u32 sluice_segment_list_rank(struct sluice_segment_list *list, s64 offset);

/*
 * These give a segment with a reference for the caller, or NULL:
 * _floor() the last whose base offset is at most @offset,
 * _above() the first whose base offset is above @offset,
 * _at() the one at an index.
 */
struct sluice_segment *sluice_segment_list_floor(struct sluice_segment_list *list, s64 offset);
struct sluice_segment *sluice_segment_list_above(struct sluice_segment_list *list, s64 offset);
struct sluice_segment *sluice_segment_list_at(struct sluice_segment_list *list, u32 i);

#endif /* SLUICE_LOG_SEGMENT_LIST_H */
