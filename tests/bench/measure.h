/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measuring, and rows of the table that `make bench` prints. In a machine that
 * counts instructions a nanosecond is one executed instruction.
 */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/** now() - nanoseconds, or instructions. */
int64_t now(void);

/** struct samples - what single operations took; freed by the program's end */
struct samples {
	int64_t *values;
	size_t n;
	size_t capacity;
};

void samples_add(struct samples *s, int64_t value);

/** samples_percentile() - @p of 0 to 100; sorts. 100 is the largest. */
int64_t samples_percentile(struct samples *s, double p);

/** samples_median() - what an operation takes when nothing comes between. */
int64_t samples_median(struct samples *s);

/**
 * row() - print a row as a line of JSON
 * @what: measured how, with what
 * @ours, @reference: of the same unit; reference 0: there is none
 * @goal: ours / reference at most, or where there is no reference ours at most; 0: none
 */
void row(const char *what, const char *unit, double ours, double reference, double goal);

/**
 * histogram() - print how many took how long as a line of JSON
 * Bars are pairs: at most so much, and how many that the bar before has not.
 */
void histogram(const char *what, const char *unit, struct samples *s);

/** crc32c() - one pass with the processor's instruction, as fast as it goes. */
uint32_t crc32c(const void *p, size_t len);

#endif /* TESTS_BENCH_MEASURE_H */
