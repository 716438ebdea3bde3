// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/fiber.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "tests/sim/random.h"

#define STACK_BYTES (512 * 1024)
#define FIRST	    2 /* 1 is who calls sim_run() */

/*
 * @waits_for: it cannot go on before this is 0
 * @sleeps: nor before so many points, unless nobody else can
 * @shadow: the sanitizer's part of the stack, while another runs
 */
struct fiber {
	ucontext_t context;
	void *stack;
	void (*fn)(void *ctx);
	void *ctx;
	bool alive;
	const int *waits_for;
	uint32_t sleeps;
	void *shadow;
};

static struct fiber fibers[SIM_FIBERS_MAX];
static ucontext_t main_context;
static const void *main_stack;
static size_t main_stack_bytes;
static struct {
	uint32_t count;
	int self;
	int spins;
	uint32_t points;
	uint32_t points_max;
	uint32_t restless;
} sim = {.self = 1};

static uint64_t random_state = 1;

void sim_seed(uint64_t seed)
{
	/* Not 0, and neighbours far from each other. */
	random_state = (seed + 1) * 0x9e3779b97f4a7c15ULL;
	if (!random_state)
		random_state = 1;
	for (int i = 0; i < 4; i++)
		sim_random(2);
}

uint32_t sim_random(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 32) % n);
}

int sim_self(void)
{
	return sim.self;
}

void sim_spin(int change)
{
	sim.spins += change;
}

uint32_t sim_points(void)
{
	return sim.points;
}

static struct fiber *self(void)
{
	return &fibers[sim.self - FIRST];
}

/* Back to sim_run(), which says who is next. */
static void give_way(void)
{
	struct fiber *f = self();

	__sanitizer_start_switch_fiber(f->alive ? &f->shadow : NULL, main_stack, main_stack_bytes);
	swapcontext(&f->context, &main_context);
	__sanitizer_finish_switch_fiber(f->shadow, &main_stack, &main_stack_bytes);
}

void sim_point(void)
{
	if (sim.self < FIRST || sim.spins)
		return;
	sim.points++;
	if (sim.points >= sim.points_max || sim_random(256) < sim.restless)
		give_way();
}

void sim_wait(const int *holder)
{
	/* Nobody else runs who could give it back. */
	if (sim.self < FIRST)
		abort();
	self()->waits_for = holder;
	give_way();
	self()->waits_for = NULL;
}

void sim_sleep(uint32_t points)
{
	if (sim.self < FIRST || sim.spins)
		return;
	self()->sleeps = sim.points + points;
	give_way();
	self()->sleeps = 0;
}

static void begin(void)
{
	struct fiber *f = self();

	__sanitizer_finish_switch_fiber(NULL, &main_stack, &main_stack_bytes);
	f->fn(f->ctx);
	f->alive = false;
	give_way();
}

void sim_spawn(void (*fn)(void *ctx), void *ctx)
{
	struct fiber *f = &fibers[sim.count++];

	assert(sim.count <= SIM_FIBERS_MAX);
	if (!f->stack) {
		f->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
		assert(f->stack != MAP_FAILED);
	}
	/* The one that had it may have been left in the middle of something. */
	__asan_unpoison_memory_region(f->stack, STACK_BYTES);
	f->fn = fn;
	f->ctx = ctx;
	f->alive = true;
	f->waits_for = NULL;
	f->sleeps = 0;
	f->shadow = NULL;
	getcontext(&f->context);
	f->context.uc_stack.ss_sp = f->stack;
	f->context.uc_stack.ss_size = STACK_BYTES;
	f->context.uc_link = NULL;
	makecontext(&f->context, begin, 0);
}

/* One that can go on; NULL if none is left. */
static struct fiber *choose(void)
{
	struct fiber *ready[SIM_FIBERS_MAX], *asleep = NULL;
	uint32_t count = 0, alive = 0;

	for (uint32_t i = 0; i < sim.count; i++) {
		struct fiber *f = &fibers[i];

		alive += f->alive;
		if (!f->alive || (f->waits_for && *f->waits_for))
			continue;
		if (f->sleeps <= sim.points)
			ready[count++] = f;
		else
			asleep = f;
	}
	if (!count && asleep)
		return asleep;
	if (alive && !count) {
		fprintf(stderr, "sim: all threads wait for each other\n");
		abort();
	}
	return count ? ready[sim_random(count)] : NULL;
}

bool sim_run(uint32_t points, uint32_t restless)
{
	struct fiber *f;
	void *shadow;
	bool ended;

	sim.points = 0;
	sim.points_max = points;
	sim.restless = restless;
	sim.spins = 0;
	while (sim.points < sim.points_max && (f = choose()) != NULL) {
		sim.self = (int)(f - fibers) + FIRST;
		__sanitizer_start_switch_fiber(&shadow, f->stack, STACK_BYTES);
		swapcontext(&main_context, &f->context);
		__sanitizer_finish_switch_fiber(shadow, NULL, NULL);
	}
	ended = true;
	for (uint32_t i = 0; i < sim.count; i++)
		ended = ended && !fibers[i].alive;
	sim.self = 1;
	sim.count = 0;
	return ended;
}
