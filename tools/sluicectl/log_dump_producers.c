// SPDX-License-Identifier: Apache-2.0
/* Printing what a log keeps of its producers: snapshots, aborted transactions. */
#include "tools/sluicectl/log_dump.h"

static int dump_txn(const struct log_dump *d, const struct sluice_txn_index_entry *e)
{
	return log_dump_line(
		d, "",
		json_pack("{sisIsIsIsI}", "version", (int)get_unaligned_be16(&e->version),
			  "producer_id", (json_int_t)get_unaligned_be64(&e->producer_id),
			  "first_offset", (json_int_t)get_unaligned_be64(&e->first_offset),
			  "last_offset", (json_int_t)get_unaligned_be64(&e->last_offset),
			  "last_stable_offset",
			  (json_int_t)get_unaligned_be64(&e->last_stable_offset)));
}

int log_dump_txn_index(const struct log_dump *d, struct port_file *file)
{
	struct sluice_txn_index_entry e;
	u64 at = 0;
	ssize_t n;
	int ret;

	while ((n = port_file_read(file, at, &e, sizeof(e))) == (ssize_t)sizeof(e)) {
		ret = dump_txn(d, &e);
		if (ret)
			return ret;
		at += sizeof(e);
	}
	if (n > 0)
		return log_dump_broken(d, "", at, "the file ends inside an entry");
	return (int)n;
}

static int dump_producer(const struct log_dump *d, const struct sluice_snapshot_entry *e)
{
	return log_dump_line(
		d, "",
		json_pack("{sIsisisIsisIsisI}", "producer_id",
			  (json_int_t)get_unaligned_be64(&e->producer_id), "producer_epoch",
			  (int)(s16)get_unaligned_be16(&e->epoch), "last_sequence",
			  (int)get_unaligned_be32(&e->last_sequence), "last_offset",
			  (json_int_t)get_unaligned_be64(&e->last_offset), "offset_delta",
			  (int)get_unaligned_be32(&e->offset_delta), "timestamp",
			  (json_int_t)get_unaligned_be64(&e->timestamp), "coordinator_epoch",
			  (int)get_unaligned_be32(&e->coordinator_epoch), "txn_first_offset",
			  (json_int_t)get_unaligned_be64(&e->txn_first_offset)));
}

static int dump_header(const struct log_dump *d, struct port_file *file, u64 size)
{
	struct sluice_snapshot_header h;
	ssize_t n = port_file_read(file, 0, &h, sizeof(h));
	char text[9];
	u32 crc = 0;
	int ret;

	if (n != (ssize_t)sizeof(h))
		return n < 0 ? (int)n : log_dump_broken(d, "", 0, "the file has no header");
	ret = port_file_crc32c(file, SLUICE_SNAPSHOT_CRC_START, size - SLUICE_SNAPSHOT_CRC_START,
			       &crc);
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "%08x", get_unaligned_be32(&h.crc));
	ret = log_dump_line(d, "",
			    json_pack("{sisssbsI}", "version", (int)get_unaligned_be16(&h.version),
				      "crc", text, "crc_valid", crc == get_unaligned_be32(&h.crc),
				      "producers", (json_int_t)get_unaligned_be32(&h.count)));
	return ret ? ret : crc != get_unaligned_be32(&h.crc);
}

int log_dump_snapshot(const struct log_dump *d, struct port_file *file)
{
	u64 at = sizeof(struct sluice_snapshot_header);
	struct sluice_snapshot_entry e;
	s64 size = port_file_size(file);
	int status, ret;
	ssize_t n;

	if (size < 0)
		return (int)size;
	status = dump_header(d, file, (u64)size);
	if (status < 0 || size < (s64)at)
		return status;
	while ((n = port_file_read(file, at, &e, sizeof(e))) == (ssize_t)sizeof(e)) {
		ret = dump_producer(d, &e);
		if (ret)
			return ret;
		at += sizeof(e);
	}
	if (n > 0)
		return log_dump_broken(d, "", at, "the file ends inside an entry");
	return n < 0 ? (int)n : status;
}
