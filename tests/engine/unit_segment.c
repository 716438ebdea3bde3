// SPDX-License-Identifier: Apache-2.0
/* Segments, their names, and opening a log made of them. */
#include "engine_test.h"
#include "segment.h"
#include "segment_name.h"

#include <stdlib.h>

static void sluice_segment_name__round_trip(void **state)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	s64 offset;

	(void)state;
	sluice_segment_name(name, 0, ".log");
	assert_string_equal(name, "00000000000000000000.log");
	sluice_segment_name(name, 4711, ".timeindex");
	assert_string_equal(name, "00000000000000004711.timeindex");
	assert_true(sluice_segment_name_parse(name, strlen(name), ".timeindex", &offset));
	assert_int_equal(offset, 4711);
	assert_false(sluice_segment_name_parse(name, strlen(name), ".index", &offset));
}

static void check_foreign(const char *name)
{
	s64 offset;

	assert_false(sluice_segment_name_parse(name, strlen(name), ".log", &offset));
}

static void sluice_segment_name_parse__foreign(void **state)
{
	s64 offset;

	(void)state;
	check_foreign("");
	check_foreign(".log");
	check_foreign("0000000000000000000.log");
	check_foreign("000000000000000000000.log");
	check_foreign("0000000000000000000x.log");
	check_foreign("-0000000000000000001.log");
	check_foreign("00000000000000000000.log.deleted");
	check_foreign("00000000000000000000.lo");
	check_foreign("00000000000000000000xlog");
	check_foreign("99999999999999999999.log");
	check_foreign("09223372036854775807.log");
	assert_true(sluice_segment_name_parse("09223372036854775806.log", 24, ".log", &offset));
	assert_true(offset == S64_MAX - 1);
}

static void sluice_segment_list_dir__sorted(void **state)
{
	char name[SLUICE_SEGMENT_NAME_MAX];
	s64 *offsets;
	u32 count;

	assert_int_equal(sluice_segment_list_dir(*state, ".log", &offsets, &count), 0);
	assert_int_equal(count, 0);
	assert_null(offsets);
	for (u32 i = 0; i < 200; i++) {
		sluice_segment_name(name, (i * 7919) % 200 * 1000LL, ".log");
		file_store(*state, name, "", 0);
	}
	file_store(*state, "leader-epoch-checkpoint", "", 0);
	assert_int_equal(sluice_segment_list_dir(*state, ".log", &offsets, &count), 0);
	assert_int_equal(count, 200);
	for (u32 i = 0; i < 200; i++)
		assert_int_equal(offsets[i], i * 1000);
	port_free(offsets);
}

static void sluice_segment_create__reuses_what_a_failure_left(void **state)
{
	struct sluice_segment *seg;

	file_store(*state, "00000000000000000007.index", "12345678", 8);
	file_store(*state, "00000000000000000007.timeindex", "123456789012", 12);
	file_store(*state, "00000000000000000007.log", "", 0);
	assert_int_equal(sluice_segment_create(*state, 7, &seg), 0);
	assert_int_equal(file_size(*state, "00000000000000000007.index"), 0);
	assert_int_equal(file_size(*state, "00000000000000000007.timeindex"), 0);
	sluice_segment_put(seg);

	file_store(*state, "00000000000000000007.log", "x", 1);
	assert_int_equal(sluice_segment_create(*state, 7, &seg), -EEXIST);
	assert_int_equal(file_size(*state, "00000000000000000007.log"), 1);
}

static void check_refused(struct port_dir *dir, const char *expected)
{
	struct sluice_log_config c = small_config();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_log *log;
	u64 before = dir_digest(dir);

	assert_int_equal(sluice_log_open(dir, &c, &(struct sluice_log_open_args){0}, err, &log),
			 -EUCLEAN);
	assert_string_equal(err, expected);
	assert_int_equal(dir_digest(dir), before);
}

static void sluice_log_open__empty_directory(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);

	assert_int_equal(sluice_log_start_offset(log), 0);
	assert_int_equal(sluice_log_end_offset(log), 0);
	assert_int_equal(sluice_log_high_watermark(log), 0);
	assert_int_equal(sluice_log_segment_count(log), 1);
	assert_int_equal(sluice_log_size_bytes(log), 0);
	assert_int_equal(sluice_log_failed(log), 0);
	sluice_log_close(log);
	assert_int_equal(dir_file_count(*state), 3);
	assert_int_equal(file_size(*state, "00000000000000000000.log"), 0);
	assert_int_equal(file_size(*state, "00000000000000000000.index"), 0);
	assert_int_equal(file_size(*state, "00000000000000000000.timeindex"), 0);
}

/* Two segments with some batches each; gives the second one's base offset. */
static s64 two_segments(struct port_dir *dir)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(dir, &c);
	s64 base = 0;

	while (sluice_log_segment_count(log) < 2)
		base = append_spec(log, (struct batch_spec){.records = 3, .value_len = 20});
	for (int i = 0; i < 4; i++)
		append_spec(log, (struct batch_spec){.records = 3, .value_len = 20});
	log_close_cleanly(log);
	return base;
}

