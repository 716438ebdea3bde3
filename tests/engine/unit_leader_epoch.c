// SPDX-License-Identifier: Apache-2.0
/* Leader epochs: the map, its file, and how a log keeps them. */
#include "engine_test.h"

#include <stdlib.h>

#include "leader_epoch_file.h"
#include "segment_name.h"

#define FILE_NAME "leader-epoch-checkpoint"

static struct sluice_leader_epochs epochs;

static int epochs_setup(void **state)
{
	sluice_leader_epochs_init(&epochs);
	return dir_setup(state);
}

static int epochs_teardown(void **state)
{
	sluice_leader_epochs_destroy(&epochs);
	return dir_teardown(state);
}

static void assign(s32 epoch, s64 start_offset)
{
	assert_int_equal(sluice_leader_epochs_reserve(&epochs, epoch), 0);
	sluice_leader_epochs_assign(&epochs, epoch, start_offset);
}

static void assert_entries(const struct sluice_leader_epochs *e,
			   const struct sluice_leader_epoch *want, u32 count)
{
	assert_int_equal(e->count, count);
	for (u32 i = 0; i < count; i++) {
		assert_int_equal(e->entries[i].epoch, want[i].epoch);
		assert_int_equal(e->entries[i].start_offset, want[i].start_offset);
	}
}

/* ENTRIES({start_offset, epoch}, ...) */
#define ENTRIES(e, ...)                                                            \
	assert_entries(e, (const struct sluice_leader_epoch[]){__VA_ARGS__},       \
		       sizeof((const struct sluice_leader_epoch[]){__VA_ARGS__}) / \
			       sizeof(struct sluice_leader_epoch))

static void assert_end(s32 epoch, s64 log_end, s32 want_epoch, s64 want_end)
{
	s32 got_epoch = -7;
	s64 got_end = -7;

	sluice_leader_epochs_end(&epochs, epoch, log_end, &got_epoch, &got_end);
	assert_int_equal(got_epoch, want_epoch);
	assert_int_equal(got_end, want_end);
}

/* The cases of Kafka's LeaderEpochFileCacheTest. */
static void leader_epochs__assign(void **state)
{
	(void)state;
	assert_int_equal(sluice_leader_epochs_latest(&epochs), -1);
	assign(-1, 0);
	assert_int_equal(epochs.count, 0);
	assign(2, 10);
	assert_int_equal(sluice_leader_epochs_latest(&epochs), 2);
	/* Said again, further on: the first offset stays. */
	assign(2, 11);
	ENTRIES(&epochs, {10, 2});
	assign(2, 9);
	ENTRIES(&epochs, {9, 2});
	assign(2, 10);
	ENTRIES(&epochs, {9, 2});
	assign(3, 12);
	assign(4, 15);
	assign(5, 16);
	ENTRIES(&epochs, {9, 2}, {12, 3}, {15, 4}, {16, 5});
	/* The newest batch is right: what contradicts it goes. */
	assign(6, 15);
	ENTRIES(&epochs, {9, 2}, {12, 3}, {15, 6});
	assign(3, 17);
	ENTRIES(&epochs, {9, 2}, {17, 3});
	assign(1, 5);
	ENTRIES(&epochs, {5, 1});
	assert_int_equal(epochs.changes, 8);
}

static void leader_epochs__end(void **state)
{
	(void)state;
	/* Nothing known. */
	assert_end(0, 100, -1, -1);
	assert_end(-1, 100, -1, -1);
	assign(2, 10);
	assign(3, 20);
	assign(7, 30);
	/* The newest ends with the log. */
	assert_end(7, 100, 7, 100);
	/* A known one ends where the next begins. */
	assert_end(2, 100, 2, 20);
	assert_end(3, 100, 3, 30);
	/* One between: the one before it. */
	assert_end(5, 100, 3, 30);
	/* Older than all: that of the log's beginning. */
	assert_end(1, 100, 1, 10);
	assert_end(0, 100, 0, 10);
	/* Newer than all, or none. */
	assert_end(8, 100, -1, -1);
	assert_end(S32_MAX, 100, -1, -1);
	assert_end(-1, 100, -1, -1);
}

