// SPDX-License-Identifier: Apache-2.0
/* The loop, its tasks, and letters from other threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/core/reactor.h"

#define LETTERS 20000

struct world {
	struct reactor r;
	int read_fd, write_fd;
	struct reactor_fd io;
	int seen;
	struct reactor_task task;
	struct timer timer;
};

static struct world *world;

static int setup(void **state)
{
	int fds[2];

	world = calloc(1, sizeof(*world));
	assert_int_equal(reactor_init(&world->r, world), 0);
	assert_int_equal(pipe(fds), 0);
	world->read_fd = fds[0];
	world->write_fd = fds[1];
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	reactor_destroy(&world->r);
	close(world->read_fd);
	close(world->write_fd);
	free(world);
	return 0;
}

static void on_io(struct reactor_fd *rfd, uint32_t events)
{
	char c;

	assert_int_equal(events & EPOLLIN, EPOLLIN);
	assert_int_equal(read(rfd->fd, &c, 1), 1);
	world->seen++;
}

static void round__calls_for_descriptors(void **state)
{
	(void)state;
	world->io = (struct reactor_fd){.fd = world->read_fd, .fn = on_io};
	assert_int_equal(reactor_add(&world->r, &world->io, EPOLLIN), 0);
	reactor_round(&world->r, 0);
	assert_int_equal(world->seen, 0);
	assert_int_equal(write(world->write_fd, "ab", 2), 2);
	reactor_round(&world->r, 1000);
	assert_int_equal(world->seen, 1);
	reactor_change(&world->r, &world->io, 0);
	reactor_round(&world->r, 0);
	assert_int_equal(world->seen, 1);
	reactor_change(&world->r, &world->io, EPOLLIN);
	reactor_remove(&world->r, &world->io);
	reactor_round(&world->r, 0);
	assert_int_equal(world->seen, 1);
}

static void again(struct reactor_task *t)
{
	assert_false(t->queued);
	world->seen++;
	reactor_defer(&world->r, t);
}

static void defer__does_not_keep_descriptors_waiting(void **state)
{
	(void)state;
	world->task.fn = again;
	reactor_defer(&world->r, &world->task);
	reactor_defer(&world->r, &world->task);
	/* A task that queues itself for ever: a round ends, and the next does not wait. */
	reactor_round(&world->r, -1);
	assert_int_equal(world->seen, 3);
	reactor_round(&world->r, -1);
	assert_int_equal(world->seen, 6);
	reactor_cancel(&world->task);
	reactor_round(&world->r, 0);
	assert_int_equal(world->seen, 6);
}

static void on_timer(struct timer *t)
{
	(void)t;
	world->seen++;
}

static void round__wakes_for_timers(void **state)
{
	int64_t begin = monotonic_ms();

	(void)state;
	world->timer.fn = on_timer;
	timer_set(&world->r.timers, &world->timer, begin + 20);
	while (!world->seen)
		reactor_round(&world->r, -1);
	assert_in_range(monotonic_ms() - begin, 20, 5000);
}

struct letter {
	struct mail mail;
	int number;
};

static int next_number[2];
static int undelivered;

static void deliver(struct mail *m, void *ctx)
{
	struct letter *l = list_entry(m, struct letter, mail);

	if (!ctx) {
		undelivered++;
	} else {
		assert_ptr_equal(ctx, world);
		assert_int_equal(l->number / 2, next_number[l->number % 2]++);
		world->seen++;
	}
	free(l);
}

static void post(int number)
{
	struct letter *l = malloc(sizeof(*l));

	l->mail.deliver = deliver;
	l->number = number;
	mailbox_post(reactor_mailbox(&world->r), &l->mail);
}

static void *post_many(void *arg)
{
	for (int i = 0; i < LETTERS; i++)
		post(i * 2 + (arg ? 1 : 0));
	return NULL;
}

static void mailbox__keeps_the_order_of_each_sender(void **state)
{
	pthread_t threads[2];

	(void)state;
	next_number[0] = next_number[1] = 0;
	assert_int_equal(pthread_create(&threads[0], NULL, post_many, NULL), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, post_many, world), 0);
	while (world->seen < LETTERS * 2)
		reactor_round(&world->r, 10000);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	reactor_round(&world->r, 0);
	assert_int_equal(world->seen, LETTERS * 2);
}

static void mailbox__tells_what_nobody_read(void **state)
{
	struct mailbox mb;
	struct letter *l = malloc(sizeof(*l));

	(void)state;
	undelivered = 0;
	assert_int_equal(mailbox_init(&mb), 0);
	l->mail.deliver = deliver;
	mailbox_post(&mb, &l->mail);
	mailbox_destroy(&mb);
	assert_int_equal(undelivered, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(round__calls_for_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(defer__does_not_keep_descriptors_waiting, setup,
						teardown),
		cmocka_unit_test_setup_teardown(round__wakes_for_timers, setup, teardown),
		cmocka_unit_test_setup_teardown(mailbox__keeps_the_order_of_each_sender, setup,
						teardown),
		cmocka_unit_test_setup_teardown(mailbox__tells_what_nobody_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
