// SPDX-License-Identifier: Apache-2.0
/* Format: ProducerSnapshot.json, ProducerStateManager.writeSnapshot of Kafka. */
#include "engine_test.h"
#include "producer_snapshot.h"

#include <stdlib.h>

#define NAME "00000000000000000100.snapshot"

/* Producer 5, epoch 2: a batch of 3 to offset 42, sequences to 9; one transaction. */
static const u8 golden[10 + 2 * 46] = {
	0,
	1,
	0x6e,
	0xf5,
	0x6d,
	0xc3,
	0,
	0,
	0,
	2,
	/* id, epoch, last sequence, last offset, delta */
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	5,
	0,
	2,
	0,
	0,
	0,
	9,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	42,
	0,
	0,
	0,
	2,
	/* time, coordinator epoch, no transaction */
	0,
	0,
	0,
	0,
	0,
	0,
	3,
	0xe8,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	0xff,
	/* Producer 6 has written nothing in this epoch, but a marker; then it began again. */
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	6,
	0,
	1,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	50,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	7,
	0xd0,
	0,
	0,
	0,
	4,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
	50,
};

static struct sluice_producer_state *new_state(void)
{
	struct sluice_producer_state *s = sluice_producer_state_new();

	assert_non_null(s);
	return s;
}

static void update(struct sluice_producer_state *s, struct sluice_batch b,
		   const struct sluice_marker *m)
{
	const struct sluice_producer_append pa = {
		.b = &b, .marker = m, .as = SLUICE_APPEND_AS_REPLICA};
	const char *why;

	assert_int_equal(sluice_producer_state_check(s, &pa, NULL, &why), 0);
	sluice_producer_state_update(s, &b, m);
}

static struct sluice_producer_state *golden_state(void)
{
	const struct sluice_marker m = {.coordinator_epoch = 4, .timestamp = 1500};
	struct sluice_producer_state *s = new_state();

	update(s,
	       (struct sluice_batch){.producer_id = 5,
				     .producer_epoch = 2,
				     .base_sequence = 7,
				     .base_offset = 40,
				     .last_offset_delta = 2,
				     .max_timestamp = 1000},
	       NULL);
	update(s,
	       (struct sluice_batch){.producer_id = 6,
				     .producer_epoch = 1,
				     .base_sequence = -1,
				     .base_offset = 49,
				     .attributes =
					     SLUICE_BATCH_CONTROL | SLUICE_BATCH_TRANSACTIONAL},
	       &m);
	update(s,
	       (struct sluice_batch){.producer_id = 6,
				     .producer_epoch = 1,
				     .base_sequence = 0,
				     .base_offset = 50,
				     .max_timestamp = 2000,
				     .attributes = SLUICE_BATCH_TRANSACTIONAL},
	       NULL);
	return s;
}

static int load(struct port_dir *dir, char *err)
{
	struct sluice_producer_state *s = new_state();
	int ret = sluice_producer_state_load(s, dir, 100, err);

	sluice_producer_state_free(s);
	return ret;
}

static void save__golden(void **state)
{
	struct sluice_producer_state *s = golden_state();
	size_t len;
	u8 *bytes;

	assert_int_equal(sluice_producer_state_save(s, *state, 100), 0);
	bytes = file_load(*state, NAME, &len);
	assert_int_equal(len, sizeof(golden));
	assert_memory_equal(bytes, golden, len);
	free(bytes);

	/* One that is there is replaced, also by a shorter one. */
	sluice_producer_state_free(s);
	s = new_state();
	assert_int_equal(sluice_producer_state_save(s, *state, 100), 0);
	assert_int_equal(file_size(*state, NAME), 10);
	sluice_producer_state_free(s);
}

static void load__golden(void **state)
{
	struct sluice_producer_state *s = golden_state(), *loaded = new_state();
	struct sluice_batch b = {
		.producer_id = 5, .producer_epoch = 2, .base_sequence = 7, .last_offset_delta = 2};
	const struct sluice_producer_append pa = {.b = &b};
	struct sluice_producer_batch dup;
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	const char *why;

	assert_int_equal(sluice_producer_state_save(s, *state, 100), 0);
	assert_int_equal(sluice_producer_state_load(loaded, *state, 100, err), 0);
	assert_int_equal(sluice_producer_state_count(loaded), 2);
	assert_int_equal(sluice_producer_state_first_unstable(loaded), 50);
	assert_int_equal(sluice_producer_state_check(loaded, &pa, &dup, &why), 1);
	assert_int_equal(dup.last_offset, 42);
	assert_int_equal(dup.timestamp, 1000);
	assert_int_equal(sluice_producer_state_load(loaded, *state, 101, err), -ENOENT);
	sluice_producer_state_free(loaded);
	sluice_producer_state_free(s);
}

