// SPDX-License-Identifier: Apache-2.0
/*
 * The transaction coordinator as a state machine, and its records. What is
 * expected is what Apache Kafka's TransactionCoordinator does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/daemon/txn_world.h"

#define ID	   "payments"
#define TIMEOUT_MS 60000

static struct txn_world w;

/** struct got - the answer of a call */
struct got {
	int answers;
	int16_t code;
	int64_t id;
	int16_t epoch;
};

struct initer {
	struct txn_init_call call;
	struct got got;
};

struct adder {
	struct txn_add_call call;
	struct txn_place places[2];
	struct got got;
};

struct ender {
	struct txn_end_call call;
	struct got got;
};

static void inited(struct txn_init_call *call, int16_t code, int64_t id, int16_t epoch)
{
	struct got *g = &list_entry(call, struct initer, call)->got;

	*g = (struct got){g->answers + 1, code, id, epoch};
}

static void added(struct txn_add_call *call, int16_t code)
{
	struct got *g = &list_entry(call, struct adder, call)->got;

	*g = (struct got){g->answers + 1, code, -1, -1};
}

static void ended(struct txn_end_call *call, int16_t code, int64_t id, int16_t epoch)
{
	struct got *g = &list_entry(call, struct ender, call)->got;

	*g = (struct got){g->answers + 1, code, id, epoch};
}

/* As a producer that goes on with @from, or, if that is NULL, as a new one. */
static void init_begin(struct initer *i, const struct got *from)
{
	*i = (struct initer){
		.call =
			{
				.id = kafka_str_from(ID),
				.timeout_ms = TIMEOUT_MS,
				.expects = from != NULL,
				.expected_id = from ? from->id : -1,
				.expected_epoch = from ? from->epoch : -1,
				.answer = inited,
			},
	};
	txn_init(&w.c, &i->call);
}

static struct got init_from(const struct got *from)
{
	struct initer i;

	init_begin(&i, from);
	txn_world_settle(&w);
	assert_int_equal(i.got.answers, 1);
	return i.got;
}

static struct txn_producer producer(const struct got *p, int16_t version)
{
	return (struct txn_producer){kafka_str_from(ID), p->id, p->epoch, version};
}

static void add_begin(struct adder *a, const struct got *p, int16_t version, int32_t partition)
{
	*a = (struct adder){.places = {{kafka_str_from("t"), partition}}};
	a->call = (struct txn_add_call){
		.producer = producer(p, version),
		.places = a->places,
		.n = 1,
		.answer = added,
	};
	txn_add(&w.c, &a->call);
}

static int16_t add(const struct got *p, int16_t version, int32_t partition)
{
	struct adder a;

	add_begin(&a, p, version, partition);
	world_flush_all(&w.world);
	assert_int_equal(a.got.answers, 1);
	return a.got.code;
}

static void end_begin(struct ender *e, const struct got *p, int16_t version, bool commit)
{
	*e = (struct ender){
		.call = {.producer = producer(p, version), .commit = commit, .answer = ended},
	};
	txn_end(&w.c, &e->call);
}

static struct got end(const struct got *p, int16_t version, bool commit)
{
	struct ender e;

	end_begin(&e, p, version, commit);
	txn_world_settle(&w);
	assert_int_equal(e.got.answers, 1);
	return e.got;
}

static struct txn *txn(void)
{
	int16_t code;
	struct txn *t = txn_find(&w.c, kafka_str_from(ID), &code);

	assert_int_equal(code, 0);
	return t;
}

static int set_up(void **state)
{
	(void)state;
	txn_world_init(&w);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	txn_world_free(&w);
	return 0;
}

static void init__gives_the_next_epoch_each_time(void **state)
{
	struct got first, second;

	(void)state;
	first = init_from(NULL);
	assert_int_equal(first.code, 0);
	assert_int_equal(first.epoch, 0);
	second = init_from(NULL);
	assert_int_equal(second.id, first.id);
	assert_int_equal(second.epoch, 1);
	/* KIP-360: who goes on with its epoch gets the next; a retry of that gets the same again. */
	first = init_from(&second);
	assert_int_equal(first.epoch, 2);
	assert_int_equal(init_from(&second).epoch, 2);
	second.epoch = 0;
	assert_int_equal(init_from(&second).code, KAFKA_ERROR_PRODUCER_FENCED);
	second.id++;
	second.epoch = 2;
	assert_int_equal(init_from(&second).code, KAFKA_ERROR_PRODUCER_FENCED);
}

