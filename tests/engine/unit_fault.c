// SPDX-License-Identifier: Apache-2.0
/*
 * Each operation with its first port call failing, then its second, and so on,
 * until none fails. Whatever failed, the log is then as it was, nothing leaks
 * (the address sanitizer sees it), and what was refused can be done again.
 */
#include "engine_test.h"

#include <stdlib.h>

#define FAULTS_MAX 500

/* An operation on the log in @dir; @log is NULL where it opens the log itself. */
typedef int (*operation)(struct port_dir *dir, struct sluice_log *log);

/**
 * struct scenario
 * @prepare: makes the directory
 * @config: NULL for small_config()
 * @records: by which the operation moves the log end, when it succeeds
 */
struct scenario {
	void (*prepare)(struct port_dir *dir);
	operation operation;
	struct sluice_log_config config;
	s64 records;
};

static void make_log(struct port_dir *dir)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(dir, &c);

	for (int i = 0; i < 10; i++)
		append_spec(log, (struct batch_spec){
					 .records = 3, .value_len = 20, .timestamp = TIME_0 + i});
	sluice_log_close(log);
}

static void make_nothing(struct port_dir *dir)
{
	dir_clear(dir);
}

static int append(struct sluice_log *log, struct batch_spec spec)
{
	struct sluice_append a;
	size_t size;
	u8 *bytes = batch_make(&spec, &size);
	int ret = append_bytes(log, bytes, size, &a);

	free(bytes);
	if (ret)
		assert_non_null(a.why);
	return ret;
}

static int append_small(struct port_dir *dir, struct sluice_log *log)
{
	(void)dir;
	return append(log, (struct batch_spec){.records = 1, .timestamp = TIME_0 + 50});
}

/* Too large for the segment, and for one write. */
static int append_large(struct port_dir *dir, struct sluice_log *log)
{
	(void)dir;
	return append(
		log, (struct batch_spec){.records = 1, .value_len = 600, .timestamp = TIME_0 + 50});
}

static int append_idempotent(struct port_dir *dir, struct sluice_log *log)
{
	(void)dir;
	return append(log, (struct batch_spec){.records = 1, .producer_id_plus_1 = 8});
}

static void make_txn_log(struct port_dir *dir)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(dir, &c);
	s64 recovery_point;

	append_spec(log, (struct batch_spec){.records = 2,
					     .producer_id_plus_1 = 8,
					     .attributes = SLUICE_BATCH_TRANSACTIONAL});
	for (int i = 0; i < 7; i++)
		append_spec(log, (struct batch_spec){.records = 4, .value_len = 30});
	assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
	assert_int_equal(sluice_log_flush_indexes(log), 0);
	sluice_log_close(log);
}

static int append_abort(struct port_dir *dir, struct sluice_log *log)
{
	/* {version 0, type ABORT}, {version 0, coordinator epoch 0} */
	static const u8 key[4], value[6];
	const struct sluice_record_out r = {
		.timestamp = TIME_0, .key = key, .key_len = 4, .value = value, .value_len = 6};
	struct sluice_batch_header *h;
	struct sluice_append a;
	u8 bytes[100];
	size_t size = sluice_batch_build_size(&r);
	int ret;

	(void)dir;
	sluice_batch_build(bytes, size, &r);
	h = (struct sluice_batch_header *)bytes;
	put_unaligned_be16(SLUICE_BATCH_TRANSACTIONAL | SLUICE_BATCH_CONTROL, &h->attributes);
	put_unaligned_be64(7, &h->producer_id);
	put_unaligned_be16(0, &h->producer_epoch);
	batch_seal(bytes, size);
	ret = append_bytes_as(log, bytes, size, SLUICE_APPEND_AS_COORDINATOR, &a);
	if (ret)
		assert_non_null(a.why);
	/* The transaction is either over or open, and the index says the same. */
	assert_int_equal(sluice_log_last_stable_offset(log), ret ? 0 : a.base_offset + 1);
	return ret;
}

static void make_aborted_log(struct port_dir *dir)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log;

	make_txn_log(dir);
	log = log_open(dir, &c);
	assert_int_equal(append_abort(dir, log), 0);
	sluice_log_close(log);
}

