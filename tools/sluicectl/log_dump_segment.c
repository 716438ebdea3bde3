// SPDX-License-Identifier: Apache-2.0
/* Printing a segment: batch by batch, until the end or the first broken one. */
#include <stdlib.h>
#include "kmod/log/batch_cursor.h"
#include "tools/sluicectl/log_dump.h"

#define CHUNK_SIZE (1u << 20)

static const char *compression_name(u16 attributes)
{
	static const char *const names[] = {"none", "gzip", "snappy", "lz4", "zstd"};
	u16 codec = attributes & SLUICE_BATCH_COMPRESSION_MASK;

	return codec < ARRAY_SIZE(names) ? names[codec] : "unknown";
}

static int print_batch(const struct log_dump *d, const struct sluice_batch *b, u64 position,
		       bool crc_valid)
{
	bool log_append_time = b->attributes & SLUICE_BATCH_LOG_APPEND_TIME;
	bool horizon = b->attributes & SLUICE_BATCH_DELETE_HORIZON;
	char crc[9];
	json_t *line;

	snprintf(crc, sizeof(crc), "%08x", b->crc);
	line = json_pack(
		"{sIsIsIsIsisssIsIss}", "base_offset", (json_int_t)b->base_offset, "last_offset",
		(json_int_t)sluice_batch_last_offset(b), "position", (json_int_t)position, "size",
		(json_int_t)b->size, "records", b->record_count, "timestamp_type",
		log_append_time ? "LogAppendTime" : "CreateTime", "base_timestamp",
		(json_int_t)b->base_timestamp, "max_timestamp", (json_int_t)b->max_timestamp,
		"compression", compression_name(b->attributes));
	if (line)
		json_object_update_new(
			line,
			json_pack("{sisIsisisbsbsbsssb}", "leader_epoch", b->leader_epoch,
				  "producer_id", (json_int_t)b->producer_id, "producer_epoch",
				  (int)b->producer_epoch, "base_sequence", b->base_sequence,
				  "transactional", !!(b->attributes & SLUICE_BATCH_TRANSACTIONAL),
				  "control", !!(b->attributes & SLUICE_BATCH_CONTROL),
				  "delete_horizon", horizon, "crc", crc, "crc_valid", crc_valid));
	return log_dump_line(d, "", line);
}

static int dump_batch(const struct log_dump *d, struct sluice_batch_cursor *cursor,
		      const struct sluice_batch *b)
{
	u32 crc = 0;
	int ret;

	ret = sluice_batch_cursor_crc(cursor, b, &crc);
	if (!ret)
		ret = print_batch(d, b, cursor->position, crc == b->crc);
	if (ret)
		return ret;
	if (crc != b->crc)
		return 1;
	if (d->records && !(b->attributes & SLUICE_BATCH_COMPRESSION_MASK))
		return log_dump_records(d, cursor->file, cursor->position, b);
	return 0;
}

static int dump_batches(const struct log_dump *d, struct sluice_batch_cursor *cursor)
{
	struct sluice_batch b;
	int status = 0, ret;
	const char *why;

	while ((ret = sluice_batch_cursor_peek(cursor, &b, &why)) > 0) {
		ret = dump_batch(d, cursor, &b);
		if (ret < 0)
			return ret;
		status = max(status, ret);
		sluice_batch_cursor_next(cursor, &b);
	}
	if (ret == -EBADMSG)
		return log_dump_broken(d, "", cursor->position, why);
	return ret < 0 ? ret : status;
}

int log_dump_segment(const struct log_dump *d, struct port_file *file)
{
	struct sluice_batch_cursor cursor;
	s64 size = port_file_size(file);
	u8 *chunk;
	int ret;

	if (size < 0)
		return (int)size;
	chunk = malloc(CHUNK_SIZE);
	if (!chunk)
		return -ENOMEM;
	sluice_batch_cursor_init(&cursor, file, 0, (u64)size, 0);
	sluice_batch_cursor_use(&cursor, chunk, CHUNK_SIZE);
	ret = dump_batches(d, &cursor);
	free(chunk);
	return ret;
}
