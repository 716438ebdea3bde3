// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* The rules of idempotent and transactional producers. */
#include "producer_state.h"
#include "completed_txns.h"
#include "producer_table.h"

struct sluice_producer_state {
	struct sluice_producer_table table;
	struct sluice_completed_txns completed;
};

struct sluice_producer_state *sluice_producer_state_new(void)
{
	return port_alloc(sizeof(struct sluice_producer_state));
}

void sluice_producer_state_free(struct sluice_producer_state *s)
{
	if (!s)
		return;
	sluice_completed_txns_destroy(&s->completed);
	sluice_producer_table_destroy(&s->table);
	port_free(s);
}

u32 sluice_producer_state_count(const struct sluice_producer_state *s)
{
	return s->table.count;
}

/* Sequences wrap from the largest s32 to 0. */
static s32 sequence_add(s32 sequence, s32 n)
{
	return (s32)(((u32)sequence + (u32)n) & (u32)S32_MAX);
}

static s32 last_sequence(const struct sluice_batch *b)
{
	return b->base_sequence < 0 ? -1 : sequence_add(b->base_sequence, b->last_offset_delta);
}

static const struct sluice_producer_batch *newest_batch(const struct sluice_producer *p)
{
	u32 i = (p->next + SLUICE_PRODUCER_BATCHES - 1) % SLUICE_PRODUCER_BATCHES;

	return p->count ? &p->batches[i] : NULL;
}

static const struct sluice_producer_batch *find_duplicate(const struct sluice_producer *p,
							  const struct sluice_batch *b)
{
	u32 i;

	if (p->epoch != b->producer_epoch)
		return NULL;
	for (i = 0; i < p->count; i++) {
		const struct sluice_producer_batch *old = &p->batches[i];

		/* As long and with the same end: then it has the same beginning. */
		if (old->last_sequence == last_sequence(b) &&
		    old->offset_delta == b->last_offset_delta)
			return old;
	}
	return NULL;
}

static int check_epoch(const struct sluice_producer *p, const struct sluice_producer_append *pa,
		       const char **ret_why)
{
	s16 epoch = pa->b->producer_epoch;

	if (epoch < p->epoch) {
		*ret_why = "the producer epoch is an old one";
		return -ESTALE;
	}
	/*
	 * With no transaction open it is a marker that was written, and is sent
	 * again: it changes nothing.
	 */
	if (pa->marker && pa->transaction_version >= 2 && epoch == p->epoch &&
	    p->txn_first_offset >= 0) {
		*ret_why = "the marker is of an earlier transaction of the producer";
		return -ESTALE;
	}
	return 0;
}

static int check_sequence(const struct sluice_producer *p, const struct sluice_batch *b,
			  const char **ret_why)
{
	const struct sluice_producer_batch *newest = newest_batch(p);

	/* Of a producer without an epoch nothing is known. */
	if (p->epoch == -1)
		return 0;
	if (b->producer_epoch != p->epoch) {
		if (b->base_sequence == 0)
			return 0;
		*ret_why = "a new producer epoch must start at sequence 0";
		return -EILSEQ;
	}
	if (b->base_sequence == (newest ? sequence_add(newest->last_sequence, 1) : 0))
		return 0;
	*ret_why = "the sequence is not the next one of this producer";
	return -EILSEQ;
}

static int check_known(const struct sluice_producer *p, const struct sluice_producer_append *pa,
		       struct sluice_producer_batch *ret_dup, const char **ret_why)
{
	const struct sluice_producer_batch *dup = NULL;
	int ret;

	if (pa->as == SLUICE_APPEND_AS_CLIENT)
		dup = find_duplicate(p, pa->b);
	if (dup) {
		*ret_dup = *dup;
		return 1;
	}
	ret = check_epoch(p, pa, ret_why);
	if (ret)
		return ret;
	if (pa->marker) {
		if (pa->marker->coordinator_epoch >= p->coordinator_epoch)
			return 0;
		*ret_why = "the marker is of a coordinator that another has replaced";
		return -EOWNERDEAD;
	}
	if (pa->as == SLUICE_APPEND_AS_CLIENT) {
		ret = check_sequence(p, pa->b, ret_why);
		if (ret)
			return ret;
	}
	if (p->txn_first_offset >= 0 && !(pa->b->attributes & SLUICE_BATCH_TRANSACTIONAL)) {
		*ret_why = "the producer has a transaction open, the batch is not part of it";
		return -EBUSY;
	}
	return 0;
}

int sluice_producer_state_check(struct sluice_producer_state *s,
				const struct sluice_producer_append *pa,
				struct sluice_producer_batch *ret_dup, const char **ret_why)
{
	const struct sluice_producer *p;
	int ret = 0;

