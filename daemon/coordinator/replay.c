// SPDX-License-Identifier: Apache-2.0
#include <limits.h>

#include "daemon/coordinator/replay.h"
#include "kmod/log/marker.h"
#include "kmod/log/record.h"

/* The records of a batch, opened if they are compressed. */
static int open_records(struct sluice__bytes *opened, const struct sluice_batch *b,
			const uint8_t *batch, const uint8_t **ret_p, size_t *ret_len)
{
	int codec = b->attributes & SLUICE_BATCH_COMPRESSION_MASK;
	int err;

	*ret_p = batch + SLUICE_BATCH_HEADER_LEN;
	*ret_len = b->size - SLUICE_BATCH_HEADER_LEN;
	if (codec == SLUICE_COMPRESSION_NONE)
		return 0;
	err = sluice__decompress(codec, *ret_p, *ret_len, SLUICE__INFLATED_MAX, opened);
	*ret_p = opened->p;
	*ret_len = opened->len;
	return err;
}

static int load_record(struct topic_reader *t, int32_t partition, const struct sluice_batch *b,
		       const uint8_t *p, const struct sluice_record *record)
{
	const struct topic_load load = {
		.key = p + record->key_pos,
		.key_len = record->key_len < 0 ? 0 : (size_t)record->key_len,
		.value = record->value_len < 0 ? NULL : p + record->value_pos,
		.value_len = record->value_len < 0 ? 0 : (size_t)record->value_len,
		.producer_id = b->attributes & SLUICE_BATCH_TRANSACTIONAL ? b->producer_id : -1,
	};

	return record->key_len < 0 ? -EBADMSG : t->load(t, partition, &load);
}

static int replay_batch(struct topic_reader *t, struct sluice__bytes *opened, int32_t partition,
			const struct sluice_batch *b, const uint8_t *batch, uint64_t *damaged)
{
	const uint8_t *p;
	size_t len, at = 0;
	int err = open_records(opened, b, batch, &p, &len);

	for (int32_t i = 0; i < b->record_count && !err; i++) {
		struct sluice_record record;

		err = sluice_record_parse(p + at, len - at, &record);
		if (err)
			break;
		err = load_record(t, partition, b, p + at, &record);
		at += record.end;
		if (err != -EBADMSG)
			continue;
		++*damaged;
		err = 0;
	}
	if (err == -ENOMEM)
		return err;
	*damaged += err != 0;
	return 0;
}

/* Other control records than ends of transactions say nothing here. */
static void end_transaction(struct topic_reader *t, int32_t partition, const struct sluice_batch *b,
			    const uint8_t *batch)
{
	struct sluice_marker m;

	if (t->ended && !sluice_marker_parse(b, batch + SLUICE_BATCH_HEADER_LEN,
					     b->size - SLUICE_BATCH_HEADER_LEN, &m))
		t->ended(t, partition, b->producer_id, !m.abort);
}

int64_t replay_bytes(struct topic_reader *t, struct sluice__bytes *opened, int32_t partition,
		     const uint8_t *p, size_t len, int64_t *offset, uint64_t *damaged)
{
	size_t at = 0;

	while (len - at >= SLUICE_BATCH_HEADER_LEN) {
		struct sluice_batch b;
		int err = 0;

		if (sluice_batch_parse(p + at, INT_MAX, &b))
			return -EBADMSG;
		if (b.size > len - at)
			break;
		/* A fetch begins with the whole batch that has the offset. */
		if (sluice_batch_last_offset(&b) >= *offset) {
			if (b.attributes & SLUICE_BATCH_CONTROL)
				end_transaction(t, partition, &b, p + at);
			else
				err = replay_batch(t, opened, partition, &b, p + at, damaged);
			*offset = sluice_batch_last_offset(&b) + 1;
		}
		if (err)
			return err;
		at += b.size;
	}
	return (int64_t)at;
}
