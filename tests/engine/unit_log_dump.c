// SPDX-License-Identifier: Apache-2.0
/* What sluicectl log dump prints. */
#include "engine_test.h"
#include "golden.h"
#include "tools/sluicectl/log_dump.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Dumps @name in the directory, or the directory itself; the output is malloc'ed. */
static char *dump(struct port_dir *dir, const char *name, bool records, int expected_status)
{
	struct log_dump d = {.records = records};
	char path[256], *text;
	int saved = dup(STDOUT_FILENO);
	FILE *out = tmpfile();
	long len;

	snprintf(path, sizeof(path), "%s%s%s", port_dir_name(dir), name ? "/" : "",
		 name ? name : "");
	fflush(stdout);
	dup2(fileno(out), STDOUT_FILENO);
	assert_int_equal(log_dump_path(&d, path), expected_status);
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

/* The same without what is before @expected. */
static void check_dump_end(struct port_dir *dir, const char *name, int status, const char *expected)
{
	char *text = dump(dir, name, false, status);

	assert_true(strlen(text) > strlen(expected));
	assert_string_equal(text + strlen(text) - strlen(expected), expected);
	free(text);
}

#define GOLDEN_HEADERS                                                                   \
	"base_offset: 0 last_offset: 0 position: 0 size: 86 records: 1 timestamp_type: " \
	"\"CreateTime\" base_timestamp: 1700000000000 max_timestamp: 1700000000000 "     \
	"compression: \"none\" leader_epoch: 0 producer_id: -1 producer_epoch: -1 "      \
	"base_sequence: -1 transactional: false control: false delete_horizon: false "   \
	"crc: \"dd717dbc\" crc_valid: true\n"
#define GOLDEN_IDEMPOTENT                                                                 \
	"base_offset: 1 last_offset: 2 position: 86 size: 77 records: 2 timestamp_type: " \
	"\"CreateTime\" base_timestamp: 1700000000000 max_timestamp: 1700000000000 "      \
	"compression: \"none\" leader_epoch: 7 producer_id: 4711 producer_epoch: 3 "      \
	"base_sequence: 2147483647 transactional: false control: false "                  \
	"delete_horizon: false crc: \"b5665075\" crc_valid: true\n"
#define GOLDEN_GZIP                                                                    \
	"base_offset: 3 last_offset: 4 position: 163 size: 101 records: 2 "            \
	"timestamp_type: \"CreateTime\" base_timestamp: 1700000000000 max_timestamp: " \
	"1700000000009 compression: \"gzip\" leader_epoch: 7 producer_id: -1 "         \
	"producer_epoch: -1 base_sequence: -1 transactional: false control: false "    \
	"delete_horizon: false crc: \"3d750557\" crc_valid: true\n"
#define GOLDEN_ONE(crc, valid)                                                           \
	"base_offset: 0 last_offset: 0 position: 0 size: 76 records: 1 timestamp_type: " \
	"\"CreateTime\" base_timestamp: 1700000000000 max_timestamp: 1700000000000 "     \
	"compression: \"none\" leader_epoch: 0 producer_id: -1 producer_epoch: -1 "      \
	"base_sequence: -1 transactional: false control: false delete_horizon: false "   \
	"crc: \"" crc "\" crc_valid: " valid "\n"

static void log_dump_path__golden(void **state)
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
		   GOLDEN_HEADERS GOLDEN_IDEMPOTENT GOLDEN_GZIP);
	check_dump(
		*state, NULL, true, 0,
		GOLDEN_HEADERS
		"  offset: 0 timestamp: 1700000000000 key: \"\" value: \"v\" headers: "
		"[[\"trace\", \"\\u0001\\u0002\"], [\"null\", null], [\"\", \"\"]]\n" GOLDEN_IDEMPOTENT
		"  offset: 1 timestamp: 1700000000000 key: null value: \"x\" headers: []\n"
		"  offset: 2 timestamp: 1700000000000 key: null value: \"y\" headers: "
		"[]\n" GOLDEN_GZIP);
}

static void log_dump_path__broken(void **state)
{
	u8 bytes[sizeof(golden_one) + 70];

	memcpy(bytes, golden_one, sizeof(golden_one));
	memcpy(bytes + sizeof(golden_one), golden_three, 70);
	sluice_batch_stamp(bytes + sizeof(golden_one), 1, 0);
	file_store(*state, "00000000000000000000.log", bytes, sizeof(bytes));
	check_dump(
		*state, NULL, false, 1,
		GOLDEN_ONE("db5e9cdd",
			   "true") "broken: \"the batch is longer than the file\" position: 76\n");

	bytes[75] = 1;
	file_store(*state, "00000000000000000000.log", bytes, sizeof(golden_one));
	check_dump(*state, NULL, true, 1, GOLDEN_ONE("db5e9cdd", "false"));

	/* A CRC says that it is what was sent, not that it makes sense. */
	batch_seal(bytes, sizeof(golden_one));
	file_store(*state, "00000000000000000000.log", bytes, sizeof(golden_one));
	check_dump(*state, NULL, true, 1,
		   GOLDEN_ONE("29351fde",
			      "true") "  broken: \"the record is malformed\" position: 61\n");
}

