/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of libsluice share. Nothing here is exported.
 */
#ifndef SLUICE_LIB_INTERNAL_H
#define SLUICE_LIB_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/sluice.h>
#include "lib/codec.h"
#include "lib/sluice.h"

#define SLUICE_API __attribute__((visibility("default")))

/** sluice__fail() - keep a sentence for sluice_strerror(); returns @err. */
int sluice__fail(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** sluice__fail_socket() - the same with what the kernel says about the socket. */
int sluice__fail_socket(int fd, int err, const char *what);

/** sluice__socket() - a record socket of the family; fd or -errno. */
int sluice__socket(void);

/**
 * sluice__address() - fill an address, or give the socket a name too long for it
 * Returns 0 or -errno.
 */
int sluice__address(int fd, const char *topic, int32_t partition, struct sockaddr_sluice *ret);

/**
 * struct sluice__batch - a walk through the records of a batch
 * @base_offset, @base_timestamp, @max_timestamp, @attributes, @record_count: of
 *	the header
 * @next: first byte of the next record
 * @end: behind the last
 * @left: records that were not read yet
 * @inflated: the records, if they were compressed
 */
struct sluice__batch {
	int64_t base_offset;
	int64_t base_timestamp;
	int64_t max_timestamp;
	uint16_t attributes;
	uint32_t record_count;
	const uint8_t *next;
	const uint8_t *end;
	uint32_t left;
	struct sluice__bytes inflated;
};

/**
 * sluice__batch_open() - read the header, decompress the records
 * @data: one whole batch; kept, and must stay as it is while records are read
 * A control batch has no records for anybody: it is opened empty.
 * Returns 0 or the errors of sluice__decompress().
 */
int sluice__batch_open(struct sluice__batch *b, const uint8_t *data, size_t len, size_t max);

/**
 * struct sluice__raw_record - a record as it lies in the batch
 * Lengths of -1 are Kafka's null. @headers is where the first header begins.
 */
struct sluice__raw_record {
	int64_t offset;
	int64_t timestamp;
	const uint8_t *key;
	const uint8_t *value;
	int32_t key_len;
	int32_t value_len;
	const uint8_t *headers;
	const uint8_t *end;
	uint32_t n_headers;
};

/** sluice__batch_next() - 1 and the record; 0 at the end; -EBADMSG. */
int sluice__batch_next(struct sluice__batch *b, struct sluice__raw_record *ret);

/** sluice__batch_header() - read a record's header at *pos; 0 or -EBADMSG. */
int sluice__batch_header(const struct sluice__raw_record *r, const uint8_t **pos,
			 const uint8_t **ret_key, int32_t *ret_key_len, const uint8_t **ret_value,
			 int32_t *ret_value_len);

void sluice__batch_free(struct sluice__batch *b);

#endif /* SLUICE_LIB_INTERNAL_H */