static void leader_epochs__truncate_end(void **state)
{
	(void)state;
	assign(2, 6);
	assign(3, 8);
	assign(4, 11);
	sluice_leader_epochs_truncate_end(&epochs, 12);
	ENTRIES(&epochs, {6, 2}, {8, 3}, {11, 4});
	assert_int_equal(epochs.changes, 3);
	/* One that would begin at the end has nothing. */
	sluice_leader_epochs_truncate_end(&epochs, 11);
	ENTRIES(&epochs, {6, 2}, {8, 3});
	sluice_leader_epochs_truncate_end(&epochs, 9);
	ENTRIES(&epochs, {6, 2}, {8, 3});
	sluice_leader_epochs_truncate_end(&epochs, 0);
	assert_int_equal(epochs.count, 0);
	assert_int_equal(epochs.changes, 5);
}

static void leader_epochs__truncate_start(void **state)
{
	(void)state;
	assign(2, 6);
	assign(3, 8);
	assign(4, 11);
	sluice_leader_epochs_truncate_start(&epochs, 5);
	sluice_leader_epochs_truncate_start(&epochs, 6);
	ENTRIES(&epochs, {6, 2}, {8, 3}, {11, 4});
	assert_int_equal(epochs.changes, 3);
	sluice_leader_epochs_truncate_start(&epochs, 7);
	ENTRIES(&epochs, {7, 2}, {8, 3}, {11, 4});
	sluice_leader_epochs_truncate_start(&epochs, 8);
	ENTRIES(&epochs, {8, 3}, {11, 4});
	sluice_leader_epochs_truncate_start(&epochs, 9);
	ENTRIES(&epochs, {9, 3}, {11, 4});
	/* The last one stays, however far. */
	sluice_leader_epochs_truncate_start(&epochs, 1000);
	ENTRIES(&epochs, {1000, 4});
}

static int parse(const char *text, u32 *line)
{
	const char *why = NULL;
	int ret;

	sluice_leader_epochs_destroy(&epochs);
	sluice_leader_epochs_init(&epochs);
	*line = 0;
	ret = sluice_leader_epochs_parse(&epochs, text, strlen(text), line, &why);
	assert_true((ret == 0) == (why == NULL));
	return ret;
}

static void assert_malformed(const char *text, u32 want_line)
{
	u32 line;

	assert_int_equal(parse(text, &line), -EUCLEAN);
	assert_int_equal(line, want_line);
	assert_int_equal(epochs.count, 0);
}

static void leader_epochs_parse__good(void **state)
{
	u32 line;

	(void)state;
	assert_int_equal(parse("0\n0\n", &line), 0);
	assert_int_equal(epochs.count, 0);
	assert_int_equal(parse("0\n2\n0 0\n5 1234567890123\n", &line), 0);
	ENTRIES(&epochs, {0, 0}, {1234567890123, 5});
	/* Kafka splits at any blanks, and needs no last line end. */
	assert_int_equal(parse("0\n1\n2147483647 \t9223372036854775807", &line), 0);
	ENTRIES(&epochs, {S64_MAX, S32_MAX});
	/* What was parsed can grow. */
	assert_int_equal(parse("0\n2\n1 5\n2 5\n", &line), 0);
	assign(3, 9);
	ENTRIES(&epochs, {5, 1}, {5, 2}, {9, 3});
}

