/* SPDX-License-Identifier: Apache-2.0 */
/* Chance, which a seed repeats. */
#ifndef TESTS_SIM_RANDOM_H
#define TESTS_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

void sim_seed(uint64_t seed);

/** sim_random() - below @n, which is not 0. */
uint32_t sim_random(uint32_t n);

/** sim_one_in() - true once in @n times. */
static inline bool sim_one_in(uint32_t n)
{
	return sim_random(n) == 0;
}

#endif /* TESTS_SIM_RANDOM_H */
