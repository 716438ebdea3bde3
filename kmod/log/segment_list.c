// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The segments of a log, ordered by base offset. */
#include "segment_list.h"

void sluice_segment_list_init(struct sluice_segment_list *list)
{
	port_spin_init(&list->lock);
	list->items = NULL;
	list->count = 0;
	list->capacity = 0;
}

void sluice_segment_list_destroy(struct sluice_segment_list *list)
{
	u32 i;

	for (i = 0; i < list->count; i++)
		sluice_segment_put(list->items[i]);
	port_free(list->items);
	port_spin_destroy(&list->lock);
}

int sluice_segment_list_reserve(struct sluice_segment_list *list)
{
	u32 capacity = list->capacity ? list->capacity * 2 : 4;
	struct sluice_segment **items, **old;

	/* Only the appender changes these, and it is the caller. */
	if (list->count < list->capacity)
		return 0;
	items = port_alloc(capacity * sizeof(struct sluice_segment *));
	if (!items)
		return -ENOMEM;

	old = list->items;
	if (list->count)
		memcpy(items, old, list->count * sizeof(struct sluice_segment *));

	port_spin_lock(&list->lock);
	list->items = items;
	list->capacity = capacity;
	port_spin_unlock(&list->lock);

	port_free(old);
	return 0;
}

void sluice_segment_list_add(struct sluice_segment_list *list, struct sluice_segment *seg)
{
	port_spin_lock(&list->lock);
	list->items[list->count++] = seg;
	port_spin_unlock(&list->lock);
}

u32 sluice_segment_list_count(struct sluice_segment_list *list)
{
	u32 count;

	port_spin_lock(&list->lock);
	count = list->count;
	port_spin_unlock(&list->lock);
	return count;
}

/* How many segments have a base offset of at most @offset. */
static u32 rank(struct sluice_segment_list *list, s64 offset)
{
	u32 low = 0, high = list->count;

	port_spin_assert_held(&list->lock);
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (list->items[middle]->base_offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct sluice_segment *get_at(struct sluice_segment_list *list, u32 i)
{
	if (i >= list->count)
		return NULL;
	sluice_segment_get(list->items[i]);
	return list->items[i];
}

struct sluice_segment *sluice_segment_list_floor(struct sluice_segment_list *list, s64 offset)
{
	struct sluice_segment *seg;
	u32 n;

	port_spin_lock(&list->lock);
	n = rank(list, offset);
	seg = n ? get_at(list, n - 1) : NULL;
	port_spin_unlock(&list->lock);
	return seg;
}

struct sluice_segment *sluice_segment_list_above(struct sluice_segment_list *list, s64 offset)
{
	struct sluice_segment *seg;

	port_spin_lock(&list->lock);
	seg = get_at(list, rank(list, offset));
	port_spin_unlock(&list->lock);
	return seg;
}

struct sluice_segment *sluice_segment_list_at(struct sluice_segment_list *list, u32 i)
{
	struct sluice_segment *seg;

	port_spin_lock(&list->lock);
	seg = get_at(list, i);
	port_spin_unlock(&list->lock);
	return seg;
}
