// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/metadata/image.h"

#define N 100

/* Names and ids in orders of their own. */
static struct image *build(void)
{
	static struct kern_topic topics[N];
	struct image *image;

	memset(topics, 0, sizeof(topics));
	for (int i = 0; i < N; i++) {
		snprintf(topics[i].name, sizeof(topics[i].name), "t%d", i * 37 % N);
		topics[i].id[0] = (uint8_t)(i * 11 % N);
		topics[i].id[15] = 1;
		topics[i].partition_count = (uint32_t)i + 1;
		topics[i].data_dir = "/data";
	}
	assert_int_equal(image_build(topics, NULL, N, &image), 0);
	return image;
}

static void topics__are_sorted_by_name(void **state)
{
	struct image *image = build();
	const struct image_topic *t;
	size_t n;

	(void)state;
	t = image_topics(image, &n);
	assert_int_equal(n, N);
	for (size_t i = 1; i < n; i++)
		assert_true(strcmp(t[i - 1].name, t[i].name) < 0);
	image_put(image);
}

static void by_name__finds_the_whole_name_only(void **state)
{
	struct image *image = build();
	char long_name[SLUICE_TOPIC_NAME_MAX + 2];
	char name[16];

	(void)state;
	for (int i = 0; i < N; i++) {
		const struct image_topic *t;

		snprintf(name, sizeof(name), "t%dxx", i);
		t = image_by_name(image, name, strlen(name) - 2);
		assert_non_null(t);
		assert_int_equal(strlen(t->name), strlen(name) - 2);
		assert_string_equal(t->data_dir, "/data");
	}
	assert_null(image_by_name(image, "t1", 1));
	assert_null(image_by_name(image, "t1\0", 3));
	assert_null(image_by_name(image, "", 0));
	memset(long_name, 't', sizeof(long_name));
	assert_null(image_by_name(image, long_name, sizeof(long_name)));
	image_put(image);
}

static void by_id__finds_all(void **state)
{
	struct image *image = build();
	uint8_t id[SLUICE_TOPIC_ID_LEN] = {0};

	(void)state;
	assert_null(image_by_id(image, id));
	id[15] = 1;
	for (int i = 0; i < N; i++) {
		id[0] = (uint8_t)i;
		assert_non_null(image_by_id(image, id));
		assert_memory_equal(image_by_id(image, id)->id, id, sizeof(id));
	}
	id[0] = N;
	assert_null(image_by_id(image, id));
	image_put(image);
}

static void build__of_nothing(void **state)
{
	struct image *image;
	size_t n;

	(void)state;
	assert_int_equal(image_build(NULL, NULL, 0, &image), 0);
	image_topics(image, &n);
	assert_int_equal(n, 0);
	assert_null(image_by_name(image, "a", 1));
	/* A second reference keeps it. */
	image_get(image);
	image_put(image);
	image_topics(image, &n);
	image_put(image);
	image_put(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topics__are_sorted_by_name),
		cmocka_unit_test(by_name__finds_the_whole_name_only),
		cmocka_unit_test(by_id__finds_all),
		cmocka_unit_test(build__of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
