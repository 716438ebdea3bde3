// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The leader epochs of a log, in memory. */
#include "leader_epoch.h"

void sluice_leader_epochs_init(struct sluice_leader_epochs *e)
{
	port_spin_init(&e->lock);
	e->entries = NULL;
	e->count = 0;
	e->capacity = 0;
	e->changes = 0;
}

void sluice_leader_epochs_destroy(struct sluice_leader_epochs *e)
{
	port_free(e->entries);
	port_spin_destroy(&e->lock);
}

s32 sluice_leader_epochs_latest(struct sluice_leader_epochs *e)
{
	s32 epoch;

	port_spin_lock(&e->lock);
	epoch = sluice_leader_epochs_last(e);
	port_spin_unlock(&e->lock);
	return epoch;
}

int sluice_leader_epochs_grow(struct sluice_leader_epochs *e)
{
	/* A log seldom sees a second epoch. */
	u32 capacity = e->capacity ? e->capacity * 2 : 2;
	struct sluice_leader_epoch *entries, *old;

	if (e->count == SLUICE_LEADER_EPOCHS_MAX)
		return -EOVERFLOW;
	entries = port_alloc(capacity * sizeof(*entries));
	if (!entries)
		return -ENOMEM;

	old = e->entries;
	if (e->count)
		memcpy(entries, old, e->count * sizeof(*entries));

	port_spin_lock(&e->lock);
	e->entries = entries;
	e->capacity = capacity;
	port_spin_unlock(&e->lock);

	port_free(old);
	return 0;
}

void sluice_leader_epochs_add(struct sluice_leader_epochs *e, s32 epoch, s64 start_offset)
{
	port_spin_lock(&e->lock);
	while (e->count && (e->entries[e->count - 1].epoch >= epoch ||
			    e->entries[e->count - 1].start_offset >= start_offset))
		e->count--;
	e->entries[e->count].epoch = epoch;
	e->entries[e->count].start_offset = start_offset;
	e->count++;
	e->changes++;
	port_spin_unlock(&e->lock);
}

void sluice_leader_epochs_truncate_end(struct sluice_leader_epochs *e, s64 end_offset)
{
	u32 count = e->count;

	while (count && e->entries[count - 1].start_offset >= end_offset)
		count--;
	if (count == e->count)
		return;
	port_spin_lock(&e->lock);
	e->count = count;
	e->changes++;
	port_spin_unlock(&e->lock);
}

void sluice_leader_epochs_truncate_start(struct sluice_leader_epochs *e, s64 start_offset)
{
	u32 below = 0;

	while (below < e->count && e->entries[below].start_offset <= start_offset)
		below++;
	/* One that begins just there is as it should be, if it is the first. */
	if (!below || (below == 1 && e->entries[0].start_offset == start_offset))
		return;
	port_spin_lock(&e->lock);
	e->count -= below - 1;
	memmove(e->entries, e->entries + below - 1, e->count * sizeof(*e->entries));
	e->entries[0].start_offset = start_offset;
	e->changes++;
	port_spin_unlock(&e->lock);
}

/* How many entries have an epoch of at most @epoch. */
static u32 rank(struct sluice_leader_epochs *e, s32 epoch)
{
	u32 low = 0, high = e->count;

	port_spin_assert_held(&e->lock);
	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (e->entries[middle].epoch <= epoch)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void sluice_leader_epochs_end(struct sluice_leader_epochs *e, s32 epoch, s64 log_end_offset,
			      s32 *ret_epoch, s64 *ret_end_offset)
{
	u32 n;

	*ret_epoch = SLUICE_LEADER_EPOCH_UNDEFINED;
	*ret_end_offset = SLUICE_OFFSET_UNDEFINED;
	if (epoch < 0)
		return;
	port_spin_lock(&e->lock);
	n = rank(e, epoch);
	if (n < e->count) {
		*ret_epoch = n ? e->entries[n - 1].epoch : epoch;
		*ret_end_offset = e->entries[n].start_offset;
	} else if (n && e->entries[n - 1].epoch == epoch) {
		*ret_epoch = epoch;
		*ret_end_offset = log_end_offset;
	}
	port_spin_unlock(&e->lock);
}
