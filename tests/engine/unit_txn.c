// SPDX-License-Identifier: Apache-2.0
/*
 * Transactions in a log: what is appended as what, the last stable offset, the
 * index of aborted transactions, and all of it after a reopen. Rules:
 * ProducerAppendInfo, LogValidator, TransactionIndex and LocalLog of Kafka.
 */
#include "engine_test.h"
#include "truncate.h"
#include "watermark.h"

#include <pthread.h>
#include <stdlib.h>

static int log_setup(void **state)
{
	struct sluice_log_config c = small_config();

	c.producer_expiration_ms = S64_MAX;
	return fixture_setup(state, &c);
}

static void reopen(struct fixture *f)
{
	sluice_log_close(f->log);
	f->log = log_open(f->dir, &f->config);
}

#define MARKER_SIZE 78

/* EndTransactionMarker: key {0, type}, value {0, coordinator epoch}. */
static void marker_make(u8 bytes[MARKER_SIZE], s64 id, s16 epoch, bool abort, s32 coordinator)
{
	static const u8 record[17] = {0x20, 0, 0, 0, 8, 0, 0, 0, 0, 12};
	struct sluice_batch_header *h = (struct sluice_batch_header *)bytes;

	memset(bytes, 0, MARKER_SIZE);
	memcpy(bytes + SLUICE_BATCH_HEADER_LEN, record, sizeof(record));
	bytes[SLUICE_BATCH_HEADER_LEN + 8] = !abort;
	put_unaligned_be32((u32)coordinator, bytes + SLUICE_BATCH_HEADER_LEN + 12);
	put_unaligned_be32(MARKER_SIZE - SLUICE_BATCH_PREFIX_LEN, &h->length);
	h->magic = 2;
	put_unaligned_be16(SLUICE_BATCH_TRANSACTIONAL | SLUICE_BATCH_CONTROL, &h->attributes);
	put_unaligned_be64((u64)TIME_0, &h->base_timestamp);
	put_unaligned_be64((u64)TIME_0, &h->max_timestamp);
	put_unaligned_be64((u64)id, &h->producer_id);
	put_unaligned_be16((u16)epoch, &h->producer_epoch);
	put_unaligned_be32(U32_MAX, &h->base_sequence);
	put_unaligned_be32(1, &h->record_count);
	batch_seal(bytes, MARKER_SIZE);
}

static int end_txn_by(struct fixture *f, s64 id, bool abort, s32 coordinator,
		      struct sluice_append *a)
{
	u8 bytes[MARKER_SIZE];

	marker_make(bytes, id, 0, abort, coordinator);
	return append_bytes_as(f->log, bytes, sizeof(bytes), SLUICE_APPEND_AS_COORDINATOR, a);
}

static s64 end_txn(struct fixture *f, s64 id, bool abort)
{
	struct sluice_append a;

	assert_int_equal(end_txn_by(f, id, abort, 0, &a), 0);
	assert_int_equal(a.size, MARKER_SIZE);
	return a.base_offset;
}

static s64 write_txn(struct fixture *f, s64 id, s32 sequence, s32 records)
{
	return append_spec(f->log, (struct batch_spec){.records = records,
						       .producer_id_plus_1 = id + 1,
						       .base_sequence = sequence,
						       .attributes = SLUICE_BATCH_TRANSACTIONAL});
}

static int append_as(struct fixture *f, struct batch_spec spec, enum sluice_append_as as,
		     struct sluice_append *a)
{
	size_t size;
	u8 *bytes = batch_make(&spec, &size);
	int ret = append_bytes_as(f->log, bytes, size, as, a);

	free(bytes);
	return ret;
}

static void txn__markers_only_of_a_coordinator(void **state)
{
	struct fixture *f = *state;
	struct sluice_append a;
	u8 bytes[MARKER_SIZE];

	marker_make(bytes, 5, 0, true, 0);
	assert_int_equal(append_bytes(f->log, bytes, sizeof(bytes), &a), -EINVAL);
	assert_string_equal(a.why, "a producer may not write control batches");
	assert_int_equal(end_txn(f, 5, true), 0);
	log_check(f->log);
}

