// SPDX-License-Identifier: Apache-2.0
/*
 * The daemon's look into a producer's records. The first bytes choose codecs and
 * rules; the rest are the records of a batch, compressed as they come or, if a
 * bit says so, compressed here first, so that the walk sees them and not the codec.
 * What is accepted must be accepted again, whatever it was made into.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/records/record_check.h"

#define CHOICE_LEN   4
#define INFLATED_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void must(int holds)
{
	if (!holds)
		abort();
}

static void make(struct record_check *c, int codec, const uint8_t *records, size_t len)
{
	c->batch = malloc(SLUICE_BATCH_HEADER_LEN + len);
	must(c->batch != NULL);
	memcpy(c->batch + SLUICE_BATCH_HEADER_LEN, records, len);
	c->b.size = (uint32_t)(SLUICE_BATCH_HEADER_LEN + len);
	c->b.attributes = (uint16_t)codec;
	sluice_batch_write_header(c->batch, &c->b);
}

static void check_again(const struct record_check *c)
{
	struct record_check again = {.rules = c->rules};
	const uint8_t *batch = c->made.len ? c->made.p : c->batch;

	again.rules.size_max = UINT32_MAX;
	must(!sluice_batch_parse(batch, UINT32_MAX, &again.b));
	again.batch = malloc(again.b.size);
	must(again.batch != NULL);
	memcpy(again.batch, batch, again.b.size);
	must(!record_check_run(&again, SLUICE__INFLATED_MAX));
	must(!again.code && !again.made.len && again.b.max_timestamp == c->b.max_timestamp);
	record_check_free(&again);
	free(again.batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct record_check c = {0};
	struct sluice__bytes packed = {0};
	int codec;

	if (len < CHOICE_LEN)
		return 0;
	codec = data[0] % 8;
	c.rules = (struct record_rules){
		.keys = data[1] & 1,
		.times = data[1] & 2,
		.before_max_ms = 1000,
		.after_max_ms = 1000,
		.now_ms = 5000,
		.size_max = 1 << 18,
		.target = {.codec = data[2] % 6 - 1, .level = data[2] >> 4 ? data[2] >> 4 : 1},
	};
	c.b = (struct sluice_batch){
		.base_timestamp = 5000,
		.max_timestamp = 5000,
		.producer_id = -1,
		.producer_epoch = -1,
		.base_sequence = -1,
		.record_count = data[3] + 1,
		.last_offset_delta = data[3],
	};
	if (data[1] & 4 && codec && codec < 5 &&
	    !sluice__compress(codec, data + CHOICE_LEN, len - CHOICE_LEN, &packed))
		make(&c, codec, packed.p, packed.len);
	else
		make(&c, codec, data + CHOICE_LEN, len - CHOICE_LEN);
	if (!record_check_run(&c, INFLATED_MAX) && !c.code)
		check_again(&c);
	record_check_free(&c);
	sluice__bytes_free(&packed);
	free(c.batch);
	return 0;
}
