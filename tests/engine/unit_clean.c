// SPDX-License-Identifier: Apache-2.0
/*
 * The rules of compaction. Where a test is named after one of Kafka's
 * (LogCleanerTest.java), so are the offsets that it expects.
 */
#include "clean_output.h"
#include "clean_producers.h"
#include "clean_words.h"

#include <stdlib.h>

static void tombstone(int key)
{
	clog_append(&log_, -1, false, &(struct clog_record){key, NO_VALUE}, 1);
}

static void clean__last_record_of_each_key_stays(void **state)
{
	struct sluice_clean_stats stats;

	(void)state;
	plain(1, 2, 3);
	plain(1, 2);
	plain(4);
	plain(1);
	roll();
	assert_int_equal(clog_clean_to(&log_, 0, log_.base_offset, &stats), 7);
	offsets(2, 4, 5, 6);
	keys(3, 2, 4, 1);
	base_offs(0, 3, 5, 6);
	last_offs(2, 4, 5, 6);
	assert_int_equal(stats.records_read, 7);
	assert_int_equal(stats.records_kept, 4);
	assert_int_equal(stats.map_entries, 4);
	assert_int_equal(log_.replaced, 1);
}

static void clean__again_changes_nothing(void **state)
{
	u64 digest;

	(void)state;
	plain(1, 2, 3);
	roll();
	plain(1, 2);
	tombstone(5);
	roll();
	clog_clean(&log_, 0);
	digest = dir_digest(log_.dir);
	assert_int_equal(clog_clean(&log_, 0), 6);
	assert_int_equal(dir_digest(log_.dir), digest);
	assert_int_equal(log_.replaced, 1);
}

static void clean__nothing_dirty_does_nothing(void **state)
{
	struct sluice_clean_stats stats;

	(void)state;
	plain(1, 1);
	roll();
	assert_int_equal(clog_clean_to(&log_, 2, 2, &stats), 2);
	assert_int_equal(clog_clean_to(&log_, 5, 2, &stats), 5);
	assert_int_equal(stats.bytes_read, 0);
	offsets(0, 1);
}

/* testDuplicateCheckAfterCleaning */
static void clean__keeps_what_duplicates_are_told_by(void **state)
{
	(void)state;
	idem(1, 1, 2, 3);
	idem(2, 3, 1, 4);
	idem(3, 1, 4);
	roll();
	clog_clean(&log_, 0);
	last_offs(2, 5, 7);
	keys(2, 3, 1, 4);
	offsets(1, 3, 6, 7);

	idem(4, 2);
	roll();
	clog_clean(&log_, 0);
	last_offs(2, 5, 7, 8);
	keys(3, 1, 4, 2);
	offsets(3, 6, 7, 8);
}

/* Offset, producer, epoch and sequence of a batch that became empty. */
static void clean__empty_batch_is_kafkas(void **state)
{
	struct clog_found f;
	struct sluice_batch *b;

	(void)state;
	log_.attributes = SLUICE_BATCH_LOG_APPEND_TIME;
	log_.codec = SLUICE_COMPRESSION_LZ4;
	idem(1, 9);
	idem(1, 1, 2, 3);
	plain(1, 2, 3);
	plain(9);
	roll();
	clog_clean(&log_, 0);
	clog_read(&log_, &f);
	assert_int_equal(f.batch_count, 3);
	b = &f.batches[0].b;
	assert_int_equal(b->base_offset, 1);
	assert_int_equal(b->last_offset_delta, 2);
	assert_int_equal(b->size, SLUICE_BATCH_HEADER_LEN);
	assert_int_equal(b->record_count, 0);
	assert_int_equal(b->producer_id, 1);
	assert_int_equal(b->producer_epoch, 0);
	assert_int_equal(b->base_sequence, 1);
	assert_int_equal(b->attributes, SLUICE_BATCH_LOG_APPEND_TIME);
	assert_int_equal(b->base_timestamp, -1);
	assert_int_equal(b->max_timestamp, TIME_0 + 2);
	clog_found_free(&f);
}

/* testLogCleanerRetainsProducerLastSequence */
static void clean__last_sequence_of_each_producer_stays(void **state)
{
	(void)state;
	plain(0);
	idem(1, 0);
	idem(2, 0);
	idem(3, 0);
	idem(2, 1);
	roll();
	clog_clean(&log_, 0);
	last_offs(1, 3, 4);
	keys(0, 1);
	offsets(3, 4);
}

