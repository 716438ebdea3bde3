// SPDX-License-Identifier: Apache-2.0
/* Recovery of what a log knows of its producers. */
#include "three_segments.h"

#include <stdlib.h>

/* Segments 0, 21 and 42 of three records a batch; producer 7 writes all of it. */
static int setup(void **state)
{
	if (three_segments(state, port_now_ms(), true))
		return -1;
	assert_true(file_exists(*state, SECOND ".snapshot"));
	assert_true(file_exists(*state, LAST ".snapshot"));
	assert_true(file_exists(*state, END ".snapshot"));
	return 0;
}

static void recover(struct port_dir *dir, s64 recovery_point, unsigned int flags)
{
	struct sluice_log_config c = small_config();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;

	if (sluice_log_recover(dir, &c, recovery_point, flags, err, &done))
		fail_msg("recover: %s", err);
}

static void damage(struct port_dir *dir, const char *name)
{
	size_t len;
	u8 *bytes = file_load(dir, name, &len);

	bytes[len - 1] ^= 1;
	file_store(dir, name, bytes, len);
	free(bytes);
}

/* The snapshots are byte for byte those that the log wrote. */
static void recover_producers__writes_a_snapshot_for_each_segment(void **state)
{
	u64 digest = dir_digest(*state);

	recover(*state, 0, 0);
	assert_int_equal(dir_digest(*state), digest);
	assert_int_equal(port_file_remove(*state, SECOND ".snapshot"), 0);
	assert_int_equal(port_file_remove(*state, LAST ".snapshot"), 0);
	assert_int_equal(port_file_remove(*state, END ".snapshot"), 0);
	recover(*state, 0, 0);
	assert_int_equal(dir_digest(*state), digest);
	/* What the recovery point has no snapshot for is read from an earlier one. */
	assert_int_equal(port_file_remove(*state, LAST ".snapshot"), 0);
	assert_int_equal(port_file_remove(*state, END ".snapshot"), 0);
	recover(*state, 50, 0);
	assert_int_equal(dir_digest(*state), digest);
}

static void recover_producers__damaged_snapshots_are_made_anew(void **state)
{
	u64 digest = dir_digest(*state);

	damage(*state, END ".snapshot");
	recover(*state, 51, SLUICE_RECOVER_CLEAN);
	assert_int_equal(dir_digest(*state), digest);
	damage(*state, END ".snapshot");
	recover(*state, 51, 0);
	assert_int_equal(dir_digest(*state), digest);
	damage(*state, LAST ".snapshot");
	recover(*state, 51, 0);
	assert_int_equal(dir_digest(*state), digest);
	damage(*state, SECOND ".snapshot");
	damage(*state, LAST ".snapshot");
	damage(*state, END ".snapshot");
	recover(*state, 0, 0);
	assert_int_equal(dir_digest(*state), digest);
	/* Of another life of the log, in which it was longer. */
	file_store(*state, "00000000000000000060.snapshot", "x", 1);
	recover(*state, 51, 0);
	assert_int_equal(dir_digest(*state), digest);
}

/* A clean log whose newest snapshot is good is not read. */
static void recover_producers__clean_log_is_not_read(void **state)
{
	struct sluice_log_config c = small_config();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;

	damage(*state, LAST ".snapshot");
	assert_int_equal(sluice_log_recover(*state, &c, 51, SLUICE_RECOVER_CLEAN, err, &done), 0);
	assert_int_equal(done.bytes_read, 0);
}

/* So much behind the last snapshot that opening the log must not read it. */
static s64 make_far_log(struct port_dir *dir, struct sluice_log_config *c)
{
	struct sluice_log *log;

	dir_clear(dir);
	sluice_log_config_default(c);
	log = log_open(dir, c);
	for (int i = 0; i < 70; i++)
		append_spec(log, (struct batch_spec){.records = 1,
						     .value_len = 1000000,
						     .timestamp = port_now_ms(),
						     .producer_id_plus_1 = 8,
						     .base_sequence = i});
	log_close_cleanly(log);
	assert_int_equal(port_file_remove(dir, "00000000000000000070.snapshot"), 0);
	return 70;
}

static void recover_producers__snapshot_too_far_from_the_end(void **state)
{
	const struct sluice_log_open_args args = {.recovery_point = S64_MAX};
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;
	struct sluice_log_config c;
	struct sluice_log *log;
	s64 end = make_far_log(*state, &c);

	assert_int_equal(sluice_log_open(*state, &c, &args, err, &log), -EUCLEAN);
	assert_non_null(strstr(err, "no producer snapshot near the log end 70"));
	/* Closed cleanly or not: recovery makes it, though it has nothing else to read. */
	for (unsigned int flags = 0; flags <= SLUICE_RECOVER_CLEAN; flags++) {
		if (flags)
			assert_int_equal(port_file_remove(*state, "00000000000000000070.snapshot"),
					 0);
		assert_int_equal(sluice_log_recover(*state, &c, end, flags, err, &done), 0);
		assert_int_equal(done.log_end_offset, end);
		if (flags & SLUICE_RECOVER_CLEAN)
			assert_int_equal(done.bytes_read, 0);
		assert_true(file_exists(*state, "00000000000000000070.snapshot"));
	}
	log = log_open(*state, &c);
	/* What the producer wrote last is known. */
	assert_int_equal(append_spec(log, (struct batch_spec){.records = 1,
							      .timestamp = port_now_ms(),
							      .producer_id_plus_1 = 8,
							      .base_sequence = 70}),
			 end);
	log_close_cleanly(log);
}

