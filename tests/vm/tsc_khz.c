// SPDX-License-Identifier: Apache-2.0
/*
 * Print how fast the time stamp counter runs, in kHz.
 *
 * An emulated CPU shows this machine's counter. A kernel that has to find its
 * rate by itself while the machine is busy finds a wrong one, and then every
 * second inside has another length.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define MEASURE_NS 100000000ULL

struct reading {
	uint64_t ns;
	uint64_t ticks;
};

/* The clock read between two readings of the counter that are close together. */
static struct reading read_both(void)
{
	struct reading best = {0};
	uint64_t width = UINT64_MAX;

	for (int i = 0; i < 100; i++) {
		struct timespec ts;
		uint64_t before = __rdtsc(), after;

		clock_gettime(CLOCK_MONOTONIC, &ts);
		after = __rdtsc();
		if (after - before < width) {
			width = after - before;
			best.ns = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
			best.ticks = before + width / 2;
		}
	}
	return best;
}

int main(void)
{
	struct timespec wait = {.tv_nsec = MEASURE_NS};
	struct reading from = read_both(), to;

	nanosleep(&wait, NULL);
	to = read_both();
	printf("%llu\n",
	       (unsigned long long)((to.ticks - from.ticks) * 1000000 / (to.ns - from.ns)));
	return 0;
}
