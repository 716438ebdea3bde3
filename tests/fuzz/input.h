/* SPDX-License-Identifier: Apache-2.0 */
/* A fuzzer's input, taken byte by byte. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include "port.h"

struct input {
	const u8 *next;
	size_t left;
};

/* 0 once all is taken. */
static inline u8 take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->next++;
}

#endif /* TESTS_FUZZ_INPUT_H */