static void recover_producers__what_was_cut_is_not_remembered(void **state)
{
	struct sluice_log_config c = small_config();
	struct batch_spec spec = {
		.records = 3, .value_len = 20, .producer_id_plus_1 = 8, .timestamp = port_now_ms()};
	struct sluice_append a = {.why = NULL};
	struct sluice_log *log;
	size_t len;
	u8 *batch;

	/* The last batch is lost, and with it sequences 48 to 50. */
	damage(*state, LAST ".log");
	recover(*state, 42, 0);
	assert_false(file_exists(*state, END ".snapshot"));
	assert_true(file_exists(*state, "00000000000000000048.snapshot"));
	log = log_open(*state, &c);
	spec.base_sequence = 51;
	batch = batch_make(&spec, &len);
	assert_int_equal(append_bytes(log, batch, len, &a), -EILSEQ);
	free(batch);
	spec.base_sequence = 45;
	batch = batch_make(&spec, &len);
	assert_int_equal(append_bytes(log, batch, len, &a), 0);
	assert_true(a.duplicate);
	assert_int_equal(a.base_offset, 45);
	free(batch);
	spec.base_sequence = 48;
	assert_int_equal(append_spec(log, spec), 48);
	sluice_log_close(log);
}

/* A control batch as a transaction coordinator writes it (EndTxnMarker.json). */
static void append_marker(struct sluice_log *log, s64 producer_id, u16 type)
{
	u8 key[4] = {0, 0, (u8)(type >> 8), (u8)type}, value[6] = {0}, bytes[200];
	struct sluice_record_out r = {.timestamp = port_now_ms(),
				      .key = key,
				      .key_len = sizeof(key),
				      .value = value,
				      .value_len = sizeof(value)};
	struct sluice_batch_header *h = (struct sluice_batch_header *)bytes;
	struct sluice_append a;
	size_t size = sluice_batch_build_size(&r);

	sluice_batch_build(bytes, size, &r);
	put_unaligned_be16(SLUICE_BATCH_TRANSACTIONAL | SLUICE_BATCH_CONTROL, &h->attributes);
	put_unaligned_be64((u64)producer_id, &h->producer_id);
	put_unaligned_be16(0, &h->producer_epoch);
	batch_seal(bytes, size);
	if (append_bytes_as(log, bytes, size, SLUICE_APPEND_AS_COORDINATOR, &a))
		fail_msg("marker: %s", a.why);
}

static void append_txn(struct sluice_log *log, s64 producer_id, s32 sequence)
{
	append_spec(log, (struct batch_spec){.records = 2,
					     .value_len = 1,
					     .timestamp = port_now_ms(),
					     .producer_id_plus_1 = producer_id + 1,
					     .base_sequence = sequence,
					     .attributes = SLUICE_BATCH_TRANSACTIONAL});
}

/* AbortedTxn.java: version, producer, first and last offset, last stable offset. */
static const u8 aborted[2 * 34] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 2, /* 5 aborts; 6 began at 2 */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6,
	0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 9, /* 5 aborts once more; nothing else is open */
};

static void recover_producers__txn_index(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log;
	u8 *bytes;
	size_t len;

	dir_clear(*state);
	log = log_open(*state, &c);
	append_txn(log, 5, 0);	  /* 0, 1 */
	append_txn(log, 6, 0);	  /* 2, 3 */
	append_marker(log, 5, 0); /* 4: abort */
	append_marker(log, 6, 1); /* 5: commit */
	append_txn(log, 5, 2);	  /* 6, 7 */
	append_marker(log, 5, 0); /* 8: abort */
	log_close_cleanly(log);
	for (int i = 0; i < 3; i++) {
		if (i == 0)
			assert_int_equal(port_file_remove(*state, FIRST ".txnindex"), 0);
		else
			file_store(*state, FIRST ".txnindex", aborted, i == 1 ? 40 : 34);
		recover(*state, 0, 0);
		bytes = file_load(*state, FIRST ".txnindex", &len);
		assert_int_equal(len, sizeof(aborted));
		assert_memory_equal(bytes, aborted, sizeof(aborted));
		free(bytes);
	}
	/* Where nothing was aborted there is none, and one that is there is emptied. */
	dir_clear(*state);
	log = log_open(*state, &c);
	append_txn(log, 5, 0);
	append_marker(log, 5, 1);
	log_close_cleanly(log);
	recover(*state, 0, 0);
	assert_false(file_exists(*state, FIRST ".txnindex"));
	file_store(*state, FIRST ".txnindex", aborted, sizeof(aborted));
	recover(*state, 0, 0);
	assert_int_equal(file_size(*state, FIRST ".txnindex"), 0);
	file_store(*state, LAST ".txnindex", aborted, sizeof(aborted));
	recover(*state, 0, 0);
	assert_false(file_exists(*state, LAST ".txnindex"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(recover_producers__writes_a_snapshot_for_each_segment),
		TEST(recover_producers__damaged_snapshots_are_made_anew),
		TEST(recover_producers__clean_log_is_not_read),
		TEST(recover_producers__snapshot_too_far_from_the_end),
		TEST(recover_producers__what_was_cut_is_not_remembered),
		TEST(recover_producers__txn_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
