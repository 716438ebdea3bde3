// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/expect.h"

#include "log_internal.h"
#include "tests/sim/model.h"
#include "tests/sim/random.h"

#define EPOCHS_MAX  512
#define RECORDS_MAX (MODEL_ENTRIES_MAX * MODEL_RECORDS_MAX)
#define ABORTS_MAX  MODEL_ENTRIES_MAX

/*
 * What the scan tells of a producer.
 * @last: its last batch, but for markers; with an epoch of -1 none was seen
 * @first: of its open transaction; -1 is none
 * @may_be_open: one may have been open where the scan begins
 * @maybe: and no marker ended that since
 */
struct producer {
	struct sluice_batch last;
	s16 epoch;
	s64 first;
	bool may_be_open;
	bool maybe;
};

/*
 * @required: it was seen to begin
 * @exact: and there it began
 * @stable_known: @txn.last_stable_offset is
 */
struct abort {
	struct sluice_aborted_txn txn;
	bool required, exact, stable_known;
};

static struct {
	struct producer producers[MODEL_PRODUCERS_MAX];
	struct abort aborts[ABORTS_MAX];
	u32 abort_count;
	struct {
		s32 epoch;
		s64 offset;
	} epochs[EPOCHS_MAX];
	u32 epoch_count;
	struct {
		s64 offset, timestamp;
	} records[RECORDS_MAX];
	u32 record_count;
} scan;

void expect_begin(void)
{
	scan.abort_count = 0;
	scan.epoch_count = 0;
	scan.record_count = 0;
	for (int i = 0; i < MODEL_PRODUCERS_MAX; i++)
		scan.producers[i] = (struct producer){
			.last.producer_epoch = -1,
			.epoch = -1,
			.first = -1,
			.may_be_open = model_may_be_open(i),
			.maybe = model_may_be_open(i),
		};
}

void expect_record(s64 offset, s64 timestamp)
{
	scan.records[scan.record_count].offset = offset;
	scan.records[scan.record_count++].timestamp = timestamp;
}

/* The first offset of the oldest open transaction, or @none; and is that sure. */
static s64 first_open(s64 none, bool *ret_sure)
{
	s64 first = none;

	*ret_sure = true;
	for (int i = 0; i < MODEL_PRODUCERS_MAX; i++) {
		const struct producer *p = &scan.producers[i];

		if (p->first >= 0)
			first = min(first, p->first);
		if (p->maybe)
			*ret_sure = false;
	}
	return first;
}

static void see_marker(struct producer *p, const struct sluice_batch *b, bool abort)
{
	struct abort *a = &scan.aborts[scan.abort_count];
	bool had = p->first >= 0, maybe = p->maybe;
	s64 first = p->first;

	p->first = -1;
	p->maybe = false;
	if (!abort || (!had && !maybe))
		return;
	a->required = had;
	a->exact = had && !maybe && !model.compact;
	a->txn = (struct sluice_aborted_txn){
		.producer_id = b->producer_id,
		.first_offset = had ? first : b->base_offset,
		.last_offset = b->base_offset,
		.last_stable_offset = first_open(b->base_offset + 1, &a->stable_known),
	};
	a->stable_known &= !model.compact;
	scan.abort_count++;
}

void expect_batch(const struct sluice_batch *b, bool abort)
{
	int slot = model_slot_of(b->producer_id);
	struct producer *p;

	if (!scan.epoch_count || scan.epochs[scan.epoch_count - 1].epoch != b->leader_epoch) {
		assert(scan.epoch_count < EPOCHS_MAX);
		scan.epochs[scan.epoch_count].epoch = b->leader_epoch;
		scan.epochs[scan.epoch_count++].offset = b->base_offset;
	}
	if (slot < 0)
		return;
	/* Of a marker that was compacted nothing is told, as in Kafka. */
	if (b->attributes & SLUICE_BATCH_CONTROL && !b->record_count)
		return;
	p = &scan.producers[slot];
	p->epoch = b->producer_epoch;
	if (b->attributes & SLUICE_BATCH_CONTROL) {
		see_marker(p, b, abort);
		return;
	}
	p->last = *b;
	if (b->attributes & SLUICE_BATCH_TRANSACTIONAL && p->first < 0)
		p->first = b->base_offset;
}