	if (pa->b->producer_id < 0)
		return 0;
	p = sluice_producer_table_find(&s->table, pa->b->producer_id);
	if (p && pa->as != SLUICE_APPEND_AS_REPLICA) {
		ret = check_known(p, pa, ret_dup, ret_why);
		if (ret)
			return ret;
	}
	if (!p)
		ret = sluice_producer_table_reserve(&s->table);
	else if (pa->marker && p->txn_first_offset >= 0)
		ret = sluice_completed_txns_reserve(&s->completed);
	if (ret)
		*ret_why = "no memory to remember the producer";
	return ret;
}

bool sluice_producer_state_aborts(const struct sluice_producer_state *s,
				  const struct sluice_batch *b, const struct sluice_marker *m,
				  struct sluice_aborted_txn *ret_txn)
{
	const struct sluice_producer *p, *next;

	if (!m || !m->abort || b->producer_id < 0)
		return false;
	p = sluice_producer_table_find(&s->table, b->producer_id);
	if (!p || p->txn_first_offset < 0)
		return false;
	next = s->table.open.oldest;
	if (next == p)
		next = p->newer;
	ret_txn->producer_id = p->id;
	ret_txn->first_offset = p->txn_first_offset;
	ret_txn->last_offset = sluice_batch_last_offset(b);
	ret_txn->last_stable_offset = next ? next->txn_first_offset : ret_txn->last_offset + 1;
	return true;
}

static void set_epoch(struct sluice_producer *p, s16 epoch)
{
	if (p->epoch == epoch)
		return;
	p->epoch = epoch;
	p->count = 0;
	p->next = 0;
}

static void add_batch(struct sluice_producer *p, const struct sluice_producer_batch *batch)
{
	p->batches[p->next] = *batch;
	p->next = (p->next + 1) % SLUICE_PRODUCER_BATCHES;
	if (p->count < SLUICE_PRODUCER_BATCHES)
		p->count++;
	p->last_timestamp = batch->timestamp;
}

static void update_by_marker(struct sluice_producer_state *s, struct sluice_producer *p,
			     const struct sluice_batch *b, const struct sluice_marker *m)
{
	set_epoch(p, b->producer_epoch);
	p->coordinator_epoch = m->coordinator_epoch;
	p->last_timestamp = b->attributes & SLUICE_BATCH_LOG_APPEND_TIME ? b->max_timestamp :
									    m->timestamp;
	if (p->txn_first_offset < 0)
		return;
	sluice_completed_txns_add(&s->completed, p->txn_first_offset, sluice_batch_last_offset(b));
	p->txn_first_offset = -1;
}

static void update_by_data(struct sluice_producer *p, const struct sluice_batch *b)
{
	const struct sluice_producer_batch batch = {
		.last_sequence = last_sequence(b),
		.offset_delta = b->last_offset_delta,
		.last_offset = sluice_batch_last_offset(b),
		.timestamp = b->max_timestamp,
	};

	set_epoch(p, b->producer_epoch);
	add_batch(p, &batch);
	if (b->attributes & SLUICE_BATCH_TRANSACTIONAL && p->txn_first_offset < 0)
		p->txn_first_offset = b->base_offset;
}

void sluice_producer_state_update(struct sluice_producer_state *s, const struct sluice_batch *b,
				  const struct sluice_marker *m)
{
	struct sluice_producer *p;
	bool was_open;

	if (b->producer_id < 0 || (b->attributes & SLUICE_BATCH_CONTROL && !m))
		return;
	p = sluice_producer_table_find(&s->table, b->producer_id);
	if (!p)
		p = sluice_producer_table_add(&s->table, b->producer_id);
	was_open = p->txn_first_offset >= 0;
	if (m)
		update_by_marker(s, p, b, m);
	else
		update_by_data(p, b);
	sluice_producer_table_move(&s->table, p, was_open);
}

void sluice_producer_state_replicated(struct sluice_producer_state *s, s64 high_watermark)
{
	sluice_completed_txns_remove(&s->completed, high_watermark);
}

s64 sluice_producer_state_first_unstable(const struct sluice_producer_state *s)
{
	const struct sluice_producer *oldest = s->table.open.oldest;

	return min_t(s64, sluice_completed_txns_first(&s->completed),
		     oldest ? oldest->txn_first_offset : S64_MAX);
}

int sluice_producer_state_replay(struct sluice_producer_state *s, struct port_file *file,
				 u64 position, const struct sluice_batch *b,
				 struct sluice_aborted_txn *ret_txn)
{
	struct sluice_producer_append pa = { .b = b, .as = SLUICE_APPEND_AS_REPLICA };
	struct sluice_marker marker;
	bool aborts;
	const char *why;
	int ret;

