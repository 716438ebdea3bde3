// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "tests/daemon/lives.h"

#define SEEDS 150

static uint64_t seed;
static uint64_t state;

void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, what);
	abort();
}

/* SplitMix64. */
uint32_t below(uint32_t n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) % n);
}

int lives_main(int argc, char **argv, void (*live)(void), const char *whose)
{
	uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : argc > 1 ? 1 : SEEDS;

	for (uint64_t i = 0; i < count; i++) {
		seed = first + i;
		state = seed;
		live();
	}
	printf("1..1\nok 1 - %llu lives of %s\n", (unsigned long long)count, whose);
	return 0;
}