static int check_producer(void *ctx, const struct sluice_producer_entry *e)
{
	int slot = model_slot_of(e->id);
	const struct producer *p;
	bool *known = ctx;
	s32 last;

	if (slot < 0)
		model_fail("the log knows producer %lld, which there is not", e->id);
	p = &scan.producers[slot];
	last = p->last.base_sequence + p->last.last_offset_delta;
	known[slot] = true;
	if (p->epoch >= 0 && (model.compact ? e->epoch < p->epoch : e->epoch != p->epoch))
		model_fail("producer %lld has epoch %d, not %d", e->id, e->epoch, p->epoch);
	/* Compaction takes batches that the log remembers. */
	if (!model.compact && p->epoch >= 0 && p->last.producer_epoch == p->epoch &&
	    (e->last.last_sequence != last ||
	     e->last.last_offset != sluice_batch_last_offset(&p->last)))
		model_fail("producer %lld: the last is %d at %lld, not %d at %lld", e->id,
			   e->last.last_sequence, e->last.last_offset, last,
			   sluice_batch_last_offset(&p->last));
	if (!p->maybe && !model.compact && p->first != e->txn_first_offset)
		model_fail("producer %lld: the transaction is from %lld, not %lld", e->id,
			   e->txn_first_offset, p->first);
	if (p->maybe && p->first >= 0 &&
	    (e->txn_first_offset < 0 || e->txn_first_offset > p->first))
		model_fail("producer %lld: the transaction is from %lld, %lld at most", e->id,
			   e->txn_first_offset, p->first);
	return 0;
}

static void check_producers(struct sluice_log *log)
{
	bool known[MODEL_PRODUCERS_MAX] = {false};

	(void)!sluice_producer_state_each(log->producers, check_producer, known);
	for (int i = 0; i < MODEL_PRODUCERS_MAX; i++)
		if (scan.producers[i].epoch >= 0 && !known[i])
			model_fail("producer %d is not known", i);
}

static void check_stable(struct sluice_log *log)
{
	s64 lso = sluice_log_last_stable_offset(log), start = sluice_log_start_offset(log);
	bool sure;
	s64 first = max(start, first_open(sluice_log_end_offset(log), &sure));

	/* A truncation may open one again whose first batches were compacted. */
	sure &= !model.compact;
	if (lso > first || lso < start || (sure && lso != first))
		model_fail("the last stable offset is %lld, not %lld%s", lso, first,
			   sure ? "" : " or less");
}

static bool same_abort(const struct abort *a, const struct sluice_aborted_txn *txn)
{
	return txn->producer_id == a->txn.producer_id && txn->last_offset == a->txn.last_offset &&
	       (a->exact ? txn->first_offset == a->txn.first_offset
			 : txn->first_offset <= a->txn.first_offset) &&
	       (!a->stable_known || txn->last_stable_offset == a->txn.last_stable_offset);
}

static void check_aborted(struct sluice_log *log, s64 from, s64 to)
{
	static struct sluice_aborted_txn txns[ABORTS_MAX];
	u32 count, next = 0;
	int ret = sluice_log_aborted(log, from, to, txns, ABORTS_MAX, &count);

	if (ret)
		model_fail("aborted transactions cannot be told: error %d", ret);
	for (u32 i = 0; i < scan.abort_count; i++) {
		const struct abort *a = &scan.aborts[i];

		if (a->txn.last_offset < from)
			continue;
		/* Of which compaction took the records, or the marker. */
		while (model.compact && next < count && txns[next].last_offset < a->txn.last_offset)
			next++;
		if (next < count && same_abort(a, &txns[next]))
			next++;
		else if (a->required && a->txn.first_offset < to)
			model_fail("the abort at %lld, from %lld, is not told: [%lld, %lld)",
				   a->txn.last_offset, a->txn.first_offset, from, to);
	}
	if (next != count && !model.compact)
		model_fail("an abort at %lld, from %lld, which there is not: [%lld, %lld)",
			   txns[next].last_offset, txns[next].first_offset, from, to);
}