/* testLogCleanerRetainsLastSequenceEvenIfTransactionAborted */
static void clean__last_sequence_stays_though_aborted(void **state)
{
	(void)state;
	txn(1, 1);
	txn(1, 2, 3);
	abort_txn(1);
	roll();
	clog_clean(&log_, 0);
	last_offs(2, 3);
	none('k');
	offsets(3);

	txn(1, 1, 5);
	roll();
	clog_clean(&log_, 0);
	last_offs(3, 5);
	keys(1, 5);
	offsets(3, 4, 5);
}

/* A producer that the log has forgotten keeps nothing alive. */
static void clean__producers_that_expired(void **state)
{
	(void)state;
	idem(1, 1);
	plain(1);
	roll();
	log_.producer_count = 0;
	clog_clean(&log_, 0);
	last_offs(1);
}

/* testPartialSegmentClean; a map of two slots holds one key. */
static void clean__one_key_at_a_time(void **state)
{
	(void)state;
	log_.slots = 2;
	plain(0);
	plain(1);
	plain(0);
	plain(1);
	plain(0);
	roll();
	assert_int_equal(clog_clean(&log_, 2), 3);
	keys(1, 0, 1, 0);
	offsets(1, 2, 3, 4);
	assert_int_equal(clog_clean(&log_, 3), 4);
	keys(0, 1, 0);
	offsets(2, 3, 4);
	assert_int_equal(clog_clean(&log_, 4), 5);
	keys(1, 0);
	offsets(3, 4);
}

/* testLogCleanerStats: four slots hold three keys, of which there are two. */
static void clean__stats(void **state)
{
	struct sluice_clean_stats stats;

	(void)state;
	log_.slots = 4;
	for (int i = 0; i < 5; i++)
		plain(i % 2);
	roll();
	assert_int_equal(clog_clean_to(&log_, 2, 5, &stats), 5);
	assert_int_equal(stats.records_read, 5);
	assert_int_equal(stats.records_kept, 2);
	assert_int_equal(stats.records_without_key, 0);
	assert_int_equal(stats.bytes_written, stats.bytes_after);
	assert_true(stats.bytes_after < stats.bytes_before);
	assert_int_equal(stats.bytes_read, 2 * stats.bytes_before);
	assert_int_equal(stats.segments_before, 1);
	assert_int_equal(stats.segments_after, 1);
}

/* testCleaningWithUncleanableSection */
static void clean__leaves_what_must_not_be_cleaned(void **state)
{
	(void)state;
	plain(1, 1, 2);
	roll();
	plain(1, 1, 2);
	roll();
	assert_int_equal(clog_clean_to(&log_, 0, 3, NULL), 3);
	offsets(1, 2, 3, 4, 5);
}

/* testCleaningWithUnkeyedMessages */
static void clean__records_without_key_go(void **state)
{
	struct sluice_clean_stats stats;

	(void)state;
	clog_append(&log_, -1, false, (struct clog_record[]){{NO_KEY, 1}, {7, 2}, {NO_KEY, 3}}, 3);
	clog_append(&log_, -1, false, (struct clog_record[]){{NO_KEY, 1}, {NO_KEY, 2}}, 2);
	plain(8);
	roll();
	clog_clean_to(&log_, 0, 6, &stats);
	keys(7, 8);
	base_offs(0, 5);
	assert_int_equal(stats.records_without_key, 4);
}

/* testCleanSegmentsRetainingLastEmptyBatch */
static void clean__last_batch_stays_empty(void **state)
{
	struct clog_found f;

	(void)state;
	clog_append(&log_, -1, false, (struct clog_record[]){{NO_KEY, 1}, {NO_KEY, 2}}, 2);
	clog_append(&log_, -1, false, (struct clog_record[]){{NO_KEY, 1}, {NO_KEY, 2}}, 2);
	roll();
	clog_clean(&log_, 0);
	clog_read(&log_, &f);
	assert_int_equal(f.batch_count, 1);
	assert_int_equal(f.batches[0].b.base_offset, 2);
	assert_int_equal(sluice_batch_last_offset(&f.batches[0].b), 3);
	assert_int_equal(f.record_count, 0);
	clog_found_free(&f);
}

