// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/log/topic_settings.h"
#include "tests/unit/temp_dir.h"

#define HEAD "sluice.topic=orders\nsluice.topic.id=AAECAwQFBgcICQoLDA0ODw\n"

static int parse(const char *text)
{
	struct log_dir_error err = {.text = ""};
	struct topic_settings s;
	int result = topic_settings_parse(text, strlen(text), &s, &err);

	if (!result)
		topic_settings_free(&s);
	else
		assert_true(strlen(err.text) > 5);
	return result;
}

static void parse__reads_settings(void **state)
{
	static const char text[] = "# a comment\n\n" HEAD "sluice.partition.count=100000\n"
				   "retention.ms=-1\nfrom.the.future=a=b \n";
	struct log_dir_error err;
	struct topic_settings s;

	(void)state;
	assert_int_equal(topic_settings_parse(text, strlen(text), &s, &err), 0);
	assert_string_equal(s.topic, "orders");
	assert_int_equal(s.id[15], 15);
	assert_int_equal(s.partition_count, 100000);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.items[0].key, "retention.ms");
	assert_string_equal(s.items[0].value, "-1");
	assert_string_equal(s.items[1].key, "from.the.future");
	assert_string_equal(s.items[1].value, "a=b ");
	topic_settings_free(&s);
}

static void parse__refuses_what_is_torn_or_hostile(void **state)
{
	(void)state;
	assert_int_equal(parse(""), -EBADMSG);
	assert_int_equal(parse(HEAD), -EBADMSG);
	assert_int_equal(parse(HEAD "sluice.partition.count=0\n"), -EBADMSG);
	assert_int_equal(parse(HEAD "sluice.partition.count=100001\n"), -EBADMSG);
	assert_int_equal(parse(HEAD "sluice.partition.count=-1\n"), -EBADMSG);
	assert_int_equal(parse(HEAD "sluice.partition.count=99999999999999999999\n"), -EBADMSG);
	assert_int_equal(parse(HEAD "sluice.partition.count=1\nnonsense\n"), -EBADMSG);
	assert_int_equal(parse(HEAD "sluice.partition.count=1\n=x\n"), -EBADMSG);
	assert_int_equal(parse("sluice.topic=../x\nsluice.topic.id=AAECAwQFBgcICQoLDA0ODw\n"
			       "sluice.partition.count=1\n"),
			 -EBADMSG);
	assert_int_equal(parse(HEAD "sluice.partition.count=1\n"), 0);
}

static int count_one(void *ctx, struct topic_settings *s)
{
	(void)s;
	++*(int *)ctx;
	return 0;
}

static int count_bad(void *ctx, const char *topic, const struct log_dir_error *why)
{
	assert_string_equal(topic, "liar");
	assert_true(strlen(why->text) > 5);
	*(int *)ctx += 100;
	return 0;
}

static void files__longest_name_fits_and_stays_itself(void **state)
{
	struct topic_settings s = {.partition_count = 1, .id = {1}}, back;
	struct log_dir_error err;
	int fd, seen = 0;

	(void)state;
	temp_dir_make(&fd);
	memset(s.topic, 'x', SLUICE_TOPIC_NAME_MAX);
	assert_int_equal(topic_settings_write(fd, &s, TOPIC_CREATING), 0);
	assert_int_equal(topic_settings_exist(fd, s.topic, TOPIC_EXISTS), 0);
	assert_int_equal(topic_settings_move(fd, s.topic, TOPIC_CREATING, TOPIC_EXISTS), 0);
	assert_int_equal(topic_settings_exist(fd, s.topic, TOPIC_EXISTS), 1);
	assert_int_equal(topic_settings_read(fd, s.topic, TOPIC_EXISTS, &back, &err), 0);
	assert_string_equal(back.topic, s.topic);
	topic_settings_free(&back);
	s.topic[SLUICE_TOPIC_NAME_MAX - 1] = 'y';
	assert_int_equal(topic_settings_read(fd, s.topic, TOPIC_EXISTS, &back, &err), -ENOENT);
	/* A file that tells of another topic than its name. */
	temp_file_write(fd, "liar.properties", HEAD "sluice.partition.count=1\n");
	assert_int_equal(topic_settings_read(fd, "liar", TOPIC_EXISTS, &back, &err), -EBADMSG);
	temp_file_write(fd, "other.txt", "");
	assert_int_equal(topic_settings_each(fd, TOPIC_EXISTS, count_one, count_bad, &seen), 0);
	assert_int_equal(seen, 101);
	temp_dir_remove(fd);
}

static void files__keep_settings(void **state)
{
	struct topic_settings s = {.topic = "orders", .partition_count = 3, .id = {1}}, back;
	struct log_dir_error err;
	int fd;

	(void)state;
	temp_dir_make(&fd);
	assert_int_equal(topic_settings_add(&s, "retention.ms", "5"), 0);
	assert_int_equal(topic_settings_add(&s, "cleanup.policy", ""), 0);
	assert_int_equal(topic_settings_write(fd, &s, TOPIC_EXISTS), 0);
	assert_int_equal(topic_settings_read(fd, "orders", TOPIC_EXISTS, &back, &err), 0);
	assert_int_equal(back.n, 2);
	assert_string_equal(back.items[1].key, "cleanup.policy");
	assert_string_equal(back.items[1].value, "");
	assert_memory_equal(back.id, s.id, 16);
	assert_false(back.adopted);
	topic_settings_free(&back);

	s.adopted = true;
	assert_int_equal(topic_settings_write(fd, &s, TOPIC_EXISTS), 0);
	assert_int_equal(topic_settings_read(fd, "orders", TOPIC_EXISTS, &back, &err), 0);
	assert_true(back.adopted);
	assert_int_equal(back.n, 2);
	topic_settings_free(&back);
	topic_settings_free(&s);
	assert_int_equal(topic_settings_remove(fd, "orders", TOPIC_EXISTS), 0);
	assert_int_equal(topic_settings_remove(fd, "orders", TOPIC_EXISTS), 0);
	temp_dir_remove(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__reads_settings),
		cmocka_unit_test(parse__refuses_what_is_torn_or_hostile),
		cmocka_unit_test(files__longest_name_fits_and_stays_itself),
		cmocka_unit_test(files__keep_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
