// SPDX-License-Identifier: Apache-2.0
/*
 * Compaction of logs with transactions. Where a test is named after one of
 * Kafka's (LogCleanerTest.java), so are the offsets that it expects.
 */
#include "clean_words.h"

/* testMultiPassSegmentCleaningWithAbortedTransactions */
static void clean__aborted_transactions_in_several_passes(void **state)
{
	s64 dirty;

	(void)state;
	log_.delete_retention_ms = 50000;
	log_.slots = 6; /* three quarters of it are 4: FakeOffsetMap(4) counts otherwise */
	txn(1, 1, 2);
	txn(2, 2, 3);
	txn(1, 3, 4);
	commit(1);
	commit(2);
	txn(1, 2, 3);
	abort_txn(1);
	txn(2, 4, 5);
	txn(1, 5, 6);
	commit(1);
	abort_txn(2);
	txn(2, 6, 7);
	commit(2);
	roll();
	aborted(8, 11);

	log_.slots = 4;
	dirty = clog_clean(&log_, 0);
	assert_int_equal(dirty, 4);
	base_offs(0, 2, 4, 6, 7, 10, 13, 15, 16, 17, 19);
	offsets(0, 2, 3, 4, 5, 6, 7, 10, 13, 14, 15, 16, 17, 18, 19);
	aborted(8, 11);

	dirty = clog_clean(&log_, dirty);
	assert_int_equal(dirty, 14);
	base_offs(0, 2, 4, 6, 7, 10, 13, 15, 16, 17, 19);
	offsets(0, 2, 4, 5, 6, 7, 10, 13, 14, 15, 16, 17, 18, 19);
	none('a');

	dirty = clean_at(dirty, log_.now_ms + log_.delete_retention_ms);
	assert_int_equal(dirty, 20);
	base_offs(0, 2, 4, 6, 7, 13, 15, 17, 19);
	offsets(0, 2, 4, 5, 6, 7, 13, 15, 17, 18, 19);
	none('a');
}

/* testBasicTransactionAwareCleaning */
static void clean__basic_transactions(void **state)
{
	(void)state;
	txn(1, 1, 2);
	txn(2, 2, 3);
	txn(1, 3, 4);
	abort_txn(1);
	commit(2);
	txn(1, 2);
	commit(1);
	roll();
	clog_clean(&log_, 0);
	keys(3, 2);
	offsets(3, 6, 7, 8, 9);
	aborted(0);
}

/* testCleanWithTransactionsSpanningSegments */
static void clean__transactions_that_span_segments(void **state)
{
	s64 dirty;

	(void)state;
	txn(1, 1, 2);
	txn(3, 2, 3);
	txn(2, 3, 4);
	roll();
	txn(2, 5, 6);
	txn(3, 6, 7);
	txn(1, 7, 8);
	abort_txn(2);
	txn(3, 8, 9);
	commit(3);
	txn(1, 9, 10);
	abort_txn(1);
	/* Only the first segment; the aborts are in the index of the next. */
	log_.aborted_count = 0;
	{
		const u8 entries[] = {
			0, 0, 0,  0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0,  0, 0, 0, 4, 0, 0, 0, 0,  0,
			0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 1, 0,  0,
			0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 18, 0, 0, 0, 0, 0, 0, 0, 19,
		};

		file_store(log_.dir, "00000000000000000006.txnindex", entries, sizeof(entries));
	}
	dirty = clog_clean(&log_, 0);
	assert_int_equal(dirty, 6);
	keys(2, 3, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10);
	assert_int_equal(port_file_remove(log_.dir, "00000000000000000006.txnindex"), 0);
	log_.aborted_count = 2;
	roll();

	txn(2, 11);
	txn(1, 12);
	clog_clean(&log_, dirty);
	keys(2, 3, 6, 7, 8, 9, 11, 12);
}

/* testCommitMarkerRemoval */
static void clean__commit_marker_goes_after_its_records(void **state)
{
	s64 dirty;

	(void)state;
	txn(1, 1);
	txn(1, 2, 3);
	commit(1);
	txn(1, 2);
	commit(1);
	roll();
	dirty = clean_at(0, LATE);
	keys(1, 3, 2);
	offsets(0, 2, 3, 4, 5);

	txn(1, 1, 3);
	commit(1);
	roll();
	dirty = clean_at(dirty, LATE);
	keys(2, 1, 3);
	offsets(3, 4, 5, 6, 7, 8);

	dirty = clean_at(dirty, LATE);
	offsets(3, 4, 5, 6, 7, 8);
	/* Nothing was dirty: Kafka cleans such a log all the same, we say it is all dirty. */
	clean_at(0, LATE);
	keys(2, 1, 3);
	offsets(3, 4, 5, 6, 7, 8);
	clean_at(0, S64_MAX);
	keys(2, 1, 3);
	offsets(4, 5, 6, 7, 8);
	assert_int_equal(dirty, 9);
}

