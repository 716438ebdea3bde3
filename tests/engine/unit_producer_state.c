// SPDX-License-Identifier: Apache-2.0
/* Rules: ProducerAppendInfo and ProducerStateEntry of Apache Kafka, KIP-98. */
#include "engine_test.h"
#include "producer_state.h"

static struct sluice_batch batch(s64 id, s16 epoch, s32 sequence, s32 records)
{
	return (struct sluice_batch){
		.producer_id = id,
		.producer_epoch = epoch,
		.base_sequence = sequence,
		.last_offset_delta = records - 1,
		.record_count = records,
	};
}

static int check(struct sluice_producer_state *s, struct sluice_batch b, s64 *dup)
{
	const char *why = NULL;
	int ret = sluice_producer_state_check(s, &b, dup, &why);

	assert_true((ret < 0) == (why != NULL));
	return ret;
}

static void add(struct sluice_producer_state *s, struct sluice_batch b, s64 base_offset)
{
	s64 dup = -7;

	assert_int_equal(check(s, b, &dup), 0);
	assert_int_equal(dup, -7);
	b.base_offset = base_offset;
	sluice_producer_state_update(s, &b);
}

static int state_setup(void **state)
{
	*state = sluice_producer_state_new();
	return *state ? 0 : -1;
}

static int state_teardown(void **state)
{
	sluice_producer_state_free(*state);
	return 0;
}

static void check__without_producer_id(void **state)
{
	add(*state, batch(-1, -1, -1, 3), 0);
	add(*state, batch(-1, -1, -1, 3), 3);
}

static void check__unknown_producer_starts_anywhere(void **state)
{
	add(*state, batch(5, 2, 1000, 10), 0);
	add(*state, batch(5, 2, 1010, 1), 10);
}

static void check__gap_and_repeat(void **state)
{
	s64 dup;

	add(*state, batch(5, 0, 0, 10), 100);
	assert_int_equal(check(*state, batch(5, 0, 11, 1), &dup), -EILSEQ);
	assert_int_equal(check(*state, batch(5, 0, 9, 1), &dup), -EILSEQ);
	assert_int_equal(check(*state, batch(5, 0, 0, 9), &dup), -EILSEQ);
	assert_int_equal(check(*state, batch(5, 0, 0, 10), &dup), 1);
	assert_int_equal(dup, 100);
	add(*state, batch(5, 0, 10, 1), 110);
}

static void check__duplicate_of_the_last_five(void **state)
{
	s64 dup;

	for (s32 i = 0; i < 7; i++)
		add(*state, batch(5, 0, i * 2, 2), 1000 + i);
	for (s32 i = 2; i < 7; i++) {
		assert_int_equal(check(*state, batch(5, 0, i * 2, 2), &dup), 1);
		assert_int_equal(dup, 1000 + i);
	}
	assert_int_equal(check(*state, batch(5, 0, 2, 2), &dup), -EILSEQ);
}

static void check__sequence_wraps(void **state)
{
	s64 dup;

	/* Sequences 2147483646, 2147483647, 0; so the next is 1. */
	add(*state, batch(5, 0, S32_MAX - 1, 3), 50);
	assert_int_equal(check(*state, batch(5, 0, 0, 1), &dup), -EILSEQ);
	assert_int_equal(check(*state, batch(5, 0, S32_MAX - 1, 3), &dup), 1);
	add(*state, batch(5, 0, 1, 1), 53);

	add(*state, batch(6, 0, S32_MAX, 1), 54);
	assert_int_equal(check(*state, batch(6, 0, 1, 1), &dup), -EILSEQ);
	add(*state, batch(6, 0, 0, 1), 55);
}

static void check__epochs(void **state)
{
	s64 dup;

	add(*state, batch(5, 3, 0, 2), 0);
	assert_int_equal(check(*state, batch(5, 2, 2, 1), &dup), -ESTALE);
	assert_int_equal(check(*state, batch(5, 2, 0, 2), &dup), -ESTALE);
	assert_int_equal(check(*state, batch(5, 4, 2, 1), &dup), -EILSEQ);
	add(*state, batch(5, 4, 0, 2), 2);
	assert_int_equal(check(*state, batch(5, 3, 0, 2), &dup), -ESTALE);
	assert_int_equal(check(*state, batch(5, 4, 0, 2), &dup), 1);
	assert_int_equal(dup, 2);
	add(*state, batch(5, 4, 2, 2), 4);
}

static void check__producers_are_apart(void **state)
{
	s64 dup;

	for (s64 id = 0; id < 1000; id++)
		add(*state, batch(id * 256, 0, 0, 1), id);
	for (s64 id = 0; id < 1000; id++) {
		assert_int_equal(check(*state, batch(id * 256, 0, 0, 1), &dup), 1);
		assert_int_equal(dup, id);
	}
}

static void update__forgets_the_oldest(void **state)
{
	s64 dup;

	for (s64 id = 0; id < SLUICE_PRODUCERS_MAX; id++)
		add(*state, batch(id, 0, 0, 1), id);
	/* The first one writes again, so the second is now the oldest. */
	add(*state, batch(0, 0, 1, 1), SLUICE_PRODUCERS_MAX);
	add(*state, batch(SLUICE_PRODUCERS_MAX, 0, 0, 1), SLUICE_PRODUCERS_MAX + 1);
	assert_int_equal(check(*state, batch(1, 0, 77, 1), &dup), 0);
	assert_int_equal(check(*state, batch(0, 0, 77, 1), &dup), -EILSEQ);
	assert_int_equal(check(*state, batch(2, 0, 77, 1), &dup), -EILSEQ);
}

static void check__no_memory(void **state)
{
	struct sluice_batch b = batch(5, 0, 0, 1);
	const char *why = NULL;
	s64 dup;

	for (u32 n = 1; n <= 2; n++) {
		port_fault_set(n, false);
		assert_int_equal(sluice_producer_state_check(*state, &b, &dup, &why), -ENOMEM);
		port_fault_set(0, false);
	}
	add(*state, b, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, state_setup, state_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(check__without_producer_id), TEST(check__unknown_producer_starts_anywhere),
		TEST(check__gap_and_repeat),	  TEST(check__duplicate_of_the_last_five),
		TEST(check__sequence_wraps),	  TEST(check__epochs),
		TEST(check__producers_are_apart), TEST(update__forgets_the_oldest),
		TEST(check__no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