static void leader_epochs_parse__malformed(void **state)
{
	(void)state;
	assert_malformed("", 1);
	assert_malformed("1\n0\n", 1);
	assert_malformed("0 \n0\n", 1);
	assert_malformed("0", 2);
	assert_malformed("0\n", 2);
	assert_malformed("0\n-1\n", 2);
	assert_malformed("0\n99999999999999999999\n", 2);
	assert_malformed("0\n262145\n", 2);
	assert_malformed("0\n200000\n0 0\n", 2);
	assert_malformed("0\n2\n0 0\n      ", 4);
	assert_malformed("0\n1\n0 0\n1 1\n", 4);
	assert_malformed("0\n0\n0 0\n", 3);
	assert_malformed("0\n1\n-1 0\n", 3);
	assert_malformed("0\n1\n0 -1\n", 3);
	assert_malformed("0\n1\n2147483648 0\n", 3);
	assert_malformed("0\n1\n0 9223372036854775808\n", 3);
	assert_malformed("0\n1\n0 0 0\n", 3);
	assert_malformed("0\n1\n0\n0\n", 3);
	assert_malformed("0\n2\n1 0\n1 5\n", 4);
	assert_malformed("0\n2\n1 5\n2 4\n", 4);
}

static void assert_file(struct port_dir *dir, const char *want)
{
	size_t len;
	u8 *bytes = file_load(dir, FILE_NAME, &len);

	assert_int_equal(len, strlen(want));
	assert_memory_equal(bytes, want, len);
	free(bytes);
}

static void leader_epochs_save__replaces(void **state)
{
	char err[SLUICE_ERROR_TEXT_MAX];
	u64 changes;

	assert_int_equal(sluice_leader_epochs_load(&epochs, *state, err), -ENOENT);
	assert_int_equal(sluice_leader_epochs_save(&epochs, *state, &changes), 0);
	assert_file(*state, "0\n0\n");
	file_store(*state, FILE_NAME ".tmp", "left over", 9);
	assign(0, 0);
	assign(S32_MAX, S64_MAX);
	assert_int_equal(sluice_leader_epochs_save(&epochs, *state, &changes), 0);
	assert_int_equal(changes, 2);
	assert_file(*state, "0\n2\n0 0\n2147483647 9223372036854775807\n");
	assert_int_equal(dir_file_count(*state), 1);
	sluice_leader_epochs_destroy(&epochs);
	sluice_leader_epochs_init(&epochs);
	assert_int_equal(sluice_leader_epochs_load(&epochs, *state, err), 0);
	ENTRIES(&epochs, {0, 0}, {S64_MAX, S32_MAX});
}

/* What fails leaves the old file, or has the new one in place. */
static void leader_epochs_save__fails_anywhere(void **state)
{
	char err[SLUICE_ERROR_TEXT_MAX];
	u64 changes = 0;
	u32 n = 0;
	bool hit;

	assign(1, 1);
	assert_int_equal(sluice_leader_epochs_save(&epochs, *state, &changes), 0);
	assign(2, 2);
	do {
		struct sluice_leader_epochs found;
		int ret;

		port_fault_set(++n, false);
		ret = sluice_leader_epochs_save(&epochs, *state, &changes);
		hit = port_fault_hit();
		port_fault_set(0, false);
		assert_true(hit == (ret != 0));
		assert_int_equal(changes, hit ? 1 : 2);
		sluice_leader_epochs_init(&found);
		assert_int_equal(sluice_leader_epochs_load(&found, *state, err), 0);
		assert_int_equal(found.count, hit ? 1 : 2);
		sluice_leader_epochs_destroy(&found);
	} while (hit);
	assert_true(n > 5);
}

static void assert_log_end(struct sluice_log *log, s32 epoch, s32 want_epoch, s64 want_end)
{
	s32 got_epoch = -7;
	s64 got_end = -7;

	sluice_log_epoch_end(log, epoch, &got_epoch, &got_end);
	assert_int_equal(got_epoch, want_epoch);
	assert_int_equal(got_end, want_end);
}

static void append_in_epoch(struct sluice_log *log, s32 epoch, int batches)
{
	assert_int_equal(sluice_log_set_leader_epoch(log, epoch), 0);
	for (int i = 0; i < batches; i++)
		append_spec(log, (struct batch_spec){.records = 3, .value_len = 40});
}

/* Epochs 0, 2, 7 and 8 from offsets 0, 15, 21 and 51 to 54, in several segments. */
static struct sluice_log *make_log(struct port_dir *dir)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(dir, &c);

	append_in_epoch(log, 0, 5);
	append_in_epoch(log, 2, 2);
	append_in_epoch(log, 7, 10);
	append_in_epoch(log, 8, 1);
	assert_true(sluice_log_segment_count(log) > 3);
	return log;
}