static void sluice_log_open__again(void **state)
{
	struct sluice_log_config c = small_config();
	s64 base = two_segments(*state);
	u64 before = dir_digest(*state);
	struct sluice_log *log = log_open(*state, &c);

	assert_int_equal(base, 21);
	assert_int_equal(sluice_log_end_offset(log), base + 15);
	assert_int_equal(sluice_log_segment_count(log), 2);
	assert_int_equal(sluice_log_size_bytes(log),
			 file_size(*state, "00000000000000000000.log") +
				 file_size(*state, "00000000000000000021.log"));
	assert_int_equal(sluice_log_recovery_point(log), 0);
	log_check(log);
	assert_int_equal(dir_digest(*state), before);
	assert_int_equal(append_spec(log, (struct batch_spec){.records = 1}), base + 15);
	log_check(log);
	sluice_log_close(log);
}

/* A log that was cut at its start, as retention will do. */
static void sluice_log_open__start_offset(void **state)
{
	struct sluice_log_config c = small_config();
	s64 base = two_segments(*state);
	struct sluice_range range;
	struct sluice_log *log;

	assert_int_equal(port_file_remove(*state, "00000000000000000000.log"), 0);
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_start_offset(log), base);
	assert_int_equal(sluice_log_fetch(log, base - 1, 100, 0, &range), -ERANGE);
	log_check(log);
	sluice_log_close(log);
}

static void sluice_log_open__missing_files(void **state)
{
	two_segments(*state);
	assert_int_equal(port_file_remove(*state, "00000000000000000021.timeindex"), 0);
	check_refused(*state, "00000000000000000021.timeindex: the file is missing");
	assert_int_equal(port_file_remove(*state, "00000000000000000000.index"), 0);
	check_refused(*state, "00000000000000000000.index: the file is missing");
}

static char warning[512];

/* What a clean stop left nobody has looked at. */
static void check_not_clean(struct port_dir *dir, const char *expected)
{
	const struct sluice_log_open_args args = {.recovery_point = S64_MAX};
	struct sluice_log_config c = small_config();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_log *log;

	assert_int_equal(sluice_log_open(dir, &c, &args, err, &log), -EUCLEAN);
	assert_non_null(strstr(err, expected));
}

/* What was recovered was: a sealed segment is looked at again when it is needed. */
static void check_unreadable(struct port_dir *dir, const char *expected)
{
	struct sluice_log_config c = small_config();
	struct sluice_log_open_args args = {.recovery_point = 1000};
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_log *log;
	struct sluice_range range;
	s64 offset, time;
	FILE *stream = fmemopen(warning, sizeof(warning), "w");

	assert_int_equal(sluice_log_open(dir, &c, &args, err, &log), 0);
	port_warn_to(stream);
	assert_int_equal(sluice_log_fetch(log, 0, 100, 0, &range), -EIO);
	port_warn_to(NULL);
	assert_int_equal(sluice_log_offset_for_time(log, 0, &offset, &time), -EIO);
	port_warn_to(stderr);
	fclose(stream);
	assert_non_null(strstr(warning, expected));
	check_not_clean(dir, expected);
	/* What is not broken can still be read. */
	assert_int_equal(sluice_log_fetch(log, 21, 100, 0, &range), 0);
	sluice_segment_put(range.seg);
	sluice_log_close(log);
}

static void sluice_log_open__broken_indexes(void **state)
{
	size_t len;
	u8 *bytes;

	two_segments(*state);
	bytes = file_load(*state, "00000000000000000000.index", &len);
	assert_true(len >= 16);
	/* The last entry says an offset of the next segment. */
	put_unaligned_be32(21, bytes + len - 8);
	file_store(*state, "00000000000000000000.index", bytes, len);
	check_unreadable(*state, "00000000000000000000.index: "
				 "the last entry is behind the end of the segment");
	file_store(*state, "00000000000000000000.index", bytes, len - 3);
	check_unreadable(*state, "00000000000000000000.index: the size of the file is impossible");
	file_store(*state, "00000000000000000000.index", bytes, 8);
	free(bytes);

	/* In the active segment: one that is not the batch's. */
	bytes = file_load(*state, "00000000000000000021.index", &len);
	put_unaligned_be32(get_unaligned_be32(bytes + len - 8) + 1, bytes + len - 8);
	file_store(*state, "00000000000000000021.index", bytes, len);
	check_refused(*state, "00000000000000000021.log: position 568: "
			      "the batch is not the one of the last index entry");
	put_unaligned_be32(get_unaligned_be32(bytes + len - 8) - 1, bytes + len - 8);
	put_unaligned_be32(get_unaligned_be32(bytes + len - 4) + 1, bytes + len - 4);
	file_store(*state, "00000000000000000021.index", bytes, len);
	check_refused(*state, "00000000000000000021.log: position 569: "
			      "no batch of magic 2 starts here");
	free(bytes);
}

