/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RecordBatches for the tests, encoded here from the description of the format
 * (Documentation/format.md) and not with the engine's code, which they test.
 */
#ifndef TESTS_SOCKET_BATCH_H
#define TESTS_SOCKET_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What goes into the header; the rest follows from the records. */
struct batch_header {
	int64_t base_offset;
	int8_t magic;
	uint16_t attributes;
	int64_t base_timestamp;
	int64_t producer_id;
	int16_t producer_epoch;
	int32_t base_sequence;
};
#define BATCH_HEADER_INIT                                                       \
	{                                                                       \
		.magic = 2, .base_timestamp = 1700000000000, .producer_id = -1, \
		.producer_epoch = -1, .base_sequence = -1                       \
	}

/**
 * batch_encode() - a batch of @n records with these values, no keys
 * Returns its size; @buf has room for 61 + n * (longest value + 20).
 */
size_t batch_encode(uint8_t *buf, const struct batch_header *h, const char *const *values,
		    size_t n);

/** batch_simple() - of @n records "<tag>0", "<tag>1", ... */
size_t batch_simple(uint8_t *buf, const char *tag, size_t n);

/** batch_transaction() - of one record in a transaction of @producer, which has begun. */
size_t batch_transaction(uint8_t *buf, int64_t producer, int32_t sequence, const char *value);

/** batch_marker() - the end of @producer's transaction, as a coordinator writes it. */
size_t batch_marker(uint8_t *buf, int64_t producer, bool commit);

/** batch_fix_crc() - after a byte behind the CRC was changed. */
void batch_fix_crc(uint8_t *buf, size_t size);

/** batch_size() - of the batch at @buf, by its length field. */
size_t batch_size(const uint8_t *buf);

void put_be16(uint8_t *p, uint16_t v);
void put_be32(uint8_t *p, uint32_t v);
void put_be64(uint8_t *p, uint64_t v);
uint32_t get_be32(const uint8_t *p);
uint64_t get_be64(const uint8_t *p);

/* Positions of the header's fields. */
#define AT_BASE_OFFSET	     0
#define AT_LENGTH	     8
#define AT_LEADER_EPOCH	     12
#define AT_MAGIC	     16
#define AT_CRC		     17
#define AT_ATTRIBUTES	     21
#define AT_LAST_OFFSET_DELTA 23
#define AT_BASE_TIMESTAMP    27
#define AT_MAX_TIMESTAMP     35
#define AT_PRODUCER_ID	     43
#define AT_PRODUCER_EPOCH    51
#define AT_BASE_SEQUENCE     53
#define AT_RECORD_COUNT	     57
#define AT_RECORDS	     61

#endif /* TESTS_SOCKET_BATCH_H */
