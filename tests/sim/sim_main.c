// SPDX-License-Identifier: Apache-2.0
/*
 * A log in a machine whose power is cut: the engine over simulated storage
 * (disk.h) and threads (fiber.h), compared with a model of it (model.h).
 *
 * usage: sim_log [SEED [COUNT]]
 *
 * Each seed is one life of a log: phases in which a few threads append, flush,
 * keep house, remove and truncate beside each other, calls of the port that fail,
 * power cuts at any point, recovery. What fails names its seed.
 */
#include "tests/sim/world.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 20 /* unless a number of seeds is given */

static unsigned long long seed;

const char *__lsan_default_suppressions(void);

/* A power cut ends the cleaner's thread where it is, with what the codecs have from malloc(). */
const char *__lsan_default_suppressions(void)
{
	return "leak:world_compact";
}

static void tell_seed(int signum)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "seed %llu\n", seed);

	(void)!write(2, text, (size_t)len);
	signal(signum, SIG_DFL);
	raise(signum);
}

int main(int argc, char **argv)
{
	unsigned long long first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	unsigned long long count = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
	time_t end = time(NULL) + SECONDS;

	signal(SIGABRT, tell_seed);
	port_warn_to(getenv("SIM_VERBOSE") ? stderr : NULL);
	if (argc == 2)
		count = 1;
	for (seed = first; count ? seed < first + count : time(NULL) < end; seed++)
		world_live(seed);
	printf("%llu lives: %u phases, %u power cuts, %u failures, %u compactions, "
	       "%u records acknowledged; %u clean stops, and %u with something left\n",
	       seed - first, world_stats.phases, world_stats.crashes, world_stats.failures,
	       world_stats.compactions, world_stats.acknowledged, world_stats.reopened,
	       world_stats.settled);
	return 0;
}
