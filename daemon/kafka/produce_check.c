// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <limits.h>

#include "daemon/kafka/produce_check.h"

/* First version of Produce that may carry zstd (KIP-110). */
#define ZSTD_FROM_VERSION 7

/*
 * What a worker looks into itself: compressed batches of so many bytes, until they
 * turn out to be more than so many decompressed; and those that are stored in another
 * codec, which takes longer. The rest is heavy: milliseconds, and not for a worker.
 */
#define LIGHT_BYTES	      32768
#define LIGHT_INFLATED	      262144
#define LIGHT_REMADE_BYTES    8192
#define LIGHT_REMADE_INFLATED 32768

static int16_t fail(int16_t code, const char *why, const char **ret_why)
{
	*ret_why = why;
	return code;
}

static bool crc_is_right(struct kafka_bytes batch, int64_t size)
{
	const struct sluice_batch_header *h = (const void *)batch.p;

	return port_crc32c(0, batch.p + SLUICE_BATCH_CRC_START,
			   (size_t)size - SLUICE_BATCH_CRC_START) == get_unaligned_be32(&h->crc);
}

/*
 * What a damaged batch says of itself cannot be trusted: it is sent again. One
 * that is whole and says what cannot be was made so, and sending it again is no use.
 */
static int16_t impossible(struct kafka_bytes records, const char **ret_why)
{
	const struct sluice_batch_header *h = (const void *)records.p;
	int64_t size = (int64_t)(int32_t)get_unaligned_be32(&h->length) + SLUICE_BATCH_PREFIX_LEN;

	if (size < SLUICE_BATCH_HEADER_LEN || (size <= records.len && !crc_is_right(records, size)))
		return fail(KAFKA_ERROR_CORRUPT_MESSAGE, "the header of the batch is damaged",
			    ret_why);
	return fail(KAFKA_ERROR_INVALID_RECORD, "a field of the batch header is impossible",
		    ret_why);
}

static int16_t other_format(struct kafka_bytes records, const char **ret_why)
{
	const struct sluice_batch_header *h = (const void *)records.p;

	/* Those before are known to be old; there is none that is newer. */
	if ((uint8_t)h->magic < SLUICE_BATCH_MAGIC)
		return fail(KAFKA_ERROR_INVALID_RECORD, "only batches of format 2 are accepted",
			    ret_why);
	return fail(KAFKA_ERROR_CORRUPT_MESSAGE, "there is no such format of batches", ret_why);
}

/* What is behind the first batch: Kafka takes it for a second one only if it is whole. */
static bool has_second(struct kafka_bytes records, uint32_t size)
{
	uint32_t rest = (uint32_t)records.len - size;

	return rest > SLUICE_BATCH_PREFIX_LEN + 4 &&
	       get_unaligned_be32(records.p + size + SLUICE_BATCH_PREFIX_LEN - 4) <=
		       rest - SLUICE_BATCH_PREFIX_LEN;
}

/* @ret_in_log: the request is in order, and it is the log that does not take it. */
static int16_t check_header(struct kafka_bytes records, int16_t version, struct sluice_batch *ret_b,
			    bool *ret_in_log, const char **ret_why)
{
	uint16_t compression;

	*ret_in_log = false;

	if (records.len < SLUICE_BATCH_HEADER_LEN)
		return fail(KAFKA_ERROR_INVALID_RECORD, "there is no whole record batch", ret_why);
	switch (sluice_batch_parse(records.p, INT_MAX, ret_b)) {
	case 0: break;
	case -EPROTONOSUPPORT: return other_format(records, ret_why);
	default: *ret_in_log = true; return impossible(records, ret_why);
	}
	if (ret_b->size > (uint32_t)records.len)
		return fail(KAFKA_ERROR_INVALID_RECORD, "the batch is shorter than it says",
			    ret_why);
	*ret_in_log = ret_b->size < (uint32_t)records.len && !has_second(records, ret_b->size);
	if (ret_b->size < (uint32_t)records.len)
		return fail(KAFKA_ERROR_INVALID_RECORD,
			    "there must be exactly one batch for each partition", ret_why);
	compression = ret_b->attributes & SLUICE_BATCH_COMPRESSION_MASK;
	if (compression == SLUICE_COMPRESSION_ZSTD && version < ZSTD_FROM_VERSION)
		return fail(KAFKA_ERROR_UNSUPPORTED_COMPRESSION_TYPE,
			    "zstd needs version 7 of Produce", ret_why);
	/* Later versions leave this to the log. */
	if (compression > SLUICE_COMPRESSION_ZSTD && version < ZSTD_FROM_VERSION)
		return fail(KAFKA_ERROR_UNKNOWN_SERVER_ERROR, "the compression type is unknown",
			    ret_why);
	return KAFKA_ERROR_NONE;
}

