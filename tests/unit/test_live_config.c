// SPDX-License-Identifier: Apache-2.0
/* Layers of the broker's settings, their file, and the file that is read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/live_config.h"
#include "daemon/core/diag.h"

static struct config_error err;

static void load(struct config *c, const char *text)
{
	assert_int_equal(config_init(c), 0);
	if (config_parse(c, "f", text, strlen(text), &err) || config_finish(c, &err))
		fail_msg("%s", err.text);
}

static void parse__what_format_wrote(void **state)
{
	const char *text = "# Written by sluice.\n"
			   "broker:log.retention.ms=1\n"
			   "broker:max.connections.per.ip.overrides=[::1]:2\n"
			   "default:log.retention.ms=\n";
	struct dynamic_config d;
	unsigned int line;
	size_t len;
	char *again;

	(void)state;
	assert_int_equal(dynamic_config_parse(text, &d, &line), 0);
	assert_string_equal(
		dynamic_config_get(&d, CONFIG_SCOPE_BROKER, "max.connections.per.ip.overrides"),
		"[::1]:2");
	assert_string_equal(dynamic_config_get(&d, CONFIG_SCOPE_DEFAULT, "log.retention.ms"), "");
	assert_null(dynamic_config_get(&d, CONFIG_SCOPE_DEFAULT, "max.connections"));
	again = dynamic_config_format(&d, &len);
	assert_string_equal(again, text);
	free(again);
	dynamic_config_free(&d);
}

static void parse__refused(void **state)
{
	static const char *const texts[] = {
		"broker:a=1\nbroker:a=2\n", "#\nnobody:a=1", "\nbroker:=1", "\nbroker:a", "\na=1",
	};
	struct dynamic_config d;
	unsigned int line;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(dynamic_config_parse(texts[i], &d, &line), -EUCLEAN);
		assert_int_equal(line, 2);
	}
}

static void layers__one_outlives_its_successor(void **state)
{
	struct dynamic_config d = {0};
	struct config_layers *old, *new;
	struct live_config *live;
	struct config base;

	(void)state;
	load(&base, "max.connections=5\n");
	live = live_config_new(&base);
	old = live_config_get(live);
	assert_int_equal(dynamic_config_set(&d, CONFIG_SCOPE_DEFAULT, "max.connections", "6"), 0);
	assert_int_equal(config_layers_new(&base, &d, true, &new, &err), 0);
	config_free(&base);
	live_config_set(live, new);
	assert_int_equal(old->now.connections_max, 5);
	config_layers_put(old);
	old = live_config_get(live);
	live_config_free(live);
	assert_int_equal(old->now.connections_max, 6);
	assert_int_equal(old->base.connections_max, 5);
	config_layers_put(old);
	dynamic_config_free(&d);
}

static void layers__what_cannot_be_is_left_out(void **state)
{
	struct dynamic_config d = {0};
	struct config_layers *l;
	struct config base;

	(void)state;
	load(&base, "");
	assert_int_equal(dynamic_config_set(&d, CONFIG_SCOPE_BROKER, "max.connections", "many"), 0);
	assert_int_equal(dynamic_config_set(&d, CONFIG_SCOPE_BROKER, "node.id", "9"), 0);
	assert_int_equal(dynamic_config_set(&d, CONFIG_SCOPE_BROKER, "log.retention.ms", "9"), 0);
	assert_int_equal(config_layers_new(&base, &d, true, &l, &err), -EINVAL);
	assert_non_null(strstr(err.text, "max.connections=many"));
	assert_int_equal(config_layers_new(&base, &d, false, &l, &err), 0);
	assert_int_equal(l->now.node_id, 1);
	assert_int_equal(l->dynamic.scopes[CONFIG_SCOPE_BROKER].n, 1);
	assert_string_equal(config_topic_default(&l->now, "retention.ms"), "9");
	assert_null(config_topic_default(&l->base, "retention.ms"));
	config_layers_put(l);
	dynamic_config_free(&d);
	config_free(&base);
}

static void reload__names_what_needs_a_restart(void **state)
{
	struct config running, fresh;
	char changed[200];

	(void)state;
	load(&running, "listeners=PLAINTEXT://:9092\nmax.connections=5\nnum.partitions=2\n"
		       "log.retention.hours=2\n");
	load(&fresh, "listeners=PLAINTEXT://:9093\nmax.connections=6\nnum.partitions=3\n");
	assert_int_equal(config_keep_static(&fresh, &running, changed, sizeof(changed), &err), 0);
	assert_string_equal(changed, "listeners, num.partitions");
	assert_int_equal(fresh.connections_max, 6);
	assert_int_equal(fresh.num_partitions, 2);
	assert_int_equal(fresh.listeners[0].port, 9092);
	assert_null(config_topic_default(&fresh, "retention.ms"));
	config_free(&fresh);
	load(&fresh, "listeners=PLAINTEXT://:9092\nmax.connections=5\nnum.partitions=2\n");
	assert_int_equal(config_keep_static(&fresh, &running, changed, sizeof(changed), &err), 0);
	assert_string_equal(changed, "");
	config_free(&fresh);
	config_free(&running);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__what_format_wrote),
		cmocka_unit_test(parse__refused),
		cmocka_unit_test(layers__one_outlives_its_successor),
		cmocka_unit_test(layers__what_cannot_be_is_left_out),
		cmocka_unit_test(reload__names_what_needs_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
