/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a leader checks of the records of a batch, and makes of them (Kafka's
 * LogValidator): every record is well formed and has what its topic asks for,
 * and is stored in the topic's compression. No clock, no I/O: any thread may.
 */
#ifndef SLUICE_RECORDS_RECORD_CHECK_H
#define SLUICE_RECORDS_RECORD_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "kmod/log/batch.h"
#include "lib/codec.h"

/** RECORD_CODEC_PRODUCER - compression.type producer: batches stay as they are sent */
#define RECORD_CODEC_PRODUCER (-1)

/** struct record_codec - compression.type of a topic; @codec: SLUICE_COMPRESSION_* or PRODUCER */
struct record_codec {
	int codec;
	int level;
};

/**
 * struct record_rules - what a topic asks of its records
 * @keys: every record has a key (cleanup.policy compact)
 * @times: the times of records have bounds (CreateTime)
 * @before_max_ms, @after_max_ms: how far from @now_ms they may be then
 * @size_max: of a batch (max.message.bytes)
 */
struct record_rules {
	bool keys;
	bool times;
	int64_t before_max_ms;
	int64_t after_max_ms;
	int64_t now_ms;
	uint32_t size_max;
	struct record_codec target;
};

/** struct record_error - a record that is refused; @why is static */
struct record_error {
	int32_t index;
	const char *why;
};

/* So many are listed. */
#define RECORD_ERRORS_MAX 1000

/**
 * struct record_check - a batch to be checked; zero what is not said to be set
 * @batch: set: one whole batch whose header was read into @b, also set. Its
 *	largest time is made right, if it was wrong
 * @rules: set
 * @code: Kafka's error code
 * @why: a sentence about it, static; or NULL
 * @errors: @n_errors of them
 * @made: what is to be appended instead of @batch, if it has bytes
 */
struct record_check {
	uint8_t *batch;
	struct sluice_batch b;
	struct record_rules rules;
	int16_t code;
	const char *why;
	struct record_error *errors;
	uint32_t n_errors;
	struct sluice__bytes made;
};

/** record_check_remakes - is the batch to be stored in another codec than it came in */
bool record_check_remakes(const struct record_check *c);

/**
 * record_check_run - check, and make what is to be appended
 * @inflated_max: look at so many decompressed bytes at most
 * Returns 0 when @c has the result; -EAGAIN it would take more than @inflated_max,
 * which is below SLUICE__INFLATED_MAX: it can be run again.
 */
int record_check_run(struct record_check *c, uint64_t inflated_max);

/** record_check_free - what it holds; the batch stays its owner's */
void record_check_free(struct record_check *c);

#endif /* SLUICE_RECORDS_RECORD_CHECK_H */
