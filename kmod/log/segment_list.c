// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The segments of a log, ordered by base offset. */
#include "segment_list.h"

void sluice_segment_list_init(struct sluice_segment_list *list)
{
	port_spin_init(&list->lock);
	list->items = NULL;
	list->head = 0;
	list->count = 0;
	list->capacity = 0;
}

void sluice_segment_list_destroy(struct sluice_segment_list *list)
{
	u32 i;

	for (i = 0; i < list->count; i++)
		sluice_segment_put(list->items[list->head + i]);
	port_free(list->items);
	port_spin_destroy(&list->lock);
}

/* An array of @capacity that begins with the first @count items. */
static struct sluice_segment **items_new(const struct sluice_segment_list *list, u32 capacity,
					 u32 count)
{
	struct sluice_segment **items = port_alloc(capacity * sizeof(struct sluice_segment *));

	if (items && count)
		memcpy(items, list->items + list->head,
		       count * sizeof(struct sluice_segment *));
	return items;
}

/* What is in @items is complete before any reader sees it. */
static void install(struct sluice_segment_list *list, struct sluice_segment **items, u32 count,
		    u32 capacity)
{
	struct sluice_segment **old = list->items;

	port_spin_lock(&list->lock);
	list->items = items;
	list->head = 0;
	list->count = count;
	list->capacity = capacity;
	port_spin_unlock(&list->lock);
	port_free(old);
}

int sluice_segment_list_reserve(struct sluice_segment_list *list)
{
	u32 capacity = list->count < 4 ? 4 : list->count * 2;
	struct sluice_segment **items;

	/* Nobody else changes these: the caller has the append mutex. */
	if (list->head + list->count < list->capacity)
		return 0;
	items = items_new(list, capacity, list->count);
	if (!items)
		return -ENOMEM;
	install(list, items, list->count, capacity);
	return 0;
}

void sluice_segment_list_add(struct sluice_segment_list *list, struct sluice_segment *seg)
{
	port_spin_lock(&list->lock);
	list->items[list->head + list->count++] = seg;
	port_spin_unlock(&list->lock);
}

struct sluice_segment *sluice_segment_list_remove_first(struct sluice_segment_list *list)
{
	struct sluice_segment *seg;

	port_spin_lock(&list->lock);
	seg = list->items[list->head++];
	list->count--;
	port_spin_unlock(&list->lock);
	return seg;
}

struct sluice_segment **sluice_segment_list_spare(const struct sluice_segment_list *list,
						  u32 new_count)
{
	return port_alloc((list->count + new_count) * sizeof(struct sluice_segment *));
}

void sluice_segment_list_replace(struct sluice_segment_list *list, struct sluice_segment **spare,
				 u32 first, u32 old_count, struct sluice_segment **old,
				 u32 new_count, struct sluice_segment *const *new)
{
	u32 rest = list->count - first - old_count, count = first + new_count + rest;
	struct sluice_segment **items = list->items + list->head;

	if (first)
		memcpy(spare, items, first * sizeof(*items));
	if (old_count)
		memcpy(old, items + first, old_count * sizeof(*items));
	if (new_count)
		memcpy(spare + first, new, new_count * sizeof(*items));
	if (rest)
		memcpy(spare + first + new_count, items + first + old_count,
		       rest * sizeof(*items));
	install(list, spare, count, list->count + new_count);
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

		if (list->items[list->head + middle]->base_offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

u32 sluice_segment_list_rank(struct sluice_segment_list *list, s64 offset)
{
	u32 n;

	port_spin_lock(&list->lock);
	n = rank(list, offset);
	port_spin_unlock(&list->lock);
	return n;
}

static struct sluice_segment *get_at(struct sluice_segment_list *list, u32 i)
{
	if (i >= list->count)
		return NULL;
	sluice_segment_get(list->items[list->head + i]);
	return list->items[list->head + i];
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
