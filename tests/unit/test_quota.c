// SPDX-License-Identifier: Apache-2.0
/* Quotas: which one counts, what is used of it, and how they are stored. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/quota/quota_usage.h"

#define WINDOWS	  11
#define WINDOW_MS 1000

/* NULL: not given; "": the default. */
static void set(struct quota_table *t, const char *user, const char *client, double value)
{
	struct quota_name names[QUOTA_KINDS] = {
		{.given = user, .text = user && *user ? (char *)(uintptr_t)user : NULL},
		{.given = client, .text = client && *client ? (char *)(uintptr_t)client : NULL},
	};

	assert_int_equal(
		quota_table_set(t, names, QUOTA_PRODUCER_BYTE_RATE, value > 0 ? &value : NULL), 0);
}

static double found(const struct quota_table *t, const char *user, const char *client)
{
	struct quota_match m;

	if (!quota_table_find(t, kafka_str_from(user), kafka_str_from(client),
			      QUOTA_PRODUCER_BYTE_RATE, &m))
		return 0;
	return m.value;
}

/* The order of Kafka's DefaultQuotaCallback, from the least precise on. */
static void find__the_most_precise(void **state)
{
	struct quota_table *t = quota_table_new();

	(void)state;
	assert_true(found(t, "u", "c") == 0);
	set(t, NULL, "", 1);
	assert_true(found(t, "u", "c") == 1);
	set(t, NULL, "c", 2);
	assert_true(found(t, "u", "c") == 2);
	set(t, "", NULL, 3);
	assert_true(found(t, "u", "c") == 3);
	set(t, "", "", 4);
	assert_true(found(t, "u", "c") == 4);
	set(t, "", "c", 5);
	assert_true(found(t, "u", "c") == 5);
	set(t, "u", NULL, 6);
	assert_true(found(t, "u", "c") == 6);
	set(t, "u", "", 7);
	assert_true(found(t, "u", "c") == 7);
	set(t, "u", "c", 8);
	assert_true(found(t, "u", "c") == 8);
	assert_true(found(t, "u", "other") == 7);
	assert_true(found(t, "other", "c") == 5);
	set(t, "u", "c", 0);
	assert_true(found(t, "u", "c") == 7);
	quota_table_put(t);
}

static void text__is_read_back(void **state)
{
	struct quota_table *t = quota_table_new(), *back;
	const struct quota_entity *e;
	unsigned int line;
	size_t len, n;
	char *text;

	(void)state;
	set(t, "a b%=:\n\xc3\xa4", NULL, 0.1);
	set(t, "", "<default>", 3e300);
	set(t, NULL, "", 1);
	text = quota_table_format(t, &len);
	assert_non_null(text);
	assert_non_null(strstr(text, "\nclient-id:<default> producer_byte_rate=1\n"));
	assert_int_equal(quota_table_parse(text, &back, &line), 0);
	e = quota_table_entities(back, &n);
	assert_int_equal(n, 3);
	assert_string_equal(e[0].names[QUOTA_USER].text, "a b%=:\n\xc3\xa4");
	assert_true(e[0].values[QUOTA_PRODUCER_BYTE_RATE] == 0.1);
	assert_null(e[1].names[QUOTA_USER].text);
	assert_string_equal(e[1].names[QUOTA_CLIENT_ID].text, "<default>");
	assert_true(e[1].values[QUOTA_PRODUCER_BYTE_RATE] == 3e300);
	assert_false(e[2].names[QUOTA_USER].given);
	free(text);
	quota_table_put(t);
	quota_table_put(back);
}

static void text__is_refused(void **state)
{
	static const char *const bad[] = {
		"user:a producer_byte_rate",
		"user:a producer_byte_rate=0",
		"user:a producer_byte_rate=-1",
		"user:a producer_byte_rate=nan",
		"user:a producer_byte_rate=1x",
		"user:a speed=1",
		"producer_byte_rate=1",
		"host:a producer_byte_rate=1",
		"user:a user:b",
		"user:%0",
		"user:%00",
		"user:%zz",
		"user:%",
	};
	struct quota_table *t;
	unsigned int line;
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "# comment\n%s\n", bad[i]);
		if (quota_table_parse(text, &t, &line) != -EUCLEAN || line != 2)
			fail_msg("%s", bad[i]);
	}
}

static int64_t use(struct quota_usage *u, const char *client, double amount, bool if_allowed,
		   int64_t now_ms)
{
	const struct quota_use use = {
		.key = QUOTA_PRODUCER_BYTE_RATE,
		.user = kafka_str_from("u"),
		.client = kafka_str_from(client),
		.match = {.value = 100, .by = 1u << QUOTA_CLIENT_ID},
		.amount = amount,
		.if_allowed = if_allowed,
	};

	return quota_usage_record(u, &use, now_ms);
}

static void usage__waits_for_the_bound(void **state)
{
	struct quota_usage *u = quota_usage_new(WINDOWS, WINDOW_MS);

	(void)state;
	/* Ten full windows count from the start: 1000 bytes are 100 a second. */
	assert_int_equal(use(u, "a", 1000, false, 100000), 0);
	assert_int_equal(use(u, "a", 10, false, 100000), 100);
	/* (1510 / 10.5 s - 100) / 100 of 10.5 s */
	assert_int_equal(use(u, "a", 500, false, 100500), 4600);
	/* Others have their own share. */
	assert_int_equal(use(u, "b", 1000, false, 100500), 0);
	/* It is forgotten window by window. */
	assert_true(use(u, "a", 0, false, 110999) > 0);
	assert_int_equal(use(u, "a", 0, false, 111000), 0);
	quota_usage_free(u);
}

static void usage__what_is_refused_does_not_count(void **state)
{
	struct quota_usage *u = quota_usage_new(WINDOWS, WINDOW_MS);

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(use(u, "a", 2000, true, 100000), 10000);
	assert_int_equal(use(u, "a", 1000, true, 100000), 0);
	assert_int_equal(use(u, "a", 1, true, 100000), 10);
	quota_usage_free(u);
}

static void usage__of_many_clients_is_forgotten(void **state)
{
	struct quota_usage *u = quota_usage_new(WINDOWS, WINDOW_MS);
	char name[16];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(use(u, name, 1000, false, 100000), 0);
	}
	/* All were kept: none was over the time. */
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(use(u, name, 10, false, 100000), 100);
	}
	for (int i = 5000; i < 20000; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(use(u, name, 1000, false, 200000), 0);
	}
	assert_int_equal(use(u, "c1", 1000, false, 200000), 0);
	quota_usage_free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find__the_most_precise),
		cmocka_unit_test(text__is_read_back),
		cmocka_unit_test(text__is_refused),
		cmocka_unit_test(usage__waits_for_the_bound),
		cmocka_unit_test(usage__what_is_refused_does_not_count),
		cmocka_unit_test(usage__of_many_clients_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