	if (b->producer_id < 0)
		return 0;
	if (b->attributes & SLUICE_BATCH_CONTROL) {
		ret = sluice_marker_read(file, position, b, &marker);
		/* Compaction leaves control batches empty; others are not for us. */
		if (ret == -EINVAL || ret == -ENOMSG)
			return 0;
		if (ret)
			return ret;
		pa.marker = &marker;
	}
	ret = sluice_producer_state_check(s, &pa, NULL, &why);
	if (ret)
		return ret;
	aborts = sluice_producer_state_aborts(s, b, pa.marker, ret_txn);
	sluice_producer_state_update(s, b, pa.marker);
	/* What is on disk when a log is opened is all that there is of it. */
	sluice_producer_state_replicated(s, S64_MAX);
	return aborts;
}

bool sluice_producer_state_expire(struct sluice_producer_state *s, s64 now_ms, s64 expiration_ms)
{
	return sluice_producer_table_expire(&s->table, now_ms, expiration_ms);
}

/* Is the second the batch that the producer sent after the first? */
static bool follows(const struct sluice_producer_batch *a, const struct sluice_producer_batch *b)
{
	return a->last_sequence >= 0 && b->last_sequence >= 0 &&
	       sequence_add(a->last_sequence, 1) ==
	       sequence_add(b->last_sequence, (s32)-(u32)b->offset_delta) &&
	       a->last_offset < b->last_offset - b->offset_delta;
}

/* @back: 1 is the one before the newest */
static const struct sluice_producer_batch *older_batch(const struct sluice_producer *p, u32 back)
{
	return &p->batches[(p->next + 2 * SLUICE_PRODUCER_BATCHES - 1 - back) %
			   SLUICE_PRODUCER_BATCHES];
}

/* Batches that compaction or another leader left before a gap stay out. */
static u32 count_earlier(const struct sluice_producer *p)
{
	u32 n = 0;

	while (n + 1 < p->count && follows(older_batch(p, n + 1), older_batch(p, n)))
		n++;
	return n;
}

static void fill_entry(const struct sluice_producer *p, struct sluice_producer_entry *e)
{
	const struct sluice_producer_batch *newest = newest_batch(p);
	u32 i;

	*e = (struct sluice_producer_entry){
		.id = p->id,
		.epoch = p->epoch,
		.last_timestamp = p->last_timestamp,
		.coordinator_epoch = p->coordinator_epoch,
		.txn_first_offset = p->txn_first_offset,
		.last = { .last_sequence = -1, .last_offset = -1, .timestamp = -1 },
		.earlier_count = count_earlier(p),
	};
	if (newest)
		e->last = *newest;
	for (i = 0; i < e->earlier_count; i++)
		e->earlier[i] = *older_batch(p, e->earlier_count - i);
}

static int each_of_list(const struct sluice_producer_list *list,
			int (*fn)(void *ctx, const struct sluice_producer_entry *e), void *ctx)
{
	const struct sluice_producer *p;
	struct sluice_producer_entry e;
	int ret;

	for (p = list->oldest; p; p = p->newer) {
		fill_entry(p, &e);
		ret = fn(ctx, &e);
		if (ret)
			return ret;
	}
	return 0;
}

int sluice_producer_state_each(const struct sluice_producer_state *s,
			       int (*fn)(void *ctx, const struct sluice_producer_entry *e),
			       void *ctx)
{
	int ret = each_of_list(&s->table.idle, fn, ctx);

	return ret ? ret : each_of_list(&s->table.open, fn, ctx);
}

/* What the table has of it was an earlier batch of the same producer. */
static bool leads_to(const struct sluice_producer *p, const struct sluice_producer_entry *e)
{
	const struct sluice_producer_batch *newest = newest_batch(p);

	return newest && p->epoch == e->epoch && p->txn_first_offset < 0 &&
	       p->count < SLUICE_PRODUCER_BATCHES && follows(newest, &e->last);
}

int sluice_producer_state_add(struct sluice_producer_state *s,
			      const struct sluice_producer_entry *e)
{
	struct sluice_producer *p = sluice_producer_table_find(&s->table, e->id);
	int ret;

	if (p && !leads_to(p, e))
		return -EEXIST;
	if (!p) {
		ret = sluice_producer_table_reserve(&s->table);
		if (ret)
			return ret;
		p = sluice_producer_table_add(&s->table, e->id);
	}
	p->epoch = e->epoch;
	if (e->last.last_offset >= 0)
		add_batch(p, &e->last);
	p->last_timestamp = e->last_timestamp;
	p->coordinator_epoch = e->coordinator_epoch;
	p->txn_first_offset = e->txn_first_offset;
	sluice_producer_table_move(&s->table, p, false);
	return 0;
}

void sluice_producer_state_added(struct sluice_producer_state *s)
{
	sluice_producer_table_sort(&s->table);
}
