// SPDX-License-Identifier: Apache-2.0
#include <nmmintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "tests/bench/measure.h"

int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

void samples_add(struct samples *s, int64_t value)
{
	if (s->n == s->capacity) {
		s->capacity = s->capacity ? s->capacity * 2 : 1024;
		s->values = realloc(s->values, s->capacity * sizeof(*s->values));
		if (!s->values)
			abort();
	}
	s->values[s->n++] = value;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t samples_percentile(struct samples *s, double p)
{
	size_t i = (size_t)((double)s->n * p / 100);

	qsort(s->values, s->n, sizeof(*s->values), compare);
	return s->values[i < s->n ? i : s->n - 1];
}

int64_t samples_median(struct samples *s)
{
	return samples_percentile(s, 50);
}

void row(const char *what, const char *unit, double ours, double reference, double goal)
{
	printf("{\"what\": \"%s\", \"unit\": \"%s\", \"ours\": %.0f, \"reference\": %.0f, "
	       "\"goal\": %g}\n",
	       what, unit, ours, reference, goal);
	fflush(stdout);
}

/* Four bars for each power of two. */
static int64_t bar_above(int64_t bar)
{
	int64_t power = 4;

	while (power * 2 <= bar)
		power *= 2;
	return bar + power / 4;
}

void histogram(const char *what, const char *unit, struct samples *s)
{
	const char *separator = "";
	size_t i = 0;

	/* Sorts them. */
	samples_median(s);
	printf("{\"histogram\": \"%s\", \"unit\": \"%s\", \"bars\": [", what, unit);
	for (int64_t bar = 64; i < s->n; bar = bar_above(bar)) {
		size_t first = i;

		while (i < s->n && s->values[i] <= bar)
			i++;
		if (i == first)
			continue;
		printf("%s[%lld, %zu]", separator, (long long)bar, i - first);
		separator = ", ";
	}
	printf("]}\n");
	fflush(stdout);
}

#define STEP 128 /* a loop's own instructions then cost little beside the CRC's */

__attribute__((target("sse4.2"))) uint32_t crc32c(const void *p, size_t len)
{
	const uint8_t *bytes = p;
	uint64_t crc = UINT32_MAX;

	for (; len >= STEP; bytes += STEP, len -= STEP) {
		uint64_t words[STEP / 8];

		memcpy(words, bytes, STEP);
#pragma GCC unroll 16
		for (size_t i = 0; i < STEP / 8; i++)
			crc = _mm_crc32_u64(crc, words[i]);
	}
	while (len--)
		crc = _mm_crc32_u8((uint32_t)crc, *bytes++);
	return ~(uint32_t)crc;
}
