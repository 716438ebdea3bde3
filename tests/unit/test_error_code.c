// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/kafka/error_code.h"

static void find__has_every_code_of_the_protocol(void **state)
{
	(void)state;
	for (int16_t code = -1; code <= 136; code++) {
		const struct kafka_error *e = kafka_error_find(code);

		assert_int_equal(e->code, code);
		assert_in_range(strlen(e->name), 4, 60);
		assert_in_range(strlen(e->text), 8, 100);
		for (int16_t other = -1; other < code; other++)
			assert_string_not_equal(e->name, kafka_error_find(other)->name);
	}
}

/* Names, numbers and flags as Errors.java of kafka-clients 4.3.1 has them. */
static void find__knows_the_codes_that_clients_act_on(void **state)
{
	static const struct kafka_error known[] = {
		{-1, "UNKNOWN_SERVER_ERROR", false, ""},
		{1, "OFFSET_OUT_OF_RANGE", false, ""},
		{2, "CORRUPT_MESSAGE", true, ""},
		{3, "UNKNOWN_TOPIC_OR_PARTITION", true, ""},
		{6, "NOT_LEADER_OR_FOLLOWER", true, ""},
		{10, "MESSAGE_TOO_LARGE", false, ""},
		{17, "INVALID_TOPIC_EXCEPTION", false, ""},
		{35, "UNSUPPORTED_VERSION", false, ""},
		{36, "TOPIC_ALREADY_EXISTS", false, ""},
		{42, "INVALID_REQUEST", false, ""},
		{45, "OUT_OF_ORDER_SEQUENCE_NUMBER", false, ""},
		{56, "KAFKA_STORAGE_ERROR", true, ""},
		{70, "FETCH_SESSION_ID_NOT_FOUND", true, ""},
		{74, "FENCED_LEADER_EPOCH", true, ""},
		{87, "INVALID_RECORD", false, ""},
		{99, "POSITION_OUT_OF_RANGE", false, ""},
		{100, "UNKNOWN_TOPIC_ID", true, ""},
		{120, "TRANSACTION_ABORTABLE", false, ""},
		{133, "SHARE_SESSION_LIMIT_REACHED", true, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct kafka_error *e = kafka_error_find(known[i].code);

		assert_string_equal(e->name, known[i].name);
		assert_int_equal(e->retriable, known[i].retriable);
	}
	assert_int_equal(KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, 3);
	assert_int_equal(KAFKA_ERROR_NONE, 0);
}

static void find__takes_an_unknown_code_for_a_server_error(void **state)
{
	static const int16_t unknown[] = {INT16_MIN, -2, 137, INT16_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_string_equal(kafka_error_name(unknown[i]), "UNKNOWN_SERVER_ERROR");
}

/* The table at the end of uapi/linux/sluice.h. */
static void from_errno__follows_the_uapi(void **state)
{
	static const struct {
		int err;
		int16_t code;
	} table[] = {
		{0, 0},		{EBADMSG, 2},	{EINVAL, 87}, {EMSGSIZE, 10}, {ENOENT, 3},
		{EILSEQ, 45},	{ESTALE, 47},	{ENOSPC, 56}, {EDQUOT, 56},   {EIO, 56},
		{EROFS, 56},	{EACCES, 29},	{ERANGE, 1},  {EEXIST, 36},   {ENOBUFS, -1},
		{ENOTCONN, -1}, {ECANCELED, 6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(kafka_error_from_errno(table[i].err), table[i].code);
		assert_int_equal(kafka_error_from_errno(-table[i].err), table[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find__has_every_code_of_the_protocol),
		cmocka_unit_test(find__knows_the_codes_that_clients_act_on),
		cmocka_unit_test(find__takes_an_unknown_code_for_a_server_error),
		cmocka_unit_test(from_errno__follows_the_uapi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
