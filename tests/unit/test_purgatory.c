// SPDX-License-Identifier: Apache-2.0
/* What waits for data and for receipts, over a data socket that only counts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/kafka/fetch_purgatory.h"
#include "daemon/kafka/produce_purgatory.h"

#define PARTITIONS 3

static struct reactor r;
static struct fetch_purgatory fetches;
static struct produce_purgatory produces;
static int set_calls;
static int set_error;
static int64_t set_offset[PARTITIONS]; /* of the armed watch, -1 if there is none */

/* The data socket. */
int data_socket_watch(struct data_socket *ds, const struct sluice_watch *w, size_t n)
{
	(void)ds;
	set_calls++;
	if (set_error)
		return set_error;
	while (n--)
		set_offset[w[n].partition] = w[n].offset;
	return 0;
}

struct waiting_fetch {
	struct parked_fetch parked;
	struct fetch_interest interests[PARTITIONS];
	struct sluice_watch watches[PARTITIONS];
	int woken;
	bool timed_out;
};

static void wake_fetch(struct parked_fetch *p)
{
	struct waiting_fetch *f = list_entry(p, struct waiting_fetch, parked);

	f->woken++;
	f->timed_out = p->timed_out;
}

static void park(struct waiting_fetch *f, int n, int64_t offset, int64_t wait_ms)
{
	f->parked.wake = wake_fetch;
	for (int i = 0; i < n; i++)
		f->watches[i] =
			(struct sluice_watch){.topic_id = {9}, .partition = i, .offset = offset};
	assert_int_equal(fetch_park(&fetches, &f->parked, f->interests, f->watches, (size_t)n,
				    r.now_ms + wait_ms),
			 0);
}

static void fire(int partition)
{
	const struct sluice_event ev = {
		.type = SLUICE_EVENT_WATCH, .topic_id = {9}, .partition = partition};

	set_offset[partition] = -1;
	fetch_purgatory_event(&fetches, &ev);
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(reactor_init(&r, NULL), 0);
	fetch_purgatory_init(&fetches, &r, NULL);
	produce_purgatory_init(&produces, &r);
	set_calls = 0;
	set_error = 0;
	for (int i = 0; i < PARTITIONS; i++)
		set_offset[i] = -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	reactor_destroy(&r);
	fetch_purgatory_free(&fetches);
	produce_purgatory_free(&produces);
	return 0;
}

static void fetch__wakes_once_for_several_partitions(void **state)
{
	struct waiting_fetch f = {0};

	(void)state;
	park(&f, 3, 100, 10000);
	assert_int_equal(set_calls, 1);
	assert_int_equal(set_offset[2], 100);
	fire(0);
	fire(2);
	assert_int_equal(f.woken, 0);
	reactor_round(&r, 0);
	assert_int_equal(f.woken, 1);
	assert_false(f.timed_out);
	/* The watch that did not fire is still there for the next one. */
	assert_int_equal(fetches.watches.count, 1);
	park(&f, 3, 105, 10000);
	assert_int_equal(set_offset[0], 105);
	assert_int_equal(set_offset[1], 100);
	assert_int_equal(set_offset[2], 105);
	fetch_unpark(&f.parked);
}