static void log_dump_path__indexes(void **state)
{
	file_store(*state, "00000000000000000100.index", "\0\0\0\x05\0\0\1\0\0\0\0\x07\0\0\2\0",
		   16);
	check_dump(*state, "00000000000000000100.index", false, 0,
		   "offset: 105 position: 256\noffset: 107 position: 512\n");
	file_store(*state, "00000000000000000100.index", "\0\0\0\x05\0\0\1\0\0\0", 10);
	check_dump(*state, "00000000000000000100.index", false, 1,
		   "offset: 105 position: 256\n"
		   "broken: \"the file ends inside an entry\" position: 8\n");
	file_store(*state, "00000000000000000100.timeindex", "\0\0\0\0\0\0\1\1\0\0\0\x05", 12);
	check_dump(*state, "00000000000000000100.timeindex", false, 0,
		   "timestamp: 257 offset: 105\n");
}

static void log_dump_path__producers(void **state)
{
	/* ProducerSnapshot.json, AbortedTxn.java. */
	u8 snapshot[10 + 46] = {
		[1] = 1,   [9] = 1,				      /* version, count */
		[17] = 7,  [19] = 2,	[23] = 5, [31] = 9, [35] = 1, /* to offset delta */
		[43] = 77, [44] = 0xff, 0xff,	  0xff,	    0xff,     /* coordinator epoch */
		[55] = 8,
	};
	u8 txn[34] = {[9] = 7, [17] = 3, [25] = 9, [33] = 4};

	put_unaligned_be32(port_crc32c_table(0, snapshot + 6, sizeof(snapshot) - 6), snapshot + 2);
	file_store(*state, "00000000000000000010.snapshot", snapshot, sizeof(snapshot));
	file_store(*state, "00000000000000000000.txnindex", txn, sizeof(txn));
	check_dump(*state, "00000000000000000000.txnindex", false, 0,
		   "version: 0 producer_id: 7 first_offset: 3 last_offset: 9 "
		   "last_stable_offset: 4\n");
	file_store(*state, "00000000000000000000.txnindex", txn, 33);
	check_dump(*state, "00000000000000000000.txnindex", false, 1,
		   "broken: \"the file ends inside an entry\" position: 0\n");
	check_dump_end(*state, "00000000000000000010.snapshot", 0,
		       " crc_valid: true producers: 1\n"
		       "producer_id: 7 producer_epoch: 2 last_sequence: 5 last_offset: 9 "
		       "offset_delta: 1 timestamp: 77 coordinator_epoch: -1 "
		       "txn_first_offset: 8\n");
	snapshot[50] = 1;
	file_store(*state, "00000000000000000010.snapshot", snapshot, sizeof(snapshot) - 1);
	check_dump_end(*state, "00000000000000000010.snapshot", 1,
		       " crc_valid: false producers: 1\n"
		       "broken: \"the file ends inside an entry\" position: 10\n");
}

static void log_dump_path__text(void **state)
{
	static const char points[] = "0\n2\na 0 5\na 1 6\n";
	static const char epochs[] = "0\n2\n0 0\n3 17\n";

	file_store(*state, "recovery-point-offset-checkpoint", points, sizeof(points) - 1);
	check_dump(*state, "recovery-point-offset-checkpoint", false, 0,
		   "topic: \"a\" partition: 0 offset: 5\ntopic: \"a\" partition: 1 offset: 6\n");
	file_store(*state, "recovery-point-offset-checkpoint", points, sizeof(points) - 3);
	check_dump(*state, "recovery-point-offset-checkpoint", false, 1,
		   "broken: \"line 4 is malformed\" position: 0\n");
	file_store(*state, "leader-epoch-checkpoint", epochs, sizeof(epochs) - 1);
	check_dump(*state, "leader-epoch-checkpoint", false, 0,
		   "epoch: 0 start_offset: 0\nepoch: 3 start_offset: 17\n");
	file_store(*state, "partition.metadata", "version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw\n",
		   44);
	check_dump(*state, "partition.metadata", false, 0,
		   "topic_id: \"AAECAwQFBgcICQoLDA0ODw\"\n");
	file_store(*state, "something", "", 0);
	check_dump(*state, "something", false, 2, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(log_dump_path__golden),  TEST(log_dump_path__broken),
		TEST(log_dump_path__indexes), TEST(log_dump_path__producers),
		TEST(log_dump_path__text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
