// SPDX-License-Identifier: Apache-2.0
#include <limits.h>

#include "daemon/kafka/produce_check.h"
#include "kmod/log/record.h"

/* First version of Produce that may carry zstd (KIP-110). */
#define ZSTD_FROM_VERSION 7

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

static int16_t check_header(struct kafka_bytes records, struct sluice_batch *ret_b,
			    const char **ret_why)
{
	if (records.len < SLUICE_BATCH_HEADER_LEN)
		return fail(KAFKA_ERROR_INVALID_RECORD, "there is no whole record batch", ret_why);
	switch (sluice_batch_parse(records.p, INT_MAX, ret_b)) {
	case 0: break;
	case -EPROTONOSUPPORT: return other_format(records, ret_why);
	default: return impossible(records, ret_why);
	}
	if (ret_b->size > (uint32_t)records.len)
		return fail(KAFKA_ERROR_INVALID_RECORD, "the batch is shorter than it says",
			    ret_why);
	if (ret_b->size < (uint32_t)records.len)
		return fail(KAFKA_ERROR_INVALID_RECORD,
			    "there must be exactly one batch for each partition", ret_why);
	return KAFKA_ERROR_NONE;
}

int16_t produce_check(struct kafka_bytes records, int16_t version, const char **ret_why)
{
	struct sluice_batch b;
	uint16_t compression;
	int16_t code = check_header(records, &b, ret_why);

	if (code)
		return code;
	compression = b.attributes & SLUICE_BATCH_COMPRESSION_MASK;
	if (compression == SLUICE_COMPRESSION_ZSTD && version < ZSTD_FROM_VERSION)
		return fail(KAFKA_ERROR_UNSUPPORTED_COMPRESSION_TYPE,
			    "zstd needs version 7 of Produce", ret_why);
	if (compression != SLUICE_COMPRESSION_NONE)
		return KAFKA_ERROR_NONE;
	if (!sluice_records_check(&b, records.p + SLUICE_BATCH_HEADER_LEN,
				  b.size - SLUICE_BATCH_HEADER_LEN, ret_why))
		return KAFKA_ERROR_NONE;
	/* Records that came damaged are sent again; those that were made wrong never will do. */
	if (!crc_is_right(records, b.size))
		return fail(KAFKA_ERROR_CORRUPT_MESSAGE, "the CRC of the batch is wrong", ret_why);
	return KAFKA_ERROR_INVALID_RECORD;
}

bool produce_is_transactional(struct kafka_bytes records, struct sluice_batch *ret_b)
{
	return records.len >= SLUICE_BATCH_HEADER_LEN &&
	       !sluice_batch_parse(records.p, INT_MAX, ret_b) &&
	       ret_b->attributes & SLUICE_BATCH_TRANSACTIONAL;
}
