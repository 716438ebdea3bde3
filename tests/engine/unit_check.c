// SPDX-License-Identifier: Apache-2.0
#include "three_segments.h"
#include "check.h"

#include <stdlib.h>

static char findings[8192];

/*
 * Segments 0, 21 and 42 of seven, seven and three batches. Each but the last
 * has entries for its third, fifth and seventh batch: at 284, 568 and 852, with
 * offsets 8, 14 and 20 and times 2, 4 and 6 (or 9, 11 and 13) more than TIME_0.
 */
static int setup(void **state)
{
	return three_segments(state, TIME_0, false);
}

static void note(void *ctx, const char *file, u64 position, const char *what)
{
	size_t len = strlen(findings);

	(void)ctx;
	snprintf(findings + len, sizeof(findings) - len, "%s %llu %s\n", file, position, what);
}

static struct sluice_check check_flags(struct port_dir *dir, unsigned int flags)
{
	struct sluice_check c = {.dir = dir, .flags = flags, .found = note};
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	u64 digest = dir_digest(dir);

	findings[0] = '\0';
	if (sluice_log_check(&c, err))
		fail_msg("check: %s", err);
	assert_int_equal(dir_digest(dir), digest);
	return c;
}

static void check(struct port_dir *dir, const char *expected)
{
	check_flags(dir, 0);
	assert_string_equal(findings, expected);
}

static void poke(struct port_dir *dir, const char *name, u64 position, const void *bytes,
		 size_t len)
{
	struct port_file *file;

	assert_int_equal(port_file_open(dir, name, 0, &file), 0);
	assert_int_equal(port_file_write(file, position, bytes, len), 0);
	port_file_close(file);
}

static void sluice_log_check__clean(void **state)
{
	struct sluice_check c;

	c = check_flags(*state, 0);
	assert_string_equal(findings, "");
	assert_int_equal(c.segments, 3);
	assert_int_equal(c.batches, 17);
	assert_true(c.bytes_read >= 17 * BATCH_SIZE);
	dir_clear(*state);
	c = check_flags(*state, 0);
	assert_string_equal(findings, "");
	assert_int_equal(c.segments, 0);
}

static void sluice_log_check__wrong_crc_is_stepped_over(void **state)
{
	u8 *bytes;
	size_t len;
	char text[200];
	u32 crc = 0, stored;

	poke(*state, FIRST ".log", BATCH_SIZE + 100, "\xff", 1);
	bytes = file_load(*state, FIRST ".log", &len);
	crc = port_crc32c_table(0, bytes + BATCH_SIZE + 21, BATCH_SIZE - 21);
	stored = get_unaligned_be32(bytes + BATCH_SIZE + 17);
	free(bytes);
	poke(*state, LAST ".log", 2 * BATCH_SIZE - 1, "\xff", 1);
	snprintf(text, sizeof(text),
		 FIRST ".log 142 the CRC of the batch is wrong: %08x, not %08x\n" LAST
		       ".log 142 the CRC",
		 crc, stored);
	assert_int_equal(check_flags(*state, 0).batches, 17);
	assert_memory_equal(findings, text, strlen(text));
}

static void sluice_log_check__broken_header_ends_the_segment(void **state)
{
	poke(*state, FIRST ".log", 2 * BATCH_SIZE + 16, "\1", 1);
	assert_int_equal(check_flags(*state, 0).batches, 12);
	assert_string_equal(findings, FIRST ".log 284 no batch of magic 2 starts here; 710 bytes "
					    "are not readable\n");
}

static void sluice_log_check__order(void **state)
{
	/* The third batch of the first segment gets the offset of the second. */
	poke(*state, FIRST ".log", 2 * BATCH_SIZE + 7, "\3", 1);
	check(*state, FIRST ".log 284 the offset of the batch is below that of the one before; 710 "
			    "bytes are not readable\n");
	/* The last of it one of the next segment's, with which its index does not agree. */
	poke(*state, FIRST ".log", 2 * BATCH_SIZE + 7, "\6", 1);
	poke(*state, FIRST ".log", 6 * BATCH_SIZE + 7, "\x13", 1);
	check(*state, FIRST ".log 852 the batch has offsets of the next segment\n" FIRST
			    ".index 16 the entry has offset 20, the batch at 852 has 21\n");
}

static void sluice_log_check__epochs_do_not_fall(void **state)
{
	poke(*state, FIRST ".log", BATCH_SIZE + 12, "\0\0\0\7", 4);
	poke(*state, SECOND ".log", 12, "\377\377\377\377", 4);
	check_flags(*state, 0);
	assert_memory_equal(
		findings,
		FIRST ".log 284 leader epoch 0 is lower than that of the batch before, 7\n", 86);
	assert_null(strstr(findings, SECOND ".log 0 "));
	assert_non_null(strstr(findings, SECOND ".log 142 "));
}

static void sluice_log_check__offset_index(void **state)
{
	poke(*state, FIRST ".index", 8, "\0\0\0\x0f", 4);
	check(*state, FIRST ".index 8 the entry has offset 15, the batch at 568 has 14\n");
	poke(*state, FIRST ".index", 8, "\0\0\0\x0e\0\0\2\x39", 8);
	check(*state, FIRST ".index 8 the entry is out of order, or no batch begins at 569\n");
	poke(*state, FIRST ".index", 8, "\0\0\0\x08\0\0\1\x1c", 8);
	check(*state, FIRST ".index 8 the entry is out of order, or no batch begins at 284\n");
	poke(*state, FIRST ".index", 8, "\0\0\0\x0e\0\0\2\x38", 8);
	poke(*state, FIRST ".index", 24, "\0\0\0\x20\0\0\3\xe2", 8);
	check(*state, FIRST ".index 24 no batch begins at 994\n");
	poke(*state, FIRST ".index", 32, "x", 1);
	check(*state, FIRST ".index 32 the size of the file, 33, is impossible\n" FIRST
			    ".index 24 no batch begins at 994\n");
	assert_int_equal(port_file_remove(*state, FIRST ".index"), 0);
	check(*state, FIRST ".index 0 the file is missing\n");
}

