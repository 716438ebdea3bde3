/* SPDX-License-Identifier: Apache-2.0 */
/* The line at which a thread of a test broke: cmocka can fail in its own thread only. */
#ifndef TESTS_ENGINE_BROKEN_H
#define TESTS_ENGINE_BROKEN_H

#include <stdbool.h>

static inline void note_broken(int *broken, int line)
{
	int none = 0;

	__atomic_compare_exchange_n(broken, &none, line, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline bool is_broken(int *broken)
{
	return __atomic_load_n(broken, __ATOMIC_SEQ_CST) != 0;
}

/* In a function that gives -1 when it broke. */
#define CHECK(run, condition)                                  \
	do {                                                   \
		if (!(condition)) {                            \
			note_broken(&(run)->broken, __LINE__); \
			return -1;                             \
		}                                              \
	} while (0)

#endif /* TESTS_ENGINE_BROKEN_H */