/* testCleaningBeyondMissingOffsets */
static void clean__goes_over_missing_offsets(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		plain(i);
	log_.next_offset = 15;
	roll();
	for (int i = 15; i < 25; i++)
		plain(i);
	log_.next_offset = 30;
	roll();
	assert_int_equal(clog_clean(&log_, 0), 30);
}

/* testCleaningWithDeletes, testCleanTombstone */
static void clean__tombstones_stay_until_their_horizon(void **state)
{
	struct clog_found f;

	(void)state;
	log_.time = TIME_0 - 30 * DAY_MS;
	plain(1);
	plain(2);
	tombstone(1);
	plain(3);
	roll();
	/* However old it is: the time begins when the cleaner first sees it. */
	clean_at(0, TIME_0);
	keys(2, 3);
	last_offs(1, 2, 3);
	clog_read(&log_, &f);
	assert_int_equal(f.batches[1].b.attributes, SLUICE_BATCH_DELETE_HORIZON);
	assert_int_equal(f.batches[1].b.base_timestamp, TIME_0 + DAY_MS);
	assert_int_equal(f.batches[1].b.max_timestamp, log_.time);
	assert_int_equal(f.records[1].timestamp, log_.time);
	clog_found_free(&f);

	clean_at(0, TIME_0 + DAY_MS - 1);
	last_offs(1, 2, 3);
	clean_at(0, TIME_0 + DAY_MS);
	last_offs(1, 3);
}

/* A record that comes after the tombstone makes it go at once. */
static void clean__tombstone_of_a_key_that_lives(void **state)
{
	(void)state;
	plain(1);
	tombstone(1);
	plain(1);
	roll();
	clog_clean(&log_, 0);
	offsets(2);
	last_offs(2);
}

/* One horizon for the batch, set once; record times stay what they were. */
static void clean__horizon_of_a_batch_with_more_in_it(void **state)
{
	struct clog_found f;

	(void)state;
	for (int codec = SLUICE_COMPRESSION_NONE; codec <= SLUICE_COMPRESSION_ZSTD; codec++) {
		dir_clear(log_.dir);
		clog_destroy(&log_);
		clog_init(&log_, *state);
		log_.codec = codec;
		clog_append(&log_, -1, false,
			    (struct clog_record[]){{1, 1}, {2, NO_VALUE}, {3, 3}, {4, 4}}, 4);
		plain(1);
		roll();
		clean_at(0, TIME_0 + 5);
		offsets(2, 3, 4);
		plain(4);
		roll();
		clean_at(0, TIME_0 + 10);
		clog_read(&log_, &f);
		assert_int_equal(f.batches[0].b.attributes, SLUICE_BATCH_DELETE_HORIZON | codec);
		assert_int_equal(f.batches[0].b.base_timestamp, TIME_0 + 5 + DAY_MS);
		assert_int_equal(f.batches[0].b.max_timestamp, TIME_0 + 2);
		assert_int_equal(f.batches[0].b.record_count, 2);
		assert_int_equal(f.batches[0].b.last_offset_delta, 3);
		assert_int_equal(f.records[0].offset, 1);
		assert_int_equal(f.records[0].value, -1);
		assert_int_equal(f.records[0].timestamp, TIME_0 + 1);
		assert_int_equal(f.records[1].offset, 2);
		assert_int_equal(f.records[1].timestamp, TIME_0 + 2);
		clog_found_free(&f);
		clean_at(0, TIME_0 + 5 + DAY_MS);
		offsets(2, 4, 5);
		last_offs(3, 4, 5);
	}
}

/* Without a horizon the first record that stays gives the base time. */
static void clean__times_of_records_that_stay(void **state)
{
	struct clog_found f;

	(void)state;
	plain(1, 2, 3);
	plain(1, 3);
	roll();
	clog_clean(&log_, 0);
	clog_read(&log_, &f);
	assert_int_equal(f.batches[0].b.base_timestamp, TIME_0 + 1);
	assert_int_equal(f.batches[0].b.max_timestamp, TIME_0 + 1);
	assert_int_equal(f.records[0].timestamp, TIME_0 + 1);
	clog_found_free(&f);
}

