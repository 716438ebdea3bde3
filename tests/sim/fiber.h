/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads of a simulated machine. One runs at a time, and it gives way to
 * another only where it calls sim_point(): at locks, at what is published, and
 * at each call of the port. Chance says when and to whom (random.h), so a seed
 * repeats a run exactly.
 */
#ifndef TESTS_SIM_FIBER_H
#define TESTS_SIM_FIBER_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_FIBERS_MAX 6

/** sim_self() - who runs; never 0. Outside of sim_run() it is 1. */
int sim_self(void);

/** sim_point() - others may go on here. */
void sim_point(void);

/** sim_wait() - others go on until *@holder is 0; nobody left to do so is a deadlock. */
void sim_wait(const int *holder);

/** sim_sleep() - others go on for so many points, if there are others. */
void sim_sleep(uint32_t points);

/** sim_spin() - a spin lock is taken (1) or given back (-1). */
void sim_spin(int change);

/** sim_spawn() - one more thread, for the next sim_run(). */
void sim_spawn(void (*fn)(void *ctx), void *ctx);

/**
 * sim_run() - let them run
 * @points: the power is cut after so many sim_point(); UINT32_MAX: not at all
 * @restless: in so many of 256 points another one goes on
 * Returns true if all came to their end. If not they never will: what they had
 * on their stacks is gone.
 */
bool sim_run(uint32_t points, uint32_t restless);

/** sim_points() - how many there were in the last sim_run(). */
uint32_t sim_points(void);

#endif /* TESTS_SIM_FIBER_H */
