/* SPDX-License-Identifier: Apache-2.0 */
/* Simulated lives, each from a seed, which says all that is random in it. */
#ifndef TESTS_DAEMON_LIVES_H
#define TESTS_DAEMON_LIVES_H

#include <stdbool.h>
#include <stdint.h>

/** must - stop the test, naming the seed, unless it @holds */
void must(bool holds, const char *what);

/** below - a random number less than @n */
uint32_t below(uint32_t n);

/** lives_main - call @live for each seed; arguments: [SEED [COUNT]]; @whose: for the report */
int lives_main(int argc, char **argv, void (*live)(void), const char *whose);

#endif /* TESTS_DAEMON_LIVES_H */
