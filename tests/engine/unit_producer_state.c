// SPDX-License-Identifier: Apache-2.0
/*
 * Rules: ProducerAppendInfo, ProducerStateEntry and ProducerStateManager of
 * Apache Kafka 4, KIP-98, KIP-890.
 */
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

static struct sluice_batch transactional(s64 id, s16 epoch, s32 sequence, s32 records)
{
	struct sluice_batch b = batch(id, epoch, sequence, records);

	b.attributes = SLUICE_BATCH_TRANSACTIONAL;
	return b;
}

/* A control batch, as a coordinator writes it: one record, no sequence. */
static struct sluice_batch control(s64 id, s16 epoch)
{
	struct sluice_batch b = transactional(id, epoch, -1, 1);

	b.attributes |= SLUICE_BATCH_CONTROL;
	return b;
}

static int check_as(struct sluice_producer_state *s, struct sluice_producer_append pa, s64 *dup)
{
	struct sluice_producer_batch d = {0};
	const char *why = NULL;
	int ret = sluice_producer_state_check(s, &pa, &d, &why);

	assert_true((ret < 0) == (why != NULL));
	if (ret == 1)
		*dup = d.last_offset - d.offset_delta;
	return ret;
}

static int check(struct sluice_producer_state *s, struct sluice_batch b, s64 *dup)
{
	return check_as(s, (struct sluice_producer_append){.b = &b}, dup);
}

static void add(struct sluice_producer_state *s, struct sluice_batch b, s64 base_offset)
{
	s64 dup = -7;

	assert_int_equal(check(s, b, &dup), 0);
	assert_int_equal(dup, -7);
	b.base_offset = base_offset;
	sluice_producer_state_update(s, &b, NULL);
}

static int check_marker(struct sluice_producer_state *s, struct sluice_batch b,
			struct sluice_marker m, u8 transaction_version)
{
	s64 dup;

	return check_as(s,
			(struct sluice_producer_append){.b = &b,
							.marker = &m,
							.as = SLUICE_APPEND_AS_COORDINATOR,
							.transaction_version = transaction_version},
			&dup);
}

static void end_txn(struct sluice_producer_state *s, s64 id, s16 epoch, bool abort, s64 offset)
{
	struct sluice_marker m = {.abort = abort, .coordinator_epoch = 1, .timestamp = TIME_0};
	struct sluice_batch b = control(id, epoch);

	assert_int_equal(check_marker(s, b, m, 0), 0);
	b.base_offset = offset;
	sluice_producer_state_update(s, &b, &m);
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
	assert_int_equal(sluice_producer_state_count(*state), 0);
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
		add(*state, batch(5, 0, i * 2, 2), 1000 + 2 * i);
	for (s32 i = 2; i < 7; i++) {
		assert_int_equal(check(*state, batch(5, 0, i * 2, 2), &dup), 1);
		assert_int_equal(dup, 1000 + 2 * i);
	}
	assert_int_equal(check(*state, batch(5, 0, 2, 2), &dup), -EILSEQ);
}