static void txn__malformed_markers(void **state)
{
	/* Each a byte of the record: short key, unknown type, version, short value, lengths. */
	static const struct {
		u8 at, value;
	} changes[] = {{4, 6},	{8, 2}, {8, 3}, {7, 1},	  {5, 0x80},
		       {9, 10}, {9, 1}, {4, 1}, {4, 0x80}};
	struct fixture *f = *state;
	u64 digest = dir_digest(f->dir);
	struct sluice_append a;
	u8 bytes[MARKER_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		marker_make(bytes, 5, 0, true, 0);
		bytes[SLUICE_BATCH_HEADER_LEN + changes[i].at] = changes[i].value;
		batch_seal(bytes, sizeof(bytes));
		assert_int_equal(append_bytes_as(f->log, bytes, sizeof(bytes),
						 SLUICE_APPEND_AS_COORDINATOR, &a),
				 -EINVAL);
		assert_string_equal(a.why, "the control batch is no marker of a transaction's end");
	}
	/* Kafka reads a marker of a later version as one of version 0. */
	marker_make(bytes, 5, 0, true, 0);
	bytes[SLUICE_BATCH_HEADER_LEN + 8] = 4;
	batch_seal(bytes, sizeof(bytes));
	assert_int_equal(
		append_bytes_as(f->log, bytes, sizeof(bytes), SLUICE_APPEND_AS_COORDINATOR, &a),
		-EINVAL);
	marker_make(bytes, -1, 0, true, 0);
	assert_int_equal(
		append_bytes_as(f->log, bytes, sizeof(bytes), SLUICE_APPEND_AS_COORDINATOR, &a),
		-EINVAL);
	assert_string_equal(a.why, "a transactional batch must have a producer id");
	assert_int_equal(dir_digest(f->dir), digest);
}

static void txn__last_stable_offset(void **state)
{
	struct fixture *f = *state;

	append_spec(f->log, (struct batch_spec){.records = 3});
	assert_int_equal(sluice_log_last_stable_offset(f->log), 3);
	assert_int_equal(write_txn(f, 5, 0, 2), 3);
	assert_int_equal(sluice_log_last_stable_offset(f->log), 3);
	assert_int_equal(write_txn(f, 6, 0, 2), 5);
	append_spec(f->log, (struct batch_spec){.records = 1});
	assert_int_equal(end_txn(f, 5, false), 8);
	assert_int_equal(sluice_log_last_stable_offset(f->log), 5);
	assert_int_equal(end_txn(f, 6, true), 9);
	assert_int_equal(sluice_log_last_stable_offset(f->log), 10);
	assert_int_equal(sluice_log_end_offset(f->log), 10);
	log_check(f->log);
}

static void txn__last_stable_offset_waits_for_the_high_watermark(void **state)
{
	struct fixture *f = *state;

	append_spec(f->log, (struct batch_spec){.records = 1});
	sluice_log_set_high_watermark(f->log, 1);
	write_txn(f, 5, 0, 2);
	assert_int_equal(sluice_log_last_stable_offset(f->log), 1);
	end_txn(f, 5, true); /* at 3 */
	sluice_log_set_high_watermark(f->log, 3);
	assert_int_equal(sluice_log_last_stable_offset(f->log), 1);
	sluice_log_set_high_watermark(f->log, 4);
	assert_int_equal(sluice_log_last_stable_offset(f->log), 4);
	/* Not replicated yet, and then by an end of all replication. */
	write_txn(f, 5, 2, 1);
	end_txn(f, 5, true);
	assert_int_equal(sluice_log_last_stable_offset(f->log), 4);
	sluice_log_set_high_watermark(f->log, S64_MAX);
	assert_int_equal(sluice_log_last_stable_offset(f->log), 6);
}

static void watermark__stable_is_not_below_the_start(void **state)
{
	struct sluice_watermark w;

	(void)state;
	sluice_watermark_init(&w, 10, 50);
	assert_int_equal(sluice_watermark_stable(&w), 50);
	sluice_watermark_set_first_unstable(&w, 12);
	assert_int_equal(sluice_watermark_stable(&w), 12);
	sluice_watermark_set_high(&w, 11);
	assert_int_equal(sluice_watermark_stable(&w), 11);
	sluice_watermark_set_first_unstable(&w, 5);
	assert_int_equal(sluice_watermark_stable(&w), 10);
}

