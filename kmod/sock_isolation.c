// SPDX-License-Identifier: GPL-2.0
/*
 * Reading only what was committed (SLUICE_ISOLATION): up to the last stable offset,
 * and without the batches of transactions that were aborted.
 *
 * Below the last stable offset every transaction has ended, so that what the log
 * says of a range there stays true until a truncation. A cursor keeps that of the
 * range ahead of it, so long that few transactions are in it.
 */
#include "partition.h"
#include "sock.h"

#include <linux/mm.h>
#include <linux/slab.h>

/* Of so many transactions the list is kept at once, unless one batch is among more. */
#define WINDOW_TXNS	256U
#define WINDOW_TXNS_MAX	(1U << 20)

/**
 * struct sluice_aborted_window - the aborted transactions of a range of offsets
 * @from: first offset of it
 * @end: behind it
 * @span: offsets to ask for next time, at most
 * @count: entries of @txns
 * @passed: of these, before which no offset from here on lies
 * @room: entries there is memory for
 * @txns: in the order of their markers
 */
struct sluice_aborted_window {
	s64 from;
	s64 end;
	s64 span;
	u32 count;
	u32 passed;
	u32 room;
	struct sluice_aborted_txn txns[];
};

s64 sluice_cursor_limit(const struct sluice_cursor *c)
{
	if (READ_ONCE(c->ssk->read_committed))
		return sluice_log_last_stable_offset(c->p->log);
	return sluice_log_high_watermark(c->p->log);
}

void sluice_cursor_forget_aborted(struct sluice_cursor *c)
{
	kvfree(c->aborted);
	c->aborted = NULL;
}

static int window_make(struct sluice_cursor *c, u32 room)
{
	struct sluice_aborted_window *w;

	if (room > WINDOW_TXNS_MAX)
		return -ENOMEM;
	w = kvzalloc(struct_size(w, txns, room), GFP_KERNEL_ACCOUNT);
	if (!w)
		return -ENOMEM;
	w->span = c->aborted ? c->aborted->span : S64_MAX;
	w->room = room;
	kvfree(c->aborted);
	c->aborted = w;
	return 0;
}

/* Learn of a range that begins with the batch at hand and holds it. */
static int window_load(struct sluice_cursor *c)
{
	s64 from = max(c->at.batch.base_offset, sluice_log_start_offset(c->p->log));
	s64 least = max(sluice_batch_last_offset(&c->at.batch), from) + 1;
	s64 stable = max(sluice_log_last_stable_offset(c->p->log), least);
	struct sluice_aborted_window *w;
	u32 count;
	s64 end;
	int err;

	for (;;) {
		w = c->aborted;
		if (!w) {
			err = window_make(c, WINDOW_TXNS);
			if (err)
				return err;
			continue;
		}
		/* What is there is overwritten: nothing, if this fails. */
		w->from = 0;
		w->end = 0;
		end = w->span < stable - from ? max(from + w->span, least) : stable;
		err = sluice_log_aborted(c->p->log, from, end, w->txns, w->room, &count);
		if (err)
			return err;
		if (count <= w->room)
			break;
		w->span = (end - from) / 2;
		if (end > least)
			continue;
		err = window_make(c, count);
		if (err)
			return err;
	}
	w->from = from;
	w->end = end;
	w->count = count;
	w->passed = 0;
	if (count < WINDOW_TXNS / 4)
		w->span = w->span < S64_MAX / 2 ? 2 * max(w->span, 1LL) : S64_MAX;
	return 0;
}

int sluice_cursor_is_aborted(struct sluice_cursor *c)
{
	const struct sluice_batch *b = &c->at.batch;
	struct sluice_aborted_window *w = c->aborted;
	s64 last = sluice_batch_last_offset(b);
	u32 i;
	int err;

	if (!(b->attributes & SLUICE_BATCH_TRANSACTIONAL))
		return 0;
	if (!w || b->base_offset < w->from || last >= w->end) {
		err = window_load(c);
		if (err)
			return err;
		w = c->aborted;
	}
	while (w->passed < w->count && w->txns[w->passed].last_offset < b->base_offset)
		w->passed++;
	/* A producer has one transaction at a time: what lies inside is of it. */
	for (i = w->passed; i < w->count; i++)
		if (w->txns[i].producer_id == b->producer_id && w->txns[i].first_offset <= last)
			return 1;
	return 0;
}

int sluice_sock_set_isolation(struct sluice_sock *ssk, u32 isolation)
{
	bool committed = isolation == SLUICE_READ_COMMITTED;
	struct sluice_cursor *c;

	sock_owned_by_me(&ssk->sk);
	if (isolation > SLUICE_READ_COMMITTED)
		return sluice_sock_fail(ssk, -EINVAL, "isolation %u cannot be", isolation);
	if (committed && ssk->sk.sk_type == SOCK_STREAM)
		return sluice_sock_fail(ssk, -EOPNOTSUPP,
					"a SOCK_STREAM is of batches as they are stored");
	/* A batch that a stream is inside of must not be looked for anew. */
	if (committed == ssk->read_committed)
		return 0;
	/* What growth reports from here on is of the new kind; what it did is looked at now. */
	spin_lock(&ssk->ready_lock);
	WRITE_ONCE(ssk->read_committed, committed);
	spin_unlock(&ssk->ready_lock);
	for (c = sluice_cursor_first(ssk); c; c = sluice_cursor_next_of(c)) {
		sluice_cursor_look_anew(c);
		cond_resched();
	}
	ssk->sk.sk_data_ready(&ssk->sk);
	return 0;
}