/* Codec, type of times, transaction and epoch of a batch that was rewritten. */
static void clean__header_of_a_rewritten_batch(void **state)
{
	struct clog_found f;
	struct sluice_batch *b;

	(void)state;
	for (int codec = SLUICE_COMPRESSION_NONE; codec <= SLUICE_COMPRESSION_ZSTD; codec++) {
		dir_clear(log_.dir);
		clog_destroy(&log_);
		clog_init(&log_, *state);
		log_.codec = codec;
		log_.attributes = SLUICE_BATCH_LOG_APPEND_TIME;
		txn(5, 1, 2, 3);
		txn(5, 1);
		commit(5);
		roll();
		clog_clean(&log_, 0);
		clog_read(&log_, &f);
		b = &f.batches[0].b;
		assert_int_equal(b->attributes,
				 codec | SLUICE_BATCH_LOG_APPEND_TIME | SLUICE_BATCH_TRANSACTIONAL);
		assert_int_equal(b->base_offset, 0);
		assert_int_equal(b->last_offset_delta, 2);
		assert_int_equal(b->record_count, 2);
		assert_int_equal(b->producer_id, 5);
		assert_int_equal(b->base_sequence, 0);
		assert_int_equal(b->leader_epoch, 0);
		assert_int_equal(b->max_timestamp, TIME_0 + 2);
		assert_int_equal(f.records[0].timestamp, TIME_0 + 2);
		clog_found_free(&f);
		offsets(1, 2, 3, 4);
	}
}

/* testCleaningWithKeysConflictingWithTxnMarkerKeys: markers have no key to be replaced by. */
static void clean__markers_are_no_records(void **state)
{
	(void)state;
	txn(1, 1);
	commit(1);
	txn(2, 0);
	commit(2);
	txn(1, 5);
	commit(1);
	roll();
	clog_clean(&log_, 0);
	offsets(0, 1, 2, 3, 4, 5);
}

/* A producer can make a batch whose CRC is right and whose content is nonsense. */
static void clean__batch_of_nonsense_stays(void **state)
{
	struct sluice_clean_stats stats;
	u64 before;
	size_t len;
	u8 *bytes;

	(void)state;
	log_.codec = SLUICE_COMPRESSION_GZIP;
	plain(1, 2);
	bytes = log_.segment;
	len = log_.segment_len;
	memset(bytes + SLUICE_BATCH_HEADER_LEN, 0x5a, len - SLUICE_BATCH_HEADER_LEN);
	batch_seal(bytes, len);
	log_.codec = 0;
	plain(1, 3);
	bytes = log_.segment + len;
	len = log_.segment_len - len;
	bytes[SLUICE_BATCH_HEADER_LEN + 3] = 9; /* an offset delta that falls back */
	batch_seal(bytes, len);
	plain(1, 2, 3);
	plain(3);
	before = log_.segment_len;
	roll();
	clog_clean_to(&log_, 0, log_.base_offset, &stats);
	assert_int_equal(stats.batches_malformed, 2);
	assert_true(stats.bytes_after < before);
	assert_int_equal(stats.records_kept, 3);
}

static void clean__damaged_segment_is_left_alone(void **state)
{
	struct sluice_clean c;
	u64 digest;
	size_t len;
	u8 *bytes;

	(void)state;
	plain(1);
	plain(1);
	roll();
	bytes = file_load(log_.dir, "00000000000000000000.log", &len);
	bytes[len - 1] ^= 1;
	file_store(log_.dir, "00000000000000000000.log", bytes, len);
	digest = dir_digest(log_.dir);
	assert_int_equal(clog_try_clean(&log_, &c, 0, 2), -EUCLEAN);
	assert_int_equal(dir_digest(log_.dir), digest);
	file_store(log_.dir, "00000000000000000000.log", bytes, len - 1);
	assert_int_equal(clog_try_clean(&log_, &c, 0, 2), -EUCLEAN);
	free(bytes);
	plain(1);
	roll();
	file_store(log_.dir, "00000000000000000000.txnindex",
		   "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"
		   "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1",
		   34);
	assert_int_equal(clog_try_clean(&log_, &c, 0, 3), -EUCLEAN);
}

