// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Transactions that have ended, but whose markers are not replicated. */
#include "completed_txns.h"

#define CAPACITY_MIN	8

void sluice_completed_txns_destroy(struct sluice_completed_txns *c)
{
	port_free(c->items);
}

int sluice_completed_txns_reserve(struct sluice_completed_txns *c)
{
	u32 capacity = c->capacity ? c->capacity * 2 : CAPACITY_MIN;
	struct sluice_completed_txn *items;

	if (c->count < c->capacity || c->capacity == SLUICE_COMPLETED_TXNS_MAX)
		return 0;
	items = port_alloc(capacity * sizeof(*items));
	if (!items)
		return c->capacity ? 0 : -ENOMEM;
	if (c->count)
		memcpy(items, c->items + c->first, c->count * sizeof(*items));
	port_free(c->items);
	c->items = items;
	c->first = 0;
	c->capacity = capacity;
	return 0;
}

void sluice_completed_txns_add(struct sluice_completed_txns *c, s64 first_offset, s64 last_offset)
{
	struct sluice_completed_txn *end;

	while (c->count && c->items[c->first + c->count - 1].first_offset >= first_offset)
		c->count--;
	if (c->count == c->capacity) {
		/* No room: the one before holds its first offset until both are replicated. */
		c->items[c->first + c->count - 1].last_offset = last_offset;
		return;
	}
	if (c->first + c->count == c->capacity) {
		memmove(c->items, c->items + c->first, c->count * sizeof(*c->items));
		c->first = 0;
	}
	end = &c->items[c->first + c->count++];
	end->first_offset = first_offset;
	end->last_offset = last_offset;
}

void sluice_completed_txns_remove(struct sluice_completed_txns *c, s64 offset)
{
	while (c->count && c->items[c->first].last_offset < offset) {
		c->first++;
		c->count--;
	}
	if (!c->count)
		c->first = 0;
}

s64 sluice_completed_txns_first(const struct sluice_completed_txns *c)
{
	return c->count ? c->items[c->first].first_offset : S64_MAX;
}