static int list_aborted(struct port_dir *dir, struct sluice_log *log)
{
	struct sluice_aborted_txn txn;
	u32 count = 77;
	int ret = sluice_log_aborted(log, 0, sluice_log_end_offset(log), &txn, 1, &count);

	(void)dir;
	assert_int_equal(count, ret ? 77 : 1);
	if (!ret)
		assert_int_equal(txn.producer_id, 7);
	return ret;
}

static int fetch(struct port_dir *dir, struct sluice_log *log)
{
	struct sluice_range range;
	int ret = sluice_log_fetch(log, 16, 100, 0, &range);

	(void)dir;
	if (!ret) {
		assert_int_equal(range.base_offset, 15);
		sluice_segment_put(range.seg);
	}
	return ret;
}

static int fetch_time(struct port_dir *dir, struct sluice_log *log)
{
	s64 offset = -7, time = -7;
	int ret = sluice_log_offset_for_time(log, TIME_0 + 8, &offset, &time);

	(void)dir;
	assert_int_equal(offset, ret ? -7 : 24);
	return ret;
}

static int open_close(struct port_dir *dir, struct sluice_log *log)
{
	struct sluice_log_config c = small_config();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	int ret = sluice_log_open(dir, &c, &(struct sluice_log_open_args){0}, err, &log);

	if (!ret)
		sluice_log_close(log);
	else
		assert_true(strlen(err) > 0);
	return ret;
}

/* Fails the n-th call; true if there was one. */
static bool run_once(const struct scenario *s, struct port_dir *dir, struct sluice_log *log, u32 n,
		     bool sticky, int *ret)
{
	bool hit;

	port_fault_set(n, sticky);
	*ret = s->operation(dir, log);
	hit = port_fault_hit();
	port_fault_set(0, false);
	return hit;
}

/*
 * A log that had to be given up is one that recovery brings back. A batch that
 * could not be taken back may then be found whole, though nobody had seen it:
 * @records more.
 */
static void check_reopened(struct port_dir *dir, bool failed, s64 expected_end, s64 records)
{
	struct sluice_log_config c = small_config();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;
	struct sluice_log *log;

	if (failed)
		assert_int_equal(sluice_log_recover(dir, &c, 0, 0, err, &done), 0);
	log = log_open(dir, &c);
	if (!failed || sluice_log_end_offset(log) != expected_end + records)
		assert_int_equal(sluice_log_end_offset(log), expected_end);
	log_check(log);
	append_spec(log, (struct batch_spec){.records = 1});
	log_check(log);
	sluice_log_close(log);
}

static void run_on_log(const struct scenario *s, struct port_dir *dir, bool sticky)
{
	bool hit = true;
	u32 n;

	for (n = 1; hit && n < FAULTS_MAX; n++) {
		struct sluice_log *log;
		s64 end, moved;
		bool failed;
		int ret;

		dir_clear(dir);
		s->prepare(dir);
		log = log_open(dir, &s->config);
		end = sluice_log_end_offset(log);
		hit = run_once(s, dir, log, n, sticky, &ret);
		/* Without memory for it a roll goes on without a snapshot. */
		assert_true(hit || !ret);
		moved = sluice_log_end_offset(log) - end;
		assert_int_equal(moved, ret ? 0 : s->records);
		log_check(log);
		failed = sluice_log_failed(log);
		assert_true(sticky || !failed);
		if (ret && !failed) {
			assert_int_equal(s->operation(dir, log), 0);
			moved = s->records;
			log_check(log);
		}
		sluice_log_close(log);
		check_reopened(dir, failed, end + moved, s->records);
	}
	assert_true(n > 2 && n < FAULTS_MAX);
}

static void run_both(void **state, struct scenario s)
{
	if (!s.config.segment_bytes)
		s.config = small_config();
	run_on_log(&s, *state, false);
	run_on_log(&s, *state, true);
}

static void sluice_log_append__small(void **state)
{
	run_both(state, (struct scenario){make_log, append_small, {0}, 1});
}