static void check_leftover(struct port_dir *dir, const char *name)
{
	const struct sluice_log_open_args args = {.recovery_point = S64_MAX};
	struct sluice_log_config c = small_config();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_log *log;

	file_store(dir, name, "", 0);
	check_not_clean(dir, name);
	/* Recovery decided to leave it, or nobody asks for more than to read. */
	sluice_log_close(log_open(dir, &c));
	assert_int_equal(port_file_remove(dir, name), 0);
	assert_int_equal(sluice_log_open(dir, &c, &args, err, &log), 0);
	sluice_log_close(log);
}

static void sluice_log_open__clean_but_for_what_recovery_ends(void **state)
{
	static const char *const kinds[] = {".log", ".index", ".timeindex", ".txnindex",
					    ".snapshot"};
	static const char *const states[] = {".cleaned", ".swap", ".cut"};
	const struct sluice_log_open_args args = {.recovery_point = S64_MAX};
	struct sluice_log_config c = small_config();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	char name[SLUICE_SEGMENT_NAME_MAX];
	struct sluice_log *log;

	two_segments(*state);
	for (size_t i = 0; i < 5; i++) {
		for (size_t k = 0; k < 3; k++) {
			snprintf(name, sizeof(name), "00000000000000000021%s%s", kinds[i],
				 states[k]);
			check_leftover(*state, name);
		}
	}
	/* Of a segment that is not there. */
	for (size_t i = 1; i < 4; i++) {
		snprintf(name, sizeof(name), "00000000000000000020%s", kinds[i]);
		check_leftover(*state, name);
		snprintf(name, sizeof(name), "00000000000000000022%s", kinds[i]);
		check_leftover(*state, name);
	}
	/* Nobody's, and what the log removes by itself. */
	file_store(*state, "notes.swap", "", 0);
	file_store(*state, "00000000000000000000.log.swap.old", "", 0);
	file_store(*state, "00000000000000000007.log.deleted", "", 0);
	file_store(*state, "00000000000000000021.txnindex", "", 0);
	assert_int_equal(sluice_log_open(*state, &c, &args, err, &log), 0);
	sluice_log_close(log);
}

static void sluice_log_open__torn_tail(void **state)
{
	size_t len;
	u8 *bytes;

	two_segments(*state);
	bytes = file_load(*state, "00000000000000000021.log", &len);
	assert_int_equal(len, 710);
	file_store(*state, "00000000000000000021.log", bytes, len - 1);
	check_refused(*state, "00000000000000000021.log: position 568: "
			      "the batch is longer than the file");
	file_store(*state, "00000000000000000021.log", bytes, len - 100);
	check_refused(*state, "00000000000000000021.log: position 568: "
			      "the file ends inside the header of a batch");
	/* An offset that was there before. */
	put_unaligned_be64(20, bytes + 568);
	put_unaligned_be32(2, bytes + 568 + 23);
	file_store(*state, "00000000000000000021.log", bytes, len);
	file_store(*state, "00000000000000000021.index", "", 0);
	check_refused(*state, "00000000000000000021.log: position 568: "
			      "the offset of the batch is below that of the one before");
	free(bytes);
}

/* Compaction leaves gaps; they are no damage. */
static void sluice_log_open__gaps(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_range range;
	struct sluice_log *log;
	size_t len;
	u8 *bytes;

	two_segments(*state);
	bytes = file_load(*state, "00000000000000000021.log", &len);
	put_unaligned_be64(100, bytes + 568);
	file_store(*state, "00000000000000000021.log", bytes, len);
	file_store(*state, "00000000000000000021.index", "", 0);
	free(bytes);
	log = log_open(*state, &c);
	assert_int_equal(sluice_log_end_offset(log), 103);
	assert_int_equal(sluice_log_fetch(log, 50, 1000, 0, &range), 0);
	assert_int_equal(range.base_offset, 100);
	assert_int_equal(range.position, 568);
	sluice_segment_put(range.seg);
	sluice_log_close(log);
}

static void sluice_segment_put__after_the_log_is_closed(void **state)
{
	struct sluice_log_config c = small_config();
	struct sluice_log *log = log_open(*state, &c);
	struct sluice_range range;
	struct sluice_batch b;

	append_spec(log, (struct batch_spec){.records = 2});
	assert_int_equal(sluice_log_fetch(log, 0, 1000, 0, &range), 0);
	sluice_log_close(log);
	assert_int_equal(sluice_log_read_batch(range.file, 0, range.bytes, &b), 0);
	assert_int_equal(b.record_count, 2);
	sluice_segment_put(range.seg);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sluice_segment_name__round_trip),
		cmocka_unit_test(sluice_segment_name_parse__foreign),
		TEST(sluice_segment_list_dir__sorted),
		TEST(sluice_segment_create__reuses_what_a_failure_left),
		TEST(sluice_log_open__empty_directory),
		TEST(sluice_log_open__again),
		TEST(sluice_log_open__start_offset),
		TEST(sluice_log_open__missing_files),
		TEST(sluice_log_open__broken_indexes),
		TEST(sluice_log_open__clean_but_for_what_recovery_ends),
		TEST(sluice_log_open__torn_tail),
		TEST(sluice_log_open__gaps),
		TEST(sluice_segment_put__after_the_log_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