/* Producer 5's batch of 2 that begins with this sequence, at ten times its offset. */
static struct sluice_batch batch_at(s32 sequence)
{
	return (struct sluice_batch){.producer_id = 5,
				     .producer_epoch = 1,
				     .base_sequence = sequence,
				     .base_offset = sequence * 10LL,
				     .last_offset_delta = 1,
				     .max_timestamp = 1000 + sequence};
}

static int retry(struct sluice_producer_state *s, s32 sequence, s64 *ret_offset)
{
	struct sluice_batch b = batch_at(sequence);
	const struct sluice_producer_append pa = {.b = &b};
	struct sluice_producer_batch dup = {0};
	const char *why;
	int ret = sluice_producer_state_check(s, &pa, &dup, &why);

	*ret_offset = dup.last_offset;
	return ret;
}

/* A client that had five batches in flight sends all of them again. */
static void load__earlier_batches(void **state)
{
	struct sluice_producer_state *s = new_state(), *loaded = new_state();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	s64 offset;
	size_t len;
	u8 *bytes;

	for (s32 sequence = 0; sequence < 14; sequence += 2)
		update(s, batch_at(sequence), NULL);
	assert_int_equal(sluice_producer_state_save(s, *state, 200), 0);
	assert_int_equal(sluice_producer_state_load(loaded, *state, 200, err), 0);
	assert_int_equal(sluice_producer_state_count(loaded), 1);
	assert_int_equal(retry(loaded, 2, &offset), -EILSEQ);
	for (s32 sequence = 4; sequence < 14; sequence += 2) {
		assert_int_equal(retry(loaded, sequence, &offset), 1);
		assert_int_equal(offset, sequence * 10 + 1);
	}
	assert_int_equal(retry(loaded, 14, &offset), 0);
	/* Kafka believes the last entry of a producer. */
	bytes = file_load(*state, "00000000000000000200.snapshot", &len);
	assert_int_equal(len, 10 + 5 * 46);
	assert_int_equal(get_unaligned_be32(bytes + 10 + 4 * 46 + 10), 13);
	free(bytes);
	sluice_producer_state_free(loaded);
	sluice_producer_state_free(s);
}

/* Compaction and other leaders leave gaps: what is before one leads to nothing. */
static void save__earlier_batches_without_a_gap(void **state)
{
	struct sluice_producer_state *s = new_state();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	struct sluice_producer_state *loaded = new_state();
	s64 offset;

	update(s, batch_at(0), NULL);
	update(s, batch_at(2), NULL);
	update(s, batch_at(6), NULL);
	update(s, batch_at(8), NULL);
	assert_int_equal(sluice_producer_state_save(s, *state, 100), 0);
	assert_int_equal(file_size(*state, NAME), 10 + 2 * 46);
	assert_int_equal(sluice_producer_state_load(loaded, *state, 100, err), 0);
	assert_int_equal(retry(loaded, 2, &offset), -EILSEQ);
	assert_int_equal(retry(loaded, 6, &offset), 1);
	sluice_producer_state_free(loaded);
	sluice_producer_state_free(s);
}

