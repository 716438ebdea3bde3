// SPDX-License-Identifier: Apache-2.0
/* What sluice-dump-log prints. */
#include "engine_test.h"
#include "golden.h"
#include "tools/dump-log/dump.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Dumps @name in the directory, or the directory itself; the output is malloc'ed. */
static char *dump(struct port_dir *dir, const char *name, bool records, int expected_status)
{
	char path[256], *text;
	int saved = dup(STDOUT_FILENO);
	FILE *out = tmpfile();
	long len;

	snprintf(path, sizeof(path), "%s%s%s", port_dir_name(dir), name ? "/" : "",
		 name ? name : "");
	fflush(stdout);
	dup2(fileno(out), STDOUT_FILENO);
	assert_int_equal(dump_path(path, records), expected_status);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	fseek(out, 0, SEEK_END);
	len = ftell(out);
	rewind(out);
	text = calloc(1, (size_t)len + 1);
	assert_int_equal(fread(text, 1, (size_t)len, out), len);
	fclose(out);
	return text;
}

static void check_dump(struct port_dir *dir, const char *name, bool records, int status,
		       const char *expected)
{
	char *text = dump(dir, name, records, status);
	const char *newline = strchr(text, '\n');

	/* The first line is the path, which is another each time. */
	assert_non_null(newline);
	assert_string_equal(newline + 1, expected);
	free(text);
}

static void dump_path__golden(void **state)
{
	u8 bytes[sizeof(golden_headers) + sizeof(golden_idempotent) + sizeof(golden_gzip)];
	u8 *p = bytes;

	memcpy(p, golden_headers, sizeof(golden_headers));
	p += sizeof(golden_headers);
	memcpy(p, golden_idempotent, sizeof(golden_idempotent));
	sluice_batch_stamp(p, 1, 7);
	p += sizeof(golden_idempotent);
	memcpy(p, golden_gzip, sizeof(golden_gzip));
	sluice_batch_stamp(p, 3, 7);
	file_store(*state, "00000000000000000000.log", bytes, sizeof(bytes));

	check_dump(*state, "00000000000000000000.log", false, 0,
		   "offsets 0-0 position 0 size 86 records 1 times 1700000000000-1700000000000 "
		   "epoch 0 compression none crc dd717dbc valid\n"
		   "offsets 1-2 position 86 size 77 records 2 times 1700000000000-1700000000000 "
		   "epoch 7 compression none crc b5665075 valid producer 4711 epoch 3 "
		   "sequence 2147483647\n"
		   "offsets 3-4 position 163 size 101 records 2 times 1700000000000-1700000000009 "
		   "epoch 7 compression gzip crc 3d750557 valid\n");
	check_dump(*state, NULL, true, 0,
		   "offsets 0-0 position 0 size 86 records 1 times 1700000000000-1700000000000 "
		   "epoch 0 compression none crc dd717dbc valid\n"
		   "  offset 0 time 1700000000000 key \"\" value \"v\" header \"trace\" = "
		   "\"\\x01\\x02\" header \"null\" = null header \"\" = \"\"\n"
		   "offsets 1-2 position 86 size 77 records 2 times 1700000000000-1700000000000 "
		   "epoch 7 compression none crc b5665075 valid producer 4711 epoch 3 "
		   "sequence 2147483647\n"
		   "  offset 1 time 1700000000000 key null value \"x\"\n"
		   "  offset 2 time 1700000000000 key null value \"y\"\n"
		   "offsets 3-4 position 163 size 101 records 2 times 1700000000000-1700000000009 "
		   "epoch 7 compression gzip crc 3d750557 valid\n");
}

static void dump_path__broken(void **state)
{
	u8 bytes[sizeof(golden_one) + 70];

	memcpy(bytes, golden_one, sizeof(golden_one));
	memcpy(bytes + sizeof(golden_one), golden_three, 70);
	sluice_batch_stamp(bytes + sizeof(golden_one), 1, 0);
	file_store(*state, "00000000000000000000.log", bytes, sizeof(bytes));
	check_dump(*state, NULL, false, 1,
		   "offsets 0-0 position 0 size 76 records 1 times 1700000000000-1700000000000 "
		   "epoch 0 compression none crc db5e9cdd valid\n"
		   "BROKEN at position 76 of 146: the batch is longer than the file\n");

	bytes[75] = 1;
	file_store(*state, "00000000000000000000.log", bytes, sizeof(golden_one));
	check_dump(*state, NULL, true, 1,
		   "offsets 0-0 position 0 size 76 records 1 times 1700000000000-1700000000000 "
		   "epoch 0 compression none crc db5e9cdd INVALID\n");

	/* A CRC says that it is what was sent, not that it makes sense. */
	batch_seal(bytes, sizeof(golden_one));
	file_store(*state, "00000000000000000000.log", bytes, sizeof(golden_one));
	check_dump(*state, NULL, true, 1,
		   "offsets 0-0 position 0 size 76 records 1 times 1700000000000-1700000000000 "
		   "epoch 0 compression none crc 29351fde valid\n"
		   "  BROKEN record at position 61\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dump_path__golden),
		TEST(dump_path__broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