/* LeaderEpochFileCache.endOffsetFor(). */
static void check_epoch(struct sluice_log *log, s32 epoch)
{
	s64 end, expected_end = -1;
	s32 found, expected = -1;
	u32 i = 0;

	sluice_log_epoch_end(log, epoch, &found, &end);
	while (i < scan.epoch_count && scan.epochs[i].epoch <= epoch)
		i++;
	/* Below the first one of the log it depends on what it still knows of those. */
	if (!i && scan.epoch_count)
		return;
	if (i < scan.epoch_count) {
		expected = scan.epochs[i - 1].epoch;
		expected_end = scan.epochs[i].offset;
	} else if (i && scan.epochs[i - 1].epoch == epoch) {
		expected = epoch;
		expected_end = sluice_log_end_offset(log);
	} else if (!i) {
		/* Of a log without batches it may know the last one. */
		return;
	}
	if (expected_end >= 0 && expected_end <= model.removed)
		return;
	if (found != expected || end != expected_end)
		model_fail("epoch %d ended with %d at %lld, not %d at %lld", epoch, found, end,
			   expected, expected_end);
}

static void check_time(struct sluice_log *log, s64 timestamp)
{
	s64 offset, found;
	u32 i = 0;
	int ret = sluice_log_offset_for_time(log, timestamp, &offset, &found);

	if (ret)
		model_fail("time %lld cannot be found: error %d", timestamp, ret);
	while (i < scan.record_count && scan.records[i].timestamp < timestamp)
		i++;
	if (i == scan.record_count
		    ? offset != -1
		    : offset != scan.records[i].offset || found != scan.records[i].timestamp)
		model_fail("time %lld is at %lld, not at %lld", timestamp, offset,
			   i == scan.record_count ? -1 : scan.records[i].offset);
}

static void check_max_time(struct sluice_log *log)
{
	s64 offset = -1, found = -1, expected = -1;
	u32 at = 0;

	if (sluice_log_max_timestamp(log, &offset, &found))
		model_fail("the largest time cannot be found");
	for (u32 i = 0; i < scan.record_count; i++) {
		if (scan.records[i].timestamp <= expected)
			continue;
		expected = scan.records[i].timestamp;
		at = i;
	}
	if (found != expected || (expected >= 0 && offset != scan.records[at].offset))
		model_fail("the largest time is %lld at %lld, not %lld at %lld", found, offset,
			   expected, expected >= 0 ? scan.records[at].offset : -1);
}

void expect_check(struct sluice_log *log)
{
	s64 start = sluice_log_start_offset(log), lso = sluice_log_last_stable_offset(log);

	check_producers(log);
	check_stable(log);
	check_aborted(log, start, lso);
	if (lso > start) {
		s64 from = start + sim_random((u32)(lso - start));

		check_aborted(log, from, from + 1 + sim_random((u32)(lso - from)));
	}
	/* Compaction takes batches, but not their epochs. */
	for (u32 i = 0; i < scan.epoch_count && !model.compact; i++) {
		check_epoch(log, scan.epochs[i].epoch);
		check_epoch(log, scan.epochs[i].epoch + 1);
	}
	for (u32 i = 0; i < 4 && scan.record_count; i++)
		check_time(log, scan.records[sim_random(scan.record_count)].timestamp +
					(s64)sim_random(3) - 1);
	check_max_time(log);
}