static void check_log(struct sluice_log *log)
{
	assert_log_end(log, 0, 0, 15);
	assert_log_end(log, 1, 0, 15);
	assert_log_end(log, 2, 2, 21);
	assert_log_end(log, 7, 7, 51);
	assert_log_end(log, 8, 8, 54);
	assert_log_end(log, 9, -1, -1);
}

static void sluice_log_epoch_end__while_open(void **state)
{
	struct sluice_log *log = make_log(*state);

	check_log(log);
	sluice_log_close(log);
}

/* The flush that makes the batches durable has their epochs on disk first. */
static void sluice_log_flush__saves_epochs(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = make_log(*state);
	s64 recovery_point;

	assert_false(file_exists(*state, FILE_NAME));
	assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
	assert_file(*state, "0\n4\n0 0\n2 15\n7 21\n8 51\n");
	append_in_epoch(log, 9, 1);
	assert_file(*state, "0\n4\n0 0\n2 15\n7 21\n8 51\n");
	assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
	assert_file(*state, "0\n5\n0 0\n2 15\n7 21\n8 51\n9 54\n");
	/* No new epoch, no new file. */
	assert_int_equal(port_file_remove(*state, FILE_NAME), 0);
	append_in_epoch(log, 9, 1);
	assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
	assert_false(file_exists(*state, FILE_NAME));
	sluice_log_close(log);
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_leader_epoch(log), 9);
	assert_log_end(log, 8, 8, 54);
	assert_log_end(log, 9, 9, 60);
	sluice_log_close(log);
}

/* No file, one that is damaged, one that is behind, one that is ahead. */
static void sluice_log_open__puts_epochs_right(void **state)
{
	static const char *const files[] = {
		NULL,
		"rubbish",
		"0\n1\n0 0\n",
		"0\n2\n0 0\n2 15\n",
		"0\n3\n0 0\n2 15\n7 21\n",
		"0\n4\n0 0\n2 15\n7 21\n8 51\n",
		"0\n6\n0 0\n2 15\n7 21\n8 51\n9 54\n10 60\n",
		"0\n4\n0 0\n2 15\n7 21\n9 54\n",
	};
	struct sluice_log_config c = small_config();
	s64 recovery_point;

	sluice_log_close(make_log(*state));
	port_warn_to(NULL);
	for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
		struct sluice_log *log;

		assert_int_equal(port_file_remove(*state, FILE_NAME), 0);
		if (files[i])
			file_store(*state, FILE_NAME, files[i], strlen(files[i]));
		log = log_open(*state, &c);
		check_log(log);
		assert_int_equal(sluice_log_leader_epoch(log), 8);
		assert_int_equal(sluice_log_flush(log, &recovery_point), 0);
		assert_file(*state, "0\n4\n0 0\n2 15\n7 21\n8 51\n");
		sluice_log_close(log);
	}
	port_warn_to(stderr);
}

/*
 * The same after a crash, where recovery calls durable what no flush did: an epoch
 * that the log no longer has, and one that its batches have since earlier.
 */
static void sluice_log_open__epochs_of_what_a_crash_left(void **state)
{
	static const char *const files[] = {
		"0\n4\n0 0\n2 15\n7 21\n9 51\n",
		"0\n4\n0 0\n2 15\n7 21\n8 52\n",
		"0\n3\n0 0\n2 15\n7 24\n",
		"0\n1\n9 0\n",
	};
	struct sluice_log_config c = small_config();

	sluice_log_close(make_log(*state));
	for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
		char err[SLUICE_ERROR_TEXT_MAX] = "";
		struct sluice_recovery done;
		struct sluice_log_open_args args = {0};
		struct sluice_log *log;

		file_store(*state, FILE_NAME, files[i], strlen(files[i]));
		assert_int_equal(sluice_log_recover(*state, &c, 0, 0, err, &done), 0);
		args.recovery_point = done.log_end_offset;
		assert_int_equal(sluice_log_open(*state, &c, &args, err, &log), 0);
		check_log(log);
		assert_int_equal(sluice_log_leader_epoch(log), 8);
		sluice_log_close(log);
	}
}

