/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/*
 * RecordBatch v2: reading, checking and stamping its header, and building
 * batches. Nothing here touches a file.
 */
#ifndef SLUICE_LOG_BATCH_H
#define SLUICE_LOG_BATCH_H

#include "port.h"
#include <linux/sluice_format.h>

/**
 * struct sluice_batch - a batch header in host order
 * Field meanings are those of struct sluice_batch_header.
 * @size: bytes of the whole batch, header included
 */
struct sluice_batch {
	s64 base_offset;
	u32 size;
	s32 leader_epoch;
	u32 crc;
	u16 attributes;
	s32 last_offset_delta;
	s64 base_timestamp;
	s64 max_timestamp;
	s64 producer_id;
	s16 producer_epoch;
	s32 base_sequence;
	s32 record_count;
};

static inline s64 sluice_batch_last_offset(const struct sluice_batch *b)
{
	return b->base_offset + b->last_offset_delta;
}

/**
 * sluice_batch_parse() - read a header that comes from outside
 * @hdr: SLUICE_BATCH_HEADER_LEN bytes, any alignment
 * @size_max: largest whole batch that is acceptable
 * @ret_b: the header; untouched on failure
 *
 * Checks what makes the other fields readable: length, magic, and that offsets
 * and counts are not negative. It does not check the CRC.
 *
 * Returns 0; -EINVAL length or a field impossible; -EMSGSIZE @size_max
 * exceeded; -EPROTONOSUPPORT another magic.
 */
int __must_check sluice_batch_parse(const void *hdr, u32 size_max, struct sluice_batch *ret_b);

/**
 * enum sluice_append_as - who appends; Kafka's AppendOrigin
 * @SLUICE_APPEND_AS_CLIENT: a producer; everything is checked
 * @SLUICE_APPEND_AS_COORDINATOR: a transaction or group coordinator: may write
 *	control batches, and batches with a producer id but without sequences
 * @SLUICE_APPEND_AS_REPLICA: a follower: the batch has its offset and epoch, and
 *	the leader has checked it
 */
enum sluice_append_as {
	SLUICE_APPEND_AS_CLIENT = 0,
	SLUICE_APPEND_AS_COORDINATOR = 1,
	SLUICE_APPEND_AS_REPLICA = 2,
};

/**
 * sluice_batch_check_produce() - what a leader asks of a batch
 * Kafka's UnifiedLog.analyzeAndValidateRecords and LogValidator as far as the
 * header tells: base offset 0, record count positive and last offset delta + 1,
 * no unknown attribute or compression, CreateTime, a producer id where there is
 * a transaction. From a client: no control batch, and a sequence where there is
 * a producer id. From a coordinator: a control batch is uncompressed, of one
 * record, and in a transaction.
 *
 * @as: CLIENT or COORDINATOR
 * @ret_why: a sentence for the caller, static; set on failure
 * Returns 0 or -EINVAL, or -ETIME if it is LogAppendTime that the batch claims.
 */
int __must_check sluice_batch_check_produce(const struct sluice_batch *b, enum sluice_append_as as,
					    const char **ret_why);

/** sluice_batch_stamp() - set offset and epoch, which lie outside the CRC. */
void sluice_batch_stamp(void *hdr, s64 base_offset, s32 leader_epoch);

/**
 * struct sluice_record_out - a record to be encoded
 * A NULL key or value with length -1 is Kafka's null.
 * @value: unless @value_src is set
 * @value_src: the value is copied from its front, @value_len bytes; or NULL
 */
struct sluice_record_out {
	s64 timestamp;
	const void *key;
	s32 key_len;
	const void *value;
	s32 value_len;
	const struct sluice_header_out {
		const void *key;
		s32 key_len;
		const void *value;
		s32 value_len;
	} *headers;
	u32 header_count;
	struct port_iter *value_src;
};

/**
 * sluice_batch_write_header() - encode a header before records in memory
 * @buf: b->size bytes, the records in their place
 * @b: sets its CRC, too
 */
void sluice_batch_write_header(void *buf, struct sluice_batch *b);

/** sluice_batch_build_size() - exact size of a batch with this one record. */
size_t sluice_batch_build_size(const struct sluice_record_out *r);

/**
 * sluice_batch_build() - encode a batch of one record
 * @buf: sluice_batch_build_size() bytes
 * Base offset 0, no producer id, no compression, CRC set.
 * Returns 0; -EFAULT if r->value_src could not be read: never without one.
 */
int sluice_batch_build(void *buf, size_t size, const struct sluice_record_out *r);

#endif /* SLUICE_LOG_BATCH_H */
