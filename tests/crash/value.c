// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "tests/crash/value.h"

#define KEYS 16

uint32_t mix(uint32_t producer, uint32_t sequence)
{
	uint32_t x = producer * 2654435761U ^ (sequence + 1) * 2246822519U;

	x ^= x >> 15;
	x *= 2654435761U;
	return x ^ x >> 13;
}

size_t make_value(uint32_t producer, uint32_t sequence, char *text)
{
	uint32_t m = mix(producer, sequence);
	size_t len = 40 + (m & 7 ? m % 200 : m % (VALUE_MAX - 40));
	size_t n = (size_t)snprintf(text, VALUE_MAX, "r %" PRIu32 " %" PRIu32 " %zu ", producer,
				    sequence, len);

	for (; n < len; n++)
		text[n] = (char)('a' + (m + n * (1 + m % 7)) % 26);
	text[n] = '\0';
	return n;
}

bool value_is_right(const char *text, size_t len, uint32_t *producer, uint32_t *sequence)
{
	static char expected[VALUE_MAX + 1];

	if (sscanf(text, "r %" SCNu32 " %" SCNu32 " ", producer, sequence) != 2)
		return false;
	return make_value(*producer, *sequence, expected) == len && !memcmp(expected, text, len);
}

size_t make_key(uint32_t producer, uint32_t sequence, char *text)
{
	return (size_t)snprintf(text, KEY_MAX, "k%" PRIu32 ".%" PRIu32, producer,
				mix(producer, sequence) % KEYS);
}

bool is_tombstone(uint32_t producer, uint32_t sequence)
{
	return (mix(producer, sequence) >> 8) % 4 == 0;
}

size_t make_name(uint32_t producer, uint32_t sequence, char *text)
{
	return (size_t)snprintf(text, KEY_MAX, "%" PRIu32 " %" PRIu32, producer, sequence);
}