/* The swap was refused, or broke off. */
static void clean__replace_that_fails(void **state)
{
	struct sluice_clean c;
	u64 digest;

	(void)state;
	plain(1);
	plain(1);
	roll();
	digest = dir_digest(log_.dir);
	log_.replace_error = -ERANGE;
	assert_int_equal(clog_try_clean(&log_, &c, 0, 2), -ERANGE);
	assert_int_equal(dir_digest(log_.dir), digest);
	assert_int_equal(c.end_offset, 0);
	log_.replace_error = -EIO;
	assert_int_equal(clog_try_clean(&log_, &c, 0, 2), -EIO);
	/* Whoever replaces names them .swap, when nobody else changes segments any more. */
	assert_true(file_exists(log_.dir, "00000000000000000000.log.cleaned"));
	assert_true(file_exists(log_.dir, "00000000000000000000.index.cleaned"));
	assert_false(file_exists(log_.dir, "00000000000000000000.log.swap"));
	log_.replace_error = 0;
	assert_int_equal(clog_clean(&log_, 0), 2);
	offsets(1);
	assert_int_equal(dir_file_count(log_.dir), 3);
}

/* Nothing is left of a pass that found no room for one of its files, and the next one goes on. */
static void clean__full_disk(void **state)
{
	static const char *const files[] = {".log.cleaned", ".index.cleaned", ".timeindex.cleaned",
					    ".txnindex.cleaned"};
	struct sluice_clean c;
	u64 digest;

	(void)state;
	for (int i = 0; i < 6; i++) {
		plain(1, 2, 3, i + 10);
		clog_keys(&log_, 1, true, 1, i + 20);
		clog_marker(&log_, 1, i & 1);
		if (i & 1)
			roll();
	}
	digest = dir_digest(log_.dir);
	/* For a pass that is not stopped by the disk. */
	log_.replace_error = -ERANGE;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		u32 n = 1;

		for (;; n++) {
			port_fault_full(files[i], n);
			if (clog_try_clean(&log_, &c, 0, log_.base_offset) != -ENOSPC)
				break;
			assert_true(port_fault_hit());
			assert_int_equal(dir_digest(log_.dir), digest);
			assert_int_equal(c.end_offset, 0);
		}
		assert_false(port_fault_hit());
		assert_true(n > 1);
	}
	port_fault_full(NULL, 0);
	log_.replace_error = 0;
	assert_int_equal(clog_clean(&log_, 0), log_.base_offset);
}

static int stop_at_once(void *ctx, u64 bytes)
{
	(void)ctx, (void)bytes;
	return -ECANCELED;
}

static void clean__can_be_stopped(void **state)
{
	char err[SLUICE_ERROR_TEXT_MAX];
	struct sluice_clean c;
	u64 digest;

	(void)state;
	plain(1);
	plain(1);
	roll();
	digest = dir_digest(log_.dir);
	clog_clean(&log_, 2);
	assert_int_equal(clog_try_clean(&log_, &c, 0, 0), 0);
	c.pace = stop_at_once;
	c.first_uncleanable = 2;
	assert_int_equal(sluice_log_clean(&c, err), -ECANCELED);
	assert_int_equal(dir_digest(log_.dir), digest);
}

static void sluice_clean_producers__fails_anywhere(void **state)
{
	struct sluice_clean_producers p;
	char err[SLUICE_ERROR_TEXT_MAX];
	bool hit = true;

	(void)state;
	plain(1);
	roll();
	plain(2);
	roll();
	for (u32 n = 1; hit; n++) {
		int ret;

		/* What an earlier call left on the stack is no pointer. */
		memset(&p, 0xaa, sizeof(p));
		port_fault_set(n, false);
		ret = sluice_clean_producers(log_.dir, S64_MAX, &p, err);
		hit = port_fault_hit();
		port_fault_set(0, false);
		assert_int_equal(ret != 0, hit);
		if (!ret)
			sluice_clean_producers_free(&p);
	}
}

/* Port calls of a pass that changes nothing. */
static u32 calls_of_pass(s64 recovery_point)
{
	char err[SLUICE_ERROR_TEXT_MAX];
	struct sluice_clean c;
	u32 calls;

	assert_int_equal(clog_try_clean(&log_, &c, 0, 0), 0);
	c.first_uncleanable = log_.base_offset;
	c.recovery_point = recovery_point;
	port_fault_set(1000, false);
	assert_int_equal(sluice_log_clean(&c, err), 0);
	calls = 1000 - port_fault_left();
	port_fault_set(0, false);
	return calls;
}

/*
 * The newer record of a key must be as durable as the older one that goes for
 * it: segments are opened and synced from the recovery point on, then their names.
 */