static void init__is_answered_when_the_log_has_it(void **state)
{
	struct initer i, j;

	(void)state;
	init_begin(&i, NULL);
	assert_int_equal(i.got.answers, 0);
	init_begin(&j, NULL);
	assert_int_equal(j.got.code, KAFKA_ERROR_CONCURRENT_TRANSACTIONS);
	world_flush(&w.world, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	assert_int_equal(i.got.code, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
	assert_null(txn());
}

static void init__refuses_what_cannot_be(void **state)
{
	struct initer i = {.call = {.id = kafka_str_from(""), .timeout_ms = 1, .answer = inited}};

	(void)state;
	txn_init(&w.c, &i.call);
	assert_int_equal(i.got.code, KAFKA_ERROR_INVALID_REQUEST);
	i.call.id = kafka_str_from(ID);
	i.call.timeout_ms = 900001;
	txn_init(&w.c, &i.call);
	assert_int_equal(i.got.code, KAFKA_ERROR_INVALID_TRANSACTION_TIMEOUT);
	i.call.timeout_ms = 0;
	txn_init(&w.c, &i.call);
	assert_int_equal(i.got.code, KAFKA_ERROR_INVALID_TRANSACTION_TIMEOUT);
}

static void init__takes_a_new_id_when_epochs_are_used_up(void **state)
{
	struct got p = init_from(NULL), next;

	(void)state;
	txn()->now.producer_epoch = TXN_EPOCH_LAST;
	p.epoch = TXN_EPOCH_LAST;
	next = init_from(&p);
	assert_int_equal(next.code, 0);
	assert_int_not_equal(next.id, p.id);
	assert_int_equal(next.epoch, 0);
	/* The answer was lost: it asks again as who it was. */
	assert_int_equal(init_from(&p).id, next.id);
}

static void init__aborts_what_is_open_first(void **state)
{
	struct got old = init_from(NULL), p;
	struct initer i;

	(void)state;
	assert_int_equal(add(&old, 0, 0), 0);
	assert_int_equal(txn_world_produce(&w, 0, old.id, old.epoch, 7), 0);
	init_begin(&i, NULL);
	world_flush(&w.world, 0);
	assert_int_equal(i.got.code, KAFKA_ERROR_CONCURRENT_TRANSACTIONS);
	assert_int_equal(txn()->now.state, TXN_PREPARE_ABORT);
	init_begin(&i, NULL);
	assert_int_equal(i.got.code, KAFKA_ERROR_CONCURRENT_TRANSACTIONS);
	txn_world_settle(&w);
	assert_int_equal(txn_world_fate(&w, 0, 7), FATE_ABORTED);
	/* Its marker has a later epoch: what comes late is refused by the log itself. */
	assert_int_equal(txn_world_produce(&w, 0, old.id, old.epoch, 8), -ESTALE);
	p = init_from(NULL);
	assert_int_equal(p.code, 0);
	assert_int_equal(p.epoch, 2);
	assert_int_equal(add(&old, 0, 0), KAFKA_ERROR_PRODUCER_FENCED);
	assert_int_equal(end(&old, 0, true).code, KAFKA_ERROR_PRODUCER_FENCED);
}

static void end__of_old_producers_keeps_the_epoch(void **state)
{
	struct got p = init_from(NULL), e;
	struct ender early;

	(void)state;
	assert_int_equal(end(&p, 0, true).code, KAFKA_ERROR_INVALID_TXN_STATE);
	assert_int_equal(add(&p, 0, 1), 0);
	txn_world_produce(&w, 1, p.id, p.epoch, 7);
	end_begin(&early, &p, 0, true);
	assert_int_equal(early.got.answers, 0);
	world_flush(&w.world, 0);
	/* It is answered when it is decided; the rest comes by itself. */
	assert_int_equal(early.got.code, 0);
	assert_int_equal(add(&p, 0, 2), KAFKA_ERROR_CONCURRENT_TRANSACTIONS);
	end_begin(&early, &p, 0, true);
	assert_int_equal(early.got.code, KAFKA_ERROR_CONCURRENT_TRANSACTIONS);
	txn_world_settle(&w);
	assert_int_equal(txn_world_fate(&w, 1, 7), FATE_COMMITTED);
	assert_int_equal(txn()->now.state, TXN_COMPLETE_COMMIT);
	assert_int_equal(txn()->n, 0);
	e = end(&p, 0, true);
	assert_int_equal(e.code, 0);
	assert_int_equal(e.epoch, -1);
	assert_int_equal(end(&p, 0, false).code, KAFKA_ERROR_INVALID_TXN_STATE);
	assert_int_equal(txn()->now.producer_epoch, p.epoch);
}

/* The table in TransactionCoordinator.endTransaction(). */
static void end__of_new_producers_bumps_the_epoch(void **state)
{
	struct got p = init_from(NULL), next, again;

	(void)state;
	assert_int_equal(end(&p, 2, true).code, KAFKA_ERROR_INVALID_TXN_STATE);
	next = end(&p, 2, false);
	assert_int_equal(next.code, 0);
	assert_int_equal(next.epoch, p.epoch + 1);
	p = next;
	assert_int_equal(add(&p, 2, 1), 0);
	txn_world_produce(&w, 1, p.id, p.epoch, 7);
	next = end(&p, 2, true);
	assert_int_equal(next.code, 0);
	assert_int_equal(next.epoch, p.epoch + 1);
	assert_int_equal(txn_world_fate(&w, 1, 7), FATE_COMMITTED);
	assert_int_equal(txn_world_produce(&w, 1, p.id, p.epoch, 8), -ESTALE);
	/* Its answer was lost: the same again, and nothing else. */
	again = end(&p, 2, true);
	assert_int_equal(again.code, 0);
	assert_int_equal(again.epoch, next.epoch);
	assert_int_equal(end(&p, 2, false).code, KAFKA_ERROR_INVALID_TXN_STATE);
	assert_int_equal(end(&next, 2, true).code, KAFKA_ERROR_INVALID_TXN_STATE);
	again = end(&next, 2, false);
	assert_int_equal(again.code, 0);
	assert_int_equal(again.epoch, next.epoch + 1);
}

static void end__gives_a_new_id_when_epochs_are_used_up(void **state)
{
	struct got p = init_from(NULL), next;

	(void)state;
	txn()->now.producer_epoch = TXN_EPOCH_LAST;
	p.epoch = TXN_EPOCH_LAST;
	assert_int_equal(add(&p, 2, 0), 0);
	next = end(&p, 2, true);
	assert_int_equal(next.code, 0);
	assert_int_not_equal(next.id, p.id);
	assert_int_equal(next.epoch, 0);
	assert_int_equal(txn()->now.producer_id, next.id);
	assert_int_equal(end(&p, 2, true).id, next.id);
}

static void verify__knows_what_is_in_the_log_only(void **state)
{
	struct got p = init_from(NULL);
	struct txn_producer self = producer(&p, 0);
	struct txn_place place = {kafka_str_from("t"), 0};
	struct adder a;

	(void)state;
	assert_int_equal(txn_verify(&w.c, &self, &place, 1), KAFKA_ERROR_TRANSACTION_ABORTABLE);
	add_begin(&a, &p, 0, 0);
	assert_int_equal(txn_verify(&w.c, &self, &place, 1), KAFKA_ERROR_TRANSACTION_ABORTABLE);
	txn_world_settle(&w);
	assert_int_equal(txn_verify(&w.c, &self, &place, 1), 0);
	self.epoch++;
	assert_int_equal(txn_verify(&w.c, &self, &place, 1), KAFKA_ERROR_PRODUCER_FENCED);
	self.producer_id++;
	assert_int_equal(txn_verify(&w.c, &self, &place, 1),
			 KAFKA_ERROR_INVALID_PRODUCER_ID_MAPPING);
}

static void guard__holds_the_markers_back(void **state)
{
	struct got p = init_from(NULL);
	struct txn_producer self = producer(&p, 0);
	struct txn_guard *g;

	(void)state;
	assert_int_equal(add(&p, 0, 0), 0);
	g = txn_guard(&w.c, &self);
	assert_int_equal(end(&p, 0, true).code, 0);
	world_pass(&w.world, 1000);
	assert_int_equal(w.data[0].n, 0);
	assert_int_equal(txn_world_produce(&w, 0, p.id, p.epoch, 7), 0);
	txn_guard_put(g);
	world_pass(&w.world, 1000);
	assert_int_equal(txn_world_fate(&w, 0, 7), FATE_COMMITTED);
	/* One that outlives the coordinator's knowledge of the id. */
	txn_world_settle(&w);
	g = txn_guard(&w.c, &self);
	txn_world_crash(&w, 0);
	txn_guard_put(g);
}

static void timeout__aborts_and_fences(void **state)
{
	struct got p = init_from(NULL);

	(void)state;
	assert_int_equal(add(&p, 2, 0), 0);
	txn_world_produce(&w, 0, p.id, p.epoch, 7);
	world_pass(&w.world, TIMEOUT_MS);
	txn_abort_timed_out(&w.c);
	assert_int_equal(txn()->moving, false);
	world_pass(&w.world, 1);
	txn_abort_timed_out(&w.c);
	txn_world_settle(&w);
	assert_int_equal(txn_world_fate(&w, 0, 7), FATE_ABORTED);
	assert_int_equal(txn()->now.state, TXN_COMPLETE_ABORT);
	assert_int_equal(add(&p, 2, 0), KAFKA_ERROR_PRODUCER_FENCED);
}

static void markers__are_tried_again(void **state)
{
	struct got p = init_from(NULL);

	(void)state;
	assert_int_equal(add(&p, 0, 0), 0);
	assert_int_equal(add(&p, 0, TXN_WORLD_DATA),
			 0); /* it is deleted: there is nothing to mark */
	w.mark_error = -EIO;
	assert_int_equal(end(&p, 0, true).code, 0);
	assert_int_equal(txn()->now.state, TXN_PREPARE_COMMIT);
	w.mark_error = 0;
	world_pass(&w.world, 1000);
	assert_true(txn_world_mark_done(&w, -EIO));
	assert_int_equal(txn()->now.state, TXN_PREPARE_COMMIT);
	world_pass(&w.world, 1000);
	txn_world_settle(&w);
	assert_int_equal(txn()->now.state, TXN_COMPLETE_COMMIT);
}

static void crash__goes_on_with_what_was_decided(void **state)
{
	struct got p = init_from(NULL);
	struct ender e;

	(void)state;
	assert_int_equal(add(&p, 2, 0), 0);
	assert_int_equal(add(&p, 2, 3), 0);
	txn_world_produce(&w, 3, p.id, p.epoch, 7);
	txn_world_crash(&w, 0);
	assert_int_equal(txn()->now.state, TXN_ONGOING);
	assert_int_equal(txn()->n, 2);
	assert_int_equal(txn()->now.timeout_ms, TIMEOUT_MS);
	end_begin(&e, &p, 2, true);
	world_flush(&w.world, 0);
	assert_int_equal(e.got.code, 0);
	txn_world_crash(&w, 0);
	txn_world_settle(&w);
	assert_int_equal(txn()->now.state, TXN_COMPLETE_COMMIT);
	assert_int_equal(txn_world_fate(&w, 3, 7), FATE_COMMITTED);
	assert_int_equal(txn()->now.producer_epoch, p.epoch + 1);
}

static void expire__forgets_ids_that_nobody_uses(void **state)
{
	struct got p = init_from(NULL);

	(void)state;
	assert_int_equal(add(&p, 0, 0), 0);
	world_pass(&w.world, w.settings.id_expiration_ms + 1);
	txn_expire(&w.c);
	assert_non_null(txn());
	assert_int_equal(end(&p, 0, false).code, 0);
	world_pass(&w.world, w.settings.id_expiration_ms);
	txn_expire(&w.c);
	txn_world_settle(&w);
	assert_null(txn());
	txn_world_crash(&w, 0);
	assert_null(txn());
}

static void partition__is_served_when_it_is_loaded(void **state)
{
	int32_t partition = key_partition(kafka_str_from(ID), TXN_WORLD_PARTITIONS);
	struct initer i;

	(void)state;
	w.c.partitions.state[partition] = PARTITION_LOADING;
	init_begin(&i, NULL);
	assert_int_equal(i.got.code, KAFKA_ERROR_COORDINATOR_LOAD_IN_PROGRESS);
	txn_coordinator_loaded(&w.c, partition);
	init_begin(&i, NULL);
	txn_coordinator_close(&w.c, partition);
	txn_world_settle(&w);
	assert_int_equal(i.got.code, KAFKA_ERROR_NOT_COORDINATOR);
}

/* As TransactionLogValue.json of Kafka 4.3 lays it out; its dump tool reads what is written. */
static const uint8_t golden_value[] = {
	0x00, 0x01,						    /* version */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xe8,		    /* producer id 1000 */
	0x00, 0x05,						    /* epoch */
	0x00, 0x00, 0xea, 0x60,					    /* timeout 60000 */
	0x01,							    /* Ongoing */
	0x02, 0x02, 't',  0x03,					    /* topic t, two partitions */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03,		    /* 0 and 3 */
	0x00,							    /* no tags of it */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,		    /* last update */
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01,		    /* start */
	0x02,							    /* two tags */
	0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xe8, /* previous producer id */
	0x02, 0x02, 0x00, 0x02,					    /* client's version */
};

static void record__is_kafkas(void **state)
{
	static const uint8_t key[] = {0, 0, 0, 2, 'i', 'd'};
	const struct txn_value v = {
		.producer_id = 1000,
		.previous_producer_id = 1000,
		.next_producer_id = -1,
		.producer_epoch = 5,
		.timeout_ms = 60000,
		.state = TXN_ONGOING,
		.update_ms = 2,
		.start_ms = 1,
		.client_version = 2,
	};
	const struct txn_place places[] = {{kafka_str_from("t"), 0}, {kafka_str_from("t"), 3}};
	struct txn_place *read_places;
	struct wire_writer writer;
	struct txn_value read;
	struct kafka_str id;
	struct arena a;
	struct buf buf;
	size_t n;

	(void)state;
	buf_init(&buf, 1024);
	wire_writer_init(&writer, &buf);
	txn_key_encode(&writer, kafka_str_from("id"));
	assert_int_equal(buf.len, sizeof(key));
	assert_memory_equal(buf.data, key, sizeof(key));
	assert_int_equal(txn_key_decode(key, sizeof(key), &id), 0);
	assert_true(kafka_str_equal(id, kafka_str_from("id")));
	txn_value_encode(&writer, &v, places, 2);
	assert_int_equal(buf.len - sizeof(key), sizeof(golden_value));
	assert_memory_equal(buf.data + sizeof(key), golden_value, sizeof(golden_value));
	arena_init(&a, SIZE_MAX);
	assert_int_equal(
		txn_value_decode(golden_value, sizeof(golden_value), &a, &read, &read_places, &n),
		0);
	buf.len = 0;
	txn_value_encode(&writer, &read, read_places, n);
	assert_int_equal(buf.len, sizeof(golden_value));
	assert_memory_equal(buf.data, golden_value, sizeof(golden_value));
	assert_int_equal(n, 2);
	assert_int_equal(read_places[1].partition, 3);
	for (size_t len = 0; len < sizeof(golden_value); len++)
		assert_int_not_equal(
			txn_value_decode(golden_value, len, &a, &read, &read_places, &n), 0);
	arena_free(&a);
	wire_writer_free(&writer);
	buf_free(&buf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(init__gives_the_next_epoch_each_time),
		TEST(init__is_answered_when_the_log_has_it),
		TEST(init__refuses_what_cannot_be),
		TEST(init__takes_a_new_id_when_epochs_are_used_up),
		TEST(init__aborts_what_is_open_first),
		TEST(end__of_old_producers_keeps_the_epoch),
		TEST(end__of_new_producers_bumps_the_epoch),
		TEST(end__gives_a_new_id_when_epochs_are_used_up),
		TEST(verify__knows_what_is_in_the_log_only),
		TEST(guard__holds_the_markers_back),
		TEST(timeout__aborts_and_fences),
		TEST(markers__are_tried_again),
		TEST(crash__goes_on_with_what_was_decided),
		TEST(expire__forgets_ids_that_nobody_uses),
		TEST(partition__is_served_when_it_is_loaded),
		cmocka_unit_test(record__is_kafkas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