static void sluice_log_check__time_index(void **state)
{
	/* TIME_0 is 0x18bcfe56800. */
	poke(*state, SECOND ".timeindex", 7, "\x0a", 1);
	check(*state, SECOND ".timeindex 0 the entry has time 1700000000010; up to its offset the "
			     "largest is 1700000000009\n");
	poke(*state, SECOND ".timeindex", 7, "\x09", 1);
	poke(*state, SECOND ".timeindex", 12 + 11, "\x02", 1);
	check(*state, SECOND ".timeindex 12 the entry is out of order, or no batch has its offset, "
			     "23\n");
	poke(*state, SECOND ".timeindex", 12 + 11, "\x0e", 1);
	poke(*state, SECOND ".timeindex", 24 + 11, "\x15", 1);
	check(*state, SECOND ".timeindex 24 no batch has the offset of the entry, 42\n");
	assert_int_equal(port_file_remove(*state, SECOND ".timeindex"), 0);
	check(*state, SECOND ".timeindex 0 the file is missing\n");
}

static void sluice_log_check__snapshots(void **state)
{
	size_t len;
	u8 *bytes = file_load(*state, LAST ".snapshot", &len);

	poke(*state, LAST ".snapshot", 2, "\1\2\3\4", 4);
	check(*state, LAST ".snapshot 0 position 2: the CRC is wrong\n");
	file_store(*state, LAST ".snapshot", bytes, len - 1);
	check_flags(*state, 0);
	assert_non_null(strstr(findings, LAST ".snapshot 0 "));
	free(bytes);
}

/* AbortedTxn.java: version, producer, first and last offset, last stable offset. */
static void sluice_log_check__txn_index(void **state)
{
	u8 txns[3 * 34] = {
		[17] = 22,	[25] = 24,	[33] = 25,	/* 22 to 24 */
		[34 + 17] = 25, [34 + 25] = 30, [34 + 33] = 31, /* 25 to 30 */
	};

	file_store(*state, SECOND ".txnindex", txns, 2 * 34);
	check(*state, "");
	file_store(*state, FIRST ".txnindex", txns, 2 * 34);
	check(*state, FIRST ".txnindex 0 the entry is out of order, or of another segment\n" FIRST
			    ".txnindex 34 the entry is out of order, or of another segment\n");
	assert_int_equal(port_file_remove(*state, FIRST ".txnindex"), 0);
	file_store(*state, SECOND ".txnindex", txns, 3 * 34 - 1);
	check(*state, SECOND ".txnindex 68 the file ends inside an entry\n");
	txns[34 + 25] = 24;
	txns[1] = 1;
	file_store(*state, SECOND ".txnindex", txns, 2 * 34);
	check(*state, SECOND ".txnindex 0 the version of the entry is unknown\n" SECOND
			     ".txnindex 34 the transaction ends before it begins\n");
}

static void sluice_log_check__orphans(void **state)
{
	file_store(*state, "00000000000000000007.index", "", 0);
	file_store(*state, "00000000000000000099.timeindex", "", 0);
	check(*state, "00000000000000000007.index 0 there is no segment that this file belongs "
		      "to\n00000000000000000099.timeindex 0 there is no segment that this file "
		      "belongs to\n");
}

static void sluice_log_check__tells_the_first_of_many(void **state)
{
	static const u8 entries[8 * 100];
	const char *last;

	poke(*state, FIRST ".index", 24, entries, sizeof(entries));
	check_flags(*state, 0);
	last = strstr(findings, "more findings");
	assert_non_null(last);
	assert_string_equal(last - 3, "84 more findings in this file\n");
}

/* An append may stand between its write and its publication. */
static void sluice_log_check__in_use_leaves_out_the_last(void **state)
{
	poke(*state, LAST ".log", 3 * BATCH_SIZE, "torn", 4);
	file_store(*state, "00000000000000000051.index", "", 0);
	assert_int_equal(check_flags(*state, SLUICE_CHECK_IN_USE).batches, 14);
	assert_string_equal(findings, "");
	check_flags(*state, 0);
	assert_non_null(strstr(findings, LAST ".log 426 "));
}

static void sluice_log_check__any_port_call_may_fail(void **state)
{
	struct sluice_check c = {.dir = *state, .found = note};
	char err[SLUICE_ERROR_TEXT_MAX];
	u32 n = 0;
	int ret;

	do {
		findings[0] = '\0';
		port_fault_set(++n, false);
		ret = sluice_log_check(&c, err);
		if (port_fault_hit())
			assert_int_not_equal(ret, 0);
		assert_string_equal(findings, "");
	} while (port_fault_hit());
	assert_int_equal(ret, 0);
	assert_true(n > 20);
	port_fault_set(0, false);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sluice_log_check__clean),
		TEST(sluice_log_check__wrong_crc_is_stepped_over),
		TEST(sluice_log_check__broken_header_ends_the_segment),
		TEST(sluice_log_check__order),
		TEST(sluice_log_check__epochs_do_not_fall),
		TEST(sluice_log_check__offset_index),
		TEST(sluice_log_check__time_index),
		TEST(sluice_log_check__snapshots),
		TEST(sluice_log_check__txn_index),
		TEST(sluice_log_check__orphans),
		TEST(sluice_log_check__tells_the_first_of_many),
		TEST(sluice_log_check__in_use_leaves_out_the_last),
		TEST(sluice_log_check__any_port_call_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
