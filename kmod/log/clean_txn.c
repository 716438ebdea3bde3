// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Transactions as the cleaner walks past them. */
#include "clean_txn.h"
#include "marker.h"

#define FIRST_ROOM	64

/*
 * @used: not a free slot
 * @committed: batches were seen of a transaction that is not aborted
 * @aborted: the aborted transaction under way, or NULL
 * @observed: a batch of @aborted was seen
 */
struct sluice_clean_txn_producer {
	s64 id;
	const struct sluice_aborted_txn *aborted;
	bool used;
	bool committed;
	bool observed;
};

void sluice_clean_txn_init(struct sluice_clean_txn *t, const struct sluice_aborted_txn *aborted,
			   u32 count)
{
	memset(t, 0, sizeof(*t));
	t->aborted = aborted;
	t->aborted_count = count;
}

void sluice_clean_txn_destroy(struct sluice_clean_txn *t)
{
	port_free(t->producers);
	t->producers = NULL;
}

/* The producer's slot, or the free one for it; @room is a power of two. */
static struct sluice_clean_txn_producer *find(struct sluice_clean_txn_producer *producers,
					      u32 room, s64 id)
{
	u32 i = (u32)(((u64)id * 0x9e3779b97f4a7c15ULL) >> 32) & (room - 1);

	while (producers[i].used && producers[i].id != id)
		i = (i + 1) & (room - 1);
	return &producers[i];
}

static int grow(struct sluice_clean_txn *t)
{
	u32 room = t->room ? t->room * 2 : FIRST_ROOM;
	struct sluice_clean_txn_producer *producers = port_alloc((size_t)room *
								 sizeof(*producers));
	u32 i;

	if (!producers)
		return -ENOMEM;
	for (i = 0; i < t->room; i++) {
		if (t->producers[i].used)
			*find(producers, room, t->producers[i].id) = t->producers[i];
	}
	port_free(t->producers);
	t->producers = producers;
	t->room = room;
	return 0;
}

static int get(struct sluice_clean_txn *t, s64 id, struct sluice_clean_txn_producer **ret_p)
{
	struct sluice_clean_txn_producer *p;
	int ret;

	/* Half of it is free, so that a search ends soon. */
	if (t->producer_count >= t->room / 2) {
		ret = grow(t);
		if (ret)
			return ret;
	}
	p = find(t->producers, t->room, id);
	if (!p->used) {
		p->used = true;
		p->id = id;
		t->producer_count++;
	}
	*ret_p = p;
	return 0;
}

/*
 * The aborted transaction that a batch at @offset is in, or NULL. A walk may
 * begin behind its marker, and what comes behind that is another transaction.
 */
static const struct sluice_aborted_txn *aborted_at(struct sluice_clean_txn_producer *p, s64 offset)
{
	if (p->aborted && p->aborted->last_offset < offset)
		p->aborted = NULL;
	return p->aborted;
}

static int begin_aborted(struct sluice_clean_txn *t, s64 offset)
{
	struct sluice_clean_txn_producer *p;
	int ret;

	for (; t->next < t->aborted_count && t->aborted[t->next].first_offset <= offset;
	     t->next++) {
		ret = get(t, t->aborted[t->next].producer_id, &p);
		if (ret)
			return ret;
		if (aborted_at(p, t->aborted[t->next].first_offset))
			continue;
		p->aborted = &t->aborted[t->next];
		p->observed = false;
	}
	return 0;
}

int sluice_clean_txn_batch(struct sluice_clean_txn *t, const struct sluice_batch *b)
{
	struct sluice_clean_txn_producer *p;
	int ret;

	ret = begin_aborted(t, sluice_batch_last_offset(b));
	if (ret || !(b->attributes & SLUICE_BATCH_TRANSACTIONAL))
		return ret;
	ret = get(t, b->producer_id, &p);
	if (ret)
		return ret;
	if (!aborted_at(p, b->base_offset)) {
		p->committed = true;
		return 0;
	}
	p->observed = true;
	return 1;
}

int sluice_clean_txn_marker(struct sluice_clean_txn *t, const struct sluice_batch *b,
			    const void *records, size_t len,
			    const struct sluice_aborted_txn **ret_index)
{
	struct sluice_clean_txn_producer *p;
	struct sluice_marker m;
	bool seen;
	int ret;

	*ret_index = NULL;
	ret = begin_aborted(t, sluice_batch_last_offset(b));
	if (ret)
		return ret;
	if (!b->record_count)
		return 1;
	if (sluice_marker_parse(b, records, len, &m))
		return 0;
	ret = get(t, b->producer_id, &p);
	if (ret)
		return ret;
	if (!m.abort) {
		seen = p->committed;
		p->committed = false;
		return seen ? 0 : 1;
	}
	seen = aborted_at(p, b->base_offset) && p->observed;
	if (seen)
		*ret_index = p->aborted;
	p->aborted = NULL;
	return seen ? 0 : 1;
}