/* Two entries of a producer are a batch and the one that followed, or damage. */
static void load__twice(void **state)
{
	static const struct {
		u32 at;
		u64 value;
	} changes[] = {
		{10 + 46 + 8, 0x0002000000030000},  /* another epoch */
		{10 + 46 + 10, 0x0000000400000000}, /* another sequence */
		{10 + 46 + 14, 1},		    /* an offset below */
		{10 + 38, 0},			    /* the earlier one in a transaction */
	};
	struct sluice_producer_state *s = new_state();
	char err[SLUICE_ERROR_TEXT_MAX];
	size_t len;
	u8 *bytes;

	update(s, batch_at(0), NULL);
	update(s, batch_at(2), NULL);
	assert_int_equal(sluice_producer_state_save(s, *state, 100), 0);
	sluice_producer_state_free(s);
	assert_int_equal(load(*state, err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		bytes = file_load(*state, NAME, &len);
		assert_int_equal(len, 10 + 2 * 46);
		put_unaligned_be64(changes[i].value, bytes + changes[i].at);
		put_unaligned_be32(port_crc32c_table(0, bytes + 6, len - 6), bytes + 2);
		file_store(*state, NAME, bytes, len);
		free(bytes);
		assert_int_equal(load(*state, err), -EUCLEAN);
		assert_string_equal(err, NAME ": position 56: the producer is there twice");
		s = new_state();
		update(s, batch_at(0), NULL);
		update(s, batch_at(2), NULL);
		assert_int_equal(sluice_producer_state_save(s, *state, 100), 0);
		sluice_producer_state_free(s);
	}
}

/* Kafka writes a hash map: transactions in no order. */
static void load__transactions_in_any_order(void **state)
{
	struct sluice_producer_state *s = new_state();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	u8 bytes[10 + 90 * 46] = {0, 1};

	put_unaligned_be32(90, bytes + 6);
	for (u32 i = 0; i < 90; i++) {
		u8 *e = bytes + 10 + i * 46;

		put_unaligned_be64(i, e);
		put_unaligned_be64(U64_MAX, e + 14);
		put_unaligned_be64(10 + i * 37 % 90, e + 38);
	}
	put_unaligned_be32(port_crc32c_table(0, bytes + 6, sizeof(bytes) - 6), bytes + 2);
	file_store(*state, NAME, bytes, sizeof(bytes));
	assert_int_equal(sluice_producer_state_load(s, *state, 100, err), 0);
	for (s64 first = 10; first < 100; first++) {
		struct sluice_marker m = {.abort = true};
		struct sluice_aborted_txn txn;
		struct sluice_batch b = {.producer_id = (first - 10) * 73 % 90,
					 .base_offset = 1000 + first,
					 .attributes = SLUICE_BATCH_CONTROL};

		/* 37 * 73 is 1 modulo 90. */
		assert_int_equal(sluice_producer_state_first_unstable(s), first);
		assert_true(sluice_producer_state_aborts(s, &b, &m, &txn));
		assert_int_equal(txn.first_offset, first);
		assert_int_equal(txn.last_stable_offset, first == 99 ? 1100 : first + 1);
		update(s, b, &m);
		sluice_producer_state_replicated(s, S64_MAX);
	}
	sluice_producer_state_free(s);
}

static void load__damaged(void **state)
{
	static const struct {
		u32 at;
		u64 value; /* eight bytes */
		const char *err;
	} changes[] = {
		{10, U64_MAX, NAME ": position 10: the producer id is negative"},
		{56, 5, NAME ": position 56: the producer is there twice"},
		{24, 100,
		 NAME ": position 10: the offset of the last batch is behind the snapshot"},
		{94, 100, NAME ": position 56: the transaction begins behind the snapshot"},
		{24, 1, NAME ": position 10: the length of the last batch is impossible"},
		{28, 0x0000002affffffff,
		 NAME ": position 10: the length of the last batch is impossible"},
		{16, 0x00050002fffffffe, NAME ": position 10: the last sequence is negative"},
		{0, 0, NAME ": position 0: the version is unknown"},
		{0, 0x0002000000000000, NAME ": position 0: the version is unknown"},
	};
	char err[SLUICE_ERROR_TEXT_MAX];
	u8 bytes[sizeof(golden)];

	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		memcpy(bytes, golden, sizeof(bytes));
		put_unaligned_be64(changes[i].value, bytes + changes[i].at);
		if (changes[i].at)
			put_unaligned_be32(port_crc32c_table(0, bytes + 6, sizeof(bytes) - 6),
					   bytes + 2);
		file_store(*state, NAME, bytes, sizeof(bytes));
		assert_int_equal(load(*state, err), -EUCLEAN);
		assert_string_equal(err, changes[i].err);
	}
}

/* Whatever byte is another one, and wherever the file ends. */
static void load__every_byte(void **state)
{
	struct sluice_producer_state *s = golden_state();
	char err[SLUICE_ERROR_TEXT_MAX];
	size_t len;
	u8 *bytes;

	assert_int_equal(sluice_producer_state_save(s, *state, 100), 0);
	sluice_producer_state_free(s);
	bytes = file_load(*state, NAME, &len);
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 0x10;
		file_store(*state, NAME, bytes, len);
		assert_int_equal(load(*state, err), -EUCLEAN);
		bytes[i] ^= 0x10;
		file_store(*state, NAME, bytes, i);
		assert_int_equal(load(*state, err), -EUCLEAN);
	}
	bytes[len] = 0;
	file_store(*state, NAME, bytes, len + 1);
	assert_int_equal(load(*state, err), -EUCLEAN);
	file_store(*state, NAME, bytes, len);
	assert_int_equal(load(*state, err), 0);
	free(bytes);
}

static void save_and_load__every_failure(void **state)
{
	struct sluice_producer_state *s = golden_state();
	char err[SLUICE_ERROR_TEXT_MAX] = "";
	bool hit = true;
	u32 n;

	for (n = 1; hit; n++) {
		int ret;

		port_fault_set(n, false);
		ret = sluice_producer_state_save(s, *state, 100);
		hit = port_fault_hit();
		port_fault_set(0, false);
		assert_true(hit == (ret != 0));
	}
	assert_true(n > 4);
	for (n = 1, hit = true; hit; n++) {
		struct sluice_producer_state *loaded = new_state();
		int ret;

		port_fault_set(n, false);
		ret = sluice_producer_state_load(loaded, *state, 100, err);
		hit = port_fault_hit();
		port_fault_set(0, false);
		assert_true(hit == (ret != 0));
		sluice_producer_state_free(loaded);
	}
	assert_true(n > 6);
	sluice_producer_state_free(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, dir_setup, dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(save__golden),
		TEST(load__golden),
		TEST(load__transactions_in_any_order),
		TEST(load__earlier_batches),
		TEST(save__earlier_batches_without_a_gap),
		TEST(load__twice),
		TEST(load__damaged),
		TEST(load__every_byte),
		TEST(save_and_load__every_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
