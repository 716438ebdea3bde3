// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Reading, checking and stamping the header of a RecordBatch v2. */
#include "batch.h"

static_assert(sizeof(struct sluice_batch_header) == SLUICE_BATCH_HEADER_LEN, "packed");
static_assert(offsetof(struct sluice_batch_header, attributes) == SLUICE_BATCH_CRC_START,
	      "the CRC covers all from the attributes on");

int sluice_batch_parse(const void *hdr, u32 size_max, struct sluice_batch *ret_b)
{
	const struct sluice_batch_header *h = hdr;
	struct sluice_batch b PORT_UNSET;
	s32 length;

	if (h->magic != SLUICE_BATCH_MAGIC)
		return -EPROTONOSUPPORT;
	length = (s32)get_unaligned_be32(&h->length);
	if (length < SLUICE_BATCH_HEADER_LEN - SLUICE_BATCH_PREFIX_LEN ||
	    length > S32_MAX - SLUICE_BATCH_PREFIX_LEN)
		return -EINVAL;

	b.base_offset = (s64)get_unaligned_be64(&h->base_offset);
	b.size = (u32)length + SLUICE_BATCH_PREFIX_LEN;
	b.leader_epoch = (s32)get_unaligned_be32(&h->partition_leader_epoch);
	b.crc = get_unaligned_be32(&h->crc);
	b.attributes = get_unaligned_be16(&h->attributes);
	b.last_offset_delta = (s32)get_unaligned_be32(&h->last_offset_delta);
	b.base_timestamp = (s64)get_unaligned_be64(&h->base_timestamp);
	b.max_timestamp = (s64)get_unaligned_be64(&h->max_timestamp);
	b.producer_id = (s64)get_unaligned_be64(&h->producer_id);
	b.producer_epoch = (s16)get_unaligned_be16(&h->producer_epoch);
	b.base_sequence = (s32)get_unaligned_be32(&h->base_sequence);
	b.record_count = (s32)get_unaligned_be32(&h->record_count);

	if (b.base_offset < 0 || b.last_offset_delta < 0 || b.record_count < 0)
		return -EINVAL;
	/* The offset behind the batch must be one, too. */
	if (b.base_offset >= S64_MAX - b.last_offset_delta)
		return -EINVAL;
	if (b.size > size_max)
		return -EMSGSIZE;
	*ret_b = b;
	return 0;
}

static const char *control_error(const struct sluice_batch *b)
{
	if (b->record_count != 1)
		return "a control batch must have one record";
	if (b->attributes & SLUICE_BATCH_COMPRESSION_MASK)
		return "a control batch must not be compressed";
	if (!(b->attributes & SLUICE_BATCH_TRANSACTIONAL))
		return "a control batch must be transactional";
	return NULL;
}

static const char *client_error(const struct sluice_batch *b)
{
	if (b->attributes & SLUICE_BATCH_CONTROL)
		return "a producer may not write control batches";
	if (b->producer_id >= 0 && b->base_sequence < 0)
		return "the batch has a producer id but no sequence";
	return NULL;
}

static const char *produce_error(const struct sluice_batch *b, enum sluice_append_as as)
{
	if (b->base_offset != 0)
		return "the base offset of a producer's batch must be 0";
	if (b->record_count <= 0)
		return "the batch has no records";
	if (b->record_count - 1 != b->last_offset_delta)
		return "the record count is not the last offset delta + 1";
	if (b->attributes & SLUICE_BATCH_ATTRIBUTES_UNUSED)
		return "the batch has unknown attributes";
	if ((b->attributes & SLUICE_BATCH_COMPRESSION_MASK) > SLUICE_COMPRESSION_ZSTD)
		return "the compression type is unknown";
	if (b->attributes & SLUICE_BATCH_DELETE_HORIZON)
		return "a producer may not set a delete horizon";
	if (b->producer_id >= 0 && b->producer_epoch < 0)
		return "the batch has a producer id but no producer epoch";
	if (b->attributes & SLUICE_BATCH_TRANSACTIONAL && b->producer_id < 0)
		return "a transactional batch must have a producer id";
	if (as == SLUICE_APPEND_AS_CLIENT)
		return client_error(b);
	return b->attributes & SLUICE_BATCH_CONTROL ? control_error(b) : NULL;
}

int sluice_batch_check_produce(const struct sluice_batch *b, enum sluice_append_as as,
			       const char **ret_why)
{
	const char *why = produce_error(b, as);

	if (why) {
		*ret_why = why;
		return -EINVAL;
	}
	if (b->attributes & SLUICE_BATCH_LOG_APPEND_TIME) {
		*ret_why = "a producer may not set LogAppendTime";
		return -ETIME;
	}
	return 0;
}

void sluice_batch_stamp(void *hdr, s64 base_offset, s32 leader_epoch)
{
	struct sluice_batch_header *h = hdr;

	put_unaligned_be64((u64)base_offset, &h->base_offset);
	put_unaligned_be32((u32)leader_epoch, &h->partition_leader_epoch);
}