static void check__duplicate_has_its_timestamp(void **state)
{
	struct sluice_batch b = batch(5, 0, 0, 4), again = b;
	struct sluice_producer_append pa = {.b = &again};
	struct sluice_producer_batch dup;
	const char *why;
	s64 unused;

	b.max_timestamp = TIME_0 + 3;
	assert_int_equal(check(*state, b, &unused), 0);
	b.base_offset = 10;
	sluice_producer_state_update(*state, &b, NULL);
	again.max_timestamp = TIME_0 + 99;
	assert_int_equal(sluice_producer_state_check(*state, &pa, &dup, &why), 1);
	assert_int_equal(dup.timestamp, TIME_0 + 3);
	assert_int_equal(dup.last_offset, 13);
	assert_int_equal(dup.offset_delta, 3);
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

/* A coordinator writes offset commits in a producer's name, without sequences. */
static void check__coordinator_data_has_no_sequence(void **state)
{
	struct sluice_batch b = transactional(5, 3, -1, 2);
	struct sluice_producer_append pa = {.b = &b, .as = SLUICE_APPEND_AS_COORDINATOR};
	s64 dup;

	for (s64 offset = 0; offset < 3; offset++) {
		assert_int_equal(check_as(*state, pa, &dup), 0);
		b.base_offset = offset * 2;
		sluice_producer_state_update(*state, &b, NULL);
	}
	assert_int_equal(sluice_producer_state_first_unstable(*state), 0);
	b.producer_epoch = 2;
	assert_int_equal(check_as(*state, pa, &dup), -ESTALE);
}

static void check__replica_is_not_judged(void **state)
{
	struct sluice_batch b = batch(5, 1, 70, 1);
	struct sluice_marker m = {.coordinator_epoch = 0};
	struct sluice_batch c = control(5, 1);
	s64 dup;

	add(*state, batch(5, 3, 0, 2), 0);
	end_txn(*state, 5, 3, false, 2);
	assert_int_equal(
		check_as(*state,
			 (struct sluice_producer_append){.b = &b, .as = SLUICE_APPEND_AS_REPLICA},
			 &dup),
		0);
	assert_int_equal(check_as(*state,
				  (struct sluice_producer_append){
					  .b = &c, .marker = &m, .as = SLUICE_APPEND_AS_REPLICA},
				  &dup),
			 0);
}

static void txn__open_then_committed(void **state)
{
	s64 dup;

	add(*state, transactional(5, 0, 0, 3), 10);
	assert_int_equal(sluice_producer_state_first_unstable(*state), 10);
	add(*state, transactional(5, 0, 3, 3), 13);
	assert_int_equal(sluice_producer_state_first_unstable(*state), 10);
	end_txn(*state, 5, 0, false, 16);

	/* Completed, but held until the marker is replicated. */
	assert_int_equal(sluice_producer_state_first_unstable(*state), 10);
	sluice_producer_state_replicated(*state, 16);
	assert_int_equal(sluice_producer_state_first_unstable(*state), 10);
	sluice_producer_state_replicated(*state, 17);
	assert_int_equal(sluice_producer_state_first_unstable(*state), S64_MAX);

	/* The marker has no sequence: the producer goes on where it was. */
	assert_int_equal(check(*state, transactional(5, 0, 5, 1), &dup), -EILSEQ);
	assert_int_equal(check(*state, transactional(5, 0, 3, 3), &dup), 1);
	assert_int_equal(dup, 13);
	add(*state, transactional(5, 0, 6, 1), 17);
	assert_int_equal(sluice_producer_state_first_unstable(*state), 17);
}

static void txn__plain_write_inside_is_refused(void **state)
{
	s64 dup;

	add(*state, transactional(5, 0, 0, 3), 10);
	assert_int_equal(check(*state, batch(5, 0, 3, 1), &dup), -EBUSY);
	/* The sequence is looked at first. */
	assert_int_equal(check(*state, batch(5, 0, 4, 1), &dup), -EILSEQ);
	end_txn(*state, 5, 0, false, 13);
	add(*state, batch(5, 0, 3, 1), 14);
}

static void txn__marker_of_a_new_epoch(void **state)
{
	s64 dup;

	add(*state, transactional(5, 0, 0, 3), 10);
	end_txn(*state, 5, 1, true, 13);
	assert_int_equal(check(*state, transactional(5, 0, 3, 1), &dup), -ESTALE);
	assert_int_equal(check(*state, transactional(5, 1, 3, 1), &dup), -EILSEQ);
	add(*state, transactional(5, 1, 0, 1), 14);
}

static void txn__marker_of_an_old_epoch(void **state)
{
	struct sluice_marker m = {.coordinator_epoch = 1};

	add(*state, transactional(5, 3, 0, 3), 10);
	assert_int_equal(check_marker(*state, control(5, 2), m, 0), -ESTALE);
	assert_int_equal(check_marker(*state, control(5, 3), m, 0), 0);
	assert_int_equal(check_marker(*state, control(5, 3), m, 1), 0);
	/* From version 2 on a marker has an epoch of its own ... */
	assert_int_equal(check_marker(*state, control(5, 3), m, 2), -ESTALE);
	assert_int_equal(check_marker(*state, control(5, 4), m, 2), 0);
	end_txn(*state, 5, 4, false, 13);
	/* ... and may come again when it is done (KAFKA-19999), but not an older one. */
	assert_int_equal(check_marker(*state, control(5, 4), m, 2), 0);
	assert_int_equal(check_marker(*state, control(5, 3), m, 2), -ESTALE);
}

static void txn__coordinator_is_fenced(void **state)
{
	struct sluice_marker m = {.coordinator_epoch = 0};

	add(*state, transactional(5, 0, 0, 1), 0);
	end_txn(*state, 5, 0, true, 1); /* by the coordinator of epoch 1 */
	assert_int_equal(check_marker(*state, control(5, 0), m, 0), -EOWNERDEAD);
	m.coordinator_epoch = 1;
	assert_int_equal(check_marker(*state, control(5, 0), m, 0), 0);
	m.coordinator_epoch = 2;
	assert_int_equal(check_marker(*state, control(5, 0), m, 0), 0);
}

/* The marker is then all that is known of it: it must begin with sequence 0. */
static void txn__marker_of_an_unknown_producer(void **state)
{
	s64 dup;

	end_txn(*state, 5, 2, true, 0);
	assert_int_equal(sluice_producer_state_first_unstable(*state), S64_MAX);
	assert_int_equal(check(*state, batch(5, 2, 1, 1), &dup), -EILSEQ);
	assert_int_equal(check(*state, batch(5, 1, 0, 1), &dup), -ESTALE);
	add(*state, batch(5, 2, 0, 1), 1);
}

static void txn__aborted_entry(void **state)
{
	struct sluice_marker abort = {.abort = true}, commit = {.abort = false};
	struct sluice_aborted_txn txn = {0};
	struct sluice_batch b = control(5, 0);

	b.base_offset = 30;
	/* No transaction: nothing to be noted. */
	assert_false(sluice_producer_state_aborts(*state, &b, &abort, &txn));
	add(*state, transactional(5, 0, 0, 2), 10);
	assert_false(sluice_producer_state_aborts(*state, &b, &commit, &txn));
	assert_false(sluice_producer_state_aborts(*state, &b, NULL, &txn));
	assert_true(sluice_producer_state_aborts(*state, &b, &abort, &txn));
	assert_int_equal(txn.producer_id, 5);
	assert_int_equal(txn.first_offset, 10);
	assert_int_equal(txn.last_offset, 30);
	assert_int_equal(txn.last_stable_offset, 31);

	/* Another one that is open holds the last stable offset, before or behind it. */
	add(*state, transactional(6, 0, 0, 2), 12);
	assert_true(sluice_producer_state_aborts(*state, &b, &abort, &txn));
	assert_int_equal(txn.last_stable_offset, 12);
	b.producer_id = 6;
	assert_true(sluice_producer_state_aborts(*state, &b, &abort, &txn));
	assert_int_equal(txn.first_offset, 12);
	assert_int_equal(txn.last_stable_offset, 10);
}

static void first_unstable__of_several(void **state)
{
	add(*state, transactional(1, 0, 0, 1), 0);
	add(*state, transactional(2, 0, 0, 1), 1);
	add(*state, transactional(3, 0, 0, 1), 2);
	add(*state, transactional(1, 0, 1, 1), 3);
	end_txn(*state, 2, 0, false, 4);
	assert_int_equal(sluice_producer_state_first_unstable(*state), 0);
	end_txn(*state, 1, 0, false, 5);
	sluice_producer_state_replicated(*state, 5);
	/* The marker of 1 is at 5, which is not replicated. */
	assert_int_equal(sluice_producer_state_first_unstable(*state), 0);
	sluice_producer_state_replicated(*state, 6);
	assert_int_equal(sluice_producer_state_first_unstable(*state), 2);
	end_txn(*state, 3, 0, true, 6);
	sluice_producer_state_replicated(*state, 7);
	assert_int_equal(sluice_producer_state_first_unstable(*state), S64_MAX);
}

/* More than are told apart: the last stable offset may be late, never early. */
static void first_unstable__of_very_many(void **state)
{
	const s64 n = 3000;
	s64 offset;

	for (s64 i = 0; i < n; i++) {
		add(*state, transactional(5, 0, (s32)i, 1), i * 2);
		end_txn(*state, 5, 0, false, i * 2 + 1);
	}
	for (s64 high = 0; high <= n * 2; high++) {
		sluice_producer_state_replicated(*state, high);
		offset = sluice_producer_state_first_unstable(*state);
		if (high == n * 2) {
			assert_int_equal(offset, S64_MAX);
		} else {
			assert_true(offset <= high / 2 * 2);
			if (high < 2000)
				assert_int_equal(offset, high / 2 * 2);
		}
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
	assert_int_equal(sluice_producer_state_count(*state), SLUICE_PRODUCERS_MAX);
	assert_int_equal(check(*state, batch(1, 0, 77, 1), &dup), 0);
	assert_int_equal(check(*state, batch(0, 0, 77, 1), &dup), -EILSEQ);
	assert_int_equal(check(*state, batch(2, 0, 77, 1), &dup), -EILSEQ);
}

static void update__never_forgets_a_transaction(void **state)
{
	s64 dup;

	add(*state, transactional(0, 0, 0, 1), 0);
	for (s64 id = 1; id <= SLUICE_PRODUCERS_MAX; id++)
		add(*state, batch(id, 0, 0, 1), id);
	assert_int_equal(check(*state, batch(0, 0, 77, 1), &dup), -EILSEQ);
	assert_int_equal(check(*state, batch(1, 0, 77, 1), &dup), 0);
	assert_int_equal(sluice_producer_state_first_unstable(*state), 0);
}

static void check__too_many_transactions(void **state)
{
	s64 dup;

	for (s64 id = 0; id < SLUICE_PRODUCERS_MAX; id++)
		add(*state, transactional(id, 0, 0, 1), id);
	assert_int_equal(check(*state, batch(SLUICE_PRODUCERS_MAX, 0, 0, 1), &dup), -ENOMEM);
	end_txn(*state, 7, 0, false, SLUICE_PRODUCERS_MAX);
	add(*state, batch(SLUICE_PRODUCERS_MAX, 0, 0, 1), SLUICE_PRODUCERS_MAX + 1);
	/* The one without a transaction had to go. */
	assert_int_equal(check(*state, batch(7, 0, 77, 1), &dup), 0);
}

static void expire(struct sluice_producer_state *s, s64 now, s64 expiration)
{
	int rounds = 0;

	while (!sluice_producer_state_expire(s, now, expiration))
		assert_true(++rounds < 1000);
}

static void expire__by_the_last_time(void **state)
{
	struct sluice_batch b;
	s64 dup;

	/* The times do not grow with the offsets. */
	for (s64 id = 0; id < 20000; id++) {
		b = batch(id, 0, 0, 1);
		b.max_timestamp = TIME_0 + id * 7919 % 20000;
		add(*state, b, id);
	}
	expire(*state, TIME_0 + 86400000 - 1, 86400000);
	assert_int_equal(sluice_producer_state_count(*state), 20000);
	expire(*state, TIME_0 + 86400000 + 4999, 86400000);
	assert_int_equal(sluice_producer_state_count(*state), 15000);
	for (s64 id = 0; id < 20000; id++)
		assert_int_equal(check(*state, batch(id, 0, 9, 1), &dup),
				 id * 7919 % 20000 <= 4999 ? 0 : -EILSEQ);
}

static void expire__not_while_a_transaction_is_open(void **state)
{
	struct sluice_batch b = transactional(5, 0, 0, 1);

	b.max_timestamp = 1000;
	add(*state, b, 0);
	expire(*state, TIME_0, 1);
	assert_int_equal(sluice_producer_state_count(*state), 1);
	end_txn(*state, 5, 0, false, 1); /* at TIME_0, which counts */
	expire(*state, TIME_0 + 9, 10);
	assert_int_equal(sluice_producer_state_count(*state), 1);
	expire(*state, TIME_0 + 10, 10);
	assert_int_equal(sluice_producer_state_count(*state), 0);
	expire(*state, TIME_0 + 10, S64_MAX);
}

static void check__no_memory(void **state)
{
	struct sluice_batch b = batch(5, 0, 0, 1);
	s64 dup;

	for (u32 n = 1; n <= 2; n++) {
		port_fault_set(n, false);
		assert_int_equal(check(*state, b, &dup), -ENOMEM);
		port_fault_set(0, false);
	}
	add(*state, b, 0);
}

static void check__no_memory_for_a_marker(void **state)
{
	struct sluice_marker m = {.coordinator_epoch = 1};

	add(*state, transactional(5, 0, 0, 1), 0);
	port_fault_set(1, false);
	assert_int_equal(check_marker(*state, control(5, 0), m, 0), -ENOMEM);
	port_fault_set(0, false);
	end_txn(*state, 5, 0, true, 1);
}

/* Without memory for more it goes on with what it has. */
static void check__no_memory_to_grow(void **state)
{
	s64 dup;

	for (s64 id = 0; id < 5000; id++) {
		assert_int_equal(check(*state, batch(id, 0, 0, 1), &dup), 0);
		port_fault_set(1, true);
		assert_int_equal(check(*state, batch(id, 0, 0, 1), &dup), 0);
		add(*state, batch(id, 0, 0, 1), id);
		port_fault_set(0, false);
	}
	for (s64 id = 0; id < 5000; id++)
		assert_int_equal(check(*state, batch(id, 0, 0, 1), &dup), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, state_setup, state_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(check__without_producer_id),
		TEST(check__unknown_producer_starts_anywhere),
		TEST(check__gap_and_repeat),
		TEST(check__duplicate_of_the_last_five),
		TEST(check__duplicate_has_its_timestamp),
		TEST(check__sequence_wraps),
		TEST(check__epochs),
		TEST(check__producers_are_apart),
		TEST(check__coordinator_data_has_no_sequence),
		TEST(check__replica_is_not_judged),
		TEST(txn__open_then_committed),
		TEST(txn__plain_write_inside_is_refused),
		TEST(txn__marker_of_a_new_epoch),
		TEST(txn__marker_of_an_old_epoch),
		TEST(txn__coordinator_is_fenced),
		TEST(txn__marker_of_an_unknown_producer),
		TEST(txn__aborted_entry),
		TEST(first_unstable__of_several),
		TEST(first_unstable__of_very_many),
		TEST(update__forgets_the_oldest),
		TEST(update__never_forgets_a_transaction),
		TEST(check__too_many_transactions),
		TEST(expire__by_the_last_time),
		TEST(expire__not_while_a_transaction_is_open),
		TEST(check__no_memory),
		TEST(check__no_memory_for_a_marker),
		TEST(check__no_memory_to_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