static void clean__syncs_what_is_not_durable(void **state)
{
	u32 calls;

	(void)state;
	log_.config.segment_bytes = 1;
	plain(1);
	roll();
	plain(2);
	roll();
	plain(3);
	roll();
	calls = calls_of_pass(S64_MAX);
	assert_int_equal(calls_of_pass(3), calls);
	assert_int_equal(calls_of_pass(2), calls + 2 + 1);
	assert_int_equal(calls_of_pass(1), calls + 2 + 2 + 1);
	assert_int_equal(calls_of_pass(0), calls + 2 + 2 + 2 + 1);
}

/* What lies between there and the next segment was not read. */
static void sluice_clean_producers__ends_where_it_is_told_to(void **state)
{
	struct sluice_clean_producers p;
	char err[SLUICE_ERROR_TEXT_MAX];

	(void)state;
	plain(1);
	plain(2);
	clog_keys(&log_, 5, true, 3);
	roll();
	clog_marker(&log_, 5, false);
	roll();
	for (s64 end = 1; end <= 4; end++) {
		assert_int_equal(sluice_clean_producers(log_.dir, end, &p, err), 0);
		assert_int_equal(p.end_offset, end);
		assert_int_equal(p.first_unstable, end == 3 ? 2 : S64_MAX);
		sluice_clean_producers_free(&p);
	}
}

static void clean__what_was_left_over_goes(void **state)
{
	static const char *const names[] = {
		"00000000000000000000.log.swap",    "00000000000000000000.index.swap",
		"00000000000000000000.log.cleaned", "00000000000000000000.txnindex.cleaned",
		"00000000000000000007.log.cleaned", "00000000000000000007.timeindex.swap",
	};
	u64 digest;

	(void)state;
	plain(1);
	roll();
	digest = dir_digest(log_.dir);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		file_store(log_.dir, names[i], "x", 1);
	assert_int_equal(sluice_clean_leftovers(log_.dir), 0);
	assert_int_equal(dir_digest(log_.dir), digest);
	assert_int_equal(sluice_clean_leftovers(log_.dir), 0);
}

/* Small segments become one, as large as a segment may be. */
static void clean__small_segments_merge(void **state)
{
	struct sluice_clean_stats stats;
	struct clog_found f;

	(void)state;
	for (int i = 0; i < 10; i++) {
		plain(i, i + 1);
		roll();
	}
	clog_clean_to(&log_, 0, log_.base_offset, &stats);
	clog_read(&log_, &f);
	assert_int_equal(f.segment_count, 1);
	assert_int_equal(stats.segments_before, 10);
	assert_int_equal(stats.segments_after, 1);
	clog_found_free(&f);
	assert_int_equal(dir_file_count(log_.dir), 3);
	offsets(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clean__last_record_of_each_key_stays),
		TEST(clean__again_changes_nothing),
		TEST(clean__nothing_dirty_does_nothing),
		TEST(clean__keeps_what_duplicates_are_told_by),
		TEST(clean__empty_batch_is_kafkas),
		TEST(clean__last_sequence_of_each_producer_stays),
		TEST(clean__last_sequence_stays_though_aborted),
		TEST(clean__producers_that_expired),
		TEST(clean__one_key_at_a_time),
		TEST(clean__stats),
		TEST(clean__leaves_what_must_not_be_cleaned),
		TEST(clean__records_without_key_go),
		TEST(clean__last_batch_stays_empty),
		TEST(clean__goes_over_missing_offsets),
		TEST(clean__tombstones_stay_until_their_horizon),
		TEST(clean__tombstone_of_a_key_that_lives),
		TEST(clean__horizon_of_a_batch_with_more_in_it),
		TEST(clean__times_of_records_that_stay),
		TEST(clean__header_of_a_rewritten_batch),
		TEST(clean__markers_are_no_records),
		TEST(clean__batch_of_nonsense_stays),
		TEST(clean__damaged_segment_is_left_alone),
		TEST(clean__replace_that_fails),
		TEST(clean__full_disk),
		TEST(clean__can_be_stopped),
		TEST(sluice_clean_producers__fails_anywhere),
		TEST(clean__syncs_what_is_not_durable),
		TEST(sluice_clean_producers__ends_where_it_is_told_to),
		TEST(clean__what_was_left_over_goes),
		TEST(clean__small_segments_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