static void txn__refusals(void **state)
{
	struct fixture *f = *state;
	struct sluice_append a;
	u64 digest;

	write_txn(f, 5, 0, 2);
	end_txn(f, 5, false);
	assert_int_equal(end_txn_by(f, 5, true, 3, &a), 0);
	write_txn(f, 5, 2, 1);
	digest = dir_digest(f->dir);
	assert_int_equal(append_as(f,
				   (struct batch_spec){.records = 1,
						       .producer_id_plus_1 = 6,
						       .base_sequence = 3},
				   SLUICE_APPEND_AS_CLIENT, &a),
			 -EBUSY);
	assert_string_equal(a.why,
			    "the producer has a transaction open, the batch is not part of it");
	assert_int_equal(end_txn_by(f, 5, true, 2, &a), -EOWNERDEAD);
	assert_string_equal(a.why, "the marker is of a coordinator that another has replaced");
	assert_int_equal(append_as(f,
				   (struct batch_spec){.records = 1,
						       .attributes = SLUICE_BATCH_TRANSACTIONAL},
				   SLUICE_APPEND_AS_CLIENT, &a),
			 -EINVAL);
	assert_int_equal(dir_digest(f->dir), digest);
	assert_int_equal(sluice_log_last_stable_offset(f->log), 4);
}

static void txn__duplicate_is_answered_with_its_time(void **state)
{
	struct fixture *f = *state;
	struct batch_spec spec = {
		.records = 2, .producer_id_plus_1 = 6, .timestamp = TIME_0, .timestamp_step = 7};
	struct sluice_append a;

	append_spec(f->log, spec);
	append_spec(f->log, (struct batch_spec){.records = 1});
	assert_int_equal(append_as(f, spec, SLUICE_APPEND_AS_CLIENT, &a), 0);
	assert_true(a.duplicate);
	assert_int_equal(a.base_offset, 0);
	assert_int_equal(a.last_offset, 1);
	assert_int_equal(a.log_append_time, TIME_0 + 7);
}

static void check_aborted(struct fixture *f, s64 offset, s64 end_offset, const s64 *first_offsets,
			  u32 count)
{
	struct sluice_aborted_txn txns[8];
	u32 n = 77;

	assert_int_equal(sluice_log_aborted(f->log, offset, end_offset, txns, 8, &n), 0);
	assert_int_equal(n, count);
	for (u32 i = 0; i < count; i++)
		assert_int_equal(txns[i].first_offset, first_offsets[i]);
}

/* Offsets: 5 at 0-1, 6 at 2, abort of 6 at 3, abort of 5 at 4, 7 at 5, commit at 6. */
static void make_aborted(struct fixture *f)
{
	write_txn(f, 5, 0, 2);
	write_txn(f, 6, 0, 1);
	end_txn(f, 6, true);
	end_txn(f, 5, true);
	write_txn(f, 7, 0, 1);
	end_txn(f, 7, false);
}

static void aborted__file(void **state)
{
	static const u8 expected[68] = {
		[9] = 6,  [17] = 2, [25] = 3, [33] = 0, /* 5 is open: from 0 on nothing is stable */
		[43] = 5, [51] = 0, [59] = 4, [67] = 5,
	};
	struct fixture *f = *state;
	size_t len;
	u8 *bytes;

	make_aborted(f);
	bytes = file_load(f->dir, "00000000000000000000.txnindex", &len);
	assert_int_equal(len, sizeof(expected));
	assert_memory_equal(bytes, expected, len);
	free(bytes);
}