static void refuse(struct produce_batch *batch, int16_t code, const char *why)
{
	batch->check.code = code;
	batch->check.why = why;
}

/* As far as the header tells; what is damaged is sent again. */
static int16_t check_leader(const struct record_check *c, const char **ret_why)
{
	uint16_t compression = c->b.attributes & SLUICE_BATCH_COMPRESSION_MASK;
	struct kafka_bytes batch = {c->batch, (int32_t)c->b.size};
	int16_t code = KAFKA_ERROR_NONE;

	if (c->b.size > c->rules.size_max)
		return fail(KAFKA_ERROR_MESSAGE_TOO_LARGE,
			    "the batch is larger than max.message.bytes", ret_why);
	if (compression > SLUICE_COMPRESSION_ZSTD)
		code = fail(KAFKA_ERROR_UNKNOWN_SERVER_ERROR, "the compression type is unknown",
			    ret_why);
	else
		code = kafka_error_from_errno(
			sluice_batch_check_produce(&c->b, SLUICE_APPEND_AS_CLIENT, ret_why));
	if (code && !crc_is_right(batch, c->b.size))
		return fail(KAFKA_ERROR_CORRUPT_MESSAGE, "the CRC of the batch is wrong", ret_why);
	return code;
}

static void set_rules(struct record_rules *r, const struct image_topic *topic)
{
	const struct kern_topic_config *config = &topic->config;

	*r = (struct record_rules){
		.keys = config->cleanup_policy & KERN_CLEANUP_COMPACT,
		.times = !config->message_timestamp_type,
		.before_max_ms = config->timestamp_before_max_ms,
		.after_max_ms = config->timestamp_after_max_ms,
		.now_ms = port_now_ms(),
		.size_max = config->max_message_bytes,
		.target = topic->codec,
	};
}

/* What is not compressed, and stays so, is walked through as fast as it came. */
static void check_records(struct produce_batch *batch)
{
	struct record_check *c = &batch->check;
	bool remakes = record_check_remakes(c);

	if (!remakes && !(c->b.attributes & SLUICE_BATCH_COMPRESSION_MASK))
		record_check_run(c, SLUICE__INFLATED_MAX);
	else if (c->b.size > (remakes ? LIGHT_REMADE_BYTES : LIGHT_BYTES))
		batch->heavy = true;
	else
		batch->heavy = record_check_run(c, remakes ? LIGHT_REMADE_INFLATED
							   : LIGHT_INFLATED) == -EAGAIN;
}

void produce_check(struct produce_batch *batch, struct kafka_bytes records, int16_t version,
		   const struct image_topic *topic)
{
	struct record_check *c = &batch->check;
	const char *why = NULL;
	int16_t code = check_header(records, version, &c->b, &batch->in_log, &why);

	if (!code) {
		batch->in_log = true;
		/* Of a frame in memory that belongs to this request alone. */
		c->batch = (uint8_t *)(uintptr_t)records.p;
		set_rules(&c->rules, topic);
		code = check_leader(c, &why);
	}
	if (code)
		refuse(batch, code, why);
	else
		check_records(batch);
}

void produce_check_heavy(struct produce_batch *batch)
{
	record_check_run(&batch->check, SLUICE__INFLATED_MAX);
	batch->heavy = false;
}

bool produce_is_transactional(struct kafka_bytes records, struct sluice_batch *ret_b)
{
	return records.len >= SLUICE_BATCH_HEADER_LEN &&
	       !sluice_batch_parse(records.p, INT_MAX, ret_b) &&
	       ret_b->attributes & SLUICE_BATCH_TRANSACTIONAL;
}