static int open_again(struct port_dir *dir, struct sluice_log **ret_log)
{
	struct sluice_log_config c = small_config();
	struct sluice_log_open_args args = {.recovery_point = 54};
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	int ret = sluice_log_open(dir, &c, &args, err, ret_log);

	assert_int_equal(ret != 0, strlen(err) > 0);
	return ret;
}

/*
 * A damaged header, index or name hides epochs: the log is there all the same,
 * and knows the last one. What cannot be read now is an error.
 */
static void sluice_log_open__damage_hides_epochs(void **state)
{
	struct sluice_log *log = make_log(*state);
	struct sluice_range range;
	char name[SLUICE_SEGMENT_NAME_MAX];
	u32 refused = 0, n;
	bool hit = true;
	size_t size;
	u8 *bytes;

	/* That of epoch 7's first batches, where the search by halves comes by. */
	assert_int_equal(sluice_log_fetch(log, 27, 1, SLUICE_FETCH_WHOLE_FIRST, &range), 0);
	sluice_segment_name(name, range.segment_base_offset, SLUICE_SUFFIX_LOG);
	sluice_segment_put(range.seg);
	log_close_cleanly(log);
	assert_int_equal(port_file_remove(*state, FILE_NAME), 0);

	port_warn_to(NULL);
	for (n = 1; hit && n < 1000; n++) {
		int ret;

		port_fault_set(n, false);
		ret = open_again(*state, &log);
		hit = port_fault_hit();
		port_fault_set(0, false);
		refused += ret != 0;
		assert_true(ret != -EUCLEAN);
		if (!ret) {
			check_log(log);
			sluice_log_close(log);
		}
	}
	assert_true(refused > 10 && !hit);

	bytes = file_load(*state, name, &size);
	memset(bytes, 0xff, size);
	assert_int_equal(port_file_remove(*state, name), 0);
	file_store(*state, name, bytes, size);
	free(bytes);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(open_again(*state, &log), 0);
		assert_int_equal(sluice_log_leader_epoch(log), 8);
		assert_log_end(log, 8, 8, 54);
		assert_log_end(log, 9, -1, -1);
		sluice_log_close(log);
		if (!i)
			assert_int_equal(port_file_remove(*state, name), 0);
	}
	port_warn_to(stderr);
}

/* Batches older than leader epochs have -1. */
static void sluice_log_open__batches_without_epochs(void **state)
{
	struct sluice_log_config c = small_config();
	struct batch_spec spec = {.records = 3};
	struct sluice_log *log;
	size_t size;
	u8 *bytes = batch_make(&spec, &size);

	file_store(*state, "00000000000000000000.log", bytes, size);
	file_store(*state, "00000000000000000000.index", "", 0);
	file_store(*state, "00000000000000000000.timeindex", "", 0);
	free(bytes);
	log = log_open(*state, &c);
	assert_log_end(log, 0, -1, -1);
	append_in_epoch(log, 4, 1);
	assert_log_end(log, 0, 0, 3);
	assert_log_end(log, 4, 4, 6);
	sluice_log_close(log);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, epochs_setup, epochs_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(leader_epochs__assign),
		TEST(leader_epochs__end),
		TEST(leader_epochs__truncate_end),
		TEST(leader_epochs__truncate_start),
		TEST(leader_epochs_parse__good),
		TEST(leader_epochs_parse__malformed),
		TEST(leader_epochs_save__replaces),
		TEST(leader_epochs_save__fails_anywhere),
		TEST(sluice_log_epoch_end__while_open),
		TEST(sluice_log_flush__saves_epochs),
		TEST(sluice_log_open__puts_epochs_right),
		TEST(sluice_log_open__epochs_of_what_a_crash_left),
		TEST(sluice_log_open__damage_hides_epochs),
		TEST(sluice_log_open__batches_without_epochs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