static void fetch__one_watch_for_all(void **state)
{
	struct waiting_fetch f[5] = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		park(&f[i], 1, 100 + i, 10000);
	/* The first has the lowest offset: it fires for everybody. */
	assert_int_equal(set_calls, 1);
	assert_int_equal(set_offset[0], 100);
	fire(0);
	reactor_round(&r, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(f[i].woken, 1);
	assert_int_equal(fetches.watches.count, 0);
}

static void fetch__times_out(void **state)
{
	struct waiting_fetch f = {0};

	(void)state;
	park(&f, 1, 100, 10);
	while (!f.woken)
		reactor_round(&r, -1);
	assert_true(f.timed_out);
	/* An idle consumer asks again: the kernel need not be told. */
	f = (struct waiting_fetch){0};
	park(&f, 1, 100, 10);
	assert_int_equal(set_calls, 1);
	fire(0);
	reactor_round(&r, 0);
	assert_int_equal(f.woken, 1);
	assert_false(f.timed_out);
}

static void fetch__unpark_forgets_even_a_wake_that_is_queued(void **state)
{
	struct waiting_fetch f = {0};

	(void)state;
	park(&f, 2, 100, 0);
	fire(0);
	fetch_unpark(&f.parked);
	reactor_round(&r, 10);
	assert_int_equal(f.woken, 0);
	fire(1);
	assert_int_equal(fetches.watches.count, 0);
	fire(1);
}

static void fetch__ends_by_its_timeout_if_watches_are_refused(void **state)
{
	struct waiting_fetch f = {0};

	(void)state;
	set_error = -ENOBUFS;
	park(&f, 2, 100, 5);
	while (!f.woken)
		reactor_round(&r, -1);
	assert_true(f.timed_out);
	assert_int_equal(fetches.watches.count, 0);
}

struct waiting_produce {
	struct parked_produce parked;
	int receipts;
	uint32_t last_index;
	int woken;
};

static void on_receipt(struct parked_produce *p, uint32_t index, const struct sluice_event *ev)
{
	struct waiting_produce *w = list_entry(p, struct waiting_produce, parked);

	assert_int_equal(ev->offset, index + 1000);
	w->receipts++;
	w->last_index = index;
}

static void wake_produce(struct parked_produce *p)
{
	list_entry(p, struct waiting_produce, parked)->woken++;
}

static void begin(struct waiting_produce *w, uint32_t outstanding)
{
	w->parked.receipt = on_receipt;
	w->parked.wake = wake_produce;
	assert_int_equal(produce_begin(&produces, &w->parked), 0);
	w->parked.outstanding = outstanding;
}

static void receive(uint64_t cookie)
{
	const struct sluice_event ev = {.type = SLUICE_EVENT_RECEIPT,
					.cookie = cookie,
					.offset = (int64_t)(cookie % PRODUCE_BATCHES_MAX) + 1000};

	produce_purgatory_receipt(&produces, &ev);
}

static void produce__wakes_with_the_last_receipt(void **state)
{
	struct waiting_produce a = {0}, b = {0};

	(void)state;
	begin(&a, 2);
	begin(&b, 1);
	produce_park(&a.parked, r.now_ms + 10000);
	receive(produce_cookie(&a.parked, 7));
	reactor_round(&r, 0);
	assert_int_equal(a.woken, 0);
	assert_int_equal(a.last_index, 7);
	receive(produce_cookie(&b.parked, 0));
	assert_int_equal(b.receipts, 1);
	receive(produce_cookie(&a.parked, PRODUCE_BATCHES_MAX - 1));
	assert_int_equal(a.woken, 0);
	reactor_round(&r, 0);
	assert_int_equal(a.woken, 1);
	assert_int_equal(a.receipts, 2);
	/* It was not parked: whoever began it sees that nothing is outstanding. */
	assert_int_equal(b.woken, 0);
	produce_end(&b.parked);
	assert_int_equal(produces.waiting.count, 0);
}

static void produce__times_out_and_ignores_what_is_late(void **state)
{
	struct waiting_produce a = {0};
	uint64_t cookie;

	(void)state;
	begin(&a, 1);
	cookie = produce_cookie(&a.parked, 0);
	produce_park(&a.parked, r.now_ms + 5);
	while (!a.woken)
		reactor_round(&r, -1);
	receive(cookie);
	reactor_round(&r, 0);
	assert_int_equal(a.receipts, 0);
	assert_int_equal(a.woken, 1);
}

static void produce__end_forgets_a_wake_that_is_queued(void **state)
{
	struct waiting_produce a = {0};

	(void)state;
	begin(&a, 1);
	produce_park(&a.parked, r.now_ms + 10000);
	receive(produce_cookie(&a.parked, 0));
	produce_end(&a.parked);
	produce_end(&a.parked);
	reactor_round(&r, 0);
	assert_int_equal(a.woken, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fetch__wakes_once_for_several_partitions, setup,
						teardown),
		cmocka_unit_test_setup_teardown(fetch__one_watch_for_all, setup, teardown),
		cmocka_unit_test_setup_teardown(fetch__times_out, setup, teardown),
		cmocka_unit_test_setup_teardown(fetch__unpark_forgets_even_a_wake_that_is_queued,
						setup, teardown),
		cmocka_unit_test_setup_teardown(fetch__ends_by_its_timeout_if_watches_are_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(produce__wakes_with_the_last_receipt, setup,
						teardown),
		cmocka_unit_test_setup_teardown(produce__times_out_and_ignores_what_is_late, setup,
						teardown),
		cmocka_unit_test_setup_teardown(produce__end_forgets_a_wake_that_is_queued, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
