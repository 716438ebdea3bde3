// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0
/* Checking one segment: its batches, and what its indexes say of them. */
#include "batch_cursor.h"
#include "check_internal.h"
#include "offset_index.h"
#include "segment.h"
#include "time_index.h"

/*
 * @cursor: at the batch that is checked
 * @end_offset: no batch may have this offset or a larger one
 * @epoch: leader epoch of the batch before
 */
struct segment_check {
	struct check_file file;
	s64 base_offset;
	s64 end_offset;
	s32 epoch;
	struct sluice_batch_cursor cursor;
	struct check_index offsets;
	struct check_index times;
};

static int check_batch(struct segment_check *s, const struct sluice_batch *b)
{
	u64 position = s->cursor.position;
	u32 crc = 0;
	int ret;

	ret = sluice_batch_cursor_crc(&s->cursor, b, &crc);
	if (ret)
		return ret;
	if (crc != b->crc)
		check_found(&s->file, position, "the CRC of the batch is wrong: %08x, not %08x",
			    crc, b->crc);
	if (sluice_batch_last_offset(b) >= s->end_offset)
		check_found(&s->file, position, "the batch has offsets of the next segment");
	else if (sluice_batch_last_offset(b) - s->base_offset > S32_MAX)
		check_found(&s->file, position, "the offset is too far from that of the segment");
	if (b->leader_epoch >= 0 && b->leader_epoch < s->epoch)
		check_found(&s->file, position,
			    "leader epoch %d is lower than that of the batch before, %d",
			    b->leader_epoch, s->epoch);
	s->epoch = max(s->epoch, b->leader_epoch);
	check_offset_index_batch(&s->offsets, b, position);
	check_time_index_batch(&s->times, b);
	s->file.check->batches++;
	return 0;
}

static int check_batches(struct segment_check *s, u64 size)
{
	struct sluice_batch b;
	const char *why;
	int ret;

	while ((ret = sluice_batch_cursor_peek(&s->cursor, &b, &why)) > 0) {
		ret = check_batch(s, &b);
		if (ret)
			return ret;
		sluice_batch_cursor_next(&s->cursor, &b);
	}
	if (ret == -EBADMSG) {
		check_found(&s->file, s->cursor.position, "%s; %llu bytes are not readable", why,
			    size - s->cursor.position);
		/* What the indexes say of the rest cannot be judged. */
		return 0;
	}
	if (ret)
		return ret;
	check_offset_index_end(&s->offsets);
	check_time_index_end(&s->times);
	return 0;
}

static int check_log_file(struct segment_check *s, struct port_file *file, u8 *chunk,
			  u32 chunk_size)
{
	struct sluice_check *c = s->file.check;
	s64 size = port_file_size(file);
	int ret;

	if (size < 0)
		return (int)size;
	if (size > SLUICE_SEGMENT_BYTES_MAX) {
		check_found(&s->file, SLUICE_SEGMENT_BYTES_MAX, "the file is too large");
		size = SLUICE_SEGMENT_BYTES_MAX;
	}
	ret = check_index_open(&s->offsets, c, s->base_offset, SLUICE_SUFFIX_OFFSET_INDEX,
			       SLUICE_OFFSET_INDEX_ENTRY);
	if (ret)
		return ret;
	ret = check_index_open(&s->times, c, s->base_offset, SLUICE_SUFFIX_TIME_INDEX,
			       SLUICE_TIME_INDEX_ENTRY);
	if (ret)
		goto err_times;
	sluice_batch_cursor_init(&s->cursor, file, 0, (u64)size, s->base_offset);
	sluice_batch_cursor_use(&s->cursor, chunk, chunk_size);
	ret = check_batches(s, (u64)size);
	c->bytes_read += s->cursor.bytes_read;
	check_index_close(&s->times);
err_times:
	check_index_close(&s->offsets);
	return ret;
}

int check_segment(struct sluice_check *c, s64 base_offset, s64 end_offset, s32 *epoch, u8 *chunk,
		  u32 chunk_size)
{
	struct segment_check s = {
		.base_offset = base_offset,
		.end_offset = end_offset,
		.epoch = *epoch,
	};
	struct port_file *file;
	int ret;

	check_file_begin(&s.file, c, base_offset, SLUICE_SUFFIX_LOG);
	ret = port_file_open(c->dir, s.file.name, PORT_RDONLY, &file);
	if (ret)
		return ret;
	ret = check_log_file(&s, file, chunk, chunk_size);
	port_file_close(file);
	check_file_end(&s.file);
	if (!ret)
		ret = check_txn_index(c, base_offset, end_offset);
	*epoch = s.epoch;
	return ret;
}
