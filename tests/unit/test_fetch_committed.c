// SPDX-License-Identifier: Apache-2.0
/*
 * Fetch with isolation level 1: up to the last stable offset, and what was
 * aborted (KIP-98; UnifiedLog.collectAbortedTransactions).
 */
#include "tests/daemon/served.h"

#include <stdlib.h>
#include <string.h>

#define TOPIC	    "t"
#define MARKER_SIZE 78

static struct kafka_uuid topic_id;

static int setup(void **state)
{
	(void)state;
	client_start(NULL);
	client_create(&client, TOPIC, 1, &topic_id);
	return 0;
}

/* Into the log itself: no client may write markers. */
static int64_t append(const uint8_t *batch, size_t len, enum sluice_append_as as)
{
	struct port_iter src;
	struct sluice_append a = {.src = &src, .as = as};

	port_iter_init(&src, batch, len);
	user_module_lock();
	assert_int_equal(sluice_log_append(user_log(topic_id.b, 0), &a), 0);
	user_watches_check();
	user_module_unlock();
	return a.base_offset;
}

static int64_t write_txn(int64_t producer, int32_t sequence)
{
	size_t len;
	uint8_t *batch = make_batch("v", 1, &len);
	int64_t offset;

	make_transactional(batch, len, 0, producer, 0, sequence);
	offset = append(batch, len, SLUICE_APPEND_AS_CLIENT);
	free(batch);
	return offset;
}

/* EndTransactionMarker: key {version, type}, value {version, coordinator epoch}. */
static int64_t end_txn(int64_t producer, bool commit)
{
	static const uint8_t record[] = {32, 0, 0, 0, 8, 0, 0, 0, 0, 12};
	uint8_t batch[MARKER_SIZE] = {0};
	struct sluice_batch_header *h = (struct sluice_batch_header *)batch;

	memcpy(batch + SLUICE_BATCH_HEADER_LEN, record, sizeof(record));
	batch[SLUICE_BATCH_HEADER_LEN + 8] = commit;
	put_unaligned_be32(MARKER_SIZE - SLUICE_BATCH_PREFIX_LEN, &h->length);
	put_unaligned_be32(1, &h->record_count);
	put_unaligned_be64(1700000000000, &h->base_timestamp);
	put_unaligned_be64(1700000000000, &h->max_timestamp);
	h->magic = 2;
	make_transactional(batch, sizeof(batch), SLUICE_BATCH_CONTROL, producer, 0, -1);
	return append(batch, sizeof(batch), SLUICE_APPEND_AS_COORDINATOR);
}

static void fetch_send(int64_t offset, int8_t isolation, int32_t max_wait_ms)
{
	struct fetch f;

	fetch_init(&f, TOPIC);
	f.partition.fetch_offset = offset;
	f.m.max_wait_ms = max_wait_ms;
	f.m.isolation_level = isolation;
	CLIENT_SEND(&client, fetch, KAFKA_API_FETCH, 12, &f.m);
}

static struct kafka_fetch_response_partition fetch_receive(void)
{
	struct kafka_fetch_response a;

	CLIENT_RECEIVE(&client, fetch, KAFKA_API_FETCH, 12, &a);
	return a.responses.v[0].partitions.v[0];
}

static struct kafka_fetch_response_partition fetch(int64_t offset, int8_t isolation)
{
	fetch_send(offset, isolation, 0);
	return fetch_receive();
}

static int64_t end_of(struct kafka_bytes records)
{
	struct sluice_batch b = {0};

	for (int32_t at = 0; at < records.len; at += (int32_t)b.size)
		assert_int_equal(sluice_batch_parse(records.p + at, INT32_MAX, &b), 0);
	return records.len ? sluice_batch_last_offset(&b) + 1 : -1;
}

static void fetch_committed__ends_at_the_last_stable_offset(void **state)
{
	struct kafka_fetch_response_partition p;

	(void)state;
	write_txn(5, 0);
	end_txn(5, true);
	write_txn(6, 0);
	write_txn(5, 1);
	end_txn(5, true);
	p = fetch(0, 1);
	assert_int_equal(p.error_code, 0);
	assert_int_equal(p.last_stable_offset, 2);
	assert_int_equal(p.high_watermark, 5);
	assert_int_equal(end_of(p.records), 2);
	assert_int_equal(p.aborted_transactions.n, 0);
	p = fetch(2, 1);
	assert_int_equal(p.error_code, 0);
	assert_int_equal(p.records.len, 0);
	assert_int_equal(p.aborted_transactions.n, 0);
	p = fetch(0, 0);
	assert_int_equal(end_of(p.records), 5);
	assert_int_equal(p.aborted_transactions.n, -1);
	end_txn(6, true);
	assert_int_equal(end_of(fetch(0, 1).records), 6);
}

static void fetch_committed__lists_what_was_aborted(void **state)
{
	struct kafka_fetch_response_partition p;

	(void)state;
	write_txn(5, 0);   /* 0 */
	write_txn(6, 0);   /* 1 */
	end_txn(6, false); /* 2 */
	end_txn(5, false); /* 3 */
	write_txn(7, 0);   /* 4 */
	end_txn(7, true);  /* 5 */
	p = fetch(0, 1);
	assert_int_equal(end_of(p.records), 6);
	assert_int_equal(p.aborted_transactions.n, 2);
	assert_int_equal(p.aborted_transactions.v[0].producer_id, 6);
	assert_int_equal(p.aborted_transactions.v[0].first_offset, 1);
	assert_int_equal(p.aborted_transactions.v[1].producer_id, 5);
	assert_int_equal(p.aborted_transactions.v[1].first_offset, 0);
	p = fetch(3, 1);
	assert_int_equal(p.aborted_transactions.n, 1);
	assert_int_equal(p.aborted_transactions.v[0].producer_id, 5);
	assert_int_equal(fetch(4, 1).aborted_transactions.n, 0);
	assert_int_equal(fetch(0, 0).aborted_transactions.n, -1);
}

/* More than one answer of the kernel has room for. */
static void fetch_committed__lists_many(void **state)
{
	struct kafka_fetch_response_partition p;

	(void)state;
	for (int32_t i = 0; i < 300; i++) {
		write_txn(5 + i % 3, i / 3);
		end_txn(5 + i % 3, i % 4 == 3);
	}
	p = fetch(0, 1);
	assert_int_equal(end_of(p.records), 600);
	assert_int_equal(p.aborted_transactions.n, 225);
	for (int32_t i = 0, at = 0; i < 300; i++) {
		if (i % 4 == 3)
			continue;
		assert_int_equal(p.aborted_transactions.v[at].producer_id, 5 + i % 3);
		assert_int_equal(p.aborted_transactions.v[at++].first_offset, 2 * i);
	}
}

/* Who waits for committed records is woken by the end of the transaction. */
static void fetch_committed__waits_for_the_end(void **state)
{
	struct kafka_fetch_response_partition p;

	(void)state;
	fetch_send(0, 1, 30000);
	write_txn(5, 0);
	client_quiet(&client, 200);
	end_txn(5, true);
	p = fetch_receive();
	assert_int_equal(end_of(p.records), 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, client_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fetch_committed__ends_at_the_last_stable_offset),
		TEST(fetch_committed__lists_what_was_aborted),
		TEST(fetch_committed__lists_many),
		TEST(fetch_committed__waits_for_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
