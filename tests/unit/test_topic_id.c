// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "daemon/log/topic_id.h"

/* Pairs from Python: base64.urlsafe_b64encode(...).rstrip(b"="). */
static void format__is_kafkas_base64(void **state)
{
	static const uint8_t rising[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	static const uint8_t ones[16] = {255, 255, 255, 255, 255, 255, 255, 255,
					 255, 255, 255, 255, 255, 255, 255, 255};
	static const uint8_t metadata[16] = {[15] = 1}; /* Kafka's METADATA_TOPIC_ID */
	char text[TOPIC_ID_TEXT_LEN + 1];

	(void)state;
	topic_id_format(rising, text);
	assert_string_equal(text, "AAECAwQFBgcICQoLDA0ODw");
	topic_id_format(ones, text);
	assert_string_equal(text, "_____________________w");
	topic_id_format(metadata, text);
	assert_string_equal(text, "AAAAAAAAAAAAAAAAAAAAAQ");
}

static void parse__takes_what_format_gives(void **state)
{
	char text[TOPIC_ID_TEXT_LEN + 1];
	uint8_t id[16], back[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(topic_id_random(id), 0);
		topic_id_format(id, text);
		assert_int_equal(topic_id_parse(text, back), 0);
		assert_memory_equal(id, back, 16);
		assert_int_equal(id[6] >> 4, 4);
		assert_int_equal(id[8] >> 6, 2);
		assert_int_not_equal(text[0], '-');
	}
}

static void parse__refuses_everything_else(void **state)
{
	uint8_t id[16];

	(void)state;
	assert_int_equal(topic_id_parse("", id), -EINVAL);
	assert_int_equal(topic_id_parse("AAECAwQFBgcICQoLDA0OD", id), -EINVAL);
	assert_int_equal(topic_id_parse("AAECAwQFBgcICQoLDA0ODw=", id), -EINVAL);
	assert_int_equal(topic_id_parse("AAECAwQFBgcICQoLDA0OD+", id), -EINVAL);
	assert_int_equal(topic_id_parse("AAECAwQFBgcICQoLDA0ODx", id), -EINVAL); /* loose bits */
	assert_int_equal(topic_id_parse("AAAAAAAAAAAAAAAAAAAAAA", id), -EINVAL); /* zero */
}

static void name__follows_kafkas_rules(void **state)
{
	char name[300];

	(void)state;
	assert_null(topic_name_why_bad("a"));
	assert_null(topic_name_why_bad("A-z_0.9"));
	assert_null(topic_name_why_bad(".hidden"));
	assert_null(topic_name_why_bad("..."));
	assert_non_null(topic_name_why_bad(""));
	assert_non_null(topic_name_why_bad("."));
	assert_non_null(topic_name_why_bad(".."));
	assert_non_null(topic_name_why_bad("a/b"));
	assert_non_null(topic_name_why_bad("a b"));
	assert_non_null(topic_name_why_bad("a~b"));
	assert_non_null(topic_name_why_bad("\xc3\xa4"));
	memset(name, 'x', sizeof(name));
	name[249] = '\0';
	assert_null(topic_name_why_bad(name));
	name[249] = 'x';
	name[250] = '\0';
	assert_non_null(topic_name_why_bad(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format__is_kafkas_base64),
		cmocka_unit_test(parse__takes_what_format_gives),
		cmocka_unit_test(parse__refuses_everything_else),
		cmocka_unit_test(name__follows_kafkas_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
