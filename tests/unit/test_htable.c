// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "daemon/core/htable.h"

#define MANY 5000

struct entry {
	struct hnode node;
	int key;
};

static struct entry *find(const struct htable *t, int key, uint64_t hash)
{
	for (struct hnode *n = htable_first(t, hash); n; n = htable_next(n)) {
		struct entry *e = hnode_entry(n, struct entry, node);

		if (e->key == key)
			return e;
	}
	return NULL;
}

/* A hash that is the same for eight keys each. */
static uint64_t poor_hash(int key)
{
	return hash_u64(0, (uint64_t)key / 8);
}

static void table__holds_what_was_inserted(void **state)
{
	static struct entry e[MANY];
	struct htable t;

	(void)state;
	htable_init(&t);
	assert_null(find(&t, 1, poor_hash(1)));
	for (int i = 0; i < MANY; i++) {
		e[i].key = i;
		assert_int_equal(htable_insert(&t, &e[i].node, poor_hash(i)), 0);
	}
	assert_int_equal(t.count, MANY);
	for (int i = 0; i < MANY; i += 2)
		htable_remove(&t, &e[i].node);
	for (int i = 0; i < MANY; i++)
		assert_ptr_equal(find(&t, i, poor_hash(i)), i % 2 ? &e[i] : NULL);
	htable_free(&t);
}

static void remove_odd(struct hnode *n, void *ctx)
{
	struct entry *e = hnode_entry(n, struct entry, node);

	if (e->key % 2)
		htable_remove(ctx, n);
	free(e->key % 2 ? e : NULL);
}

static void each__may_remove_the_entry(void **state)
{
	struct entry *kept[50];
	struct htable t;

	(void)state;
	htable_init(&t);
	htable_each(&t, remove_odd, &t);
	for (int i = 0; i < 100; i++) {
		struct entry *e = calloc(1, sizeof(*e));

		e->key = i;
		if (i % 2 == 0)
			kept[i / 2] = e;
		assert_int_equal(htable_insert(&t, &e->node, poor_hash(i)), 0);
	}
	htable_each(&t, remove_odd, &t);
	assert_int_equal(t.count, 50);
	for (int i = 0; i < 50; i++)
		assert_ptr_equal(find(&t, i * 2, poor_hash(i * 2)), kept[i]);
	for (int i = 0; i < 50; i++)
		free(kept[i]);
	htable_free(&t);
}

static void hash__differs(void **state)
{
	(void)state;
	assert_int_not_equal(hash_u64(0, 1), hash_u64(0, 2));
	assert_int_not_equal(hash_u64(1, 1), hash_u64(2, 1));
	assert_int_equal(hash_bytes(0, "abc", 3), hash_bytes(0, "abc", 3));
	assert_int_not_equal(hash_bytes(0, "abc", 3), hash_bytes(0, "abd", 3));
	assert_int_not_equal(hash_bytes(0, "abc\0", 3), hash_bytes(0, "abc\0", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table__holds_what_was_inserted),
		cmocka_unit_test(each__may_remove_the_entry),
		cmocka_unit_test(hash__differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