static void aborted__of_ranges(void **state)
{
	struct fixture *f = *state;
	struct sluice_aborted_txn txn;
	u32 n;

	check_aborted(f, 0, 100, NULL, 0);
	make_aborted(f);
	for (int again = 0; again < 2; again++) {
		check_aborted(f, 0, 7, (s64[]){2, 0}, 2);
		check_aborted(f, 0, 2, (s64[]){0}, 1);
		check_aborted(f, 3, 4, (s64[]){2, 0}, 2);
		check_aborted(f, 4, 7, (s64[]){0}, 1);
		check_aborted(f, 5, 7, NULL, 0);
		reopen(f);
	}
	/* Without room for all it tells how many there are. */
	assert_int_equal(sluice_log_aborted(f->log, 0, 7, &txn, 1, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(txn.producer_id, 6);
	assert_int_equal(txn.last_offset, 3);
	assert_int_equal(sluice_log_aborted(f->log, -1, 7, &txn, 1, &n), -ERANGE);
}

/* What is between two index entries, and the two themselves. */
#define END_OFFSET_SLACK 5

static void check_end_offset(struct fixture *f, s64 offset, u32 max_bytes)
{
	struct sluice_range range;
	struct sluice_batch b;
	u64 at;

	assert_int_equal(sluice_log_fetch(f->log, offset, max_bytes,
					  SLUICE_FETCH_TO_STABLE | SLUICE_FETCH_WHOLE_FIRST,
					  &range),
			 0);
	for (at = range.position; at < range.position + range.bytes; at += b.size)
		assert_int_equal(sluice_log_read_batch(range.file, at,
						       sluice_segment_published(range.seg), &b),
				 0);
	assert_in_range(range.end_offset, b.base_offset + 1, b.base_offset + END_OFFSET_SLACK);
	assert_true(range.end_offset <= sluice_log_last_stable_offset(f->log));
	sluice_segment_put(range.seg);
}

static void fetch__committed(void **state)
{
	static const u32 sizes[] = {1, 100, 300, 500, U32_MAX};
	struct fixture *f = *state;
	struct sluice_range range;
	s64 stable;

	for (s32 i = 0; i < 20; i++) {
		write_txn(f, 5, i, 1);
		end_txn(f, 5, i % 2);
	}
	stable = write_txn(f, 5, 20, 1);
	append_spec(f->log, (struct batch_spec){.records = 1});
	assert_true(sluice_log_segment_count(f->log) > 3);
	for (s64 offset = 0; offset < stable; offset++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
			check_end_offset(f, offset, sizes[i]);
	}
	for (s64 offset = stable; offset <= stable + 2; offset++) {
		assert_int_equal(
			sluice_log_fetch(f->log, offset, U32_MAX, SLUICE_FETCH_TO_STABLE, &range),
			0);
		assert_null(range.seg);
	}
	assert_int_equal(sluice_log_fetch(f->log, stable, U32_MAX, 0, &range), 0);
	assert_int_equal(range.base_offset, stable);
	assert_int_equal(range.end_offset, -1);
	sluice_segment_put(range.seg);
}

/* One that began segments before its marker. */
static void aborted__over_segments(void **state)
{
	struct fixture *f = *state;
	s64 end;

	write_txn(f, 5, 0, 1);
	for (s32 i = 0; i < 30; i++)
		append_spec(f->log, (struct batch_spec){.records = 1, .value_len = 200});
	assert_true(sluice_log_segment_count(f->log) > 4);
	end = end_txn(f, 5, true) + 1;
	for (s32 i = 0; i < 30; i++)
		append_spec(f->log, (struct batch_spec){.records = 1, .value_len = 200});
	for (int again = 0; again < 2; again++) {
		check_aborted(f, 0, 1, (s64[]){0}, 1);
		check_aborted(f, 20, 25, (s64[]){0}, 1);
		check_aborted(f, end, end + 10, NULL, 0);
		reopen(f);
	}
}

static void aborted__broken_index(void **state)
{
	struct fixture *f = *state;
	const char *name = "00000000000000000000.txnindex";
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_aborted_txn txns[8];
	struct sluice_log *log;
	size_t len;
	u8 *bytes;
	u32 n;

	make_aborted(f);
	bytes = file_load(f->dir, name, &len);
	bytes[1] = 1; /* the version */
	file_store(f->dir, name, bytes, len);
	assert_int_equal(sluice_log_aborted(f->log, 0, 7, txns, 8, &n), -EIO);
	assert_int_equal(port_file_remove(f->dir, name), 0);
	assert_int_equal(sluice_log_aborted(f->log, 0, 7, txns, 8, &n), -EIO);
	file_store(f->dir, name, bytes, len - 1);
	assert_int_equal(
		sluice_log_open(f->dir, &f->config, &(struct sluice_log_open_args){0}, err, &log),
		-EUCLEAN);
	assert_string_equal(
		err, "00000000000000000000.txnindex: its size is no multiple of that of an entry");
	file_store(f->dir, name, bytes, len);
	free(bytes);
}

/* What a segment of the same name had before must not stay in front. */
static void aborted__old_file_of_the_name(void **state)
{
	struct fixture *f = *state;
	u8 old[340] = {0};

	file_store(f->dir, "00000000000000000000.txnindex", old, sizeof(old));
	make_aborted(f);
	assert_int_equal(file_size(f->dir, "00000000000000000000.txnindex"), 68);
	check_aborted(f, 0, 7, (s64[]){2, 0}, 2);
}

#define ROUNDS 300

struct race {
	struct fixture *f;
	bool done;
};

/* Below the last stable offset each transaction of this one has its entry. */
static void *read_stable(void *arg)
{
	struct race *r = arg;
	struct sluice_aborted_txn txns[2];
	s64 last = 0;

	while (!__atomic_load_n(&r->done, __ATOMIC_ACQUIRE)) {
		s64 stable = sluice_log_last_stable_offset(r->f->log);
		u32 n = 77;

		assert_true(stable >= last);
		last = stable;
		/* Four offsets each: two records, a plain one, the marker. */
		if (stable < 4)
			continue;
		stable = stable / 4 * 4;
		assert_int_equal(sluice_log_aborted(r->f->log, stable - 4, stable, txns, 2, &n), 0);
		assert_int_equal(n, 1);
		assert_int_equal(txns[0].first_offset, stable - 4);
		assert_int_equal(txns[0].last_offset, stable - 1);
		assert_int_equal(txns[0].last_stable_offset, stable);
	}
	return NULL;
}

static void aborted__read_while_appended(void **state)
{
	struct race r = {.f = *state};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, read_stable, &r), 0);
	for (s32 i = 0; i < ROUNDS; i++) {
		write_txn(r.f, 5, i * 2, 2);
		append_spec(r.f->log, (struct batch_spec){.records = 1, .value_len = 100});
		end_txn(r.f, 5, true);
	}
	__atomic_store_n(&r.done, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(sluice_log_last_stable_offset(r.f->log), ROUNDS * 4);
}

static void check_known(struct fixture *f)
{
	struct sluice_append a;

	/* 5 has a transaction open since offset 2; 6 has written up to sequence 2. */
	assert_int_equal(sluice_log_last_stable_offset(f->log), 2);
	assert_int_equal(append_as(f,
				   (struct batch_spec){.records = 2,
						       .producer_id_plus_1 = 7,
						       .base_sequence = 1},
				   SLUICE_APPEND_AS_CLIENT, &a),
			 0);
	assert_true(a.duplicate);
	assert_int_equal(a.base_offset, 5);
	assert_int_equal(append_as(f,
				   (struct batch_spec){.records = 1,
						       .producer_id_plus_1 = 7,
						       .base_sequence = 4},
				   SLUICE_APPEND_AS_CLIENT, &a),
			 -EILSEQ);
	assert_int_equal(append_as(f,
				   (struct batch_spec){.records = 1,
						       .producer_id_plus_1 = 6,
						       .base_sequence = 2},
				   SLUICE_APPEND_AS_CLIENT, &a),
			 -EBUSY);
	assert_int_equal(end_txn_by(f, 9, true, 1, &a), -EOWNERDEAD);
}

static void make_known(struct fixture *f)
{
	struct sluice_append a;

	write_txn(f, 9, 0, 1);
	assert_int_equal(end_txn_by(f, 9, false, 2, &a), 0);
	write_txn(f, 5, 0, 2);
	append_spec(f->log, (struct batch_spec){.records = 1, .producer_id_plus_1 = 7});
	append_spec(f->log,
		    (struct batch_spec){.records = 2, .producer_id_plus_1 = 7, .base_sequence = 1});
}

static void reopen__reads_the_batches(void **state)
{
	struct fixture *f = *state;

	make_known(f);
	check_known(f);
	reopen(f);
	check_known(f);
}

static void reopen__after_a_clean_close(void **state)
{
	struct fixture *f = *state;
	s64 recovery_point;

	make_known(f);
	assert_int_equal(sluice_log_flush(f->log, &recovery_point), 0);
	assert_int_equal(sluice_log_flush_indexes(f->log), 0);
	/* Three producers, and the earlier batch of the last. */
	assert_int_equal(file_size(f->dir, "00000000000000000007.snapshot"), 10 + 4 * 46);
	reopen(f);
	check_known(f);
	/* The next one makes the one before superfluous: no segment begins there. */
	append_spec(f->log, (struct batch_spec){.records = 1});
	assert_int_equal(sluice_log_flush_indexes(f->log), 0);
	assert_true(file_exists(f->dir, "00000000000000000008.snapshot"));
	reopen(f);
	assert_false(file_exists(f->dir, "00000000000000000007.snapshot"));
	check_known(f);
}

/* Each segment but the first begins with one; all are written at the close. */
static void reopen__snapshots_of_rolls(void **state)
{
	struct fixture *f = *state;
	char name[40];
	s64 end;

	make_known(f);
	for (s32 i = 0; i < 6; i++)
		append_spec(f->log, (struct batch_spec){.records = 1, .value_len = 500});
	end = sluice_log_end_offset(f->log);
	assert_int_equal(sluice_log_flush_indexes(f->log), 0);
	for (s64 offset = end - 3; offset <= end; offset++) {
		snprintf(name, sizeof(name), "%020lld.snapshot", offset);
		assert_true(file_exists(f->dir, name));
	}
	reopen(f);
	check_known(f);
	for (s64 offset = end - 3; offset <= end; offset++) {
		snprintf(name, sizeof(name), "%020lld.snapshot", offset);
		assert_true(file_exists(f->dir, name));
	}
	/* The newest is damaged: nothing is guessed. */
	file_store(f->dir, name, "", 0);
	{
		char err[SLUICE_ERROR_TEXT_MAX] = "";
		struct sluice_log *log;

		assert_int_equal(sluice_log_open(f->dir, &f->config,
						 &(struct sluice_log_open_args){0}, err, &log),
				 -EUCLEAN);
		assert_string_equal(err, "00000000000000000013.snapshot: position 0: "
					 "the file ends inside the header");
	}
	/* It is missing: the one before and the batches behind it tell the same. */
	assert_int_equal(port_file_remove(f->dir, name), 0);
	reopen(f);
	check_known(f);
}

static void reopen__snapshot_beyond_the_end(void **state)
{
	struct fixture *f = *state;
	static const u8 empty[10] = {0, 1};

	make_known(f);
	file_store(f->dir, "00000000000000000008.snapshot", empty, sizeof(empty));
	reopen(f);
	assert_false(file_exists(f->dir, "00000000000000000008.snapshot"));
	check_known(f);
}

/*
 * The newest snapshot has a transaction open that ended below the log start, but
 * behind the snapshot: it must not be open for ever.
 */
static void reopen__end_of_a_transaction_below_the_start(void **state)
{
	struct fixture *f = *state;
	char err[SLUICE_ERROR_TEXT_MAX];
	s64 marker, end;

	write_txn(f, 5, 0, 2);
	append_spec(f->log, (struct batch_spec){.records = 1, .value_len = 500});
	append_spec(f->log, (struct batch_spec){.records = 1, .value_len = 500});
	assert_int_equal(sluice_log_segment_count(f->log), 2);
	marker = end_txn(f, 5, true);
	append_spec(f->log, (struct batch_spec){.records = 1});
	append_spec(f->log, (struct batch_spec){.records = 1});
	assert_int_equal(sluice_log_set_start_offset(f->log, marker + 1), 0);
	assert_int_equal(sluice_log_housekeep(f->log, TIME_0), 0);
	assert_true(file_exists(f->dir, "00000000000000000003.snapshot"));
	assert_int_equal(sluice_log_last_stable_offset(f->log), marker + 3);
	assert_int_equal(sluice_log_truncate(f->log, marker + 2, err, &end), 0);
	assert_int_equal(end, marker + 2);
	assert_int_equal(sluice_log_last_stable_offset(f->log), end);
}

/* What ended a transaction is lost, and the log begins behind it: the other goes, too. */
static void reopen__start_behind_the_end_forgets_producers(void **state)
{
	struct sluice_log_open_args args = {.log_start_offset = 20, .recovery_point = S64_MAX};
	struct fixture *f = *state;
	char err[SLUICE_ERROR_TEXT_MAX];

	write_txn(f, 5, 0, 2);
	assert_int_equal(sluice_log_flush_indexes(f->log), 0);
	assert_true(file_exists(f->dir, "00000000000000000002.snapshot"));
	sluice_log_close(f->log);
	assert_int_equal(sluice_log_open(f->dir, &f->config, &args, err, &f->log), 0);
	append_spec(f->log, (struct batch_spec){.records = 1});
	assert_int_equal(sluice_log_last_stable_offset(f->log), 21);
	reopen(f);
	assert_int_equal(sluice_log_last_stable_offset(f->log), 21);
}

/* The same, where the batches behind the snapshot are gone and no newer one is left. */
static void reopen__snapshot_of_what_is_before_the_log(void **state)
{
	static const char stale[] = "00000000000000000003.snapshot";
	struct fixture *f = *state;
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;
	size_t len;
	u8 *bytes;
	u64 freed;
	s64 end;

	/* As clean closes leave it: no segment begins there. */
	write_txn(f, 5, 0, 3);
	assert_int_equal(sluice_log_flush_indexes(f->log), 0);
	bytes = file_load(f->dir, stale, &len);
	end_txn(f, 5, true);
	f->config.retention_ms = 0;
	sluice_log_set_config(f->log, &f->config);
	assert_int_equal(sluice_log_retain(f->log, TIME_0 + 1000, &freed), 0);
	end = sluice_log_end_offset(f->log);
	assert_int_equal(sluice_log_start_offset(f->log), end);
	for (int recovered = 0; recovered < 2; recovered++) {
		sluice_log_close(f->log);
		(void)!port_file_remove(f->dir, "00000000000000000004.snapshot");
		file_store(f->dir, stale, bytes, len);
		if (recovered) {
			assert_int_equal(sluice_log_recover(f->dir, &f->config, 0, 0, err, &done),
					 0);
			assert_false(file_exists(f->dir, stale));
		}
		f->log = log_open(f->dir, &f->config);
		assert_false(file_exists(f->dir, stale));
		append_spec(f->log, (struct batch_spec){.records = 1});
		assert_int_equal(sluice_log_last_stable_offset(f->log),
				 sluice_log_end_offset(f->log));
	}
	free(bytes);
}

static void reopen__expired_producers(void **state)
{
	struct fixture *f = *state;
	struct sluice_append a;

	make_known(f);
	assert_int_equal(sluice_log_flush_indexes(f->log), 0);
	f->config.producer_expiration_ms = 1000;
	reopen(f);
	/* 7 is as unknown now as one that never was; the transaction is not given up. */
	assert_int_equal(append_as(f,
				   (struct batch_spec){.records = 1,
						       .producer_id_plus_1 = 7,
						       .base_sequence = 100},
				   SLUICE_APPEND_AS_CLIENT, &a),
			 0);
	assert_int_equal(sluice_log_last_stable_offset(f->log), 2);
	sluice_log_expire_producers(f->log, TIME_0 + 999);
	assert_int_equal(append_as(f,
				   (struct batch_spec){.records = 1,
						       .producer_id_plus_1 = 7,
						       .base_sequence = 100},
				   SLUICE_APPEND_AS_CLIENT, &a),
			 0);
	assert_true(a.duplicate);
	sluice_log_expire_producers(f->log, TIME_0 + 1000);
	assert_int_equal(append_as(f,
				   (struct batch_spec){.records = 1,
						       .producer_id_plus_1 = 7,
						       .base_sequence = 100},
				   SLUICE_APPEND_AS_CLIENT, &a),
			 0);
	assert_false(a.duplicate);
}

static void time__bounds(void **state)
{
	struct fixture *f = *state;
	s64 now = port_now_ms();
	struct batch_spec spec = {.records = 2};
	struct sluice_append a;

	/* After: the header tells; an hour is the default. */
	spec.timestamp = now + 3600 * 1000 + 5000;
	assert_int_equal(append_as(f, spec, SLUICE_APPEND_AS_CLIENT, &a), -ETIME);
	assert_string_equal(a.why, "a time is later than message.timestamp.after.max.ms allows");
	spec.timestamp = now + 3600 * 1000 - 5000;
	assert_int_equal(append_as(f, spec, SLUICE_APPEND_AS_CLIENT, &a), 0);
	spec.timestamp = S64_MAX;
	assert_int_equal(append_as(f, spec, SLUICE_APPEND_AS_CLIENT, &a), -ETIME);

	/* Before: the smallest is in the records alone. */
	spec = (struct batch_spec){.records = 2, .timestamp = now, .timestamp_step = -60000};
	assert_int_equal(append_as(f, spec, SLUICE_APPEND_AS_CLIENT, &a), 0);
	f->config.timestamp_before_max_ms = 50000;
	sluice_log_set_config(f->log, &f->config);
	assert_int_equal(append_as(f, spec, SLUICE_APPEND_AS_CLIENT, &a), -ETIME);
	assert_string_equal(a.why, "a time is earlier than message.timestamp.before.max.ms allows");
	spec.timestamp_step = -40000;
	assert_int_equal(append_as(f, spec, SLUICE_APPEND_AS_CLIENT, &a), 0);
	/* Kafka's "no time" is no time. */
	spec = (struct batch_spec){.records = 1, .timestamp = -1};
	assert_int_equal(append_as(f, spec, SLUICE_APPEND_AS_CLIENT, &a), 0);
	/* The log's own time needs no bounds. */
	f->config.log_append_time = true;
	sluice_log_set_config(f->log, &f->config);
	spec.timestamp = 5;
	assert_int_equal(append_as(f, spec, SLUICE_APPEND_AS_CLIENT, &a), 0);
	log_check(f->log);
}

static void compact__needs_keys(void **state)
{
	const struct sluice_record_out with = {.timestamp = TIME_0, .key = "k", .key_len = 1};
	struct fixture *f = *state;
	struct sluice_append a;
	u8 bytes[200];
	size_t size;

	f->config.cleanup_policy = SLUICE_CLEANUP_COMPACT;
	sluice_log_set_config(f->log, &f->config);
	assert_int_equal(
		append_as(f, (struct batch_spec){.records = 2}, SLUICE_APPEND_AS_CLIENT, &a),
		-EINVAL);
	assert_string_equal(a.why, "a record has no key, which a compacted topic needs");
	assert_int_equal(sluice_log_end_offset(f->log), 0);
	assert_int_equal(sluice_log_size_bytes(f->log), 0);
	assert_int_equal(file_size(f->dir, "00000000000000000000.log"), 0);

	size = sluice_batch_build_size(&with);
	sluice_batch_build(bytes, size, &with);
	assert_int_equal(append_bytes(f->log, bytes, size, &a), 0);
	/* A broken record is found where records are looked at. */
	bytes[SLUICE_BATCH_HEADER_LEN] ^= 2;
	batch_seal(bytes, size);
	assert_int_equal(append_bytes(f->log, bytes, size, &a), -EINVAL);
	/* Markers have their own keys; a leader has looked already. */
	assert_int_equal(end_txn(f, 5, true), 1);
	assert_int_equal(
		append_as(f, (struct batch_spec){.records = 2}, SLUICE_APPEND_AS_REPLICA, &a),
		-ERANGE);
	log_check(f->log);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, log_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(txn__markers_only_of_a_coordinator),
		TEST(txn__malformed_markers),
		TEST(txn__last_stable_offset),
		TEST(txn__last_stable_offset_waits_for_the_high_watermark),
		TEST(watermark__stable_is_not_below_the_start),
		TEST(txn__refusals),
		TEST(txn__duplicate_is_answered_with_its_time),
		TEST(aborted__file),
		TEST(aborted__of_ranges),
		TEST(fetch__committed),
		TEST(aborted__over_segments),
		TEST(aborted__broken_index),
		TEST(aborted__old_file_of_the_name),
		TEST(aborted__read_while_appended),
		TEST(reopen__reads_the_batches),
		TEST(reopen__after_a_clean_close),
		TEST(reopen__snapshots_of_rolls),
		TEST(reopen__snapshot_beyond_the_end),
		TEST(reopen__end_of_a_transaction_below_the_start),
		TEST(reopen__snapshot_of_what_is_before_the_log),
		TEST(reopen__start_behind_the_end_forgets_producers),
		TEST(reopen__expired_producers),
		TEST(time__bounds),
		TEST(compact__needs_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