static void sluice_log_append__large_with_roll(void **state)
{
	run_both(state, (struct scenario){make_log, append_large, {0}, 1});
}

static void sluice_log_append__to_an_empty_log(void **state)
{
	run_both(state, (struct scenario){make_nothing, append_large, {0}, 1});
}

static void sluice_log_append__log_append_time(void **state)
{
	struct scenario s = {make_log, append_large, small_config(), 1};

	s.config.log_append_time = true;
	run_both(state, s);
	s.config.segment_bytes = 100000;
	run_both(state, s);
}

static void sluice_log_append__idempotent(void **state)
{
	run_both(state, (struct scenario){make_log, append_idempotent, {0}, 1});
}

static void sluice_log_append__abort(void **state)
{
	struct scenario s = {make_txn_log, append_abort, small_config(), 1};

	run_on_log(&s, *state, false);
}

static void sluice_log_aborted__search(void **state)
{
	run_both(state, (struct scenario){make_aborted_log, list_aborted, {0}, 0});
}

static void sluice_log_fetch__scan(void **state)
{
	run_both(state, (struct scenario){make_log, fetch, {0}, 0});
}

static void sluice_log_offset_for_time__search(void **state)
{
	run_both(state, (struct scenario){make_log, fetch_time, {0}, 0});
}

/* Operations that make a log of a directory. */
static void run_on_dir(struct port_dir *dir, void (*prepare)(struct port_dir *dir), operation op,
		       bool sticky, s64 expected_end)
{
	struct scenario s = {.operation = op};
	bool hit = true;
	u32 n;

	for (n = 1; hit && n < FAULTS_MAX; n++) {
		int ret;

		dir_clear(dir);
		prepare(dir);
		hit = run_once(&s, dir, NULL, n, sticky, &ret);
		assert_true(hit == (ret != 0));
		if (ret)
			assert_int_equal(op(dir, NULL), 0);
		check_reopened(dir, false, expected_end, 0);
	}
	assert_true(n > 2 && n < FAULTS_MAX);
}

static void sluice_log_open__empty_directory(void **state)
{
	run_on_dir(*state, make_nothing, open_close, false, 0);
	run_on_dir(*state, make_nothing, open_close, true, 0);
}

static void sluice_log_open__segments(void **state)
{
	run_on_dir(*state, make_log, open_close, false, 30);
	run_on_dir(*state, make_log, open_close, true, 30);
}

static void sluice_log_open__producers(void **state)
{
	run_on_dir(*state, make_aborted_log, open_close, false, 31);
	run_on_dir(*state, make_aborted_log, open_close, true, 31);
}

static int recover(struct port_dir *dir, struct sluice_log *log)
{
	struct sluice_log_config c = small_config();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_recovery done;
	int ret = sluice_log_recover(dir, &c, 0, 0, err, &done);

	(void)log;
	assert_int_equal(ret != 0, strlen(err) > 0);
	return ret;
}

static void make_torn_log(struct port_dir *dir)
{
	size_t len;
	u8 *bytes;

	make_log(dir);
	bytes = file_load(dir, "00000000000000000000.log", &len);
	bytes[len - 1] ^= 1;
	file_store(dir, "00000000000000000000.log", bytes, len);
	free(bytes);
	file_store(dir, "00000000000000000000.index", "", 0);
	file_store(dir, "00000000000000000077.index", "", 0);
}

static void sluice_log_recover__torn(void **state)
{
	run_on_dir(*state, make_torn_log, recover, false, 18);
	run_on_dir(*state, make_torn_log, recover, true, 18);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_append__small),		  TEST(sluice_log_append__large_with_roll),
		TEST(sluice_log_append__to_an_empty_log), TEST(sluice_log_append__log_append_time),
		TEST(sluice_log_append__idempotent),	  TEST(sluice_log_fetch__scan),
		TEST(sluice_log_offset_for_time__search), TEST(sluice_log_open__empty_directory),
		TEST(sluice_log_append__abort),		  TEST(sluice_log_aborted__search),
		TEST(sluice_log_open__producers),	  TEST(sluice_log_open__segments),
		TEST(sluice_log_recover__torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
