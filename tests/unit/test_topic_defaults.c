// SPDX-License-Identifier: Apache-2.0
/* The controller's care for topics that others make beside it. */
#include "tests/daemon/served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/core/reactor.h"
#include "daemon/log/log_dir.h"

#define PATIENCE_MS 20000
#define TOPICS	    100

static struct kern *k;

static int setup(void **state)
{
	(void)state;
	served_start(NULL);
	assert_int_equal(kern_open(&k), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kern_close(k);
	served_stop();
	return 0;
}

static void create(const char *name)
{
	/* One of its own, so that it does not have the defaults as it is. */
	const struct log_dir_setting s = {"segment.bytes", "16384"};
	struct log_dir_error err;

	if (log_dir_topic_create(k, served_dir(), name, 1, &s, 1, NULL, &err))
		fail_msg("%s", err.text);
}

static void alter(const char *name)
{
	const struct log_dir_setting s = {"cleanup.policy", "compact"};
	struct log_dir_error err;

	if (log_dir_topic_alter(k, served_dir(), name, &s, 1, &err))
		fail_msg("%s", err.text);
}

static struct kern_topic_config config_of(const char *name)
{
	struct kern_topic t;

	assert_int_equal(kern_topic_get(k, name, &t), 0);
	free(t.data_dir);
	return t.config;
}

/* The broker's default of it is not the log's. */
static void wait_until_seen(const char *name)
{
	int64_t begin = monotonic_ms();

	while (!(config_of(name).set & KERN_CONFIG_PRODUCER_ID_EXPIRATION_MS)) {
		assert_true(monotonic_ms() - begin < PATIENCE_MS);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
}

/* Its event makes the controller look at a topic whose settings change in this moment. */
static void apply__settings_changed_meanwhile(void **state)
{
	char name[20];

	(void)state;
	for (int i = 0; i < TOPICS; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		create(name);
		nanosleep(&(struct timespec){.tv_nsec = i * 20000}, NULL);
		alter(name);
	}
	for (int i = 0; i < TOPICS; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		wait_until_seen(name);
		assert_int_equal(config_of(name).cleanup_policy, KERN_CLEANUP_COMPACT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(apply__settings_changed_meanwhile, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