/* testDeletedBatchesWithNoMessagesRead */
static void clean__goes_on_behind_batches_that_go_whole(void **state)
{
	(void)state;
	txn(1, 1);
	abort_txn(1);
	txn(1, 2);
	txn(1, 2);
	commit(1);
	roll();
	clean_at(0, LATE);
	keys(2);
	offsets(1, 3, 4);
	clean_twice(0, LATE);
	keys(2);
	offsets(3, 4);
}

/* testCommitMarkerRetentionWithEmptyBatch */
static void clean__commit_marker_waits_for_an_empty_batch(void **state)
{
	(void)state;
	txn(1, 2, 3);
	roll();
	txn(2, 2, 3);
	commit(2);
	roll();
	plain(2);
	plain(3);
	commit(1);
	roll();
	clean_at(0, LATE);
	keys(2, 3);
	offsets(4, 5, 6, 7);
	last_offs(1, 3, 4, 5, 6, 7);

	clean_at(0, LATE);
	offsets(4, 5, 6, 7);
	last_offs(1, 3, 4, 5, 6, 7);

	txn(2, 1);
	commit(2);
	roll();
	clean_at(0, LATE);
	keys(2, 3, 1);
	offsets(4, 5, 6, 7, 8, 9);
	last_offs(1, 4, 5, 6, 7, 8, 9);

	clean_twice(0, LATE);
	keys(2, 3, 1);
	offsets(5, 6, 7, 8, 9);
	last_offs(1, 5, 6, 7, 8, 9);
}

/* testCleanEmptyControlBatch */
static void clean__empty_control_batch_holds_the_epoch(void **state)
{
	(void)state;
	commit(1);
	plain(2);
	plain(3);
	roll();
	clean_twice(0, LATE);
	keys(2, 3);
	offsets(1, 2);
	last_offs(0, 1, 2);

	clean_at(0, S64_MAX);
	keys(2, 3);
	offsets(1, 2);
	last_offs(0, 1, 2);
}

/* testCommittedTransactionSpanningSegments, testAbortedTransactionSpanningSegments */
static void clean__a_transaction_over_two_segments(void **state)
{
	(void)state;
	txn(1, 1);
	roll();
	commit(1);
	roll();
	clean_twice(0, LATE);
	offsets(0, 1);
	last_offs(0, 1);
}

static void clean__an_aborted_transaction_over_two_segments(void **state)
{
	(void)state;
	txn(1, 1);
	roll();
	abort_txn(1);
	roll();
	clean_at(0, LATE);
	offsets(1);
	last_offs(0, 1);
	clean_at(0, S64_MAX);
	offsets(1);
	last_offs(0, 1);
	aborted(0);
}

/* testAbortMarkerRemoval */
static void clean__abort_marker_goes_after_its_records(void **state)
{
	(void)state;
	txn(1, 1);
	txn(1, 2, 3);
	abort_txn(1);
	txn(1, 3);
	commit(1);
	roll();
	clean_at(0, LATE);
	keys(3);
	offsets(3, 4, 5);
	clean_twice(0, LATE);
	keys(3);
	offsets(4, 5);
}

/* testEmptyBatchRemovalWithSequenceReuse */
static void clean__sequences_that_begin_anew(void **state)
{
	(void)state;
	txn(1, 1);
	commit(1);
	log_.sequences[0] = 0;
	txn(1, 2);
	commit(1);
	plain(1);
	plain(2);
	roll();
	clean_at(0, LATE);
	offsets(1, 3, 4, 5);
	last_offs(1, 2, 3, 4, 5);
	clean_twice(0, LATE);
	offsets(3, 4, 5);
	last_offs(2, 3, 4, 5);
}

/* testAbortMarkerRetentionWithEmptyBatch */
static void clean__abort_marker_waits_for_an_empty_batch(void **state)
{
	(void)state;
	txn(1, 2, 3);
	abort_txn(1);
	roll();
	aborted(0);
	clean_at(0, LATE);
	aborted(0);
	none('k');
	offsets(2);
	last_offs(1, 2);

	clean_twice(0, LATE);
	aborted(0);
	none('k');
	offsets(2);
	last_offs(1, 2);

	txn(1, 1);
	roll();
	clean_at(0, LATE);
	aborted(0);
	keys(1);
	offsets(2, 3);
	last_offs(2, 3);

	clean_twice(0, LATE);
	keys(1);
	offsets(3);
	last_offs(3);
	none('a');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clean__aborted_transactions_in_several_passes),
		TEST(clean__basic_transactions),
		TEST(clean__transactions_that_span_segments),
		TEST(clean__commit_marker_goes_after_its_records),
		TEST(clean__goes_on_behind_batches_that_go_whole),
		TEST(clean__commit_marker_waits_for_an_empty_batch),
		TEST(clean__empty_control_batch_holds_the_epoch),
		TEST(clean__a_transaction_over_two_segments),
		TEST(clean__an_aborted_transaction_over_two_segments),
		TEST(clean__abort_marker_goes_after_its_records),
		TEST(clean__sequences_that_begin_anew),
		TEST(clean__abort_marker_waits_for_an_empty_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
