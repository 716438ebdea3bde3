// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Idempotent producers: their epoch and their last batches. */
#include "producer_state.h"

#define BUCKETS		256	/* allocated with the first producer */

struct producer_batch {
	s32 first_sequence;
	s32 last_sequence;
	s64 base_offset;
};

/*
 * @newer, @older: all producers in the order of their last batch
 * @batches: a ring; the one written last is at (@next - 1)
 */
struct producer {
	s64 id;
	struct producer *bucket_next;
	struct producer *newer;
	struct producer *older;
	s16 epoch;
	u8 count;
	u8 next;
	struct producer_batch batches[SLUICE_PRODUCER_BATCHES];
};

struct sluice_producer_state {
	struct producer **buckets;
	struct producer *spare;
	struct producer *newest;
	struct producer *oldest;
	u32 count;
};

struct sluice_producer_state *sluice_producer_state_new(void)
{
	return port_alloc(sizeof(struct sluice_producer_state));
}

void sluice_producer_state_free(struct sluice_producer_state *s)
{
	struct producer *p, *older;

	if (!s)
		return;
	for (p = s->newest; p; p = older) {
		older = p->older;
		port_free(p);
	}
	port_free(s->spare);
	port_free(s->buckets);
	port_free(s);
}

static struct producer **bucket(const struct sluice_producer_state *s, s64 id)
{
	u64 h = (u64)id * 0x9e3779b97f4a7c15ULL;

	return &s->buckets[h >> 56];
}

static struct producer *find(const struct sluice_producer_state *s, s64 id)
{
	struct producer *p;

	if (!s->buckets)
		return NULL;
	for (p = *bucket(s, id); p; p = p->bucket_next) {
		if (p->id == id)
			return p;
	}
	return NULL;
}

/* Sequences wrap from the largest s32 to 0. */
static s32 sequence_add(s32 sequence, s32 n)
{
	return (s32)(((u32)sequence + (u32)n) & (u32)S32_MAX);
}

static s32 last_sequence(const struct sluice_batch *b)
{
	return sequence_add(b->base_sequence, b->last_offset_delta);
}

static const struct producer_batch *newest_batch(const struct producer *p)
{
	return &p->batches[(p->next + SLUICE_PRODUCER_BATCHES - 1) % SLUICE_PRODUCER_BATCHES];
}

static const struct producer_batch *find_duplicate(const struct producer *p,
						   const struct sluice_batch *b)
{
	u32 i;

	for (i = 0; i < p->count; i++) {
		const struct producer_batch *old = &p->batches[i];

		if (old->first_sequence == b->base_sequence &&
		    old->last_sequence == last_sequence(b))
			return old;
	}
	return NULL;
}

static int check_known(const struct producer *p, const struct sluice_batch *b, s64 *ret_dup_base,
		       const char **ret_why)
{
	const struct producer_batch *dup;

	if (b->producer_epoch < p->epoch) {
		*ret_why = "the producer epoch is an old one";
		return -ESTALE;
	}
	if (b->producer_epoch > p->epoch) {
		if (b->base_sequence == 0)
			return 0;
		*ret_why = "a new producer epoch must start at sequence 0";
		return -EILSEQ;
	}
	dup = find_duplicate(p, b);
	if (dup) {
		*ret_dup_base = dup->base_offset;
		return 1;
	}
	if (b->base_sequence == sequence_add(newest_batch(p)->last_sequence, 1))
		return 0;
	*ret_why = "the sequence is not the next one of this producer";
	return -EILSEQ;
}

static int reserve(struct sluice_producer_state *s)
{
	if (!s->buckets) {
		s->buckets = port_alloc(BUCKETS * sizeof(*s->buckets));
		if (!s->buckets)
			return -ENOMEM;
	}
	if (!s->spare) {
		s->spare = port_alloc(sizeof(*s->spare));
		if (!s->spare)
			return -ENOMEM;
	}
	return 0;
}

int sluice_producer_state_check(struct sluice_producer_state *s, const struct sluice_batch *b,
				s64 *ret_dup_base, const char **ret_why)
{
	struct producer *p;
	int ret;

	if (b->producer_id < 0)
		return 0;
	p = find(s, b->producer_id);
	if (p)
		return check_known(p, b, ret_dup_base, ret_why);
	ret = reserve(s);
	if (ret)
		*ret_why = "no memory to remember the producer";
	return ret;
}

static void unlink_age(struct sluice_producer_state *s, struct producer *p)
{
	if (p->newer)
		p->newer->older = p->older;
	else
		s->newest = p->older;
	if (p->older)
		p->older->newer = p->newer;
	else
		s->oldest = p->newer;
}

static void link_newest(struct sluice_producer_state *s, struct producer *p)
{
	p->newer = NULL;
	p->older = s->newest;
	if (s->newest)
		s->newest->newer = p;
	else
		s->oldest = p;
	s->newest = p;
}

static void forget_oldest(struct sluice_producer_state *s)
{
	struct producer *p = s->oldest;
	struct producer **link = bucket(s, p->id);

	while (*link != p)
		link = &(*link)->bucket_next;
	*link = p->bucket_next;
	unlink_age(s, p);
	port_free(p);
	s->count--;
}

static struct producer *add(struct sluice_producer_state *s, const struct sluice_batch *b)
{
	struct producer *p = s->spare;
	struct producer **head = bucket(s, b->producer_id);

	s->spare = NULL;
	p->id = b->producer_id;
	p->epoch = b->producer_epoch;
	p->bucket_next = *head;
	*head = p;
	link_newest(s, p);
	if (++s->count > SLUICE_PRODUCERS_MAX)
		forget_oldest(s);
	return p;
}

void sluice_producer_state_update(struct sluice_producer_state *s, const struct sluice_batch *b)
{
	struct producer_batch *slot;
	struct producer *p;

	if (b->producer_id < 0)
		return;
	p = find(s, b->producer_id);
	if (p) {
		unlink_age(s, p);
		link_newest(s, p);
	} else {
		p = add(s, b);
	}
	if (p->epoch != b->producer_epoch) {
		p->epoch = b->producer_epoch;
		p->count = 0;
		p->next = 0;
	}
	slot = &p->batches[p->next];
	slot->first_sequence = b->base_sequence;
	slot->last_sequence = last_sequence(b);
	slot->base_offset = b->base_offset;
	p->next = (p->next + 1) % SLUICE_PRODUCER_BATCHES;
	if (p->count < SLUICE_PRODUCER_BATCHES)
		p->count++;
}
